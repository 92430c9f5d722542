"""Two calls become one: transfers and conferences; and what a snapshot after a reconnect says about a whole call.

Theory. CALL_TRANSFERRED and CALL_CONFERENCED name two calls, who made one of them, and the telephones that remain,
each with the number the call has from now on. The primary call, the original one, is the one that desktops keep; the
secondary, the consultation, is over for them, whichever number the CTI server goes on with. A snapshot is the whole
truth about one call and replaces its connections; times that were known are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from poise.contact.call_book import CallBook
from poise.contact.call_events import HANDLERS, Effect, Handler
from poise.contact.calls import NO_PERSON, Call, Party
from poise.contact.dialog_states import MOVES, CallKind, Happening, PartyState
from poise.protocols.cti.call_constants import CallType, DeviceIdType, LocalConnectionState
from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.messages import FloatValue, Message


class Row(NamedTuple):
    """One telephone in a list of them."""

    call_id: int
    device: str
    device_type: int | None
    state: int | None
    connection: str = ""
    connection_type: int = 0


def _rows(message: Message, first: str, names: Mapping[str, str]) -> Iterator[Row]:
    """Repeated groups of floating fields; `first` opens one, `names` says what the fields are of a Row."""
    group: dict[str, FloatValue] = {}
    groups: list[dict[str, FloatValue]] = []
    for tag, value in message.floats:
        if tag == first:
            group = {}
            groups.append(group)
        if tag in names and groups:
            group[names[tag]] = value
    for found in groups:
        device = found.get("device") or found.get("connection")
        if isinstance(device, str) and device:
            yield Row(
                _number(found, "call_id", NULL32) or NULL32,
                device,
                _number(found, "device_type", None),
                _number(found, "state", None),
                str(found.get("connection", device)),
                _number(found, "connection_type", 0) or 0,
            )


def _number(group: Mapping[str, FloatValue], name: str, default: int | None) -> int | None:
    value = group.get(name, default)
    return value if isinstance(value, int) else default


_PARTIES = {"PARTY_CALLID": "call_id", "PARTY_DEVID_TYPE": "device_type", "PARTY_DEVID": "device"}
_DEVICES = {
    "CALL_CONN_CALLID": "call_id",
    "CALL_CONN_DEVID_TYPE": "connection_type",
    "CALL_CONN_DEVID": "connection",
    "CALL_DEVID_TYPE": "device_type",
    "CALL_DEVID": "device",
    "CALL_DEV_CONN_STATE": "state",
}


def _transferred(book: CallBook, message: Message, now: float) -> Effect:
    return _merged(book, message, now, message.text("TRANSFERRING_DEVID") or "", conference=False)


def _conferenced(book: CallBook, message: Message, now: float) -> Effect:
    return _merged(book, message, now, message.text("CONTROLLER_DEVID") or "", conference=True)


def _merged(book: CallBook, message: Message, now: float, maker: str, *, conference: bool) -> Effect:
    primary_id = message.fields.get("PrimaryCallID", NULL32)
    secondary = book.get(message.fields.get("SecondaryCallID"))
    primary = book.get(primary_id)
    moved: list[Call] = []
    if primary is None:
        primary, moved = book.open(primary_id)
    if secondary is primary:
        secondary = None
    rows = [row for row in _rows(message, "PARTY_CALLID", _PARTIES) if row.device_type not in NO_PERSON]
    before = tuple(dict.fromkeys((*primary.parties, *(secondary.parties if secondary is not None else ()))))
    staying = _staying(primary, secondary, rows, "" if conference else maker)
    parties: dict[str, Party] = {}
    for device in staying:
        party = _best(device, primary, secondary)
        if party is None:
            rings = secondary is None and not conference
            party = Party(device, MOVES[None, Happening.OFFERED if rings else Happening.JOINS], now)
        elif conference and device == maker:
            party.move(MOVES.get((party.state, Happening.JOINS), party.state), now)
        parties[device] = party
    primary.parties = parties
    _one_waits(parties.values(), now)
    primary.open |= secondary.open if secondary is not None else set()
    primary.open |= {row.device for row in rows if row.device_type == DeviceIdType.AGENT_DEVICE}
    if not conference:
        primary.open.discard(maker)
    primary.stale = False
    if conference:
        primary.call_type = CallType.CONFERENCE
        primary.controller = maker
    if secondary is not None:
        primary.secondary_id = secondary.dialog_id
    primary.associated_id = ""
    number = next((row.call_id for row in rows if row.call_id not in (NULL32, 0)), primary.cti_id)
    other = book.get(number)
    if other not in (None, primary, secondary):
        number = primary.cti_id  # the number of a third call: a mistake of the CTI server's
    book.take_over(primary, secondary, number)
    calls = (primary, *moved) if secondary is None else (primary, secondary, *moved)
    return Effect(calls, before)


def _one_waits(parties: Iterable[Party], now: float) -> None:
    """Who is alone in the call, or only with telephones that ring, waits for an answer."""
    live = [party for party in parties if party.live]
    talking = [party for party in live if party.state is not PartyState.ALERTING]
    if len(talking) == 1 and talking[0].state is PartyState.ACTIVE:
        talking[0].move(PartyState.INITIATED, now)


def _staying(primary: Call, secondary: Call | None, rows: list[Row], leaving: str) -> list[str]:
    """Telephones of the merged call: those of the original first. A list that the CTI server gives is the truth."""
    known = [*primary.parties, *(secondary.parties if secondary is not None else ())]
    if rows:
        named = {row.device for row in rows}
        order = [device for device in known if device in named] + [row.device for row in rows]
    else:
        live = {p.device for call in (primary, secondary) if call is not None for p in call.live}
        order = [device for device in known if device in live and device != leaving]
    return list(dict.fromkeys(order))


def _best(device: str, primary: Call, secondary: Call | None) -> Party | None:
    """A telephone's connection: where it has one in both calls, the one in which it talks."""
    found = [c.parties[device] for c in (primary, secondary) if c is not None and device in c.parties]
    found.sort(key=lambda party: (party.state is not PartyState.ACTIVE, not party.live))
    return found[0] if found and found[0].live else None


_L = LocalConnectionState
_CONNECTIONS: Mapping[int, PartyState] = {
    _L.INITIATE: PartyState.INITIATING,
    _L.ALERTING: PartyState.ALERTING,
    _L.CONNECT: PartyState.ACTIVE,
    _L.HOLD: PartyState.HELD,
    _L.QUEUED: PartyState.INITIATED,
    _L.FAIL: PartyState.FAILED,
}


def _snapshot(book: CallBook, message: Message, now: float) -> Effect:
    """SNAPSHOT_CALL_CONF: who is in the call now, and its data."""
    rows = list(_rows(message, "CALL_CONN_CALLID", _DEVICES))
    number = next((row.call_id for row in rows if row.call_id != NULL32), NULL32)
    if number == NULL32:
        return Effect()
    call, moved = book.open(number)
    call.stale = False
    call.data.take(message)
    call.takes_type(message.fields.get("CallType", 0xFFFF))
    call.to_address = call.to_address or call.data.dialed_number or call.data.dnis
    call.from_address = call.from_address or call.data.ani
    states = {
        row.device: _CONNECTIONS[row.state]
        for row in rows
        if row.state is not None and row.state in _CONNECTIONS and row.device_type not in NO_PERSON
    }
    before = tuple(call.parties)
    for device in [device for device, party in call.parties.items() if party.live and device not in states]:
        del call.parties[device]
    for row in rows:
        state = states.get(row.device)
        if state is None:
            continue
        party = call.parties.get(row.device)
        if party is None:
            party = call.parties[row.device] = Party(row.device, state, now)
        elif party.state is not state:
            party.move(state, now)
        party.connection, party.connection_type = row.connection or row.device, row.connection_type
    if call.kind is CallKind.MONITOR:
        call.monitor = call.monitor or next(iter(states), "")
    else:
        _one_waits(call.parties.values(), now)
    call.open = {row.device for row in rows if row.device_type == DeviceIdType.AGENT_DEVICE and row.device in states}
    return Effect((call, *moved), tuple(dict.fromkeys((*before, *states))))


ALL_HANDLERS: Mapping[str, Handler] = {
    **HANDLERS,
    "CALL_TRANSFERRED_EVENT": _transferred,
    "CALL_CONFERENCED_EVENT": _conferenced,
    "SNAPSHOT_CALL_CONF": _snapshot,
}
"""Everything the model of calls listens to."""

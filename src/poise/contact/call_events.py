"""What each call event of the CTI server says about the connections of its call.

Theory. The CTI server reports a call once for each telephone it watches, so the same thing is said several times, and
BEGIN_CALL and END_CALL open and close these reports, one for each telephone. Most events say one thing about one or two
telephones: `STATEMENTS` is their table. Those that concern the call as a whole have a function each. An event about an
unknown call makes it known, unless the event says that something is over. Nothing here knows who sits at which
telephone.

Sources: cti.md 1.5, 1.6, 1.11, 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from poise.contact.call_book import CallBook
from poise.contact.calls import NO_PERSON, Call
from poise.contact.dialog_states import (
    CAUSES,
    OFFERED_TYPES,
    OTHER_CAUSE,
    PLACED_BY_AGENTS,
    CallKind,
    Happening,
    PartyState,
)
from poise.protocols.cti.call_constants import CallType, ConnectionDeviceIdType, EventCause, LocalConnectionState
from poise.protocols.cti.constants import NULL16, NULL32
from poise.protocols.cti.messages import Message


class Effect(NamedTuple):
    """What an event has touched."""

    calls: tuple[Call, ...] = ()
    devices: tuple[str, ...] = ()
    """Telephones it is about."""


class Statement(NamedTuple):
    """An event says that this happens to the telephone in that floating field."""

    tag: str
    happening: Happening
    type_field: str = ""
    """Fixed field with its device type."""
    connection: bool = False
    """The event's ConnectionDeviceID is this telephone's."""


_H = Happening
STATEMENTS: Mapping[str, tuple[Statement, ...]] = {
    "CALL_SERVICE_INITIATED_EVENT": (Statement("CALLING_DEVID", _H.OFF_HOOK, "CallingDeviceType", True),),
    "CALL_ORIGINATED_EVENT": (Statement("CALLING_DEVID", _H.DIALS, "CallingDeviceType", True),),
    "CALL_DELIVERED_EVENT": (
        Statement("ALERTING_DEVID", _H.OFFERED, "AlertingDeviceType"),
        Statement("CALLING_DEVID", _H.RINGS_THERE, "CallingDeviceType"),
    ),
    "CALL_ESTABLISHED_EVENT": (
        Statement("ANSWERING_DEVID", _H.ANSWERS, "AnsweringDeviceType"),
        Statement("CALLING_DEVID", _H.IS_ANSWERED, "CallingDeviceType"),
    ),
    "CALL_HELD_EVENT": (Statement("HOLDING_DEVID", _H.HOLDS, "HoldingDeviceType", True),),
    "CALL_RETRIEVED_EVENT": (Statement("RETRIEVING_DEVID", _H.RETRIEVES, "RetrievingDeviceType", True),),
}
"""Event -> what it says, in this order."""

_TALKING = (PartyState.ACTIVE, PartyState.HELD)
_OF_CALLERS = (_H.RINGS_THERE, _H.IS_ANSWERED)


def _stated(book: CallBook, message: Message, now: float) -> Effect:
    """An event of the table."""
    call, moved = book.open(message.fields.get("ConnectionCallID", NULL32))
    statements = STATEMENTS[message.name]
    _take(book, call, message)
    _opens(call, message)
    first = message.text(statements[0].tag) or ""
    known = call.parties.get(first)
    if message.name == "CALL_DELIVERED_EVENT" and known is not None and known.state in _TALKING:
        return Effect((call, *moved), (first,))  # a late copy: the telephone that rang has answered meanwhile
    devices: list[str] = []
    for statement in statements:
        device = message.text(statement.tag) or ""
        if statement.tag == "CALLING_DEVID":
            device = device or call.data.ani
        if not device or message.fields.get(statement.type_field) in NO_PERSON:
            continue
        if statement.happening in _OF_CALLERS and device not in call.parties and _has_caller(call, first):
            continue  # it began the call and has left it since
        devices.append(device)
        party = call.happens(device, statement.happening, now)
        if party is not None and statement.connection:
            _learn_connection(call, device, message)
        if statement.happening in (_H.OFFERED, _H.ANSWERS):
            _gone_before(call, device)
        if statement.happening is _H.ANSWERS:
            for other in [party.device for party in call.parties.values() if party.device != device]:
                call.happens(other, _H.IS_ANSWERED, now)
    return Effect((call, *moved), tuple(devices))


def _has_caller(call: Call, called: str) -> bool:
    """Is somebody in the call already who waits for that telephone, or talks?"""
    return any(p.live and p.device != called and p.state is not PartyState.ALERTING for p in call.parties.values())


def _take(book: CallBook, call: Call, message: Message) -> None:
    """What any event of a call may say beside its subject."""
    call.stale = False
    call.data.take(message)
    fields = message.fields
    if "CallType" in fields and not (fields["CallType"] in OFFERED_TYPES and call.call_type != NULL16):
        call.takes_type(fields["CallType"])
    if call.kind is CallKind.MONITOR:
        call.monitor = call.monitor or message.text("CONNECTION_DEVID") or ""
    if "SkillGroupNumber" in fields:
        call.takes_skill_group(fields["SkillGroupNumber"])
    if not call.from_address:
        call.from_address = message.text("CALLING_DEVID") or call.data.ani
    if not call.to_address:
        call.to_address = call.data.dialed_number or message.text("CALLED_DEVID") or ""
    original = book.get(message.number("COC_CONNECTION_CALL_ID"))
    if original is not None and original is not call:
        call.associated_id = original.dialog_id


def _opens(call: Call, message: Message) -> None:
    """The CTI server reports this call for that telephone from now on, if it did not before."""
    connection = message.text("CONNECTION_DEVID")
    if connection:
        call.open.add(connection)


def _learn_connection(call: Call, device: str, message: Message) -> None:
    connection = message.text("CONNECTION_DEVID")
    kind = message.fields.get("ConnectionDeviceIDType", ConnectionDeviceIdType.STATIC)
    if connection and kind == ConnectionDeviceIdType.DYNAMIC:
        party = call.parties[device]
        party.connection, party.connection_type = connection, kind


def _gone_before(call: Call, device: str) -> None:
    """The call goes on at another telephone: whoever hung up before is done with it."""
    for party in call.parties.values():
        if party.device != device and not party.live:
            party.over = True


def _begun(book: CallBook, message: Message, now: float) -> Effect:
    call, moved = book.open(message.fields.get("ConnectionCallID", NULL32))
    _take(book, call, message)
    _opens(call, message)
    device = message.text("CONNECTION_DEVID") or ""
    if not device or call.parties or call.call_type not in PLACED_BY_AGENTS:
        return Effect((call, *moved))
    if call.data.ani and call.data.ani != device and call.call_type != CallType.CONSULT:
        return Effect((call, *moved))  # the telephone that is called
    call.happens(device, _H.OFF_HOOK, now)
    call.from_address = call.from_address or device
    _learn_connection(call, device, message)
    return Effect((call, *moved), (device,))


def _ended(book: CallBook, message: Message, now: float) -> Effect:
    """The report for one telephone is closed; when nobody is left on the call, it is over for everyone."""
    number = message.fields.get("ConnectionCallID", NULL32)
    call = book.get(number)
    if call is None or not book.is_current(call, number):
        return Effect()
    device = message.text("CONNECTION_DEVID") or ""
    call.open.discard(device)
    party = call.parties.get(device)
    if party is not None:
        call.happens(device, _H.CLEARS, now)
        party.over = True
    if not call.live:
        call.open.clear()
        for each in call.parties.values():
            each.over = True
    return Effect((call,), (device,))


def _cleared(book: CallBook, message: Message, now: float) -> Effect:
    call = book.get(message.fields.get("ConnectionCallID"))
    if call is None:
        return Effect()
    for party in call.live:
        call.happens(party.device, _H.CLEARS, now)
    return Effect((call,), tuple(call.parties))


def _connection_cleared(book: CallBook, message: Message, now: float) -> Effect:
    """One telephone is off the call: the one that released it, and the one it is told to if that is now without it."""
    call = book.get(message.fields.get("ConnectionCallID"))
    if call is None:
        return Effect()
    connection = message.text("CONNECTION_DEVID") or ""
    told = next((p.device for p in call.parties.values() if connection in (p.connection, p.device)), connection)
    released = message.text("RELEASING_DEVID") or ""
    gone = [released] if released in call.parties else []
    if not released or message.fields.get("LocalConnectionState") == LocalConnectionState.NULL:
        gone.append(told)
    for device in gone:
        call.drops(device, now)
    return Effect((call,), tuple(gone))


def _dequeued(book: CallBook, message: Message, now: float) -> Effect:
    """A caller gave up in a queue, where no connection tells of it."""
    call = book.get(message.fields.get("ConnectionCallID"))
    if call is None or call.open or message.fields.get("EventCause") != EventCause.CALL_CANCELLED:
        return Effect()
    for party in call.live:
        call.happens(party.device, _H.CLEARS, now)
    return Effect((call,))


def _failed(book: CallBook, message: Message, now: float) -> Effect:
    call, moved = book.open(message.fields.get("ConnectionCallID", NULL32))
    _take(book, call, message)
    _opens(call, message)
    cause = CAUSES.get(message.fields.get("EventCause", NULL16), OTHER_CAUSE)
    for party in list(call.parties.values()):
        call.happens(party.device, _H.FAILS, now, cause if party.state is not PartyState.ALERTING else "")
    return Effect((call, *moved), tuple(call.parties))


def _diverted(book: CallBook, message: Message, now: float) -> Effect:
    """The call leaves a telephone that did not take it."""
    call = book.get(message.fields.get("ConnectionCallID"))
    if call is None:
        return Effect()
    device = message.text("DIVERTING_DEVID") or ""
    call.parties.pop(device, None)
    return Effect((call,), (device,))


def _data_updated(book: CallBook, message: Message, now: float) -> Effect:
    """New data; or a telephone's part goes on under another number, perhaps that of a call which it joins soon."""
    number = message.fields.get("ConnectionCallID", NULL32)
    call = book.get(number)
    if call is None:
        return Effect()
    new = message.fields.get("NewConnectionCallID", NULL32)
    joined = book.get(new) if new not in (NULL32, 0) else None
    if joined is not None and joined is not call:
        joined.data.take(message)
        joined.takes_type(message.fields.get("CallType", NULL16))
        return Effect((joined,), (message.text("CONNECTION_DEVID") or "",))
    _take(book, call, message)
    if new not in (NULL32, 0):
        book.renumber(call, new)
    return Effect((call,), (message.text("CONNECTION_DEVID") or "",))


def _told(book: CallBook, message: Message, now: float) -> Effect:
    """Events that only carry data of a call."""
    call = book.get(message.fields.get("ConnectionCallID"))
    if call is None:
        return Effect()
    _take(book, call, message)
    return Effect((call,))


Handler = Callable[[CallBook, Message, float], Effect]

HANDLERS: Mapping[str, Handler] = {
    **dict.fromkeys(STATEMENTS, _stated),
    "BEGIN_CALL_EVENT": _begun,
    "END_CALL_EVENT": _ended,
    "CALL_CLEARED_EVENT": _cleared,
    "CALL_CONNECTION_CLEARED_EVENT": _connection_cleared,
    "CALL_FAILED_EVENT": _failed,
    "CALL_DIVERTED_EVENT": _diverted,
    "CALL_DATA_UPDATE_EVENT": _data_updated,
    "CALL_REACHED_NETWORK_EVENT": _told,
    "CALL_DEQUEUED_EVENT": _dequeued,
}
"""Event -> what it does to the calls."""

"""One call as the model keeps it: its connections and data, changed only by `call_events` and `call_merging`."""

from __future__ import annotations

from poise.contact.call_data import RESPONSE, STATUS, CallData
from poise.contact.dialog_states import KINDS, LIVE, MOVES, CallKind, Happening, PartyState
from poise.protocols.cti.call_constants import ConnectionDeviceIdType, DeviceIdType
from poise.protocols.cti.constants import NULL16, NULL32

NO_PERSON = frozenset(
    (
        DeviceIdType.ROUTE_POINT,
        DeviceIdType.QUEUE,
        DeviceIdType.TRUNK_IDENTIFIER,
        DeviceIdType.TRUNK_GROUP_IDENTIFIER,
    )
)
"""Device types that are never shown as participants."""

_TALKING = (PartyState.ACTIVE, PartyState.HELD)

ACCEPTED = "ACCEPT"
"""BAResponse of an accepted preview, in any case."""


class Party:
    """One connection of a call."""

    __slots__ = (
        "cause",
        "changed_at",
        "connection",
        "connection_type",
        "device",
        "done",
        "over",
        "started_at",
        "state",
        "talked",
    )

    def __init__(self, device: str, state: PartyState, now: float) -> None:
        self.device = device
        self.state = state
        self.cause = ""
        self.started_at = now
        self.changed_at = now
        self.connection = device
        """ConnectionDeviceID, as requests must name the connection."""
        self.connection_type = int(ConnectionDeviceIdType.STATIC)
        self.talked = state in _TALKING
        """Was ever connected."""
        self.over = False
        """Hung up, and nothing more is to come of it but the agent's wrap-up."""
        self.done = False
        """That is over as well: the agent there does not see the call any more."""

    @property
    def live(self) -> bool:
        """Does the connection stand?"""
        return self.state in LIVE

    def move(self, state: PartyState, now: float, cause: str = "") -> None:
        """Another state."""
        if state is not self.state or cause != self.cause:
            self.state, self.cause, self.changed_at = state, cause, now
        self.talked = self.talked or state in _TALKING
        if self.live:
            self.over = self.done = False


class Call:
    """One call."""

    __slots__ = (
        "associated_id",
        "call_type",
        "callback_number",
        "callback_time",
        "controller",
        "cti_id",
        "data",
        "dialog_id",
        "from_address",
        "monitor",
        "open",
        "parties",
        "secondary_id",
        "skill_group",
        "stale",
        "to_address",
    )

    def __init__(self, cti_id: int, dialog_id: str) -> None:
        self.cti_id = cti_id
        """ConnectionCallID at present."""
        self.dialog_id = dialog_id
        """What desktops call it; stays when the CTI server's number changes."""
        self.call_type = NULL16
        self.from_address = ""
        self.to_address = ""
        self.parties: dict[str, Party] = {}
        self.data = CallData()
        self.skill_group: int | None = None
        self.associated_id = ""
        self.secondary_id = ""
        self.callback_time = ""
        self.callback_number = ""
        self.controller = ""
        """Conference: the telephone that made it."""
        self.monitor = ""
        """Silent monitoring: the supervisor's telephone."""
        self.open: set[str] = set()
        """Telephones whose part in it the CTI server has begun to report and not ended."""
        self.stale = False
        """Known from before a reconnect, not confirmed since."""

    @property
    def kind(self) -> CallKind:
        """Which rules hold."""
        kind = KINDS.get(self.call_type, CallKind.ORDINARY)
        if kind is CallKind.SEAT and "PREVIEW_OUTBOUND_RESERVATION" in self.data.variable(STATUS).upper():
            return CallKind.RESERVATION
        return kind

    @property
    def accepted(self) -> bool:
        """A preview that the agent has accepted."""
        return self.data.variable(RESPONSE).upper() == ACCEPTED

    @property
    def live(self) -> list[Party]:
        """Connections that stand."""
        return [party for party in self.parties.values() if party.live]

    def happens(self, device: str, what: Happening, now: float, cause: str = "") -> Party | None:
        """Something happens to the connection of a telephone; what the table does not know changes nothing."""
        party = self.parties.get(device)
        state = MOVES.get((party.state if party is not None else None, what))
        if state is None:
            return party
        if party is None:
            party = self.parties[device] = Party(device, state, now)
            party.cause = cause
        else:
            party.move(state, now, cause)
        return party

    def drops(self, device: str, now: float) -> None:
        """A telephone hangs up. It is done with the call where two others go on, and where it never took the call."""
        party = self.parties.get(device)
        if party is not None and party.live:
            rang = party.state is PartyState.ALERTING
            self.happens(device, Happening.CLEARS, now)
            party.over = rang or len(self.live) >= 2

    def takes_type(self, number: int) -> None:
        """A message names the CallType; null says nothing."""
        if number != NULL16:
            self.call_type = number

    def takes_skill_group(self, number: int) -> None:
        """A message names the skill group; null says nothing."""
        if number not in (NULL32, 0):
            self.skill_group = number

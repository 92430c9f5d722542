"""States of dialogs and their participants, how they follow each other, and what each allows.

Theory. A call is a set of connections; a connection is one telephone's part in it. The CTI server tells what happens to
a connection ("1001 holds"), often more than once and from the view of each telephone, so `MOVES` says for every state
and every happening what follows; a pair that is absent changes nothing, which makes late and repeated reports
harmless. Everything a desktop sees is derived from the connections: the dialog's state (`DIALOG_STATES`), the actions
of each participant (`ALLOWED` and its companions), and the two states that no call event carries: WRAP_UP, a dropped
connection whose agent is in wrap-up, and ACCEPTED, a preview reservation that was accepted.

Sources: Finesse developer guide, Dialog APIs (finesse-api.md 3.1-3.4), GED-188 (cti.md 1.10, 1.11, 3.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from poise.contact.states import Deployment
from poise.protocols.cti.call_constants import CallType, EventCause


class PartyState(Enum):
    """The state of a participant, as Finesse names it."""

    INITIATING = "INITIATING"
    """Off the hook."""
    INITIATED = "INITIATED"
    """Has dialled."""
    ALERTING = "ALERTING"
    ACTIVE = "ACTIVE"
    HELD = "HELD"
    FAILED = "FAILED"
    WRAP_UP = "WRAP_UP"
    DROPPED = "DROPPED"
    ACCEPTED = "ACCEPTED"
    """Has accepted the preview of an outbound call."""


class DialogState(Enum):
    """The state of a dialog, as Finesse names it."""

    INITIATING = "INITIATING"
    INITIATED = "INITIATED"
    ALERTING = "ALERTING"
    ACTIVE = "ACTIVE"
    FAILED = "FAILED"
    DROPPED = "DROPPED"
    ACCEPTED = "ACCEPTED"


class Happening(Enum):
    """What can happen to one connection."""

    OFF_HOOK = "lifts the receiver"
    DIALS = "has dialled"
    RINGS_THERE = "the telephone called rings"
    OFFERED = "rings"
    ANSWERS = "answers"
    IS_ANSWERED = "the other side has answered"
    HOLDS = "holds"
    RETRIEVES = "retrieves"
    FAILS = "the attempt fails"
    CLEARS = "hangs up"
    JOINS = "is joined into a conference, or to another call"


_P, _H = PartyState, Happening
_ALIVE_BEFORE_TALK = (_P.INITIATING, _P.INITIATED, _P.ALERTING)

MOVES: Mapping[tuple[PartyState | None, Happening], PartyState] = {
    (None, _H.OFF_HOOK): _P.INITIATING,
    (None, _H.DIALS): _P.INITIATED,
    (None, _H.RINGS_THERE): _P.INITIATED,
    (None, _H.OFFERED): _P.ALERTING,
    (None, _H.ANSWERS): _P.ACTIVE,
    (None, _H.IS_ANSWERED): _P.ACTIVE,
    (None, _H.HOLDS): _P.HELD,
    (None, _H.RETRIEVES): _P.ACTIVE,
    (None, _H.JOINS): _P.ACTIVE,
    (_P.INITIATING, _H.DIALS): _P.INITIATED,
    (_P.INITIATING, _H.RINGS_THERE): _P.INITIATED,
    (_P.INITIATING, _H.FAILS): _P.FAILED,
    (_P.INITIATED, _H.FAILS): _P.FAILED,
    (_P.ALERTING, _H.FAILS): _P.DROPPED,
    **{(state, _H.ANSWERS): _P.ACTIVE for state in _ALIVE_BEFORE_TALK},
    **{(state, _H.IS_ANSWERED): _P.ACTIVE for state in (_P.INITIATING, _P.INITIATED)},
    **{(state, _H.HOLDS): _P.HELD for state in (*_ALIVE_BEFORE_TALK, _P.ACTIVE)},
    **{(state, _H.JOINS): _P.ACTIVE for state in (_P.INITIATING, _P.INITIATED, _P.HELD)},
    (_P.HELD, _H.RETRIEVES): _P.ACTIVE,
    (_P.ACTIVE, _H.RINGS_THERE): _P.INITIATED,  # a caller whom an IVR had answered is passed on to an agent
    **{(state, _H.CLEARS): _P.DROPPED for state in (*_ALIVE_BEFORE_TALK, _P.ACTIVE, _P.HELD, _P.FAILED)},
    (_P.DROPPED, _H.OFFERED): _P.ALERTING,  # the call comes back to the same telephone
    (_P.DROPPED, _H.ANSWERS): _P.ACTIVE,
    (_P.FAILED, _H.OFF_HOOK): _P.INITIATING,
    (_P.FAILED, _H.DIALS): _P.INITIATED,
}
"""State of a connection (None: not in the call) and what happens -> state that follows; absent: nothing changes."""

LIVE = frozenset((_P.INITIATING, _P.INITIATED, _P.ALERTING, _P.ACTIVE, _P.HELD, _P.FAILED, _P.ACCEPTED))
"""States of a connection that stands."""

_D = DialogState
DIALOG_STATES: tuple[tuple[frozenset[PartyState], DialogState], ...] = (
    (frozenset((_P.ACTIVE, _P.HELD)), _D.ACTIVE),
    (frozenset((_P.ACCEPTED,)), _D.ACCEPTED),
    (frozenset((_P.ALERTING,)), _D.ALERTING),
    (frozenset((_P.INITIATED,)), _D.INITIATED),
    (frozenset((_P.INITIATING,)), _D.INITIATING),
    (frozenset((_P.FAILED,)), _D.FAILED),
)
"""The first row of which a participant has a state gives the dialog's; none: DROPPED."""


def dialog_state(parties: Iterable[PartyState]) -> DialogState:
    """The state of a dialog whose participants have these states."""
    present = frozenset(parties)
    return next((state for states, state in DIALOG_STATES if states & present), _D.DROPPED)


class Action(Enum):
    """What can be asked of a dialog (requestedAction)."""

    MAKE_CALL = "MAKE_CALL"
    ANSWER = "ANSWER"
    HOLD = "HOLD"
    RETRIEVE = "RETRIEVE"
    DROP = "DROP"
    CONSULT_CALL = "CONSULT_CALL"
    TRANSFER = "TRANSFER"
    CONFERENCE = "CONFERENCE"
    TRANSFER_SST = "TRANSFER_SST"
    UPDATE_CALL_DATA = "UPDATE_CALL_DATA"
    SEND_DTMF = "SEND_DTMF"
    SILENT_MONITOR = "SILENT_MONITOR"
    BARGE_CALL = "BARGE_CALL"
    INTERCEPT = "INTERCEPT"
    """No public Finesse request: the supervisor who has barged in takes the call over."""
    PARTICIPANT_DROP = "PARTICIPANT_DROP"
    START_RECORDING = "START_RECORDING"
    ACCEPT = "ACCEPT"
    CLOSE = "CLOSE"
    REJECT = "REJECT"
    RECLASSIFY = "RECLASSIFY"
    UPDATE_SCHEDULED_CALLBACK = "UPDATE_SCHEDULED_CALLBACK"
    CANCEL_SCHEDULED_CALLBACK = "CANCEL_SCHEDULED_CALLBACK"


class CallKind(Enum):
    """Calls with rules of their own."""

    ORDINARY = "ordinary"
    RESERVATION = "preview of an outbound call"
    SEAT = "keeps an agent free for the next call of a campaign; nobody sees it"
    CUSTOMER = "outbound call of a campaign"
    MONITOR = "silent monitoring"


_A = Action
ALLOWED: Mapping[CallKind, Mapping[PartyState, tuple[Action, ...]]] = {
    CallKind.ORDINARY: {
        _P.INITIATING: (_A.UPDATE_CALL_DATA, _A.DROP),
        _P.INITIATED: (_A.UPDATE_CALL_DATA, _A.SEND_DTMF, _A.DROP),
        _P.ALERTING: (_A.ANSWER,),
        _P.ACTIVE: (_A.UPDATE_CALL_DATA, _A.HOLD, _A.CONSULT_CALL, _A.TRANSFER_SST, _A.SEND_DTMF, _A.DROP),
        _P.HELD: (_A.UPDATE_CALL_DATA, _A.RETRIEVE, _A.DROP),
        _P.FAILED: (_A.DROP,),
        _P.WRAP_UP: (_A.UPDATE_CALL_DATA,),
    },
    CallKind.RESERVATION: {_P.ALERTING: (_A.ACCEPT, _A.CLOSE, _A.REJECT)},
    CallKind.MONITOR: {
        _P.INITIATING: (_A.DROP,),
        _P.INITIATED: (_A.DROP,),
        _P.ALERTING: (_A.DROP,),
        _P.ACTIVE: (_A.DROP, _A.BARGE_CALL),
    },
}
"""Kind of call -> state of an agent's connection -> actions of that agent; MONITOR: of the supervisor alone."""

CUSTOMER_ACTIONS = (_A.RECLASSIFY, _A.UPDATE_SCHEDULED_CALLBACK, _A.CANCEL_SCHEDULED_CALLBACK)
"""What an agent may do on a campaign's call in addition, while ACTIVE."""

WITH_ANOTHER_CALL: Mapping[tuple[PartyState, PartyState], tuple[Action, ...]] = {
    (_P.ACTIVE, _P.HELD): (_A.TRANSFER, _A.CONFERENCE),
    (_P.HELD, _P.ACTIVE): (_A.TRANSFER, _A.CONFERENCE),
}
"""State of an agent's connection, and of the same agent's connection in another call -> actions in addition."""

RECORDING: Mapping[Deployment, tuple[Action, ...]] = {Deployment.UCCE: (), Deployment.UCCX: (_A.START_RECORDING,)}
"""What an agent may do on an ACTIVE call in addition, by deployment."""


CALL_TYPES: Mapping[int, str] = {
    **{int(number): number.name for number in CallType},
    CallType.TRANSFER_IN: "TRANSFER",
    CallType.PREVIEW: "OUTBOUND_PREVIEW",
    CallType.RESERVATION: "OUTBOUND",
    CallType.ASSIST: "ASSIST_CALL",
    CallType.SUPERVISOR_BARGEIN: "BARGE_IN_CONSULT",
    CallType.SUPERVISOR_INTERCEPT: "SUPERVISOR_INTERRUPT",
    CallType.RESERVATION_PREVIEW: "OUTBOUND_PREVIEW",
    CallType.RESERVATION_PREVIEW_DIRECT: "OUTBOUND_DIRECT_PREVIEW",
    CallType.RESERVATION_PREDICTIVE: "OUTBOUND",
    CallType.RESERVATION_CALLBACK: "OUTBOUND_CALLBACK_PREVIEW",
    CallType.RESERVATION_PERSONAL_CALLBACK: "OUTBOUND_PERSONAL_CALLBACK_PREVIEW",
    CallType.CUSTOMER_PREVIEW: "OUTBOUND_PREVIEW",
    CallType.CUSTOMER_PREVIEW_DIRECT: "OUTBOUND_DIRECT_PREVIEW",
    CallType.CUSTOMER_PREDICTIVE: "OUTBOUND",
    CallType.CUSTOMER_CALLBACK: "OUTBOUND_CALLBACK",
    CallType.CUSTOMER_PERSONAL: "OUTBOUND_PERSONAL_CALLBACK",
    CallType.CUSTOMER_IVR: "OUTBOUND",
}
"""CallType -> Finesse's callType; a number that is not here has none."""

KINDS: Mapping[int, CallKind] = {
    CallType.RESERVATION_PREVIEW: CallKind.RESERVATION,
    CallType.RESERVATION_PREVIEW_DIRECT: CallKind.RESERVATION,
    CallType.RESERVATION_PREDICTIVE: CallKind.SEAT,
    CallType.RESERVATION: CallKind.SEAT,
    CallType.RESERVATION_CALLBACK: CallKind.RESERVATION,
    CallType.RESERVATION_PERSONAL_CALLBACK: CallKind.RESERVATION,
    **{int(number): CallKind.CUSTOMER for number in CallType if number.name.startswith("CUSTOMER_")},
    CallType.SUPERVISOR_MONITOR: CallKind.MONITOR,
    CallType.SUPERVISOR_WHISPER: CallKind.MONITOR,
}
"""CallType -> kind; absent: ORDINARY."""

PLACED_BY_AGENTS = frozenset(
    (
        CallType.AGENT_OUT,
        CallType.OUT,
        CallType.AGENT_INSIDE,
        CallType.CONSULT,
        CallType.ASSIST,
        CallType.EMERGENCY,
    )
)
"""Call types in which the telephone named at the beginning is the one that calls."""

OFFERED_TYPES = frozenset((CallType.OFFERED, CallType.CONSULT_OFFERED))
"""What the telephone that is called is told of a call that has a type already."""

WRAPPED_UP = frozenset((CallKind.ORDINARY, CallKind.CUSTOMER))
"""Kinds of call after which an agent may be in wrap-up, and of which two make a transfer or a conference."""

CAUSES: Mapping[int, str] = {
    EventCause.BUSY: "BUSY",
    EventCause.TRUNKS_BUSY: "BUSY",
    EventCause.DEST_NOT_OBTAINABLE: "BAD_DESTINATION",
    EventCause.INCOMPATIBLE_DESTINATION: "BAD_DESTINATION",
    EventCause.NETWORK_NOT_OBTAINABLE: "BAD_DESTINATION",
    EventCause.RESOURCES_NOT_AVAILABLE: "DEVICE_RESOURCE_NOT_AVAILABLE",
}
"""EventCause of a failed attempt -> stateCause; absent: OTHER."""

OTHER_CAUSE = "OTHER"

"""Wishes of people about calls, and the CTI messages that put them. One request, one message.

`BUILDERS` says for each action which message that is. Whether a wish is refused, and with what, is `dialog_rules`.
InvokeID and PeripheralID are the link's to fill in. Sources: cti.md 1.5, 1.6, 3.3; finesse-api.md 3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from poise.contact.call_data import RESPONSE, DataChange, counts, floats
from poise.contact.calls import Call, Party
from poise.contact.dialog_states import Action, PartyState
from poise.contact.dialogs import CallVariable
from poise.protocols.cti.call_constants import CallMannerType, ConsultType, SupervisoryAction
from poise.protocols.cti.constants import NULL16, NULL32
from poise.protocols.cti.messages import FloatValue, Message


@dataclass(frozen=True, slots=True)
class DialogWish:
    """What somebody wants of a call."""

    action: Action
    agent_id: str
    """Who asks; the own leg is acted on."""
    dialog_id: str = ""
    """The dialog; empty for requests that make one."""
    to_address: str = ""
    """Number to call; monitoring: the agent's telephone; PARTICIPANT_DROP: the telephone to be dropped."""
    from_address: str = ""
    """The telephone the client believes to be the own one; empty: not said."""
    data: DataChange = field(default_factory=DataChange)
    digits: str = ""
    """SEND_DTMF."""
    classification: str = ""
    """RECLASSIFY."""
    callback_time: str = ""
    callback_number: str = ""


class DialogRefusalCode(Enum):
    """Why a wish is refused at once."""

    NOT_SIGNED_IN = "not-signed-in"
    FOREIGN_ADDRESS = "foreign-address"
    """The client names a telephone that is not the agent's."""
    SAME_ADDRESS = "same-address"
    BAD_DESTINATION = "bad-destination"
    NO_DIALOG = "no-dialog"
    NOT_A_PARTICIPANT = "not-a-participant"
    HELD = "held"
    """Digits cannot be sent while the call is on hold."""
    BAD_DIGITS = "bad-digits"
    NO_CALL_DATA = "no-call-data"
    """UCCX takes no call data with MAKE_CALL."""
    NOT_HERE = "not-here"
    """The deployment does not know the action."""
    ON_A_CALL = "on-a-call"
    """Who listens in must not be on a call."""
    NOT_MONITORING = "not-monitoring"
    TARGET_HELD = "target-held"
    TARGET_CONSULTS = "target-consults"
    MAY_NOT_DROP = "may-not-drop"


@dataclass(frozen=True, slots=True)
class DialogRefusal:
    """A wish that is not passed on."""

    code: DialogRefusalCode
    data: str
    """What it is about: a parameter, an address, a dialog."""


@dataclass(frozen=True, slots=True, eq=False)
class DialogRequest:
    """What to send to the CTI server. Each is one of its kind: give it to the link as the request's context, call
    `DialogModel.sent` when it is handed over, and `DialogModel.ended` with the link's RequestEnded."""

    message: Message
    wish: DialogWish
    request_id: str
    """requestId of the REST call, or empty."""
    device: str
    """The telephone acted on."""
    unfitting: bool = False
    """The participant's state does not allow it; the CTI server decides."""


class Leg(NamedTuple):
    """What a message is built from."""

    wish: DialogWish
    device: str
    call: Call | None = None
    party: Party | None = None
    other: Call | None = None
    """Transfer and conference: the other call; supervising: the monitored agent's call."""
    other_party: Party | None = None
    belligerent: bool = False
    """MAKE_CALL by an agent who is READY: NOT_READY first."""


_PLACE = {
    "CallPlacementType": 0,
    "CallMannerType": 0,
    "AlertRings": 0,
    "CallOption": 0,
    "FacilityType": 0,
    "AnsweringMachine": 0,
    "Priority": 0,
    "PostRoute": 0,
}
Floats = list[tuple[str, FloatValue]]


def _of(leg: Leg) -> tuple[Call, Party]:
    assert leg.call is not None
    assert leg.party is not None
    return leg.call, leg.party


def _make_call(leg: Leg) -> Message:
    data = floats(leg.wish.data)
    manner = CallMannerType.BELLIGERENT if leg.belligerent else CallMannerType.UNSPECIFIED
    fields = {**_PLACE, **counts(data), "CallMannerType": int(manner), "SkillGroupNumber": NULL32}
    head: Floats = [("AGENT_INSTRUMENT", leg.device), ("DIALED_NUMBER", leg.wish.to_address)]
    return Message("MAKE_CALL_REQ", fields, (*head, *data))


def _on_connection(name: str, **more: int) -> Callable[[Leg], Message]:
    def build(leg: Leg) -> Message:
        call, party = _of(leg)
        fields = {"ConnectionCallID": call.cti_id, "ConnectionDeviceIDType": party.connection_type, **more}
        return Message(name, fields, (("CONNECTION_DEVID", party.connection), ("AGENT_INSTRUMENT", leg.device)))

    return build


def _retrieve(leg: Leg) -> Message:
    call, party = _of(leg)
    fields = {"HeldConnectionCallID": call.cti_id, "HeldConnectionDeviceIDType": party.connection_type}
    return Message(
        "RETRIEVE_CALL_REQ", fields, (("HELD_CONN_DEVID", party.connection), ("AGENT_INSTRUMENT", leg.device))
    )


def _consult(leg: Leg) -> Message:
    call, party = _of(leg)
    data = floats(leg.wish.data)
    fields = {
        "ActiveConnectionCallID": call.cti_id,
        "ActiveConnectionDeviceIDType": party.connection_type,
        "ConsultType": int(ConsultType.TRANSFER),
        **counts(data),
    }
    head: Floats = [
        ("ACTIVE_CONN_DEVID", party.connection),
        ("DIALED_NUMBER", leg.wish.to_address),
        ("AGENT_INSTRUMENT", leg.device),
    ]
    return Message("CONSULTATION_CALL_REQ", fields, (*head, *data))


def _two_calls(name: str) -> Callable[[Leg], Message]:
    """TRANSFER_CALL_REQ and CONFERENCE_CALL_REQ between a held and an active call of one telephone."""

    def build(leg: Leg) -> Message:
        call, party = _of(leg)
        assert leg.other is not None
        assert leg.other_party is not None
        held, active = (call, party), (leg.other, leg.other_party)
        if party.state is not PartyState.HELD:
            held, active = active, held
        fields = {
            "ActiveConnectionCallID": active[0].cti_id,
            "HeldConnectionCallID": held[0].cti_id,
            "ActiveConnectionDeviceIDType": active[1].connection_type,
            "HeldConnectionDeviceIDType": held[1].connection_type,
            **_PLACE,
        }
        tail: Floats = [
            ("ACTIVE_CONN_DEVID", active[1].connection),
            ("HELD_CONN_DEVID", held[1].connection),
            ("AGENT_INSTRUMENT", leg.device),
        ]
        return Message(name, fields, tuple(tail))

    return build


def _single_step(leg: Leg) -> Message:
    call, party = _of(leg)
    fields = {
        "ActiveConnectionCallID": call.cti_id,
        "HeldConnectionCallID": NULL32,
        "ActiveConnectionDeviceIDType": party.connection_type,
        "HeldConnectionDeviceIDType": NULL16,
        **_PLACE,
    }
    tail: Floats = [
        ("ACTIVE_CONN_DEVID", party.connection),
        ("DIALED_NUMBER", leg.wish.to_address),
        ("AGENT_INSTRUMENT", leg.device),
    ]
    return Message("TRANSFER_CALL_REQ", fields, tuple(tail))


def _send_dtmf(leg: Leg) -> Message:
    call, party = _of(leg)
    fields = {
        "ConnectionCallID": call.cti_id,
        "ConnectionDeviceIDType": party.connection_type,
        "ToneDuration": 0,
        "PauseDuration": 0,
    }
    tail: Floats = [
        ("CONNECTION_DEVID", party.connection),
        ("DTMF_STRING", leg.wish.digits),
        ("AGENT_INSTRUMENT", leg.device),
    ]
    return Message("SEND_DTMF_SIGNAL_REQ", fields, tuple(tail))


def _participant_drop(leg: Leg) -> Message:
    call, party = _of(leg)
    target = call.parties[leg.wish.to_address]
    fields = {"ConnectionCallID": call.cti_id, "ConnectionDeviceIDType": target.connection_type}
    tail: Floats = [
        ("CONNECTION_DEVID", target.connection),
        ("AGENT_INSTRUMENT", leg.device),
        ("REQUESTING_DEVICE_ID", party.connection),
        ("REQUESTING_DEVICE_ID_TYPE", party.connection_type),
    ]
    return Message("CLEAR_CONNECTION_REQ", fields, tuple(tail))


def _set_call_data(call: Call, party: Party, data: DataChange) -> Message:
    tail = floats(data)
    fields = {
        "ConnectionDeviceIDType": party.connection_type,
        "ConnectionCallID": call.cti_id,
        **counts(tail),
        "CallType": NULL16,
        "CalledPartyDisposition": 0,
        "CampaignID": NULL32,
        "QueryRuleID": NULL32,
    }
    return Message("SET_CALL_DATA_REQ", fields, (("CONNECTION_DEVID", party.connection), *tail))


def _update_data(leg: Leg) -> Message:
    return _set_call_data(*_of(leg), leg.wish.data)


CLASSIFICATIONS: Mapping[str, str] = {
    "VOICE": "Voice",
    "FAX": "Fax",
    "ANS_MACHINE": "Ans Machine",
    "INVALID": "Invalid",
    "BUSY": "Busy",
    "DO_NOT_CALL": "DNC",
}
"""outboundClassification -> what the dialler is answered."""


def _response(answer: Callable[[DialogWish], str]) -> Callable[[Leg], Message]:
    """The dialler is answered by an ECC variable."""

    def build(leg: Leg) -> Message:
        return _set_call_data(*_of(leg), DataChange((CallVariable(RESPONSE, answer(leg.wish)),)))

    return build


def _callback(wish: DialogWish) -> str:
    """`Callback MMDDYYYY hh:mm` and, for another number, `P#number`; the words the dialler understands."""
    words: list[str] = []
    if wish.callback_time:
        date, _, clock = wish.callback_time.partition("T")
        year, month, day = date.split("-")
        words.append(f"Callback {month}{day}{year} {clock}")
    if wish.callback_number:
        words.append(f"P#{wish.callback_number}")
    return " ".join(words)


def _supervise(action: SupervisoryAction) -> Callable[[Leg], Message]:
    def build(leg: Leg) -> Message:
        assert leg.other is not None
        assert leg.other_party is not None
        own_id = leg.call.cti_id if leg.call is not None else NULL32
        own_type = leg.party.connection_type if leg.party is not None else NULL16
        fields = {
            "AgentConnectionCallID": leg.other.cti_id,
            "SupervisorConnectionCallID": own_id,
            "AgentConnectionDeviceIDType": leg.other_party.connection_type,
            "SupervisorConnectionDeviceIDType": own_type,
            "SupervisoryAction": int(action),
        }
        tail: Floats = [
            ("AGENT_CONNECTION_DEVID", leg.other_party.connection),
            ("AGENT_INSTRUMENT", leg.other_party.device),
            ("SUPERVISOR_INSTRUMENT", leg.device),
        ]
        if leg.party is not None:
            tail.append(("SUPERVISOR_CONNECTION_DEVID", leg.party.connection))
        return Message("SUPERVISE_CALL_REQ", fields, tuple(tail))

    return build


BUILDERS: Mapping[Action, Callable[[Leg], Message]] = {
    Action.MAKE_CALL: _make_call,
    Action.ANSWER: _on_connection("ANSWER_CALL_REQ"),
    Action.HOLD: _on_connection("HOLD_CALL_REQ", Reservation=0),
    Action.RETRIEVE: _retrieve,
    Action.DROP: _on_connection("CLEAR_CONNECTION_REQ"),
    Action.CONSULT_CALL: _consult,
    Action.TRANSFER: _two_calls("TRANSFER_CALL_REQ"),
    Action.CONFERENCE: _two_calls("CONFERENCE_CALL_REQ"),
    Action.TRANSFER_SST: _single_step,
    Action.UPDATE_CALL_DATA: _update_data,
    Action.SEND_DTMF: _send_dtmf,
    Action.SILENT_MONITOR: _supervise(SupervisoryAction.MONITOR),
    Action.BARGE_CALL: _supervise(SupervisoryAction.BARGE_IN),
    Action.INTERCEPT: _supervise(SupervisoryAction.INTERCEPT),
    Action.PARTICIPANT_DROP: _participant_drop,
    Action.START_RECORDING: _on_connection("START_RECORDING_REQ"),
    Action.ACCEPT: _response(lambda _: "Accept"),
    Action.CLOSE: _response(lambda _: "Reject-Close"),
    Action.REJECT: _response(lambda _: "Reject"),
    Action.RECLASSIFY: _response(lambda wish: CLASSIFICATIONS[wish.classification]),
    Action.UPDATE_SCHEDULED_CALLBACK: _response(_callback),
    Action.CANCEL_SCHEDULED_CALLBACK: _response(lambda _: "Callback Cancel"),
}
"""Action -> its message."""

"""GED-188 requests about calls: read, carried out by the centre, answered. No I/O, no clock.

Every request gets exactly one answer: its CONF, a FAILURE_CONF (`Status`) when it cannot be understood, or a
CONTROL_FAILURE_CONF (`Refuse`) when the telephone system will not have it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from poise.lab.acd.centre import Centre
from poise.lab.acd.codes import Device, Failure, Lcs, LineType, PeripheralFailure
from poise.lab.acd.events import counted
from poise.lab.acd.events import parties as party_list
from poise.lab.acd.model import (
    ECC_NAME_MAX,
    ECC_TOTAL_MAX,
    ECC_VALUE_MAX,
    VALUE_MAX,
    VARIABLES,
    Call,
    CallData,
    Floats,
    Leg,
)
from poise.lab.acd.phones import CALLS_MAX, NO_SUCH_CALL, NOT_IN_CALL
from poise.lab.rules import UNKNOWN_AGENT, Refuse
from poise.protocols.cti.constants import NULL32, Status
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable

TOO_LONG = 74
TOO_MUCH = 73
"""E_CTI statuses of call data that do not fit."""
NO_TELEPHONY = Refuse(Failure.OUT_OF_SERVICE, PeripheralFailure.DEVICE_OUT_OF_SERVICE)

Answer = Message | Refuse | int
"""A confirmation without its InvokeID, a refusal, or an E_CTI status."""
_Handler = Callable[[Message, float], Answer]


def _conf(request: Message, fields: dict[str, int] | None = None, floats: Floats = ()) -> Message:
    return Message(request.name.removesuffix("_REQ") + "_CONF", fields or {}, floats)


def _text(message: Message, *tags: str) -> str:
    for tag in tags:
        text = message.text(tag)
        if text:
            return text
    return ""


def instrument(message: Message, *tags: str) -> str:
    """The telephone a request is about: from its connection, else its instrument."""
    return _text(message, *tags, "AGENT_INSTRUMENT", "AGENT_EXTENSION").partition(";")[0]


def new_data(message: Message, data: CallData) -> CallData | int:
    """The call data with what the request sets, or the E_CTI status of what does not fit."""
    variables = list(data.variables)
    for at in range(VARIABLES):
        text = message.text(f"CALL_VAR_{at + 1}")
        if text is not None:
            variables[at] = text
    ecc, arrays = dict(data.ecc), {(name, at): value for name, at, value in data.arrays}
    for value in message.all("NAMED_VARIABLE"):
        if isinstance(value, NamedVariable):
            ecc[value.name] = value.value
    for element in message.all("NAMED_ARRAY"):
        if isinstance(element, NamedArrayElement):
            arrays[element.name, element.position] = element.value
    names = [*ecc, *(name for name, _ in arrays)]
    wrap_up = message.text("CALL_WRAPUP_DATA")
    uui = next((value for value in message.all("UUI") if isinstance(value, bytes)), data.uui)
    changed = replace(
        data,
        ani=_text(message, "ANI") or data.ani,
        ced=_text(message, "CED") or data.ced,
        uui=uui[:131],
        variables=tuple(variables),
        wrap_up=data.wrap_up if wrap_up is None else wrap_up,
        ecc=tuple(ecc.items()),
        arrays=tuple((name, at, value) for (name, at), value in arrays.items()),
        campaign=message.fields.get("CampaignID") or data.campaign,
        query_rule=message.fields.get("QueryRuleID") or data.query_rule,
    )
    if any(len(text.encode()) > VALUE_MAX for text in changed.variables):
        return TOO_LONG
    if any(len(text.encode()) >= VALUE_MAX for text in (changed.ani, changed.ced, changed.wrap_up)):
        return TOO_LONG
    if any(len(name.encode()) > ECC_NAME_MAX or not name for name in names):
        return TOO_LONG
    if any(len(value.encode()) > ECC_VALUE_MAX for value in (*ecc.values(), *arrays.values())):
        return TOO_LONG
    return TOO_MUCH if changed.ecc_bytes > ECC_TOTAL_MAX else changed


class CallRequests:
    """Answers requests about calls. `handlers` maps a request's name to its handler."""

    def __init__(self, centre: Centre, peripheral_type: int) -> None:
        self._centre = centre
        self._peripheral_type = peripheral_type
        self._recordings = 0
        one = self._on_connection
        phones = centre.phones
        self.handlers: dict[str, _Handler] = {
            "MAKE_CALL_REQ": self._make_call,
            "ANSWER_CALL_REQ": one(phones.answer),
            "HOLD_CALL_REQ": one(phones.hold),
            "RETRIEVE_CALL_REQ": one(phones.retrieve, "Held", "HELD_CONN_DEVID"),
            "CLEAR_CONNECTION_REQ": self._clear_connection,
            "CLEAR_CALL_REQ": one(self._clear_call),
            "ALTERNATE_CALL_REQ": self._two(phones.alternate, "Other", "OTHER_CONN_DEVID"),
            "RECONNECT_CALL_REQ": self._two(phones.reconnect, "Held", "HELD_CONN_DEVID"),
            "CONSULTATION_CALL_REQ": self._consult,
            "TRANSFER_CALL_REQ": self._transfer,
            "CONFERENCE_CALL_REQ": self._conference,
            "DEFLECT_CALL_REQ": self._deflect,
            "SEND_DTMF_SIGNAL_REQ": self._dtmf,
            "SUPERVISE_CALL_REQ": self._supervise,
            "SUPERVISOR_ASSIST_REQ": self._assist,
            "EMERGENCY_CALL_REQ": self._assist,
            "START_RECORDING_REQ": self._start_recording,
            "STOP_RECORDING_REQ": self._stop_recording,
            "BAD_CALL_REQ": one(lambda leg, now: None),
            "SET_CALL_DATA_REQ": self._set_data,
            "RELEASE_CALL_REQ": lambda message, now: _conf(message),
            "QUERY_DEVICE_INFO_REQ": self._device_info,
            "SNAPSHOT_CALL_REQ": self._snapshot_call,
            "SNAPSHOT_DEVICE_REQ": self._snapshot_device,
            "QUERY_SKILL_GROUP_STATISTICS_REQ": self._group_statistics,
            "QUERY_AGENT_STATISTICS_REQ": self._agent_statistics,
            "AGENT_DESK_SETTINGS_REQ": self._desk_settings,
        }

    # Reading

    def _leg(self, message: Message, field: str = "", *tags: str) -> Leg | Refuse:
        call_id = message.fields[f"{field}ConnectionCallID"]
        return self._centre.phones.connection(call_id, instrument(message, *tags, "CONNECTION_DEVID"))

    def _on_connection(self, operation: Callable[[Leg, float], Refuse | None], field: str = "", *tags: str) -> _Handler:
        def handler(message: Message, now: float) -> Answer:
            leg = self._leg(message, field, *tags)
            if isinstance(leg, Refuse):
                return leg
            return operation(leg, now) or _conf(message)

        return handler

    def _active_and(self, message: Message, field: str, tag: str) -> tuple[Leg, Leg] | Refuse:
        active = self._leg(message, "Active", "ACTIVE_CONN_DEVID", tag)
        other = self._leg(message, field, tag, "ACTIVE_CONN_DEVID")
        if isinstance(active, Refuse):
            return active
        if isinstance(other, Refuse):
            return other
        return (active, other) if active.device == other.device and active is not other else NOT_IN_CALL

    def _two(self, operation: Callable[[Leg, Leg, float], Refuse | None], field: str, tag: str) -> _Handler:
        def handler(message: Message, now: float) -> Answer:
            legs = self._active_and(message, field, tag)
            if isinstance(legs, Refuse):
                return legs
            return operation(*legs, now) or _conf(message)

        return handler

    # Calling and joining

    @staticmethod
    def _new_call(message: Message, leg: Leg) -> Message:
        fields = {"NewConnectionCallID": leg.call.call_id, "LineType": int(leg.line)}
        return _conf(message, fields, (("NEW_CONNECTION_DEVID", leg.device),))

    def _make_call(self, message: Message, now: float) -> Answer:
        device, number = instrument(message), _text(message, "DIALED_NUMBER")
        if not device:
            return Status.REQUIRED_DATA_MISSING
        data = new_data(message, CallData())
        if isinstance(data, int):
            return data
        leg = self._centre.phones.make_call(device, number, message.fields["CallMannerType"], data, now)
        return leg if isinstance(leg, Refuse) else self._new_call(message, leg)

    def _consult(self, message: Message, now: float) -> Answer:
        leg = self._leg(message, "Active", "ACTIVE_CONN_DEVID")
        if isinstance(leg, Refuse):
            return leg
        data = new_data(message, leg.call.data)
        if isinstance(data, int):
            return data
        new = self._centre.joining.consult(leg, _text(message, "DIALED_NUMBER"), data, now)
        return new if isinstance(new, Refuse) else self._new_call(message, new)

    @staticmethod
    def _joined(message: Message, call: Call, device: str) -> Message:
        legs = [leg for leg in call.legs if leg.kind is not Device.ROUTE_POINT]
        fields = {"NewConnectionCallID": call.call_id, "NumParties": len(legs), "LineType": int(LineType.UNKNOWN)}
        return _conf(message, fields, (("NEW_CONNECTION_DEVID", device), *party_list(legs)))

    def _transfer(self, message: Message, now: float) -> Answer:
        joining = self._centre.joining
        if message.fields["HeldConnectionCallID"] == NULL32:
            leg = self._leg(message, "Active", "ACTIVE_CONN_DEVID")
            number = _text(message, "DIALED_NUMBER")
            if isinstance(leg, Refuse):
                return leg
            call = joining.single_step(leg, number, now) if number else Status.REQUIRED_DATA_MISSING
            return self._joined(message, call, number) if isinstance(call, Call) else call
        legs = self._active_and(message, "Held", "HELD_CONN_DEVID")
        if isinstance(legs, Refuse):
            return legs
        to = next((leg.device for leg in legs[0].call.legs if leg is not legs[0]), "")
        call = joining.transfer(*legs, now)
        return self._joined(message, call, to) if isinstance(call, Call) else call

    def _conference(self, message: Message, now: float) -> Answer:
        legs = self._active_and(message, "Held", "HELD_CONN_DEVID")
        if isinstance(legs, Refuse):
            return legs
        call = self._centre.joining.conference(*legs, now)
        return call if isinstance(call, Refuse) else self._joined(message, call, legs[1].device)

    # One connection

    def _clear_connection(self, message: Message, now: float) -> Answer:
        leg = self._leg(message)
        if isinstance(leg, Refuse):
            return leg
        phones = self._centre.phones
        requester = message.text("REQUESTING_DEVICE_ID")
        if not requester or requester == leg.device:
            return phones.hang_up(leg, now) or _conf(message)
        other = leg.call.leg(requester)
        return NOT_IN_CALL if other is None else phones.drop_other(other, leg, now) or _conf(message)

    def _clear_call(self, leg: Leg, now: float) -> Refuse | None:
        self._centre.switch.clear(leg.call, now)
        return None

    def _deflect(self, message: Message, now: float) -> Answer:
        leg, number = self._leg(message), _text(message, "DIALED_NUMBER", "CALLED_DEVID")
        if isinstance(leg, Refuse):
            return leg
        if not number:
            return Status.REQUIRED_DATA_MISSING
        return self._centre.phones.deflect(leg, number, now) or _conf(message)

    def _dtmf(self, message: Message, now: float) -> Answer:
        leg = self._leg(message)
        if isinstance(leg, Refuse):
            return leg
        return self._centre.phones.dtmf(leg, _text(message, "DTMF_STRING")) or _conf(message)

    def _start_recording(self, message: Message, now: float) -> Answer:
        leg = self._leg(message)
        if isinstance(leg, Refuse):
            return leg
        session = self._recordings + 1
        refused = self._centre.phones.record(leg, session)
        if refused is not None:
            return refused
        self._recordings = session
        return _conf(message, {"SessionID": session})

    def _stop_recording(self, message: Message, now: float) -> Answer:
        leg = self._leg(message)
        return leg if isinstance(leg, Refuse) else self._centre.phones.record(leg, 0) or _conf(message)

    def _set_data(self, message: Message, now: float) -> Answer:
        switch = self._centre.switch
        call_id, device = message.fields["ConnectionCallID"], instrument(message, "CONNECTION_DEVID")
        leg = switch.find(call_id, device) or switch.wrapping_at(call_id, device)
        if leg is None:
            return NOT_IN_CALL if call_id in switch.calls else NO_SUCH_CALL
        data = new_data(message, leg.call.data)
        if isinstance(data, int):
            return data
        self._centre.set_data(leg.call, data, now)
        return _conf(message)

    # Supervisors

    def _supervise(self, message: Message, now: float) -> Answer:
        supervisor = instrument(message, "SUPERVISOR_INSTRUMENT", "SUPERVISOR_CONNECTION_DEVID")
        agent = self._centre.acd.agent(message.agent_id or "")
        device = _text(message, "AGENT_CONNECTION_DEVID") or ("" if agent is None else agent.extension)
        call_id = message.fields["AgentConnectionCallID"]
        switch = self._centre.switch
        leg = switch.active_at(device) if call_id in (0, NULL32) else switch.find(call_id, device)
        own = self._centre.supervision.supervise(message.fields["SupervisoryAction"], supervisor, leg, now)
        if isinstance(own, Refuse):
            return own
        return _conf(message, {"ConnectionCallID": own.call.call_id}, (("CONNECTION_DEVID", own.device),))

    def _assist(self, message: Message, now: float) -> Answer:
        device = instrument(message, "CONNECTION_DEVID")
        leg = self._centre.switch.find(message.fields["ConnectionCallID"], device)
        emergency = message.name == "EMERGENCY_CALL_REQ"
        own = self._centre.supervision.assist(device, leg, now, emergency=emergency)
        if isinstance(own, Refuse):
            return own
        fields = {"ConnectionCallID": own.call.call_id, "LineType": int(own.line)}
        return _conf(message, fields, (("CONNECTION_DEVID", own.device),))

    # Looking

    def _device_info(self, message: Message, now: float) -> Answer:
        fields = {
            "PeripheralType": self._peripheral_type,
            "TypeOfDevice": int(Device.AGENT),
            "NumLines": 1,
            "MaxActiveCalls": 1,
            "MaxHeldCalls": CALLS_MAX - 1,
            "MaxDevicesInConference": 16,
            "TransferConferenceSetup": 0x2B,  # consult, held connection, any two calls, single ACD transfer
            "CallEventsSupported": 0x0FFFFF,
        }
        return _conf(message, fields)

    def _snapshot_device(self, message: Message, now: float) -> Answer:
        device = instrument(message, "MONITORED_DEVID", "CONNECTION_DEVID")
        floats: list[tuple[str, FloatValue]] = []
        legs = self._centre.switch.at(device)
        for leg in legs:
            floats += [
                ("CALL_CONN_CALLID", leg.call.call_id),
                ("CALL_CONN_DEVID_TYPE", 0),
                ("CALL_CONN_DEVID", leg.device),
                ("CALL_STATE", int(leg.state)),
            ]
        return _conf(message, {"NumCalls": len(legs)}, tuple(floats))

    def _snapshot_call(self, message: Message, now: float) -> Answer:
        call = self._centre.switch.calls.get(message.fields["ConnectionCallID"])
        if call is None or not call.legs:
            return NO_SUCH_CALL
        floats: list[tuple[str, FloatValue]] = [*call.data.floats(), ("CALL_REFERENCE_ID", call.reference)]
        for leg in call.legs:
            floats += [
                ("CALL_CONN_CALLID", call.call_id),
                ("CALL_CONN_DEVID_TYPE", 0),
                ("CALL_CONN_DEVID", leg.device),
                ("CALL_DEVID_TYPE", int(leg.kind)),
                ("CALL_DEVID", leg.device),
                ("CALL_DEV_CONN_STATE", int(leg.state if leg.state is not Lcs.NULL else Lcs.CONNECT)),
            ]
        named = call.data.named()
        fields = {"CallType": int(call.call_type), "NumCallDevices": len(call.legs), **counted(named)}
        return _conf(message, fields, (*floats, *named))

    def _group_statistics(self, message: Message, now: float) -> Answer:
        number, group_id = message.fields["SkillGroupNumber"], message.fields["SkillGroupID"]
        group = next((group for group in self._centre.data.skill_groups if group.number == number), None)
        if group is None:
            return Refuse(Failure.INVALID_SKILL_GROUP)
        fields = {"PeripheralID": message.fields["PeripheralID"], "SkillGroupNumber": number, "SkillGroupID": group_id}
        return _conf(message, fields | self._centre.statistics.group(group, now))

    def _agent_statistics(self, message: Message, now: float) -> Answer:
        acd = self._centre.acd
        agent = acd.agent(message.agent_id or "") or acd.at_extension(instrument(message))
        if agent is None:
            return UNKNOWN_AGENT
        fields = {"PeripheralID": message.fields["PeripheralID"], **self._centre.statistics.agent(agent, now)}
        floats: Floats = ()
        if agent.extension:
            floats = (("AGENT_EXTENSION", agent.extension), ("AGENT_INSTRUMENT", agent.extension))
        return _conf(message, fields, (*floats, ("AGENT_ID", agent.person.agent_id)))

    def _desk_settings(self, message: Message, now: float) -> Answer:
        settings = self._centre.settings
        fields = {
            "PeripheralID": message.fields["PeripheralID"],
            "DeskSettingsMask": 0x1FE3,  # available after calls, all kinds of calls allowed
            "WrapupDataIncomingMode": 1,
            "WrapupDataOutgoingMode": 1,
            "LogoutNonActivityTime": NULL32,
            "RingNoAnswerTime": int(settings.ring_s),
            "WorkModeTimer": int(settings.wrap_up_s),
        }
        return _conf(message, fields)

"""The GED-188 events about calls: messages made from calls and connections. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from poise.lab.acd.agents import AgentNow
from poise.lab.acd.codes import CallMask, CallType, Cause, Device, Lcs, LineType
from poise.lab.acd.model import Call, CallData, Floats, Leg
from poise.lab.data import SkillGroup
from poise.protocols.cti.constants import NULL16, NULL32, VOICE_MRD
from poise.protocols.cti.messages import FloatValue, Message

CHANGED_ECC_ONLY_FROM = 22
"""From this protocol version on, CALL_DATA_UPDATE_EVENT holds only the ECC variables that have changed."""


class CallTold(NamedTuple):
    """An event about a call, for every client that wants it."""

    bit: CallMask | None
    """Bit of CallMsgMask that switches it on; None: always sent."""
    call_id: int
    devices: frozenset[str]
    """Devices it concerns, for clients that monitor single ones."""
    message: Message
    before_22: Message | None = None
    """What clients of older protocol versions get instead (CHANGED_ECC_ONLY_FROM)."""


class AgentTold(NamedTuple):
    """An agent has changed."""

    agent: AgentNow


Told = CallTold | AgentTold


def group_id(number: int) -> int:
    """SkillGroupID: another key than the number, as in real systems."""
    return 5000 + number & 0x7FFFFFFF


def queue_number(group: SkillGroup) -> str:
    """What is dialled to reach a queue."""
    return f"8{group.number:03d}"


_SERVICE = {"ServiceNumber": NULL32, "ServiceID": NULL32}


def _skill_group(group: SkillGroup | None) -> dict[str, int]:
    if group is None:
        return {"SkillGroupNumber": NULL32, "SkillGroupID": NULL32, "SkillGroupPriority": NULL16}
    return {"SkillGroupNumber": group.number, "SkillGroupID": group_id(group.number), "SkillGroupPriority": 0}


def group_floats(group: SkillGroup) -> Floats:
    """One entry of a list of skill groups."""
    return (
        ("SKILL_GROUP_NUMBER", group.number),
        ("SKILL_GROUP_ID", group_id(group.number)),
        ("SKILL_GROUP_PRIORITY", 0),
    )


def parties(legs: Iterable[Leg]) -> Floats:
    """The list of parties of a conference or transfer."""
    return tuple(
        entry
        for leg in legs
        for entry in (
            ("PARTY_CALLID", leg.call.call_id),
            ("PARTY_DEVID_TYPE", 0),
            ("PARTY_DEVID", leg.device),
        )
    )


def counted(floats: Floats) -> dict[str, int]:
    """NumNamedVariables and NumNamedArrays of these floating fields."""
    names = [name for name, _ in floats]
    return {"NumNamedVariables": names.count("NAMED_VARIABLE"), "NumNamedArrays": names.count("NAMED_ARRAY")}


@dataclass(frozen=True, slots=True)
class Events:
    """Makes the events of one peripheral."""

    peripheral_id: int
    peripheral_type: int

    def _call(self, call_id: int) -> dict[str, int]:
        return {
            "PeripheralID": self.peripheral_id,
            "PeripheralType": self.peripheral_type,
            "ConnectionDeviceIDType": 0,
            "ConnectionCallID": call_id,
        }

    def _told(self, bit: CallMask, leg: Leg, fields: dict[str, int], floats: Floats) -> CallTold:
        name = "CALL_DATA_UPDATE_EVENT" if bit is CallMask.DATA_UPDATE else f"CALL_{bit.name}_EVENT"
        if bit in (CallMask.BEGIN, CallMask.END):
            name = f"{bit.name}_CALL_EVENT"
        everything = {**self._call(leg.call.call_id), **fields}
        message = Message(name, everything, (("CONNECTION_DEVID", leg.device), *floats))
        return CallTold(bit, leg.call.call_id, frozenset((leg.device,)), message)

    def begin(self, leg: Leg) -> CallTold:
        """BEGIN_CALL_EVENT."""
        call = leg.call
        named = call.data.named()
        fields = {"CallType": int(leg.call_type), "CalledPartyDisposition": 0, **counted(named)}
        floats = (*call.data.floats(), ("CALL_REFERENCE_ID", call.reference), *named)
        return self._told(CallMask.BEGIN, leg, fields, floats)

    def end(self, leg: Leg, call_id: int) -> CallTold:
        """END_CALL_EVENT for the connection under that call id."""
        message = Message("END_CALL_EVENT", self._call(call_id), (("CONNECTION_DEVID", leg.device),))
        return CallTold(CallMask.END, call_id, frozenset((leg.device,)), message)

    def service_initiated(self, leg: Leg, cause: Cause) -> CallTold:
        """CALL_SERVICE_INITIATED_EVENT."""
        call = leg.call
        fields = {
            "LineType": int(leg.line),
            **_SERVICE,
            **_skill_group(None),
            "CallingDeviceType": int(call.calling_kind),
            "LocalConnectionState": int(Lcs.INITIATE),
            "EventCause": int(cause),
        }
        link: Floats = ()
        if call.consult_of is not None:
            link = (
                ("COC_CONNECTION_CALL_ID", call.consult_of),
                ("COC_CONNECTION_DEVICE_ID_TYPE", 0),
                ("COC_CONNECTION_DEVICE_ID", leg.device),
            )
        return self._told(CallMask.SERVICE_INITIATED, leg, fields, (("CALLING_DEVID", call.calling), *link))

    def originated(self, leg: Leg, cause: Cause) -> CallTold:
        """CALL_ORIGINATED_EVENT."""
        call = leg.call
        fields = {
            "LineType": int(leg.line),
            **_SERVICE,
            **_skill_group(None),
            "CallingDeviceType": int(call.calling_kind),
            "CalledDeviceType": int(call.called_kind),
            "LocalConnectionState": int(leg.state),
            "EventCause": int(cause),
        }
        floats: Floats = (("CALLING_DEVID", call.calling), ("CALLED_DEVID", call.called))
        return self._told(CallMask.ORIGINATED, leg, fields, floats)

    def reached_network(self, leg: Leg) -> CallTold:
        """CALL_REACHED_NETWORK_EVENT."""
        call = leg.call
        fields = {
            "LineType": int(leg.line),
            "TrunkUsedDeviceType": NULL16,
            "CalledDeviceType": int(call.called_kind),
            "LocalConnectionState": int(leg.state),
            "EventCause": int(Cause.NONE),
        }
        return self._told(CallMask.REACHED_NETWORK, leg, fields, (("CALLED_DEVID", call.called),))

    def _ends(self, call: Call) -> tuple[dict[str, int], Floats]:
        fields = {
            "CallingDeviceType": int(call.calling_kind),
            "CalledDeviceType": int(call.called_kind),
            "LastRedirectDeviceType": int(Device.NONE),
        }
        floats: list[tuple[str, FloatValue]] = [("CALLING_DEVID", call.calling), ("CALLED_DEVID", call.called)]
        if call.last_redirect:
            number = call.queue is not None and call.last_redirect == queue_number(call.queue)
            fields["LastRedirectDeviceType"] = int(Device.ROUTE_POINT if number else Device.AGENT)
            floats.append(("LAST_REDIRECT_DEVID", call.last_redirect))
        return fields, tuple(floats)

    def delivered(self, leg: Leg, alerting: str, kind: Device, cause: Cause) -> CallTold:
        """CALL_DELIVERED_EVENT: `alerting` rings, as seen from the connection."""
        call = leg.call
        ends, names = self._ends(call)
        named = call.data.named()
        fields = {
            "LineType": int(leg.line),
            **_SERVICE,
            **_skill_group(call.queue),
            "AlertingDeviceType": int(kind),
            **ends,
            "LocalConnectionState": int(leg.state),
            "EventCause": int(cause),
            **counted(named),
        }
        floats = (("ALERTING_DEVID", alerting), *names, *call.data.floats(), *named)
        return self._told(CallMask.DELIVERED, leg, fields, floats)

    def established(self, leg: Leg, answering: str, kind: Device, cause: Cause) -> CallTold:
        """CALL_ESTABLISHED_EVENT."""
        ends, names = self._ends(leg.call)
        fields = {
            "LineType": int(leg.line),
            **_SERVICE,
            **_skill_group(leg.call.queue),
            "AnsweringDeviceType": int(kind),
            **ends,
            "LocalConnectionState": int(leg.state),
            "EventCause": int(cause),
        }
        return self._told(CallMask.ESTABLISHED, leg, fields, (("ANSWERING_DEVID", answering), *names))

    def held(self, leg: Leg, holder: Leg, cause: Cause) -> CallTold:
        """CALL_HELD_EVENT."""
        fields = {
            "HoldingDeviceType": int(holder.kind),
            "LocalConnectionState": int(leg.state),
            "EventCause": int(cause),
        }
        return self._told(CallMask.HELD, leg, fields, (("HOLDING_DEVID", holder.device),))

    def retrieved(self, leg: Leg, retriever: Leg, cause: Cause) -> CallTold:
        """CALL_RETRIEVED_EVENT."""
        fields = {
            "RetrievingDeviceType": int(retriever.kind),
            "LocalConnectionState": int(leg.state),
            "EventCause": int(cause),
        }
        return self._told(CallMask.RETRIEVED, leg, fields, (("RETRIEVING_DEVID", retriever.device),))

    def failed(self, leg: Leg, failing: str, kind: Device, cause: Cause) -> CallTold:
        """CALL_FAILED_EVENT."""
        fields = {
            "FailingDeviceType": int(kind),
            "CalledDeviceType": int(leg.call.called_kind),
            "LocalConnectionState": int(leg.state),
            "EventCause": int(cause),
        }
        floats: Floats = (("FAILING_DEVID", failing), ("CALLED_DEVID", leg.call.called))
        return self._told(CallMask.FAILED, leg, fields, floats)

    def connection_cleared(self, leg: Leg, releasing: Leg, cause: Cause) -> CallTold:
        """CALL_CONNECTION_CLEARED_EVENT."""
        fields = {
            "ReleasingDeviceType": int(releasing.kind),
            "LocalConnectionState": int(leg.state),
            "EventCause": int(cause),
        }
        return self._told(CallMask.CONNECTION_CLEARED, leg, fields, (("RELEASING_DEVID", releasing.device),))

    def cleared(self, leg: Leg, cause: Cause) -> CallTold:
        """CALL_CLEARED_EVENT."""
        fields = {"LocalConnectionState": int(leg.state), "EventCause": int(cause)}
        return self._told(CallMask.CLEARED, leg, fields, ())

    def diverted(self, leg: Leg, called: str, kind: Device, cause: Cause) -> CallTold:
        """CALL_DIVERTED_EVENT."""
        fields = {
            **_SERVICE,
            "DivertingDeviceType": int(leg.kind),
            "CalledDeviceType": int(kind),
            "LocalConnectionState": int(leg.state),
            "EventCause": int(cause),
        }
        return self._told(CallMask.DIVERTED, leg, fields, (("DIVERTING_DEVID", leg.device), ("CALLED_DEVID", called)))

    def queued(self, leg: Leg, group: SkillGroup, waiting: int, cause: Cause) -> CallTold:
        """CALL_QUEUED_EVENT: about the queue's own connection."""
        ends, names = self._ends(leg.call)
        fields = {
            **_SERVICE,
            "QueueDeviceType": int(Device.ROUTE_POINT),
            **ends,
            "NumQueued": waiting,
            "NumSkillGroups": 1,
            "LocalConnectionState": int(Lcs.QUEUED),
            "EventCause": int(cause),
        }
        return self._told(CallMask.QUEUED, leg, fields, (("QUEUE_DEVID", leg.device), *names, *group_floats(group)))

    def dequeued(self, leg: Leg, group: SkillGroup, waiting: int, cause: Cause) -> CallTold:
        """CALL_DEQUEUED_EVENT."""
        fields = {
            "QueueDeviceType": int(Device.ROUTE_POINT),
            **_SERVICE,
            "NumQueued": waiting,
            "NumSkillGroups": 1,
            "LocalConnectionState": int(Lcs.NULL),
            "EventCause": int(cause),
        }
        return self._told(CallMask.DEQUEUED, leg, fields, (("QUEUE_DEVID", leg.device), *group_floats(group)))

    def pre_call(self, leg: Leg, group: SkillGroup) -> CallTold:
        """AGENT_PRE_CALL_EVENT: a call will come to the agent."""
        data = leg.call.data
        named = data.named()
        fields = {
            **counted(named),
            **_SERVICE,
            **_skill_group(group),
            "MRDID": VOICE_MRD,
            "AgentSkillTargetID": group_id(group.number),
        }
        floats = (("AGENT_INSTRUMENT", leg.device), *data.floats(), *named)
        told = Message("AGENT_PRE_CALL_EVENT", fields, floats)
        return CallTold(CallMask.PRE_CALL, leg.call.call_id, frozenset((leg.device,)), told)

    def data_update(self, leg: Leg, old_id: int, before: CallData, call_type: CallType) -> CallTold:
        """CALL_DATA_UPDATE_EVENT: the connection was known as `old_id` and had the data `before`."""
        call = leg.call

        def message(named: Floats) -> Message:
            fields = {
                "PeripheralID": self.peripheral_id,
                "PeripheralType": self.peripheral_type,
                **counted(named),
                "CallType": int(call_type),
                "ConnectionCallID": old_id,
                "NewConnectionCallID": call.call_id,
                "CampaignID": call.data.campaign,
                "QueryRuleID": call.data.query_rule,
            }
            floats: Floats = (
                ("CONNECTION_DEVID", leg.device),
                ("NEW_CONNECTION_DEVID", leg.device),
                *call.data.floats(),
                ("CALL_REFERENCE_ID", call.reference),
                *named,
            )
            return Message("CALL_DATA_UPDATE_EVENT", fields, floats)

        changed = message(call.data.named(before))
        everything = message(call.data.named())
        return CallTold(CallMask.DATA_UPDATE, call.call_id, frozenset((leg.device,)), changed, everything)

    def _joined(
        self, name: str, bit: CallMask, first: Leg, second_id: int, second: str, stay: list[Leg], ends: Floats
    ) -> CallTold:
        call = first.call
        transfer = bit is CallMask.TRANSFERRED
        nobody = second_id == NULL32
        keys = (
            ("TransferringDeviceType", "TransferredDeviceType")
            if transfer
            else (
                "ControllerDeviceType",
                "AddedPartyDeviceType",
            )
        )
        fields = {
            "PeripheralID": self.peripheral_id,
            "PeripheralType": self.peripheral_type,
            "PrimaryCallID": call.call_id,
            "LineType": int(LineType.UNKNOWN),
            **_skill_group(call.queue),
            "NumParties": len(stay),
            "SecondaryDeviceIDType": NULL16 if nobody else 0,
            "SecondaryCallID": second_id,
            keys[0]: int(first.kind),
            keys[1]: int(next((leg.kind for leg in stay if leg.device == ends[1][1]), Device.EXTERNAL)),
            "LocalConnectionState": int(Lcs.CONNECT),
            "EventCause": int(Cause.TRANSFER if transfer else Cause.CONFERENCE),
        }
        floats = (("PRIMARY_DEVID", first.device), ("SECONDARY_DEVID", second), *ends, *parties(stay))
        devices = frozenset((first.device, *(leg.device for leg in stay)))
        return CallTold(bit, call.call_id, devices, Message(name, fields, floats))

    def transferred(self, first: Leg, second_id: int, added: str, stay: list[Leg]) -> CallTold:
        """CALL_TRANSFERRED_EVENT: `first` gave its call to `added`."""
        ends: Floats = (("TRANSFERRING_DEVID", first.device), ("TRANSFERRED_DEVID", added))
        second = "" if second_id == NULL32 else first.device
        return self._joined("CALL_TRANSFERRED_EVENT", CallMask.TRANSFERRED, first, second_id, second, stay, ends)

    def conferenced(self, first: Leg, second_id: int, added: str, stay: list[Leg]) -> CallTold:
        """CALL_CONFERENCED_EVENT: `first` joined two calls."""
        ends: Floats = (("CONTROLLER_DEVID", first.device), ("ADDED_PARTY_DEVID", added))
        name = "CALL_CONFERENCED_EVENT"
        return self._joined(name, CallMask.CONFERENCED, first, second_id, first.device, stay, ends)

"""Which field or tag holds which enumeration: one table for logs, traces and the dissector."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from poise.protocols.cti import call_constants as calls
from poise.protocols.cti import constants as agents
from poise.protocols.cti.failure_constants import FailureCode, PeripheralError, Status

_DEVICE_TYPES = (
    "Alerting Calling Called LastRedirect Answering Holding Retrieving Releasing Failing Controller AddedParty "
    "Transferring Transferred Diverting Queue TrunkUsed Snapshot Monitored Event"
)
_CONNECTION_TYPES = (
    "Connection Primary Secondary NewConnection ActiveConnection OtherConnection HeldConnection AgentConnection "
    "SupervisorConnection"
)

ENUMERATIONS: dict[str, type[IntEnum]] = {
    "AgentState": agents.AgentState,
    "SkillGroupState": agents.AgentState,
    "NEXT_AGENT_STATE": agents.AgentState,
    "SKILL_GROUP_STATE": agents.AgentState,
    "ATC_AGENT_STATE": agents.AgentState,
    "INTERNAL_AGENT_STATE": agents.AgentState,
    "AgentWorkMode": agents.AgentWorkMode,
    "ForcedFlag": agents.ForcedFlag,
    "PeripheralType": agents.PeripheralType,
    "SystemEventID": agents.SystemEventId,
    "ConfigType": agents.ConfigType,
    "ConfigEndStatus": agents.ConfigEndStatus,
    "ConfigOperation": agents.ConfigOperation,
    "RECORD_TYPE": agents.RecordType,
    "AGENT_TYPE": agents.AgentType,
    "DIRECTION": agents.Direction,
    "Status": Status,
    "FailureCode": FailureCode,
    "PeripheralErrorCode": PeripheralError,
    "CallType": calls.CallType,
    "LocalConnectionState": calls.LocalConnectionState,
    "CALL_STATE": calls.LocalConnectionState,
    "CALL_DEV_CONN_STATE": calls.LocalConnectionState,
    "EventCause": calls.EventCause,
    "CalledPartyDisposition": calls.Disposition,
    "LineType": calls.LineType,
    "LINE_TYPE": calls.LineType,
    "CallPlacementType": calls.CallPlacementType,
    "CallMannerType": calls.CallMannerType,
    "CallOption": calls.CallOption,
    "FacilityType": calls.FacilityType,
    "AnsweringMachine": calls.AnsweringMachine,
    "AnswerDetectMode": calls.AnswerDetectMode,
    "AllocationState": calls.AllocationState,
    "ConsultType": calls.ConsultType,
    "SupervisoryAction": calls.SupervisoryAction,
    "SILENT_MONITOR_STATUS": calls.SilentMonitorStatus,
    "Direction": calls.RtpDirection,
    "RTPType": calls.RtpType,
    "EventCode": calls.GreetingEvent,
    "AgentAction": calls.GreetingAction,
    "WrapupDataIncomingMode": calls.WrapUpMode,
    "WrapupDataOutgoingMode": calls.WrapUpMode,
    "Distribution": calls.Distribution,
    "TypeOfDevice": calls.TypeOfDevice,
    "ServerMode": calls.ServerMode,
    "PARTY_DEVID_TYPE": calls.DeviceIdType,
    "CALL_DEVID_TYPE": calls.DeviceIdType,
    "REQUESTING_DEVICE_ID_TYPE": calls.DeviceIdType,
    "CALL_CONN_DEVID_TYPE": calls.ConnectionDeviceIdType,
    "COC_CONNECTION_DEVICE_ID_TYPE": calls.ConnectionDeviceIdType,
    **{f"{name}DeviceType": calls.DeviceIdType for name in _DEVICE_TYPES.split()},
    **{f"{name}DeviceIDType": calls.ConnectionDeviceIdType for name in _CONNECTION_TYPES.split()},
}
"""Field or tag name of the layout table -> its enumeration."""

MASKS: dict[str, type[IntFlag]] = {
    "ServicesRequested": agents.Service,
    "ServicesGranted": agents.Service,
    "ConfigInformation": agents.ConfigKind,
    "ConfigMsgMask": agents.ConfigKind,
    "AGENT_FLAGS": agents.AgentFlag,
    "DeskSettingsMask": calls.DeskSetting,
}
"""Field or tag name of the layout table -> its bits."""


_SYMBOLS: dict[str, dict[int, str]] = {
    name: {member.value: member.name for member in kind} for name, kind in ENUMERATIONS.items()
}
_SYMBOLS["EventCause"].update({1000 + member.value: member.name for member in calls.Disposition})


def symbols(name: str) -> dict[int, str]:
    """The names of all values of a field or tag that holds an enumeration; empty for others."""
    return _SYMBOLS.get(name, {})


def symbol(name: str, value: int) -> str:
    """The name of a field's or tag's value, such as "RESERVED"; the set bits joined by "|" for a mask; "" when none."""
    known = _SYMBOLS.get(name)
    if known is not None:
        return known.get(value, "")
    mask = MASKS.get(name)
    return "" if mask is None else "|".join(bit.name or "" for bit in mask if value & bit)

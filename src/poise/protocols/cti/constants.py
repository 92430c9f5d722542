"""Numbers of GED-188 with their names. Identifiers and values only; rules live where they are used.

Source: CTI Server Message Reference Guide (versions 9-25), CTI OS System Manager Guide for peripheral error codes.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from poise.protocols.cti.failure_constants import FailureCode as FailureCode
from poise.protocols.cti.failure_constants import PeripheralError as PeripheralError
from poise.protocols.cti.failure_constants import Status as Status
from poise.protocols.cti.failure_constants import failure_name as failure_name

NULL32 = 0xFFFFFFFF
"""Null of a call id, peripheral, service or skill group number; shown as -1."""
NULL16 = 0xFFFF
"""Null of device types, connection states, causes and call types."""
VOICE_MRD = 1
"""Media routing domain of voice calls."""


class AgentState(IntEnum):
    """AgentState and SkillGroupState."""

    LOGIN = 0
    LOGOUT = 1
    NOT_READY = 2
    AVAILABLE = 3
    TALKING = 4
    WORK_NOT_READY = 5
    WORK_READY = 6
    BUSY_OTHER = 7
    RESERVED = 8
    UNKNOWN = 9
    HOLD = 10
    ACTIVE = 11
    PAUSED = 12
    INTERRUPTED = 13
    NOT_ACTIVE = 14


class AgentWorkMode(IntEnum):
    """AgentWorkMode of SET_AGENT_STATE_REQ."""

    UNSPECIFIED = 0
    AUTO_IN = 1
    MANUAL_IN = 2
    CALL_BY_CALL = 3
    NAILED_UP = 4


class ForcedFlag(IntEnum):
    """ForcedFlag of SET_AGENT_STATE_REQ."""

    NOT_FORCED = 0
    FORCED = 1
    AUTHENTICATION_ONLY = 2


class PeripheralType(IntEnum):
    """PeripheralType."""

    VRU = 8
    ENTERPRISE_AGENT = 17  # UCCE
    MEDIA_ROUTING = 19
    GENERIC = 20
    ACMI_CRS = 21  # UCCX
    ACMI_IPCC = 22
    ARS = 24


class SystemEventId(IntEnum):
    """SystemEventID of SYSTEM_EVENT."""

    CENTRAL_CONTROLLER_ONLINE = 1
    CENTRAL_CONTROLLER_OFFLINE = 2
    PERIPHERAL_ONLINE = 3  # Arg1 is the peripheral id, here and in the next
    PERIPHERAL_OFFLINE = 4
    TEXT = 5
    PERIPHERAL_GATEWAY_OFFLINE = 6
    CTI_SERVER_OFFLINE = 7
    CTI_SERVER_ONLINE = 8
    HALF_HOUR_CHANGE = 9
    INSTRUMENT_OUT_OF_SERVICE = 10
    INSTRUMENT_BACK_IN_SERVICE = 11


class Service(IntFlag):
    """ServicesRequested and ServicesGranted."""

    CLIENT_EVENTS = 0x1
    CALL_DATA_UPDATE = 0x2
    CLIENT_CONTROL = 0x4
    CONNECTION_MONITOR = 0x8
    ALL_EVENTS = 0x10
    PERIPHERAL_MONITOR = 0x20
    CLIENT_MONITOR = 0x40
    SUPERVISOR = 0x80
    SERVER = 0x100
    AGENT_REPORTING = 0x400
    ALL_TASK_EVENTS = 0x800
    TASK_MONITOR = 0x1000
    STATE_CONTROL_ONLY = 0x2000
    DEVICE_STATE_CONTROL = 0x8000
    UPDATE_EVENTS = 0x80000
    IGNORE_DUPLICATE_AGENT_EVENTS = 0x100000
    IGNORE_CONF = 0x200000
    ACD_LINE_ONLY = 0x400000
    ACTIVE_STANDBY = 0x02000000


class ConfigKind(IntFlag):
    """ConfigInformation and ConfigMsgMask: what a configuration download is about."""

    SERVICE = 0x1
    SKILL_GROUP = 0x2
    AGENT = 0x4
    DEVICE = 0x8
    CALL_TYPE = 0x10
    MEDIA_ROUTING_DOMAIN = 0x20
    PERIPHERAL = 0x40
    DESK_SETTINGS = 0x80
    TERMINAL = 0x100
    AGENT_SERVICE = 0x200


class ConfigType(IntEnum):
    """ConfigType of CONFIG_BEGIN_EVENT."""

    UNSOLICITED = 0
    SOLICITED = 1


class ConfigEndStatus(IntEnum):
    """ConfigEndStatus of CONFIG_END_EVENT."""

    SUCCESS = 0
    NO_PROVIDER = 1
    UNKNOWN_CUSTOMER = 2
    INVALID_REQUEST = 3
    EMPTY = 4
    PARTIAL = 5


class RecordType(IntEnum):
    """RECORD_TYPE (183) at the head of each configuration record."""

    ADD = 0
    CHANGE = 1
    DELETE = 2


class AgentType(IntEnum):
    """AGENT_TYPE (189)."""

    AGENT = 1
    SUPERVISOR = 2


class ConfigOperation(IntEnum):
    """ConfigOperation of AGENT_TEAM_CONFIG_EVENT."""

    RESTORE = 0
    ADD = 1
    REMOVE = 2


class AgentFlag(IntFlag):
    """AGENT_FLAGS (87) of a team member."""

    PRIMARY_SUPERVISOR = 0x1
    TEMPORARY = 0x2
    SUPERVISOR = 0x4


class Direction(IntEnum):
    """DIRECTION (244)."""

    NONE = 0
    IN = 1
    OUT = 2
    OTHER_IN = 3
    OTHER_OUT = 4
    OUTBOUND_RESERVE = 5
    OUTBOUND_PREVIEW = 6
    OUTBOUND_PREDICTIVE = 7


class Reason(IntEnum):
    """EventReasonCodes that systems, not agents, choose."""

    NONE = 0
    SUPERVISOR_LOGOUT_UCCX = 22
    SUPERVISOR_NOT_READY_UCCX = 33
    PRESENCE_LOST = 255  # forced logout by the desktop server
    SUPERVISOR_UCCE = 999
    AGENT_LOGON_UCCX = 32760
    CALL_NOT_ANSWERED = 32767
    CONNECTION_FAILURE = 50002  # UCCE, after the loss of the desktop

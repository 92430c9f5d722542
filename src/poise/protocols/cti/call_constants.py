"""Numbers of GED-188 that calls need, with their names. Identifiers and values only.

Source: CTI Server Message Reference Guide (versions 9-25); names cross-checked with nshimaza/uccertweb (MIT, NOTICE).
"""

from __future__ import annotations

from enum import IntEnum, IntFlag


class CallType(IntEnum):
    """CallType."""

    ACD_IN = 1
    PREROUTE_ACD_IN = 2
    PREROUTE_DIRECT_AGENT = 3
    TRANSFER_IN = 4
    OVERFLOW_IN = 5
    OTHER_IN = 6
    AUTO_OUT = 7
    AGENT_OUT = 8
    OUT = 9
    AGENT_INSIDE = 10
    OFFERED = 11
    CONSULT = 12
    CONSULT_OFFERED = 13
    CONSULT_CONFERENCE = 14
    CONFERENCE = 15
    UNMONITORED = 16
    PREVIEW = 17
    RESERVATION = 18
    ASSIST = 19
    EMERGENCY = 20
    SUPERVISOR_MONITOR = 21
    SUPERVISOR_WHISPER = 22
    SUPERVISOR_BARGEIN = 23
    SUPERVISOR_INTERCEPT = 24
    TASK_ROUTED_BY_ICM = 25
    TASK_ROUTED_BY_APPLICATION = 26
    RESERVATION_PREVIEW = 27
    RESERVATION_PREVIEW_DIRECT = 28
    RESERVATION_PREDICTIVE = 29
    RESERVATION_CALLBACK = 30
    RESERVATION_PERSONAL_CALLBACK = 31
    CUSTOMER_PREVIEW = 32
    CUSTOMER_PREVIEW_DIRECT = 33
    CUSTOMER_PREDICTIVE = 34
    CUSTOMER_CALLBACK = 35
    CUSTOMER_PERSONAL = 36
    CUSTOMER_IVR = 37
    NON_ACD = 38
    PLAY_AGENT_GREETING = 39
    RECORD_AGENT_GREETING = 40
    VOICE_CALL_BACK = 41


class LocalConnectionState(IntEnum):
    """LocalConnectionState, CALL_STATE and CALL_DEV_CONN_STATE: a connection as its own device sees it."""

    NULL = 0
    INITIATE = 1
    ALERTING = 2
    CONNECT = 3
    HOLD = 4
    QUEUED = 5
    FAIL = 6


class DeviceIdType(IntEnum):
    """AlertingDeviceType, CallingDeviceType and the like: what a device id names."""

    DEVICE_IDENTIFIER = 0
    TRUNK_IDENTIFIER = 70
    TRUNK_GROUP_IDENTIFIER = 71
    IP_PHONE_MAC_IDENTIFIER = 72
    CTI_PORT = 73
    ROUTE_POINT = 74
    EXTERNAL = 75
    AGENT_DEVICE = 76
    QUEUE = 77
    NON_ACD_DEVICE_IDENTIFIER = 78
    SHARED_DEVICE_IDENTIFIER = 79


class ConnectionDeviceIdType(IntEnum):
    """ConnectionDeviceIDType."""

    STATIC = 0
    DYNAMIC = 1


class LineType(IntEnum):
    """LineType."""

    INBOUND_ACD = 0
    OUTBOUND_ACD = 1
    INSIDE = 2
    UNKNOWN = 3
    SUPERVISOR = 4
    MESSAGE = 5
    HELP = 6
    OUTBOUND = 7
    DID = 8
    SILENT_MONITOR = 9
    NON_ACD_IN = 10
    NON_ACD_OUT = 11


class EventCause(IntEnum):
    """EventCause. 1001-1057 are a Disposition + 1000, see `cause_name`."""

    ACTIVE_MONITOR = 1
    ALTERNATE = 2
    BUSY = 3
    CALL_BACK = 4
    CALL_CANCELLED = 5
    CALL_FORWARD_ALWAYS = 6
    CALL_FORWARD_BUSY = 7
    CALL_FORWARD_NO_ANSWER = 8
    CALL_FORWARD = 9
    CALL_NOT_ANSWERED = 10
    CALL_PICKUP = 11
    CAMP_ON = 12
    DEST_NOT_OBTAINABLE = 13
    DO_NOT_DISTURB = 14
    INCOMPATIBLE_DESTINATION = 15
    INVALID_ACCOUNT_CODE = 16
    KEY_CONFERENCE = 17
    LOCKOUT = 18
    MAINTENANCE = 19
    NETWORK_CONGESTION = 20
    NETWORK_NOT_OBTAINABLE = 21
    NEW_CALL = 22
    NO_AVAILABLE_AGENTS = 23
    OVERRIDE = 24
    PARK = 25
    OVERFLOW = 26
    RECALL = 27
    REDIRECTED = 28
    REORDER_TONE = 29
    RESOURCES_NOT_AVAILABLE = 30
    SILENT_MONITOR = 31
    TRANSFER = 32
    TRUNKS_BUSY = 33
    VOICE_UNIT_INITIATOR = 34
    TIME_OUT = 35
    NEW_CALL_INTERFLOW = 36
    SIMULATION_INIT_REQUEST = 37
    SIMULATION_RESET_REQUEST = 38
    CTI_LINK_DOWN = 39
    PERIPHERAL_RESET_REQUEST = 40
    MD110_CONFERENCE_TRANSFER = 41
    REMAINS_IN_Q = 42
    SUPERVISOR_ASSIST = 43
    EMERGENCY_CALL = 44
    SUPERVISOR_CLEAR = 45
    SUPERVISOR_MONITOR = 46
    SUPERVISOR_WHISPER = 47
    SUPERVISOR_BARGE_IN = 48
    SUPERVISOR_INTERCEPT = 49
    CALL_PARTY_UPDATE_IND = 50
    CONSULT = 51
    NIC_CALL_CLEAR = 52
    DNP_CALL = 53
    REQUERY_BEFORE_ANSWER = 54
    REQUERY_AFTER_ANSWER = 55
    NETWORK_ERROR = 56
    NETWORK_ERROR_BEFORE_ANSWER = 57
    NETWORK_ERROR_AFTER_ANSWER = 58
    PLAY_AGENT_GREETING = 59
    RECORD_AGENT_GREETING = 60
    SNAPSHOT = 61
    MAX_QUEUE = 62


class Disposition(IntEnum):
    """CalledPartyDisposition."""

    ABAND_NETWORK = 1
    ABAND_LOCAL_QUEUE = 2
    ABAND_RING = 3
    ABAND_DELAY = 4
    ABAND_INTERFLOW = 5
    ABAND_AGENT_TERMINAL = 6
    SHORT = 7
    CALL_BUSY = 8
    FORCED_BUSY = 9
    DROP_NO_ANSWER = 10
    DROP_BUSY = 11
    DROP_REORDER = 12
    DROP_HANDLED_PRIMARY_ROUTE = 13
    DROP_HANDLED_OTHER = 14
    CALL_REDIRECTED = 15
    CUT_THROUGH = 16
    INTRAFLOW = 17
    INTERFLOW = 18
    RING_NO_ANSWER = 19
    INTERCEPT_REORDER = 20
    INTERCEPT_DENIAL = 21
    CALL_TIME_OUT = 22
    VOICE_ENERGY = 23
    NONCLASSIFIED_ENERGY_DETECT = 24
    NO_CUT_THROUGH = 25
    UABORT = 26
    FAILED_SOFTWARE = 27
    BLIND_TRANSFER = 28
    ANNOUNCED_TRANSFER = 29
    CONFERENCED = 30
    DUPLICATE_TRANSFER = 31
    UNMONITORED_DEVICE = 32
    ANSWERING_MACHINE = 33
    NETWORK_BLIND_TRANSFER = 34
    TASK_ABANDONED_IN_ROUTER = 35
    TASK_ABANDONED_BEFORE_OFFERED = 36
    TASK_ABANDONED_WHILE_OFFERED = 37
    NORMAL_END_TASK = 38
    CANT_OBTAIN_TASK_ID = 39
    AGENT_LOGGED_OUT_DURING_TASK = 40
    MAX_TASK_LIFETIME_EXCEEDED = 41
    APPLICATION_PATH_WENT_DOWN = 42
    ICM_ROUTING_COMPLETE = 43
    ICM_ROUTING_DISABLED = 44
    APPL_INVALID_MRD_ID = 45
    APPL_INVALID_DIALOGUE_ID = 46
    APPL_DUPLICATE_DIALOGUE_ID = 47
    APPL_INVALID_INVOKE_ID = 48
    APPL_INVALID_SCRIPT_SELECTOR = 49
    APPL_TERMINATE_DIALOGUE = 50
    TASK_ENDED_DURING_APP_INIT = 51
    CALLED_PARTY_DISCONNECTED = 52
    PARTIAL_CALL = 53
    DROP_NETWORK_CONSULT = 54
    NETWORK_CONSULT_TRANSFER = 55
    NETWORK_CONFERENCE = 56
    ABAND_NETWORK_CONSULT = 57
    REQUERY_BEFORE_ANSWER = 58
    REQUERY_AFTER_ANSWER = 59
    NETWORK_ERROR = 60
    NETWORK_ERROR_BEFORE_ANSWER = 61
    NETWORK_ERROR_AFTER_ANSWER = 62
    TASK_TRANSFERRED = 63
    APPLICATION_DISCONNECTED = 64
    TASK_TRANSFERRED_ON_LOGOUT = 65


class CallPlacementType(IntEnum):
    """CallPlacementType."""

    UNSPECIFIED = 0
    LINE_CALL = 1
    OUTBOUND = 2
    OUTBOUND_NO_ACCESS_CODE = 3
    DIRECT_POSITION = 4
    DIRECT_AGENT = 5
    SUPERVISOR_ASSIST = 6


class CallMannerType(IntEnum):
    """CallMannerType. BELLIGERENT is for MAKE_CALL_REQ only: an available agent is made not ready first."""

    UNSPECIFIED = 0
    POLITE = 1
    BELLIGERENT = 2
    SEMI_POLITE = 3


class CallOption(IntEnum):
    """CallOption."""

    UNSPECIFIED = 0
    CALLING_AGENT_ONLINE = 1
    CALLING_AGENT_RESERVED = 2
    CALLING_AGENT_NOT_RESERVED = 3
    CALLING_AGENT_BUZZ_BASE = 4
    CALLING_AGENT_BEEP_HSET = 5
    SERVICE_CIRCUIT_ON = 6


class FacilityType(IntEnum):
    """FacilityType."""

    UNSPECIFIED = 0
    TRUNK_GROUP = 1
    SKILL_GROUP = 2


class AnsweringMachine(IntEnum):
    """AnsweringMachine."""

    UNSPECIFIED = 0
    CONNECT = 1
    DISCONNECT = 2
    NONE = 3
    NONE_NO_MODEM = 4
    CONNECT_NO_MODEM = 5


class AnswerDetectMode(IntEnum):
    """AnswerDetectMode."""

    UNSPECIFIED = 0
    VOICE_THRESHOLD = 1
    VOICE_END = 2
    VOICE_END_DELAY = 3
    VOICE_AND_BEEP = 4
    BEEP = 5


class AllocationState(IntEnum):
    """AllocationState."""

    CALL_DELIVERED = 0
    CALL_ESTABLISHED = 1


class ConsultType(IntEnum):
    """ConsultType."""

    UNSPECIFIED = 0
    TRANSFER = 1
    CONFERENCE = 2


class SupervisoryAction(IntEnum):
    """SupervisoryAction."""

    CLEAR = 0
    MONITOR = 1
    WHISPER = 2
    BARGE_IN = 3
    INTERCEPT = 4


class SilentMonitorStatus(IntEnum):
    """SILENT_MONITOR_STATUS (218)."""

    NONE = 0
    INITIATOR = 1
    TARGET = 2


class RtpDirection(IntEnum):
    """Direction of RTP and recording messages."""

    INPUT = 0
    OUTPUT = 1
    BI_DIRECTIONAL = 2


class RtpType(IntEnum):
    """RTPType."""

    AUDIO = 0
    VIDEO = 1
    DATA = 2


class GreetingEvent(IntEnum):
    """EventCode of CALL_AGENT_GREETING_EVENT."""

    GREETING_HAS_STARTED = 0
    GREETING_HAS_ENDED_WITH_SUCCESS = 1
    FAILED_TO_PLAY_GREETING = 2


class GreetingAction(IntEnum):
    """AgentAction of AGENT_GREETING_CONTROL_REQ."""

    STOP_GREETING = 0
    DISABLE = 1
    ENABLE = 2


class WrapUpMode(IntEnum):
    """WrapupDataIncomingMode and WrapupDataOutgoingMode."""

    REQUIRED = 0
    OPTIONAL = 1
    NOT_ALLOWED = 2
    REQUIRED_WITH_WRAPUP_DATA = 3


class Distribution(IntEnum):
    """Distribution of user messages."""

    CLIENT = 0
    SUPERVISOR = 1
    TEAM = 2
    ALL = 3


class TypeOfDevice(IntEnum):
    """TypeOfDevice."""

    STATION = 0
    LINE = 1
    BUTTON = 2
    ACD = 3
    TRUNK = 4
    OPERATOR = 5
    STATION_GROUP = 16
    LINE_GROUP = 17
    BUTTON_GROUP = 18
    ACD_GROUP = 19
    TRUNK_GROUP = 20
    OPERATOR_GROUP = 21
    CTI_PORT_SCCP = 22
    CTI_PORT_SIP = 23
    OTHER = 255


class ServerMode(IntEnum):
    """ServerMode."""

    EXCLUSIVE = 0
    ROUND_ROBIN = 1
    PARALLEL = 2


class DeskSetting(IntFlag):
    """DeskSettingsMask."""

    AVAILABLE_AFTER_INCOMING = 0x1
    AVAILABLE_AFTER_OUTGOING = 0x2
    AUTO_ANSWER = 0x4
    NOT_READY_REASON_REQUIRED = 0x8
    LOGOUT_REASON_REQUIRED = 0x10
    SUPERVISOR_CALLS = 0x20
    AGENT_TO_AGENT_CALLS = 0x40
    INTERNATIONAL_CALLS = 0x80
    PUBLIC_NETWORK_CALLS = 0x100
    PRIVATE_NETWORK_CALLS = 0x200
    OPERATOR_ASSISTED_CALLS = 0x400
    PBX_CALLS = 0x800
    NON_ACD_CALLS = 0x1000
    SELECT_GROUP = 0x2000


def cause_name(code: int) -> str:
    """The name of an EventCause, such as "TRANSFER"; its number as text when unknown."""
    try:
        if 1000 < code < 2000:
            return Disposition(code - 1000).name
        return EventCause(code).name
    except ValueError:
        return str(code)

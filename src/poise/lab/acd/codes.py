"""Numbers of GED-188 that calls need, with their names.

Source: CTI Server Message Reference Guide (constants chapter), CTI OS System Manager Guide for peripheral error codes.
"""

from __future__ import annotations

from enum import IntEnum


class Lcs(IntEnum):
    """LocalConnectionState."""

    NULL = 0
    INITIATE = 1
    ALERTING = 2
    CONNECT = 3
    HOLD = 4
    QUEUED = 5
    FAIL = 6


class Device(IntEnum):
    """Device id types, as far as this ACD has them."""

    CTI_PORT = 73
    ROUTE_POINT = 74
    EXTERNAL = 75
    AGENT = 76
    NONE = 0xFFFF


class LineType(IntEnum):
    """LineType."""

    INBOUND_ACD = 0
    OUTBOUND_ACD = 1
    INSIDE = 2
    UNKNOWN = 3
    OUTBOUND = 7
    SILENT_MONITOR = 9


class CallType(IntEnum):
    """CallType."""

    ACD_IN = 1
    PREROUTE_ACD_IN = 2
    TRANSFER_IN = 4
    OTHER_IN = 6
    OUT = 9
    AGENT_INSIDE = 10
    CONSULT = 12
    CONSULT_OFFERED = 13
    CONFERENCE = 15
    ASSIST = 19
    EMERGENCY = 20
    SUPERVISOR_MONITOR = 21
    WHISPER = 22
    BARGE_IN = 23
    INTERCEPT = 24
    RESERVATION_PREVIEW = 27
    RESERVATION_PREVIEW_DIRECT = 28
    RESERVATION_PREDICTIVE = 29
    CUSTOMER_PREVIEW = 32
    CUSTOMER_PREVIEW_DIRECT = 33
    CUSTOMER_PREDICTIVE = 34


class Cause(IntEnum):
    """EventCause."""

    NONE = 0xFFFF
    ALTERNATE = 2
    BUSY = 3
    CANCELLED = 5
    NOT_ANSWERED = 10
    BAD_DESTINATION = 13
    CONFERENCE = 17
    NEW_CALL = 22
    REDIRECTED = 28
    TRANSFER = 32
    SUPERVISOR_ASSIST = 43
    EMERGENCY = 44
    SUPERVISOR_CLEAR = 45
    SUPERVISOR_MONITOR = 46
    SUPERVISOR_WHISPER = 47
    SUPERVISOR_BARGE = 48
    SUPERVISOR_INTERCEPT = 49
    CONSULT = 51


class Supervise(IntEnum):
    """SupervisoryAction."""

    CLEAR = 0
    MONITOR = 1
    WHISPER = 2
    BARGE = 3
    INTERCEPT = 4


class Manner(IntEnum):
    """CallMannerType."""

    DEFAULT = 0
    POLITE = 1
    BELLIGERENT = 2
    SEMI_POLITE = 3


class CallMask(IntEnum):
    """Bits of CallMsgMask, by position."""

    DELIVERED = 0
    QUEUED = 1
    ESTABLISHED = 2
    HELD = 3
    RETRIEVED = 4
    CLEARED = 5
    CONNECTION_CLEARED = 6
    ORIGINATED = 7
    CONFERENCED = 8
    TRANSFERRED = 9
    DIVERTED = 10
    SERVICE_INITIATED = 11
    BEGIN = 13
    END = 14
    DATA_UPDATE = 15
    FAILED = 16
    REACHED_NETWORK = 17
    DEQUEUED = 18
    PRE_CALL = 19


class Failure(IntEnum):
    """FailureCodes of call control."""

    INVALID_CALLING_DEVICE = 5
    PRIVILEGE = 8
    INVALID_CALL = 11
    INVALID_DEVICE = 12
    INVALID_CONNECTION = 13
    INVALID_DESTINATION = 14
    INVALID_FEATURE = 15
    STATE = 21
    OUT_OF_SERVICE = 34
    CONFERENCE_MEMBER_LIMIT = 38
    INVALID_SKILL_GROUP = 262
    AGENT_NOT_PARTY = 268


class PeripheralFailure(IntEnum):
    """PeripheralErrorCodes of call control."""

    NONE = 0
    AGENT_AVAILABLE = 10103
    NO_TEAM = 10105
    AGENT_RESERVED = 10106
    BAD_STATE = 10108
    CLEAR = 13044
    CONFERENCE_NOT_CONNECTED = 13045
    CONFERENCE_NOT_HELD = 13056
    CONSULT = 13060
    HOLD = 13081
    MAKE_CALL = 13083
    RETRIEVE = 13090
    DTMF = 13093
    SUPERVISE_NOT_TALKING = 13095
    SUPERVISE_ALREADY_IN = 13096
    SUPERVISE_ACTION = 13109
    TRANSFER_NOT_HELD = 13125
    TRANSFER_NOT_ACTIVE = 13126
    ILLEGAL_CALL_STATE = 20009
    NO_INCOMING_CALL = 20010
    NO_SUCH_DESTINATION = 20011
    DESTINATION_BUSY = 20013
    CONFERENCE_FULL = 20070
    OTHER_CALL_ACTIVE = 20112
    DEVICE_OUT_OF_SERVICE = 20119

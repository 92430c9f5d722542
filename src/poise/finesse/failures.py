"""What an agent is told when the CTI server refuses what REST had accepted.

errorData is the number, errorMessage its name, errorType a word clients show or switch on. The word depends
on the number and, because the same numbers answer sign-ins and state changes, on what was wanted.
Sources: finesse-api.md 1.6, 2.2, 2.4; cti.md 1.10, 3.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from poise.contact.snapshots import AgentFailed
from poise.contact.states import AgentState
from poise.finesse.update import api_errors_update
from poise.protocols.cti.constants import FailureCode, failure_name

INVALID_STATE = "Invalid State"
GENERIC_ERROR = "Generic Error"

_F = FailureCode
_SIGN_IN: Mapping[int, str] = {
    _F.INVALID_LOGON_DEVICE_SPECIFIED: "Invalid Device",
    _F.INVALID_ANSWERING_DEVICE_SPECIFIED: "Invalid Device",
    _F.OBJECT_NOT_KNOWN: "Invalid Device",
    _F.RESOURCE_OUT_OF_SERVICE: "Invalid Device",
    _F.DEVICE_RESTRICTED: "Invalid Device",
    _F.LINE_RESTRICTED: "Invalid Device",
    _F.EXTENSION_NOT_UNIQUE: "Invalid Device",
    _F.SPECIFIED_EXTENSION_ALREADY_IN_USE: "Device Busy",
    _F.RESOURCE_BUSY: "Device Busy",
    _F.SPECIFIED_AGENT_ALREADY_SIGNED_ON: INVALID_STATE,
    _F.INVALID_AGENT_WORKMODE: "Mode Not Allowed",
    _F.VALUE_OUT_OF_RANGE: "Invalid Input",
}
"""FailureCode of a refused sign-in -> errorType."""

_STATE_CHANGE: Mapping[int, str] = {
    _F.INVALID_PASSWORD_SPECIFIED: INVALID_STATE,  # UCCE: a state change while signed out
    _F.INVALID_PARAMETER: INVALID_STATE,  # UCCX: the same
    _F.INVALID_AGENT_WORKMODE: INVALID_STATE,
    _F.RESOURCE_BUSY: INVALID_STATE,
    _F.GENERIC_STATE_INCOMPATIBILITY: INVALID_STATE,
    _F.INVALID_OBJECT_STATE: INVALID_STATE,
    _F.VALUE_OUT_OF_RANGE: "Invalid Input",
    _F.INVALID_AGENT_REASON_CODE: "Invalid Input",
    _F.REASON_CODE_REQUIRED: "Invalid Input",
    _F.INTERNAL_PROCESSING_ERROR: "Internal Server Error",
}
"""FailureCode of a refused state change -> errorType."""


def error_type(failure: AgentFailed) -> str:
    """errorType for a failure."""
    table = _SIGN_IN if failure.wanted is AgentState.LOGIN else _STATE_CHANGE
    return table.get(failure.code, GENERIC_ERROR)


def failure_update(failure: AgentFailed) -> str:
    """`apiErrors` for a failure, as the data of an event."""
    return api_errors_update(
        error_type(failure), failure_name(failure.code), str(failure.code), peripheral_code=failure.peripheral_code
    )

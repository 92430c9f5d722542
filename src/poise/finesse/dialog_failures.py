"""What an agent is told when a request about a call comes to nothing after REST has accepted it.

errorData is the CTI server's number, errorMessage its name, errorType a word clients show or switch on: by what was
wrong, else `Call Operation Failure`. Sources: finesse-api.md 1.6, 3.3; cti.md 1.10.
"""

from __future__ import annotations

from collections.abc import Mapping

from poise.contact.dialog_states import Action
from poise.contact.dialogs import DialogFailed
from poise.contact.states import Deployment
from poise.finesse.update import api_errors_update
from poise.protocols.cti.constants import FailureCode, Status, failure_name

CALL_OPERATION_FAILURE = "Call Operation Failure"
GENERIC_ERROR = "Generic Error"
INVALID_INPUT = "Invalid Input"
INVALID_STATE = "Invalid State"
PROTECTED = "Call Variable is protected"

_F, _S = FailureCode, Status
_BY_CODE: Mapping[int, str] = {
    _F.VALUE_OUT_OF_RANGE: INVALID_INPUT,
    _F.INTERNAL_PROCESSING_ERROR: "Internal Server Error",
}
"""FailureCode -> errorType."""

_BY_STATUS: Mapping[int, str] = {
    _S.PROTECTED_VARIABLE: PROTECTED,
    **dict.fromkeys(
        (
            _S.INVALID_FIELD_LENGTH,
            _S.INVALID_ARRAY_INDEX,
            _S.INVALID_CHARACTER,
            _S.NAMED_VARIABLE_NOT_CONFIGURED,
            _S.NAMED_ARRAY_NOT_CONFIGURED,
            _S.ELEMENT_NOT_FOUND,
            _S.TOO_MUCH_DATA,
            _S.VALUE_TOO_LONG,
            _S.SCALAR_FUNCTION_ON_ARRAY,
            _S.ARRAY_FUNCTION_ON_SCALAR,
        ),
        INVALID_INPUT,
    ),
}
"""E_CTI status -> errorType."""

MONITOR_FAILED: Mapping[Deployment, int] = {Deployment.UCCE: 13_145, Deployment.UCCX: 88_049}
"""errorData of a silent monitoring that cannot be."""


def error_type(failure: DialogFailed, deployment: Deployment) -> str:
    """errorType for a failure."""
    known = (_BY_STATUS if failure.by_status else _BY_CODE).get(failure.code)
    if known is not None:
        return known
    if failure.action is Action.SILENT_MONITOR:
        return INVALID_STATE
    if failure.action is Action.CONFERENCE and failure.unfitting and deployment is Deployment.UCCX:
        return INVALID_STATE
    return GENERIC_ERROR if failure.unfitting else CALL_OPERATION_FAILURE


def failure_update(failure: DialogFailed, deployment: Deployment) -> str:
    """`apiErrors` for a failure, as the data of an event."""
    data, name = failure.code, _name(failure)
    if failure.action is Action.SILENT_MONITOR and failure.code in _CANNOT_BE:
        data = MONITOR_FAILED[deployment]
    return api_errors_update(error_type(failure, deployment), name, str(data), peripheral_code=failure.peripheral_code)


_CANNOT_BE = frozenset((_F.GENERIC_STATE_INCOMPATIBILITY, _F.INVALID_OBJECT_STATE, _F.NO_ACTIVE_CALL))


def _name(failure: DialogFailed) -> str:
    if not failure.by_status:
        return failure_name(failure.code)
    try:
        return f"E_CTI_{Status(failure.code).name}"
    except ValueError:
        return f"E_CTI_{failure.code}"

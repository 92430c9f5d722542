"""The catalogue of REST errors and how they are written.

Every refusal has one stable code here; its status, ErrorType and ErrorMessage are data, only ErrorData belongs to the
case. Source: finesse-api.md 1.6. Error *events* are written in lower case and live in `failures`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from poise.contact.requests import Refusal, RefusalCode
from poise.finesse.markup import branch, leaf, render


@dataclass(frozen=True, slots=True)
class ApiError:
    """One kind of refusal."""

    status: int
    """HTTP status."""
    type: str
    """ErrorType."""
    message: str
    """ErrorMessage: one sentence or symbol, the same for every case."""


class Code(Enum):
    """Stable names, for code, logs and documentation."""

    BAD_REQUEST = "bad-request"
    MALFORMED_XML = "malformed-xml"
    WRONG_ROOT = "wrong-root"
    PARAMETER_MISSING = "parameter-missing"
    INVALID_INPUT = "invalid-input"
    INVALID_STATE_NAME = "invalid-state-name"
    INVALID_STATE = "invalid-state"
    DIALOG_HELD = "dialog-held"
    OUTSTANDING_CONSULT = "outstanding-consult"
    INVALID_DESTINATION = "invalid-destination"
    GENERIC_ERROR = "generic-error"
    FINESSE_API_ERROR = "finesse-api-error"
    OPERATION_FAILURE = "operation-failure"
    MAXIMUM_EXCEEDED = "maximum-exceeded"
    TEAM_MESSAGE_LIMIT = "team-message-limit"
    UNAUTHORIZED = "unauthorized"
    OTHER_USER = "other-user"
    INVALID_SUPERVISOR = "invalid-supervisor"
    FORBIDDEN = "forbidden"
    ADMINISTRATORS_ONLY = "administrators-only-api"
    AUTH_MODE_DISABLED = "auth-mode-disabled"
    NOT_FOUND = "not-found"
    UNKNOWN_USER = "unknown-user"
    DIALOG_NOT_FOUND = "dialog-not-found"
    INVALID_TEAM = "invalid-team"
    TEAM_ID_NOT_FOUND = "team-id-not-found"
    METHOD_NOT_ALLOWED = "method-not-allowed"
    CHANGED_MEANWHILE = "changed-meanwhile"
    TOO_LARGE = "too-large"
    INVALID_RANGE = "invalid-range"
    INTERNAL_ERROR = "internal-error"
    NOT_IMPLEMENTED = "not-implemented"
    OUT_OF_SERVICE = "out-of-service"


CATALOGUE: Mapping[Code, ApiError] = {
    Code.BAD_REQUEST: ApiError(400, "Bad Request", "The request cannot be understood"),
    Code.MALFORMED_XML: ApiError(400, "Bad Request", "The body is not well-formed XML"),
    Code.WRONG_ROOT: ApiError(400, "Bad Request", "The body's root element is not the one of this resource"),
    Code.PARAMETER_MISSING: ApiError(400, "Parameter Missing", "A required parameter is missing"),
    Code.INVALID_INPUT: ApiError(400, "Invalid Input", "A parameter has a value that is not allowed"),
    Code.INVALID_STATE_NAME: ApiError(400, "Invalid Input", "Invalid State specified for user"),
    Code.INVALID_STATE: ApiError(400, "Invalid State", "The present state does not allow this change"),
    Code.DIALOG_HELD: ApiError(401, "Invalid State", "The call is on hold"),
    Code.OUTSTANDING_CONSULT: ApiError(400, "20999", "The agent has a consultation under way"),
    Code.INVALID_DESTINATION: ApiError(400, "Invalid Destination", "The destination is not allowed"),
    Code.GENERIC_ERROR: ApiError(400, "Generic Error", "The request was refused"),
    Code.FINESSE_API_ERROR: ApiError(400, "Finesse API Error", "The stored objects do not allow this change"),
    Code.OPERATION_FAILURE: ApiError(400, "Operation Failure", "The server could not store what was sent"),
    Code.MAXIMUM_EXCEEDED: ApiError(400, "Maximum Exceeded", "There are as many objects of this kind as allowed"),
    Code.TEAM_MESSAGE_LIMIT: ApiError(400, "System Resource Limit Exceeded", "MAX_ACTIVE_MESSAGE_LIMIT_EXCEEDED"),
    Code.UNAUTHORIZED: ApiError(401, "Authorization Failure", "UNAUTHORIZED"),
    Code.OTHER_USER: ApiError(
        401, "Invalid Authorization User Specified", "The credentials and the user in the URI do not match"
    ),
    Code.INVALID_SUPERVISOR: ApiError(401, "Invalid Supervisor", "The user is not in a team you supervise"),
    Code.FORBIDDEN: ApiError(403, "Forbidden", "The request is not allowed on this node"),
    Code.ADMINISTRATORS_ONLY: ApiError(403, "Forbidden", "Only administrators may use this resource"),
    Code.AUTH_MODE_DISABLED: ApiError(403, "Forbidden", "UserAuthModeService is disabled"),
    Code.NOT_FOUND: ApiError(404, "Not Found", "There is no such resource"),
    Code.UNKNOWN_USER: ApiError(404, "User Not Found", "UNKNOWN_USER"),
    Code.DIALOG_NOT_FOUND: ApiError(404, "Dialog Not Found", "Invalid dialogId specified for dialog"),
    Code.INVALID_TEAM: ApiError(
        404, "finesse.api.team.team_assignment_invalid_team", "The configuration names no such team"
    ),
    Code.TEAM_ID_NOT_FOUND: ApiError(404, "TeamId Not Found", "The configuration names no such team"),
    Code.METHOD_NOT_ALLOWED: ApiError(405, "Method Not Allowed", "The resource does not know this method"),
    Code.CHANGED_MEANWHILE: ApiError(
        409, "Conflict", "Somebody changed the object since you read it: read it again, then change it"
    ),
    Code.TOO_LARGE: ApiError(413, "Invalid Input", "The body is larger than allowed"),
    Code.INVALID_RANGE: ApiError(416, "Invalid Range", "The range cannot be satisfied"),
    Code.INTERNAL_ERROR: ApiError(500, "Internal Server Error", "The server made a mistake; its log says more"),
    Code.NOT_IMPLEMENTED: ApiError(501, "Not Implemented", "The server does not offer this yet"),
    Code.OUT_OF_SERVICE: ApiError(503, "Service Unavailable", "SERVER_OUT_OF_SERVICE"),
}
"""Code -> what clients are told."""


class ApiException(Exception):  # noqa: N818 - an outcome for the caller, not a fault of ours
    """A request is refused."""

    def __init__(self, code: Code, data: str = "") -> None:
        super().__init__(f"{code.value}: {data}" if data else code.value)
        self.code = code
        self.data = data

    @property
    def error(self) -> ApiError:
        """Its entry in the catalogue."""
        return CATALOGUE[self.code]

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.error.status

    def body(self) -> bytes:
        """The answer's body."""
        return api_errors(self.code, self.data)


def api_errors(code: Code, data: str = "") -> bytes:
    """The ApiErrors document for one refusal."""
    error = CATALOGUE[code]
    children = (leaf("ErrorType", error.type), leaf("ErrorMessage", error.message), leaf("ErrorData", data))
    return render(branch("ApiErrors", [branch("ApiError", children)])).encode()


FOR_REFUSAL: Mapping[RefusalCode, Code] = {
    RefusalCode.UNKNOWN_AGENT: Code.UNKNOWN_USER,
    RefusalCode.EXTENSION_MISSING: Code.PARAMETER_MISSING,
    RefusalCode.EXTENSION_INVALID: Code.INVALID_INPUT,
    RefusalCode.NOT_A_WISH: Code.INVALID_STATE_NAME,
    RefusalCode.WRONG_STATE: Code.INVALID_STATE,
    RefusalCode.REASON_NOT_ALLOWED: Code.INVALID_INPUT,
}
"""What a refusal of the agent model is called in REST."""


def for_refusal(refusal: Refusal) -> ApiException:
    """The error for a wish that the agent model refused."""
    return ApiException(FOR_REFUSAL[refusal.code], refusal.data)

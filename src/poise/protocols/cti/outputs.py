"""What a link gives to its shell: things to do and things that became known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from poise.protocols.cti.config import ConfigReceived
from poise.protocols.cti.constants import FailureCode
from poise.protocols.cti.messages import Message


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two redundant CTI servers."""

    name: str
    """"A" or "B"."""
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a TCP connection to this side; then call `connected` or `disconnected`."""

    side: Side


@dataclass(frozen=True, slots=True)
class SendBytes:
    """Write to the connection."""

    data: bytes
    message: Message
    """What the bytes say, for the log."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection now; `disconnected` need not be called."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Open, configured and synchronised: everything known is true now."""

    side: Side
    version: int
    """Protocol version of the session."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The link was up and is no more."""

    reason: str


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """A connection to this side, or an attempt at one, ended."""

    side: Side
    reason: str


@dataclass(frozen=True, slots=True)
class Received:
    """An event of the CTI server.

    While synchronising also one QUERY_AGENT_STATE_CONF for each agent (always with AGENT_ID), one SNAPSHOT_DEVICE_CONF
    for each telephone signed in at, and one SNAPSHOT_CALL_CONF for each call found there.
    """

    message: Message


@dataclass(frozen=True, slots=True)
class StatisticsReceived:
    """The figures of one skill group, asked for by the link itself."""

    skill_group: int
    """Its number."""
    message: Message
    """QUERY_SKILL_GROUP_STATISTICS_CONF."""


class Outcome(Enum):
    """How a request ended."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    TIMED_OUT = "timed out"
    LINK_LOST = "link lost"
    UNWRITABLE = "unwritable"


_FAILURES = {
    Outcome.REFUSED: FailureCode.GENERIC_OPERATION,
    Outcome.TIMED_OUT: FailureCode.REQUEST_TIMEOUT_REJECTION,
    Outcome.LINK_LOST: FailureCode.RESOURCE_OUT_OF_SERVICE,
    Outcome.UNWRITABLE: FailureCode.VALUE_OUT_OF_RANGE,
}


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """The end of one request. Every request has exactly one."""

    invoke_id: int
    request: Message
    context: object
    """Whatever the caller gave with the request."""
    outcome: Outcome
    answer: Message | None = None
    """The confirmation or failure, if one came."""

    @property
    def failure_code(self) -> int | None:
        """FailureCode to show (`failure_name` names it), or None after success.

        The CTI server's own where it gave one; else the code that says the same (request time-out, out of service,
        value out of range, or operation failed for FAILURE_CONF).
        """
        if self.outcome is Outcome.CONFIRMED:
            return None
        if self.answer is not None and "FailureCode" in self.answer.fields:
            return self.answer.fields["FailureCode"]
        return _FAILURES[self.outcome]

    @property
    def peripheral_error(self) -> int:
        """PeripheralErrorCode of a CONTROL_FAILURE_CONF, or 0."""
        return 0 if self.answer is None else self.answer.fields.get("PeripheralErrorCode", 0)


@dataclass(frozen=True, slots=True)
class Log:
    """Something odd that did not end the link, in one sentence without secrets."""

    text: str


Output: TypeAlias = (
    Connect
    | SendBytes
    | Close
    | LinkUp
    | LinkDown
    | AttemptEnded
    | ConfigReceived
    | Received
    | StatisticsReceived
    | RequestEnded
    | Log
)

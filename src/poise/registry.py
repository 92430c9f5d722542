"""The one registry of endings: every way a session can end is one value here.

Log lines, metrics, BOSH conditions, stream errors, the desktop's banner and the diagnosis rules all read these values,
so that a cause has the same name everywhere. This module imports nothing of Poise and knows no wire format.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Who(Enum):
    """On whose side a session was ended."""

    CLIENT = "client"
    NETWORK = "network"
    SERVER = "server"
    OPERATOR = "operator"


class Severity(Enum):
    """How loudly an ending is reported."""

    NORMAL = "normal"
    WARNING = "warning"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class Ending:
    """One way in which a session ends."""

    code: str
    """Stable name, for logs, metrics and `poise explain`."""
    who: Who
    """On whose side the session was ended."""
    severity: Severity
    """How loudly it is reported."""
    bosh: str | None
    """XEP-0124 terminal binding condition, or None for `terminate` without a condition."""
    stream: str | None
    """RFC 6120 section 4.9.3 stream error condition, or None where the stream closes without an error."""
    agent: str
    """One sentence for the agent's screen."""
    operator: str
    """One sentence for the person on night duty: what happened and what to do."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The testimony of one ended session."""

    ending: Ending
    """Which way it ended."""
    heard_after: float
    """Monotonic seconds: the client was certainly alive at this moment."""
    heard_before: float
    """Monotonic seconds: nothing was heard from the client after this moment. Last contact lies between the two."""
    at: float
    """Monotonic seconds of the ending itself."""
    timer_s: float | None = None
    """Length in seconds of the timer that fired, if a timer ended it."""
    evidence: str = ""
    """What was seen, in a few words without secrets."""


def _table(*rows: Ending) -> dict[str, Ending]:
    table = {row.code: row for row in rows}
    assert len(table) == len(rows), "an ending's code is used twice"
    return table


_C, _N, _S, _O = Who.CLIENT, Who.NETWORK, Who.SERVER, Who.OPERATOR
_OK, _WARN, _FAULT = Severity.NORMAL, Severity.WARNING, Severity.FAULT

# fmt: off
ENDINGS: dict[str, Ending] = _table(
    Ending("client-left", _C, _OK, None, None,
           "You closed the connection.", "The client ended its session itself; nothing to do."),
    Ending("idle", _N, _WARN, None, "connection-timeout",
           "The server did not hear from this browser for too long.",
           "No request was held for longer than the idle limit: look at the client's network, sleep, or a hidden tab."),
    Ending("paused-too-long", _C, _WARN, None, "connection-timeout",
           "The connection was paused for longer than it asked for.",
           "The client announced a pause and did not come back in time."),
    Ending("gap-not-filled", _N, _WARN, "item-not-found", "connection-timeout",
           "A message from this browser was lost on the way.",
           "A request id was skipped and never arrived: a proxy or the network lost a request."),
    Ending("rid-out-of-window", _C, _WARN, "item-not-found", "policy-violation",
           "This browser and the server lost step.",
           "A request id lay outside the window: two copies of one client, or a client that counts wrongly."),
    Ending("bad-request", _C, _WARN, "bad-request", "bad-format",
           "The server could not read a message from this browser.",
           "The client sent a body that is not valid XMPP over BOSH; the trace holds its start."),
    Ending("bad-frame", _C, _WARN, None, "bad-format",
           "The server could not read a message from this browser.",
           "The client broke the rules of WebSocket (RFC 6455); `evidence` says how."),
    Ending("too-active", _C, _WARN, "policy-violation", "policy-violation",
           "This browser sent more requests than agreed.",
           "More simultaneous or more frequent requests than `requests` and `polling` allow."),
    Ending("pause-too-long-asked", _C, _WARN, "policy-violation", "policy-violation",
           "This browser asked for too long a pause.", "The client asked for a pause above maxpause."),
    Ending("too-big", _C, _WARN, "policy-violation", "policy-violation",
           "This browser sent too large a message.", "A stanza or body was over the size limit."),
    Ending("queue-full", _C, _WARN, "policy-violation", "resource-constraint",
           "This browser did not collect its messages in time.",
           "Undelivered stanzas reached the bound of the session: a slow or dead client."),
    Ending("broken-xml", _C, _WARN, "remote-stream-error", "not-well-formed",
           "The server could not read a message from this browser.", "The client sent XML that is not well-formed."),
    Ending("restricted-xml", _C, _WARN, "remote-stream-error", "restricted-xml",
           "The server refused a message from this browser.",
           "The client sent a comment, processing instruction, DTD or entity (RFC 6120 section 11.1)."),
    Ending("stream-refused", _C, _WARN, "remote-stream-error", "undefined-condition",
           "The server refused this browser's connection.",
           "A stream error other than those of this table; `evidence` names the condition."),
    Ending("not-authorized", _C, _WARN, "remote-stream-error", "not-authorized",
           "This connection is not signed in.", "Stanzas were sent before sign-in and bind were complete."),
    Ending("invalid-from", _C, _WARN, "remote-stream-error", "invalid-from",
           "The server refused a message from this browser.", "A stanza claimed to come from another JID."),
    Ending("auth-timeout", _C, _WARN, "remote-stream-error", "connection-timeout",
           "Sign-in took too long.", "The connection was open for the sign-in limit without becoming a session."),
    Ending("replaced", _C, _WARN, "remote-stream-error", "conflict",
           "You signed in somewhere else with the same kind of desktop.",
           "A newer session of the same user took the same resource."),
    Ending("killed", _O, _WARN, "remote-stream-error", "policy-violation",
           "An administrator closed this connection.", "Closed by an administrator."),
    Ending("socket-lost", _N, _WARN, None, None,
           "The connection to the server broke.", "The TCP connection was reset or closed without an end of stream."),
    Ending("tls-failed", _N, _WARN, None, None,
           "No secure connection to the server could be made.",
           "The TLS handshake failed: look for a client without TLS 1.2, or one that does not trust the certificate."),
    Ending("shutdown", _S, _OK, "system-shutdown", "system-shutdown",
           "The server is stopping.", "The server was stopped in an orderly way."),
    Ending("fault", _S, _FAULT, "internal-server-error", "internal-server-error",
           "The server made a mistake with this connection.",
           "An unexpected exception in Poise: please report it with the trace."),
)
# fmt: on

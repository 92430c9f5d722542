"""What the notification service says about itself: one typed method per event, shared by log, trace and metrics.

The service calls these methods; `poise.server.serviceability.openfire` writes them in the seed's literal form. Nothing
here formats a line, opens a file or knows a level. Bodies arrive as they were on the wire, except that SASL payloads
have been masked by the caller already (`masked`): no implementation ever sees a password.
"""

from __future__ import annotations

import re
from typing import Protocol

from poise.registry import Closed

STATUS_CONNECTED = 1
"""Openfire's number, in `consumeResponse` lines, for a session that is not signed in yet."""
STATUS_AUTHENTICATED = 3
"""Openfire's number, in `consumeResponse` lines, for a session with a bound resource."""


class NotificationLog(Protocol):
    """Receives every event of the notification service, on the event loop's thread, in order. Must not raise."""

    debug_enabled: bool
    """While False the service skips the calls marked *debug* and the work of preparing them. Switchable at run time."""

    def started(self) -> None:
        """The HTTP bind listeners are open (`HTTP bind service started`)."""

    def stopped(self) -> None:
        """All sessions are told and all listeners closed (`Openfire stopped`)."""

    def http_recv(self, sid: str, body: bytes) -> None:
        """Debug. A BOSH body came in; `sid` is empty for a creation request (`HTTP RECV(sid): body`)."""

    def http_sent(self, sid: str, body: bytes) -> None:
        """Debug. A BOSH body went out (`HTTP SENT(sid): body`)."""

    def http_error(self, sid: str, condition: str) -> None:
        """Debug. A request was refused with a terminal condition (`HTTP ERR(sid): terminate, condition.`)."""

    def consume_response(self, *, sid: str, status: int, jid: str, presence: bytes, rid: int) -> None:
        """Debug. A held request was answered with data.

        `status` is STATUS_CONNECTED or STATUS_AUTHENTICATED, `jid` the bare JID or empty, `presence` the client's last
        presence as XML (empty before the first one), `rid` the request that carried the answer.
        """

    def session_created(self, *, sid: str, transport: str, address: str) -> None:
        """A client opened a session: `transport` is "bosh", "tcp" or "websocket", `address` its IP address."""

    def session_bound(self, *, sid: str, jid: str, address: str) -> None:
        """A session signed in and bound the full JID `jid`."""

    def sign_in_failed(self, *, sid: str, user: str, address: str, temporary: bool) -> None:
        """A password check said no; `temporary` when the account is locked or the check itself could not be made."""

    def overactive(self, *, sid: str, jid: str, evidence: str, count: int) -> None:
        """A client is more active than agreed, for the `count`th time, and policy is only to say so."""

    def idle_tick(self, *, sid: str, idle_ms: int, jid: str) -> None:
        """Debug. The reaper looked at a session (`Session (id=sid) was last active N ms ago: jid`)."""

    def statistics(self, *, epoch_ms: int, jid: str, msgs_sent: int, msgs_received: int) -> None:
        """Debug. Counts of one session since it began (`time=…,JID=…,msgs_sent=…,msgs_…`)."""

    def closing_idle(self, *, sid: str, jid: str, threshold_s: int) -> None:
        """The reaper closes a session (`Closing idle session (id=sid): jid` and its second line)."""

    def session_closed(self, jid: str) -> None:
        """A bound session is gone, for whatever reason (`A session is closed for jid`)."""

    def session_ended(self, *, sid: str, jid: str, transport: str, address: str, closed: Closed) -> None:
        """The testimony of every ended session, bound or not, for trace and metrics; follows `session_closed`."""

    def store_offline(self, stanza: bytes) -> None:
        """Debug. A stanza found no session (`Unable to route packet. No session is available so store offline. …`)."""

    def stalled(self, seconds: float) -> None:
        """The server itself did not run for so long; no session is charged for it."""

    def fault(self, *, sid: str, jid: str, error: BaseException) -> None:
        """An exception of ours while handling one session, which ends with `fault`; the traceback hangs on `error`."""


class NoLog:
    """A log that keeps nothing."""

    debug_enabled = False

    def started(self) -> None:
        """Nothing."""

    def stopped(self) -> None:
        """Nothing."""

    def http_recv(self, sid: str, body: bytes) -> None:
        """Nothing."""

    def http_sent(self, sid: str, body: bytes) -> None:
        """Nothing."""

    def http_error(self, sid: str, condition: str) -> None:
        """Nothing."""

    def consume_response(self, *, sid: str, status: int, jid: str, presence: bytes, rid: int) -> None:
        """Nothing."""

    def session_created(self, *, sid: str, transport: str, address: str) -> None:
        """Nothing."""

    def session_bound(self, *, sid: str, jid: str, address: str) -> None:
        """Nothing."""

    def sign_in_failed(self, *, sid: str, user: str, address: str, temporary: bool) -> None:
        """Nothing."""

    def overactive(self, *, sid: str, jid: str, evidence: str, count: int) -> None:
        """Nothing."""

    def idle_tick(self, *, sid: str, idle_ms: int, jid: str) -> None:
        """Nothing."""

    def statistics(self, *, epoch_ms: int, jid: str, msgs_sent: int, msgs_received: int) -> None:
        """Nothing."""

    def closing_idle(self, *, sid: str, jid: str, threshold_s: int) -> None:
        """Nothing."""

    def session_closed(self, jid: str) -> None:
        """Nothing."""

    def session_ended(self, *, sid: str, jid: str, transport: str, address: str, closed: Closed) -> None:
        """Nothing."""

    def store_offline(self, stanza: bytes) -> None:
        """Nothing."""

    def stalled(self, seconds: float) -> None:
        """Nothing."""

    def fault(self, *, sid: str, jid: str, error: BaseException) -> None:
        """Nothing."""


_SECRET = re.compile(
    rb"""
    (< (?:[^\s<>/:=]+:)? (auth|response|challenge|success|password|digest) ) (?=[\s/>]|\Z)
    (?:
      ((?:[^>"']|"[^"]*"|'[^']*')* (?<!/) >)                  # an opening tag, quoted values skipped,
      .*? (?= </ (?:[^\s<>/:=]+:)? \2 [\s>] | \Z )           # and what it holds
    | ((?:[^>"']|"[^"]*"|'[^']*')* />)                        # an empty element
    | .*\Z                                                    # a tag that never ends
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_NAMES = (b"auth", b"response", b"challenge", b"success", b"password", b"digest")


def masked(body: bytes) -> bytes:
    """`body` with the content of every element that may hold a secret replaced by `***`.

    These are the SASL elements and the fields of legacy sign-in, with any prefix and quoting. The bytes may be no XML
    at all: when an element never ends, everything after its name or its opening tag is masked.
    """
    if not any(name in body for name in _NAMES):
        return body
    return _SECRET.sub(_mask, body)


def _mask(match: re.Match[bytes]) -> bytes:
    start, _, rest_of_tag, empty = match.groups()
    if empty is not None:
        return match.group(0)
    return start + (rest_of_tag or b" ") + b"***"

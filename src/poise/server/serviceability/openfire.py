"""The notification service's logs in the seed's literal form, and the same events as trace and metrics.

Finesse's build of Openfire writes `2017.06.17 00:15:04 <message>`: local time without a zone, no logger, level or
thread. debug.log is off until somebody switches it on, and off again after a restart. Sids stand in it as the seed has
them; that is why it is off. Bodies arrive masked (`poise.server.notification.log.masked`).
"""

from __future__ import annotations

import traceback
from datetime import tzinfo

from poise.registry import ENDINGS, Closed
from poise.server.clock import Clock
from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.lines import local, one_line, openfire_stamp
from poise.server.serviceability.metrics import Metrics
from poise.server.serviceability.trace import Trace
from poise.server.serviceability.writer import LogFile, LogWriter, Numbered

MAX_BYTES = 10 * 1024 * 1024
"""Size at which an openfire log is rotated. Upstream rotates at 1 MB: with HTTP bodies a minute of a busy server."""
KEEP = 10
"""Rotated files kept of each log."""

TRANSPORTS = ("bosh", "tcp", "websocket")
"""Bindings, as metrics name them."""


class OpenfireLog:
    """Implements `poise.server.notification.log.NotificationLog`. Lives on the event loop's thread."""

    def __init__(
        self,
        writer: LogWriter,
        activelog: Activelog,
        clock: Clock,
        trace: Trace,
        metrics: Metrics,
        *,
        debug: bool = False,
        zone: tzinfo | None = None,
    ) -> None:
        """`zone`: None for the machine's own."""
        self.debug_enabled = debug
        self._writer = writer
        self._clock = clock
        self._zone = zone
        self._trace = trace
        self._stamp = (-1, "")
        self._debug = self._file(activelog, "debug.log")
        self._info = self._file(activelog, "info.log")
        self._warn = self._file(activelog, "warn.log")
        self._error = self._file(activelog, "error.log")
        self._service = writer.file(
            activelog.openfireservice, Numbered("openfireservice.log", KEEP), max_bytes=MAX_BYTES, notice=self._missing
        )
        self._open: dict[str, int] = {}
        self._created = metrics.counter("poise_sessions_created_total", "Sessions opened.", "transport")
        self._bound = metrics.counter("poise_sessions_bound_total", "Sessions signed in and bound.")
        self._ended = metrics.counter("poise_sessions_ended_total", "Sessions ended, by ending.", "code", "transport")
        for code in ENDINGS:  # all at once: what first appears with a value has no rate
            for transport in TRANSPORTS:
                self._ended.add(code, transport, by=0)
        self._refused = metrics.counter("poise_sign_ins_failed_total", "Sign-ins refused.", "temporary")
        self._overactive = metrics.counter("poise_overactivity_total", "Requests beyond what was agreed, let pass.")
        self._stalls = metrics.counter("poise_stalls_total", "Times in which the server did not run.")
        self._faults = metrics.counter("poise_faults_total", "Sessions ended by an exception of ours.")
        metrics.gauge("poise_sessions", "Sessions open now, signed in or not.", lambda: sum(self._open.values()))

    def set_debug(self, enabled: bool) -> None:
        """Switch debug.log, as `utils finesse notification logging enable` does."""
        self.debug_enabled = enabled
        self._trace.event("debug_log_switched", enabled=enabled)

    def started(self) -> None:
        """The HTTP bind listeners are open."""
        self._say(self._info, "HTTP bind service started")
        self._say(self._service, "HTTP bind service started")
        self._trace.event("service_started")

    def stopped(self) -> None:
        """All listeners are closed."""
        for file in (self._info, self._service):
            self._say(file, "HTTP bind service stopped")
            self._say(file, "Openfire stops")  # the words the seed searches for
        self._trace.event("service_stopped")

    def http_recv(self, sid: str, body: bytes) -> None:
        """A BOSH body came in."""
        self._say(self._debug, f"HTTPBindLog: HTTP RECV({sid}): {_text(body)}")

    def http_sent(self, sid: str, body: bytes) -> None:
        """A BOSH body went out."""
        self._say(self._debug, f"HTTPBindLog: HTTP SENT({sid}): {_text(body)}")

    def http_error(self, sid: str, condition: str) -> None:
        """A request was refused with a terminal condition."""
        self._say(self._debug, f"HTTPBindLog: HTTP ERR({sid}): terminate, {condition}.")

    def consume_response(self, *, sid: str, status: int, jid: str, presence: bytes, rid: int) -> None:
        """A held request was answered with data; the presence stands on a line of its own, as in the seed."""
        head = one_line(f"consumeResponse: HttpSession(id={sid}) status: {status} address: {jid}")
        tail = f"\n{one_line(_text(presence))} rid: {rid}" if presence else f" rid: {rid}"
        self._lines(self._debug, head + tail)

    def session_created(self, *, sid: str, transport: str, address: str) -> None:
        """A client opened a session."""
        self._open[transport] = self._open.get(transport, 0) + 1
        self._created.add(transport)
        self._trace.event("session_created", sid=sid, transport=transport, address=address)

    def session_bound(self, *, sid: str, jid: str, address: str) -> None:
        """A session signed in and bound its JID."""
        self._bound.add()
        self._trace.event("session_bound", sid=sid, jid=jid, address=address)

    def sign_in_failed(self, *, sid: str, user: str, address: str, temporary: bool) -> None:
        """A password check said no."""
        self._refused.add("true" if temporary else "false")
        self._trace.event("sign_in_failed", sid=sid, user=user, address=address, temporary=temporary)

    def overactive(self, *, sid: str, jid: str, evidence: str, count: int) -> None:
        """A client is more active than agreed; told at the first, second, fourth ... time, so that it cannot flood."""
        self._overactive.add()
        if count & (count - 1) == 0:
            self._say(self._warn, f"Overactivity detected in session (id={sid}): {jid}: {evidence} ({count} times)")
            self._trace.event("session_overactive", sid=sid, jid=jid, evidence=evidence, count=count)

    def idle_tick(self, *, sid: str, idle_ms: int, jid: str) -> None:
        """The reaper looked at a session."""
        self._say(self._debug, f"Session (id={sid}) was last active {idle_ms} ms ago: {jid}")

    def statistics(self, *, epoch_ms: int, jid: str, msgs_sent: int, msgs_received: int) -> None:
        """Counts of one session; the epoch calibrates the zone-less stamps of this file."""
        self._say(self._debug, f"time={epoch_ms},JID={jid},msgs_sent={msgs_sent},msgs_received={msgs_received}")

    def closing_idle(self, *, sid: str, jid: str, threshold_s: int) -> None:
        """The reaper closes a session: two physical lines."""
        head = one_line(f"Closing idle session (id={sid}): {jid}")
        self._lines(self._info, f"{head}\nafter inactivity for more than threshold value of {threshold_s}")

    def session_closed(self, jid: str) -> None:
        """A bound session is gone."""
        self._say(self._info, f"A session is closed for {jid}")

    def session_ended(self, *, sid: str, jid: str, transport: str, address: str, closed: Closed) -> None:
        """The testimony of an ended session. Moments are given as seconds before the ending."""
        self._open[transport] = max(0, self._open.get(transport, 0) - 1)
        self._ended.add(closed.ending.code, transport)
        self._trace.event(
            "session_ended",
            sid=sid,
            jid=jid,
            transport=transport,
            address=address,
            code=closed.ending.code,
            who=closed.ending.who.value,
            severity=closed.ending.severity.value,
            heard_after_s=round(closed.at - closed.heard_after, 3),
            heard_before_s=round(closed.at - closed.heard_before, 3),
            timer_s=closed.timer_s,
            evidence=closed.evidence,
        )

    def store_offline(self, stanza: bytes) -> None:
        """A stanza found no session."""
        text = _text(stanza)
        self._say(self._debug, f"Unable to route packet. No session is available so store offline. {text}")

    def stalled(self, seconds: float) -> None:
        """The server did not run for so long."""
        self._stalls.add()
        self._say(self._warn, f"The server did not run for {seconds:.1f} s; no session is charged for it")
        self._trace.event("server_stalled", seconds=round(seconds, 3))

    def fault(self, *, sid: str, jid: str, error: BaseException) -> None:
        """An exception of ours: the traceback's lines follow the first one, each indented."""
        self._faults.add()
        head = one_line(f"Fault in session (id={sid}) of {jid}: {type(error).__name__}: {error}")
        frames = "".join(traceback.format_tb(error.__traceback__)).splitlines()
        self._lines(self._error, "\n".join([head, *(f"  {one_line(frame)}" for frame in frames)]))
        self._trace.event("session_fault", sid=sid, jid=jid, error=f"{type(error).__name__}: {error}")

    def _file(self, activelog: Activelog, name: str) -> LogFile:
        return self._writer.file(activelog.openfire, Numbered(name, KEEP), max_bytes=MAX_BYTES, notice=self._missing)

    def _missing(self, count: int) -> str:
        # on the writer's thread: makes a stamp of its own instead of touching the loop's
        moment = local(self._clock.wall(), self._zone)
        return f"{openfire_stamp(moment)} {count} lines were not written: the log queue was full or the disk refused\n"

    def _say(self, file: LogFile, message: str) -> None:
        self._lines(file, one_line(message))

    def _lines(self, file: LogFile, safe: str) -> None:
        wall = self._clock.wall()
        if self._stamp[0] != int(wall):
            self._stamp = (int(wall), openfire_stamp(local(wall, self._zone)))
        file.write(f"{self._stamp[1]} {safe}\n")


def _text(body: bytes) -> str:
    return body.decode("utf-8", "backslashreplace")

"""Desktop-webservices logs in the grammar of the seed, and the same events as trace and metrics.

`<seq>: <host>: <Mon dd yyyy HH:MM:SS.mmm> <zone>: %CCBU_<thread>-<severity>-<MNEMONIC>: %[k=v][k=v]: <text>`. Thread
names are the seed's: readers know by them which part of the server spoke. Passwords and tokens never come here.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Protocol

from poise.protocols.cti.messages import Message
from poise.protocols.cti.seedform import decoded_text, request_text
from poise.server.clock import Clock
from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.lines import ccbu_stamp, ccbu_stamper, file_stamp, local, one_line
from poise.server.serviceability.metrics import Metrics
from poise.server.serviceability.trace import Trace
from poise.server.serviceability.writer import LogWriter, Stamped

MAX_BYTES = 100 * 1024 * 1024
"""Size at which a new file begins. Finesse guide, log collection."""
KEEP = 20
"""Files kept: 2 GB. Finesse keeps about 4.5 GB, compressed."""

METHODS = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE"))
"""Methods that are counted by name: a client may send any word, and a metric must stay bounded."""

ERROR, WARNING, NOTICE, INFORMATIONAL = 3, 4, 5, 6
"""Severities of syslog, as the grammar has them."""

SMACK = "Smack Listener Processor (1)"
"""Thread name of what the notification service tells the web services."""
POOL = "pool-8-thread-1"
"""Thread name of timers."""
WORKER = "CoreImpl-worker12"
"""Thread name of what the server does of its own accord."""
CTI_READER = "CTIMessageEventExecutor-0"
"""Thread name of what comes from the CTI server."""
EXEC = "https-openssl-nio-8445-exec-1"
"""Thread name of REST requests."""


class AgentLog(Protocol):
    """What the agent service tells its log. Implemented by `WebservicesLog`."""

    def presence(self, user: str, resource: str, available: bool) -> None:
        """A resource of a user came or went."""

    def agent_presence(self, user: str, available: bool, grace_s: float) -> None:
        """A user's last resource went, or the first one came; `grace_s` until the logout, 0 when none is due."""

    def presence_monitor(self, user: str) -> None:
        """A logout is still pending."""

    def presence_logout_cancelled(self, user: str, why: str) -> None:
        """A pending logout is off."""

    def presence_logout_waiting(self, user: str, why: str) -> None:
        """A logout is due and waits for something."""

    def presence_driven_logout(self, user: str) -> None:
        """A logout is sent now."""

    def agent_fault(self, doing: str, error: Exception) -> None:
        """An exception of ours; what was being done is lost, everything else goes on."""

    def published(self, node: str, payload: str) -> None:
        """A notification is handed to the notification service."""

    def publish_failed(self, node: str, reason: str) -> None:
        """A notification had nowhere to go."""

    def service_state(self, in_service: bool, reason: str) -> None:
        """The web services changed between IN_SERVICE and OUT_OF_SERVICE."""


class WebservicesLog:
    """Implements `AgentLog` and `poise.server.ctilink.log.CtiLog`. Lives on the event loop's thread."""

    def __init__(
        self,
        writer: LogWriter,
        activelog: Activelog,
        clock: Clock,
        trace: Trace,
        metrics: Metrics,
        *,
        host: str,
        deployment: str = "UCCE",
        zone: tzinfo | None = None,
    ) -> None:
        """`host`: this server's name or address; `zone`: None for the machine's own."""
        self._clock = clock
        self._zone = zone
        self._trace = trace
        self._host = one_line(host)
        self._deployment = "CCX" if deployment == "UCCX" else "CCE"
        self._sequence = 0
        self._stamp = ccbu_stamper(zone)
        self._cti_sequence = 0
        naming = Stamped("Desktop-webservices", KEEP, lambda: file_stamp(local(clock.wall(), zone)))
        self._file = writer.file(activelog.webservices, naming, max_bytes=MAX_BYTES, notice=self._missing)
        self._requests = metrics.counter("poise_rest_requests_total", "REST requests answered.", "method", "status")
        self._published = metrics.counter(
            "poise_updates_published_total", "Updates handed to the notification service."
        )
        self._logouts = metrics.counter(
            "poise_presence_logouts_total", "Presence-driven logouts sent to the CTI server."
        )
        self._cti_sent = metrics.counter("poise_cti_requests_total", "Requests sent to the CTI server.")
        self._cti_received = metrics.counter("poise_cti_messages_total", "Messages of the CTI server.")

    def line(
        self, thread: str, severity: int, mnemonic: str, text: str, *values: tuple[str, object], trusted: str = ""
    ) -> None:
        """Write one record. `trusted`: more of the bracketed part, made by our own renderer, brackets balanced."""
        self._sequence += 1
        stamp = self._stamp(self._clock.wall())
        self._file.write(self._record(stamp, self._sequence, thread, severity, mnemonic, text, values, trusted))

    def presence(self, user: str, resource: str, available: bool) -> None:
        """A resource of a user came or went; the mnemonic has the spelling that runbooks search for."""
        kind = "available" if available else "unavailable"
        values = (("agent_id", user), ("resource", resource), ("presence_type", kind))
        self.line(SMACK, INFORMATIONAL, "PRESENCE_NOTIFICATION_RECIEVED", "Received presence notification", *values)
        self._trace.event("presence_received", user=user, resource=resource, available=available)

    def agent_presence(self, user: str, available: bool, grace_s: float) -> None:
        """A user's presence as a whole changed."""
        kind = "AVAILABLE" if available else "UNAVAILABLE"
        if not available:
            text = "Agent is no longer subscribed: no session is left"
            self.line(SMACK, INFORMATIONAL, "UNSUBSCRIBED", text, ("agent_id", user))
        text = f"Agent is {kind}" + (f"; presence driven logout in {grace_s:g} seconds" if grace_s else "")
        self.line(SMACK, INFORMATIONAL, "AGENT_PRESENCE", text, ("agent_id", user), ("presence", kind))
        self._trace.event("agent_presence_changed", user=user, available=available, grace_s=grace_s)

    def presence_monitor(self, user: str) -> None:
        """A logout is still pending."""
        values = (("agent_id", user), ("presence", "UNAVAILABLE"))
        self.line(POOL, INFORMATIONAL, "AGENT_PRESENCE_MONITOR", "Agent is still UNAVAILABLE", *values)
        self._trace.event("presence_logout_pending", user=user)

    def presence_logout_cancelled(self, user: str, why: str) -> None:
        """A pending logout is off."""
        text = f"Presence driven logout is cancelled: {why}"
        self.line(SMACK, INFORMATIONAL, "AGENT_PRESENCE", text, ("agent_id", user))
        self._trace.event("presence_logout_cancelled", user=user, why=why)

    def presence_logout_waiting(self, user: str, why: str) -> None:
        """A logout is due and waits for something."""
        text = f"Presence driven logout waits: {why}"
        self.line(POOL, INFORMATIONAL, "AGENT_PRESENCE_MONITOR", text, ("agent_id", user))
        self._trace.event("presence_logout_waiting", user=user, why=why)

    def presence_driven_logout(self, user: str) -> None:
        """A logout is sent now."""
        text = "Agent did not come back: forced logout"
        self.line(WORKER, INFORMATIONAL, "PRESENCE DRIVEN LOGOUT", text, ("agent_id", user), ("reason_code", 255))
        self._logouts.add()
        self._trace.event("presence_logout_sent", user=user)

    def agent_fault(self, doing: str, error: Exception) -> None:
        """An exception of ours."""
        text = f"{type(error).__name__}: {error}"
        self.line(WORKER, ERROR, "UNEXPECTED_EXCEPTION", text, ("doing", doing))
        self._trace.event("agent_fault", doing=doing, error=text)

    def message_to_cti_server(self, message: Message) -> None:
        """A request was handed to the socket."""
        self.line(WORKER, INFORMATIONAL, "MESSAGE_TO_CTI_SERVER", request_text(message))
        self._cti_sent.add()
        self._trace.event("cti_message_sent", name=message.name, agent_id=message.agent_id)

    def decoded_message_from_cti_server(self, message: Message, received_ms: int, dispatch_ms: int) -> None:
        """An event or confirmation was read."""
        self._cti_sequence += 1
        told = decoded_text(
            message,
            sequence_id=self._cti_sequence,
            received_ms=received_ms,
            dispatch_ms=dispatch_ms,
            deployment=self._deployment,
        )
        self.line(
            CTI_READER,
            INFORMATIONAL,
            "DECODED_MESSAGE_FROM_CTI_SERVER",
            "Decoded Message to Finesse from backend cti server",
            trusted=f"[cti_message={told}][cti_response_time={max(0, dispatch_ms - received_ms)}]",
        )
        self._cti_received.add()
        self._trace.event("cti_message_received", name=message.name, agent_id=message.agent_id)

    def cti_link_up(self, side: str, address: str) -> None:
        """The link is open and synchronised."""
        text = "Connected to the CTI server"
        self.line(CTI_READER, NOTICE, "CTI_CONNECTION_ESTABLISHED", text, ("side", side), ("address", address))
        self._trace.event("cti_link_up", side=side, address=address)

    def cti_link_down(self, side: str, address: str, reason: str) -> None:
        """The link, or an attempt to open it, ended."""
        self.line(CTI_READER, ERROR, "CTI_CONNECTION_LOST", reason, ("side", side), ("address", address))
        self._trace.event("cti_link_down", side=side, address=address, reason=reason)

    def cti_link_trouble(self, text: str) -> None:
        """Something odd that did not end the link."""
        self.line(CTI_READER, WARNING, "CTI_MESSAGE_TROUBLE", text)
        self._trace.event("cti_link_trouble", text=text)

    def published(self, node: str, payload: str) -> None:
        """A notification is handed to the notification service."""
        values = (("NodeId", node), ("Payload", payload))
        self.line(WORKER, INFORMATIONAL, "XMPP_PUBLISH_ASYNCHRONOUS", "Publishing XMPP message asynchronously", *values)
        self._published.add()
        self._trace.event("update_published", node=node)

    def publish_failed(self, node: str, reason: str) -> None:
        """A notification had nowhere to go."""
        self.line(WORKER, ERROR, "XMPP_PUBLISH_FAILED", reason, ("NodeId", node))
        self._trace.event("update_publish_failed", node=node, reason=reason)

    def service_state(self, in_service: bool, reason: str) -> None:
        """IN_SERVICE or OUT_OF_SERVICE."""
        state = "IN_SERVICE" if in_service else "OUT_OF_SERVICE"
        severity = NOTICE if in_service else ERROR
        self.line(WORKER, severity, "SYSTEM_STATUS", reason or "Ready for requests", ("status", state))
        self._trace.event("service_state_changed", status=state, reason=reason)

    def demo_telephony(self, alive: bool, text: str) -> None:
        """The demo's simulated CTI server ended, or was started again."""
        self.line(WORKER, NOTICE if alive else ERROR, "DEMO_CTI_SERVER", text)
        self._trace.event("demo_telephony_changed", alive=alive, text=text)

    def account_locked(self, name: str) -> None:
        """Somebody failed too often; the client is not told, so the operator is."""
        self.line(EXEC, WARNING, "ACCOUNT_LOCKED", "Locked after repeated failed sign-ins", ("user", name))
        self._trace.event("account_locked", user=name)

    def rest_request(
        self, *, method: str, path: str, user: str, address: str, status: int, elapsed_ms: float, request_id: str
    ) -> None:
        """A REST request was answered. Reads that went well are counted only: desktops poll."""
        self._requests.add(method if method in METHODS else "other", str(status))
        if method in ("GET", "HEAD", "OPTIONS") and status < 400:
            return
        values = (("method", method), ("uri", path), ("user", user), ("address", address), ("status", status))
        more = (("elapsed_ms", round(elapsed_ms)), ("requestId", request_id))
        severity = ERROR if status >= 500 else WARNING if status >= 400 else INFORMATIONAL
        self.line(EXEC, severity, "REQUEST_END", "Request complete", *values, *more)
        self._trace.event(
            "rest_request_answered",
            method=method,
            path=path,
            user=user,
            address=address,
            status=status,
            elapsed_ms=round(elapsed_ms, 3),
            request_id=request_id,
        )

    def session_killed(self, *, user: str, address: str, jid: str) -> None:
        """An administrator ended somebody's session with the notification service."""
        values = (("user", user), ("address", address), ("jid", jid))
        self.line(EXEC, NOTICE, "AUDIT_SESSION_KILLED", "An administrator ended a session", *values)
        self._trace.event("session_killed", user=user, address=address, jid=jid)

    def key_log_switched(self, *, user: str, address: str, enabled: bool) -> None:
        """An administrator switched the TLS key log: while it is on, captures of this server can be read."""
        values = (("user", user), ("address", address), ("enabled", str(enabled).lower()))
        self.line(EXEC, NOTICE, "AUDIT_KEY_LOG", "The TLS key log was switched", *values)
        self._trace.event("key_log_switched", user=user, address=address, enabled=enabled)

    def rest_fault(self, *, method: str, path: str, error: BaseException) -> None:
        """An exception of ours while answering a request."""
        text = f"{type(error).__name__}: {error}"
        self.line(EXEC, ERROR, "API_ERROR_DETAIL", text, ("method", method), ("uri", path))
        self._trace.event("rest_request_fault", method=method, path=path, error=text)

    def certificates_read(self, error: Exception | None) -> None:
        """The certificate files were read again, and presented from now on unless there was an error."""
        if error is None:
            self.line(
                WORKER, INFORMATIONAL, "CERTIFICATES_READ", "New connections are shown the certificate as it is now"
            )
        else:
            text = f"The certificate in use stays in use: {error}"
            self.line(WORKER, ERROR, "CERTIFICATES_REFUSED", text)
        self._trace.event("certificates_read", error=str(error) if error is not None else "")

    def storage(self, trouble: str) -> None:
        """The database refuses what must survive a restart; empty: it takes it again."""
        if trouble:
            self.line(WORKER, ERROR, "STORAGE_FAILED", f"What must survive a restart is not written: {trouble}")
        else:
            self.line(WORKER, NOTICE, "STORAGE_RECOVERED", "What must survive a restart is written again")
        self._trace.event("storage_state_changed", trouble=trouble)

    def _missing(self, count: int) -> str:
        # on the writer's thread: a stamp of its own, and number 0, because the sequence belongs to the event loop
        stamp = ccbu_stamp(local(self._clock.wall(), self._zone))
        text = f"{count} lines were not written: the log queue was full or the disk refused"
        return self._record(stamp, 0, POOL, WARNING, "LOG_LINES_DROPPED", text, (("count", count),), "")

    def _record(
        self,
        stamp: str,
        sequence: int,
        thread: str,
        severity: int,
        mnemonic: str,
        text: str,
        values: tuple[tuple[str, object], ...],
        trusted: str,
    ) -> str:
        bracketed = "".join(f"[{name}={_balanced(str(value))}]" for name, value in values) + trusted
        message = f"%{bracketed}: {text}" if bracketed else text
        head = f"{sequence % 10_000_000_000:010d}: {self._host}: {stamp}: %CCBU_{thread}-{severity}-{mnemonic}: "
        return f"{head}{one_line(message)}\n"


def _balanced(value: str) -> str:
    """The value, unless its brackets would end the field too early or too late: then with round ones."""
    if "[" not in value and "]" not in value:
        return value
    depth = 0
    for char in value:
        depth += (char == "[") - (char == "]")
        if depth < 0:
            break
    return value if depth == 0 else value.replace("[", "(").replace("]", ")")

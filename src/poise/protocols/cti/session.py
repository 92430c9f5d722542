"""The life of a session with one of two CTI servers: connect, open, keep alive, lose, rest, try the other side.

What is done in an open session is the link's (`link.py`), which builds on this.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from poise.protocols.cti import timing
from poise.protocols.cti.codec import Framer, encode
from poise.protocols.cti.failure_constants import Status, status_name
from poise.protocols.cti.heartbeats import Heartbeats
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import AttemptEnded, Close, Connect, LinkDown, Output, SendBytes, Side
from poise.protocols.cti.requests import Requests
from poise.protocols.cti.retry import Retry
from poise.protocols.cti.settings import LinkSettings, open_request
from poise.protocols.cti.states import CONNECTED_STATES, OPEN_STATES, TRANSITIONS, LinkInput, LinkState

_FAILURES: dict[int, str] = {
    Status.SERVER_OFFLINE: "the CTI server went offline",
    Status.NEW_SESSION_OPENED: "the same client opened another session",
    Status.TIMEOUT: "the CTI server heard nothing from us for too long",
    Status.SERVER_NOT_MASTER: "the CTI server is the standby of its pair",
    Status.STANDBY_NOT_ALLOWED: "the CTI server is the standby of its pair",
    Status.MAINTENANCE_MODE: "the CTI server is in maintenance",
}
"""What an E_CTI status means for the whole session."""


def _meaning(status: int) -> str:
    known = _FAILURES.get(status)
    return f"status {status}" if known is None else f"{status_name(status)}: {known}"


class Session(ABC):
    """One session at a time, again and again. Each input adds outputs, which the caller of the input is given."""

    def __init__(self, settings: LinkSettings) -> None:
        """Raises CtiError when OPEN_REQ cannot be made from the settings."""
        assert settings.sides, "a link needs at least one CTI server"
        for version in settings.versions:
            encode(open_request(settings, version, 0), version)
        self.settings = settings
        self.state = LinkState.STOPPED
        self._requests = Requests(timing.REQUEST_TIMEOUT_S)
        self._framer = Framer(settings.versions[0])
        self._out: list[Output] = []
        self._retry = Retry(settings.sides)
        self._version = 0  # index into settings.versions
        self._next_version = False  # the server refused the offered version: offer the next to the same side
        self._step_deadline = float("inf")  # what the present state waits for
        self._heartbeats = Heartbeats(settings.heartbeat_s)
        self._up_since = 0.0

    # What is done in an open session

    @abstractmethod
    def _opened(self, online: bool, now: float) -> None:
        """The session is open; `online`: the peripheral is in service."""

    @abstractmethod
    def _forget_requests(self) -> None:
        """The peripheral or the session is gone: end every request."""

    # What the shell calls

    @property
    def side(self) -> Side:
        """The side in use, or tried next."""
        return self._retry.side

    @property
    def version(self) -> int:
        """The protocol version offered or in use."""
        return self.settings.versions[self._version]

    @property
    def heartbeat_answered(self) -> bool:
        """The session is open, and no heartbeat but the one just sent is without an answer."""
        return self.state in OPEN_STATES and self._heartbeats.unanswered <= 1

    @property
    def last_heartbeat(self) -> float | None:
        """Monotonic seconds of the last HEARTBEAT_CONF, of whichever session."""
        return self._heartbeats.last

    def start(self, now: float) -> list[Output]:
        """Begin to strive for a link."""
        if self._go(LinkInput.START):
            self._connect(now)
        return self._taken()

    def stop(self, now: float) -> list[Output]:
        """Close the session in an orderly way, and stay closed."""
        was_up, had_connection = self.state is LinkState.UP, self.state in CONNECTED_STATES
        if not self._go(LinkInput.STOP):
            return self._taken()
        self._end_session("the link was stopped", was_up, now)
        if self.state is LinkState.CLOSING:
            self._send(Message("CLOSE_REQ", {"InvokeID": self._requests.new_id()}))
            self._step_deadline = now + timing.CLOSE_TIMEOUT_S
        elif had_connection:
            self._out.append(Close("the link was stopped"))
        return self._taken()

    def connected(self, now: float) -> list[Output]:
        """The connection asked for by Connect stands."""
        if self._go(LinkInput.CONNECTED):
            self._framer = Framer(self.version)
            self._step_deadline = now + timing.OPEN_TIMEOUT_S
            self._send(open_request(self.settings, self.version, self._requests.new_id()))
        return self._taken()

    def disconnected(self, now: float, reason: str) -> list[Output]:
        """The connection broke, or could not be made."""
        if self.state in CONNECTED_STATES or self.state is LinkState.CONNECTING:
            self._lost(reason, now, close=False)
        return self._taken()

    # Connecting

    def _go(self, what: LinkInput) -> bool:
        """Change state by the table; False when this input means nothing in the present state."""
        following = TRANSITIONS.get((self.state, what))
        if following is None:
            return False
        self.state = following
        self._step_deadline = float("inf")
        return True

    def _taken(self) -> list[Output]:
        taken, self._out = self._out, []
        return taken

    def _connect(self, now: float) -> None:
        self._step_deadline = now + timing.CONNECT_TIMEOUT_S
        self._out.append(Connect(self.side))

    def _step_timed_out(self, now: float) -> None:
        if self.state is LinkState.RESTING:
            self._go(LinkInput.RETRY)
            self._connect(now)
        elif self.state is LinkState.CLOSING:
            self._go(LinkInput.CLOSED)
            self._out.append(Close("CLOSE_REQ was not answered"))
        elif self.state in CONNECTED_STATES or self.state is LinkState.CONNECTING:
            self._lost(f"nothing came of {self.state.value} in time", now)

    def _lost(self, reason: str, now: float, *, close: bool = True) -> None:
        """The connection is over; decide when to try which side."""
        was_up = self.state is LinkState.UP
        if not self._go(LinkInput.LOST):
            return
        if close:
            self._out.append(Close(reason))
        self._end_session(reason, was_up, now)
        self._out.append(AttemptEnded(self.side, reason))
        if self.state is not LinkState.RESTING:
            return
        if self._next_version:  # the server lives and only wants an older protocol
            self._next_version = False
            self._step_deadline = now
            return
        self._version = 0
        self._step_deadline = now + self._retry.failed()

    def _end_session(self, reason: str, was_up: bool, now: float) -> None:
        self._heartbeats.end()
        self._forget_requests()
        self._down(reason, was_up, now)

    def _down(self, reason: str, was_up: bool, now: float) -> None:
        if was_up:
            self._retry.was_up(now - self._up_since)
            self._out.append(LinkDown(reason))

    # Opening, keeping alive, closing

    def _send(self, message: Message) -> None:
        self._out.append(SendBytes(encode(message, self.version), message))

    def _open_conf(self, message: Message, now: float) -> None:
        online = bool(message.fields.get("PeripheralOnline")) and not message.fields.get("PGStatus")
        if not self._go(LinkInput.OPENED_ONLINE if online else LinkInput.OPENED_OFFLINE):
            return
        self._heartbeats.begin(now)
        self._opened(online, now)

    def _open_refused(self, message: Message, now: float) -> None:
        status = message.fields.get("Status", message.fields.get("FailureCode", -1))
        last = self._version + 1 >= len(self.settings.versions)
        if status == Status.INVALID_VERSION and not last:
            reason = f"protocol version {self.version} was refused"
            self._version += 1
            self._next_version = True
            self._lost(reason, now)
        else:
            self._lost(f"OPEN_REQ was refused with {_meaning(status)}", now)

    def _heartbeat(self, now: float) -> None:
        if self._heartbeats.missed:
            self._lost(f"{self._heartbeats.unanswered} heartbeats were not answered", now)
            return
        self._heartbeats.sent(now)
        self._send(Message("HEARTBEAT_REQ", {"InvokeID": self._requests.new_id()}))

    def _heartbeat_conf(self, message: Message, now: float) -> None:
        self._heartbeats.answered(now)

    def _close_conf(self, message: Message, now: float) -> None:
        if self._go(LinkInput.CLOSED):
            self._out.append(Close("the session was closed"))

    def _failure_event(self, message: Message, now: float) -> None:
        status = message.fields.get("Status", -1)
        self._lost(_FAILURES.get(status, f"the CTI server sent FAILURE_EVENT {status}"), now)

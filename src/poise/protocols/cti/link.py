"""One link to a pair of CTI servers: open, keep alive, download, synchronise, match answers, try again.

The link takes what happened and the time, and gives a list of outputs (`outputs.py`); it has no socket and no clock.
Its shell obeys Connect, SendBytes and Close, and calls `due(now)` at `deadline`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from poise.protocols.cti import timing
from poise.protocols.cti.codec import CtiError, Framer, Malformed, encode
from poise.protocols.cti.constants import (
    VOICE_MRD,
    AgentState,
    ConfigEndStatus,
    FailureCode,
    Status,
    SystemEventId,
)
from poise.protocols.cti.directory import RECORD_MESSAGES, Directory
from poise.protocols.cti.messages import Message, agent_floats
from poise.protocols.cti.outputs import (
    AttemptEnded,
    Close,
    Connect,
    LinkDown,
    LinkUp,
    Log,
    Outcome,
    Output,
    Received,
    RequestEnded,
    SendBytes,
    Side,
)
from poise.protocols.cti.requests import Requests
from poise.protocols.cti.retry import Retry
from poise.protocols.cti.settings import CONFIG_KINDS, LinkSettings, open_request
from poise.protocols.cti.states import CONNECTED_STATES, OPEN_STATES, TRANSITIONS, LinkInput, LinkState

_ANY_AGENT = -1
"""ICMAgentID of a query that names its agent by a floating field."""

_SAYS_NOTHING_OF_THE_AGENT = frozenset(
    {
        FailureCode.SERVICE_BUSY,
        FailureCode.RESOURCE_BUSY,
        FailureCode.RESOURCE_OUT_OF_SERVICE,
        FailureCode.REQUEST_TIMEOUT_REJECTION,
        FailureCode.ADJUNCT_SWITCH_COMM_ERROR,
        FailureCode.INTERNAL_PROCESSING_ERROR,
    }
)
"""Refusals of a state query after which the state is unknown; any other refusal means that nobody is signed in."""

_FAILURE_EVENTS: dict[int, str] = {
    Status.SERVER_OFFLINE: "the CTI server went offline",
    Status.NEW_SESSION_OPENED: "the same client opened another session",
    Status.TIMEOUT: "the CTI server heard nothing from us for too long",
}


class Link:
    """One link. Use: `start`, then report what happens; see `outputs.py` for what comes back."""

    def __init__(self, settings: LinkSettings) -> None:
        """Raises CtiError when OPEN_REQ cannot be made from the settings."""
        assert settings.sides, "a link needs at least one CTI server"
        for version in settings.versions:
            encode(open_request(settings, version, 0), version)
        self.settings = settings
        self.state = LinkState.STOPPED
        self.directory = Directory()
        self.last_heartbeat: float | None = None
        """Monotonic seconds of the last HEARTBEAT_CONF, of whichever session."""
        self._requests = Requests(timing.REQUEST_TIMEOUT_S)
        self._framer = Framer(settings.versions[0])
        self._out: list[Output] = []
        self._retry = Retry(settings.sides)
        self._version = 0  # index into settings.versions
        self._next_version = False  # the server refused the offered version: offer the next to the same side
        self._step_deadline = float("inf")  # what the present state waits for
        self._heartbeat_at = float("inf")
        self._unanswered = 0
        self._up_since = 0.0
        self._to_query: deque[str] = deque()
        self._querying: set[int] = set()
        self._handlers: dict[str, Callable[[Message, float], None]] = {
            "OPEN_CONF": self._open_conf,
            "FAILURE_CONF": self._failure_conf,
            "CONTROL_FAILURE_CONF": self._control_failure,
            "FAILURE_EVENT": self._failure_event,
            "HEARTBEAT_CONF": self._heartbeat_conf,
            "CLOSE_CONF": self._close_conf,
            "SYSTEM_EVENT": self._system_event,
            "CONFIG_KEY_EVENT": self._config_key,
            "CONFIG_BEGIN_EVENT": self._config_begin,
            "CONFIG_END_EVENT": self._config_end,
            "AGENT_TEAM_CONFIG_EVENT": self._team,
        }

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
    def deadline(self) -> float:
        """Monotonic seconds at which `due` must be called; infinite when nothing is due."""
        return min(self._step_deadline, self._heartbeat_at, self._requests.deadline)

    @property
    def heartbeat_answered(self) -> bool:
        """The session is open, and no heartbeat but the one just sent is without an answer."""
        return self.state in OPEN_STATES and self._unanswered <= 1

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

    def feed(self, data: bytes, now: float) -> list[Output]:
        """Bytes from the CTI server."""
        if self.state not in CONNECTED_STATES:
            return self._taken()
        try:
            items = self._framer.feed(data)
        except CtiError as error:
            self._lost(f"the CTI server sent bytes that are not GED-188: {error}", now)
            return self._taken()
        for item in items:
            if self.state not in CONNECTED_STATES:
                break  # an earlier message ended the session
            if isinstance(item, Malformed):
                self._out.append(Log(f"message type {item.number} of the CTI server was skipped: {item.error}"))
            else:
                self._dispatch(item, now)
        self._tell_config()
        return self._taken()

    def request(self, message: Message, now: float, context: object = None) -> tuple[int, list[Output]]:
        """Send a request; InvokeID and PeripheralID are filled in. Exactly one RequestEnded follows, maybe at once."""
        invoke_id = self._requests.new_id()
        message = self._addressed(message, invoke_id)
        failed: Outcome | None = Outcome.LINK_LOST
        if self.state is LinkState.UP and len(self._requests) < timing.MAX_OUTSTANDING:
            failed = self._write(message, context, now)
        if failed is not None:
            self._out.append(RequestEnded(invoke_id, message, context, failed))
        return invoke_id, self._taken()

    def due(self, now: float) -> list[Output]:
        """Time passed."""
        for ended in self._requests.expired(now):
            self._ended(ended, now)
        if now >= self._heartbeat_at and self.state in OPEN_STATES:
            self._heartbeat(now)
        if now >= self._step_deadline:
            self._step_timed_out(now)
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
        self._heartbeat_at = float("inf")
        self._unanswered = 0
        self._to_query.clear()
        lost = self._requests.lost()
        self._out.extend(ended for ended in lost if ended.invoke_id not in self._querying)
        self._querying.clear()
        if was_up:
            self._retry.was_up(now - self._up_since)
            self._out.append(LinkDown(reason))

    # Opening

    def _send(self, message: Message) -> None:
        self._out.append(SendBytes(encode(message, self.version), message))

    def _open_conf(self, message: Message, now: float) -> None:
        online = bool(message.fields.get("PeripheralOnline")) and not message.fields.get("PGStatus")
        if not self._go(LinkInput.OPENED_ONLINE if online else LinkInput.OPENED_OFFLINE):
            return
        self._heartbeat_at = now + self.settings.heartbeat_s
        self.directory.new_session()
        if online:
            self._configure(now)

    def _open_refused(self, message: Message, now: float) -> None:
        status = message.fields.get("Status", message.fields.get("FailureCode", -1))
        last = self._version + 1 >= len(self.settings.versions)
        if status == Status.INVALID_VERSION and not last:
            reason = f"protocol version {self.version} was refused"
            self._version += 1
            self._next_version = True
            self._lost(reason, now)
        else:
            self._lost(f"OPEN_REQ was refused with status {status}", now)

    # Keeping alive

    def _heartbeat(self, now: float) -> None:
        if self._unanswered >= timing.HEARTBEATS_MISSED:
            self._lost(f"{self._unanswered} heartbeats were not answered", now)
            return
        self._unanswered += 1
        self._heartbeat_at = now + self.settings.heartbeat_s
        self._send(Message("HEARTBEAT_REQ", {"InvokeID": self._requests.new_id()}))

    def _heartbeat_conf(self, message: Message, now: float) -> None:
        self._unanswered = 0
        self.last_heartbeat = now

    def _close_conf(self, message: Message, now: float) -> None:
        if self._go(LinkInput.CLOSED):
            self._out.append(Close("the session was closed"))

    def _failure_event(self, message: Message, now: float) -> None:
        status = message.fields.get("Status", -1)
        self._lost(_FAILURE_EVENTS.get(status, f"the CTI server sent FAILURE_EVENT {status}"), now)

    def _system_event(self, message: Message, now: float) -> None:
        event, about = message.fields.get("SystemEventID"), message.fields.get("SystemEventArg1")
        ours = about == self.settings.peripheral_id
        if event == SystemEventId.PERIPHERAL_ONLINE and ours:
            if self._go(LinkInput.PERIPHERAL_ONLINE):
                self._configure(now)
        elif (event == SystemEventId.PERIPHERAL_OFFLINE and ours) or event in (
            SystemEventId.PERIPHERAL_GATEWAY_OFFLINE,
            SystemEventId.CTI_SERVER_OFFLINE,
        ):
            was_up, heartbeat_at, unanswered = self.state is LinkState.UP, self._heartbeat_at, self._unanswered
            if self._go(LinkInput.PERIPHERAL_OFFLINE):
                self._end_session(f"SYSTEM_EVENT {SystemEventId(event).name}", was_up, now)
                self._heartbeat_at, self._unanswered = heartbeat_at, unanswered  # the session itself goes on
        self._received(message)

    # Configuration and synchronisation

    def _configure(self, now: float) -> None:
        self._step_deadline = now + timing.CONFIG_TIMEOUT_S
        self._send(Message("CONFIG_REQUEST_KEY_EVENT", {"PeripheralID": self.settings.peripheral_id}))

    def _config_key(self, message: Message, now: float) -> None:
        if self.state is not LinkState.CONFIGURING:
            return
        if self.directory.is_current(message):
            self._configured(now)
            return
        self._step_deadline = now + timing.CONFIG_TIMEOUT_S
        fields = {"ConfigInformation": int(CONFIG_KINDS), "PeripheralID": self.settings.peripheral_id}
        self._send(Message("CONFIG_REQUEST_EVENT", fields))

    def _config_begin(self, message: Message, now: float) -> None:
        self.directory.begin(message)

    def _config_end(self, message: Message, now: float) -> None:
        status = self.directory.end(message)
        if status != ConfigEndStatus.SUCCESS:
            self._out.append(Log(f"the CTI server ended a configuration download with status {status}"))
        if self.state is not LinkState.CONFIGURING:
            return
        if status in (ConfigEndStatus.SUCCESS, ConfigEndStatus.PARTIAL, ConfigEndStatus.EMPTY):
            self._configured(now)
        else:
            self._lost(f"the configuration download failed with status {status}", now)

    def _team(self, message: Message, now: float) -> None:
        self.directory.team(message)
        self._out.append(Received(message))  # it also tells each member's state, and since when

    def _configured(self, now: float) -> None:
        if self._go(LinkInput.CONFIGURED):
            self.directory.changed = True  # told anew in every session
            self._to_query.extend(self.directory.agent_ids)
            self._query_more(now)

    def _query_more(self, now: float) -> None:
        """Ask for the next agents' states; the last answer makes the link UP."""
        while self._to_query and len(self._querying) < timing.MAX_QUERIES:
            agent_id = self._to_query.popleft()
            fields = {"MRDID": VOICE_MRD, "ICMAgentID": _ANY_AGENT}
            query = Message("QUERY_AGENT_STATE_REQ", fields, agent_floats(agent_id))
            invoke_id = self._requests.new_id()
            if self._write(self._addressed(query, invoke_id), None, now) is None:
                self._querying.add(invoke_id)
        self._step_deadline = now + timing.CONFIG_TIMEOUT_S
        if not self._querying and self._go(LinkInput.SYNCHRONISED):
            self.directory.prune_teams()
            self._tell_config()
            self._up_since = now
            self._out.append(LinkUp(self.side, self.version))

    def _queried(self, ended: RequestEnded, now: float) -> None:
        """One agent's state is known; unknown is said to be unknown, never what it was before."""
        self._querying.discard(ended.invoke_id)
        about = agent_floats(ended.request.agent_id or "")
        if ended.outcome is Outcome.CONFIRMED and ended.answer is not None:
            answer = ended.answer
            if answer.agent_id is None:
                answer = replace(answer, floats=(*answer.floats, *about))
        else:
            known = ended.outcome is Outcome.REFUSED and ended.failure_code not in _SAYS_NOTHING_OF_THE_AGENT
            state = AgentState.LOGOUT if known else AgentState.UNKNOWN
            answer = Message("QUERY_AGENT_STATE_CONF", {"AgentState": state}, about)
        self._received(answer)
        if self.state is LinkState.SYNCHRONISING:
            self._query_more(now)

    def _tell_config(self) -> None:
        if self.directory.changed and self.state in (LinkState.SYNCHRONISING, LinkState.UP):
            self._out.append(self.directory.snapshot())

    # Requests and events

    def _addressed(self, message: Message, invoke_id: int) -> Message:
        fields = {"PeripheralID": self.settings.peripheral_id, **message.fields, "InvokeID": invoke_id}
        return replace(message, fields=fields)

    def _write(self, message: Message, context: object, now: float) -> Outcome | None:
        """Send, and wait for the answer; UNWRITABLE when the message cannot be sent."""
        try:
            wire = encode(message, self.version)
        except CtiError as error:
            self._out.append(Log(f"{message.name} could not be written: {error}"))
            return Outcome.UNWRITABLE
        self._requests.add(message.fields["InvokeID"], message, context, now)
        self._out.append(SendBytes(wire, message))
        return None

    def _dispatch(self, message: Message, now: float) -> None:
        handler = self._handlers.get(message.name)
        if handler is not None:
            handler(message, now)
        elif message.name in RECORD_MESSAGES:
            self.directory.records(message)
            if self.state is LinkState.CONFIGURING:
                self._step_deadline = now + timing.CONFIG_TIMEOUT_S
        elif message.name.endswith("_CONF"):
            self._answer(message, Outcome.CONFIRMED, now)
        else:
            self._received(message)

    def _received(self, message: Message) -> None:
        self._tell_config()  # an event may be about an agent who came with the latest configuration
        self._out.append(Received(message))

    def _control_failure(self, message: Message, now: float) -> None:
        self._answer(message, Outcome.REFUSED, now)

    def _failure_conf(self, message: Message, now: float) -> None:
        if self.state is LinkState.OPENING:
            self._open_refused(message, now)
        elif message.fields.get("Status") == Status.SERVER_OFFLINE:
            self._lost("the CTI server went offline", now)
        else:
            self._answer(message, Outcome.REFUSED, now)

    def _answer(self, message: Message, outcome: Outcome, now: float) -> None:
        ended = self._requests.answered(message.fields.get("InvokeID", 0), message, outcome)
        if ended is None:
            self._out.append(Log(f"nobody waited for {message.name} {message.fields.get('InvokeID')}"))
        else:
            self._ended(ended, now)

    def _ended(self, ended: RequestEnded, now: float) -> None:
        if ended.invoke_id in self._querying:
            self._queried(ended, now)
        else:
            self._out.append(ended)

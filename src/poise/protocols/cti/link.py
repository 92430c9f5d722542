"""One link to a pair of CTI servers: open, keep alive, download, synchronise, match answers, try again.

The link takes what happened and the time, and gives a list of outputs (`outputs.py`); it has no socket and no clock.
Its shell obeys Connect, SendBytes and Close, and calls `due(now)` at `deadline`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum

from poise.protocols.cti import timing
from poise.protocols.cti.codec import CtiError, Malformed, encode
from poise.protocols.cti.constants import ConfigEndStatus, SystemEventId
from poise.protocols.cti.directory import RECORD_MESSAGES, Directory
from poise.protocols.cti.failure_constants import Status
from poise.protocols.cti.messages import Message, with_long_agent_ids
from poise.protocols.cti.outputs import (
    LinkUp,
    Log,
    Outcome,
    Output,
    Received,
    RequestEnded,
    SendBytes,
)
from poise.protocols.cti.polling import Polling
from poise.protocols.cti.resync import Resync
from poise.protocols.cti.session import Session
from poise.protocols.cti.settings import CONFIG_KINDS, LinkSettings
from poise.protocols.cti.states import CONNECTED_STATES, OPEN_STATES, LinkInput, LinkState


class _Own(Enum):
    """Contexts of the link's own requests, whose ends its users do not hear of."""

    RESYNC = "resync"
    POLLING = "polling"


class Link(Session):
    """One link. Use: `start`, then report what happens; see `outputs.py` for what comes back."""

    def __init__(self, settings: LinkSettings) -> None:
        """Raises CtiError when OPEN_REQ cannot be made from the settings."""
        super().__init__(settings)
        self.directory = Directory()
        self._resync = Resync()
        self._polling = Polling(settings.statistics_s)
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
    def deadline(self) -> float:
        """Monotonic seconds at which `due` must be called; infinite when nothing is due."""
        return min(self._step_deadline, self._heartbeats.at, self._polling.at, self._requests.deadline)

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
        if now >= self._heartbeats.at and self.state in OPEN_STATES:
            self._heartbeat(now)
        if now >= self._polling.at and self.state is LinkState.UP:
            self._polling.due(self.directory.group_numbers, now)
            self._poll(now)
        if now >= self._step_deadline:
            self._step_timed_out(now)
        return self._taken()

    def _forget_requests(self) -> None:
        self._polling.end()
        self._out.extend(ended for ended in self._requests.lost() if not isinstance(ended.context, _Own))

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
            was_up = self.state is LinkState.UP
            if self._go(LinkInput.PERIPHERAL_OFFLINE):  # the session itself goes on, with its heartbeats
                self._forget_requests()
                self._down(f"SYSTEM_EVENT {SystemEventId(event).name}", was_up, now)
        self._received(message)

    # Configuration and synchronisation

    def _opened(self, online: bool, now: float) -> None:
        self.directory.new_session()
        if online:
            self._configure(now)

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
            self._resync = Resync(self.directory.agent_ids)
            self._ask_more(now)

    def _ask_more(self, now: float) -> None:
        """Ask the next questions of the resync; the last answer makes the link UP."""
        while self._resync.in_flight < timing.MAX_QUERIES:
            question = self._resync.take()
            if question is None:
                break
            self._ask(question, _Own.RESYNC, now)
        self._step_deadline = now + timing.CONFIG_TIMEOUT_S
        if self._resync.done and self._go(LinkInput.SYNCHRONISED):
            self.directory.prune_teams()
            self._tell_config()
            self._up_since = now
            self._out.append(LinkUp(self.side, self.version))
            self._polling.begin(now)

    def _ask(self, question: Message, own: _Own, now: float) -> None:
        """A request of the link's own."""
        invoke_id = self._requests.new_id()
        question = self._addressed(question, invoke_id)
        failed = self._write(question, own, now)
        if failed is not None:
            self._ended_own(RequestEnded(invoke_id, question, own, failed), now)

    def _ended_own(self, ended: RequestEnded, now: float) -> None:
        if ended.context is _Own.POLLING:
            self._out += self._polling.ended(ended)
            return
        for output in self._resync.ended(ended):
            if isinstance(output, Received):
                self._tell_config()
            self._out.append(output)

    def _poll(self, now: float) -> None:
        while self._polling.in_flight < timing.MAX_QUERIES:
            question = self._polling.take()
            if question is None:
                return
            self._ask(question, _Own.POLLING, now)

    def _tell_config(self) -> None:
        if self.directory.changed and self.state in (LinkState.SYNCHRONISING, LinkState.UP):
            self._out.append(self.directory.snapshot())

    # Requests and events

    def _addressed(self, message: Message, invoke_id: int) -> Message:
        fields = {"PeripheralID": self.settings.peripheral_id, **message.fields, "InvokeID": invoke_id}
        message = replace(message, fields=fields)
        return with_long_agent_ids(message) if self.settings.long_agent_ids else message

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
        if not isinstance(ended.context, _Own):
            self._out.append(ended)
            return
        self._ended_own(ended, now)
        if self.state is LinkState.SYNCHRONISING:
            self._ask_more(now)
        elif self.state is LinkState.UP:
            self._poll(now)

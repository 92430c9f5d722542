"""A simulated CTI server for any number of clients: bytes in, bytes out. No I/O, no clock.

Theory. Clients share one contact centre (`acd.centre.Centre`). A client's session begins with OPEN_REQ and lives as
long as something is heard from it within the idle time-out it asked for. A request is answered to its client, and what
it changes is told to every client that wants such events. Faults that tests need are plain attributes and methods here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from poise.lab import answers, monitors
from poise.lab.acd.agents import SETTABLE, Acd, AgentNow, StateRequest
from poise.lab.acd.centre import Centre
from poise.lab.acd.events import AgentTold, CallTold, Events
from poise.lab.callrequests import NO_TELEPHONY, CallRequests
from poise.lab.rules import UNKNOWN_AGENT, Deployment
from poise.lab.sessions import Session
from poise.lab.telling import Drop, LabOutput, LabSettings, Send, Telling
from poise.protocols.cti.codec import CtiError, Framer, Malformed
from poise.protocols.cti.constants import NULL32, AgentState, Service, Status, SystemEventId
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION
from poise.protocols.cti.messages import Message
from poise.protocols.cti.timing import HEARTBEAT_S

__all__ = ["Drop", "LabOutput", "LabServer", "LabSettings", "Send", "Session"]

OPEN_WITHIN_S = 30.0
"""Seconds a connection may stay without a session. Bounds what strangers can hold."""

MAX_MALFORMED = 100
"""Malformed messages after which a client is dropped: it is not going to get better."""

GRANTABLE_SERVICES = int(~Service(0)) | 0x200 | 0x40000
"""Bits that are granted when asked for; 0x200 and 0x40000 are undocumented, and real clients ask for them."""

SIGNATURE_MAX = 63
"""Bytes of CLIENT_SIGNATURE without its final NUL."""

TEXT_MAX = 253
"""Bytes of TEXT without its final NUL."""

CONTROL_FREE = frozenset(
    {
        "SNAPSHOT_CALL_REQ",
        "SNAPSHOT_DEVICE_REQ",
        "QUERY_DEVICE_INFO_REQ",
        "QUERY_SKILL_GROUP_STATISTICS_REQ",
        "QUERY_AGENT_STATISTICS_REQ",
        "AGENT_DESK_SETTINGS_REQ",
    }
)
"""Requests about calls that only look: possible without the service CLIENT_CONTROL and without telephony."""
WITHOUT_TELEPHONY = CONTROL_FREE | {"SET_CALL_DATA_REQ", "RELEASE_CALL_REQ", "BAD_CALL_REQ"}


def _shortened(text: str, most: int) -> str:
    """As much of a client's text as fits into events."""
    return text.encode()[:most].decode(errors="ignore")


class LabServer:
    """The server. `epoch_s` is the wall time at monotonic 0, only used for time stamps in messages."""

    def __init__(self, settings: LabSettings | None = None, epoch_s: float = 0.0) -> None:
        self.settings = settings if settings is not None else LabSettings()
        self.acd = Acd(self.settings.data, self.settings.deployment, self.settings.load)
        kind = answers.PERIPHERAL_TYPES[self.settings.deployment]
        events = Events(self.settings.peripheral_id, int(kind))
        self.centre = Centre(self.settings.data, self.acd, self.settings.acd, events)
        self.sessions: list[Session] = []
        self.answers_heartbeats = True
        """Fault: a server that lives but does not answer heartbeats."""
        self.answers_requests = True
        """Fault: requests are heard, and nothing is done or said."""
        self.online = True
        self.active_side = "A"
        """Side whose clients are served; on the other one OPEN_REQ is refused."""
        self._epoch = self.centre.dialler.epoch_s = epoch_s
        self._calls = CallRequests(self.centre, int(kind))
        self.watch: Callable[[CallTold | AgentTold], None] = lambda told: None
        """Told of everything clients are told, before them."""
        self._out: list[LabOutput] = []
        self._telling = Telling(self.settings, self.sessions, self._out)
        self._handlers: dict[str, Callable[[Session, Message, float], None]] = {
            "OPEN_REQ": self._open,
            "HEARTBEAT_REQ": self._heartbeat,
            "CLOSE_REQ": self._close,
            "CONFIG_REQUEST_KEY_EVENT": self._config_key,
            "CONFIG_REQUEST_EVENT": self._config,
            "QUERY_AGENT_STATE_REQ": self._query,
            "SET_AGENT_STATE_REQ": self._set_state,
            "USER_MESSAGE_REQ": self._user_message,
            **dict.fromkeys(monitors.HANDLERS, self._monitor),
            **dict.fromkeys(self._calls.handlers, self._call_request),
        }

    # What the shell calls

    def connected(self, now: float, side: str = "A") -> Session:
        """A client connected to a side."""
        session = Session(Framer(self.settings.versions[1]), now + OPEN_WITHIN_S, side)
        self.sessions.append(session)
        return session

    def disconnected(self, session: Session) -> None:
        """A client's connection is gone."""
        session.closed = True
        if session in self.sessions:
            self.sessions.remove(session)

    def feed(self, session: Session, data: bytes, now: float) -> list[LabOutput]:
        """Bytes from a client."""
        if session.closed:
            return []
        session.deadline = now + (session.idle_s if session.open else OPEN_WITHIN_S)
        try:
            items = session.framer.feed(data)
        except CtiError as error:
            self._fail(session, Status.INVALID_HEADER, f"bytes that are not GED-188: {error}")
            return self._taken()
        for item in items:
            if session.closed:
                break
            if isinstance(item, Malformed):
                self._malformed(session, item)
            else:
                self._heard(session, item, now)
        return self._taken()

    def due(self, now: float) -> list[LabOutput]:
        """Time passed: what the centre does by itself, and the end of whoever was silent for too long."""
        self.centre.due(now)
        self._flush(now)
        for session in [session for session in self.sessions if session.deadline <= now]:
            self._fail(session, Status.TIMEOUT, "nothing was heard")
        return self._taken()

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinite when nothing is due."""
        return min(self.centre.deadline, *(session.deadline for session in self.sessions), float("inf"))

    # What tests and, later, a control interface call

    def publish(self, changes: Iterable[AgentNow], now: float, signature: str = "") -> list[LabOutput]:
        """Tell every client about agents that were changed through `acd`."""
        self._telling.agents(changes, now, signature)
        return self._taken()

    def by_hand(self, message: Message, now: float) -> Message:
        """Somebody does at the telephone itself what a request asks for: its answer. Clients hear what comes of it."""
        if message.name == "SET_AGENT_STATE_REQ":
            refused = self.centre.set_state(self._state_request(message), now)
            answer = Message("SET_AGENT_STATE_CONF") if refused is None else answers.control_failure(0, refused)
        else:
            answer = self._answer_to_call_request(message, now)
        self._flush(now)
        return answer

    def happened(self, now: float) -> list[LabOutput]:
        """Tell every client what was done to `centre` from outside."""
        self._flush(now)
        return self._taken()

    def happened_inside(self, now: float) -> None:
        """The same out of an action of the agenda, whose outputs are taken together."""
        self._flush(now)

    def set_telephony(self, up: bool, now: float) -> list[LabOutput]:
        """Lose the provider of telephony, or have it back. UCCX goes out of service with it; UCCE says nothing."""
        self.centre.set_telephony(up)
        outputs = self.set_online(up, now) if self.settings.deployment is Deployment.UCCX else []
        return [*outputs, *self.happened(now)]

    def fail_over(self) -> list[LabOutput]:
        """The other side serves from now on; clients of this one are told goodbye."""
        self.active_side = "B" if self.active_side == "A" else "A"
        return self.go_offline()

    def drift(self, seconds: float, now: float) -> list[LabOutput]:
        """The server's wall clock jumps; the time in a SYSTEM_EVENT shows it."""
        self._epoch += seconds
        self.centre.dialler.epoch_s = self._epoch
        event = answers.system_event(SystemEventId.CENTRAL_CONTROLLER_ONLINE, self._pg_status(), self._time(now))
        for session in self.sessions:
            if session.open:
                self._send(session, event)
        return self._taken()

    def forgive(self, now: float) -> None:
        """The server itself was frozen: nobody is to be dropped for silence meanwhile."""
        for session in self.sessions:
            session.deadline = max(session.deadline, now + (session.idle_s if session.open else OPEN_WITHIN_S))

    def set_online(self, online: bool, now: float) -> list[LabOutput]:
        """The peripheral goes out of service, or comes back."""
        self.online = online
        event = answers.peripheral_event(self.settings.peripheral_id, online, self._time(now))
        for session in self.sessions:
            if session.open:
                self._send(session, event)
        return self._taken()

    def go_offline(self) -> list[LabOutput]:
        """The CTI server says goodbye to every client, as before a restart."""
        for session in list(self.sessions):
            self._fail(session, Status.SERVER_OFFLINE, "the server goes offline")
        return self._taken()

    def garbage(self, data: bytes) -> list[LabOutput]:
        """Send bytes that are no message to every client."""
        return [Send(session, data) for session in self.sessions]

    # Sessions

    def _taken(self) -> list[LabOutput]:
        taken = list(self._out)
        self._out.clear()
        return taken

    def _time(self, now: float) -> int:
        return int(now + self._epoch) & 0xFFFFFFFF

    def _pg_status(self) -> int:
        return 0 if self.online else 4

    def _send(self, session: Session, message: Message) -> None:
        self._telling.send(session, message)

    def _drop(self, session: Session, reason: str) -> None:
        self.disconnected(session)
        self._out.append(Drop(session, reason))

    def _fail(self, session: Session, status: Status, reason: str) -> None:
        if session.open:
            self._send(session, Message("FAILURE_EVENT", {"Status": int(status)}))
        self._drop(session, reason)

    def _malformed(self, session: Session, item: Malformed) -> None:
        session.malformed += 1
        if not session.open or session.malformed > MAX_MALFORMED:
            self._fail(session, item.error.status, f"malformed message: {item.error}")
        else:
            self._send(session, answers.failure(item.invoke_id, item.error.status))

    def _heard(self, session: Session, message: Message, now: float) -> None:
        invoke_id = message.fields.get("InvokeID", 0)
        handler = self._handlers.get(message.name)
        if not session.open and message.name != "OPEN_REQ":
            self._send(session, answers.failure(invoke_id, Status.SESSION_NOT_OPEN))
            self._drop(session, f"{message.name} before OPEN_REQ")
        elif handler is not None:
            handler(session, message, now)
        else:
            self._send(session, answers.failure(invoke_id, Status.FUNCTION_NOT_AVAILABLE))

    def _refuse_open(self, session: Session, invoke_id: int, status: Status) -> None:
        self._send(session, answers.failure(invoke_id, status))
        self._drop(session, f"OPEN_REQ refused: {status.name}")

    def _open(self, session: Session, message: Message, now: float) -> None:
        fields = message.fields
        invoke_id, version = fields["InvokeID"], fields["VersionNumber"]
        oldest, newest = self.settings.versions
        if session.open:
            self._send(session, answers.failure(invoke_id, Status.SESSION_ALREADY_OPEN))
            return
        session.version = min(max(version, OLDEST_VERSION), NEWEST_VERSION)  # the refusal is written as it was asked
        if not oldest <= version <= newest:
            self._refuse_open(session, invoke_id, Status.INVALID_VERSION)
        elif fields["IdleTimeout"] < 4 * HEARTBEAT_S:
            self._refuse_open(session, invoke_id, Status.INVALID_TIMEOUT)
        elif fields["PeripheralID"] not in (self.settings.peripheral_id, NULL32):
            self._refuse_open(session, invoke_id, Status.INVALID_PERIPHERAL_ID)
        elif not any(tag == "CLIENT_ID" for tag, _ in message.floats):
            self._refuse_open(session, invoke_id, Status.REQUIRED_DATA_MISSING)
        elif session.side != self.active_side:
            self._refuse_open(session, invoke_id, Status.SERVER_OFFLINE)
        else:
            self._opened(session, message, now)

    def _opened(self, session: Session, message: Message, now: float) -> None:
        fields = message.fields
        session.open = True
        session.framer.version = session.version
        session.services = fields["ServicesRequested"] & GRANTABLE_SERVICES
        session.agent_states = fields["AgentStateMask"]
        session.call_events = fields["CallMsgMask"]
        agent = self.acd.agent(self._named(message)) if session.sees_one else None
        if agent is not None:
            session.agent_id, session.extension = agent.person.agent_id, agent.extension
        session.signature = _shortened(message.text("CLIENT_SIGNATURE") or "", SIGNATURE_MAX)
        session.idle_s = float("inf") if fields["IdleTimeout"] == NULL32 else float(fields["IdleTimeout"])
        session.deadline = now + session.idle_s
        confirmation = {
            "InvokeID": fields["InvokeID"],
            "ServicesGranted": session.services,
            "MonitorID": 1,
            "PGStatus": self._pg_status(),
            "ICMCentralControllerTime": self._time(now),
            "PeripheralOnline": int(self.online),
            "PeripheralType": int(answers.PERIPHERAL_TYPES[self.settings.deployment]),
            "AgentState": int(AgentState.UNKNOWN if agent is None else agent.state),
        }
        peripheral = self.settings.peripheral_id
        floats = (("NUM_PERIPHERALS", 1), ("PERIPHERAL_ID", peripheral), ("MULTI_LINE_AGENT_CONTROL", 0))
        self._send(session, Message("OPEN_CONF", confirmation, floats))
        if session.services & Service.ALL_EVENTS:
            self._send(session, answers.peripheral_event(peripheral, self.online, self._time(now)))
            for event in answers.team_events(self.acd, peripheral, now):
                self._send(session, event)

    def _heartbeat(self, session: Session, message: Message, now: float) -> None:
        if self.answers_heartbeats:
            self._send(session, Message("HEARTBEAT_CONF", {"InvokeID": message.fields["InvokeID"]}))

    def _close(self, session: Session, message: Message, now: float) -> None:
        self._send(session, Message("CLOSE_CONF", {"InvokeID": message.fields["InvokeID"]}))
        self._drop(session, "closed by the client")

    # Requests

    def _config_key(self, session: Session, message: Message, now: float) -> None:
        if self.answers_requests:
            self._send(session, answers.config_keys(self.settings.data))

    def _config(self, session: Session, message: Message, now: float) -> None:
        if self.answers_requests:
            wanted = message.fields["ConfigInformation"]
            for answer in answers.configuration(self.settings.data, self.settings.peripheral_id, wanted):
                self._send(session, answer)

    def _named(self, message: Message) -> str:
        """The agent a request is about, named by id or by extension."""
        if message.agent_id is not None:
            return message.agent_id
        extension = message.text("AGENT_EXTENSION") or message.text("AGENT_INSTRUMENT") or ""
        agent = self.acd.at_extension(extension.partition(";")[0])
        return "" if agent is None else agent.person.agent_id

    def _query(self, session: Session, message: Message, now: float) -> None:
        if not self.answers_requests:
            return
        invoke_id = message.fields["InvokeID"]
        if message.fields["PeripheralID"] != self.settings.peripheral_id:
            self._send(session, answers.failure(invoke_id, Status.INVALID_PERIPHERAL_ID))
            return
        agent = self.acd.agent(self._named(message))
        if agent is None:
            self._send(session, answers.control_failure(invoke_id, UNKNOWN_AGENT))
        else:
            self._send(session, answers.state_confirmation(self.settings.data, agent, invoke_id))

    def _set_state(self, session: Session, message: Message, now: float) -> None:
        if not self.answers_requests:
            return
        fields = message.fields
        invoke_id = fields["InvokeID"]
        status = self._unfit(session, message)
        if status is not None:
            self._send(session, answers.failure(invoke_id, status))
            return
        refused = self.centre.set_state(self._state_request(message), now)
        if refused is not None:
            self._flush(now, (session, answers.control_failure(invoke_id, refused)))
        else:
            self._flush(now, (session, Message("SET_AGENT_STATE_CONF", {"InvokeID": invoke_id})), session.signature)

    def _state_request(self, message: Message) -> StateRequest:
        fields = message.fields
        return StateRequest(
            self._named(message),
            AgentState(fields["AgentState"]),
            fields.get("EventReasonCode", 0),
            fields.get("ForcedFlag", 0),
            message.text("AGENT_INSTRUMENT") or "",
        )

    def _unfit(self, session: Session, message: Message) -> Status | None:
        """Why a SET_AGENT_STATE_REQ is not even judged."""
        fields = message.fields
        if not session.services & (Service.CLIENT_CONTROL | Service.STATE_CONTROL_ONLY):
            return Status.FUNCTION_NOT_AVAILABLE
        if fields["PeripheralID"] != self.settings.peripheral_id:
            return Status.INVALID_PERIPHERAL_ID
        if not self._named(message):
            return Status.REQUIRED_DATA_MISSING
        if fields["AgentState"] not in SETTABLE:
            return Status.INVALID_AGENT_DATA
        if fields["AgentState"] == AgentState.LOGIN and not message.text("AGENT_INSTRUMENT"):
            return Status.REQUIRED_DATA_MISSING
        return None

    def _user_message(self, session: Session, message: Message, now: float) -> None:
        text = message.text("TEXT") or ""
        fields = {"ICMCentralControllerTime": self._time(now), "Distribution": message.fields["Distribution"]}
        self._send(session, Message("USER_MESSAGE_CONF", {"InvokeID": message.fields["InvokeID"]}))
        for other in self.sessions:
            if other.open and other is not session:
                floats = (("CLIENT_ID", session.signature), ("TEXT", _shortened(text, TEXT_MAX)))
                self._send(other, Message("USER_MESSAGE_EVENT", fields, floats))

    def _monitor(self, session: Session, message: Message, now: float) -> None:
        result = monitors.HANDLERS[message.name](session, message)
        if isinstance(result, int):
            result = answers.with_id(result, message.fields["InvokeID"])
        self._send(session, result)

    def _call_request(self, session: Session, message: Message, now: float) -> None:
        if not self.answers_requests:
            return
        invoke_id, name = message.fields["InvokeID"], message.name
        controls = session.services & Service.CLIENT_CONTROL or name in CONTROL_FREE
        if not controls:
            answer = answers.failure(invoke_id, Status.FUNCTION_NOT_AVAILABLE)
        elif message.fields["PeripheralID"] != self.settings.peripheral_id:
            answer = answers.failure(invoke_id, Status.INVALID_PERIPHERAL_ID)
        else:
            answer = self._answer_to_call_request(message, now)
        self._flush(now, (session, answer), session.signature)

    def _answer_to_call_request(self, message: Message, now: float) -> Message:
        invoke_id = message.fields.get("InvokeID", 0)
        if not self.centre.telephony and message.name not in WITHOUT_TELEPHONY:
            return answers.control_failure(invoke_id, NO_TELEPHONY)
        return answers.with_id(self._calls.handlers[message.name](message, now), invoke_id)

    def _flush(self, now: float, confirmation: tuple[Session, Message] | None = None, signature: str = "") -> None:
        """Send a confirmation and whatever the centre has to tell."""
        self.centre.settle(now)
        told = self.centre.taken()
        for each in told:
            self.watch(each)
        self._telling.flush(told, now, confirmation, signature)

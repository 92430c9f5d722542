"""A simulated CTI server for any number of clients: bytes in, bytes out. No I/O, no clock.

Theory. Clients share one `Acd`. A client's session begins with OPEN_REQ and lives as long as something is heard from it
within the idle time-out it asked for. A request changes agents; the answer goes to its client, and every change goes to
every client that wants agents' events. Faults that tests need are plain attributes and methods here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from poise.lab import answers
from poise.lab.acd import SETTABLE, Acd, AgentNow, StateRequest
from poise.lab.data import DEMO, LabData
from poise.lab.rules import UNKNOWN_AGENT, Deployment, Refuse
from poise.protocols.cti.codec import CtiError, Framer, Malformed, encode
from poise.protocols.cti.constants import NULL32, AgentState, Service, Status
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION
from poise.protocols.cti.messages import Message
from poise.protocols.cti.timing import HEARTBEAT_S

OPEN_WITHIN_S = 30.0
"""Seconds a connection may stay without a session. Bounds what strangers can hold."""

MAX_MALFORMED = 100
"""Malformed messages after which a client is dropped: it is not going to get better."""

GRANTABLE_SERVICES = int(~Service(0)) | 0x200 | 0x40000
"""Bits that are granted when asked for; 0x200 and 0x40000 are undocumented, and real clients ask for them."""

SIGNATURE_MAX = 63
"""Bytes of CLIENT_SIGNATURE without its final NUL."""

_HOLD_BIT = 9
"""AgentStateMask has no bit for UNKNOWN, so HOLD and those after it are one lower than their state."""


@dataclass(frozen=True, slots=True)
class LabSettings:
    """What a simulated CTI server is."""

    data: LabData = DEMO
    deployment: Deployment = Deployment.UCCE
    load: int = 0
    """UCCE's LOAD parameter: 0 or 1."""
    peripheral_id: int = 5000
    versions: tuple[int, int] = (OLDEST_VERSION, NEWEST_VERSION)
    """Oldest and newest protocol version that is accepted."""


class Send(NamedTuple):
    """Write to a client."""

    session: Session
    data: bytes


class Drop(NamedTuple):
    """Close a client's connection after everything before was written."""

    session: Session
    reason: str


LabOutput = Send | Drop


@dataclass(eq=False, slots=True)
class Session:
    """One client's connection."""

    framer: Framer
    deadline: float
    """Monotonic seconds at which it is dropped unless something is heard."""
    open: bool = False
    closed: bool = False
    version: int = NEWEST_VERSION
    services: int = 0
    agent_states: int = 0
    signature: str = ""
    idle_s: float = field(default=float("inf"))
    malformed: int = 0

    def wants(self, state: AgentState) -> bool:
        """Whether the client asked for events about agents in that state."""
        if not (self.open and self.services & (Service.ALL_EVENTS | Service.PERIPHERAL_MONITOR)):
            return False
        bit = int(state) if state < AgentState.UNKNOWN else _HOLD_BIT + int(state) - AgentState.HOLD
        return state is AgentState.UNKNOWN or bool(self.agent_states >> bit & 1)


def _shortened(signature: str) -> str:
    """As much of a client's signature as fits into events."""
    return signature.encode()[:SIGNATURE_MAX].decode(errors="ignore")


class LabServer:
    """The server. `epoch_s` is the wall time at monotonic 0, only used for time stamps in messages."""

    def __init__(self, settings: LabSettings | None = None, epoch_s: float = 0.0) -> None:
        self.settings = settings if settings is not None else LabSettings()
        self.acd = Acd(self.settings.data, self.settings.deployment, self.settings.load)
        self.sessions: list[Session] = []
        self.answers_heartbeats = True
        """Fault: a server that lives but does not answer heartbeats."""
        self.answers_requests = True
        """Fault: requests are heard, and nothing is done or said."""
        self.online = True
        self._epoch = epoch_s
        self._out: list[LabOutput] = []
        self._handlers: dict[str, Callable[[Session, Message, float], None]] = {
            "OPEN_REQ": self._open,
            "HEARTBEAT_REQ": self._heartbeat,
            "CLOSE_REQ": self._close,
            "CONFIG_REQUEST_KEY_EVENT": self._config_key,
            "CONFIG_REQUEST_EVENT": self._config,
            "QUERY_AGENT_STATE_REQ": self._query,
            "SET_AGENT_STATE_REQ": self._set_state,
        }

    # What the shell calls

    def connected(self, now: float) -> Session:
        """A client connected."""
        session = Session(Framer(self.settings.versions[1]), now + OPEN_WITHIN_S)
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
        """Time passed: drop whoever was silent for too long."""
        for session in [session for session in self.sessions if session.deadline <= now]:
            self._fail(session, Status.TIMEOUT, "nothing was heard")
        return self._taken()

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinite when nothing is due."""
        return min((session.deadline for session in self.sessions), default=float("inf"))

    # What tests and, later, a control interface call

    def publish(self, changes: Iterable[AgentNow], now: float, signature: str = "") -> list[LabOutput]:
        """Tell every client about agents that were changed through `acd`."""
        self._publish(changes, now, signature)
        return self._taken()

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
        taken, self._out = self._out, []
        return taken

    def _time(self, now: float) -> int:
        return int(now + self._epoch) & 0xFFFFFFFF

    def _send(self, session: Session, message: Message) -> None:
        self._out.append(Send(session, encode(message, session.version)))

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
        else:
            self._opened(session, message, now)

    def _opened(self, session: Session, message: Message, now: float) -> None:
        fields = message.fields
        session.open = True
        session.framer.version = session.version
        session.services = fields["ServicesRequested"] & GRANTABLE_SERVICES
        session.agent_states = fields["AgentStateMask"]
        session.signature = _shortened(message.text("CLIENT_SIGNATURE") or "")
        session.idle_s = float("inf") if fields["IdleTimeout"] == NULL32 else float(fields["IdleTimeout"])
        session.deadline = now + session.idle_s
        confirmation = {
            "InvokeID": fields["InvokeID"],
            "ServicesGranted": session.services,
            "MonitorID": 1,
            "PGStatus": 0 if self.online else 4,
            "ICMCentralControllerTime": self._time(now),
            "PeripheralOnline": int(self.online),
            "PeripheralType": int(answers.PERIPHERAL_TYPES[self.settings.deployment]),
            "AgentState": int(AgentState.UNKNOWN),
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
        request = StateRequest(
            self._named(message),
            AgentState(fields["AgentState"]),
            fields["EventReasonCode"],
            fields["ForcedFlag"],
            message.text("AGENT_INSTRUMENT") or "",
        )
        result = self.acd.request(request, now)
        if isinstance(result, Refuse):
            self._send(session, answers.control_failure(invoke_id, result))
        else:
            self._send(session, Message("SET_AGENT_STATE_CONF", {"InvokeID": invoke_id}))
            self._publish(result, now, session.signature)

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

    def _publish(self, changes: Iterable[AgentNow], now: float, signature: str) -> None:
        kind = answers.PERIPHERAL_TYPES[self.settings.deployment]
        for agent in changes:
            event = answers.state_event(agent, self.settings.peripheral_id, kind, signature, now)
            written: dict[int, bytes] = {}
            for session in self.sessions:
                if session.wants(agent.state):
                    if session.version not in written:
                        written[session.version] = encode(event, session.version)
                    self._out.append(Send(session, written[session.version]))

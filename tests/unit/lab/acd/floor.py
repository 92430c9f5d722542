"""A simulated contact centre with one client that sees everything, byte by byte and on hand-moved time.

`Floor.call(...)` and its like send a request as a desktop server would; what is heard is told in short
lines: "BEGIN_CALL/1001 #1", with small numbers for call ids.
"""

from __future__ import annotations

from typing import Any

from poise.lab.acd.outside import Caller
from poise.lab.acd.settings import AcdSettings
from poise.lab.data import DEMO, LabData
from poise.lab.rules import Deployment
from poise.lab.server import LabOutput, LabServer, LabSettings, Send
from poise.protocols.cti.codec import Framer, encode
from poise.protocols.cti.constants import NULL16, NULL32, AgentState
from poise.protocols.cti.messages import FloatValue, Message, NamedVariable

Floats = tuple[tuple[str, FloatValue], ...]
READY, NOT_READY = AgentState.AVAILABLE, AgentState.NOT_READY
OPEN = {
    "InvokeID": 1,
    "IdleTimeout": NULL32,
    "PeripheralID": 5000,
    "ServicesRequested": 0x001C029E,
    "CallMsgMask": 0x0FFFFFFF,
    "AgentStateMask": 0x3FFF,
}


class Client:
    """One client of the server."""

    def __init__(self, server: LabServer, version: int, now: float, services: int = 0x001C029E, **who: str) -> None:
        self.server, self.version = server, version
        self.session = server.connected(now)
        self.framer = Framer(version)
        self.heard: list[Message] = []
        floats: Floats = (("CLIENT_ID", "Poise"), ("CLIENT_SIGNATURE", "Poise"), *who.items())
        fields = {**OPEN, "VersionNumber": version, "ServicesRequested": services}
        self.says(Message("OPEN_REQ", fields, floats), now)

    def says(self, message: Message, now: float) -> list[LabOutput]:
        """Send a message; what comes of it, for everybody."""
        outputs = self.server.feed(self.session, encode(message, self.version), now)
        self.hears(outputs)
        return outputs

    def hears(self, outputs: list[LabOutput]) -> None:
        """Take what is meant for this client."""
        for output in outputs:
            if output.session is self.session:
                assert isinstance(output, Send), output
                for item in self.framer.feed(output.data):
                    assert isinstance(item, Message), item
                    assert not item.name.startswith("MESSAGE_")
                    self.heard.append(item)


class Floor:
    """The centre and its client."""

    def __init__(
        self,
        deployment: Deployment = Deployment.UCCE,
        version: int = 24,
        acd: AcdSettings | None = None,
        shuffle: int | None = None,
        data: LabData = DEMO,
    ) -> None:
        settings = LabSettings(data, deployment, acd=acd or AcdSettings(), shuffle=shuffle)
        self.server = LabServer(settings)
        self.centre = self.server.centre
        self.now = 1000.0
        self.client = Client(self.server, version, self.now)
        self.others: list[Client] = []
        self._invoke = 10

    # Requests

    def ask(self, name: str, floats: Floats = (), **fields: int) -> Message:
        """A request; its one answer. What else is heard stays in `heard`."""
        self._invoke += 1
        peripheral = {} if name.startswith("MONITOR_STOP") else {"PeripheralID": 5000}
        fields = {"InvokeID": self._invoke, **peripheral, **fields}
        self._everybody(self.client.says(Message(name, fields, floats), self.now))
        answers = [message for message in self.client.heard if message.fields.get("InvokeID") == self._invoke]
        assert len(answers) == 1, f"{name} was answered by {[answer.name for answer in answers]}"
        self.client.heard.remove(answers[0])
        return answers[0]

    def _everybody(self, outputs: list[LabOutput]) -> None:
        for other in self.others:
            other.hears(outputs)

    def state(self, agent: str, *states: AgentState, reason: int = 0) -> None:
        """Sign an agent in, if needed, and put the agent into these states."""
        floats: Floats = (("AGENT_ID", agent), ("AGENT_INSTRUMENT", agent))
        for state in states:
            self.ask("SET_AGENT_STATE_REQ", floats, AgentState=state, EventReasonCode=reason)

    def signs_in(self, *agents: str, ready: bool = False) -> None:
        """Sign agents in."""
        for agent in agents:
            self.state(agent, AgentState.LOGIN, *([READY] if ready else []))
        self.client.heard.clear()

    def on(self, name: str, device: str, call_id: int, *floats: tuple[str, FloatValue], **fields: int) -> Message:
        """A request about one connection."""
        connection: Floats = (("CONNECTION_DEVID", device), *floats)
        return self.ask(f"{name}_REQ", connection, ConnectionCallID=call_id, **fields)

    def make_call(self, device: str, number: str, *floats: tuple[str, FloatValue], manner: int = 0) -> Message:
        """MAKE_CALL_REQ."""
        what: Floats = (("AGENT_INSTRUMENT", device), ("DIALED_NUMBER", number), *floats)
        return self.ask("MAKE_CALL_REQ", what, CallMannerType=manner)

    def retrieve(self, device: str, call_id: int) -> Message:
        """RETRIEVE_CALL_REQ."""
        return self.ask("RETRIEVE_CALL_REQ", (("HELD_CONN_DEVID", device),), HeldConnectionCallID=call_id)

    def consult(self, device: str, call_id: int, number: str, kind: int = 1) -> Message:
        """CONSULTATION_CALL_REQ."""
        what: Floats = (("ACTIVE_CONN_DEVID", device), ("DIALED_NUMBER", number))
        return self.ask("CONSULTATION_CALL_REQ", what, ActiveConnectionCallID=call_id, ConsultType=kind)

    def two(self, name: str, device: str, active: int, held: int) -> Message:
        """TRANSFER, CONFERENCE, RECONNECT, ALTERNATE."""
        other = "Other" if name == "ALTERNATE" else "Held"
        what: Floats = (("ACTIVE_CONN_DEVID", device), (f"{other.upper()}_CONN_DEVID", device))
        fields = {"ActiveConnectionCallID": active, f"{other}ConnectionCallID": held}
        return self.ask(f"{name}_CALL_REQ", what, **fields)

    def blind(self, device: str, call_id: int, number: str) -> Message:
        """Single-step transfer."""
        what: Floats = (("ACTIVE_CONN_DEVID", device), ("DIALED_NUMBER", number))
        fields = {"ActiveConnectionCallID": call_id, "HeldConnectionCallID": NULL32}
        return self.ask("TRANSFER_CALL_REQ", what, HeldConnectionDeviceIDType=NULL16, **fields)

    def supervise(self, supervisor: str, agent: str, call_id: int, action: int) -> Message:
        """SUPERVISE_CALL_REQ."""
        what: Floats = (("AGENT_CONNECTION_DEVID", agent), ("SUPERVISOR_INSTRUMENT", supervisor))
        return self.ask("SUPERVISE_CALL_REQ", what, AgentConnectionCallID=call_id, SupervisoryAction=action)

    def set_data(self, device: str, call_id: int, *floats: tuple[str, FloatValue]) -> Message:
        """SET_CALL_DATA_REQ."""
        return self.on("SET_CALL_DATA", device, call_id, *floats)

    # The world

    def calls_in(self, dials: str = "8010", number: str = "5551234", **how: Any) -> int:
        """Somebody calls from outside: the call's id."""
        call = self.centre.outside.call_in(Caller(number, dials, **how), self.now)
        self.tell()
        assert call is not None
        return call.call_id

    def tell(self) -> None:
        """Hear what was done to the centre."""
        outputs = self.server.happened(self.now)
        self.client.hears(outputs)
        self._everybody(outputs)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, step by step."""
        end = self.now + seconds
        while self.server.deadline <= end:
            self.now = max(self.now, self.server.deadline)
            outputs = self.server.due(self.now)
            self.client.hears(outputs)
            self._everybody(outputs)
        self.now = end

    # Hearing

    def events(self) -> list[Message]:
        """What was heard since the last time."""
        heard, self.client.heard = self.client.heard, []
        return heard

    def ladder(self) -> list[str]:
        """The same in short lines."""
        return [short(message) for message in self.events()]

    def calls_at(self, device: str) -> dict[int, int]:
        """SNAPSHOT_DEVICE: call id -> LocalConnectionState."""
        answer = self.ask("SNAPSHOT_DEVICE_REQ", (("MONITORED_DEVID", device),))
        ids = [value for value in answer.all("CALL_CONN_CALLID") if isinstance(value, int)]
        states = [value for value in answer.all("CALL_STATE") if isinstance(value, int)]
        assert len(ids) == len(states) == answer.fields["NumCalls"]
        return dict(zip(ids, states, strict=True))

    def parties(self, call_id: int) -> dict[str, int]:
        """SNAPSHOT_CALL: device -> LocalConnectionState."""
        answer = self.ask("SNAPSHOT_CALL_REQ", ConnectionCallID=call_id)
        devices = [str(value) for value in answer.all("CALL_DEVID")]
        states = [value for value in answer.all("CALL_DEV_CONN_STATE") if isinstance(value, int)]
        return dict(zip(devices, states, strict=True))

    def agent_state(self, agent: str) -> str:
        """The agent's state by name."""
        now = self.server.acd.agent(agent)
        assert now is not None
        return now.state.name


FIRST = 1_000_000


def short(message: Message) -> str:
    """A message in one line: name/device #call LCS, cause; or the state of an agent."""
    fields = message.fields
    if message.name == "AGENT_STATE_EVENT":
        reason = f" {fields['EventReasonCode']}" if fields["EventReasonCode"] else ""
        return f"state {message.agent_id} {AgentState(fields['AgentState']).name}{reason}"
    name = message.name.removesuffix("_EVENT").removeprefix("CALL_").removesuffix("_CALL")
    call_id = fields.get("ConnectionCallID", fields.get("PrimaryCallID", FIRST)) - FIRST
    device = message.text("CONNECTION_DEVID") or message.text("PRIMARY_DEVID") or message.text("AGENT_INSTRUMENT")
    line = f"{name}/{device}" + (f" #{call_id}" if call_id else "")
    if "LocalConnectionState" in fields:
        line += f" {fields['LocalConnectionState']}"
    if message.name == "BEGIN_CALL_EVENT" or message.name == "CALL_DATA_UPDATE_EVENT":
        line += f" type {fields['CallType']}"
    new_id = fields.get("NewConnectionCallID", 0) - FIRST
    if new_id > 0 and new_id != call_id:
        line += f" now #{new_id}"
    if fields.get("EventCause", NULL16) != NULL16:
        line += f" cause {fields['EventCause']}"
    return line


def ecc(name: str, value: str) -> tuple[str, FloatValue]:
    """An ECC variable as floating field."""
    return ("NAMED_VARIABLE", NamedVariable(name, value))

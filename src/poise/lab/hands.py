"""Hands at the simulated telephones: what a person there does, as the requests a desktop would make. No I/O, no clock.

Used by scenarios and robots. Everything is about what is at the telephone at that moment: "answer" takes the call that
rings, "hold" the one that is talked on, and so on.
"""

from __future__ import annotations

from collections.abc import Iterable

from poise.lab.acd.codes import Lcs, Manner, Supervise
from poise.lab.acd.model import Floats, Leg
from poise.lab.acd.outside import Caller
from poise.lab.server import LabServer
from poise.protocols.cti.constants import NULL16, NULL32, AgentState
from poise.protocols.cti.messages import FloatValue, Message, NamedVariable, agent_floats

NO_CALL = "no such call at the telephone"


def data_floats(data: Iterable[tuple[str, str]]) -> Floats:
    """Call data by the names of scenarios - var1 to var10, wrapup, or an ECC variable's - as floating fields."""
    floats: list[tuple[str, FloatValue]] = []
    for name, value in data:
        if name.startswith("var") and name[3:].isdigit() and 1 <= int(name[3:]) <= 10:
            floats.append((f"CALL_VAR_{name[3:]}", value))
        elif name == "wrapup":
            floats.append(("CALL_WRAPUP_DATA", value))
        else:
            floats.append(("NAMED_VARIABLE", NamedVariable(name, value)))
    return tuple(floats)


class Hands:
    """Every method gives "" when it was done, or why it was not."""

    def __init__(self, server: LabServer) -> None:
        self._server = server
        self._peripheral = server.settings.peripheral_id

    # Looking

    def leg(self, device: str, *states: Lcs) -> Leg | None:
        """The first connection at a telephone in one of these states."""
        return next((leg for leg in self._server.centre.switch.at(device) if leg.state in states), None)

    def extension(self, agent_id: str) -> str:
        """Where the agent is signed in; empty when nowhere."""
        agent = self._server.acd.agent(agent_id)
        return "" if agent is None else agent.extension

    # Doing

    def ask(self, now: float, name: str, floats: Floats = (), **fields: int) -> str:
        """Any request."""
        defaults = {"CallMannerType": 0, "InvokeID": 0, "PeripheralID": self._peripheral}
        answer = self._server.by_hand(Message(name, {**defaults, **fields}, floats), now)
        if answer.name == "CONTROL_FAILURE_CONF":
            return f"refused: {answer.fields['FailureCode']}, {answer.fields['PeripheralErrorCode']}"
        return f"refused: status {answer.fields['Status']}" if answer.name == "FAILURE_CONF" else ""

    def sign_in(self, agent_id: str, extension: str, now: float) -> str:
        """Sign an agent in."""
        floats: Floats = (*agent_floats(agent_id), ("AGENT_INSTRUMENT", extension))
        return self.ask(now, "SET_AGENT_STATE_REQ", floats, AgentState=AgentState.LOGIN)

    def state(self, agent_id: str, state: AgentState, now: float, reason: int = 0) -> str:
        """Ask for a state."""
        floats = agent_floats(agent_id)
        return self.ask(now, "SET_AGENT_STATE_REQ", floats, AgentState=state, EventReasonCode=reason)

    def _on(self, now: float, name: str, leg: Leg | None, tag: str, field: str, floats: Floats = ()) -> str:
        if leg is None:
            return NO_CALL
        call_id = {f"{field}ConnectionCallID": leg.call.call_id}
        return self.ask(now, f"{name}_REQ", ((tag, leg.device), *floats), **call_id)

    def dial(self, device: str, number: str, now: float, data: Iterable[tuple[str, str]] = ()) -> str:
        """Call a number."""
        floats: Floats = (("AGENT_INSTRUMENT", device), ("DIALED_NUMBER", number), *data_floats(data))
        return self.ask(now, "MAKE_CALL_REQ", floats, CallMannerType=Manner.BELLIGERENT)

    def answer(self, device: str, now: float) -> str:
        """Pick up."""
        return self._on(now, "ANSWER_CALL", self.leg(device, Lcs.ALERTING), "CONNECTION_DEVID", "")

    def hold(self, device: str, now: float) -> str:
        """Put on hold."""
        return self._on(now, "HOLD_CALL", self.leg(device, Lcs.CONNECT), "CONNECTION_DEVID", "")

    def retrieve(self, device: str, now: float) -> str:
        """Take back from hold."""
        return self._on(now, "RETRIEVE_CALL", self.leg(device, Lcs.HOLD), "HELD_CONN_DEVID", "Held")

    def hang_up(self, device: str, now: float) -> str:
        """Put the receiver down."""
        leg = self.leg(device, Lcs.CONNECT, Lcs.FAIL, Lcs.INITIATE) or self.leg(device, Lcs.HOLD)
        return self._on(now, "CLEAR_CONNECTION", leg, "CONNECTION_DEVID", "")

    def deflect(self, device: str, number: str, now: float) -> str:
        """Send a ringing call on."""
        leg = self.leg(device, Lcs.ALERTING)
        return self._on(now, "DEFLECT_CALL", leg, "CONNECTION_DEVID", "", (("DIALED_NUMBER", number),))

    def consult(self, device: str, number: str, now: float) -> str:
        """Hold the call and call somebody else."""
        floats: Floats = (("DIALED_NUMBER", number),)
        leg = self.leg(device, Lcs.CONNECT)
        return self._on(now, "CONSULTATION_CALL", leg, "ACTIVE_CONN_DEVID", "Active", floats)

    def blind(self, device: str, number: str, now: float) -> str:
        """Send the call on without a word (single-step transfer)."""
        leg = self.leg(device, Lcs.CONNECT)
        if leg is None:
            return NO_CALL
        floats: Floats = (("ACTIVE_CONN_DEVID", device), ("DIALED_NUMBER", number))
        ids = {"ActiveConnectionCallID": leg.call.call_id, "HeldConnectionCallID": NULL32}
        return self.ask(now, "TRANSFER_CALL_REQ", floats, HeldConnectionDeviceIDType=NULL16, **ids)

    def two(self, device: str, name: str, now: float) -> str:
        """TRANSFER, CONFERENCE, ALTERNATE or RECONNECT with the active and the held call."""
        active, held = self.leg(device, Lcs.CONNECT, Lcs.FAIL), self.leg(device, Lcs.HOLD)
        if active is None or held is None:
            return NO_CALL
        other = "Other" if name == "ALTERNATE" else "Held"
        floats: Floats = (("ACTIVE_CONN_DEVID", device), (f"{other.upper()}_CONN_DEVID", device))
        ids = {"ActiveConnectionCallID": active.call.call_id, f"{other}ConnectionCallID": held.call.call_id}
        return self.ask(now, f"{name}_CALL_REQ", floats, **ids)

    def dtmf(self, device: str, digits: str, now: float) -> str:
        """Press keys."""
        leg = self.leg(device, Lcs.CONNECT)
        return self._on(now, "SEND_DTMF_SIGNAL", leg, "CONNECTION_DEVID", "", (("DTMF_STRING", digits),))

    def record(self, device: str, now: float, *, on: bool) -> str:
        """Begin or end a recording."""
        name = "START_RECORDING" if on else "STOP_RECORDING"
        return self._on(now, name, self.leg(device, Lcs.CONNECT), "CONNECTION_DEVID", "")

    def set_data(self, device: str, data: Iterable[tuple[str, str]], now: float) -> str:
        """Change what travels with the call, or with the one that is wrapped up."""
        leg = self.leg(device, Lcs.CONNECT, Lcs.HOLD, Lcs.ALERTING) or self._server.centre.switch.wrapped(device)
        return self._on(now, "SET_CALL_DATA", leg, "CONNECTION_DEVID", "", data_floats(data))

    def supervise(self, supervisor: str, device: str, action: Supervise, now: float) -> str:
        """A supervisor listens to an agent's call, joins it, takes it over, or goes."""
        leg = self.leg(device, Lcs.CONNECT, Lcs.HOLD)
        call_id = NULL32 if leg is None else leg.call.call_id
        floats: Floats = (("AGENT_CONNECTION_DEVID", device), ("SUPERVISOR_INSTRUMENT", supervisor))
        return self.ask(now, "SUPERVISE_CALL_REQ", floats, AgentConnectionCallID=call_id, SupervisoryAction=action)

    def call_in(self, caller: Caller, now: float) -> str:
        """Somebody calls from outside."""
        call = self._server.centre.outside.call_in(caller, now) if self._server.centre.telephony else None
        self._server.happened_inside(now)
        return "the caller hears a tone: nothing can be reached there" if call is None else ""

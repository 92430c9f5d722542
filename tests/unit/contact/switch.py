"""A small telephone system for the tests of this room: it knows the truth and reports it.

It does so as docs/reference/lab-call-flows.md says, but is written apart from the product's ACD: each method gives the
messages of one step, call events and agent-state events in the order of the ordinary mode.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from poise.protocols.cti.call_constants import CallType, DeviceIdType, EventCause
from poise.protocols.cti.call_constants import LocalConnectionState as Lcs
from poise.protocols.cti.constants import NULL16, NULL32, AgentState, Direction
from poise.protocols.cti.messages import FloatValue, Message, NamedVariable

QUEUE = "8010"
CALLER = "5550100"
DIALLER = "99901"


@dataclass
class Truth:
    """One call as it is."""

    number: int
    kind: CallType
    states: dict[str, Lcs] = field(default_factory=dict)
    calling: str = ""
    called: str = ""
    variables: dict[str, str] = field(default_factory=dict)


class Switch:
    """Agents' telephones are those of `agents`: extension -> agent id."""

    def __init__(self, agents: Iterable[str] = ("1001", "1002", "1004", "1101")) -> None:
        self.agents = tuple(agents)
        self.calls: dict[int, Truth] = {}
        self._next = 1_000_001

    # ---- messages

    def state(self, agent: str, state: AgentState, direction: Direction = Direction.IN, reason: int = 0) -> Message:
        fields = {"AgentState": int(state), "MRDID": 1, "EventReasonCode": reason, "SkillGroupNumber": NULL32}
        tail = (("AGENT_ID", agent), ("AGENT_EXTENSION", agent), ("DIRECTION", int(direction)))
        return Message("AGENT_STATE_EVENT", fields, tail)

    def event(
        self,
        name: str,
        call: Truth,
        device: str,
        lcs: Lcs,
        about: Mapping[str, FloatValue] | None = None,
        cause: int = EventCause.NEW_CALL,
    ) -> Message:
        fields = {
            "ConnectionCallID": call.number,
            "ConnectionDeviceIDType": 0,
            "LocalConnectionState": int(lcs),
            "EventCause": int(cause),
            "SkillGroupNumber": 10 if call.called == QUEUE else NULL32,
        }
        floats: list[tuple[str, FloatValue]] = [("CONNECTION_DEVID", device)]
        for tag, value in (about or {}).items():
            floats.append((tag, value))
            if tag.endswith("_DEVID") and isinstance(value, str):
                fields[tag.removesuffix("_DEVID").capitalize() + "DeviceType"] = int(self._type(value))
        return Message(name, fields, tuple(floats))

    def _type(self, device: str) -> DeviceIdType:
        if device in self.agents:
            return DeviceIdType.AGENT_DEVICE
        return DeviceIdType.ROUTE_POINT if device == QUEUE else DeviceIdType.EXTERNAL

    def watched(self, call: Truth) -> list[str]:
        """The telephones of agents that have a part in a call."""
        return [device for device in call.states if device in self.agents]

    def _data(self, call: Truth) -> dict[str, FloatValue]:
        data: dict[str, FloatValue] = {"ANI": call.calling, "DNIS": call.called, "DIALED_NUMBER": call.called}
        return data | {name: value for name, value in call.variables.items() if name.startswith("CALL_VAR")}

    def begin(self, call: Truth, device: str, kind: CallType | None = None) -> Message:
        fields = {
            "ConnectionCallID": call.number,
            "ConnectionDeviceIDType": 0,
            "CallType": int(kind or call.kind),
        }
        ecc = tuple(
            ("NAMED_VARIABLE", NamedVariable(name, value))
            for name, value in call.variables.items()
            if not name.startswith("CALL_VAR")
        )
        return Message(
            "BEGIN_CALL_EVENT", fields, (("CONNECTION_DEVID", device), *tuple(self._data(call).items()), *ecc)
        )

    def end(self, call: Truth, device: str, number: int | None = None) -> Message:
        fields = {"ConnectionCallID": number or call.number, "ConnectionDeviceIDType": 0}
        return Message("END_CALL_EVENT", fields, (("CONNECTION_DEVID", device),))

    def new(self, kind: CallType, calling: str, called: str) -> Truth:
        call = Truth(self._next, kind, calling=calling, called=called)
        self.calls[call.number] = call
        self._next += 1
        return call

    # ---- inbound

    def offered(self, call: Truth, agent: str, cause: EventCause = EventCause.NEW_CALL) -> list[Message]:
        """A call rings at an agent's telephone."""
        call.states[agent] = Lcs.ALERTING
        who = {"ALERTING_DEVID": agent, "CALLING_DEVID": call.calling, "CALLED_DEVID": call.called}
        out: list[Message] = []
        for device in self.watched(call):
            if device == agent:
                out.append(self.begin(call, agent))
            lcs = Lcs.ALERTING if device == agent else Lcs.CONNECT
            out.append(self.event("CALL_DELIVERED_EVENT", call, device, lcs, who, cause))
        return out

    def inbound(self, agent: str) -> tuple[Truth, list[Message]]:
        """A caller in the queue is given to an agent."""
        call = self.new(CallType.PREROUTE_ACD_IN, CALLER, QUEUE)
        call.states[CALLER] = Lcs.CONNECT
        return call, [self.state(agent, AgentState.RESERVED), *self.offered(call, agent)]

    def answer(self, call: Truth, agent: str, direction: Direction = Direction.IN) -> list[Message]:
        call.states[agent] = Lcs.CONNECT
        who = {"ANSWERING_DEVID": agent, "CALLING_DEVID": call.calling, "CALLED_DEVID": call.called}
        out = [self.event("CALL_ESTABLISHED_EVENT", call, device, Lcs.CONNECT, who) for device in self.watched(call)]
        return [*out, self.state(agent, AgentState.TALKING, direction)]

    def far_answer(self, call: Truth) -> list[Message]:
        """A number outside answers."""
        call.states[call.called] = Lcs.CONNECT
        who = {"ANSWERING_DEVID": call.called, "CALLING_DEVID": call.calling, "CALLED_DEVID": call.called}
        return [self.event("CALL_ESTABLISHED_EVENT", call, d, Lcs.CONNECT, who) for d in self.watched(call)]

    def no_answer(self, call: Truth, agent: str, *, uccx: bool = False) -> list[Message]:
        """The call goes back to its queue."""
        if uccx:
            fail = {"RELEASING_DEVID": agent}
            gone = self.event(
                "CALL_CONNECTION_CLEARED_EVENT", call, agent, Lcs.NULL, fail, EventCause.CALL_NOT_ANSWERED
            )
        else:
            fail = {"DIVERTING_DEVID": agent, "CALLED_DEVID": QUEUE}
            gone = self.event("CALL_DIVERTED_EVENT", call, agent, Lcs.NULL, fail, EventCause.CALL_NOT_ANSWERED)
        del call.states[agent]
        reason = 32763 if uccx else 32767
        return [gone, self.state(agent, AgentState.NOT_READY, reason=reason), self.end(call, agent)]

    # ---- the end

    def over(self, call: Truth, first: str, then: AgentState = AgentState.AVAILABLE) -> list[Message]:
        """One hangs up, nobody is left to talk to."""
        agents = self.watched(call)
        others = [device for device in call.states if device != first]
        out: list[Message] = []
        for released in (first, *others):
            for device in agents:
                lcs = Lcs.NULL if released == device or released != first else call.states[device]
                out.append(
                    self.event("CALL_CONNECTION_CLEARED_EVENT", call, device, lcs, {"RELEASING_DEVID": released})
                )
        out += [self.event("CALL_CLEARED_EVENT", call, device, Lcs.NULL) for device in agents]
        out += [self.state(device, then) for device in agents]
        del self.calls[call.number]
        return [*out, *(self.end(call, device) for device in agents)]

    def leaves(self, call: Truth, agent: str, then: AgentState = AgentState.AVAILABLE) -> list[Message]:
        """One of at least three drops out."""
        out = [
            self.event(
                "CALL_CONNECTION_CLEARED_EVENT",
                call,
                device,
                Lcs.NULL if device == agent else Lcs.CONNECT,
                {"RELEASING_DEVID": agent},
            )
            for device in self.watched(call)
        ]
        del call.states[agent]
        return [*out, self.state(agent, then), self.end(call, agent)]

    # ---- placed by agents

    def dial(self, agent: str, number: str, kind: CallType | None = None, original: Truth | None = None) -> Truth:
        inside = number in self.agents
        return self.new(kind or (CallType.AGENT_INSIDE if inside else CallType.OUT), agent, number)

    def place(self, agent: str, number: str, original: Truth | None = None) -> tuple[Truth, list[Message]]:
        """Off the hook, dialled, ringing there."""
        consult = original is not None
        call = self.dial(agent, number, CallType.CONSULT if consult else None)
        call.states[agent] = Lcs.CONNECT
        linked: dict[str, FloatValue] = {}
        if original is not None:
            linked = {
                "COC_CONNECTION_CALL_ID": original.number,
                "COC_CONNECTION_DEVICE_ID_TYPE": 0,
                "COC_CONNECTION_DEVICE_ID": agent,
            }
        who = {"CALLING_DEVID": agent, "CALLED_DEVID": number}
        out = [
            self.begin(call, agent),
            self.event("CALL_SERVICE_INITIATED_EVENT", call, agent, Lcs.INITIATE, {"CALLING_DEVID": agent, **linked}),
            self.event("CALL_ORIGINATED_EVENT", call, agent, Lcs.CONNECT, who),
        ]
        if not consult:
            out.append(self.state(agent, AgentState.TALKING, Direction.OUT))
        return call, out

    def rings_there(self, call: Truth) -> list[Message]:
        who = {"ALERTING_DEVID": call.called, "CALLING_DEVID": call.calling, "CALLED_DEVID": call.called}
        call.states[call.called] = Lcs.ALERTING
        out = [self.event("CALL_DELIVERED_EVENT", call, call.calling, Lcs.CONNECT, who)]
        if call.called in self.agents:
            offered = CallType.CONSULT_OFFERED if call.kind is CallType.CONSULT else call.kind
            out.append(self.begin(call, call.called, offered))
            out.append(self.event("CALL_DELIVERED_EVENT", call, call.called, Lcs.ALERTING, who))
        return out

    def fails(self, call: Truth, cause: EventCause) -> list[Message]:
        agent = call.calling
        call.states[agent] = Lcs.FAIL
        who = {"FAILING_DEVID": call.called, "CALLED_DEVID": call.called}
        return [self.event("CALL_FAILED_EVENT", call, agent, Lcs.FAIL, who, cause)]

    # ---- hold and joining

    def hold(self, call: Truth, agent: str, *, consulting: bool = False) -> list[Message]:
        call.states[agent] = Lcs.HOLD
        out = [
            self.event("CALL_HELD_EVENT", call, d, Lcs.HOLD if d == agent else Lcs.CONNECT, {"HOLDING_DEVID": agent})
            for d in self.watched(call)
        ]
        return out if consulting else [*out, self.state(agent, AgentState.HOLD)]

    def retrieve(self, call: Truth, agent: str) -> list[Message]:
        call.states[agent] = Lcs.CONNECT
        out = [
            self.event("CALL_RETRIEVED_EVENT", call, d, Lcs.CONNECT, {"RETRIEVING_DEVID": agent})
            for d in self.watched(call)
        ]
        return [*out, self.state(agent, AgentState.TALKING)]

    def _renumbered(self, call: Truth, device: str, number: int, kind: CallType) -> Message:
        fields = {
            "ConnectionCallID": call.number,
            "ConnectionDeviceIDType": 0,
            "NewConnectionCallID": number,
            "NewConnectionDeviceIDType": 0,
            "CallType": int(kind),
        }
        floats = (("CONNECTION_DEVID", device), ("NEW_CONNECTION_DEVID", device))
        return Message("CALL_DATA_UPDATE_EVENT", fields, floats)

    def _joined(self, name: str, call: Truth, other: Truth | None, more: tuple[tuple[str, FloatValue], ...]) -> Message:
        fields = {
            "PrimaryCallID": call.number,
            "SecondaryCallID": other.number if other is not None else NULL32,
            "SecondaryDeviceIDType": 0 if other is not None else NULL16,
            "NumParties": len(call.states),
            "LocalConnectionState": int(Lcs.CONNECT),
        }
        parties: list[tuple[str, FloatValue]] = []
        for device in call.states:
            parties += [
                ("PARTY_CALLID", call.number),
                ("PARTY_DEVID_TYPE", int(self._type(device))),
                ("PARTY_DEVID", device),
            ]
        return Message(name, fields, (*more, *parties))

    def transfer(self, held: Truth, active: Truth, agent: str, then: AgentState) -> list[Message]:
        others = [device for device in self.watched(active) if device != agent]
        out = [self._renumbered(active, device, held.number, CallType.TRANSFER_IN) for device in others]
        del held.states[agent]
        held.states |= {device: lcs for device, lcs in active.states.items() if device != agent}
        if others:  # nobody else is told of another type
            held.kind = CallType.TRANSFER_IN
        more = (("TRANSFERRING_DEVID", agent), ("TRANSFERRED_DEVID", active.called))
        out.append(self._joined("CALL_TRANSFERRED_EVENT", held, active, more))
        del self.calls[active.number]
        out += [self.state(agent, then), self.end(held, agent), self.end(active, agent)]
        return [*out, *(self.end(active, device) for device in others)]

    def single_step(self, call: Truth, agent: str, number: str, then: AgentState) -> list[Message]:
        del call.states[agent]
        if number != QUEUE:
            call.states[number] = Lcs.ALERTING
        more = (("TRANSFERRING_DEVID", agent), ("TRANSFERRED_DEVID", number))
        out = [self._joined("CALL_TRANSFERRED_EVENT", call, None, more)]
        out.append(self.event("CALL_CONNECTION_CLEARED_EVENT", call, agent, Lcs.NULL, {"RELEASING_DEVID": agent}))
        out += [self.state(agent, then), self.end(call, agent)]
        call.kind, call.called = CallType.TRANSFER_IN, number
        return [*out, *(self.offered(call, number) if number in self.agents else [])]

    def conference(self, held: Truth, active: Truth, agent: str) -> list[Message]:
        added = next(device for device in active.states if device != agent)
        out = [self._renumbered(held, device, held.number, CallType.CONFERENCE) for device in self.watched(held)]
        if added in self.agents:
            out.append(self._renumbered(active, added, held.number, CallType.CONFERENCE))
        held.states |= {device: lcs for device, lcs in active.states.items() if device != agent}
        held.states[agent] = Lcs.CONNECT
        held.kind = CallType.CONFERENCE
        more = (("CONTROLLER_DEVID", agent), ("ADDED_PARTY_DEVID", added))
        out.append(self._joined("CALL_CONFERENCED_EVENT", held, active, more))
        ends = [self.end(active, device) for device in self.watched(active)]
        del self.calls[active.number]
        return [*out, *ends]

    # ---- supervisors

    def monitor(self, supervisor: str, agent: str) -> tuple[Truth, list[Message]]:
        call = self.new(CallType.SUPERVISOR_MONITOR, agent, supervisor)
        call.states = {supervisor: Lcs.CONNECT}
        who = {"CALLING_DEVID": agent, "CALLED_DEVID": supervisor}
        cause = EventCause.SUPERVISOR_MONITOR
        begin = Message(
            "BEGIN_CALL_EVENT",
            {"ConnectionCallID": call.number, "CallType": int(call.kind)},
            (("CONNECTION_DEVID", supervisor),),
        )
        delivered = self.event(
            "CALL_DELIVERED_EVENT", call, supervisor, Lcs.ALERTING, {"ALERTING_DEVID": supervisor, **who}, cause
        )
        established = self.event(
            "CALL_ESTABLISHED_EVENT", call, supervisor, Lcs.CONNECT, {"ANSWERING_DEVID": supervisor, **who}, cause
        )
        return call, [begin, delivered, established, self.state(supervisor, AgentState.TALKING)]

    def barge(self, monitor: Truth, call: Truth, supervisor: str, agent: str) -> list[Message]:
        out = [m for m in self.over(monitor, supervisor) if m.name != "AGENT_STATE_EVENT"]
        out += self.hold(call, agent, consulting=True)
        third = self.new(CallType.SUPERVISOR_BARGEIN, agent, supervisor)
        third.states = {agent: Lcs.CONNECT, supervisor: Lcs.CONNECT}
        who = {"CALLING_DEVID": agent, "CALLED_DEVID": supervisor}
        out += [self.begin(third, agent), self.begin(third, supervisor)]
        out.append(self.event("CALL_SERVICE_INITIATED_EVENT", third, agent, Lcs.INITIATE, {"CALLING_DEVID": agent}))
        out.append(self.event("CALL_ORIGINATED_EVENT", third, agent, Lcs.CONNECT, who))
        for device in (agent, supervisor):
            out.append(
                self.event("CALL_DELIVERED_EVENT", third, device, Lcs.ALERTING, {"ALERTING_DEVID": supervisor, **who})
            )
        for device in (agent, supervisor):
            out.append(
                self.event("CALL_ESTABLISHED_EVENT", third, device, Lcs.CONNECT, {"ANSWERING_DEVID": supervisor, **who})
            )
        return [*out, *self.conference(call, third, agent)]

    # ---- outbound

    def preview(self, agent: str, kind: CallType = CallType.RESERVATION_PREVIEW) -> tuple[Truth, list[Message]]:
        call = self.new(kind, DIALLER, agent)
        status = "OUTBOUND" if kind is CallType.RESERVATION_PREVIEW_DIRECT else "PREVIEW_OUTBOUND_RESERVATION"
        call.variables = {"BAStatus": status, "BACustomerNumber": "5550199", "BAResponse": ""}
        call.states = {DIALLER: Lcs.CONNECT}
        return call, [
            self.state(agent, AgentState.RESERVED, Direction.OUTBOUND_PREVIEW),
            *self.offered(call, agent),
        ]

    def data(self, call: Truth, name: str, value: str) -> list[Message]:
        """Call data have changed."""
        call.variables[name] = value
        fields = {
            "ConnectionCallID": call.number,
            "ConnectionDeviceIDType": 0,
            "NewConnectionCallID": call.number,
            "CallType": int(call.kind),
        }
        if name.startswith("CALL_"):
            item: tuple[str, FloatValue] = (name, value)
        else:
            item = ("NAMED_VARIABLE", NamedVariable(name, value))
        return [
            Message("CALL_DATA_UPDATE_EVENT", fields, (("CONNECTION_DEVID", device), item))
            for device in self.watched(call)
        ]

    def customer(self, reservation: Truth, agent: str) -> tuple[Truth, list[Message]]:
        """A preview was accepted and the customer has answered."""
        out = self.data(reservation, "BAResponse", "Accept")
        out += self.answer(reservation, agent, Direction.OUTBOUND_PREVIEW)
        out += self.hold(reservation, agent, consulting=True)
        call = self.new(CallType.CUSTOMER_PREVIEW, agent, "5550199")
        call.variables = {"BAStatus": "PREVIEW_OUTBOUND", "BACustomerNumber": "5550199"}
        call.states = {agent: Lcs.CONNECT, "5550199": Lcs.CONNECT}
        who = {"CALLING_DEVID": agent, "CALLED_DEVID": "5550199"}
        out.append(self.begin(call, agent))
        out.append(self.event("CALL_DELIVERED_EVENT", call, agent, Lcs.CONNECT, {"ALERTING_DEVID": "5550199", **who}))
        out.append(
            self.event("CALL_ESTABLISHED_EVENT", call, agent, Lcs.CONNECT, {"ANSWERING_DEVID": "5550199", **who})
        )
        out += [m for m in self.over(reservation, DIALLER) if m.name != "AGENT_STATE_EVENT"]
        return call, out

    # ---- snapshots

    def snapshot(self, call: Truth) -> Message:
        rows: list[tuple[str, FloatValue]] = []
        for device, lcs in call.states.items():
            rows += [
                ("CALL_CONN_CALLID", call.number),
                ("CALL_CONN_DEVID_TYPE", 0),
                ("CALL_CONN_DEVID", device),
                ("CALL_DEVID_TYPE", int(self._type(device))),
                ("CALL_DEVID", device),
                ("CALL_DEV_CONN_STATE", int(lcs)),
            ]
        ecc = tuple(
            ("NAMED_VARIABLE", NamedVariable(name, value))
            for name, value in call.variables.items()
            if not name.startswith("CALL_VAR")
        )
        fields = {"CallType": int(call.kind), "NumCallDevices": len(call.states)}
        return Message("SNAPSHOT_CALL_CONF", fields, (*self._data(call).items(), *ecc, *rows))

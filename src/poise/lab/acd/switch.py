"""The telephone switch: calls, connections and what they do to agents' states. No I/O, no clock.

One owner of all calls. Every change of a connection is told at once, as a GED-188 event for each monitored connection
of the call; afterwards the agents at the telephones concerned are settled: an agent's state follows from the
connections at the telephone (`settle`), whatever led to them. What rooms above add - queues, the outside world,
supervisors - they add by hooks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from poise.lab.acd.agenda import Agenda
from poise.lab.acd.agents import Acd, AgentNow
from poise.lab.acd.codes import CallType, Cause, Device, Lcs, LineType
from poise.lab.acd.events import AgentTold, CallTold, Events, Told
from poise.lab.acd.model import ACTIVE, Call, CallData, Leg
from poise.lab.acd.settings import AcdSettings
from poise.lab.rules import ON_CALL, Deployment
from poise.protocols.cti.constants import AgentState, Direction

FIRST_CALL_ID = 1_000_001
WORK = frozenset({AgentState.WORK_READY, AgentState.WORK_NOT_READY})
_SOMEBODY_ON_THE_LINE = frozenset({Lcs.INITIATE, Lcs.CONNECT, Lcs.HOLD, Lcs.FAIL})


class Switch:
    """All calls. Methods change them and add what is to be told to `told`."""

    def __init__(self, acd: Acd, settings: AcdSettings, events: Events) -> None:
        self.acd = acd
        self.settings = settings
        self.events = events
        self.agenda = Agenda()
        self.calls: dict[int, Call] = {}
        self.told: list[Told] = []
        self.routable = False
        """Whether an agent may have become free, or a call has come: the queues must be looked at."""
        self.leave_queue: Callable[[Call, float, Cause], None] = lambda call, now, cause: None
        """Set by the queues: the call waits no longer."""
        self.on_gone: list[Callable[[Leg, float], None]] = []
        """Told of every connection that is over."""
        self.on_answer: list[Callable[[Leg, float], None]] = []
        """Told of every connection that was answered."""
        self._at: dict[str, list[Leg]] = {}
        self._wrapping: dict[str, Leg] = {}  # telephone -> connection whose END comes after the wrap-up
        self._unwrapped: list[Leg] = []
        self._next_id = FIRST_CALL_ID
        self._moved: list[Callable[[AgentNow, AgentNow, float], None]] = [self._left_work]
        acd.on_move = self._on_move

    # Looking

    @property
    def calls_begun(self) -> int:
        """Calls since the start."""
        return self._next_id - FIRST_CALL_ID

    def at(self, device: str) -> tuple[Leg, ...]:
        """The connections at a telephone."""
        return tuple(self._at.get(device, ()))

    def active_at(self, device: str) -> Leg | None:
        """The one connection that has the telephone's ear."""
        return next((leg for leg in self._at.get(device, ()) if leg.state in ACTIVE), None)

    def find(self, call_id: int, device: str) -> Leg | None:
        """A connection by its call and device."""
        call = self.calls.get(call_id)
        return None if call is None else call.leg(device)

    def wrapping_at(self, call_id: int, device: str) -> Leg | None:
        """A connection that is over but for the wrap-up."""
        leg = self._wrapping.get(device)
        return leg if leg is not None and leg.call.call_id == call_id else None

    def wrapped(self, device: str) -> Leg | None:
        """The connection the agent at a telephone wraps up."""
        return self._wrapping.get(device)

    @staticmethod
    def watchers(call: Call) -> list[Leg]:
        """The call's monitored connections."""
        return [leg for leg in call.legs if leg.monitored]

    @staticmethod
    def talking(leg: Leg) -> bool:
        """Whether somebody is at the other end of a connected connection."""
        others = (other for other in leg.call.legs if other is not leg)
        return leg.state is Lcs.CONNECT and any(other.state in (Lcs.CONNECT, Lcs.HOLD) for other in others)

    # Telling

    def tell(self, legs: Iterable[Leg], build: Callable[[Leg], CallTold]) -> None:
        """Tell an event once for each of these monitored connections."""
        self.told += [build(leg) for leg in legs if leg.monitored]

    def on_move(self, listener: Callable[[AgentNow, AgentNow, float], None]) -> None:
        """Hear of every change of an agent's state."""
        self._moved.append(listener)

    def _on_move(self, before: AgentNow, after: AgentNow, now: float) -> None:
        for listener in self._moved:
            listener(before, after, now)

    def _left_work(self, before: AgentNow, after: AgentNow, now: float) -> None:
        if before.state in WORK and after.state not in WORK:
            leg = self._wrapping.pop(before.extension, None)
            if leg is not None:
                self._unwrapped.append(leg)

    def publish(self, changes: Iterable[AgentNow], now: float) -> None:
        """Tell of changed agents; wrap-up begins and ends with them."""
        for change in changes:
            self.told.append(AgentTold(change))
            self.routable = self.routable or change.state is AgentState.AVAILABLE
            if change.state in WORK and change.since == now and self.settings.wrap_up_s > 0:
                self._wrap_up_until(change, now + self.settings.wrap_up_s)
        while self._unwrapped:
            self._end_wrapped(self._unwrapped.pop(0))

    def _wrap_up_until(self, agent: AgentNow, when: float) -> None:
        agent_id = agent.person.agent_id

        def over(now: float) -> None:
            still = self.acd.agent(agent_id)
            if still is not None and still.state in WORK and still.since == agent.since:
                self.publish(self.acd.end_wrap_up(agent_id, now), now)

        self.agenda.at(when, over)

    def _end_wrapped(self, leg: Leg) -> None:
        call = leg.call
        self.told.append(self.events.end(leg, call.call_id))
        call.wrapping.remove(leg)
        self._forget(call)

    def _forget(self, call: Call) -> None:
        if not call.legs and not call.wrapping:
            call.ended = True
            self.calls.pop(call.call_id, None)

    # Calls

    def new_call(
        self, call_type: CallType, calling: tuple[str, Device], called: tuple[str, Device], data: CallData, now: float
    ) -> Call:
        """A call with a new id and nobody in it."""
        call = Call(self._next_id, call_type, *calling, *called, now, data)
        self._next_id += 1
        self.calls[call.call_id] = call
        return call

    def join(
        self,
        call: Call,
        device: tuple[str, Device],
        state: Lcs,
        now: float,
        *,
        call_type: CallType | None = None,
        line: LineType = LineType.UNKNOWN,
        direction: Direction = Direction.NONE,
        acd: bool = False,
        wraps: bool = False,
    ) -> Leg:
        """A new connection; of an agent's telephone it is told (BEGIN_CALL_EVENT)."""
        name, kind = device
        self._not_twice(call, name)
        agent = self.acd.at_extension(name) if kind is Device.AGENT else None
        leg = Leg(
            call,
            name,
            kind,
            state,
            now,
            call.call_type if call_type is None else call_type,
            line,
            direction,
            monitored=kind is Device.AGENT,
            agent="" if agent is None else agent.person.agent_id,
            acd=acd or wraps,
            wraps=wraps,
            begun=now,
        )
        call.legs.append(leg)
        if kind is Device.AGENT:
            self._at.setdefault(name, []).append(leg)
        self.tell((leg,), self.events.begin)
        return leg

    def move(self, leg: Leg, call: Call, now: float) -> None:
        """The connection belongs to another call from now on. Nothing is told."""
        self._not_twice(call, leg.device)
        leg.call.legs.remove(leg)
        leg.call = call
        call.legs.append(leg)

    def _not_twice(self, call: Call, device: str) -> None:
        """A telephone comes back to a call that its agent still wraps up: that connection's END comes now."""
        leg = self.wrapping_at(call.call_id, device)
        if leg is not None:
            del self._wrapping[device]
            self._end_wrapped(leg)

    @staticmethod
    def turn(leg: Leg, state: Lcs, now: float) -> None:
        """Change a connection's state and account for the time of the one before. Nothing is told."""
        if leg.state is Lcs.HOLD:
            leg.held_s += now - leg.since
        elif leg.state is Lcs.CONNECT and leg.answered:
            leg.talked_s += now - leg.since
        if state is Lcs.HOLD:
            leg.holds += 1
        leg.state, leg.since = state, now

    def answer(self, leg: Leg, now: float, cause: Cause = Cause.NONE) -> None:
        """Somebody picks up."""
        call = leg.call
        self.turn(leg, Lcs.CONNECT, now)
        for other in call.legs:
            if other.state is Lcs.CONNECT and not other.answered:
                self.turn(other, Lcs.CONNECT, now)
                other.answered = True
        call.answered = call.answered or leg.monitored
        self.tell(call.legs, lambda watcher: self.events.established(watcher, leg.device, leg.kind, cause))
        for listener in self.on_answer:
            listener(leg, now)

    def hold(self, leg: Leg, now: float, cause: Cause = Cause.NONE) -> None:
        """Put a connected connection on hold."""
        self.turn(leg, Lcs.HOLD, now)
        self.tell(leg.call.legs, lambda watcher: self.events.held(watcher, leg, cause))

    def retrieve(self, leg: Leg, now: float, cause: Cause = Cause.NONE) -> None:
        """Take a held connection back."""
        self.turn(leg, Lcs.CONNECT, now)
        self.tell(leg.call.legs, lambda watcher: self.events.retrieved(watcher, leg, cause))

    def fail(self, leg: Leg, failing: str, kind: Device, cause: Cause, now: float) -> None:
        """The called device cannot be had: a tone for the caller, for a while."""
        self.turn(leg, Lcs.FAIL, now)
        self.tell((leg,), lambda watcher: self.events.failed(watcher, failing, kind, cause))

        def hang_up(later: float) -> None:
            if leg.state is Lcs.FAIL and leg.since == now:
                self.leave(leg, later)

        self.agenda.at(now + self.settings.tone_s, hang_up)

    def off(self, leg: Leg, now: float) -> None:
        """Take a connection out of its call and off its telephone. Nothing is told."""
        self.turn(leg, Lcs.NULL, now)
        call = leg.call
        call.legs.remove(leg)
        if leg.device == call.calling:  # whoever is left is the calling party for those who are called next
            left = next((other for other in call.legs if other.kind is not Device.ROUTE_POINT), None)
            if left is not None:
                call.calling, call.calling_kind = left.device, left.kind
        if leg.kind is Device.AGENT:
            here = self._at[leg.device]
            here.remove(leg)
            if not here:
                del self._at[leg.device]

    def leave(self, leg: Leg, now: float, cause: Cause = Cause.NONE) -> None:
        """A device leaves its call; when nobody is left to talk to, the call is over."""
        call = leg.call
        watchers = self.watchers(call)
        self.off(leg, now)
        self.tell(watchers, lambda watcher: self.events.connection_cleared(watcher, leg, cause))
        gone = [leg]
        if not self._goes_on(call):
            self.leave_queue(call, now, Cause.CANCELLED)
            for other in list(call.legs):
                self.off(other, now)
                gone.append(other)
                self.tell(watchers, lambda watcher, left=other: self.events.connection_cleared(watcher, left, cause))  # type: ignore[misc]
            self.tell(watchers, lambda watcher: self.events.cleared(watcher, cause))
        self.finish(gone, now)

    @staticmethod
    def _goes_on(call: Call) -> bool:
        if call.monitor_of is not None:
            return bool(call.legs) and not call.monitor_of.gone
        return len(call.legs) >= 2 and any(leg.state in _SOMEBODY_ON_THE_LINE for leg in call.legs)

    def clear(self, call: Call, now: float, cause: Cause = Cause.NONE) -> None:
        """Everybody leaves."""
        self.leave_queue(call, now, cause)
        while call.legs:
            self.leave(call.legs[0], now, cause)

    def finish(self, gone: list[Leg], now: float, *, passed_on: bool = False) -> None:
        """Connections are over: settle the agents, then END_CALL_EVENT for each, after the wrap-up if there is one.

        An agent who has passed the call on has nothing more to add to it: its END does not wait.
        """
        for leg in gone:
            self.settle(leg.device, now, wraps=leg.wraps and leg.answered)
            agent = self.acd.at_extension(leg.device) if leg.monitored else None
            works = agent is not None and agent.state in WORK and not passed_on
            if works and leg.wraps and leg.device not in self._wrapping:
                self._wrapping[leg.device] = leg
                leg.call.wrapping.append(leg)
            else:
                self.tell((leg,), lambda watcher: self.events.end(watcher, watcher.call.call_id))
        for leg in gone:
            for listener in self.on_gone:
                listener(leg, now)
            self._forget(leg.call)
        call = gone[0].call
        if call.legs and not self._concerns_us(call):
            self.agenda.at(now + self.settings.left_alone_s, partial(self._over, call))
        self.routable = True

    @staticmethod
    def _concerns_us(call: Call) -> bool:
        return any(leg.kind in (Device.AGENT, Device.ROUTE_POINT) for leg in call.legs)

    def _over(self, call: Call, now: float) -> None:
        """Outside parties whom the agents have left to themselves."""
        if not self._concerns_us(call):
            self.clear(call, now)

    # Agents

    def settle(self, device: str, now: float, *, wraps: bool = False) -> None:
        """Let the agent's state follow from the connections at the telephone."""
        agent = self.acd.at_extension(device)
        if agent is None:
            return
        self.publish(self._settled(agent, now, wraps), now)

    def _settled(self, agent: AgentNow, now: float, wraps: bool) -> list[AgentNow]:
        acd, agent_id = self.acd, agent.person.agent_id
        uccx = acd.deployment is Deployment.UCCX
        here = self._at.get(agent.extension, [])
        count = [leg for leg in here if leg.acd] if uccx else here
        active = next((leg for leg in count if leg.state in ACTIVE), None)
        held = next((leg for leg in count if leg.state is Lcs.HOLD), None)
        if active is not None:
            return acd.on_call(agent_id, AgentState.TALKING, active.direction, now)
        if held is not None:
            state = AgentState.TALKING if uccx else AgentState.HOLD
            return acd.on_call(agent_id, state, held.direction, now)
        ringing = next((leg for leg in count if leg.state is Lcs.ALERTING), None)
        changes: list[AgentNow] = []
        if agent.state in ON_CALL and (ringing is None or agent.state is not AgentState.RESERVED):
            changes = acd.no_call(agent_id, now, wrap_up=wraps and self.settings.wrap_up_s > 0)
        elif not here:
            changes = acd.no_call(agent_id, now)
        after = changes[-1].state if changes else agent.state
        if after is AgentState.AVAILABLE and ringing is not None:
            changes += acd.on_call(agent_id, AgentState.RESERVED, ringing.direction, now)
        elif after is AgentState.AVAILABLE and any(leg.state in ACTIVE or leg.state is Lcs.HOLD for leg in here):
            changes += acd.other_call(agent_id, now)
        return changes

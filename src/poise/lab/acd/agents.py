"""The agents of a simulated contact centre: requests and calls in, changed agents out. No I/O, no clock.

One owner of all agents; everybody else gets `AgentNow` snapshots. Calls are no more here than a state an agent is put
into and taken out of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from poise.lab.data import EXTENSION_MAX, LabData, Person
from poise.lab.rules import (
    EXTENSION_IN_USE,
    NOT_TWICE,
    ON_CALL,
    SIGN_IN_REASON,
    SIGNED_ON_ELSEWHERE,
    SIGNED_OUT,
    SUPERVISOR_REASONS,
    UNKNOWN_AGENT,
    UNKNOWN_EXTENSION,
    Act,
    Deployment,
    Refuse,
    Requester,
    desktop_lost,
    ruling,
)
from poise.protocols.cti.constants import AgentState, Direction, ForcedFlag, Reason

SETTABLE = frozenset(
    {
        AgentState.LOGIN,
        AgentState.LOGOUT,
        AgentState.NOT_READY,
        AgentState.AVAILABLE,
        AgentState.WORK_NOT_READY,
        AgentState.WORK_READY,
    }
)
"""States that can be asked for."""

NOT_ANSWERED = {Deployment.UCCE: 32767, Deployment.UCCX: 32763}
"""Reason of the NOT_READY after a call the agent did not answer."""
PLACED_WHILE_READY = {Deployment.UCCE: 50006, Deployment.UCCX: 32762}
"""Reason of the NOT_READY of an agent who placed a call while READY."""
OTHER_CALL_UCCX = 32761
"""UCCX: NOT_READY because of a call that came from no queue."""


@dataclass(frozen=True, slots=True)
class StateRequest:
    """SET_AGENT_STATE_REQ in short."""

    agent_id: str
    wanted: AgentState
    reason: int = 0
    forced: int = ForcedFlag.NOT_FORCED
    instrument: str = ""
    """Extension, for a mobile agent followed by ";" and the telephone number."""


@dataclass(frozen=True, slots=True)
class AgentNow:
    """An agent at one moment."""

    person: Person
    state: AgentState
    reason: int
    extension: str
    """Empty while signed out."""
    since: float
    """Monotonic seconds at which the state began."""
    pending: AgentState | None = None
    """State that follows the call."""
    direction: Direction = Direction.NONE
    """Of the call the state is about."""


class _Agent:
    __slots__ = (
        "before_call",
        "direction",
        "extension",
        "pended",
        "pending",
        "pending_reason",
        "person",
        "reason",
        "returns_ready",
        "since",
        "state",
    )

    def __init__(self, person: Person) -> None:
        self.person = person
        self.state = AgentState.LOGOUT
        self.reason: int = Reason.NONE
        self.extension = ""
        self.since = 0.0
        self.pending: AgentState | None = None
        self.pending_reason: int = Reason.NONE
        self.pended = False  # during the present call
        self.before_call = AgentState.NOT_READY
        self.direction = Direction.NONE
        self.returns_ready = False  # NOT_READY only because of a call

    def now(self) -> AgentNow:
        return AgentNow(self.person, self.state, self.reason, self.extension, self.since, self.pending, self.direction)


class Acd:
    """All agents. Methods that change agents return their snapshots, in the order in which they changed."""

    def __init__(self, data: LabData, deployment: Deployment = Deployment.UCCE, load: int = 0) -> None:
        self.data = data
        self.deployment = deployment
        self.load = load
        """UCCE's LOAD: 0 makes agents whose desktop was lost NOT_READY, 1 signs them out."""
        self._agents = {person.agent_id: _Agent(person) for person in data.people}
        self._extensions = {person.extension for person in data.people}
        self._used: dict[str, str] = {}  # extension -> agent id
        self.on_move: Callable[[AgentNow, AgentNow, float], None] = lambda before, after, now: None
        """Told of every change of state: before, after, monotonic seconds."""

    def agent(self, agent_id: str) -> AgentNow | None:
        """An agent now, or None when there is no such agent."""
        agent = self._agents.get(agent_id)
        return None if agent is None else agent.now()

    def at_extension(self, extension: str) -> AgentNow | None:
        """The agent signed in at an extension."""
        return self.agent(self._used.get(extension, ""))

    def has_telephone(self, extension: str) -> bool:
        """Whether an extension is an agent's telephone, signed in or not."""
        return extension in self._extensions or extension in self._used

    def in_state(self, state: AgentState) -> Iterator[AgentNow]:
        """The agents in a state, in the order of the data."""
        return (agent.now() for agent in self._agents.values() if agent.state is state)

    def everybody(self) -> Iterator[AgentNow]:
        """All agents, in the order of the data."""
        return (agent.now() for agent in self._agents.values())

    def request(self, request: StateRequest, now: float) -> Refuse | list[AgentNow]:
        """Judge a request and carry it out: the refusal, or the changes (none when it was true already)."""
        agent = self._agents.get(request.agent_id)
        if agent is None:
            return UNKNOWN_AGENT
        if request.forced == ForcedFlag.AUTHENTICATION_ONLY:
            return []
        if request.wanted is AgentState.LOGIN:
            return self._sign_in(agent, request.instrument.partition(";")[0], now)
        requester = self._requester(request)
        if agent.state is AgentState.LOGOUT:
            lost = requester is Requester.DESKTOP_LOST  # a forced logout may come twice, from two desktop servers
            return [] if lost else SIGNED_OUT[self.deployment]
        if requester is Requester.DESKTOP_LOST:
            return self._desktop_lost(agent, now)
        act = ruling(self.deployment, requester, agent.state, request.wanted)
        if isinstance(act, Refuse):
            return act
        return self._carry_out(agent, act, request.wanted, request.reason, now)

    def _requester(self, request: StateRequest) -> Requester:
        if request.reason in SUPERVISOR_REASONS[self.deployment]:
            return Requester.SUPERVISOR
        if request.forced == ForcedFlag.FORCED:
            lost = request.wanted is AgentState.LOGOUT and request.reason == Reason.PRESENCE_LOST
            return Requester.DESKTOP_LOST if lost else Requester.SUPERVISOR
        return Requester.AGENT

    def _carry_out(
        self, agent: _Agent, act: Act, wanted: AgentState, reason: int, now: float
    ) -> Refuse | list[AgentNow]:
        if act is Act.KEEP:
            return []
        if act is Act.MOVE:
            agent.returns_ready = False
            return [self._move(agent, wanted, reason, now)]
        if act is Act.PEND_ONCE and agent.pended:
            return NOT_TWICE
        agent.pended = True
        agent.pending, agent.pending_reason = wanted, reason
        return [agent.now()]

    def _desktop_lost(self, agent: _Agent, now: float) -> list[AgentNow]:
        lost = desktop_lost(self.deployment, self.load)
        if agent.state in ON_CALL and lost.on_call is Act.PEND:
            agent.pending, agent.pending_reason = lost.state, lost.reason
            return [agent.now()]
        return [self._move(agent, lost.state, lost.reason, now)]

    def _sign_in(self, agent: _Agent, extension: str, now: float) -> Refuse | list[AgentNow]:
        if agent.state is not AgentState.LOGOUT:
            return [] if extension == agent.extension else SIGNED_ON_ELSEWHERE
        digits = extension.isascii() and extension.isdigit() and len(extension) <= EXTENSION_MAX
        if extension not in self._extensions and not digits:
            return UNKNOWN_EXTENSION
        if extension in self._used:
            return EXTENSION_IN_USE
        self._used[extension] = agent.person.agent_id
        agent.extension = extension
        login = self._move(agent, AgentState.LOGIN, Reason.NONE, now)
        return [login, self._move(agent, AgentState.NOT_READY, SIGN_IN_REASON[self.deployment], now)]

    def _move(self, agent: _Agent, state: AgentState, reason: int, now: float) -> AgentNow:
        before = agent.now()
        agent.state = state
        agent.reason = reason if state in (AgentState.NOT_READY, AgentState.LOGOUT) else Reason.NONE
        agent.since = now
        if state not in ON_CALL:
            agent.pending, agent.pending_reason, agent.pended = None, Reason.NONE, False
            agent.direction = Direction.NONE
        snapshot = agent.now()
        self.on_move(before, snapshot, now)
        if state is AgentState.LOGOUT:
            self._used.pop(agent.extension, None)
            agent.extension = ""
        return snapshot

    # Calls, as far as agent states go

    def on_call(self, agent_id: str, state: AgentState, direction: Direction, now: float) -> list[AgentNow]:
        """A call puts the agent into RESERVED, TALKING or HOLD."""
        agent = self._agents[agent_id]
        if agent.state is AgentState.LOGOUT or agent.state is state:
            return []
        if agent.state not in ON_CALL:
            ready = agent.returns_ready or agent.state in (AgentState.AVAILABLE, AgentState.WORK_READY)
            agent.before_call = AgentState.AVAILABLE if ready else AgentState.NOT_READY
            agent.returns_ready = False
        agent.direction = direction
        return [self._move(agent, state, Reason.NONE, now)]

    def placed_while_ready(self, agent_id: str, now: float) -> list[AgentNow]:
        """A READY agent places a call: NOT_READY until it is over."""
        return self._not_ready_for(self._agents[agent_id], PLACED_WHILE_READY[self.deployment], now)

    def other_call(self, agent_id: str, now: float) -> list[AgentNow]:
        """UCCX: a READY agent takes a call from no queue, which is no TALKING: NOT_READY until it is over."""
        return self._not_ready_for(self._agents[agent_id], OTHER_CALL_UCCX, now)

    def _not_ready_for(self, agent: _Agent, reason: int, now: float) -> list[AgentNow]:
        if agent.state is not AgentState.AVAILABLE:
            return []
        change = self._move(agent, AgentState.NOT_READY, reason, now)
        agent.returns_ready = True
        return [change]

    def no_call(self, agent_id: str, now: float, *, wrap_up: bool = False) -> list[AgentNow]:
        """No call is left at the agent's telephone."""
        agent = self._agents[agent_id]
        if agent.state in ON_CALL:
            return self.end_call(agent_id, now, wrap_up=wrap_up)
        if agent.returns_ready and agent.state is AgentState.NOT_READY:
            agent.returns_ready = False
            return [self._move(agent, AgentState.AVAILABLE, Reason.NONE, now)]
        return []

    def not_answered(self, agent_id: str, now: float) -> list[AgentNow]:
        """The agent let a call ring too long: NOT_READY, or what was asked for meanwhile."""
        agent = self._agents[agent_id]
        if agent.state is not AgentState.RESERVED:
            return []
        if agent.pending is not None:
            return self.end_call(agent_id, now)
        return [self._move(agent, AgentState.NOT_READY, NOT_ANSWERED[self.deployment], now)]

    def start_call(self, agent_id: str, now: float) -> list[AgentNow]:
        """A call is routed to a READY agent and answered, or a NOT_READY agent places one: ends in TALKING."""
        agent = self._agents[agent_id]
        if agent.state not in (AgentState.AVAILABLE, AgentState.NOT_READY):
            return []
        agent.before_call = agent.state
        changes = []
        if agent.state is AgentState.AVAILABLE:
            changes.append(self._move(agent, AgentState.RESERVED, Reason.NONE, now))
        changes.append(self._move(agent, AgentState.TALKING, Reason.NONE, now))
        return changes

    def hold(self, agent_id: str, now: float, *, held: bool = True) -> list[AgentNow]:
        """The agent holds the call, or takes it back. UCCX has no such state: nothing changes there."""
        agent = self._agents[agent_id]
        before, after = AgentState.TALKING, AgentState.HOLD
        if not held:
            before, after = after, before
        if self.deployment is Deployment.UCCX or agent.state is not before:
            return []
        return [self._move(agent, after, Reason.NONE, now)]

    def end_call(self, agent_id: str, now: float, *, wrap_up: bool = False) -> list[AgentNow]:
        """The call ends: the pending state follows, else the state before the call; through wrap-up if wanted."""
        agent = self._agents[agent_id]
        if agent.state not in ON_CALL:
            return []
        state = agent.before_call if agent.pending is None else agent.pending
        reason = agent.pending_reason
        if wrap_up and state in (AgentState.AVAILABLE, AgentState.NOT_READY) and reason != Reason.CONNECTION_FAILURE:
            ready = state is AgentState.AVAILABLE and self.deployment is Deployment.UCCE
            state = AgentState.WORK_READY if ready else AgentState.WORK_NOT_READY
        return [self._move(agent, state, reason, now)]

    def end_wrap_up(self, agent_id: str, now: float) -> list[AgentNow]:
        """The wrap-up time is over."""
        agent = self._agents[agent_id]
        if agent.state is AgentState.WORK_READY:
            return [self._move(agent, AgentState.AVAILABLE, Reason.NONE, now)]
        if agent.state is AgentState.WORK_NOT_READY:
            return [self._move(agent, AgentState.NOT_READY, Reason.NONE, now)]
        return []

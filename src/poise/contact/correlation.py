"""Which REST call an answer or event of the CTI server belongs to.

Theory. A request is answered twice: by a confirmation (or failure) with its invoke id, and by an agent state event that
carries no id at all. The two come in either order, and the event may never come: when the request changed nothing, or
because the link broke. So each request is remembered until both have come; an event consumes the requestId of the
oldest request of that agent that wanted what it reports, once; and everything is bounded: a request whose confirmation
has come is forgotten when the agent moves somewhere else, each agent has at most PER_AGENT requests in flight, all
agents together TOTAL. What is lost in these rules is only the requestId of an event (best effort, finesse-api.md 1.4).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass

from poise.contact.states import AgentState

PER_AGENT = 16
"""Requests remembered for one agent. Whoever has more in flight does not read the answers."""
TOTAL = 20_000
"""Requests remembered for all agents: two for each of the largest supported number of agents, and room."""


@dataclass(slots=True, eq=False)
class Asked:
    """One request on its way."""

    invoke_id: int
    agent_id: str
    wanted: AgentState
    request_id: str
    reason: int | None = None
    """The reason sent with it."""
    forced: bool = False
    """The server's own forced logout, which LOAD 0 turns into NOT_READY."""
    confirmed: bool = False
    shown: bool = False
    """An event has carried its requestId."""


_SATISFIED_BY: dict[AgentState, frozenset[AgentState]] = {
    AgentState.LOGIN: frozenset((AgentState.NOT_READY,)),
    AgentState.LOGOUT: frozenset((AgentState.LOGOUT,)),
    AgentState.READY: frozenset((AgentState.READY,)),
    AgentState.NOT_READY: frozenset((AgentState.NOT_READY,)),
    AgentState.WORK: frozenset((AgentState.WORK, AgentState.WORK_READY)),
}


@dataclass(frozen=True, slots=True)
class Reported:
    """What a state event says about an agent."""

    state: AgentState
    pending: AgentState | None
    reason: int | None
    moved: bool
    """It is another state than before."""


def _answers(event: Reported, asked: Asked) -> bool:
    wanted = _SATISFIED_BY[asked.wanted]
    if asked.forced:
        return event.state in wanted or event.state is AgentState.NOT_READY
    if event.state in wanted:
        # One change is reported once for each skill group: a late copy of an older change answers nothing.
        return event.moved or event.reason == asked.reason
    return event.pending in wanted


class Correlation:
    """The requests on their way."""

    def __init__(self) -> None:
        self._by_invoke: OrderedDict[int, Asked] = OrderedDict()
        self._by_agent: dict[str, deque[Asked]] = {}

    def __len__(self) -> int:
        return sum(len(asked) for asked in self._by_agent.values())

    def sent(self, asked: Asked) -> None:
        """A request went out."""
        older = self._by_invoke.pop(asked.invoke_id, None)
        if older is not None:
            self._forget(older)
        mine = self._by_agent.setdefault(asked.agent_id, deque())
        while len(mine) >= PER_AGENT:
            self._by_invoke.pop(mine.popleft().invoke_id, None)
        self._by_invoke[asked.invoke_id] = asked
        mine.append(asked)
        while len(self._by_invoke) > TOTAL:
            self._forget(self._by_invoke.popitem(last=False)[1])

    def wanted_last(self, agent_id: str) -> AgentState | None:
        """What the newest unanswered request of the agent wants: the state that most likely follows."""
        for asked in reversed(self._by_agent.get(agent_id, ())):
            if not asked.confirmed and not asked.shown:
                return asked.wanted
        return None

    def confirmed(self, invoke_id: int) -> None:
        """The CTI server has taken a request."""
        asked = self._by_invoke.get(invoke_id)
        if asked is None:
            return
        asked.confirmed = True
        if asked.shown:
            self._forget(asked)

    def failed(self, invoke_id: int) -> Asked | None:
        """The CTI server has refused a request: which one."""
        asked = self._by_invoke.get(invoke_id)
        if asked is not None:
            self._forget(asked)
        return asked

    def event(self, agent_id: str, event: Reported) -> Asked | None:
        """The request that a state event answers, if any."""
        mine = self._by_agent.get(agent_id)
        if not mine:
            return None
        answered = next((a for a in mine if not a.shown and _answers(event, a)), None)
        if answered is not None:
            answered.shown = True
            for asked in list(mine):
                if asked is answered:
                    break
                if asked.confirmed:  # overtaken: the CTI server works in order, its event will not come any more
                    self._forget(asked)
            if answered.confirmed:
                self._forget(answered)
        elif event.moved:
            for asked in [a for a in mine if a.confirmed]:
                self._forget(asked)
        return answered

    def forget_agent(self, agent_id: str) -> None:
        """The agent is gone."""
        for asked in self._by_agent.pop(agent_id, ()):
            self._by_invoke.pop(asked.invoke_id, None)

    def clear(self) -> None:
        """The link is gone, and with it every answer."""
        self._by_invoke.clear()
        self._by_agent.clear()

    def _forget(self, asked: Asked) -> None:
        self._by_invoke.pop(asked.invoke_id, None)
        mine = self._by_agent.get(asked.agent_id)
        if mine is not None:
            if asked in mine:
                mine.remove(asked)
            if not mine:
                del self._by_agent[asked.agent_id]

"""Which REST call an answer or event of the CTI server belongs to.

Theory. A request is answered twice: the link tells how it ended (confirmed, refused, timed out, lost - exactly one of
them), and an agent state event tells what became of the agent, but not who asked. The two come in either order, and
the event may never come, because the request changed nothing. So each request is remembered until both have come; an
event consumes the requestId of the oldest request of that agent that wanted what it reports, once; and everything is
bounded: a confirmed request that asked for what is so already is answered then and there, another is forgotten when
the agent moves somewhere else, and each agent has at most PER_AGENT requests here. What is lost by these rules is only
the requestId of an event (best effort, finesse-api.md 1.4).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from poise.contact.requests import CtiRequest
from poise.contact.states import Actor, AgentState

PER_AGENT = 16
"""Requests remembered for one agent. Whoever has more in flight does not read the answers."""


@dataclass(slots=True, eq=False)
class _Asked:
    """One request on its way."""

    request: CtiRequest
    confirmed: bool = False
    shown: bool = False
    """An event has carried its requestId."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a state event says about an agent."""

    state: AgentState
    pending: AgentState | None
    reason: int | None
    moved: bool
    """It is another state than before."""


_SATISFIED_BY: dict[AgentState, frozenset[AgentState]] = {
    AgentState.LOGIN: frozenset((AgentState.NOT_READY,)),
    AgentState.LOGOUT: frozenset((AgentState.LOGOUT,)),
    AgentState.READY: frozenset((AgentState.READY,)),
    AgentState.NOT_READY: frozenset((AgentState.NOT_READY,)),
    AgentState.WORK: frozenset((AgentState.WORK, AgentState.WORK_READY)),
}


def _answers(event: Reported, request: CtiRequest) -> bool:
    wanted = _SATISFIED_BY[request.wish.state]
    if request.wish.actor is Actor.SYSTEM:  # LOAD 0 makes NOT_READY of a forced logout
        return event.state in wanted or event.state is AgentState.NOT_READY
    if event.state in wanted:
        # One change is reported once for each skill group: a late copy of an older change answers nothing.
        return event.moved or event.reason == request.reason
    return event.pending in wanted


class Correlation:
    """The requests on their way, by agent, oldest first."""

    def __init__(self) -> None:
        self._by_agent: dict[str, deque[_Asked]] = {}

    def __len__(self) -> int:
        return sum(len(mine) for mine in self._by_agent.values())

    def sent(self, request: CtiRequest) -> None:
        """A request is on its way."""
        self._by_agent.setdefault(request.agent_id, deque(maxlen=PER_AGENT)).append(_Asked(request))

    def wanted_last(self, agent_id: str) -> AgentState | None:
        """What the newest unanswered request of the agent wants: the state that most likely follows."""
        for asked in reversed(self._by_agent.get(agent_id, ())):
            if not asked.confirmed and not asked.shown:
                return asked.request.wish.state
        return None

    def failed(self, request: CtiRequest) -> None:
        """The link has told that a request came to nothing."""
        asked = self._find(request)
        if asked is not None:
            self._forget(asked)

    def confirmed(self, request: CtiRequest, present: Reported) -> bool:
        """The CTI server has taken a request: does the present state answer it already, so that no event may come?"""
        asked = self._find(request)
        if asked is None:
            return False
        asked.confirmed = True
        needless = not asked.shown and request.wish.state is not AgentState.LOGIN and _answers(present, request)
        if asked.shown or needless:
            self._forget(asked)
        return needless

    def event(self, agent_id: str, event: Reported) -> CtiRequest | None:
        """The request that a state event answers, if any."""
        mine = self._by_agent.get(agent_id)
        if not mine:
            return None
        answered = next((asked for asked in mine if not asked.shown and _answers(event, asked.request)), None)
        if answered is None:
            if event.moved:
                for asked in [asked for asked in mine if asked.confirmed]:
                    self._forget(asked)
            return None
        answered.shown = True
        for asked in list(mine):
            if asked is answered:
                break
            if asked.confirmed:  # overtaken: the CTI server works in order, its event will not come any more
                self._forget(asked)
        if answered.confirmed:
            self._forget(answered)
        return answered.request

    def forget_agent(self, agent_id: str) -> None:
        """The agent is gone."""
        self._by_agent.pop(agent_id, None)

    def _find(self, request: CtiRequest) -> _Asked | None:
        return next((asked for asked in self._by_agent.get(request.agent_id, ()) if asked.request is request), None)

    def _forget(self, asked: _Asked) -> None:
        mine = self._by_agent[asked.request.agent_id]
        mine.remove(asked)
        if not mine:
            del self._by_agent[asked.request.agent_id]

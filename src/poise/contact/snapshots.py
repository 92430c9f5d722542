"""Frozen pictures of agents, teams and queues, and the changes between them. Anyone may hold one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from poise.contact.states import AgentState

VOICE = "1"
"""Media id of the voice channel (MRD 1)."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team and who belongs to it."""

    team_id: int
    name: str
    members: tuple[str, ...] = ()
    """Agent ids, supervisors excluded unless they are members as well."""
    supervisors: tuple[str, ...] = ()
    """Agent ids of those who supervise it."""


@dataclass(frozen=True, slots=True)
class TeamName:
    """A team as an agent's picture mentions it."""

    team_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A skill group (UCCE) or contact service queue (UCCX)."""

    number: int
    name: str
    agents: frozenset[str] = field(default=frozenset())
    """Ids of the agents it is routed to."""


@dataclass(frozen=True, slots=True)
class MobileAgent:
    """How a mobile agent's telephone is reached. Only the server the agent signed in to knows it."""

    mode: str
    """CALL_BY_CALL or NAILED_CONNECTION."""
    dial_number: str


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent or supervisor at one moment."""

    agent_id: str
    """Peripheral number, the id agents sign in with."""
    login_name: str = ""
    first_name: str = ""
    last_name: str = ""
    is_supervisor: bool = False
    team: TeamName | None = None
    """The team the agent works in."""
    supervised: tuple[TeamName, ...] = ()
    """Teams the agent supervises."""
    queues: tuple[int, ...] = ()
    """Numbers of the queues routed to the agent."""
    skill_target_id: int | None = None
    extension: str = ""
    """The telephone signed in at; empty while signed out."""
    mobile: MobileAgent | None = None
    state: AgentState = AgentState.LOGOUT
    state_changed_at: float | None = None
    """Seconds since the epoch; None while unknown."""
    reason_code: int | None = None
    """The CTI server's number for NOT_READY or LOGOUT; None for no reason."""
    pending_state: AgentState | None = None
    """The state that follows when the call ends."""
    media: str = VOICE

    @property
    def signed_in(self) -> bool:
        """Does the CTI server hold the agent for signed in?"""
        return self.state is not AgentState.LOGOUT

    @property
    def roles(self) -> tuple[str, ...]:
        """Finesse's role names."""
        return ("Agent", "Supervisor") if self.is_supervisor else ("Agent",)


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """An agent's picture was replaced. `before == after` only where the answer to a request is that nothing changed."""

    before: Agent
    after: Agent
    request_id: str = ""
    """requestId of the REST call that caused it; empty when nobody here asked."""


@dataclass(frozen=True, slots=True)
class AgentFailed:
    """A request came to nothing."""

    agent_id: str
    code: int
    """FailureCode: the CTI server's own, or the link's for time-outs and lost links."""
    request_id: str
    wanted: AgentState
    peripheral_code: int = 0
    forced: bool = False
    """The request was the server's own forced logout; no client waits for it."""


@dataclass(frozen=True, slots=True)
class AgentAdded:
    """The configuration names an agent it did not name before."""

    agent: Agent


@dataclass(frozen=True, slots=True)
class AgentRemoved:
    """The configuration names an agent no more."""

    agent: Agent


Change: TypeAlias = AgentChanged | AgentFailed | AgentAdded | AgentRemoved

"""What the configuration download of a CTI server says: agents, teams, skill groups."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """One agent or supervisor (CONFIG_AGENT_EVENT)."""

    agent_id: str
    """Peripheral number: the id agents sign in with."""
    login_name: str
    first_name: str
    last_name: str
    extension: str | None = None
    """Configured extension, if the CTI server names one."""
    is_supervisor: bool = False
    """AgentType 2."""
    skill_groups: tuple[int, ...] = ()
    """Skill group numbers the agent is a member of."""
    skill_target_id: int | None = None
    """AgentSkillTargetID, if the CTI server names one."""


@dataclass(frozen=True, slots=True)
class TeamConfig:
    """One team (AGENT_TEAM_CONFIG_EVENT)."""

    team_id: int
    name: str
    members: tuple[str, ...] = ()
    """Agent ids; supervisors are not among them."""
    supervisors: tuple[str, ...] = ()
    """Agent ids of its supervisors."""


@dataclass(frozen=True, slots=True)
class SkillGroupConfig:
    """One skill group or contact service queue (CONFIG_SKILL_GROUP_EVENT)."""

    number: int
    name: str


@dataclass(frozen=True, slots=True)
class ConfigReceived:
    """The whole configuration as the link knows it now; sent anew, complete, after every change."""

    agents: tuple[AgentConfig, ...]
    teams: tuple[TeamConfig, ...]
    skill_groups: tuple[SkillGroupConfig, ...]

"""Teams in REST answers (finesse-api.md 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from poise.contact.snapshots import Agent, Team
from poise.finesse import nodes
from poise.finesse.markup import Node, branch, leaf, render
from poise.finesse.users import UserContext, summary_node


def team_xml(team: Team, agents: Mapping[str, Agent], context: UserContext, *, signed_out: bool = True) -> str:
    """The answer to GET Team, with its members; `signed_out`: whether those who are not signed in are shown."""
    members = (agents[agent_id] for agent_id in team.members if agent_id in agents)
    users = [summary_node(member, context, "User") for member in members if signed_out or member.signed_in]
    return render(branch("Team", (*_children(team), branch("users", users))))


def teams_xml(teams: Iterable[Team]) -> str:
    """The answer to GET Teams."""
    return render(branch("Teams", (branch("Team", _children(team)) for team in teams)))


def wants_signed_out(query: Mapping[str, str]) -> bool:
    """Are members who are not signed in asked for? Yes, unless `includeLoggedOutAgents` says false."""
    return not any(
        name.lower() == "includeloggedoutagents" and value.strip().lower() in ("false", "0")
        for name, value in query.items()
    )


def _children(team: Team) -> Iterator[Node]:
    yield leaf("uri", f"{nodes.ROOT}/Team/{team.team_id}")
    yield leaf("id", team.team_id)
    yield leaf("name", team.name)

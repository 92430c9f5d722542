"""Teams in REST: GET Team with its members, GET Teams (finesse-api.md 4.2)."""

from __future__ import annotations

from poise.contact.snapshots import Team
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.permissions import Api, check
from poise.finesse.teams import team_xml, teams_xml, wants_signed_out
from poise.server.webservices.resources import Answer, Call, Resource, number


def _team(call: Call) -> Team:
    """The team that the path names. Raises ApiException; who may not read it is not told which teams there are."""
    named = number(call.parts["team"])
    if not call.services.team_for_all:
        check(call.caller, Api.READ_TEAM, named)
    team = call.services.agents.teams.get(named) if named is not None else None
    if team is None:
        raise ApiException(Code.NOT_FOUND, call.parts["team"][:64])
    return team


async def read_team(call: Call) -> Answer:
    """GET Team, for its supervisors and administrators, or for all where settings say so."""
    team = _team(call)
    agents = call.services.agents
    shown = wants_signed_out(call.request.query_params)
    return Answer(200, team_xml(team, agents.agents, agents.context, signed_out=shown).encode())


async def list_teams(call: Call) -> Answer:
    """GET Teams, for administrators."""
    check(call.caller, Api.LIST_TEAMS)
    teams = call.services.agents.teams
    return Answer(200, teams_xml(teams[team_id] for team_id in sorted(teams)).encode())


TEAMS = (
    Resource("/Team/{team}", {"GET": read_team}),
    Resource("/Teams", {"GET": list_teams}),
)
"""Resources of teams."""

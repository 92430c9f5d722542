"""What operators' tools ask: RuntimeConfigInfo, ConnectedUsersInfo (finesse-api.md 4.5)."""

from __future__ import annotations

from poise.finesse.permissions import Api, check, check_supervisor
from poise.finesse.serviceability import connected_users_xml, runtime_config_xml
from poise.server.webservices.resources import Answer, Call, Resource


async def read_runtime_config(call: Call) -> Answer:
    """GET RuntimeConfigInfo, for administrators."""
    check(call.caller, Api.READ_RUNTIME)
    agents = call.services.agents
    return Answer(200, runtime_config_xml(agents.agents.values(), agents.dialogs.active, agents.start_s).encode())


async def read_connected_users(call: Call) -> Answer:
    """GET ConnectedUsersInfo: administrators count everybody, supervisors themselves and the members of their teams."""
    caller, agents = call.caller, call.services.agents
    check_supervisor(caller, Api.READ_CONNECTED)
    jids = call.services.connected()
    if not caller.administrator:
        teams = (agents.teams.get(team.team_id) for team in (caller.agent.supervised if caller.agent else ()))
        mine = {caller.user_id.lower()} | {m.lower() for team in teams if team is not None for m in team.members}
        jids = [jid for jid in jids if jid.partition("@")[0] in mine]
    return Answer(200, connected_users_xml(jids).encode())


SYSTEM = (
    Resource("/RuntimeConfigInfo", {"GET": read_runtime_config}),
    Resource("/ConnectedUsersInfo", {"GET": read_connected_users}),
)
"""Resources of the system, for those who are signed in."""

"""Team messages in REST (finesse-api.md 4.3): create, read, list by team, reader and author, delete."""

from __future__ import annotations

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.permissions import Api, check, check_member, relation
from poise.finesse.team_messages import (
    Author,
    TeamMessage,
    team_message_request,
    team_message_xml,
    team_messages_xml,
)
from poise.server.webservices.resources import Answer, Call, Resource, number


async def create_message(call: Call) -> Answer:
    """POST TeamMessage: supervisors for their teams, administrators for all. The teams hear of it as an event."""
    body = await call.body()
    caller, teams = call.caller, call.services.agents.teams
    if not caller.administrator and (caller.agent is None or not caller.agent.is_supervisor):
        raise ApiException(Code.UNAUTHORIZED, caller.user_id)
    wanted = team_message_request(body)
    for team in wanted.teams:
        if not caller.administrator and not caller.supervises(team):
            raise ApiException(Code.INVALID_SUPERVISOR, str(team))
        if team not in teams:
            raise ApiException(Code.NOT_FOUND, str(team))
    own = caller.agent
    author = Author(caller.user_id, own.first_name, own.last_name) if own is not None else Author(caller.user_id)
    message = call.services.agents.messages.create(wanted, author, call.request_id)
    return Answer(200, headers=(("Location", call.absolute(message.uri)),))


async def read_message(call: Call) -> Answer:
    """GET TeamMessage: its author, members and supervisors of its teams, administrators."""
    message = _message(call)
    if not call.caller.is_user(message.author.user_id):
        check_member(call.caller, message.teams)
    return Answer(200, team_message_xml(message).encode())


async def delete_message(call: Call) -> Answer:
    """DELETE TeamMessage: its author and administrators."""
    message = _message(call)
    if not call.caller.administrator and not call.caller.is_user(message.author.user_id):
        raise ApiException(Code.UNAUTHORIZED, call.caller.user_id)
    call.services.agents.messages.delete(message.message_id, call.request_id)
    return Answer(200)


async def list_by_author(call: Call) -> Answer:
    """GET TeamMessages?createdby=: the own ones by default; administrators may ask for anybody's."""
    query = {name.lower(): value for name, value in call.request.query_params.items()}
    author = query.get("createdby", "") or call.caller.user_id
    if not call.caller.administrator and not call.caller.is_user(author):
        raise ApiException(Code.OTHER_USER, author[:64])
    return _listed(call.services.agents.messages.by_author(author))


async def list_of_team(call: Call) -> Answer:
    """GET Team/TeamMessages: its members and supervisors, administrators."""
    team = number(call.parts["team"])
    check_member(call.caller, (team,) if team is not None else ())
    if team is None or team not in call.services.agents.teams:
        raise ApiException(Code.NOT_FOUND, call.parts["team"][:64])
    return _listed(call.services.agents.messages.of_teams((team,)))


async def list_of_user(call: Call) -> Answer:
    """GET User/TeamMessages: what the user reads, as a member of a team or its supervisor."""
    target = call.target()
    relation(call.caller, target, Api.READ_USER_MESSAGES)
    teams = [team.team_id for team in target.supervised]
    if target.team is not None:
        teams.append(target.team.team_id)
    return _listed(call.services.agents.messages.of_teams(teams))


def _message(call: Call) -> TeamMessage:
    message_id = call.parts["message"]
    check(call.caller, Api.READ_MESSAGE)
    message = call.services.agents.messages.find(message_id.lower())
    if message is None:
        raise ApiException(Code.NOT_FOUND, message_id[:64])
    return message


def _listed(messages: list[TeamMessage]) -> Answer:
    return Answer(200, team_messages_xml(messages).encode())


_COLLECTION = {"GET": list_by_author, "POST": create_message}
MESSAGES = (
    Resource("/TeamMessages", _COLLECTION),
    Resource("/TeamMessage", _COLLECTION),  # the guide prints both for POST
    Resource("/TeamMessage/{message}", {"GET": read_message, "DELETE": delete_message}),
    Resource("/Team/{team}/TeamMessages", {"GET": list_of_team}),
    Resource("/User/{user}/TeamMessages", {"GET": list_of_user}),
)
"""Resources of team messages."""

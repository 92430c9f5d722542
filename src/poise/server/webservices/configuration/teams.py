"""What teams have: administrators assign it, members and their desktops read it (finesse-api.md 2.5, 4.2, 4.7)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

from poise.contact.snapshots import Agent
from poise.finesse import nodes
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.configuration.fields import read
from poise.finesse.configuration.table import (
    CONTACT,
    LAYOUT_CONFIG,
    MEDIA_PROPERTIES_LAYOUT,
    PHONE_BOOK,
    REASON_CODE,
    TEAM_LAYOUT_CONFIG,
    WORKFLOW,
    WORKFLOW_ACTION,
    WRAP_UP_REASON,
    Row,
    for_everyone,
    number_of,
)
from poise.finesse.markup import Node, branch, leaf, render
from poise.finesse.permissions import Api, relation
from poise.finesse.reason_codes import category_of_query
from poise.finesse.requests import value_of
from poise.server.storage.configuration import ONLY, Stored
from poise.server.webservices.configuration import bodies
from poise.server.webservices.configuration.bodies import answer
from poise.server.webservices.configuration.objects import in_category, list_of, node_of, noted
from poise.server.webservices.configuration.service import ConfigurationService
from poise.server.webservices.resources import Answer, Call

# ---- who is meant


def _team(call: Call, code: Code) -> int:
    """The team that the path names. While no agent is known yet, any number may become a team. Raises ApiException."""
    number = number_of(call.parts["team"])
    known: set[int] = set()
    for agent in call.services.agents.agents.values():
        known.update(team.team_id for team in agent.supervised)
        if agent.team is not None:
            known.add(agent.team.team_id)
    if number is None or (known and number not in known):
        raise ApiException(code, call.parts["team"][:64])
    return number


def _members_team(call: Call) -> int:
    """The same for those who may read what the team has: its members and supervisors, and administrators."""
    caller = call.caller
    number = number_of(call.parts["team"])
    own = caller.agent.team.team_id if caller.agent is not None and caller.agent.team is not None else None
    if not (caller.administrator or (number is not None and (number == own or caller.supervises(number)))):
        raise ApiException(Code.OTHER_USER, caller.user_id)
    return _team(call, Code.TEAM_ID_NOT_FOUND)


def _user(call: Call) -> Agent:
    target = call.target()
    relation(call.caller, target, Api.READ_USER_REASONS)
    return target


def _team_of(agent: Agent) -> int:
    return agent.team.team_id if agent.team is not None else -1


async def _offered(service: ConfigurationService, team: int, row: Row) -> list[Stored]:
    """What a team has: what everyone has, and what is assigned to it."""
    everyone = [one for one in await service.configuration.all(row) if for_everyone(row, one.document)]
    mine = {one.number: one for one in chain(everyone, await service.configuration.assigned(team, row))}
    shared = {one.number for one in everyone}
    return sorted(mine.values(), key=lambda one: (one.number not in shared, one.number))


# ---- administrators


async def read_assignment(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """What is assigned to a team, besides what everyone has."""
    team = _team(call, Code.INVALID_TEAM)
    found, category = in_category(call, row, await service.configuration.assigned(team, row))
    return answer(200, list_of(row, (node_of(row, one) for one in found), category))


async def change_assignment(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """Replace what is assigned to a team."""
    element = await bodies.element(call, row.plural, row.name)
    given = [element] if element.name == row.name else [one for one in element.elements() if one.name == row.name]
    team = _team(call, Code.INVALID_TEAM)
    numbers = []
    for one in given:
        number = number_of(value_of(one, "uri"))
        if number is None:
            raise ApiException(Code.PARAMETER_MISSING, f"{row.name}/uri")
        numbers.append(number)
    bucket = ""
    if row is REASON_CODE:
        category = category_of_query(call.request.query_params.get("category"))
        bucket = category.value if category is not None else ""
    change = await service.configuration.assign(team, row, numbers, bucket)
    assert change.before is not None
    assert change.after is not None
    noted(call, service, f"{nodes.ROOT}/Team/{team}/{row.plural}", change.before.document, change.after.document)
    if row is REASON_CODE:
        await service.reasons_changed()
    return answer(200)


def _layout_uri(team: int) -> str:
    return f"{nodes.ROOT}/Team/{team}/LayoutConfig"


async def read_team_layout(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """The desktop layout of a team; `?previous=true` shows it before its last change."""
    team = _team(call, Code.INVALID_TEAM)
    found = await service.configuration.one(row, team)
    document = found.document
    if call.request.query_params.get("previous") == "true":
        if found.previous is None:
            raise ApiException(Code.NOT_FOUND, "previous")
        document = found.previous
    if document["useDefault"]:
        shared = await service.configuration.one(LAYOUT_CONFIG, ONLY)
        document = {"useDefault": True, "layoutxml": shared.document["layoutxml"]}
    service.saw(call.caller.user_id, _layout_uri(team), found.version)
    return answer(
        200, render(node_of(row, found._replace(document=document))).encode(), (("ETag", f'"{found.version}"'),)
    )


async def change_team_layout(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """Give a team a layout of its own, or the default again; what is wrong with a layout is told with its lines."""
    given = read(await bodies.element(call, row.name), row.fields)
    if "useDefault" not in given:
        raise ApiException(Code.PARAMETER_MISSING, "useDefault")
    if given["useDefault"]:
        given.pop("layoutxml", None)
    team = _team(call, Code.INVALID_TEAM)
    uri = _layout_uri(team)
    seen = service.expected(call.caller.user_id, uri, call.request.headers.get("if-match"))
    change = await service.configuration.change(row, team, given, 0, seen)
    assert change.before is not None
    assert change.after is not None
    noted(call, service, uri, change.before.document, change.after.document, row)
    service.saw(call.caller.user_id, uri, change.after.version)
    return answer(200, headers=(("ETag", f'"{change.after.version}"'),))


# ---- members


async def _list(call: Call, service: ConfigurationService, row: Row, team: int, user: str = "") -> Answer:
    if row is MEDIA_PROPERTIES_LAYOUT:
        found = await _layouts(service, team)
    else:
        found = await _offered(service, team, row)
    if row is PHONE_BOOK:
        return await _phone_books(call, service, found)
    if row is WORKFLOW:
        return answer(200, list_of(row, await _expanded(service, found)))
    found, category = in_category(call, row, found)
    return answer(200, list_of(row, (node_of(row, one, _own(row, one, user)) for one in found), category))


def _own(row: Row, stored: Stored, user: str) -> str:
    """Wrap-up reasons of a user have addresses below the user."""
    return f"{nodes.ROOT}/User/{user}/{row.name}/{stored.number}" if user and row is WRAP_UP_REASON else ""


async def _layouts(service: ConfigurationService, team: int) -> list[Stored]:
    default = await service.configuration.one(MEDIA_PROPERTIES_LAYOUT, ONLY)
    assigned = await service.configuration.assigned(team, MEDIA_PROPERTIES_LAYOUT)
    return [default, *(one for one in assigned if one.number != ONLY)]


async def _phone_books(call: Call, service: ConfigurationService, books: Sequence[Stored]) -> Answer:
    """Books with their contacts, the global ones first; a Range counts contacts over all books."""
    pairs = [(book, one) for book in books for one in await service.configuration.all(CONTACT, book.number)]
    status, window, headers = bodies.within_range(call.request.headers.get("range"), pairs)
    shown: dict[int, list[Node]] = {}
    for book, contact in window:
        shown.setdefault(book.number, []).append(node_of(CONTACT, contact))
    whole = len(window) == len(pairs)
    children = [
        branch(
            PHONE_BOOK.name,
            (
                leaf("name", book.document["name"]),
                leaf("type", book.document["type"]),
                branch(CONTACT.plural, shown.get(book.number, ())),
            ),
        )
        for book in books
        if whole or book.number in shown
    ]
    return answer(status, list_of(PHONE_BOOK, children), headers)


async def _expanded(service: ConfigurationService, workflows: Iterable[Stored]) -> list[Node]:
    """Workflows with their actions in full."""
    actions = {one.number: one for one in await service.configuration.all(WORKFLOW_ACTION)}
    found = []
    for workflow in workflows:
        node = node_of(WORKFLOW, workflow)
        mine = [actions.get(number_of(one["uri"]) or 0) for one in workflow.document.get("workflowActions", ())]
        full = branch("workflowActions", (node_of(WORKFLOW_ACTION, one) for one in mine if one is not None))
        children = [child for child in node.content if isinstance(child, Node) and child.name != "workflowActions"]
        found.append(branch(WORKFLOW.name, (*children, full)))
    return found


async def read_team_resource(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """What the members of a team have, for its members."""
    return await _list(call, service, row, _members_team(call))


async def read_user_resource(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """What a user has by the team."""
    user = _user(call)
    return await _list(call, service, row, _team_of(user), user.agent_id)


async def read_user_wrap_up_reason(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """One wrap-up reason of a user."""
    user = _user(call)
    number = number_of(call.parts["number"])
    for one in await _offered(service, _team_of(user), row):
        if one.number == number:
            return answer(200, render(node_of(row, one, _own(row, one, user.agent_id))).encode())
    raise ApiException(Code.NOT_FOUND, call.parts["number"][:64])


async def read_user_media_layout(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """The layout of call variables that a user sees: the team's own, else the default."""
    found = (await _layouts(service, _team_of(_user(call))))[-1]
    return answer(200, render(node_of(row, found)).encode())


async def read_user_layout(call: Call, service: ConfigurationService, row: Row) -> Answer:
    """The desktop layout of a user's team."""
    user = _user(call)
    own = await service.configuration.one(TEAM_LAYOUT_CONFIG, max(_team_of(user), 0))
    if own.document["useDefault"]:
        own = await service.configuration.one(LAYOUT_CONFIG, ONLY)
    uri = f"{nodes.ROOT}/User/{user.agent_id}/LayoutConfig"
    children = (leaf("uri", uri), leaf("layoutxml", own.document["layoutxml"]))
    return answer(200, render(branch(row.name, children)).encode())

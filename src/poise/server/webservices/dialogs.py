"""Calls in REST: GET and POST User/Dialogs, GET and PUT Dialog (finesse-api.md 2.5, 3; clients.md 2.6)."""

from __future__ import annotations

from poise.contact.dialogs import Shown
from poise.contact.snapshots import Agent
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.dialog_requests import dialog_request
from poise.finesse.dialogs import dialog_xml, dialogs_xml
from poise.finesse.permissions import Api, check_dialog, relation, supervises_target
from poise.server.webservices.resources import Answer, Call, Resource


def _user(call: Call) -> Agent:
    """The user that the path names by id, login name or, as clients in the field do, by extension."""
    name = call.parts["user"]
    agents = call.services.agents
    own = call.caller.agent
    if own is not None and own.extension == name and (not call.caller.administrator or agents.agent(name) is None):
        return own  # also where somebody else's id reads the same: nobody but administrators may ask about others
    if agents.agent(name) is None and call.caller.administrator:
        named = next((agent for agent in agents.agents.values() if agent.extension == name), None)
        if named is not None:
            return named
    return call.target()


async def list_dialogs(call: Call) -> Answer:
    """GET User/Dialogs: voice only."""
    target = _user(call)
    relation(call.caller, target, Api.READ_DIALOGS)
    return Answer(200, dialogs_xml(call.services.agents.dialogs.of_agent(target.agent_id)).encode())


async def make_dialog(call: Call) -> Answer:
    """POST User/Dialogs: make a call, listen in, barge in. 202; the result comes as an event."""
    body = await call.body()
    target = _user(call)
    relation(call.caller, target, Api.MAKE_DIALOG)
    wish = dialog_request(body, target.agent_id)
    supervises_target(call.caller, wish, call.services.agents.agents.values())
    call.services.agents.dialogs.put(wish, call.request_id)
    return Answer(202)


async def read_dialog(call: Call) -> Answer:
    """GET Dialog: for those who see it, their supervisors and administrators."""
    shown = _shown(call)
    check_dialog(call.caller, shown, call.services.agents.agents)
    return Answer(200, dialog_xml(shown.dialog).encode())


async def change_dialog(call: Call) -> Answer:
    """PUT Dialog: everything that is asked of a call. 202; the result comes as an event."""
    body = await call.body()
    own = call.caller.agent
    if own is None:
        raise ApiException(Code.UNAUTHORIZED, call.caller.user_id)
    wish = dialog_request(body, own.agent_id, call.parts["dialog"])
    call.services.agents.dialogs.put(wish, call.request_id)
    return Answer(202)


def _shown(call: Call) -> Shown:
    number = call.parts["dialog"]
    shown = call.services.agents.dialogs.find(number)
    if shown is None:
        raise ApiException(Code.DIALOG_NOT_FOUND, number[:64])
    return shown


DIALOGS = (
    Resource("/User/{user}/Dialogs", {"GET": list_dialogs, "POST": make_dialog}),
    Resource("/Dialog/{dialog}", {"GET": read_dialog, "PUT": change_dialog}),
)
"""Resources of calls."""

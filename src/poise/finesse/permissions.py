"""Who may do what: one table of capabilities, by API and by what the caller is to the user concerned.

Theory. Rights follow from one relation between caller and user: the user herself, a supervisor of her team, an
administrator, or nobody in particular. The first relation that holds and is in the row decides. A stranger is told
which way she is one: a supervisor that the user is in none of her teams, everyone else that credentials and URI do not
match (finesse-api.md 1.3, 1.6, 2.1, 2.4, 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from poise.contact.dialog_requests import DialogWish
from poise.contact.dialog_states import Action
from poise.contact.dialogs import Shown
from poise.contact.snapshots import Agent
from poise.contact.states import Actor
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.nodes import Kind, parse


class Relation(Enum):
    """What the caller is to the user concerned."""

    SELF = "self"
    SUPERVISOR = "supervisor of the user's team"
    ADMINISTRATOR = "administrator"
    ANYONE = "anyone signed in"
    MEMBER = "member of the team"


class Api(Enum):
    """What is asked for."""

    READ_USER = "GET User"
    LIST_USERS = "GET Users"
    SIGN_IN = "PUT User, LOGIN"
    CHANGE_STATE = "PUT User, any other state"
    READ_USER_REASONS = "GET User/ReasonCodes and User/ReasonCode"
    READ_USER_QUEUES = "GET User/Queues"
    READ_DIALOGS = "GET User/Dialogs"
    MAKE_DIALOG = "POST User/Dialogs"
    SEND_CLIENT_LOG = "POST User/ClientLog"
    READ_TEAM = "GET Team"
    LIST_TEAMS = "GET Teams"
    READ_QUEUE = "GET Queue"
    READ_REASONS = "GET ReasonCodes"
    READ_USER_MESSAGES = "GET User/TeamMessages"
    READ_TEAM_MESSAGES = "GET Team/TeamMessages"
    READ_MESSAGE = "GET TeamMessage, DELETE TeamMessage: then by author"
    READ_MEDIA = "GET User/Media, PUT User/Media/id"
    READ_RUNTIME = "GET RuntimeConfigInfo"
    READ_CONNECTED = "GET ConnectedUsersInfo"
    CONFIGURE = "POST, PUT, DELETE of configuration"


_SELF, _SUPERVISOR, _ADMIN, _ANYONE, _MEMBER = Relation
CAPABILITIES: Mapping[Api, tuple[Relation, ...]] = {
    Api.READ_USER: (_SELF, _SUPERVISOR, _ADMIN),
    Api.LIST_USERS: (_ADMIN,),
    Api.SIGN_IN: (_SELF,),
    Api.CHANGE_STATE: (_SELF, _SUPERVISOR),
    Api.READ_USER_REASONS: (_SELF, _ADMIN),
    Api.READ_USER_QUEUES: (_SELF, _ADMIN),
    Api.READ_DIALOGS: (_SELF, _ADMIN),
    Api.MAKE_DIALOG: (_SELF,),
    Api.SEND_CLIENT_LOG: (_SELF,),
    Api.READ_TEAM: (_SUPERVISOR, _ADMIN),
    Api.LIST_TEAMS: (_ADMIN,),
    Api.READ_QUEUE: (_ANYONE,),
    Api.READ_REASONS: (_ANYONE,),
    Api.READ_USER_MESSAGES: (_SELF, _ADMIN),
    Api.READ_TEAM_MESSAGES: (_MEMBER, _SUPERVISOR, _ADMIN),
    Api.READ_MESSAGE: (_ANYONE,),
    Api.READ_MEDIA: (_SELF, _ADMIN),
    Api.READ_RUNTIME: (_ADMIN,),
    Api.READ_CONNECTED: (_SUPERVISOR, _ADMIN),
    Api.CONFIGURE: (_ADMIN,),
}
"""API -> relations that may use it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request, after authentication."""

    user_id: str
    """Agent id, or the name of an administrator."""
    administrator: bool = False
    agent: Agent | None = None
    """The caller's own picture, if an agent."""

    def is_user(self, agent_id: str) -> bool:
        """Is that the caller's own id, in whatever case?"""
        return self.user_id.lower() == agent_id.lower()

    def supervises(self, team_id: int | None) -> bool:
        """Is that one of the caller's teams?"""
        return self.agent is not None and any(team.team_id == team_id for team in self.agent.supervised)

    def member_of(self, team_id: int) -> bool:
        """Does the caller work in that team?"""
        return self.agent is not None and self.agent.team is not None and self.agent.team.team_id == team_id


def relation(caller: Caller, target: Agent, api: Api) -> Relation:
    """The first relation of the caller to the user that may use the API. Raises ApiException when there is none."""
    allowed = CAPABILITIES[api]
    if _SELF in allowed and caller.is_user(target.agent_id):
        return _SELF
    if _SUPERVISOR in allowed and target.team is not None and caller.supervises(target.team.team_id):
        return _SUPERVISOR
    if _ADMIN in allowed and caller.administrator:
        return _ADMIN
    if _ANYONE in allowed:
        return _ANYONE
    if _SUPERVISOR in allowed and caller.agent is not None and caller.agent.is_supervisor:
        raise ApiException(Code.INVALID_SUPERVISOR, target.agent_id)
    raise ApiException(Code.OTHER_USER, target.agent_id)


def actor(caller: Caller, target: Agent, api: Api) -> Actor:
    """In which part the caller changes the user's state. Raises ApiException."""
    return Actor.SUPERVISOR if relation(caller, target, api) is _SUPERVISOR else Actor.SELF


def check(caller: Caller, api: Api, team_id: int | None = None) -> None:
    """For APIs that concern no user, or a team. Raises ApiException."""
    allowed = CAPABILITIES[api]
    if (
        _ANYONE in allowed
        or (_ADMIN in allowed and caller.administrator)
        or (_SUPERVISOR in allowed and caller.supervises(team_id))
        or (_MEMBER in allowed and team_id is not None and caller.member_of(team_id))
    ):
        return
    raise ApiException(Code.UNAUTHORIZED, caller.user_id)


def check_supervisor(caller: Caller, api: Api) -> None:
    """For APIs that supervisors of any team may use. Raises ApiException."""
    if not (caller.agent is not None and caller.agent.is_supervisor and _SUPERVISOR in CAPABILITIES[api]):
        check(caller, api)


def check_member(caller: Caller, teams: Iterable[int]) -> None:
    """May the caller read what one of these teams is told? Raises ApiException."""
    if not caller.administrator and not any(caller.member_of(team) or caller.supervises(team) for team in teams):
        raise ApiException(Code.UNAUTHORIZED, caller.user_id)


def check_dialog(caller: Caller, shown: Shown, agents: Mapping[str, Agent]) -> None:
    """May the caller read a dialog? Raises ApiException. Allowed: who sees it, their supervisors, administrators."""
    if caller.administrator or any(caller.is_user(agent_id) for agent_id in shown.viewers):
        return
    teams = (agents[agent_id].team for agent_id in shown.viewers if agent_id in agents)
    if not any(team is not None and caller.supervises(team.team_id) for team in teams):
        raise ApiException(Code.OTHER_USER, caller.user_id)


SUPERVISORS_ONLY = frozenset((Action.SILENT_MONITOR, Action.BARGE_CALL, Action.INTERCEPT))
"""What is asked by a supervisor about a member of her team."""


def supervises_target(caller: Caller, wish: DialogWish, agents: Iterable[Agent]) -> None:
    """For actions of supervisors: is the agent at the telephone in a team of the caller's? Raises ApiException."""
    if wish.action not in SUPERVISORS_ONLY:
        return
    if caller.agent is None or not caller.agent.is_supervisor:
        raise ApiException(Code.UNAUTHORIZED, caller.user_id)
    target = next((agent for agent in agents if agent.signed_in and agent.extension == wish.to_address), None)
    if target is not None and (target.team is None or not caller.supervises(target.team.team_id)):
        raise ApiException(Code.INVALID_SUPERVISOR, wish.to_address)


_NODES: Mapping[Kind, tuple[Relation, ...]] = {
    Kind.USER: (_SELF, _SUPERVISOR, _ADMIN),
    Kind.DIALOGS: (_SELF, _SUPERVISOR, _ADMIN),
    Kind.CLIENT_LOG: (_SELF,),
    Kind.USER_QUEUE: (_SELF, _ADMIN),
    Kind.USER_QUEUES: (_SELF, _ADMIN),
    Kind.MEDIA: (_SELF, _ADMIN),
    Kind.MEDIA_DOMAIN: (_SELF, _ADMIN),
    Kind.MEDIA_DIALOGS: (_SELF, _ADMIN),
    Kind.TEAM_USERS: (_SUPERVISOR, _ADMIN),
    Kind.TEAM_ABSENCES: (_SUPERVISOR, _ADMIN),
    Kind.TEAM_MESSAGES: (_MEMBER, _SUPERVISOR, _ADMIN),
    Kind.QUEUE: (_ANYONE,),
    Kind.SYSTEM_INFO: (_ANYONE,),
}
"""Kind of node -> relations that may subscribe to it."""


def may_subscribe(caller: Caller, node: str, agents: Mapping[str, Agent]) -> bool:
    """May the caller hear what is published on a node?"""
    name = parse(node)
    if name is None:
        return False
    allowed = _NODES[name.kind]
    if _ANYONE in allowed or (_ADMIN in allowed and caller.administrator):
        return True
    if _SELF in allowed and caller.is_user(name.user):
        return True
    if _SUPERVISOR not in allowed:
        return False
    if name.team:
        if not name.team.isdecimal():
            return False
        team = int(name.team)
        return caller.supervises(team) or (_MEMBER in allowed and caller.member_of(team))
    target = agents.get(name.user)
    return target is not None and target.team is not None and caller.supervises(target.team.team_id)

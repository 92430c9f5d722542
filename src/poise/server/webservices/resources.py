"""The resources: a row for each path, a handler for each method, which gives an answer or raises ApiException."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from poise.contact.snapshots import Agent
from poise.contact.states import AgentState
from poise.finesse import nodes
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.permissions import Api, Caller, actor, check, relation
from poise.finesse.reason_codes import category_of_query, reason_code_xml, reason_codes_xml
from poise.finesse.requests import BODY_LIMITS, state_wish, user_request
from poise.finesse.users import user_xml, users_xml
from poise.server.webservices.services import Services

XML_TYPES = frozenset(("application/xml", "text/xml"))
"""Content types of bodies. Others are refused: a browser sends these across origins only after asking (CORS)."""

ID_DIGITS_MAX = 10
"""Digits of the largest database id (32 bits); Python refuses to read numbers of thousands of digits."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to send back."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request."""

    services: Services
    request: Request
    caller: Caller
    request_id: str
    parts: Mapping[str, str]
    """Variable parts of the path."""

    def target(self) -> Agent:
        """The user that the path names by id, in any case; on UCCE, for reading, also by login name. Raises
        ApiException.

        Who may not see other users is not told which ones exist.
        """
        name = self.parts["user"]
        agents = self.services.agents
        agent = agents.agent(name)
        if agent is None and self.request.method in ("GET", "HEAD"):
            agent = agents.by_login_name(name)
        if agent is not None:
            return agent
        sees_others = self.caller.administrator or (self.caller.agent is not None and self.caller.agent.is_supervisor)
        raise ApiException(Code.UNKNOWN_USER if sees_others or self.caller.is_user(name) else Code.OTHER_USER, name)

    def absolute(self, path: str) -> str:
        """The URL of a path on the address by which the client reached this server, for Location."""
        return str(self.request.url.replace(path=path, query=""))

    async def body(
        self,
        most: int = BODY_LIMITS.size,
        types: frozenset[str] = XML_TYPES,
        default: str = "application/xml",
    ) -> bytes:
        """The request's body, of `most` bytes and one of these content types; `default`: when none is named. Raises
        ApiException."""
        content_type = self.request.headers.get("content-type", default)
        if content_type.partition(";")[0].strip().lower() not in types:
            raise ApiException(Code.INVALID_INPUT, "Content-Type")
        data = bytearray()
        async for chunk in self.request.stream():
            data += chunk
            if len(data) > most:
                raise ApiException(Code.TOO_LARGE)
        return bytes(data)


Handler = Callable[[Call], Awaitable[Answer]]


async def read_user(call: Call) -> Answer:
    """GET User."""
    target = call.target()
    relation(call.caller, target, Api.READ_USER)
    name = call.parts["user"]
    asked_as = "" if name.lower() == target.agent_id.lower() else name
    return Answer(200, user_xml(target, call.services.agents.context, asked_as).encode())


async def change_user(call: Call) -> Answer:
    """PUT User: sign in, change state, sign out. 202; the result comes as an event."""
    wanted = user_request(await call.body())
    target = call.target()
    agents = call.services.agents
    part = actor(call.caller, target, Api.SIGN_IN if wanted.state is AgentState.LOGIN else Api.CHANGE_STATE)
    wish = state_wish(wanted, target, part, agents.reasons)
    agents.change_state(target.agent_id, wish, call.request_id)
    return Answer(202)


async def list_users(call: Call) -> Answer:
    """GET Users."""
    check(call.caller, Api.LIST_USERS)
    agents = call.services.agents
    everyone = [agents.agents[agent_id] for agent_id in sorted(agents.agents)]
    return Answer(200, users_xml(everyone, agents.context).encode())


async def list_reasons(call: Call) -> Answer:
    """GET User/ReasonCodes?category="""
    target = call.target()
    relation(call.caller, target, Api.READ_USER_REASONS)
    category = category_of_query(call.request.query_params.get("category"))
    offered = call.services.agents.reasons.offered(category, _team_id(target))
    return Answer(200, reason_codes_xml(offered, category).encode())


async def read_reason(call: Call) -> Answer:
    """GET User/ReasonCode: only one that is offered to the user."""
    target = call.target()
    relation(call.caller, target, Api.READ_USER_REASONS)
    named = number(call.parts["reason"])
    reason = call.services.agents.reasons.by_id(named) if named is not None else None
    if reason is None or not reason.offered_to(_team_id(target)):
        raise ApiException(Code.NOT_FOUND, call.parts["reason"][:64])
    return Answer(200, reason_code_xml(reason).encode())


def number(text: str) -> int | None:
    """The id that a part of a path is; None when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX else None


def _team_id(agent: Agent) -> int | None:
    return agent.team.team_id if agent.team is not None else None


@dataclass(frozen=True, slots=True)
class Resource:
    """One path below /finesse/api and what can be done there."""

    path: str
    """Variable parts in braces."""
    handlers: Mapping[str, Handler]
    """Method -> handler; HEAD is GET."""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(nodes.ROOT + self.path))
        object.__setattr__(self, "pattern", re.compile(pattern))


USERS = (
    Resource("/User/{user}", {"GET": read_user, "PUT": change_user}),
    Resource("/User/{user}/ReasonCodes", {"GET": list_reasons}),
    Resource("/User/{user}/ReasonCode/{reason}", {"GET": read_reason}),
    Resource("/Users", {"GET": list_users}),
)
"""Resources of users."""

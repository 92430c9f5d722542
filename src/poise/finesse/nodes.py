"""Names of the pubsub nodes: which there are, who is subscribed without asking, what is published where.

Theory. A node is named like the REST resource whose changes it carries. Six kinds stand in the seed; clients in the
field also ask for `/finesse/api/Queue/<id>` and others, which carry the same events as the seed's names for them.
Nodes marked `auto` have every user subscribed by the server (bare JID); for the others clients subscribe themselves.
Sources: the seed's table of nodes, finesse-api.md 5.2, clients.md 2.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from poise.contact.snapshots import VOICE, Agent, Queue, Team

ROOT = "/finesse/api"
SYSTEM_INFO = f"{ROOT}/SystemInfo"
ABSENCES = "/poise/api/absences"


class Kind(Enum):
    """Kinds of node."""

    USER = "User"
    DIALOGS = "User/Dialogs"
    CLIENT_LOG = "User/ClientLog"
    USER_QUEUE = "User/Queue"
    TEAM_USERS = "Team/Users"
    SYSTEM_INFO = "SystemInfo"
    QUEUE = "Queue"
    USER_QUEUES = "User/Queues"
    TEAM_MESSAGES = "Team/TeamMessages"
    TEAM_ABSENCES = "absences/Team"
    MEDIA = "User/Media"
    MEDIA_DOMAIN = "User/Media/domain"
    MEDIA_DIALOGS = "User/Dialogs/Media"


class _Row(NamedTuple):
    template: str
    auto: bool
    seed: bool
    """One of the six kinds of the seed."""


TABLE: Mapping[Kind, _Row] = {
    Kind.USER: _Row(f"{ROOT}/User/{{user}}", True, True),
    Kind.DIALOGS: _Row(f"{ROOT}/User/{{user}}/Dialogs", True, True),
    Kind.CLIENT_LOG: _Row(f"{ROOT}/User/{{user}}/ClientLog", False, True),
    Kind.USER_QUEUE: _Row(f"{ROOT}/User/{{user}}/Queue/{{queue}}", False, True),
    Kind.TEAM_USERS: _Row(f"{ROOT}/Team/{{team}}/Users", False, True),
    Kind.SYSTEM_INFO: _Row(SYSTEM_INFO, True, True),
    Kind.QUEUE: _Row(f"{ROOT}/Queue/{{queue}}", False, False),
    Kind.USER_QUEUES: _Row(f"{ROOT}/User/{{user}}/Queues", False, False),
    Kind.TEAM_MESSAGES: _Row(f"{ROOT}/Team/{{team}}/TeamMessages", False, False),
    Kind.TEAM_ABSENCES: _Row(f"{ABSENCES}/Team/{{team}}", False, False),
    Kind.MEDIA: _Row(f"{ROOT}/User/{{user}}/Media", True, False),
    Kind.MEDIA_DOMAIN: _Row(f"{ROOT}/User/{{user}}/Media/{{media}}", True, False),
    Kind.MEDIA_DIALOGS: _Row(f"{ROOT}/User/{{user}}/Dialogs/Media", True, False),
}


@dataclass(frozen=True, slots=True)
class NodeName:
    """A node's name, taken apart."""

    kind: Kind
    user: str = ""
    team: str = ""
    queue: str = ""
    media: str = ""

    def __str__(self) -> str:
        return TABLE[self.kind].template.format(user=self.user, team=self.team, queue=self.queue, media=self.media)


_PATTERNS = tuple(
    (kind, re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(row.template)))) for kind, row in TABLE.items()
)


def parse(name: str) -> NodeName | None:
    """The parts of a node's name, or None for one that is none of ours."""
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(name)
        if match is not None:
            return NodeName(kind, **match.groupdict())
    return None


def user(agent_id: str) -> str:
    """State of a user, and errors of state changes; also the URI of the resource."""
    return f"{ROOT}/User/{agent_id}"


def dialogs(agent_id: str) -> str:
    """Calls of a user."""
    return f"{ROOT}/User/{agent_id}/Dialogs"


def dialog(dialog_id: str) -> str:
    """URI of a dialog. No node has that name: its changes are told on the nodes of those who see it."""
    return f"{ROOT}/Dialog/{dialog_id}"


def client_log(agent_id: str) -> str:
    """Logs that a user's client has sent; also the URI of the resource."""
    return f"{ROOT}/User/{agent_id}/ClientLog"


def team_users(team_id: int) -> str:
    """States of a team's members."""
    return f"{ROOT}/Team/{team_id}/Users"


def team_messages(team_id: int) -> str:
    """Messages shown to a team."""
    return f"{ROOT}/Team/{team_id}/TeamMessages"


def team_absences(team_id: int) -> str:
    """Members of a team whose screen is gone; no node of Finesse."""
    return f"{ABSENCES}/Team/{team_id}"


def of_team(team_id: int) -> tuple[str, ...]:
    """Every node that exists because the team exists."""
    return team_users(team_id), team_messages(team_id), team_absences(team_id)


def user_queues(agent_id: str) -> str:
    """Which queues a user has."""
    return f"{ROOT}/User/{agent_id}/Queues"


def queue_nodes(queue: Queue) -> Iterator[str]:
    """Every node that carries a queue's statistics: the clients' name, then the seed's one for each agent."""
    yield f"{ROOT}/Queue/{queue.number}"
    for agent_id in sorted(queue.agents):
        yield f"{ROOT}/User/{agent_id}/Queue/{queue.number}"


def subscriptions(agent_id: str) -> tuple[str, ...]:
    """Nodes the server subscribes a user to."""
    return tuple(row.template.format(user=agent_id, media=VOICE) for row in TABLE.values() if row.auto)


def of_user(agent: Agent) -> Iterator[str]:
    """Every node that exists because the agent exists."""
    for row in TABLE.values():
        if "{user}" in row.template and "{queue}" not in row.template:
            yield row.template.format(user=agent.agent_id, media=VOICE)


def all_nodes(agents: Iterable[Agent], teams: Iterable[Team], queues: Iterable[Queue]) -> list[str]:
    """Every node of a contact centre, in a stable order and each once."""
    names = [SYSTEM_INFO]
    for agent in agents:
        names += of_user(agent)
    for team in teams:
        names += of_team(team.team_id)
    for queue in queues:
        names += queue_nodes(queue)
    return list(dict.fromkeys(names))

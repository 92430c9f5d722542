"""Messages that supervisors show to their teams for a while (finesse-api.md 4.3): the resource and the book of them.

Theory. A message is active from its creation until its duration is over or somebody deletes it; what is not active does
not exist. The book keeps the active ones in memory, bounded by team and in all, and hands out what has run out. Times
are told to clients in seconds since the epoch and kept in monotonic seconds, so that a moved clock ends nothing early.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf

from poise.finesse import nodes
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render
from poise.finesse.publications import Publication
from poise.finesse.requests import parse_body, value_of
from poise.finesse.update import Event, update

CONTENT_MAX = 255
"""Most characters of a message. Finesse guide, TeamMessage."""
DURATION_MAX_S = 23 * 3600 + 55 * 60
"""Longest duration. Finesse guide: the desktop offers up to 23:55 hours."""
ACTIVE_PER_TEAM_MAX = 50
"""Active messages of one team. Ours: the guide names the error and not the number; a screen shows far fewer."""
ACTIVE_MAX = 2_000
"""Active messages in all: under 2 MB."""
LIMIT = "teammessage.max.limit.exceeded"


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a message, as it shows her for good."""

    user_id: str
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True, slots=True)
class TeamMessageRequest:
    """What POST TeamMessage asks for."""

    duration_s: int
    content: str
    teams: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TeamMessage:
    """One active message."""

    message_id: str
    """A UUID."""
    author: Author
    created_at: int
    """Seconds since the epoch."""
    duration_s: int
    content: str
    teams: tuple[int, ...]
    expires_at: float
    """Monotonic seconds."""

    @property
    def uri(self) -> str:
        """Its REST path."""
        return f"{nodes.ROOT}/TeamMessage/{self.message_id}"


def team_message_request(data: bytes) -> TeamMessageRequest:
    """The body of POST TeamMessage. Raises ApiException."""
    body = parse_body(data, "TeamMessage")
    content, duration = value_of(body, "content"), value_of(body, "duration")
    if not content:
        raise ApiException(Code.PARAMETER_MISSING, "content")
    if not duration:
        raise ApiException(Code.PARAMETER_MISSING, "duration")
    if len(content) > CONTENT_MAX:
        raise ApiException(Code.INVALID_INPUT, "content")
    seconds = _number(duration, "duration")
    if not 0 < seconds <= DURATION_MAX_S:
        raise ApiException(Code.INVALID_INPUT, "duration")
    listed = body.child("teams")
    named = [child.text.strip() for child in listed.elements() if child.name == "team"] if listed is not None else []
    if not named:
        raise ApiException(Code.PARAMETER_MISSING, "teams")
    teams = dict.fromkeys(_number(text, "team") for text in named)
    return TeamMessageRequest(seconds, content, tuple(teams))


def _number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 10:
        raise ApiException(Code.INVALID_INPUT, name)
    return int(text)


class TeamMessageBook:
    """The active messages."""

    def __init__(self) -> None:
        self._messages: dict[str, TeamMessage] = {}  # oldest first
        self._teams: dict[int, dict[str, TeamMessage]] = {}
        self._heap: list[tuple[float, str]] = []

    def create(
        self, wanted: TeamMessageRequest, author: Author, message_id: str, now: float, now_wall: float
    ) -> TeamMessage:
        """A new message; nothing is changed when one of its teams has too many. Raises ApiException."""
        self.due(now)
        crowded = any(len(self._teams.get(team, ())) >= ACTIVE_PER_TEAM_MAX for team in wanted.teams)
        if crowded or len(self._messages) >= ACTIVE_MAX:
            raise ApiException(Code.TEAM_MESSAGE_LIMIT, LIMIT)
        message = TeamMessage(
            message_id,
            author,
            int(now_wall),
            wanted.duration_s,
            wanted.content,
            wanted.teams,
            now + wanted.duration_s,
        )
        self._messages[message_id] = message
        for team in message.teams:
            self._teams.setdefault(team, {})[message_id] = message
        heapq.heappush(self._heap, (message.expires_at, message_id))
        return message

    def remove(self, message_id: str) -> TeamMessage | None:
        """End a message; None when there is none."""
        message = self._messages.pop(message_id, None)
        for team in message.teams if message is not None else ():
            of_team = self._teams[team]
            del of_team[message_id]
            if not of_team:
                del self._teams[team]
        return message

    def due(self, now: float) -> list[TeamMessage]:
        """Messages whose time is over; they are gone now."""
        over = []
        while self.deadline <= now:
            message = self.remove(heapq.heappop(self._heap)[1])
            if message is not None:
                over.append(message)
        return over

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinite when there is nothing."""
        while self._heap and self._heap[0][1] not in self._messages:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else inf

    def find(self, message_id: str) -> TeamMessage | None:
        """An active message."""
        return self._messages.get(message_id)

    def of_teams(self, teams: Iterable[int]) -> list[TeamMessage]:
        """Messages for any of these teams, oldest first and each once."""
        found = {key: message for team in teams for key, message in self._teams.get(team, {}).items()}
        return sorted(found.values(), key=lambda message: message.expires_at - message.duration_s)

    def by_author(self, user_id: str) -> list[TeamMessage]:
        """Messages that a user wrote, oldest first."""
        return [m for m in self._messages.values() if m.author.user_id.lower() == user_id.lower()]


def team_message_xml(message: TeamMessage) -> str:
    """The answer to GET TeamMessage."""
    return render(_node(message))


def team_messages_xml(messages: Iterable[TeamMessage]) -> str:
    """The answer to GET of a list."""
    return render(branch("TeamMessages", (_node(message) for message in messages)))


def team_message_publications(message: TeamMessage, event: Event, request_id: str = "") -> Iterator[Publication]:
    """A message is there (POST) or gone (DELETE), for each of its teams."""
    data = render(branch("teamMessages", (_node(message),)), EVENT_INDENT)
    for team in message.teams:
        node = nodes.team_messages(team)
        yield Publication(node, update(data, event, request_id, node))


def _node(message: TeamMessage) -> Node:
    author = message.author
    return branch(
        "TeamMessage",
        (
            leaf("uri", message.uri),
            leaf("id", message.message_id),
            branch(
                "createdBy",
                (
                    leaf("id", author.user_id),
                    leaf("firstName", author.first_name),
                    leaf("lastName", author.last_name),
                ),
            ),
            leaf("createdAt", message.created_at),
            leaf("duration", message.duration_s),
            leaf("content", message.content),
            branch("teams", (leaf("team", team) for team in message.teams)),
        ),
    )

"""Team messages as the server runs them: the book behind REST, told to the teams, ended by the wheel."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from uuid import uuid4

from poise.finesse.team_messages import (
    Author,
    TeamMessage,
    TeamMessageBook,
    TeamMessageRequest,
    team_message_publications,
)
from poise.finesse.update import Event
from poise.server.agents.absence import Deadlines
from poise.server.agents.publishing import Publishing
from poise.server.clock import Clock


class TeamMessages:
    """Owns the book. It is an item of the wheel. Lives on the event loop's thread."""

    def __init__(self, publishing: Publishing, deadlines: Deadlines, clock: Clock) -> None:
        self._publishing = publishing
        self._deadlines = deadlines
        self._clock = clock
        self._book = TeamMessageBook()
        self.armed = inf
        """The wheel's own note."""

    def create(self, wanted: TeamMessageRequest, author: Author, request_id: str) -> TeamMessage:
        """Show a message. Raises ApiException when there are too many."""
        now = self._clock.now()
        message = self._book.create(wanted, author, str(uuid4()), now, self._clock.wall())
        self._tell(message, Event.POST, request_id)
        self._deadlines.watch(self)
        return message

    def delete(self, message_id: str, request_id: str) -> None:
        """End a message; nothing happens when there is none."""
        message = self._book.remove(message_id)
        if message is not None:
            self._tell(message, Event.DELETE, request_id)

    def find(self, message_id: str) -> TeamMessage | None:
        """An active message."""
        return self._book.find(message_id)

    def of_teams(self, teams: Iterable[int]) -> list[TeamMessage]:
        """Messages for any of these teams, oldest first."""
        return self._book.of_teams(teams)

    def by_author(self, user_id: str) -> list[TeamMessage]:
        """Messages that a user wrote, oldest first."""
        return self._book.by_author(user_id)

    # ---- the wheel's side

    @property
    def deadline(self) -> float:
        """When the next message has run out."""
        return self._book.deadline

    def due(self, now: float) -> None:
        """Messages have run out."""
        for message in self._book.due(now):
            self._tell(message, Event.DELETE, "")

    def _tell(self, message: TeamMessage, event: Event, request_id: str) -> None:
        self._publishing.tell("a team message", team_message_publications(message, event, request_id))

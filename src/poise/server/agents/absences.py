"""Tells supervisors whose screen is gone and when that ends in a logout: one picture an agent, compared and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf

from poise.contact.snapshots import Agent
from poise.finesse.absences import Absent, absence_publication
from poise.finesse.forced_logout import Gone
from poise.finesse.update import Event
from poise.server.agents.publishing import Publishing
from poise.server.clock import Clock

WAVER_S = 0.05
"""Difference of two moments that are the same one, computed from two clocks at two times."""


class Absences:
    """Owns what was told last. Lives on the event loop's thread."""

    def __init__(
        self,
        publishing: Publishing,
        clock: Clock,
        agent: Callable[[str], Agent | None],
        gone: Callable[[str], Gone | None],
    ) -> None:
        """`gone`: what the policy thinks about a user."""
        self._publishing = publishing
        self._clock = clock
        self._agent = agent
        self._gone = gone
        self._told: dict[str, Absent] = {}

    def of(self, user: str) -> Absent | None:
        """The present picture of an agent; None for who has a screen, or is signed out."""
        agent, gone = self._agent(user), self._gone(user.lower())
        if agent is None or gone is None or not agent.signed_in:
            return None
        offset = self._clock.wall() - self._clock.now()
        due_at = gone.due_at + offset if gone.due_at < inf else None
        return Absent(agent, gone.watch, gone.since + offset, due_at)

    def changed(self, user: str) -> None:
        """The policy thinks something else about a user, or the agent's own picture is another."""
        before, after = self._told.get(user), self.of(user)
        if after is None:
            if before is not None:
                del self._told[user]
                self._tell(before, Event.DELETE)
            return
        if before is None:
            self._told[user] = after
            self._tell(after, Event.POST)
        elif not _same(before, after):
            self._told[user] = after
            if before.agent.team != after.agent.team:
                self._tell(before, Event.DELETE)
                self._tell(after, Event.POST)
            else:
                self._tell(after, Event.PUT)

    def everything(self) -> None:
        """Service has opened: nothing was told while it was closed."""
        for user, told in list(self._told.items()):
            if self.of(user) is None:
                self.changed(user)
            else:
                self._tell(told, Event.POST)

    def _tell(self, absent: Absent, event: Event) -> None:
        publication = absence_publication(absent, event)
        if publication is not None:
            self._publishing.tell("an absence", iter((publication,)))


def _same(one: Absent, other: Absent) -> bool:
    """Is that what supervisors know already? They are told of nothing else an agent does."""
    if abs((one.signs_out_at or 0.0) - (other.signs_out_at or 0.0)) > WAVER_S:
        return False
    return one.agent.team == other.agent.team and one == replace(
        other, agent=one.agent, gone_since=one.gone_since, signs_out_at=one.signs_out_at
    )

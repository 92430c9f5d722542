"""The heartbeats of one session: when the next is due, and how many were not answered."""

from __future__ import annotations

from poise.protocols.cti.timing import HEARTBEATS_MISSED

_NEVER = float("inf")


class Heartbeats:
    """Counts; whoever holds it sends them."""

    __slots__ = ("_period", "at", "last", "unanswered")

    def __init__(self, period_s: float) -> None:
        self._period = period_s
        self.at = _NEVER
        """Monotonic seconds at which the next is due; infinite while no session is open."""
        self.unanswered = 0
        self.last: float | None = None
        """Monotonic seconds of the last answer, of whichever session."""

    @property
    def missed(self) -> bool:
        """So many are without an answer that the CTI server counts as gone."""
        return self.unanswered >= HEARTBEATS_MISSED

    def sent(self, now: float) -> None:
        """One was sent."""
        self.unanswered += 1
        self.at = now + self._period

    def answered(self, now: float) -> None:
        """The CTI server answered one."""
        self.unanswered = 0
        self.last = now

    def begin(self, now: float) -> None:
        """A session is open."""
        self.unanswered = 0
        self.at = now + self._period

    def end(self) -> None:
        """The session is over."""
        self.unanswered = 0
        self.at = _NEVER

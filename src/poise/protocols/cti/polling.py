"""Queue statistics, asked for in rounds: one QUERY_SKILL_GROUP_STATISTICS_REQ a skill group and round.

A round begins one interval after the one before began, and not before that one ended, so a slow CTI server is asked
less often and never twice at once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Log, Outcome, Output, RequestEnded, StatisticsReceived
from poise.protocols.cti.resync import not_provided
from poise.protocols.cti.timing import STATISTICS_LEAST_S

_NEVER = float("inf")


class Polling:
    """The rounds of one session. Ask what `take` gives, report each end to `ended`."""

    __slots__ = ("_interval", "_to_ask", "at", "in_flight")

    def __init__(self, interval_s: float) -> None:
        """`interval_s` seconds between rounds, 0 for none; at least STATISTICS_LEAST_S."""
        self._interval = max(interval_s, STATISTICS_LEAST_S) if interval_s > 0 else _NEVER
        self._to_ask: deque[int] = deque()
        self.at = _NEVER
        """Monotonic seconds at which the next round is due."""
        self.in_flight = 0

    def begin(self, now: float) -> None:
        """The link is up: the first round is due."""
        self.end()
        if self._interval < _NEVER:
            self.at = now

    def end(self) -> None:
        """The link is down."""
        self._to_ask.clear()
        self.in_flight = 0
        self.at = _NEVER

    def due(self, groups: Iterable[int], now: float) -> None:
        """Begin the next round if it is time; a round that is still going on is given another interval."""
        if now >= self.at:
            self.at = now + self._interval
            if not self._to_ask and not self.in_flight:
                self._to_ask.extend(groups)

    def take(self) -> Message | None:
        """The next question, or None."""
        if not self._to_ask:
            return None
        self.in_flight += 1
        fields = {"SkillGroupNumber": self._to_ask.popleft(), "SkillGroupID": NULL32}
        return Message("QUERY_SKILL_GROUP_STATISTICS_REQ", fields)

    def ended(self, ended: RequestEnded) -> list[Output]:
        """A question's end."""
        self.in_flight -= 1
        number = ended.request.fields["SkillGroupNumber"]
        if ended.outcome is Outcome.CONFIRMED and ended.answer is not None:
            return [StatisticsReceived(number, ended.answer)]
        if ended.outcome is not Outcome.TIMED_OUT and not_provided(ended):
            self.end()
            return [Log("the CTI server gives no queue statistics: they are not asked for again in this session")]
        return []

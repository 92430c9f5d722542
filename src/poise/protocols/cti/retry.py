"""Which side to try next, and after what rest."""

from __future__ import annotations

from poise.protocols.cti.outputs import Side
from poise.protocols.cti.timing import RETRY_FIRST_S, RETRY_MAX_S, STABLE_S

_MOST_DOUBLINGS = 10


class Retry:
    """Alternates between the sides; rests after each round in which every side was tried, longer each time."""

    __slots__ = ("_attempts", "_index", "_sides")

    def __init__(self, sides: tuple[Side, ...]) -> None:
        self._sides = sides
        self._index = 0
        self._attempts = 0

    @property
    def side(self) -> Side:
        """The side in use, or to be tried next."""
        return self._sides[self._index]

    def was_up(self, seconds: float) -> None:
        """The link that just ended had been up for so long."""
        if seconds >= STABLE_S:
            self._attempts = 0

    def failed(self) -> float:
        """The side in use failed: go to the next one after the returned seconds."""
        self._attempts += 1
        self._index = (self._index + 1) % len(self._sides)
        rounds, within_round = divmod(self._attempts, len(self._sides))
        if within_round:
            return 0.0
        return float(min(RETRY_FIRST_S * 2.0 ** min(rounds - 1, _MOST_DOUBLINGS), RETRY_MAX_S))

"""What is to happen later, in order of time. No clock: the time comes as argument."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Action = Callable[[float], None]


class Agenda:
    """Actions with the monotonic second at which they are due. What has become pointless does nothing when it comes."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Action]] = []
        self._count = 0

    def at(self, when: float, action: Action) -> None:
        """Call `action` with the time at `when`; those of one moment in the order in which they were asked for."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, action))

    @property
    def deadline(self) -> float:
        """When the next is due; infinite when there is none."""
        return self._heap[0][0] if self._heap else float("inf")

    def pop(self, now: float) -> Action | None:
        """The next action that is due, or None."""
        if not self._heap or self._heap[0][0] > now:
            return None
        return heapq.heappop(self._heap)[2]

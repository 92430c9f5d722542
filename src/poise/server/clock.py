"""Time for the rooms with sockets: the loop's clock in production, a clock moved by hand in tests.

Cores never see this module; shells read `now()` once per input and pass it down.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """A pending call."""

    def cancel(self) -> None:
        """Forget the call; harmless when it has already happened."""


class Clock(Protocol):
    """What a shell may know about time."""

    def now(self) -> float:
        """Monotonic seconds; drives every deadline."""

    def wall(self) -> float:
        """Seconds since the epoch; only ever a stamp."""

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back at monotonic `when`, on the event loop."""


class LoopClock:
    """The running event loop's time."""

    now: Callable[[], float]
    """Monotonic seconds: the loop's own method, so that the hot path pays no second call."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.now = loop.time

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()  # noqa: TID251 - the one place where wall time enters

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back at monotonic `when`."""
        return self._loop.call_at(when, callback)


class _Pending:
    __slots__ = ("callback", "order", "when")

    def __init__(self, when: float, order: int, callback: Callable[[], None]) -> None:
        self.when = when
        self.order = order
        self.callback: Callable[[], None] | None = callback

    def __lt__(self, other: _Pending) -> bool:
        return (self.when, self.order) < (other.when, other.order)

    def cancel(self) -> None:
        self.callback = None


class WallClock:
    """Wall time for commands, which have no event loop."""

    def wall(self) -> float:
        """Seconds since the epoch."""
        return time.time()  # noqa: TID251 - as above


class ManualClock:
    """Time that stands still until a test moves it. `advance` must run on the event loop's thread."""

    def __init__(self, now: float = 1000.0, wall: float = 1_700_000_000.0) -> None:
        self._now = now
        self._wall_offset = wall - now
        self._pending: list[_Pending] = []
        self._order = 0

    def now(self) -> float:
        """Monotonic seconds."""
        return self._now

    def wall(self) -> float:
        """Seconds since the epoch."""
        return self._now + self._wall_offset

    def step_wall(self, seconds: float) -> None:
        """Move the wall clock alone, as an administrator or NTP would: no deadline may notice."""
        self._wall_offset += seconds

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        """Call back when `advance` reaches `when`."""
        self._order += 1
        pending = _Pending(when, self._order, callback)
        heapq.heappush(self._pending, pending)
        return pending

    def advance(self, seconds: float) -> None:
        """Move time on, making every due call in order, each at its own moment."""
        target = self._now + seconds
        while self._pending and self._pending[0].when <= target:
            due = heapq.heappop(self._pending)
            self._now = max(self._now, due.when)
            if due.callback is not None:
                due.callback()
        self._now = target

"""One timer wheel for every deadline of the notification service: sessions, connections, half-open sign-ins.

Theory: a deadline moves far more often than it passes (each poll moves its session's), so an entry is not moved with
it. An item stays where it was put, and when its slot comes round it is asked for its deadline again: passed, it is
called; later, it goes to the later slot. Only a deadline *earlier* than the item's entry costs a new entry; the old
one is forgotten when its slot comes round. One timer of the loop serves the whole wheel.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from math import ceil, inf
from time import perf_counter
from typing import Protocol

from poise.server.clock import Clock, Timer
from poise.server.notification.timing import HEARTBEAT_S, STALL_S

SLOTS_PER_S = 16
"""Slots per second: a deadline is served up to 62.5 ms late, never early. Clients wait 3 s beyond `wait` (Strophe,
1.1 x 30 s), so nobody notices; more slots cost more wake-ups when idle. A power of two, so slot times are exact."""
UNMEASURED_S = HEARTBEAT_S + 1 / SLOTS_PER_S
"""Most seconds of a stall that the wheel does not see: it measures from the turn it missed, and turns at every
heartbeat. They are added, so that a stall is never taken for shorter than it was: without them an agent in the last
moment of his grace is signed out when a suspended machine wakes, while his client is coming back."""
SLICE_S = 0.004
"""Longest run of calls in one callback of the loop (law 8: nothing holds the loop longer than 5 ms)."""


class Watched(Protocol):
    """What the wheel can watch."""

    @property
    def deadline(self) -> float:
        """Monotonic seconds; `inf` for none. Read by the wheel when the item's slot comes round."""

    armed: float
    """The wheel's own note of its entry; starts as `inf`, nobody else writes it."""

    def due(self, now: float) -> None:
        """The deadline has passed. Must not raise. A deadline that is still passed afterwards is served next slot."""


class Wheel:
    """Watches items until they are due."""

    def __init__(self, clock: Clock, on_late: Callable[[float], None] = lambda seconds: None) -> None:
        """`on_late` is told, before anybody is served, that the process was stopped or the loop blocked for more than
        STALL_S seconds, and for how long at most; deadlines may be moved to make up for it."""
        self._clock = clock
        self._on_late = on_late
        self._slots: dict[int, list[Watched]] = {}
        self._order: list[int] = []
        self._timer: Timer | None = None
        self._timer_slot: float = inf
        self._timer_when = inf
        self._stopped = False

    def watch(self, item: Watched) -> None:
        """Make sure that `item` is called soon after its present deadline. Cheap when it has an earlier entry."""
        deadline = item.deadline
        if deadline < item.armed:
            self._insert(item, ceil(deadline * SLOTS_PER_S))

    def stop(self) -> None:
        """Forget everything."""
        self._stopped = True
        self._slots.clear()
        self._order.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _insert(self, item: Watched, slot: int) -> None:
        if self._stopped:
            return
        item.armed = slot / SLOTS_PER_S
        items = self._slots.get(slot)
        if items is not None:
            items.append(item)
            return
        self._slots[slot] = [item]
        heapq.heappush(self._order, slot)
        if slot < self._timer_slot:
            self._call(slot, slot / SLOTS_PER_S)

    def _call(self, slot: int, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_slot = slot
        self._timer_when = when
        self._timer = self._clock.call_at(when, self._turn)

    def _turn(self) -> None:
        """Serve what is due, for at most one slice; the rest follows in the next callback."""
        self._timer = None
        self._timer_slot = -inf  # no insertion sets the timer while we are here
        now = self._clock.now()
        if now - self._timer_when > STALL_S - UNMEASURED_S:
            self._on_late(now - self._timer_when + UNMEASURED_S)
        stop_at = perf_counter() + SLICE_S
        while self._order and self._order[0] / SLOTS_PER_S <= now:
            slot = self._order[0]
            items = self._slots[slot]
            while items:
                self._serve(items.pop(), slot, now)
                if self._stopped:
                    return
                if items and perf_counter() >= stop_at:
                    self._call(slot, now)
                    return
            heapq.heappop(self._order)
            del self._slots[slot]
        if self._order:
            self._call(self._order[0], self._order[0] / SLOTS_PER_S)
        else:
            self._timer_slot = inf

    def _serve(self, item: Watched, slot: int, now: float) -> None:
        if item.armed != slot / SLOTS_PER_S:
            return  # an older entry: an earlier one has taken its place
        item.armed = inf
        if item.deadline <= now:
            item.due(now)
        if item.deadline < item.armed:
            self._insert(item, max(ceil(item.deadline * SLOTS_PER_S), slot + 1))

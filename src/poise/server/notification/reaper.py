"""Looks at every BOSH session every 30 s: the seed's idle ticks in the log, and the end of sessions that are silent.

Theory: a client that dies leaves its request held until `wait`; from then on the session is idle, and the first tick
that finds it so for longer than the limit closes it, 60 to 90 s later. Time in which the server itself did not run
counts for nobody: the wheel notices a late turn before it serves anything, and every session is forgiven.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from math import inf
from time import perf_counter

from poise.server.notification.bosh import BoshClient, BoshService
from poise.server.notification.client import ClientSession
from poise.server.notification.hub import Hub
from poise.server.notification.timing import HEARTBEAT_S

SLICE_S = 0.004
"""Longest part of a tick in one callback of the loop (law 8)."""


class Heartbeat:
    """Turns the wheel at least every HEARTBEAT_S seconds, so that a stall is measured as exactly; and notices steps of
    the wall clock, which the host only needs for stamps."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.deadline = hub.now() + HEARTBEAT_S
        self.armed = inf

    def due(self, now: float) -> None:
        """Beat again."""
        self.deadline = now + HEARTBEAT_S
        self._hub.host.wall_offset = self._hub.clock.wall() - now


class Reaper:
    """One tick after another, on the timer wheel."""

    def __init__(
        self, service: BoshService, period_s: float, others: Callable[[], Iterable[ClientSession]] = tuple
    ) -> None:
        """`others`: sessions of the other bindings. They have silence of their own; a tick only tells their counts."""
        self._service = service
        self._others = others
        self._hub = service.hub
        self._period_s = period_s
        self.deadline = self._hub.now() + period_s
        self.armed = inf
        self._rest: Iterator[ClientSession] | None = None
        self._next_tick = self.deadline

    def due(self, now: float) -> None:
        """A tick, or the rest of one that was too long for one callback."""
        if self._rest is None:
            self._next_tick += self._period_s
            if self._next_tick <= now:
                self._next_tick = now + self._period_s
            others = self._others() if self._hub.log.debug_enabled else ()
            self._rest = iter([*self._service.sessions.values(), *others])
        if self._slice(self._rest, now):
            self.deadline = now
        else:
            self._rest = None
            self.deadline = self._next_tick
        self._hub.settle()

    def _slice(self, sessions: Iterator[ClientSession], now: float) -> bool:
        """True when there is more."""
        stop_at = perf_counter() + SLICE_S
        for client in sessions:
            if not client.gone:
                try:
                    if isinstance(client, BoshClient):
                        self._look(client, now)
                    elif client.jid:
                        self._hub.statistics(client)
                except Exception as error:  # noqa: BLE001 - one session's fault must not end the tick
                    self._hub.fault(client, error, now)
            if perf_counter() >= stop_at:
                return True
        return False

    def _look(self, client: BoshClient, now: float) -> None:
        log = self._hub.log
        idle_s = client.idle_s(now)
        limit_s = client.core.idle_limit_s
        if log.debug_enabled:
            log.idle_tick(sid=client.name, idle_ms=round(idle_s * 1000), jid=client.jid)
            if client.jid:
                self._hub.statistics(client)
        if idle_s > limit_s:
            log.closing_idle(sid=client.name, jid=client.jid, threshold_s=round(limit_s))
            client.end("idle", now)


def forgive(service: BoshService, seconds: float, now: float) -> None:
    """Charge no session for the last `seconds`, in which the server did not run.

    A session that was heard while the server caught up is charged only from then on, as ever.
    """
    for client in service.sessions.values():
        idle_s = client.core.idle_s(now)
        client.core.forgive(min(seconds, idle_s) if idle_s else seconds)
        client.sign_in_by += seconds

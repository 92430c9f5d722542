"""Who was disconnected, when and why: the endings of signed-in sessions of the last day, bounded by user and in all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from poise.registry import Closed, Ending
from poise.server.clock import Clock

KEEP_S = 24 * 3600.0
"""How long an ending is remembered: a supervisor asks about today."""
PER_USER = 50
"""Endings of one user; the oldest go first. A client that comes and goes every few seconds shows its last minutes."""
ENTRIES_MAX = 20_000
"""Endings of all users, about 6 MB: 10 a day for each of 2,000 agents. The oldest of whoever has had none for longest
goes first."""


class Disconnect(NamedTuple):
    """One session that ended."""

    resource: str
    """Which of the user's clients."""
    transport: str
    """`bosh`, `tcp` or `websocket`."""
    ending: Ending
    heard_after: float
    """Seconds since the epoch: the client was certainly there then."""
    heard_before: float
    """Seconds since the epoch: nothing came from it since. Last contact lies between the two."""
    at: float
    """Seconds since the epoch of the ending."""
    timer_s: float | None
    """Length of the timer that fired, if one ended it."""
    evidence: str


class Disconnects:
    """Owns the memory. Lives on the event loop's thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._users: dict[str, deque[Disconnect]] = {}  # who was disconnected last is last
        self._count = 0

    def ended(self, jid: str, transport: str, closed: Closed) -> None:
        """A session with a bound JID is over."""
        bare, _, resource = jid.partition("/")
        user = bare.partition("@")[0]
        offset = self._clock.wall() - self._clock.now()
        known = self._users.pop(user, None) or deque()
        self._users[user] = known
        if len(known) >= PER_USER:
            self._forget_one(user)
        elif self._count >= ENTRIES_MAX:
            self._forget_one(next(iter(self._users)))
        self._users[user] = known  # should that have been his last one
        self._count += 1
        known.append(
            Disconnect(
                resource,
                transport,
                closed.ending,
                closed.heard_after + offset,
                closed.heard_before + offset,
                closed.at + offset,
                closed.timer_s,
                closed.evidence,
            )
        )

    def of(self, user: str) -> list[Disconnect]:
        """What is remembered of a user (local part of the JID), oldest first."""
        known = self._users.get(user)
        if known is None:
            return []
        oldest = self._clock.wall() - KEEP_S
        while known and known[0].at < oldest:
            self._forget_one(user)
        return list(known)

    def _forget_one(self, user: str) -> None:
        """The oldest ending of a user, and the user with the last one."""
        known = self._users[user]
        if known:
            known.popleft()
            self._count -= 1
        if not known:
            del self._users[user]


EndListener = Callable[[str, str, Closed], None]
"""Full JID, binding, testimony."""


def tell_all(
    listeners: Iterable[EndListener], jid: str, transport: str, closed: Closed, failed: Callable[[Exception], None]
) -> None:
    """Tell every listener; one that fails keeps nobody from hearing."""
    for listener in listeners:
        try:
            listener(jid, transport, closed)
        except Exception as error:  # noqa: BLE001 - the rooms above must not break the end of a session
            failed(error)

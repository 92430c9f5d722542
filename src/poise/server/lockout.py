"""Who has failed too often: locks after consecutive failures, and buckets of attempts by name or address."""

from __future__ import annotations

from typing import Any

LOCK_AFTER = 5
"""Consecutive failures that lock a name. Finesse guide, account lockout."""
LOCK_S = 5 * 60
"""How long a name stays locked, and how long a failure is remembered. Finesse guide, account lockout."""
TABLE_MAX = 50_000
"""Entries of each table below; the oldest goes first."""


class Lockout:
    """Failures and locks by name; a name without an account is counted alike, so that a lock betrays nothing."""

    def __init__(self) -> None:
        self.failures: dict[str, tuple[int, float]] = {}
        self.until: dict[str, float] = {}

    def locked(self, who: str, now: float) -> bool:
        """Whether the name is locked."""
        return self.until.get(who, 0.0) > now

    def attempted(self, who: str, now: float, *, restart: bool) -> bool:
        """Whether `who` is locked; an attempt while locked starts the lock anew, except for administrators."""
        if not self.locked(who, now):
            self.until.pop(who, None)
            return False
        if restart:
            self.until[who] = now + LOCK_S
        return True

    def failed(self, who: str, now: float) -> bool:
        """Count one failure; True when it locked the name."""
        count, last = self.failures.pop(who, (0, now))
        count = 1 if now - last >= LOCK_S else count + 1
        if count < LOCK_AFTER:
            bound(self.failures)
            self.failures[who] = (count, now)
            return False
        bound(self.until)
        self.until[who] = now + LOCK_S
        return True

    def unlock(self, who: str) -> bool:
        """Lift a lock and forget failures; False when there was none."""
        self.failures.pop(who, None)
        return self.until.pop(who, None) is not None

    def cleared(self, who: str) -> None:
        """A good sign-in: earlier failures do not count."""
        self.failures.pop(who, None)


class Buckets:
    """Token buckets by name: `burst` attempts at once, `per_s` of them coming back each second."""

    def __init__(self, burst: int, per_s: float) -> None:
        self._burst = float(burst)
        self._per_s = per_s
        self._levels: dict[str, tuple[float, float]] = {}

    def allows(self, who: str, now: float) -> bool:
        """Whether an attempt is left."""
        return self._level(who, now) >= 1.0

    def charge(self, who: str, now: float) -> None:
        """Spend an attempt, also one that is not there."""
        level = self._level(who, now)
        self._levels.pop(who, None)
        bound(self._levels)
        self._levels[who] = (max(0.0, level - 1.0), now)

    def take(self, who: str, now: float) -> bool:
        """Spend an attempt if there is one."""
        allowed = self.allows(who, now)
        if allowed:
            self.charge(who, now)
        return allowed

    def _level(self, who: str, now: float) -> float:
        level, at = self._levels.get(who, (self._burst, now))
        return min(self._burst, level + (now - at) * self._per_s)

    def give_back(self, who: str) -> None:
        """An attempt that turned out to be honest costs nothing."""
        level, at = self._levels.get(who, (self._burst, 0.0))
        if level + 1.0 >= self._burst:
            self._levels.pop(who, None)
        else:
            self._levels[who] = (level + 1.0, at)


def bound(table: dict[str, Any]) -> None:
    """Make room for one more: the oldest entry goes."""
    if len(table) >= TABLE_MAX:
        del table[next(iter(table))]

"""How often a client may do what others must hear of: token buckets, and the numbers they are filled by.

A client that flaps its priority a thousand times a second, or two that throw each other out of one resource, would turn
each of their stanzas into work for every other session of the user and into events for the whole server (SEC30, SEC31).
"""

from __future__ import annotations

from typing import Final

PRESENCE_BURST: Final = 20
"""Presences one session may broadcast at once: what clients do in a second when they start (initial presence, caps,
idle detection) is under ten."""
PRESENCE_PER_S: Final = 2.0
"""Presences a second after that; of what comes faster, the latest is told when its turn comes. Lower values make a
busy agent's presence stale; higher ones make one client's flapping everybody's work."""
REPLACEMENT_BURST: Final = 10
"""Times a user's session may be replaced by a newer one of the same resource at once: somebody who reloads a page."""
REPLACEMENT_PER_S: Final = 0.2
"""Replacements a second after that. Two clients that fight for one resource get this much; the loser of the moment is
refused the resource and may come back."""


class Bucket:
    """Tokens that refill with time; full at first. How many it holds and how fast it fills is the caller's to say."""

    __slots__ = ("_at", "_tokens")

    def __init__(self) -> None:
        self._tokens = 0.0
        self._at: float | None = None

    def take(self, now: float, full: int, per_s: float) -> bool:
        """Take one token; False when there is none. `now` is in monotonic seconds."""
        self._fill(now, full, per_s)
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def ready_at(self, now: float, full: int, per_s: float) -> float:
        """When there will be a token, in monotonic seconds."""
        self._fill(now, full, per_s)
        return now if self._tokens >= 1.0 else now + (1.0 - self._tokens) / per_s

    def _fill(self, now: float, full: int, per_s: float) -> None:
        if self._at is None:
            self._tokens, self._at = float(full), now
        elif now > self._at:
            self._tokens, self._at = min(float(full), self._tokens + (now - self._at) * per_s), now

"""Who may open another session: bounds on creations of one address and on sessions nobody has signed in to (C25)."""

from __future__ import annotations

from dataclasses import dataclass

CREATIONS_PER_MINUTE = 6000
"""Sessions one address may create in a minute, in bursts too. After a restart all agents behind one proxy come back at
once; a lower bound locks them out."""
UNAUTHENTICATED_MAX = 2000
"""Sessions and streams without a bound resource, over all addresses: what a flood of half-open ones can cost. Each
is gone after the sign-in time at the latest."""
UNAUTHENTICATED_PER_ADDRESS = 1000
"""The same for one address, so that one flooder does not lock everybody out. With cold password checks of 25 ms, 1,000
agents behind one proxy are signed in after 25 s."""
ADDRESSES_MAX = 50_000
"""Addresses remembered; the one that created least recently goes first."""


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """The bounds; the constants of this module by default."""

    creations_per_minute: int = CREATIONS_PER_MINUTE
    unauthenticated_max: int = UNAUTHENTICATED_MAX
    unauthenticated_per_address: int = UNAUTHENTICATED_PER_ADDRESS


class Admission:
    """Counts sessions that are not bound yet, and creations by address as a bucket that refills evenly."""

    def __init__(self, policy: AdmissionPolicy) -> None:
        self._policy = policy
        self._buckets: dict[str, tuple[float, float]] = {}
        self._by_address: dict[str, int] = {}
        self.unauthenticated = 0
        """Sessions and streams without a bound resource now."""
        self.refused = 0
        """Sessions refused since the start."""

    def enter(self, address: str, now: float) -> str | None:
        """Count a new session; or why it is refused, in a few words."""
        here = self._by_address.get(address, 0)
        if self.unauthenticated >= self._policy.unauthenticated_max or here >= self._policy.unauthenticated_per_address:
            self.refused += 1
            return "too many sessions that are not signed in"
        most = float(self._policy.creations_per_minute)
        level, at = self._buckets.pop(address, (most, now))
        level = min(most, level + (now - at) * most / 60.0)
        allowed = level >= 1.0
        self._buckets[address] = (level - 1.0 if allowed else level, now)
        if len(self._buckets) > ADDRESSES_MAX:
            del self._buckets[next(iter(self._buckets))]
        if not allowed:
            self.refused += 1
            return "too many sessions created by one address"
        self.unauthenticated += 1
        self._by_address[address] = here + 1
        return None

    def settled(self, address: str) -> None:
        """A session counted by `enter` has bound its resource, or ended before."""
        self.unauthenticated -= 1
        here = self._by_address[address] - 1
        if here:
            self._by_address[address] = here
        else:
            del self._by_address[address]

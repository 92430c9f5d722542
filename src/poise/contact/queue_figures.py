"""The figures of every queue, as the CTI server last gave them.

Figures are told when they differ from those told before. When the longest call began is a difference of two clocks in
whole seconds, so it wavers by a second; a difference that small is no change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.messages import Message

WAVER_S = 2.0
"""Seconds by which the beginning of the same longest call may differ between two answers."""


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """Figures of a queue; -1 or None where the CTI server gives none."""

    calls_in_queue: int = -1
    longest_call_since: float | None = None
    """Seconds since the epoch at which the call that waits longest began to wait; None while none waits."""
    agents_ready: int = -1
    agents_not_ready: int = -1
    agents_busy_other: int = -1
    agents_logged_on: int = -1
    agents_talking_inbound: int = -1
    agents_talking_outbound: int = -1
    agents_talking_internal: int = -1
    agents_wrap_up_not_ready: int = -1
    agents_wrap_up_ready: int = -1


NO_STATISTICS = QueueStatistics()
"""A queue nothing is known about."""

FIELDS: Mapping[str, str] = {
    "agents_ready": "AgentsReady",
    "agents_not_ready": "AgentsNotReady",
    "agents_busy_other": "AgentsBusyOther",
    "agents_logged_on": "AgentsLoggedOn",
    "agents_talking_inbound": "AgentsTalkingIn",
    "agents_talking_outbound": "AgentsTalkingOut",
    "agents_talking_internal": "AgentsTalkingOther",
    "agents_wrap_up_not_ready": "AgentsWorkNotReady",
    "agents_wrap_up_ready": "AgentsWorkReady",
}
"""Our figure -> counter of QUERY_SKILL_GROUP_STATISTICS_CONF that is shown as it is."""

_WAITING = (("RouterCallsQNow", "LongestRouterCallQNow"), ("CallsQNow", "LongestCallQNow"))
"""Counters of waiting calls and of the seconds the longest waits: of the router, else of the peripheral."""


def _count(message: Message, name: str) -> int:
    value = message.fields.get(name, NULL32)
    return -1 if value == NULL32 else value


def figures(message: Message, now_wall: float) -> QueueStatistics:
    """The figures of one QUERY_SKILL_GROUP_STATISTICS_CONF that came at `now_wall` (seconds since the epoch)."""
    waiting, since = -1, None
    for calls, longest in _WAITING:
        waiting = _count(message, calls)
        if waiting >= 0:
            seconds = _count(message, longest)
            since = now_wall - seconds if waiting > 0 and seconds >= 0 else None
            break
    counts = {ours: _count(message, theirs) for ours, theirs in FIELDS.items()}
    return QueueStatistics(calls_in_queue=waiting, longest_call_since=since, **counts)


class QueueFigures:
    """The figures of all queues."""

    def __init__(self) -> None:
        self._known: dict[int, QueueStatistics] = {}
        self.known: Mapping[int, QueueStatistics] = MappingProxyType(self._known)
        """Queue number -> its figures; a read-only view."""

    def take(self, number: int, message: Message, now_wall: float) -> bool:
        """The CTI server's answer for a queue. True when the figures are others than before."""
        before, after = self._known.get(number, NO_STATISTICS), figures(message, now_wall)
        old, new = before.longest_call_since, after.longest_call_since
        if old is not None and new is not None and abs(new - old) <= WAVER_S:
            after = replace(after, longest_call_since=old)
        self._known[number] = after
        return after != before

    def forget(self) -> None:
        """The link is down: nothing is known."""
        self._known.clear()

"""The figures of a queue, out of the CTI server's statistics (cti.md 1.7)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.messages import Message

UNKNOWN = -1
"""A figure that the CTI server does not give."""

JITTER_S = 2.0
"""Seconds by which the beginning of the longest wait may seem to move: the CTI server counts whole seconds and asking
takes time. A queue of which nothing else has changed is not told again for it."""


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """A queue at one moment; UNKNOWN where the CTI server says nothing."""

    calls_in_queue: int = UNKNOWN
    longest_since: float | None = None
    """Seconds since the epoch: the longest waiting call waits since then; None while none does."""
    agents_ready: int = UNKNOWN
    agents_not_ready: int = UNKNOWN
    agents_busy_other: int = UNKNOWN
    agents_logged_on: int = UNKNOWN
    agents_talking_inbound: int = UNKNOWN
    agents_talking_outbound: int = UNKNOWN
    agents_talking_internal: int = UNKNOWN
    agents_wrap_up_not_ready: int = UNKNOWN
    agents_wrap_up_ready: int = UNKNOWN


NO_FIGURES = QueueFigures()
"""A queue nothing is known about."""

_COUNTERS = {
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
"""Figure -> counter of QUERY_SKILL_GROUP_STATISTICS_CONF."""


def figures(message: Message, now_wall: float, before: QueueFigures = NO_FIGURES) -> QueueFigures:
    """What a QUERY_SKILL_GROUP_STATISTICS_CONF says. `before`: the figures known so far."""
    counters = message.fields
    calls = _count(counters, "RouterCallsQNow")
    longest = _count(counters, "LongestRouterCallQNow")
    if calls <= 0:  # queued at the telephone system instead of the router
        local = _count(counters, "CallsQNow")
        if local > 0 or calls == UNKNOWN:
            calls, longest = local, _count(counters, "LongestCallQNow")
    since = now_wall - longest if calls > 0 and longest >= 0 else None
    if since is not None and before.longest_since is not None and abs(since - before.longest_since) <= JITTER_S:
        since = before.longest_since
    return QueueFigures(calls, since, **{name: _count(counters, counter) for name, counter in _COUNTERS.items()})


def _count(counters: Mapping[str, int], name: str) -> int:
    value = counters.get(name, NULL32)
    return UNKNOWN if value == NULL32 else value

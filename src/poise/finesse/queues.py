"""Queues as the data of events (finesse-api.md 4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from poise.contact.snapshots import Queue
from poise.finesse import nodes
from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render


@dataclass(frozen=True, slots=True)
class QueueStatistics:
    """Figures of a queue; -1 or an empty text where the CTI server gives none."""

    calls_in_queue: int = -1
    start_time_of_longest_call_in_queue: str = ""
    """A timestamp."""
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


def queue_update(queue: Queue, statistics: QueueStatistics = NO_STATISTICS) -> str:
    """`queue` as the data of an event."""
    return render(branch("queue", _queue_children(queue, statistics)), EVENT_INDENT)


def _queue_children(queue: Queue, statistics: QueueStatistics) -> Iterator[Node]:
    yield leaf("uri", f"{nodes.ROOT}/Queue/{queue.number}")
    yield leaf("name", queue.name)
    yield branch("statistics", _statistics(statistics))


def _statistics(statistics: QueueStatistics) -> Iterator[Node]:
    yield leaf("callsInQueue", statistics.calls_in_queue)
    yield leaf("startTimeOfLongestCallInQueue", statistics.start_time_of_longest_call_in_queue)
    yield leaf("agentsReady", statistics.agents_ready)
    yield leaf("agentsNotReady", statistics.agents_not_ready)
    yield leaf("agentsBusyOther", statistics.agents_busy_other)
    yield leaf("agentsLoggedOn", statistics.agents_logged_on)
    yield leaf("agentsTalkingInbound", statistics.agents_talking_inbound)
    yield leaf("agentsTalkingOutbound", statistics.agents_talking_outbound)
    yield leaf("agentsTalkingInternal", statistics.agents_talking_internal)
    yield leaf("agentsWrapUpNotReady", statistics.agents_wrap_up_not_ready)
    yield leaf("agentsWrapUpReady", statistics.agents_wrap_up_ready)

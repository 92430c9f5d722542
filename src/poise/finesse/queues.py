"""Queues as the data of events (finesse-api.md 4.1)."""

from __future__ import annotations

from collections.abc import Iterator

from poise.contact.queue_figures import NO_STATISTICS, QueueStatistics
from poise.contact.snapshots import Queue
from poise.finesse import nodes
from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render, timestamp


def queue_update(queue: Queue, statistics: QueueStatistics = NO_STATISTICS) -> str:
    """`queue` as the data of an event."""
    return render(branch("queue", _queue_children(queue, statistics)), EVENT_INDENT)


def _queue_children(queue: Queue, statistics: QueueStatistics) -> Iterator[Node]:
    yield leaf("uri", f"{nodes.ROOT}/Queue/{queue.number}")
    yield leaf("name", queue.name)
    yield branch("statistics", _statistics(statistics))


def _statistics(statistics: QueueStatistics) -> Iterator[Node]:
    yield leaf("callsInQueue", statistics.calls_in_queue)
    since = statistics.longest_call_since
    yield leaf("startTimeOfLongestCallInQueue", timestamp(since).partition(".")[0] + "Z" if since is not None else "")
    yield leaf("agentsReady", statistics.agents_ready)
    yield leaf("agentsNotReady", statistics.agents_not_ready)
    yield leaf("agentsBusyOther", statistics.agents_busy_other)
    yield leaf("agentsLoggedOn", statistics.agents_logged_on)
    yield leaf("agentsTalkingInbound", statistics.agents_talking_inbound)
    yield leaf("agentsTalkingOutbound", statistics.agents_talking_outbound)
    yield leaf("agentsTalkingInternal", statistics.agents_talking_internal)
    yield leaf("agentsWrapUpNotReady", statistics.agents_wrap_up_not_ready)
    yield leaf("agentsWrapUpReady", statistics.agents_wrap_up_ready)

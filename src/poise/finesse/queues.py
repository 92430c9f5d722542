"""Queues in REST answers and as the data of events, and which queues a user has (finesse-api.md 4.1, 5.3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from poise.contact.queue_figures import NO_STATISTICS, QueueStatistics
from poise.contact.snapshots import Agent, Queue, Team
from poise.finesse import nodes
from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render, timestamp


def user_queues(agent: Agent, agents: Mapping[str, Agent], teams: Mapping[int, Team]) -> list[int]:
    """Numbers of a user's queues: the own ones, and for supervisors those of the members of their teams."""
    numbers = set(agent.queues)
    for supervised in agent.supervised:
        team = teams.get(supervised.team_id)
        for member in team.members if team is not None else ():
            if member in agents:
                numbers.update(agents[member].queues)
    return sorted(numbers)


def queue_xml(queue: Queue, statistics: QueueStatistics) -> str:
    """The answer to GET Queue."""
    return render(branch("Queue", _queue_children(queue, statistics)))


def queues_xml(queues: Iterable[tuple[Queue, QueueStatistics]]) -> str:
    """The answer to GET User/Queues."""
    return render(branch("Queues", _each(queues)))


def queues_update(queues: Iterable[tuple[Queue, QueueStatistics]]) -> str:
    """`queues` as the data of an event: which ones a user has got, or lost."""
    return render(branch("queues", _each(queues)), EVENT_INDENT)


def gone_queue_update(queue: Queue) -> str:
    """`queue` as the data of a DELETE event: its URI alone."""
    return render(branch("queue", (leaf("uri", f"{nodes.ROOT}/Queue/{queue.number}"),)), EVENT_INDENT)


def _each(queues: Iterable[tuple[Queue, QueueStatistics]]) -> Iterator[Node]:
    return (branch("Queue", _queue_children(queue, statistics)) for queue, statistics in queues)


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

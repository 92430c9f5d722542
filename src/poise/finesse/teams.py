"""Teams and queues as XML (finesse-api.md 4.1, 4.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from poise.contact.snapshots import Agent, Queue, Team
from poise.finesse import nodes
from poise.finesse.markup import EVENT_INDENT, Node, branch, leaf, render
from poise.finesse.users import UserContext, summary_nodes


def team_xml(team: Team, members: Iterable[Agent], context: UserContext) -> str:
    """The answer to GET Team: the team with a summary of each member, signed in or not."""
    users = branch("users", (branch("User", summary_nodes(agent, context, "reasonCode")) for agent in members))
    return render(branch("Team", (*_team_children(team), users)))


def teams_xml(teams: Iterable[Team]) -> str:
    """The answer to GET Teams."""
    return render(branch("Teams", (branch("Team", _team_children(team)) for team in teams)))


def _team_children(team: Team) -> tuple[Node, ...]:
    return (leaf("uri", f"{nodes.ROOT}/Team/{team.team_id}"), leaf("id", team.team_id), leaf("name", team.name))


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


def queue_xml(queue: Queue, statistics: QueueStatistics = NO_STATISTICS) -> str:
    """The answer to GET Queue."""
    return render(branch("Queue", _queue_children(queue, statistics)))


def queues_xml(queues: Iterable[tuple[Queue, QueueStatistics]]) -> str:
    """The answer to GET Queues."""
    return render(branch("Queues", (branch("Queue", _queue_children(*row)) for row in queues)))


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

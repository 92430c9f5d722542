"""Which nodes are told what when something changes in the contact centre."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from poise.contact.queue_figures import NO_STATISTICS, QueueStatistics
from poise.contact.snapshots import Agent, AgentAdded, AgentChanged, AgentFailed, AgentRemoved, Change, Queue, TeamName
from poise.finesse import nodes
from poise.finesse.failures import failure_update
from poise.finesse.queues import gone_queue_update, queue_update, queues_update
from poise.finesse.system_info import SystemStatus, system_info_update
from poise.finesse.update import Event, update
from poise.finesse.users import UserContext, gone_update, summary_update, user_update


class Publication(NamedTuple):
    """One item for one node."""

    node: str
    payload: bytes
    """The serialised `<notification>` element."""


def publications(changes: Iterable[Change], context: UserContext) -> Iterator[Publication]:
    """Everything to publish for changes of the agent model, in their order.

    A failed forced logout tells nobody: no client asked for it.
    """
    for change in changes:
        match change:
            case AgentChanged(before, after, request_id):
                yield from _changed(before, after, request_id, context)
            case AgentAdded(agent):
                yield _user(agent, user_update(agent, context), Event.POST, "")
                yield from _team(agent.team, agent, summary_update(agent, context), Event.POST, "")
            case AgentRemoved(agent):
                gone = gone_update(agent)
                yield _user(agent, gone, Event.DELETE, "")
                yield from _team(agent.team, agent, gone, Event.DELETE, "")
            case AgentFailed():
                if not change.forced:
                    source = nodes.user(change.agent_id)
                    payload = update(failure_update(change), Event.PUT, change.request_id, source)
                    yield Publication(source, payload)


def queue_publications(queue: Queue, statistics: QueueStatistics = NO_STATISTICS) -> Iterator[Publication]:
    """A queue's statistics, once serialised, for each of its nodes."""
    payload = update(queue_update(queue, statistics), Event.PUT, "", f"{nodes.ROOT}/Queue/{queue.number}")
    return (Publication(node, payload) for node in nodes.queue_nodes(queue))


def queue_gone(queue: Queue) -> Iterator[Publication]:
    """The configuration names a queue no more: for each of its nodes."""
    payload = update(gone_queue_update(queue), Event.DELETE, "", f"{nodes.ROOT}/Queue/{queue.number}")
    return (Publication(node, payload) for node in nodes.queue_nodes(queue))


def user_queues_publication(
    agent_id: str, queues: Iterable[tuple[Queue, QueueStatistics]], event: Event
) -> Publication:
    """Queues that a user has got (POST) or lost (DELETE)."""
    node = nodes.user_queues(agent_id)
    return Publication(node, update(queues_update(queues), event, "", node))


def system_info_publication(status: SystemStatus, now_wall: float) -> Publication:
    """The server's own state, for all."""
    payload = update(system_info_update(status, now_wall), Event.PUT, "", nodes.SYSTEM_INFO)
    return Publication(nodes.SYSTEM_INFO, payload)


def _changed(before: Agent, after: Agent, request_id: str, context: UserContext) -> Iterator[Publication]:
    yield _user(after, user_update(after, context), Event.PUT, request_id)
    summary = summary_update(after, context)
    if before.team == after.team:
        yield from _team(after.team, after, summary, Event.PUT, request_id)
    else:
        yield from _team(before.team, before, gone_update(before), Event.DELETE, "")
        yield from _team(after.team, after, summary, Event.POST, "")


def _user(agent: Agent, data: str, event: Event, request_id: str) -> Publication:
    node = nodes.user(agent.agent_id)
    return Publication(node, update(data, event, request_id, node))


def _team(team: TeamName | None, agent: Agent, data: str, event: Event, request_id: str) -> Iterator[Publication]:
    if team is not None:
        yield Publication(nodes.team_users(team.team_id), update(data, event, request_id, nodes.user(agent.agent_id)))

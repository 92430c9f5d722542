"""Queues in REST: GET Queue, GET User/Queues (finesse-api.md 4.1)."""

from __future__ import annotations

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.permissions import Api, check, relation
from poise.finesse.queues import queue_xml, queues_xml, user_queues
from poise.server.webservices.resources import Answer, Call, Resource, number


async def read_queue(call: Call) -> Answer:
    """GET Queue, for everyone who is signed in."""
    check(call.caller, Api.READ_QUEUE)
    agents = call.services.agents
    named = number(call.parts["queue"])
    queue = agents.queues.get(named) if named is not None else None
    if queue is None:
        raise ApiException(Code.NOT_FOUND, call.parts["queue"][:64])
    return Answer(200, queue_xml(queue, agents.queue_statistics(queue.number)).encode())


async def list_queues(call: Call) -> Answer:
    """GET User/Queues: a supervisor's list has those of her teams as well."""
    target = call.target()
    relation(call.caller, target, Api.READ_USER_QUEUES)
    agents = call.services.agents
    numbers = user_queues(target, agents.agents, agents.teams)
    shown = ((agents.queues[n], agents.queue_statistics(n)) for n in numbers if n in agents.queues)
    return Answer(200, queues_xml(shown).encode())


QUEUES = (
    Resource("/Queue/{queue}", {"GET": read_queue}),
    Resource("/User/{user}/Queues", {"GET": list_queues}),
)
"""Resources of queues."""

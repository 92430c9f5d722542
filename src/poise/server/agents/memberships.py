"""What a new configuration means for queues and for who has them (finesse-api.md 5.3: Queue, User/Queues)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from poise.contact.agents import AgentModel
from poise.contact.queue_figures import QueueStatistics
from poise.contact.snapshots import Queue
from poise.finesse.publications import Publication, queue_gone, user_queues_publication
from poise.finesse.queues import user_queues
from poise.finesse.update import Event


class MembershipChanges:
    """Made before the model takes a configuration; afterwards it tells the difference."""

    def __init__(self, model: AgentModel, statistics: Callable[[int], QueueStatistics]) -> None:
        self._model = model
        self._statistics = statistics
        self._agents = dict(model.agents)
        self._teams = dict(model.teams)
        self._queues = dict(model.queues)

    def publications(self) -> Iterator[Publication]:
        """DELETE of queues that are gone, then what each user has lost and got. Users who came or went have no
        difference: their own events say that."""
        model = self._model
        for number, queue in self._queues.items():
            if number not in model.queues:
                yield from queue_gone(queue)
        for agent_id, before in self._agents.items():
            after = model.agents.get(agent_id)
            if after is None:
                continue
            if before.queues == after.queues and not before.supervised and not after.supervised:
                continue  # nearly everybody, nearly always: one step of publishing must stay short
            had = user_queues(before, self._agents, self._teams)
            has = user_queues(after, model.agents, model.teams)
            lost = self._named((number for number in had if number not in has), self._queues)
            got = self._named((number for number in has if number not in had), model.queues)
            for event, queues in ((Event.DELETE, lost), (Event.POST, got)):
                if queues:
                    yield user_queues_publication(agent_id, queues, event)

    def _named(self, numbers: Iterable[int], queues: Mapping[int, Queue]) -> list[tuple[Queue, QueueStatistics]]:
        return [(queues[number], self._statistics(number)) for number in numbers if number in queues]

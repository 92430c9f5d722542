"""What clients are told: nodes are laid out, changes published in order, everything said anew when service returns.

Work that grows with the number of agents is cut into slices, so that nothing holds the event loop; whatever is
published meanwhile waits behind it, so that the order of events is the order of what happened.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

from poise.contact.agents import AgentModel
from poise.contact.snapshots import AgentChanged, Change
from poise.finesse import nodes
from poise.finesse.publications import Publication, publications
from poise.finesse.update import CLOSING, OPENING
from poise.finesse.users import UserContext
from poise.server.clock import Clock
from poise.server.serviceability.webservices_log import AgentLog

SLICE_STEPS = 200
"""Most small steps (a node, a publication) before others get their turn."""
SLICE_S = 0.004
"""Longest time of one slice; law: nothing holds the event loop longer than 5 ms."""


class Publisher(Protocol):
    """The notification service, as far as it is told things. Implemented by `NotificationService`."""

    def create_node(self, node: str, title: str = "") -> None:
        """Make a node; nothing happens when it exists. Raises ValueError for a name that cannot be one."""

    def delete_node(self, node: str) -> None:
        """Delete a node; nothing happens when there is none."""

    def subscribe(self, node: str, jid: str) -> None:
        """Subscribe a JID; again is the same as once. Raises LookupError or ValueError."""

    def review_subscriptions(self, user: str) -> None:
        """End the subscriptions that a user is not allowed any more. Raises ValueError for no local part of a JID."""

    def nodes_complete(self) -> None:
        """Every node that there is has been made."""

    def publish(self, node: str, item_id: str, payload: bytes) -> int:
        """Notify a node's subscribers; an empty item id lets the service make one. Raises LookupError or ValueError."""


class Publishing:
    """Owns which nodes exist and what is still to be published."""

    def __init__(
        self, model: AgentModel, publisher: Publisher, context: UserContext, clock: Clock, log: AgentLog, domain: str
    ) -> None:
        self._model = model
        self._publisher = publisher
        self.context = context
        self._clock = clock
        self._log = log
        self._domain = domain
        self._nodes: set[str] = set()
        self._unwanted: set[str] = set()
        self._work: deque[Iterator[None]] = deque()
        self._scheduled = False
        self.open = False
        """Whether changes are told: only while in service."""

    def now(self, publication: Publication) -> None:
        """Publish one item, whatever waits and whether or not service is open."""
        if publication.node not in self._nodes:
            self._create(publication.node)
        self._publish(publication)

    def changes(self, changes: Iterable[Change]) -> None:
        """Publish what changes say, after everything that waits."""
        if not self.open:
            return
        if self._work:
            self._later(self._told(tuple(changes)))
            return
        for _ in self._told(tuple(changes)):
            pass

    def tell(self, what: str, publications: Iterator[Publication]) -> None:
        """Publish these, after everything that waits; `what` names them in the log should one go wrong."""
        if not self.open:
            return
        work = self._guarded(f"publishing of {what}", self._each_told(publications))
        if self._work:
            self._later(work)
            return
        for _ in work:
            pass

    def lay_out(self) -> None:
        """Make the nodes that the configuration wants, and subscribe every user to his own."""
        self._later(self._laid_out())

    def review(self, users: Iterable[str]) -> None:
        """Have subscriptions looked at anew after a change of teams or roles."""
        self._later(self._reviewed(list(users)))

    def sweep(self) -> None:
        """Delete the nodes that the last layout did not want any more."""
        self._later(self._swept())

    def everything(self) -> None:
        """Publish every agent's present state, as after an outage (finesse-api.md 6.1).

        The pictures are taken now: what changes until they are told is told behind them, in its order.
        """
        self._later(self._told(tuple(AgentChanged(agent, agent) for agent in self._model.agents.values())))

    def then(self, step: Iterator[None]) -> None:
        """Do something after everything that waits."""
        self._later(step)

    def _told(self, changes: tuple[Change, ...]) -> Iterator[None]:
        for change in changes:
            if not self.open:
                return
            yield from self._guarded(f"publishing of {type(change).__name__}", self._one_told(change))

    def _one_told(self, change: Change) -> Iterator[None]:
        for publication in publications((change,), self.context):
            if not self.open:
                return
            self._publish(publication)
            yield

    def _each_told(self, publications: Iterator[Publication]) -> Iterator[None]:
        for publication in publications:
            if not self.open:
                return
            self._publish(publication)
            yield

    def _reviewed(self, users: list[str]) -> Iterator[None]:
        for user in users:
            yield from self._guarded(f"review of {user}'s subscriptions", self._one_reviewed(user))

    def _one_reviewed(self, user: str) -> Iterator[None]:
        self._publisher.review_subscriptions(user)
        yield

    def _laid_out(self) -> Iterator[None]:
        wanted: set[str] = {nodes.SYSTEM_INFO}
        self._create(nodes.SYSTEM_INFO)
        agents, teams, queues = self._model.agents, self._model.teams, self._model.queues
        for agent in list(agents.values()):
            for node in nodes.of_user(agent):
                wanted.add(node)
                self._create(node)
                yield
            for node in nodes.subscriptions(agent.agent_id):
                self._subscribe(node, agent.agent_id)
                yield
        for team in list(teams.values()):
            for node in nodes.of_team(team.team_id):
                wanted.add(node)
                self._create(node)
                yield
        for queue in list(queues.values()):
            for node in nodes.queue_nodes(queue):
                wanted.add(node)
                self._create(node)
                yield
        self._unwanted = self._nodes - wanted

    def _swept(self) -> Iterator[None]:
        for node in self._unwanted:
            yield from self._guarded(f"deletion of {node}", self._one_swept(node))
        self._unwanted = set()
        if self._model.agents:  # a telephone system without anybody has not been asked well
            self._publisher.nodes_complete()

    def _one_swept(self, node: str) -> Iterator[None]:
        self._nodes.discard(node)
        self._publisher.delete_node(node)
        yield

    def _guarded(self, doing: str, steps: Iterator[None]) -> Iterator[None]:
        """Work of which an exception is reported and ends this piece alone."""
        try:
            yield from steps
        except Exception as error:  # noqa: BLE001 - one bad change must not stop what everybody else is told
            self._log.agent_fault(doing, error)

    def _create(self, node: str) -> None:
        if node not in self._nodes:
            self._nodes.add(node)
            try:
                self._publisher.create_node(node)
            except Exception as error:  # noqa: BLE001 - an id that makes no node name costs nobody else his events
                self._log.publish_failed(node, f"the node cannot be made: {error}")

    def _subscribe(self, node: str, agent_id: str) -> None:
        try:
            self._publisher.subscribe(node, f"{agent_id}@{self._domain}")
        except Exception as error:  # noqa: BLE001 - nobody else must lose his events for it
            self._log.publish_failed(node, f"{agent_id} cannot be subscribed: {error}")

    def _publish(self, publication: Publication) -> None:
        node, payload = publication
        try:
            self._publisher.publish(node, "", payload)
        except Exception as error:  # noqa: BLE001 - what follows must be told all the same
            self._log.publish_failed(node, f"{type(error).__name__}: {error}")
        else:
            self._log.published(node, _readable(payload))

    def _later(self, work: Iterator[None]) -> None:
        self._work.append(work)
        self._schedule()

    def _schedule(self) -> None:
        if not self._scheduled:
            self._scheduled = True
            self._clock.call_at(self._clock.now(), self._slice)

    def _slice(self) -> None:
        self._scheduled = False
        until = self._clock.now() + SLICE_S
        for _ in range(SLICE_STEPS):
            if not self._work:
                return
            if self._over(self._work[0]):
                self._work.popleft()
            if self._clock.now() > until:
                break
        if self._work:
            self._schedule()

    def _over(self, work: Iterator[None]) -> bool:
        """One step; True when there is none left, because all are done or because it failed."""
        try:
            return next(work, self) is self
        except Exception as error:  # noqa: BLE001 - the rest of one piece of work is lost, reported, and nothing else
            self._log.agent_fault("publishing", error)
            return True


_CALL_VARIABLES = re.compile(r"<callvariables>.*?</callvariables>")


def _readable(payload: bytes) -> str:
    """The Update document as logs show it: not escaped, on one line, without the values of call variables, which are
    customers' data (finesse-api.md 8.2: not logged since 12.5)."""
    text = payload.decode()[len(OPENING) : -len(CLOSING)]
    text = text.replace("\n", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _CALL_VARIABLES.sub("<callvariables>...</callvariables>", text) if "<callvariables>" in text else text

"""The door to everything about agents: CTI outputs and presence come in, REST asks, clients are told.

Service is open when the CTI link is up and synchronised and every node is laid out. While it is closed REST answers 503
and nothing is published but SystemInfo; when it opens again every agent's state is published anew (finesse-api.md 6.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from poise.contact.agents import AgentModel
from poise.contact.dialog_views import DROPPERS, Rules
from poise.contact.queue_figures import NO_STATISTICS, QueueFigures, QueueStatistics
from poise.contact.reasons import ReasonBook
from poise.contact.requests import StateWish
from poise.contact.snapshots import Agent, AgentChanged, AgentRemoved, Change, Queue, Team, TeamName
from poise.contact.states import Actor, AgentState, Deployment
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.forced_logout import LogoutPolicy
from poise.finesse.permissions import Caller, may_subscribe
from poise.finesse.publications import Publication, queue_publications, system_info_publication
from poise.finesse.system_info import CtiServer, SystemStatus
from poise.finesse.users import UserContext
from poise.protocols.cti.config import ConfigReceived
from poise.protocols.cti.outputs import LinkDown, LinkUp, Output, Received, RequestEnded, StatisticsReceived
from poise.server.agents.absence import Absence, Deadlines, PresenceStore
from poise.server.agents.absences import Absences
from poise.server.agents.dialogs import Dialogs
from poise.server.agents.memberships import MembershipChanges
from poise.server.agents.messages import TeamMessages
from poise.server.agents.names import Names
from poise.server.agents.publishing import Publisher, Publishing
from poise.server.agents.request_lines import CtiSender, RequestLines
from poise.server.clock import Clock
from poise.server.serviceability.lines import local
from poise.server.serviceability.webservices_log import AgentLog

NO_LINK = "The CTI link is down"
"""statusReason while nothing better is known."""


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What SystemInfo says and settings decide."""

    deployment: Deployment
    domain: str
    primary_host: str
    secondary_host: str = ""
    cti_hosts: tuple[str, ...] = ()
    """Hosts of the CTI servers, side A first."""
    peripheral_id: int = 5000
    heartbeat_interval_s: int = 5
    https_port: int = 8445
    xmpp_port: int = 5222
    xmpp_secure_port: int = 5223
    drop_participants: str = DROPPERS
    """Who may drop others from a conference."""


class AgentService:
    """Agents, their requests, their events and their absence. Lives on the event loop's thread."""

    def __init__(
        self,
        facts: ServiceFacts,
        policy: LogoutPolicy,
        *,
        cti: CtiSender,
        publisher: Publisher,
        store: PresenceStore,
        deadlines: Deadlines,
        clock: Clock,
        log: AgentLog,
        reasons: ReasonBook | None = None,
        last_heartbeat: Callable[[], float | None] = lambda: None,
    ) -> None:
        """`last_heartbeat`: when the CTI server last answered one, in seconds since the epoch; None while unknown.
        `deadlines` tells `forgive` of a stall before it calls anybody."""
        self._facts = facts
        self._clock = clock
        self._log = log
        self._model = AgentModel(facts.deployment)
        self._names = Names(self._model.agents, by_login_name=False)
        self._figures = QueueFigures()
        context = UserContext(reasons or ReasonBook(facts.deployment))
        self._publishing = Publishing(self._model, publisher, context, clock, log, facts.domain)
        self._lines = RequestLines(self._model, cti, self._changed)
        self._absence = Absence(
            policy,
            store,
            clock,
            log,
            deadlines=deadlines,
            force=self._forced,
            may_be_agent=lambda user: not self.agents or self.agent(user) is not None,
        )
        self.absences = Absences(self._publishing, clock, self.agent, self._absence.gone)
        """Whose screen is gone."""
        self._absence.on_change = self.absences.changed
        self.dialogs = Dialogs(
            Rules(facts.deployment, facts.drop_participants), self._model, cti, self._publishing, self._absence.call
        )
        """Calls."""
        self.messages = TeamMessages(self._publishing, deadlines, clock)
        """Team messages."""
        self._reason = NO_LINK
        self._session = 0  # counts links: what was begun in one must not end in another
        self._link_up = False
        self._cti_version: int | None = None
        self._cti_host, self._cti_since = "", clock.now()
        self._began = clock.now()
        self.start_s: float | None = None
        """Seconds from the start until service first opened; None while it has not."""
        self._last_heartbeat = last_heartbeat
        self.on_service: Callable[[], None] = lambda: None
        """Called when service has opened or closed."""

    # ---- REST (webservices.services.AgentFacade)

    @property
    def agents(self) -> Mapping[str, Agent]:
        """Present pictures by agent id; a read-only view."""
        return self._model.agents

    @property
    def teams(self) -> Mapping[int, Team]:
        """Teams by id; a read-only view."""
        return self._model.teams

    @property
    def queues(self) -> Mapping[int, Queue]:
        """Queues by number; a read-only view."""
        return self._model.queues

    @property
    def context(self) -> UserContext:
        """What a User shows besides its agent."""
        return self._publishing.context

    @property
    def reasons(self) -> ReasonBook:
        """Reason codes."""
        return self._publishing.context.reasons

    @reasons.setter
    def reasons(self, book: ReasonBook) -> None:
        self._publishing.context = replace(self._publishing.context, reasons=book)

    @property
    def in_service(self) -> bool:
        """Whether requests can be carried out."""
        return self._publishing.open

    @property
    def trouble(self) -> str:
        """Why not in service, for /readyz; empty when in service."""
        return "" if self.in_service else self._reason

    def agent(self, agent_id: str) -> Agent | None:
        """The agent of an id, in any case (`names`)."""
        return self._names.agent(agent_id)

    def by_login_name(self, name: str) -> Agent | None:
        """The agent with that login name, in any case; None on UCCX, where ids alone name users."""
        return self._names.by_login_name(name)

    def status(self) -> SystemStatus:
        """The server's own state at this moment."""
        offset = local(self._clock.wall(), None).utcoffset()
        return SystemStatus(
            self._facts.deployment,
            self._facts.domain,
            self._facts.primary_host,
            self._facts.secondary_host,
            in_service=self.in_service,
            reason=self._reason,
            timezone_offset_min=int(offset.total_seconds() // 60) if offset is not None else 0,
            heartbeat_ok=self._link_up,
            last_heartbeat_at=self._last_heartbeat(),
            heartbeat_interval_s=self._facts.heartbeat_interval_s,
            cti_version=self._cti_version,
            peripheral_id=self._facts.peripheral_id,
            https_port=self._facts.https_port,
            xmpp_port=self._facts.xmpp_port,
            xmpp_secure_port=self._facts.xmpp_secure_port,
            cti_servers=tuple(self._cti_servers()),
        )

    def _cti_servers(self) -> Iterator[CtiServer]:
        connected_s = self._clock.now() - self._cti_since
        for host in dict.fromkeys(self._facts.cti_hosts):
            active = self._link_up and host == self._cti_host
            yield CtiServer(host, connected_s if active else None)

    def queue_statistics(self, number: int) -> QueueStatistics:
        """The present figures of a queue; NO_STATISTICS while unknown."""
        return self._figures.known.get(number, NO_STATISTICS)

    def tell(self, what: str, publication: Publication) -> None:
        """Publish something, while service is open; `what` names it in the log."""
        self._publishing.tell(what, iter((publication,)))

    def change_state(self, agent_id: str, wish: StateWish, request_id: str) -> None:
        """Pass a wish on to the CTI server; the result comes as an event. Raises ApiException for refusals at once."""
        if not self.in_service:
            raise ApiException(Code.OUT_OF_SERVICE)
        self._lines.put(agent_id, wish, request_id)
        if wish.state is AgentState.LOGIN and wish.actor is Actor.SELF:
            self._absence.signed_in(agent_id)

    # ---- the notification service

    def start(self, remembered: Iterable[str]) -> None:
        """The listeners are open. `remembered`: users who were here when the server last ran."""
        self._publishing.lay_out()
        self._absence.restarted(remembered)

    def stop(self) -> None:
        """The server stops: sessions that end from now on say nothing about people, and nobody is told any more."""
        self._absence.stop()
        self._publishing.open = False

    def presence(self, user: str, resource: str, available: bool, remaining: int) -> None:
        """A user's resource became available or unavailable; `remaining`: how many are available now."""
        self._absence.presence(user, resource, available, last=remaining == 0)

    def forgive(self, seconds: float) -> None:
        """The server itself did not run for so long: nobody's grace is charged for it."""
        self._absence.forgive(seconds)

    def may_subscribe(self, user: str, node: str, *, administrator: bool = False) -> bool:
        """May this user hear what is published on a node?"""
        caller = Caller(user, administrator, self.agent(user))
        return may_subscribe(caller, node, self._model.agents)

    # ---- the CTI link

    def cti_output(self, output: Output) -> None:
        """What the CTI link tells; what only its own shell needs is not for us."""
        match output:
            case Received(message):
                now_wall = self._clock.wall()
                self._changed(self._model.apply(message, now_wall))
                self.dialogs.received(message, now_wall)
            case RequestEnded():
                self._lines.ended(output)
                self.dialogs.ended(output)
            case StatisticsReceived(number, message):
                if self._figures.take(number, message, self._clock.wall()):
                    self._publishing.then(self._queues_told((number,)))
            case ConfigReceived():
                self._configured(output)
            case LinkUp(side, version):
                self._cti_host, self._cti_since = side.host, self._clock.now()
                self._link_is_up(version)
            case LinkDown(reason):
                self._link_is_down(reason)
            case _:
                pass

    def _configured(self, config: ConfigReceived) -> None:
        told = MembershipChanges(self._model, self.queue_statistics)
        changes = self._model.configure(config)
        self._names = Names(self._model.agents, by_login_name=self._facts.deployment is Deployment.UCCE)
        self._publishing.lay_out()  # the first event about an agent needs its node
        self._publishing.review(self._with_fewer_rights(changes))  # before anything more is told
        self._changed(changes)
        self._publishing.tell("queues", told.publications())
        self._publishing.sweep()  # the last one as well

    def _with_fewer_rights(self, changes: Iterable[Change]) -> list[str]:
        """Whose subscriptions may have become too many: supervisors who lost a team or a member of one, and agents
        whose own place changed."""
        users: dict[str, None] = {}
        for change in changes:
            match change:
                case AgentChanged(before, after):
                    if (before.team, before.supervised, before.is_supervisor) != (
                        after.team,
                        after.supervised,
                        after.is_supervisor,
                    ):
                        users[after.agent_id] = None
                    if before.team != after.team:
                        users.update(dict.fromkeys(self._supervisors(before.team)))
                case AgentRemoved(agent):
                    users[agent.agent_id] = None
                case _:
                    pass
        return list(users)

    def _supervisors(self, team: TeamName | None) -> tuple[str, ...]:
        known = self._model.teams.get(team.team_id) if team is not None else None
        return known.supervisors if known is not None else ()

    def _link_is_up(self, version: int) -> None:
        self._session += 1
        self._link_up = True
        self._cti_version = version
        self.dialogs.resynced()
        self._absence.cti(True)
        self._publishing.then(self._entered(self._session))

    def _entered(self, session: int) -> Iterator[None]:
        """Open service once the nodes are laid out, unless the link was lost meanwhile."""
        if self._link_up and session == self._session:
            self._reason = ""
            self._publishing.open = True
            if self.start_s is None:
                self.start_s = self._clock.now() - self._began
            self._tell_status()
            self._publishing.everything()
            self.dialogs.everything()
            self.absences.everything()
            self._publishing.then(self._queues_told(tuple(self._figures.known)))
        yield

    def _queues_told(self, numbers: Iterable[int]) -> Iterator[None]:
        """Publish the present figures of queues that the configuration names, while service is open."""
        for number in numbers:
            queue = self._model.queues.get(number)
            if queue is None or not self._publishing.open:
                continue
            for publication in queue_publications(queue, self.queue_statistics(number)):
                self._publishing.now(publication)
                yield

    def _link_is_down(self, reason: str) -> None:
        self._link_up = False
        self._reason = f"{NO_LINK}: {reason}"
        was_open, self._publishing.open = self._publishing.open, False
        self._figures.forget()
        self._lines.clear()
        self.dialogs.link_lost()
        self._absence.cti(False)
        if was_open:
            self._tell_status()

    def _tell_status(self) -> None:
        self._log.service_state(self.in_service, self._reason)
        self._publishing.now(system_info_publication(self.status(), self._clock.wall()))
        self.on_service()

    # ---- between the parts

    def _changed(self, changes: Iterable[Change]) -> None:
        told = tuple(changes)
        if told:
            self._absence.agents(told)
            self._publishing.changes(told)
            self.dialogs.people(told)

    def _forced(self, user: str) -> Callable[[], None] | None:
        agent = self.agent(user)
        return self._lines.forced(agent.agent_id, StateWish(AgentState.LOGOUT, Actor.SYSTEM)) if agent else None

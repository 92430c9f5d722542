"""Drives the forced-logout policy: presence and agents in, log lines, stored presence and forced logouts out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from typing import Protocol

from poise.contact.snapshots import AgentAdded, AgentChanged, AgentRemoved, Change
from poise.finesse.forced_logout import (
    ForcedLogout,
    ForceLogout,
    Forget,
    GraceCancelled,
    GraceStarted,
    GraceTick,
    LogoutPolicy,
    Output,
    Remember,
    Waiting,
)
from poise.server.clock import Clock, Timer
from poise.server.serviceability.webservices_log import AgentLog
from poise.server.storage.records import LastPresence


class PresenceStore(Protocol):
    """Where it is remembered who was here. Implemented by `poise.server.storage.store.Store`."""

    def record_presence(self, presence: LastPresence) -> None:
        """Remember, soon and without waiting."""


class Absence:
    """Owns the policy and its timer."""

    def __init__(
        self,
        policy: LogoutPolicy,
        store: PresenceStore,
        clock: Clock,
        log: AgentLog,
        *,
        force: Callable[[str], bool],
        may_be_agent: Callable[[str], bool],
    ) -> None:
        """`force` sends the forced logout of an agent; `may_be_agent` is False for users known to be none."""
        self._core = ForcedLogout(policy)
        self._store = store
        self._clock = clock
        self._log = log
        self._force = force
        self._may_be_agent = may_be_agent
        self._strangers: set[str] = set()
        self._timer: Timer | None = None
        self._armed = inf
        self._stopped = False

    def presence(self, user: str, resource: str, available: bool, last: bool) -> None:
        """A resource came or went; `last`: the user has none left."""
        if self._stopped:  # sessions that the server itself ends say nothing about people
            return
        if not self._may_be_agent(user):  # administrators, publishers: kept in mind in case the configuration changes
            if available:
                self._strangers.add(user)
            elif last:
                self._strangers.discard(user)
            return
        self._log.presence(user, resource, available)
        outputs = self._core.presence(user, available, last, self._clock.now())
        if available or last:
            started = any(isinstance(output, GraceStarted) for output in outputs)
            self._log.agent_presence(user, available, self._core.policy.grace_s if started else 0.0)
        self._obey(outputs)

    def agents(self, changes: Iterable[Change]) -> None:
        """The agent model has new pictures."""
        now = self._clock.now()
        for change in changes:
            match change:
                case AgentChanged(_, after):
                    self._obey(self._core.agent(after, now))
                case AgentAdded(agent):
                    if agent.agent_id in self._strangers:
                        self._strangers.remove(agent.agent_id)
                        self._obey(self._core.presence(agent.agent_id, True, False, now))
                    self._obey(self._core.agent(agent, now))
                case AgentRemoved(agent):
                    self._obey(self._core.removed(agent.agent_id, now))
                case _:  # a failed request moves nobody
                    pass

    def signed_in(self, user: str) -> None:
        """The user signs in through REST."""
        self._obey(self._core.signed_in(user, self._clock.now()))

    def cti(self, up: bool) -> None:
        """The CTI link is up and synchronised, or lost."""
        self._obey(self._core.cti(up, self._clock.now()))

    def restarted(self, users: Iterable[str]) -> None:
        """The listeners are open; `users` were here when the server last ran."""
        self._obey(self._core.restarted(users, self._clock.now()))

    def forgive(self, seconds: float) -> None:
        """The server did not run for so long."""
        self._core.forgive(seconds)
        self._arm()

    def stop(self) -> None:
        """The server stops: what is pending stays remembered."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _due(self) -> None:
        self._timer, self._armed = None, inf
        self._obey(self._core.due(self._clock.now()))

    def _obey(self, outputs: list[Output]) -> None:
        for output in outputs:
            self._one(output)
        self._arm()

    def _one(self, output: Output) -> None:
        match output:
            case GraceTick(user):
                self._log.presence_monitor(user)
            case GraceCancelled(user, why):
                self._log.presence_logout_cancelled(user, why.value)
            case Waiting(user, why):
                self._log.presence_logout_waiting(user, why.value)
            case ForceLogout(user):
                self._log.presence_driven_logout(user)
                self._force(user)
            case Remember(user):
                self._store.record_presence(LastPresence(user, True, self._clock.wall()))
            case Forget(user):
                self._store.record_presence(LastPresence(user, False, self._clock.wall()))
            case GraceStarted():
                pass  # told by the line of the presence itself

    def _arm(self) -> None:
        deadline = self._core.deadline
        if self._stopped or deadline == self._armed:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._armed = deadline
        if deadline < inf:
            self._timer = self._clock.call_at(deadline, self._due)

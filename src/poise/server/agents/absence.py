"""Drives the forced-logout policy: presence and agents in, log lines, stored presence and forced logouts out.

Users are named as in their JIDs, in lower case, however the CTI server spells the agent's id. The policy's deadlines
are on the notification service's timer wheel: it tells of time in which the server did not run (`forgive`) before it
serves anything, so no grace that lay in such a time can run out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import inf
from typing import Protocol

from poise.contact.snapshots import Agent, AgentAdded, AgentChanged, AgentRemoved, Change
from poise.finesse.forced_logout import (
    ForcedLogout,
    ForceLogout,
    Forget,
    Gone,
    GraceCancelled,
    GraceStarted,
    GraceTick,
    LogoutPolicy,
    Output,
    Remember,
    Waiting,
)
from poise.server.clock import Clock
from poise.server.notification.timing import HEARTBEAT_S
from poise.server.notification.wheel import SLOTS_PER_S, Watched
from poise.server.serviceability.webservices_log import AgentLog
from poise.server.storage.records import LastPresence

UNMEASURED_S = HEARTBEAT_S + 1 / SLOTS_PER_S
"""Most seconds of a stall that the wheel does not see: it measures from the turn it missed. They are forgiven too;
without them an agent in the last second of his grace is signed out when a suspended machine wakes, while his client is
coming back."""
DUE_MOST = 50
"""Users served in one turn of the wheel, about 5 ms of forced logouts (law: nothing holds the loop longer); after a
restart everybody's time to return ends in the same moment. The wheel comes back 16 times a second."""


class PresenceStore(Protocol):
    """Where it is remembered who was here. Implemented by `poise.server.storage.store.Store`."""

    def record_presence(self, presence: LastPresence) -> None:
        """Remember, soon and without waiting."""


class Deadlines(Protocol):
    """What calls when time is up, and never before it was told how long the server did not run. Implemented by
    `poise.server.notification.wheel.Wheel`."""

    def watch(self, item: Watched) -> None:
        """Call the item soon after its present deadline."""


class Absence:
    """Owns the policy. It is an item of the wheel."""

    def __init__(
        self,
        policy: LogoutPolicy,
        store: PresenceStore,
        clock: Clock,
        log: AgentLog,
        *,
        deadlines: Deadlines,
        force: Callable[[str], Callable[[], None] | None],
        may_be_agent: Callable[[str], bool],
    ) -> None:
        """`force` gives what sends the forced logout of a user, None when it cannot be asked for now; `may_be_agent` is
        False for users known to be none."""
        self._core = ForcedLogout(policy)
        self._store = store
        self._clock = clock
        self._log = log
        self._deadlines = deadlines
        self._force = force
        self._may_be_agent = may_be_agent
        self._strangers: set[str] = set()
        self._stopped = False
        self.on_change: Callable[[str], None] = lambda user: None
        """Told of a user about whom the policy may think something else now."""
        self.armed = inf
        """The wheel's own note."""

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
        self._obey([output for output in outputs if not isinstance(output, GraceStarted)])  # that line has told it
        self.on_change(user)

    def agents(self, changes: Iterable[Change]) -> None:
        """The agent model has new pictures."""
        now = self._clock.now()
        for change in changes:
            match change:
                case AgentChanged(_, after):
                    user = _as_user(after)
                    self._obey(self._core.agent(user, now))
                    self.on_change(user.agent_id)
                case AgentAdded(agent):
                    user = _as_user(agent)
                    if user.agent_id in self._strangers:
                        self._strangers.remove(user.agent_id)
                        self._obey(self._core.presence(user.agent_id, True, False, now))
                    self._obey(self._core.agent(user, now))
                case AgentRemoved(agent):
                    self._obey(self._core.removed(agent.agent_id.lower(), now))
                case _:  # a failed request moves nobody
                    pass

    def call(self, agent_id: str, on_call: bool) -> None:
        """The agent has a call now, or none any more, whatever the agent's state says."""
        self._obey(self._core.call(agent_id.lower(), on_call, self._clock.now()))

    def signed_in(self, agent_id: str) -> None:
        """The agent signs in through REST."""
        self._obey(self._core.signed_in(agent_id.lower(), self._clock.now()))

    def cti(self, up: bool) -> None:
        """The CTI link is up and synchronised, or lost."""
        self._obey(self._core.cti(up, self._clock.now()))

    def restarted(self, users: Iterable[str]) -> None:
        """The listeners are open; `users` were here when the server last ran."""
        self._obey(self._core.restarted(users, self._clock.now()))

    def forgive(self, seconds: float) -> None:
        """The server did not run for so long until now, by the wheel's measure."""
        self._core.forgive(seconds + UNMEASURED_S, self._clock.now())

    def stop(self) -> None:
        """The server stops: what is pending stays remembered."""
        self._stopped = True

    def gone(self, user: str) -> Gone | None:
        """What is on its way for a user who is gone; None for everybody else."""
        return self._core.gone(user)

    # ---- the wheel's side

    @property
    def deadline(self) -> float:
        """When the policy must be asked again."""
        return inf if self._stopped else self._core.deadline

    def due(self, now: float) -> None:
        """Time is up for somebody."""
        self._carry_out(self._core.due(now, DUE_MOST))  # the wheel itself looks at the deadline afterwards

    def _obey(self, outputs: list[Output]) -> None:
        self._carry_out(outputs)
        self._deadlines.watch(self)

    def _carry_out(self, outputs: list[Output]) -> None:
        for output in outputs:
            try:
                self._one(output)
                if not isinstance(output, GraceTick):
                    self.on_change(output.user)
            except Exception as error:  # noqa: BLE001 - one user's trouble must not keep the others from what is due
                self._log.agent_fault(type(output).__name__, error)

    def _one(self, output: Output) -> None:
        match output:
            case GraceTick(user):
                self._log.presence_monitor(user)
            case GraceCancelled(user, why):
                self._log.presence_logout_cancelled(user, why.value)
            case Waiting(user, why):
                self._log.presence_logout_waiting(user, why.value)
            case ForceLogout(user):
                send = self._force(user)
                if send is None:
                    self._carry_out(self._core.not_sent(user, self._clock.now()))
                else:
                    self._log.presence_driven_logout(user)
                    send()
            case Remember(user):
                self._store.record_presence(LastPresence(user, True, self._clock.wall()))
            case Forget(user):
                self._store.record_presence(LastPresence(user, False, self._clock.wall()))
            case GraceStarted(user):  # after a restart, or by a sign-in that came when the client had gone
                self._log.agent_presence(user, False, round(self._core.left_s(user, self._clock.now()), 1))


def _as_user(agent: Agent) -> Agent:
    """The agent under the name of the user in JIDs."""
    user = agent.agent_id.lower()
    return agent if user == agent.agent_id else replace(agent, agent_id=user)

"""Presence-driven logout: who is signed out because nobody sits in front of the screen any more.

Theory. A user is watched from the first `available` on. When the last resource goes, a grace of 60 s begins; when it
is over the agent is forced out through the CTI server - unless the agent came back, was signed out meanwhile, or may
not be disturbed yet: UCCE with LOAD 0 waits for the end of a call, and without a CTI link nobody knows or can do
anything, so the decision waits for the resync. Users who never had an XMPP session are not watched, whatever the CTI
server says about them. The grace runs silently for an agent who is signed out (LEFT): if a sign-in that was under way
arrives at the CTI server afterwards, it is nobody's. A sign-in through REST proves that somebody is there, not that he
sees what happens: the time to come back begins anew, never shorter than it was, and only presence ends it. A logout
that changed nothing is sent again (SENT): a lost request must not leave an agent READY; one that could not be sent is
tried again as often, and says so (UNSENT). Whoever is watched is remembered outside; after a restart the remembered
have as long to come back (RETURNING) as they could have been silent before, then the same grace. Time in which this
server did not run is added to every deadline that it lay in (`forgive`). While the link is down reports of agents are
only kept: the picture is judged when it is whole again. `TRANSITIONS` is the whole machine; what is not in it changes
nothing.

Sources: the seed (timing and log order), finesse-api.md 6.4, cti.md 3.1. Must not know: XMPP, CTI messages, clocks.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import NamedTuple, TypeAlias

from poise.contact.snapshots import Agent
from poise.contact.states import ON_CALL, AgentState, Deployment
from poise.finesse import timing


@dataclass(frozen=True, slots=True)
class LogoutPolicy:
    """Every knob of the policy."""

    deployment: Deployment = Deployment.UCCE
    load: int = 0
    """UCCE's LOAD: 0 = a lost agent becomes NOT_READY, after a call; 1 = is signed out at once."""
    grace_s: float = timing.GRACE_S
    monitor_s: float = timing.MONITOR_S
    return_limit_s: float = timing.RETURN_LIMIT_S
    retry_s: float = timing.RETRY_S

    @property
    def waits_for_calls(self) -> bool:
        """Does the logout wait for the end of a call?"""
        return self.deployment is Deployment.UCCE and self.load == 0

    def settled(self, agent: Agent) -> bool:
        """Is the agent out of the way of calls, now or when the call ends, as a forced logout wants it?"""
        states = (agent.state, agent.pending_state)
        return AgentState.LOGOUT in states or (self.waits_for_calls and AgentState.NOT_READY in states)


class Watch(Enum):
    """What the policy thinks about a user."""

    ABSENT = "no session, nothing pending"
    PRESENT = "at least one resource is available"
    LEFT = "gone while signed out"
    RETURNING = "was watched before a restart, not back yet"
    GRACE = "gone, the grace runs"
    ON_CALL = "the grace is over, a call is not"
    LINK_DOWN = "the grace is over, the CTI link is down"
    SENT = "the forced logout is sent, nothing has come of it yet"
    UNSENT = "the grace is over, but no logout can be asked for in the agent's state"


class Input(Enum):
    """What happens to a user."""

    BACK = "presence available"
    GONE = "the last resource became unavailable"
    GONE_SIGNED_OUT = "the same, the agent being signed out"
    SIGN_IN = "a sign-in through REST"
    NOT_SENT = "the forced logout could not be asked for"
    RESTARTED = "the server runs again"
    REPORT_SIGNED_IN = "the CTI server reports a state other than LOGOUT, no call"
    REPORT_SIGNED_OUT = "the CTI server reports LOGOUT"
    REPORT_SETTLED = "the CTI server reports what a forced logout leads to"
    LINK_LOST = "the CTI link is lost"
    DUE_FREE = "time is up, nothing is in the way"
    DUE_ON_CALL = "time is up, the agent is on a call that is waited for"
    DUE_LINK_DOWN = "time is up, the CTI link is down"
    DUE_SIGNED_OUT = "time is up, the agent is signed out"


_W, _I = Watch, Input
TRANSITIONS: Mapping[tuple[Watch, Input], Watch] = {
    **{(watch, _I.BACK): _W.PRESENT for watch in Watch if watch is not _W.PRESENT},
    **{(watch, _I.SIGN_IN): _W.GRACE for watch in (_W.GRACE, _W.ON_CALL, _W.LINK_DOWN, _W.SENT, _W.UNSENT)},
    (_W.LEFT, _I.SIGN_IN): _W.LEFT,
    (_W.RETURNING, _I.SIGN_IN): _W.RETURNING,
    (_W.ABSENT, _I.RESTARTED): _W.RETURNING,
    (_W.PRESENT, _I.GONE): _W.GRACE,
    (_W.PRESENT, _I.GONE_SIGNED_OUT): _W.LEFT,
    (_W.LEFT, _I.REPORT_SIGNED_IN): _W.GRACE,
    (_W.LEFT, _I.DUE_SIGNED_OUT): _W.ABSENT,
    (_W.LEFT, _I.DUE_LINK_DOWN): _W.LINK_DOWN,
    (_W.RETURNING, _I.DUE_FREE): _W.GRACE,
    (_W.RETURNING, _I.DUE_ON_CALL): _W.GRACE,
    (_W.RETURNING, _I.DUE_LINK_DOWN): _W.GRACE,
    (_W.RETURNING, _I.DUE_SIGNED_OUT): _W.ABSENT,
    (_W.GRACE, _I.REPORT_SIGNED_OUT): _W.LEFT,
    (_W.GRACE, _I.DUE_FREE): _W.SENT,
    (_W.GRACE, _I.DUE_ON_CALL): _W.ON_CALL,
    (_W.GRACE, _I.DUE_LINK_DOWN): _W.LINK_DOWN,
    (_W.GRACE, _I.DUE_SIGNED_OUT): _W.ABSENT,
    (_W.ON_CALL, _I.REPORT_SIGNED_IN): _W.SENT,
    (_W.ON_CALL, _I.REPORT_SIGNED_OUT): _W.ABSENT,
    (_W.ON_CALL, _I.LINK_LOST): _W.LINK_DOWN,
    (_W.LINK_DOWN, _I.DUE_FREE): _W.SENT,
    (_W.LINK_DOWN, _I.DUE_ON_CALL): _W.ON_CALL,
    (_W.LINK_DOWN, _I.DUE_SIGNED_OUT): _W.ABSENT,
    (_W.SENT, _I.REPORT_SETTLED): _W.ABSENT,
    (_W.SENT, _I.REPORT_SIGNED_OUT): _W.ABSENT,
    (_W.SENT, _I.LINK_LOST): _W.LINK_DOWN,
    (_W.SENT, _I.DUE_FREE): _W.SENT,
    (_W.SENT, _I.DUE_ON_CALL): _W.ON_CALL,
    (_W.SENT, _I.DUE_SIGNED_OUT): _W.ABSENT,
    (_W.SENT, _I.NOT_SENT): _W.UNSENT,
    (_W.UNSENT, _I.REPORT_SIGNED_IN): _W.SENT,
    (_W.UNSENT, _I.REPORT_SIGNED_OUT): _W.ABSENT,
    (_W.UNSENT, _I.LINK_LOST): _W.LINK_DOWN,
    (_W.UNSENT, _I.DUE_FREE): _W.SENT,
    (_W.UNSENT, _I.DUE_ON_CALL): _W.ON_CALL,
    (_W.UNSENT, _I.DUE_SIGNED_OUT): _W.ABSENT,
}

PENDING = frozenset((Watch.GRACE, Watch.ON_CALL, Watch.LINK_DOWN, Watch.UNSENT))
"""A logout is on its way and can still be called off."""


class Why(Enum):
    """Why a pending logout was called off, or waits."""

    BACK = "presence is back"
    SIGN_IN = "the agent signed in again, the time to come back begins anew"
    SIGNED_OUT = "the agent is signed out"
    ON_CALL = "the agent is on a call"
    LINK_DOWN = "the CTI link is down"
    STATE = "no logout can be asked for in the agent's state"


@dataclass(frozen=True, slots=True)
class GraceStarted:
    """The user is gone; the logout follows unless called off."""

    user: str


@dataclass(frozen=True, slots=True)
class GraceTick:
    """The logout is still pending (AGENT_PRESENCE_MONITOR)."""

    user: str


@dataclass(frozen=True, slots=True)
class GraceCancelled:
    """The logout is called off."""

    user: str
    why: Why


@dataclass(frozen=True, slots=True)
class Waiting:
    """The logout that was pending has to wait longer."""

    user: str
    why: Why


@dataclass(frozen=True, slots=True)
class ForceLogout:
    """Send the forced logout, reason 255, now (PRESENCE DRIVEN LOGOUT); tell `not_sent` when that is impossible."""

    user: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Store that the user is watched: give the user to `restarted` after a restart."""

    user: str


@dataclass(frozen=True, slots=True)
class Forget:
    """The user is watched no more."""

    user: str


Output: TypeAlias = GraceStarted | GraceTick | GraceCancelled | Waiting | ForceLogout | Remember | Forget


@dataclass(slots=True)
class _User:
    watch: Watch = Watch.ABSENT
    due_at: float = inf
    since: float = 0.0
    """When `due_at` was set."""
    gone_at: float = field(default=0.0, compare=False)
    """When the last resource went, or the server began to run again without one."""
    tick_at: float = inf
    queued_at: float = field(default=inf, compare=False)
    """The one entry of the heap that counts."""


class Gone(NamedTuple):
    """A user whose logout is on its way."""

    watch: Watch
    since: float
    """Monotonic seconds: when the last resource went, or the server began to run again without one."""
    due_at: float
    """Monotonic seconds of the logout; infinite while it waits for something that has no time."""


class ForcedLogout:
    """The policy for all users. `now` is monotonic seconds; each method gives what is to be done, in order."""

    def __init__(self, policy: LogoutPolicy) -> None:
        self.policy = policy
        self._users: dict[str, _User] = {}
        self._agents: dict[str, Agent] = {}
        self._calls: set[str] = set()
        self._link_up = False
        self._heap: list[tuple[float, str]] = []

    # ---- inputs

    def presence(self, user: str, available: bool, last: bool, now: float) -> list[Output]:
        """A resource became available or unavailable; `last`: no resource of the user is available any more."""
        if available:
            return self._step(user, Input.BACK, now)
        if not last:
            return []
        signed_out = self._judgement(user) is Input.DUE_SIGNED_OUT
        return self._step(user, Input.GONE_SIGNED_OUT if signed_out else Input.GONE, now)

    def agent(self, agent: Agent, now: float) -> list[Output]:
        """The agent model has a new picture of an agent."""
        self._agents[agent.agent_id] = agent
        return self._reported(agent.agent_id, now)

    def call(self, user: str, on_call: bool, now: float) -> list[Output]:
        """The user has a call, or none any more. Reported apart from the agent's state and in no order with it: the
        logout waits until both say that the call is over."""
        (self._calls.add if on_call else self._calls.discard)(user)
        return self._reported(user, now)

    def removed(self, user: str, now: float) -> list[Output]:
        """The configuration names the agent no more."""
        self._agents.pop(user, None)
        return self._reported(user, now)

    def signed_in(self, user: str, now: float) -> list[Output]:
        """The user signed in through REST: somebody is there, but nobody may be in front of a screen that shows calls.
        Also for a sign-in that the CTI server refuses later: it only gives more time."""
        return self._step(user, Input.SIGN_IN, now)

    def not_sent(self, user: str, now: float) -> list[Output]:
        """The logout just asked for by `ForceLogout` could not be sent."""
        return self._step(user, Input.NOT_SENT, now)

    def cti(self, up: bool, now: float) -> list[Output]:
        """The CTI link is up, which means synchronised: every agent's picture is true; or it is lost."""
        self._link_up = up
        out: list[Output] = []
        for user, entry in list(self._users.items()):
            if not up:
                out += self._step(user, Input.LINK_LOST, now)
            elif entry.watch is Watch.LINK_DOWN:
                out += self._step(user, self._judgement(user), now)
            else:
                out += self._reported(user, now)
        return out

    def restarted(self, users: Iterable[str], now: float) -> list[Output]:
        """The listeners are open again; `users` were remembered. Those who are back already are not touched."""
        out: list[Output] = []
        for user in users:
            out += self._step(user, Input.RESTARTED, now)
        return out

    def forgive(self, seconds: float, now: float) -> None:
        """The server did not run for so long until now: nobody is charged for it.

        What was set while the server caught up, before it noticed, is not lengthened: an agent who turns out to be
        gone after a suspended night gets the grace, not the grace and a night.
        """
        self._heap.clear()
        for user, entry in self._users.items():
            lost = max(0.0, min(seconds, now - entry.since))
            entry.due_at += lost
            if entry.tick_at < inf:
                entry.tick_at = min(entry.tick_at + seconds, now + self.policy.monitor_s)
            entry.queued_at = inf
            self._queue(user, entry)

    def due(self, now: float, most: float = inf) -> list[Output]:
        """Time passed; for `most` users at once: the others stay due."""
        out: list[Output] = []
        while self.deadline <= now and most > 0:
            most -= 1
            _, user = heapq.heappop(self._heap)
            entry = self._users[user]
            entry.queued_at = inf
            if entry.due_at <= now:
                out += self._step(user, self._judgement(user), now)
            else:
                entry.tick_at = now + self.policy.monitor_s
                out.append(GraceTick(user))
                self._queue(user, entry)
        return out

    # ---- views

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinite when nothing is pending."""
        while self._heap:
            at, user = self._heap[0]
            entry = self._users.get(user)
            if entry is not None and entry.queued_at == at:
                return at
            heapq.heappop(self._heap)
        return inf

    def left_s(self, user: str, now: float) -> float:
        """Seconds until the present state of a user ends by itself; infinite when it does not."""
        entry = self._users.get(user)
        return entry.due_at - now if entry is not None else inf

    def gone(self, user: str) -> Gone | None:
        """What is on its way for a user who is gone; None for everybody else, and for who is signed out anyway."""
        entry = self._users.get(user)
        if entry is None or entry.watch in (Watch.PRESENT, Watch.LEFT, Watch.ABSENT):
            return None
        due_at = inf
        if entry.watch is Watch.GRACE:
            due_at = entry.due_at
        elif entry.watch is Watch.RETURNING:
            due_at = entry.due_at + self.policy.grace_s
        return Gone(entry.watch, entry.gone_at, due_at)

    def watch(self, user: str) -> Watch:
        """What the policy thinks about a user."""
        entry = self._users.get(user)
        return entry.watch if entry is not None else Watch.ABSENT

    # ---- the machine

    def _judgement(self, user: str) -> Input:
        """What is in the way of a logout now."""
        if not self._link_up:
            return Input.DUE_LINK_DOWN
        agent = self._agents.get(user)
        if agent is None or not agent.signed_in:
            return Input.DUE_SIGNED_OUT
        if self.policy.waits_for_calls and (agent.state in ON_CALL or user in self._calls):
            return Input.DUE_ON_CALL
        return Input.DUE_FREE

    def _reported(self, user: str, now: float) -> list[Output]:
        if not self._link_up:
            return []
        watch = self.watch(user)
        judgement = self._judgement(user)
        if judgement is Input.DUE_SIGNED_OUT:
            return self._step(user, Input.REPORT_SIGNED_OUT, now)
        if watch is Watch.SENT and self.policy.settled(self._agents[user]):
            return self._step(user, Input.REPORT_SETTLED, now)
        if judgement is Input.DUE_FREE or watch is Watch.LEFT:
            return self._step(user, Input.REPORT_SIGNED_IN, now)
        return []

    def _step(self, user: str, what: Input, now: float) -> list[Output]:
        """One transition by the table, and what entering the new state means."""
        entry = self._users.get(user) or _User()
        before = entry.watch
        after = TRANSITIONS.get((before, what))
        if after is None:
            return []
        out: list[Output] = []
        if before is Watch.ABSENT:
            self._users[user] = entry
            if what is not Input.RESTARTED:  # the restarted are remembered already
                out.append(Remember(user))
        entry.watch = after
        if what in _GOES:
            entry.gone_at = now
        self._set_timers(entry, before, now)
        if before in PENDING and after in (Watch.ABSENT, Watch.PRESENT, Watch.LEFT):
            out.append(GraceCancelled(user, Why.BACK if what is Input.BACK else Why.SIGNED_OUT))
        if what is Input.SIGN_IN:
            if after is Watch.GRACE:
                out.append(Waiting(user, Why.SIGN_IN))
        elif after is Watch.GRACE:
            out.append(GraceStarted(user))
        elif after in _WAITS:
            out.append(Waiting(user, _WAITS[after]))
        elif after is Watch.SENT:
            out.append(ForceLogout(user))
            if self.policy.settled(self._agents[user]):  # nothing more will come of it
                entry.watch = after = Watch.ABSENT
        if after is Watch.ABSENT:
            del self._users[user]
            out.append(Forget(user))
        else:
            self._queue(user, entry)
        return out

    def _set_timers(self, entry: _User, before: Watch, now: float) -> None:
        policy, after = self.policy, entry.watch
        if {before, after} != {Watch.LEFT, Watch.GRACE}:  # what the CTI server reports does not lengthen the grace
            entry.due_at = now + _LENGTH[after](policy) if after in _LENGTH else inf
            entry.since = now
        entry.tick_at = now + policy.monitor_s if after in PENDING else inf

    def _queue(self, user: str, entry: _User) -> None:
        at = min(entry.due_at, entry.tick_at)
        if at != entry.queued_at:
            entry.queued_at = at
            if at < inf:
                heapq.heappush(self._heap, (at, user))


_GOES = (Input.GONE, Input.GONE_SIGNED_OUT, Input.RESTARTED)
_WAITS = {Watch.ON_CALL: Why.ON_CALL, Watch.LINK_DOWN: Why.LINK_DOWN, Watch.UNSENT: Why.STATE}
_LENGTH = {
    Watch.LEFT: lambda policy: policy.grace_s,
    Watch.GRACE: lambda policy: policy.grace_s,
    Watch.RETURNING: lambda policy: policy.return_limit_s,
    Watch.SENT: lambda policy: policy.retry_s,
    Watch.UNSENT: lambda policy: policy.retry_s,
}
"""States that end by themselves, and after how many seconds."""

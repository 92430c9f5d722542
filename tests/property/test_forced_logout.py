"""Never a forced logout for someone who is there or never was; always one, in time, for an agent who stays away."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from poise.contact.snapshots import Agent
from poise.contact.states import ON_CALL, AgentState, Deployment
from poise.finesse.forced_logout import (
    ForcedLogout,
    ForceLogout,
    Forget,
    LogoutPolicy,
    Output,
    Remember,
    Watch,
)

USERS = ("1001", "1002")
WORKING = [state for state in AgentState if state not in (AgentState.LOGIN, AgentState.LOGOUT)]
POLICIES = [LogoutPolicy(Deployment.UCCE, load=0), LogoutPolicy(Deployment.UCCE, load=1), LogoutPolicy(Deployment.UCCX)]
AFTER = st.sampled_from([0.0, 1.0, 20.0, 30.0, 61.0, 125.0])
"""How much time goes by after each thing that happens."""


class Centre(RuleBasedStateMachine):
    """Users come and go, the link and the server fail. The oracle looks only at what goes in and at the logouts sent:
    who *may* be forced out (had an XMPP session, has none now, and has not begun anew without one), and who *must* be
    (`obliged`: signed in, lost the last session and did not come back; a sign-in through REST gives time, and until
    `open_until` also makes one of him whom the loss found signed out)."""

    @initialize(policy=st.sampled_from(POLICIES))
    def begin(self, policy: LogoutPolicy) -> None:
        self.policy = policy
        self.now = 1000.0
        self.link = True
        self.state = dict.fromkeys(USERS, AgentState.LOGOUT)
        self.sessions = dict.fromkeys(USERS, 0)
        self.had_session = dict.fromkeys(USERS, False)
        self.obliged: set[str] = set()
        self.open_until = dict.fromkeys(USERS, 0.0)
        self.sent: set[str] = set()
        self.must_since: dict[str, float] = {}
        self.free_until: dict[str, float] = {}
        self.stored: set[str] = set()
        self.restarted = False
        self.impossible = False
        self.start()

    def start(self) -> None:
        self.logout = ForcedLogout(self.policy)
        if self.link:
            for user in USERS:
                self.take(self.logout.agent(Agent(user, state=self.state[user]), self.now))
            self.take(self.logout.cti(True, self.now))

    def take(self, outputs: list[Output]) -> None:
        for output in outputs:
            if isinstance(output, Remember):
                assert output.user not in self.stored
                self.stored.add(output.user)
            elif isinstance(output, Forget):
                self.stored.remove(output.user)
            elif isinstance(output, ForceLogout):
                user = output.user
                assert self.sessions[user] == 0, "an agent who is there was forced out"
                assert self.had_session[user], "an agent without XMPP was forced out"
                assert self.state[user] is not AgentState.LOGOUT, "a signed-out agent was forced out"
                assert self.link, "a logout was sent without a link"
                assert self.now >= self.free_until.get(user, 0.0), "a sign-in did not give the whole time to come back"
                if self.policy.waits_for_calls:
                    assert self.state[user] not in ON_CALL, "a call was cut"
                self.sent.add(user)
                self.must_since.pop(user, None)
                if self.impossible:
                    self.take(self.logout.not_sent(user, self.now))
        self.note()

    def note(self) -> None:
        """Who is released, and since when the others must be forced out."""
        for user in USERS:
            if self.link and self.state[user] is AgentState.LOGOUT:
                self.obliged.discard(user)
            if self.link and user in self.sent and self.policy.settled(Agent(user, state=self.state[user])):
                self.obliged.discard(user)
            on_call = self.policy.waits_for_calls and self.state[user] in ON_CALL
            if user in self.obliged and self.link and not on_call:
                self.must_since.setdefault(user, self.now)
            else:
                self.must_since.pop(user, None)

    def release(self, user: str) -> None:
        self.obliged.discard(user)
        self.sent.discard(user)
        self.open_until[user] = 0.0
        self.free_until.pop(user, None)

    @rule(user=st.sampled_from(USERS), after=AFTER)
    def a_resource_comes(self, user: str, after: float) -> None:
        self.sessions[user] += 1
        self.had_session[user] = True
        self.release(user)
        self.take(self.logout.presence(user, True, False, self.now))
        self.wait(after)

    @rule(user=st.sampled_from(USERS), after=AFTER)
    def a_resource_goes(self, user: str, after: float) -> None:
        self.gone(user)
        self.wait(after)

    def gone(self, user: str) -> None:
        if self.sessions[user]:
            self.sessions[user] -= 1
            if self.sessions[user] == 0:
                self.open_until[user] = self.now + self.policy.grace_s
            if self.sessions[user] == 0 and (self.state[user] is not AgentState.LOGOUT or not self.link):
                self.obliged.add(user)
            self.take(self.logout.presence(user, False, self.sessions[user] == 0, self.now))

    @rule(user=st.sampled_from(USERS), state=st.sampled_from([*WORKING, AgentState.LOGOUT]), after=AFTER)
    @precondition(lambda self: self.link)
    def the_cti_server_reports(self, user: str, state: AgentState, after: float) -> None:
        self.state[user] = state
        if state is not AgentState.LOGOUT and self.sessions[user] == 0 and self.now < self.open_until[user]:
            self.obliged.add(user)
        self.take(self.logout.agent(Agent(user, state=state), self.now))
        self.wait(after)

    @rule(after=AFTER)
    def logouts_become_possible_or_impossible(self, after: float) -> None:
        self.impossible = not self.impossible
        self.wait(after)

    @rule(user=st.sampled_from(USERS), after=AFTER)
    def the_agent_signs_in_through_rest(self, user: str, after: float) -> None:
        if self.sessions[user] == 0:
            if self.logout.watch(user) is Watch.ABSENT:  # begins anew, and without XMPP he is nobody's business
                self.had_session[user] = False
                self.release(user)
            else:
                self.sent.discard(user)
                self.must_since.pop(user, None)
                self.free_until[user] = self.open_until[user] = self.now + self.policy.grace_s
        self.take(self.logout.signed_in(user, self.now))
        self.wait(after)

    @rule(after=AFTER)
    @precondition(lambda self: self.link)
    def the_link_breaks(self, after: float) -> None:
        self.link = False
        self.take(self.logout.cti(False, self.now))
        self.wait(after)

    @rule(states=st.lists(st.sampled_from([*WORKING, AgentState.LOGOUT]), min_size=2, max_size=2), after=AFTER)
    @precondition(lambda self: not self.link)
    def the_link_is_synchronised(self, states: list[AgentState], after: float) -> None:
        for user, state in zip(USERS, states, strict=True):
            self.state[user] = state
            self.take(self.logout.agent(Agent(user, state=state), self.now))
        self.link = True
        self.take(self.logout.cti(True, self.now))
        self.wait(after)

    @rule(unlikely=st.integers(0, 3))
    def the_server_crashes_and_starts_again(self, unlikely: int) -> None:
        if unlikely:
            return
        for user in USERS:
            if self.sessions[user] and (self.state[user] is not AgentState.LOGOUT or not self.link):
                self.obliged.add(user)
        self.sessions = dict.fromkeys(USERS, 0)
        self.sent.clear()
        self.must_since.clear()
        self.free_until.clear()
        for user in self.stored:
            self.open_until[user] = self.now + self.policy.return_limit_s
        self.restarted = True
        self.start()
        self.take(self.logout.restarted(sorted(self.stored), self.now))

    def wait(self, seconds: float) -> None:
        until = self.now + seconds
        while self.logout.deadline <= until:
            self.now = max(self.now, self.logout.deadline)
            self.take(self.logout.due(self.now))
        self.now = until

    @rule(seconds=st.floats(5.0, 500.0), found_gone=st.sampled_from([None, *USERS]))
    def the_server_stands_still(self, seconds: float, found_gone: str | None) -> None:
        """And finds out that a session is over before it finds out that it stood still."""
        for moments in (self.must_since, self.open_until, self.free_until):
            for user in moments:
                moments[user] += seconds
        self.now += seconds
        if found_gone is not None:
            self.gone(found_gone)
        self.logout.forgive(seconds, self.now)

    @invariant()
    def whoever_stays_away_is_forced_out_in_time(self) -> None:
        if not hasattr(self, "policy"):
            return
        bound = self.policy.grace_s + (self.policy.return_limit_s if self.restarted else 0) + 0.001
        for user, since in self.must_since.items():
            assert self.now - since <= bound, f"{user} is signed in with nobody there for {self.now - since} s"

    @invariant()
    def whoever_must_be_forced_out_would_be_after_a_crash_too(self) -> None:
        if hasattr(self, "policy"):
            assert self.obliged <= self.stored
            assert self.stored == {user for user in USERS if self.logout.watch(user) is not Watch.ABSENT}

    @invariant()
    def nobody_is_ready_at_an_empty_chair_unwatched(self) -> None:
        """No phantom READY: signed in, presence lost within living memory and not back, means that a logout is due."""
        if not hasattr(self, "policy"):
            return
        for user in self.obliged:
            assert self.logout.watch(user) not in (Watch.ABSENT, Watch.PRESENT, Watch.LEFT), user


Centre.TestCase.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
TestCentre = Centre.TestCase

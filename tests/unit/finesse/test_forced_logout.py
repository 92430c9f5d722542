"""Every clause of the presence-driven logout, as a story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from poise.contact.snapshots import Agent
from poise.contact.states import ON_CALL, AgentState, Deployment
from poise.finesse.forced_logout import (
    PENDING,
    TRANSITIONS,
    ForcedLogout,
    ForceLogout,
    Forget,
    GraceCancelled,
    GraceStarted,
    GraceTick,
    Input,
    LogoutPolicy,
    Output,
    Remember,
    Waiting,
    Watch,
    Why,
)
from tests.playbook import Playbook

USER = "1001"
UCCE_0 = LogoutPolicy(Deployment.UCCE, load=0)
UCCE_1 = LogoutPolicy(Deployment.UCCE, load=1)
UCCX = LogoutPolicy(Deployment.UCCX)
CALLS: list[AgentState] = sorted(ON_CALL, key=lambda state: state.value)
EVERY_POLICY = pytest.mark.parametrize("policy", [UCCE_0, UCCE_1, UCCX], ids=["LOAD=0", "LOAD=1", "UCCX"])


class Story(Playbook[Output]):
    """A playbook with the policy's inputs as verbs."""

    def __init__(self, policy: LogoutPolicy, *, link_up: bool = True) -> None:
        self.logout = ForcedLogout(policy)
        super().__init__(self.logout)
        if link_up:
            self.cti(True)

    def __enter__(self) -> Story:
        return self

    def available(self, user: str = USER) -> None:
        self.put(f"{user} available", lambda now: self.logout.presence(user, True, False, now))

    def unavailable(self, user: str = USER, *, last: bool = True) -> None:
        self.put(f"{user} unavailable, last: {last}", lambda now: self.logout.presence(user, False, last, now))

    def is_in(self, state: AgentState, user: str = USER) -> None:
        self.put(f"{user} is {state.value}", lambda now: self.logout.agent(Agent(user, state=state), now))

    def signs_in(self, user: str = USER) -> None:
        self.put(f"{user} signs in through REST", lambda now: self.logout.signed_in(user, now))

    def cti(self, up: bool) -> None:
        self.put(f"CTI link up: {up}", lambda now: self.logout.cti(up, now))

    def restarted(self, *users: str) -> None:
        self.put(f"restarted, remembered: {users}", lambda now: self.logout.restarted(users, now))

    def stalled(self, seconds: float) -> None:
        """The whole process stood still; the clock did not."""

        def forgive(_now: float) -> Sequence[Output]:
            self.now += seconds
            self.logout.forgive(seconds, self.now)
            return ()

        self.put(f"the server stands still for {seconds} s", forgive)


def present(policy: LogoutPolicy, state: AgentState = AgentState.READY) -> Story:
    """A story that begins with an agent at work."""
    story = Story(policy)
    story.is_in(state)
    story.available()
    story.expect(Remember(USER))
    return story


def gone(policy: LogoutPolicy, state: AgentState = AgentState.READY) -> Story:
    """A story that begins with an agent whose client has just been lost."""
    story = present(policy, state)
    story.unavailable()
    story.expect(GraceStarted(USER))
    return story


@EVERY_POLICY
def test_an_agent_whose_last_session_is_lost_is_forced_out_after_the_grace_with_one_monitor_line(
    policy: LogoutPolicy,
) -> None:
    with gone(policy) as story:
        story.wait(29.9)
        story.nothing()
        story.wait(0.2)
        story.expect(GraceTick(USER))
        story.wait(29.8)
        story.nothing()
        story.wait(0.2)
        story.expect(ForceLogout(USER))
        story.is_in(AgentState.LOGOUT)
        story.expect(Forget(USER))
        story.wait(600)
        story.nothing()


def test_losing_one_of_two_resources_starts_nothing() -> None:
    with present(UCCE_0) as story:
        story.available()
        story.unavailable(last=False)
        story.nothing()
        story.wait(600)
        story.nothing()
        story.unavailable()
        story.expect(GraceStarted(USER))


def test_an_agent_who_never_had_an_xmpp_session_is_untouched() -> None:
    with Story(UCCE_0) as story:
        story.signs_in()
        story.is_in(AgentState.READY)
        story.unavailable()  # of a stream that never sent presence
        story.wait(600)
        story.nothing()


def test_presence_within_the_grace_calls_the_logout_off() -> None:
    with gone(UCCE_0) as story:
        story.wait(29)
        story.available()
        story.expect(GraceCancelled(USER, Why.BACK))
        story.wait(600)
        story.nothing()


def test_a_new_sign_in_within_the_grace_begins_it_anew_and_only_presence_ends_it() -> None:
    with gone(UCCE_1) as story:
        story.wait(29)
        story.signs_in()
        story.expect(Waiting(USER, Why.SIGN_IN))
        story.wait(59.9)
        story.expect(GraceTick(USER))
        story.wait(0.1)
        story.expect(ForceLogout(USER))


def test_a_new_sign_in_with_presence_after_it_calls_the_logout_off() -> None:
    with gone(UCCE_0) as story:
        story.wait(29)
        story.signs_in()
        story.expect(Waiting(USER, Why.SIGN_IN))
        story.wait(29)
        story.available()
        story.expect(GraceCancelled(USER, Why.BACK))
        story.wait(600)
        story.nothing()


@pytest.mark.parametrize("state", [AgentState.TALKING, AgentState.READY])
def test_a_sign_in_after_the_grace_gives_another_one(state: AgentState) -> None:
    """On a call that is waited for, or when the forced logout has been sent and nothing has come of it yet."""
    with gone(UCCE_0, state) as story:
        story.wait(60)
        waits = Waiting(USER, Why.ON_CALL) if state is AgentState.TALKING else ForceLogout(USER)
        story.expect(GraceTick(USER), waits)
        story.signs_in()
        story.expect(Waiting(USER, Why.SIGN_IN))
        story.is_in(AgentState.READY)
        story.wait(59)
        story.expect(GraceTick(USER))
        story.wait(1)
        story.expect(ForceLogout(USER))


def test_a_sign_in_that_crosses_the_forced_logout_is_not_forgotten_with_the_agent_signed_out() -> None:
    with gone(UCCX) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))
        story.signs_in()
        story.expect(Waiting(USER, Why.SIGN_IN))
        story.is_in(AgentState.LOGOUT)  # the forced one, asked for first
        story.expect(GraceCancelled(USER, Why.SIGNED_OUT))
        story.is_in(AgentState.NOT_READY)
        story.expect(GraceStarted(USER))
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))


def test_an_agent_who_left_signed_out_and_signs_in_through_rest_without_presence_is_no_phantom_either() -> None:
    with present(UCCX, AgentState.LOGOUT) as story:
        story.unavailable()
        story.wait(50)
        story.signs_in()
        story.wait(20)
        story.is_in(AgentState.NOT_READY)
        story.expect(GraceStarted(USER))
        story.wait(40)
        story.expect(GraceTick(USER), ForceLogout(USER))


def test_a_sign_in_after_a_restart_gives_the_whole_time_to_return_anew() -> None:
    with Story(UCCE_0) as story:
        story.is_in(AgentState.READY)
        story.restarted(USER)
        story.wait(50)
        story.signs_in()
        story.wait(59)
        story.nothing()
        story.wait(1)
        story.expect(GraceStarted(USER))
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))


def test_a_second_loss_gets_a_whole_grace_of_its_own() -> None:
    with gone(UCCE_1) as story:
        story.wait(29)
        story.available()
        story.expect(GraceCancelled(USER, Why.BACK))
        story.unavailable()
        story.expect(GraceStarted(USER))
        story.wait(59)
        story.expect(GraceTick(USER))
        story.wait(1)
        story.expect(ForceLogout(USER))


def test_an_agent_who_is_signed_out_meanwhile_is_not_signed_out_again() -> None:
    with gone(UCCE_0) as story:
        story.wait(29)
        story.is_in(AgentState.LOGOUT)
        story.expect(GraceCancelled(USER, Why.SIGNED_OUT))
        story.wait(31)
        story.expect(Forget(USER))
        story.wait(600)
        story.nothing()


def test_an_agent_signed_out_and_in_again_within_one_grace_gets_what_is_left_of_it() -> None:
    with gone(UCCX) as story:
        story.wait(20)
        story.is_in(AgentState.LOGOUT)
        story.expect(GraceCancelled(USER, Why.SIGNED_OUT))
        story.wait(20)
        story.is_in(AgentState.READY)  # at the telephone
        story.expect(GraceStarted(USER))
        story.wait(20)
        story.expect(ForceLogout(USER))


def test_an_agent_who_signs_out_and_then_closes_the_browser_makes_no_noise() -> None:
    with present(UCCE_0) as story:
        story.is_in(AgentState.LOGOUT)
        story.unavailable()
        story.nothing()
        story.wait(600)
        story.expect(Forget(USER))


def test_a_sign_in_that_reaches_the_cti_server_after_the_client_is_lost_leaves_no_phantom() -> None:
    with present(UCCE_0, AgentState.LOGOUT) as story:
        story.signs_in()
        story.unavailable()
        story.wait(2)
        story.is_in(AgentState.NOT_READY)
        story.expect(GraceStarted(USER))
        story.wait(58)
        story.expect(GraceTick(USER), ForceLogout(USER), Forget(USER))


@pytest.mark.parametrize("state", CALLS)
def test_ucce_with_load_0_waits_for_the_end_of_the_call(state: AgentState) -> None:
    with gone(UCCE_0, state) as story:
        story.wait(60)
        story.expect(GraceTick(USER), Waiting(USER, Why.ON_CALL))
        story.wait(90)
        story.expect(GraceTick(USER), GraceTick(USER), GraceTick(USER))
        story.is_in(AgentState.WORK)
        story.expect(ForceLogout(USER))
        story.is_in(AgentState.NOT_READY)
        story.expect(Forget(USER))


@pytest.mark.parametrize("policy", [UCCE_1, UCCX], ids=["LOAD=1", "UCCX"])
@pytest.mark.parametrize("state", CALLS)
def test_load_1_and_uccx_act_during_a_call(policy: LogoutPolicy, state: AgentState) -> None:
    with gone(policy, state) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))


def test_an_agent_back_before_the_call_ends_stays_signed_in() -> None:
    with gone(UCCE_0, AgentState.TALKING) as story:
        story.wait(61)
        story.expect(GraceTick(USER), Waiting(USER, Why.ON_CALL))
        story.available()
        story.expect(GraceCancelled(USER, Why.BACK))
        story.is_in(AgentState.READY)
        story.wait(600)
        story.nothing()


def test_a_call_that_begins_within_the_grace_is_waited_for_too() -> None:
    with gone(UCCE_0) as story:
        story.wait(40)
        story.expect(GraceTick(USER))
        story.is_in(AgentState.RESERVED)
        story.is_in(AgentState.TALKING)
        story.wait(20)
        story.expect(Waiting(USER, Why.ON_CALL))


def test_without_a_cti_link_the_logout_is_sent_after_the_resync() -> None:
    with gone(UCCE_0) as story:
        story.cti(False)
        story.wait(60)
        story.expect(GraceTick(USER), Waiting(USER, Why.LINK_DOWN))
        story.wait(30)
        story.expect(GraceTick(USER))
        story.is_in(AgentState.READY)  # the resync
        story.cti(True)
        story.expect(ForceLogout(USER))


def test_without_a_cti_link_an_agent_who_comes_back_before_the_resync_stays_signed_in() -> None:
    with gone(UCCE_0) as story:
        story.cti(False)
        story.wait(70)
        story.expect(GraceTick(USER), Waiting(USER, Why.LINK_DOWN))
        story.available()
        story.expect(GraceCancelled(USER, Why.BACK))
        story.cti(True)
        story.wait(600)
        story.nothing()


def test_an_agent_found_signed_out_by_the_resync_is_left_alone() -> None:
    with gone(UCCE_0) as story:
        story.cti(False)
        story.wait(70)
        story.expect(GraceTick(USER), Waiting(USER, Why.LINK_DOWN))
        story.is_in(AgentState.LOGOUT)
        story.nothing()  # half a resync decides nothing
        story.cti(True)
        story.expect(GraceCancelled(USER, Why.SIGNED_OUT), Forget(USER))


def test_the_default_picture_of_an_agent_who_is_only_configured_decides_nothing_before_the_resync() -> None:
    with gone(UCCE_0) as story:
        story.cti(False)
        story.is_in(AgentState.LOGOUT)  # configured anew, state not asked for yet
        story.is_in(AgentState.READY)
        story.cti(True)
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))


def test_an_agent_who_left_signed_out_makes_no_noise_while_the_link_is_down() -> None:
    with present(UCCE_0, AgentState.LOGOUT) as story:
        story.unavailable()
        story.cti(False)
        story.is_in(AgentState.LOGOUT)
        story.nothing()
        story.cti(True)
        story.wait(60)
        story.expect(Forget(USER))


def test_the_loss_of_presence_without_a_cti_link_starts_the_grace_whatever_was_known() -> None:
    with present(UCCE_0, AgentState.LOGOUT) as story:
        story.cti(False)
        story.unavailable()
        story.expect(GraceStarted(USER))
        story.is_in(AgentState.READY)  # signed in through the other node meanwhile
        story.cti(True)
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))


def test_a_call_on_at_expiry_and_a_link_lost_during_it_are_both_waited_for() -> None:
    with gone(UCCE_0, AgentState.TALKING) as story:
        story.wait(60)
        story.expect(GraceTick(USER), Waiting(USER, Why.ON_CALL))
        story.cti(False)
        story.expect(Waiting(USER, Why.LINK_DOWN))
        story.cti(True)
        story.expect(Waiting(USER, Why.ON_CALL))
        story.is_in(AgentState.READY)
        story.expect(ForceLogout(USER))


def test_a_forced_logout_that_changes_nothing_is_sent_again() -> None:
    with gone(UCCX) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))
        story.wait(30)
        story.expect(ForceLogout(USER))
        story.wait(30)
        story.expect(ForceLogout(USER))
        story.is_in(AgentState.LOGOUT)
        story.expect(Forget(USER))


def test_a_logout_that_the_cti_server_keeps_until_the_call_ends_is_not_sent_again() -> None:
    with gone(UCCX, AgentState.TALKING) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))
        pending = Agent(USER, state=AgentState.TALKING, pending_state=AgentState.LOGOUT)
        story.put("LOGOUT is pending", lambda now: story.logout.agent(pending, now))
        story.expect(Forget(USER))
        story.wait(600)
        story.nothing()


def test_a_forced_logout_lost_with_the_link_is_sent_again_after_the_resync() -> None:
    with gone(UCCX) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))
        story.cti(False)
        story.expect(Waiting(USER, Why.LINK_DOWN))
        story.cti(True)
        story.expect(ForceLogout(USER))


def test_an_agent_already_not_ready_under_load_0_is_told_to_leave_once() -> None:
    with gone(UCCE_0, AgentState.NOT_READY) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER), Forget(USER))
        story.wait(600)
        story.nothing()


def test_not_ready_is_not_enough_under_load_1() -> None:
    with gone(UCCE_1, AgentState.NOT_READY) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))
        story.is_in(AgentState.NOT_READY)
        story.wait(30)
        story.expect(ForceLogout(USER))


def test_an_agent_who_returns_after_the_logout_was_sent_is_watched_like_any_other() -> None:
    with gone(UCCX) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))
        story.available()
        story.is_in(AgentState.LOGOUT)
        story.nothing()
        story.is_in(AgentState.READY)
        story.unavailable()
        story.expect(GraceStarted(USER))


def test_after_a_restart_agents_not_back_within_the_idle_limit_get_the_same_grace() -> None:
    with Story(UCCE_0, link_up=False) as story:
        story.is_in(AgentState.READY)
        story.cti(True)
        story.restarted(USER)
        story.wait(59)
        story.nothing()
        story.wait(1)
        story.expect(GraceStarted(USER))
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))


def test_after_a_restart_agents_who_are_back_in_time_are_untouched() -> None:
    with Story(UCCE_0) as story:
        story.is_in(AgentState.READY)
        story.is_in(AgentState.READY, "1002")
        story.available("1002")
        story.expect(Remember("1002"))
        story.restarted(USER, "1002")
        story.wait(59)
        story.available()
        story.wait(600)
        story.nothing()


def test_after_a_restart_agents_who_were_never_watched_are_untouched() -> None:
    with Story(UCCE_0) as story:
        story.is_in(AgentState.READY, "1003")
        story.restarted(USER)
        story.wait(600)
        story.expect(Forget(USER))  # 1001 is not signed in


def test_after_a_restart_the_cti_link_may_come_late() -> None:
    with Story(UCCE_0, link_up=False) as story:
        story.restarted(USER, "1002")
        story.wait(60)
        story.expect(GraceStarted(USER), GraceStarted("1002"))
        story.wait(60)
        story.expect(
            GraceTick(USER),
            GraceTick("1002"),
            Waiting(USER, Why.LINK_DOWN),
            Waiting("1002", Why.LINK_DOWN),
        )
        story.is_in(AgentState.READY)
        story.is_in(AgentState.LOGOUT, "1002")
        story.cti(True)
        story.expect(ForceLogout(USER), GraceCancelled("1002", Why.SIGNED_OUT), Forget("1002"))


def test_what_is_remembered_survives_a_crash_in_the_grace() -> None:
    remembered: set[str] = set()
    with gone(UCCE_0) as story:
        remembered.add(USER)  # from the Remember at sign-in; nothing has forgotten it
        story.wait(10)
    with Story(UCCE_0) as story:
        story.is_in(AgentState.READY)
        story.restarted(*remembered)
        story.wait(120)
        story.expect(GraceStarted(USER), GraceTick(USER), ForceLogout(USER))


def test_time_in_which_the_server_stood_still_is_charged_to_nobody() -> None:
    with gone(UCCE_1) as story:
        story.wait(20)
        story.stalled(45)
        story.wait(9.9)
        story.nothing()
        story.wait(0.1)
        story.expect(GraceTick(USER))
        story.wait(29.9)
        story.nothing()
        story.wait(0.1)
        story.expect(ForceLogout(USER))


def test_an_agent_found_gone_after_a_suspended_night_gets_the_grace_and_no_night_more() -> None:
    with present(UCCE_1) as story:
        story.now += 30_000
        story.unavailable()  # read from the socket before the stall was noticed
        story.expect(GraceStarted(USER))
        story.put("the stall is noticed", lambda now: story.logout.forgive(30_000, now))
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))


def test_a_grace_that_lies_in_the_stall_is_lengthened_by_it_once() -> None:
    with gone(UCCE_1) as story:
        story.wait(59)
        story.expect(GraceTick(USER))
        story.stalled(500)
        story.wait(0.9)
        story.nothing()
        story.wait(0.1)
        story.expect(ForceLogout(USER))


def test_a_logout_that_could_not_be_sent_waits_with_its_reason_and_is_tried_again() -> None:
    with gone(UCCX) as story:
        story.wait(60)
        story.expect(GraceTick(USER), ForceLogout(USER))
        story.put("it cannot be asked for", lambda now: story.logout.not_sent(USER, now))
        story.expect(Waiting(USER, Why.STATE))
        story.wait(30)
        story.expect(ForceLogout(USER))
        story.put("it cannot be asked for", lambda now: story.logout.not_sent(USER, now))
        story.expect(Waiting(USER, Why.STATE))
        story.is_in(AgentState.READY)
        story.expect(ForceLogout(USER))
        story.is_in(AgentState.LOGOUT)
        story.expect(Forget(USER))


def test_a_server_that_looks_late_gives_one_monitor_line_not_a_burst() -> None:
    logout = ForcedLogout(replace(UCCE_0, grace_s=1000.0))
    logout.cti(True, 0.0)
    logout.agent(Agent(USER, state=AgentState.READY), 0.0)
    logout.presence(USER, True, False, 0.0)
    logout.presence(USER, False, True, 0.0)
    assert logout.due(500.0) == [GraceTick(USER)]
    assert logout.deadline == 530.0


def test_an_agent_removed_from_the_configuration_is_forgotten() -> None:
    with gone(UCCE_0) as story:
        story.put("1001 is deleted", lambda now: story.logout.removed(USER, now))
        story.expect(GraceCancelled(USER, Why.SIGNED_OUT))
        story.wait(60)
        story.expect(Forget(USER))


def test_nobody_pending_means_no_deadline() -> None:
    with present(UCCE_0) as story:
        assert story.logout.deadline == float("inf")
        assert story.logout.watch(USER) is Watch.PRESENT
        assert story.logout.watch("1002") is Watch.ABSENT


@pytest.mark.parametrize("watch", [w for w in Watch if w is not Watch.PRESENT])
def test_from_everywhere_presence_leads_back_to_present(watch: Watch) -> None:
    assert TRANSITIONS[watch, Input.BACK] is Watch.PRESENT


def test_every_state_can_be_reached_and_every_pending_one_ends_by_itself_or_by_the_link() -> None:
    assert set(TRANSITIONS.values()) == set(Watch)
    for watch in PENDING:
        assert {what for before, what in TRANSITIONS if before is watch} & {
            Input.DUE_FREE,
            Input.REPORT_SIGNED_IN,
        }

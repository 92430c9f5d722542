"""Silence: presence gone, a grace, a forced logout; and everything that calls it off."""

from __future__ import annotations

import pytest

from poise.contact.requests import StateWish
from poise.contact.snapshots import Agent, AgentAdded
from poise.contact.states import Actor, AgentState, Deployment
from poise.finesse.forced_logout import LogoutPolicy
from poise.protocols.cti.config import AgentConfig, ConfigReceived
from poise.protocols.cti.constants import AgentState as Cti
from poise.protocols.cti.outputs import Outcome
from poise.server.agents.absence import DUE_MOST, Absence
from poise.server.notification.wheel import UNMEASURED_S
from tests.unit.server.agents.stage import CONFIG, USER, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


def gone(stage: Stage, user: str = "1001") -> None:
    stage.service.presence(user, "desktop", False, 0)


@pytest.mark.parametrize(
    ("deployment", "load", "end", "reason"),
    [
        (Deployment.UCCX, 0, Cti.LOGOUT, 255),
        (Deployment.UCCE, 0, Cti.NOT_READY, 50002),
        (Deployment.UCCE, 1, Cti.LOGOUT, 50002),
    ],
)
def test_sixty_seconds_after_the_last_session_the_agent_is_signed_out_by_force(
    deployment: Deployment, load: int, end: Cti, reason: int
) -> None:
    stage = Stage(deployment, load)
    stage.signed_in()
    gone(stage)
    stage.clock.advance(59.9)
    assert stage.asked() == []
    stage.clock.advance(0.1)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]
    assert stage.log.lines == [
        ("presence", "1001", "desktop", False),
        ("agent_presence", "1001", False, 60.0),
        ("monitor", "1001"),
        ("logout", "1001"),
    ]
    stage.answer()
    stage.event(end, reason=reason)
    assert [line.value("state") for line in stage.publisher.take() if line.node == USER] == [
        "LOGOUT" if end is Cti.LOGOUT else "NOT_READY"
    ]
    stage.clock.advance(300)
    assert stage.asked() == []
    assert stage.store.present == {"1001": False}


def test_who_comes_back_in_time_stays(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.clock.advance(59)
    stage.service.presence("1001", "desktop", True, 1)
    assert ("cancelled", "1001", "presence is back") in stage.log.lines
    stage.clock.advance(300)
    assert stage.asked() == []
    assert stage.store.present == {"1001": True}


def test_only_the_last_resource_counts(stage: Stage) -> None:
    stage.signed_in()
    stage.service.presence("1001", "phone", True, 2)
    stage.service.presence("1001", "desktop", False, 1)
    stage.clock.advance(300)
    assert stage.asked() == []
    assert ("agent_presence", "1001", False, 60.0) not in stage.log.lines


def test_an_agent_who_never_had_a_session_is_not_touched(stage: Stage) -> None:
    stage.in_service()
    stage.event(Cti.AVAILABLE)
    stage.clock.advance(300)
    assert stage.asked() == []


def test_a_forced_logout_does_not_wait_in_the_agents_line(stage: Stage) -> None:
    stage.signed_in()
    stage.wish(AgentState.NOT_READY)
    gone(stage)
    stage.clock.advance(60)
    assert [asked[1] for asked in stage.asked()] == ["NOT_READY", "LOGOUT"]
    stage.answer()
    stage.answer()


def test_a_refused_forced_logout_tells_no_client_and_is_sent_again(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.clock.advance(60)
    stage.answer(Outcome.REFUSED, 33)
    assert stage.publisher.take() == []
    stage.clock.advance(30)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_with_the_link_down_the_logout_is_sent_after_the_resync(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.link_down()
    stage.clock.advance(100)
    assert stage.asked() == []
    assert ("waiting", "1001", "the CTI link is down") in stage.log.lines
    stage.link_up()
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_with_the_link_down_an_agent_who_is_back_is_not_signed_out(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.link_down()
    stage.clock.advance(100)
    stage.service.presence("1001", "desktop", True, 1)
    stage.link_up()
    assert stage.asked() == []


def test_a_call_is_not_disturbed_with_load_0(stage: Stage) -> None:
    stage.signed_in()
    stage.event(Cti.TALKING)
    gone(stage)
    stage.clock.advance(60)
    assert stage.asked() == []
    assert ("waiting", "1001", "the agent is on a call") in stage.log.lines
    stage.event(Cti.AVAILABLE)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


@pytest.mark.parametrize("before", [0.0, 29.5, 45.0, 59.0, 59.9], ids="{}s-of-the-grace-over".format)
@pytest.mark.parametrize("stall", [6.5, 31.0, 90.0, 40_000.0], ids="{}s-of-stall".format)
def test_no_grace_that_lies_in_a_stall_runs_out_and_none_is_lengthened_twice(
    stage: Stage, before: float, stall: float
) -> None:
    """Just before the monitor's tick, in the middle, just before the end: what is left of the grace is left of it."""
    stage.signed_in()
    gone(stage)
    stage.clock.advance(before)
    stage.stall(stall)
    assert stage.asked() == []
    stage.clock.advance(60.0 - before - 0.1)
    assert stage.asked() == []
    stage.clock.advance(UNMEASURED_S + 0.2)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_two_stalls_are_both_forgiven(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.clock.advance(50)
    stage.stall(20)
    stage.stall(20)
    stage.clock.advance(9.9)
    assert stage.asked() == []
    stage.clock.advance(2 * UNMEASURED_S + 0.2)
    assert len(stage.asked()) == 1


def test_a_shorter_pause_is_no_stall(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.clock.advance(58)
    stage.stall(3)
    assert len(stage.asked()) == 1


def test_a_client_found_dead_after_the_stall_gets_the_grace_from_then_on(stage: Stage) -> None:
    """Its socket is read before the wheel turns: the stall was over when the grace began."""
    stage.signed_in()
    stage.clock.jump(40_000)
    gone(stage)
    stage.clock.advance(59.9)
    assert stage.asked() == []
    stage.clock.advance(0.1)
    assert len(stage.asked()) == 1


def test_a_client_back_after_the_stall_is_not_signed_out(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.clock.advance(59)
    stage.stall(300)
    stage.clock.advance(0.9)
    stage.service.presence("1001", "desktop", True, 1)
    stage.clock.advance(300)
    assert stage.asked() == []


def test_after_a_stall_the_time_to_return_from_a_restart_is_what_was_left_of_it(stage: Stage) -> None:
    stage.service.start(["1001"])
    stage.configure()
    stage.event(Cti.AVAILABLE)
    stage.link_up()
    stage.clock.advance(59)
    stage.stall(200)
    stage.clock.advance(60.9)
    assert stage.asked() == []
    stage.clock.advance(UNMEASURED_S + 0.2)
    assert len(stage.asked()) == 1


def test_after_a_restart_who_was_here_and_does_not_come_back_gets_the_same_grace(stage: Stage) -> None:
    stage.service.start(["1001", "1002"])
    stage.configure()
    for agent_id in ("1001", "1002"):
        stage.event(Cti.AVAILABLE, agent_id)
    stage.link_up()
    stage.service.presence("1002", "desktop", True, 1)
    stage.clock.advance(60)
    assert stage.log.lines[-1] == ("agent_presence", "1001", False, 60.0)
    stage.clock.advance(59)
    assert stage.asked() == []
    stage.clock.advance(1)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_a_sign_in_that_arrives_when_the_client_has_gone_is_told_with_what_is_left_of_the_grace(stage: Stage) -> None:
    stage.in_service()
    stage.service.presence("1001", "desktop", True, 1)
    stage.wish(AgentState.LOGIN)
    gone(stage)
    stage.clock.advance(20)
    stage.event(Cti.NOT_READY)
    assert stage.log.lines[-1] == ("agent_presence", "1001", False, 40.0)
    stage.clock.advance(40)
    assert ("1001", "LOGOUT", 255, 1) in stage.asked()


def test_a_whole_contact_centre_that_does_not_return_is_signed_out_in_turns(stage: Stage) -> None:
    people = [str(number) for number in range(2001, 2001 + 2 * DUE_MOST + 1)]
    stage.service.start(people)
    stage.configure(ConfigReceived(tuple(AgentConfig(n, f"a{n}", "A", "B") for n in people), (), ()))
    for agent_id in people:
        stage.event(Cti.AVAILABLE, agent_id)
    stage.link_up()
    stage.clock.advance(60)
    stage.clock.advance(59.9)
    assert stage.asked() == []
    sent = []
    for _ in range(8):
        stage.clock.advance(1 / 16)
        sent.append(len(stage.asked()))
    turns = [after - before for before, after in zip([0, *sent], sent, strict=False)]
    assert max(turns) == DUE_MOST
    assert sent[-1] == len(people)


def test_sessions_ended_by_the_stop_of_the_server_are_not_held_against_anyone(stage: Stage) -> None:
    stage.signed_in()
    stage.service.stop()
    gone(stage)
    stage.clock.advance(300)
    assert stage.asked() == []
    assert stage.store.present == {"1001": True}


def test_administrators_and_publishers_leave_no_lines_and_no_rows(stage: Stage) -> None:
    stage.in_service()
    stage.service.presence("admin", "x", True, 1)
    stage.service.presence("admin", "x", False, 0)
    assert stage.log.lines == []
    assert stage.store.present == {}


def test_a_user_who_becomes_an_agent_while_present_is_watched_from_then_on(stage: Stage) -> None:
    stage.in_service()
    stage.service.presence("1003", "desktop", True, 1)
    new = AgentConfig("1003", "agent3", "Agent", "Three")
    stage.configure(ConfigReceived((*CONFIG.agents, new), CONFIG.teams, CONFIG.skill_groups))
    stage.event(Cti.AVAILABLE, "1003")
    gone(stage, "1003")
    stage.clock.advance(60)
    assert stage.asked() == [("1003", "LOGOUT", 255, 1)]


def test_signing_in_through_rest_begins_the_grace_anew_and_without_presence_it_still_runs_out(stage: Stage) -> None:
    """He is at the telephone already, so nothing is asked of the CTI server: that is no reason to forget him."""
    stage.signed_in()
    gone(stage)
    stage.clock.advance(50)
    stage.wish(AgentState.LOGIN)
    assert stage.log.lines[-1] == (
        "waiting",
        "1001",
        "the agent signed in again, the time to come back begins anew",
    )
    stage.clock.advance(59.9)
    assert stage.asked() == []
    stage.clock.advance(0.1)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_signing_in_through_rest_and_then_over_xmpp_calls_a_pending_logout_off(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.clock.advance(50)
    stage.wish(AgentState.LOGIN)
    stage.clock.advance(50)
    stage.service.presence("1001", "desktop", True, 1)
    stage.clock.advance(300)
    assert stage.asked() == []


def test_a_sign_in_that_the_cti_server_refuses_leaves_no_phantom(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.service.change_state("1001", StateWish(AgentState.LOGIN, Actor.SELF, "2002"), "")
    stage.answer(Outcome.REFUSED, 12005)
    stage.clock.advance(60)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_an_agent_who_only_uses_rest_is_not_touched(stage: Stage) -> None:
    stage.in_service()
    stage.wish(AgentState.LOGIN)
    stage.answer()
    stage.event(Cti.NOT_READY)
    stage.event(Cti.AVAILABLE)
    stage.clock.advance(600)
    assert stage.asked() == []
    assert stage.store.present == {}


@pytest.mark.parametrize("state", [Cti.HOLD, Cti.WORK_READY])
def test_on_uccx_a_forced_logout_is_sent_in_states_uccx_does_not_know_too(state: Cti) -> None:
    """Guide: a forced logout always signs the agent out. What the CTI server reports is true, whatever tables say."""
    stage = Stage(Deployment.UCCX)
    stage.signed_in(state)
    gone(stage)
    stage.clock.advance(60)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]
    assert ("logout", "1001") in stage.log.lines


def test_a_logout_that_cannot_be_asked_for_is_not_said_to_be_sent(stage: Stage) -> None:
    sent: list[str] = []
    possible = False
    absence = Absence(
        LogoutPolicy(Deployment.UCCX),
        stage.store,
        stage.clock,
        stage.log,
        deadlines=stage.wheel,
        force=lambda user: (lambda: sent.append(user)) if possible else None,
        may_be_agent=lambda user: True,
    )
    absence.cti(True)
    absence.agents([AgentAdded(Agent("1001", state=AgentState.READY))])
    absence.presence("1001", "desktop", True, False)
    absence.presence("1001", "desktop", False, True)
    stage.clock.advance(60)
    assert stage.log.lines[-2:] == [
        ("monitor", "1001"),
        ("waiting", "1001", "no logout can be asked for in the agent's state"),
    ]
    possible = True
    stage.clock.advance(30)
    assert sent == ["1001"]
    assert stage.log.lines[-1:] == [("logout", "1001")]


def test_a_log_or_database_that_fails_keeps_nobody_elses_logout(stage: Stage) -> None:
    stage.signed_in()
    stage.event(Cti.AVAILABLE, "1002")
    stage.service.presence("1002", "desktop", True, 1)
    gone(stage)
    gone(stage, "1002")
    stage.log.broken_for = "1001"
    stage.clock.advance(60)
    assert [asked[0] for asked in stage.asked()] == ["1002"]
    assert ("fault", "ForceLogout", "the log is broken on purpose") in stage.log.lines
    stage.log.broken_for = ""
    stage.clock.advance(30)
    assert [asked[0] for asked in stage.asked()] == ["1002", "1001", "1002"], "and he is not forgotten"

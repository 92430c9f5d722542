"""Silence: presence gone, a grace, a forced logout; and everything that calls it off."""

from __future__ import annotations

import pytest

from poise.contact.states import AgentState, Deployment
from poise.protocols.cti.config import AgentConfig, ConfigReceived
from poise.protocols.cti.constants import AgentState as Cti
from poise.protocols.cti.outputs import Outcome
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


def test_time_in_which_the_server_did_not_run_is_forgiven(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.service.forgive(40.0)
    stage.clock.advance(99)
    assert stage.asked() == []
    stage.clock.advance(1)
    assert len(stage.asked()) == 1


def test_after_a_restart_who_was_here_and_does_not_come_back_gets_the_same_grace(stage: Stage) -> None:
    stage.service.start(["1001", "1002"])
    stage.configure()
    for agent_id in ("1001", "1002"):
        stage.event(Cti.AVAILABLE, agent_id)
    stage.link_up()
    stage.service.presence("1002", "desktop", True, 1)
    stage.clock.advance(119)
    assert stage.asked() == []
    stage.clock.advance(1)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


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


def test_signing_in_through_rest_calls_a_pending_logout_off(stage: Stage) -> None:
    stage.signed_in()
    gone(stage)
    stage.wish(AgentState.LOGIN)
    assert ("cancelled", "1001", "the agent signed in again") in stage.log.lines
    stage.clock.advance(300)
    assert stage.asked() == []

"""Supervisors see whose screen is gone, and when that ends in a logout."""

from __future__ import annotations

import pytest

from poise.contact.states import AgentState
from poise.finesse.markup import timestamp
from poise.protocols.cti.config import ConfigReceived, TeamConfig
from poise.protocols.cti.constants import AgentState as Cti
from tests.unit.server.agents.stage import CONFIG, Stage

NODE = "/poise/api/absences/Team/1"


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.signed_in()
    return made


def gone(stage: Stage, agent: str = "1001") -> None:
    stage.service.presence(agent, "desktop", False, 0)


def told(stage: Stage) -> list[tuple[str, str, str]]:
    """Event, agent, state of what was told since the last time."""
    events, stage.publisher.aside = stage.publisher.aside, []
    assert all(event.node.startswith("/poise/api/absences/Team/") for event in events)
    assert all(event.value("source") == event.node for event in events)
    return [(event.value("event"), event.value("loginId"), event.value("state")) for event in events]


def test_an_agent_who_goes_is_told_with_the_moment_of_the_logout_and_who_returns_is_told_too(stage: Stage) -> None:
    wall = stage.clock.wall()
    gone(stage)
    (event,) = stage.publisher.aside
    assert event.value("uri") == "/poise/api/absences/1001"
    assert event.value("goneSince") == timestamp(wall)
    assert event.value("signsOutAt") == timestamp(wall + 60)
    assert (event.value("firstName"), event.value("lastName")) == ("Agent", "One")
    stage.clock.advance(20)
    absent = stage.service.absences.of("1001")
    assert absent is not None
    assert (absent.gone_since, absent.signs_out_at) == (wall, wall + 60)
    stage.service.presence("1001", "desktop", True, 1)
    assert told(stage) == [("POST", "1001", "GRACE"), ("DELETE", "1001", "GRACE")]
    assert stage.service.absences.of("1001") is None


def test_a_logout_that_happens_is_told_to_its_end(stage: Stage) -> None:
    gone(stage)
    stage.clock.advance(60)
    assert told(stage) == [("POST", "1001", "GRACE"), ("PUT", "1001", "SENT")]
    stage.answer()
    stage.event(Cti.NOT_READY, reason=255)
    assert told(stage) == [("DELETE", "1001", "SENT")]


def test_an_agent_on_a_call_is_said_to_be_waited_for(stage: Stage) -> None:
    stage.event(Cti.TALKING)
    gone(stage)
    stage.clock.advance(60)
    assert told(stage) == [("POST", "1001", "GRACE"), ("PUT", "1001", "ON_CALL")]
    absent = stage.service.absences.of("1001")
    assert absent is not None
    assert (absent.state, absent.signs_out_at) == ("ON_CALL", None)


def test_what_else_an_agent_does_is_no_news_about_the_absence(stage: Stage) -> None:
    gone(stage)
    told(stage)
    stage.clock.advance(10)
    stage.event(Cti.TALKING)
    assert told(stage) == []


def test_who_is_signed_out_or_has_another_screen_is_not_missed(stage: Stage) -> None:
    gone(stage, "1002")
    stage.service.presence("1001", "phone", True, 2)
    stage.service.presence("1001", "desktop", False, 1)
    assert told(stage) == []


def test_who_signs_in_again_without_a_screen_has_the_time_anew(stage: Stage) -> None:
    gone(stage)
    stage.clock.advance(30)
    stage.wish(AgentState.LOGIN)
    assert told(stage) == [("POST", "1001", "GRACE"), ("PUT", "1001", "GRACE")]
    absent = stage.service.absences.of("1001")
    assert absent is not None
    assert absent.signs_out_at == stage.clock.wall() + 60


def test_an_agent_who_moves_to_another_team_is_told_there(stage: Stage) -> None:
    gone(stage)
    told(stage)
    teams = (TeamConfig(1, "Sales", ("1002",), ("1101",)), TeamConfig(2, "Support", ("1001",), ("1101",)))
    stage.configure(ConfigReceived(CONFIG.agents, teams, CONFIG.skill_groups))
    stage.clock.advance(0)
    assert [event.node[-1] for event in stage.publisher.aside] == ["1", "2"]
    assert told(stage) == [("DELETE", "1001", "GRACE"), ("POST", "1001", "GRACE")]


def test_after_an_outage_everything_is_said_anew(stage: Stage) -> None:
    gone(stage)
    told(stage)
    stage.link_down()
    stage.clock.advance(61)
    assert told(stage) == []
    absent = stage.service.absences.of("1001")
    assert absent is not None
    assert (absent.state, absent.signs_out_at) == ("LINK_DOWN", None)
    stage.link_up()
    assert told(stage)[-1] == ("POST", "1001", "SENT")


def test_only_supervisors_of_the_team_and_administrators_hear_it(stage: Stage) -> None:
    hear = stage.service.may_subscribe
    assert [hear("1001", NODE), hear("1101", NODE), hear("1101", NODE[:-1] + "2")] == [False, True, False]
    assert hear("admin", NODE, administrator=True)

"""Robots and traffic: agents who work by themselves, calls that come by themselves."""

from __future__ import annotations

import pytest

from poise.lab.day import Day
from poise.lab.robots import FLOWS, LONGEST_CALL_S, RETURNS_AFTER_S, Habits, Robots
from poise.lab.rules import Deployment
from poise.lab.traffic import Traffic
from tests.unit.lab.acd.floor import Floor


def staffed(deployment: Deployment = Deployment.UCCE, **habits: float) -> tuple[Floor, Robots]:
    floor = Floor(deployment)
    robots = Robots(floor.server, 3, Habits(**habits))  # type: ignore[arg-type]
    for agent in ("1001", "1002", "1003", "1101"):
        assert robots.take_over(agent, floor.now, ready=agent != "1101") == ""
    return floor, robots


def test_a_robot_signs_in_answers_and_is_ready_again() -> None:
    floor, robots = staffed(misses=0)
    floor.calls_in("8010", talks_s=30)
    floor.pass_time(LONGEST_CALL_S + 60)
    assert robots.flows.total() >= 1
    assert floor.centre.queues.handled[10] >= 1
    assert {floor.agent_state(agent) for agent in ("1001", "1002", "1003")} == {"AVAILABLE"}
    assert floor.centre.switch.calls == {}


def test_a_robot_that_misses_a_call_comes_back_after_a_while() -> None:
    floor, _ = staffed(misses=1)
    floor.calls_in("8010", patience_s=15)
    floor.pass_time(15)
    floor.calls_in("8010", patience_s=25)
    floor.pass_time(22)
    assert "NOT_READY" in {floor.agent_state(agent) for agent in ("1001", "1002", "1003")}
    floor.pass_time(RETURNS_AFTER_S + 40)
    assert {floor.agent_state(agent) for agent in ("1001", "1002", "1003")} == {"AVAILABLE"}


@pytest.mark.parametrize("deployment", list(Deployment))
def test_every_flow_comes_to_its_end(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FLOWS:
        floor, robots = staffed(deployment, misses=0)
        first = iter([name])
        monkeypatch.setattr(robots._chance, "choices", lambda names, weights, first=first: [next(first, "listen")])
        floor.calls_in("8010", talks_s=200)
        floor.pass_time(120)
        assert robots.flows[name] == 1
        assert robots.refused[name] == 0, name
        floor.pass_time(2 * LONGEST_CALL_S)
        assert floor.centre.switch.calls == {}, name


def test_calls_come_only_while_somebody_is_ready_and_the_first_after_a_whole_gap() -> None:
    floor = Floor()
    traffic = Traffic(floor.server, 2.0, 7, floor.now)
    floor.pass_time(600)
    assert traffic.calls == 0
    floor.signs_in("1001", ready=True)
    floor.pass_time(300)
    assert traffic.calls == 1, "there was one agent, and the call was not answered"


def test_as_many_calls_come_as_were_asked_for() -> None:
    floor = Floor()
    robots = Robots(floor.server, 3, Habits(works=False))
    for agent in ("1001", "1002", "1003", "1004", "1005", "1006"):
        robots.take_over(agent, floor.now)
    traffic = Traffic(floor.server, 2.0, 7, floor.now)
    floor.pass_time(29)
    assert traffic.calls == 0
    floor.pass_time(3600)
    assert 100 < traffic.calls < 135


def test_a_busy_centre_gets_its_calls_as_well() -> None:
    day = Day(200, 0, seed=4)
    while day.now < 100:
        day.step(lambda output: None, until=100.0)
    traffic = Traffic(day.server, 1200, 7, day.now)
    while day.now < 105:
        day.step(lambda output: None, until=105.0)
    assert 80 < traffic.calls < 120

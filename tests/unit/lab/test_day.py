"""A whole day of a large contact centre: everything ends well, everything adds up, every version can read it."""

from __future__ import annotations

from collections import Counter

import pytest

from poise.lab.day import Day
from poise.lab.robots import FLOWS
from poise.lab.rules import Deployment
from poise.lab.server import LabOutput
from poise.protocols.cti.constants import AgentState
from tests.unit.lab.acd.floor import Client
from tests.unit.lab.acd.observer import Observer

VERSIONS = (15, 18, 20, 24)
AT_REST = {AgentState.AVAILABLE, AgentState.NOT_READY}


class Story:
    """A day with a client of each version; what the first sees is checked event by event."""

    def __init__(self, day: Day, versions: tuple[int, ...] = VERSIONS) -> None:
        self.day = day
        self.clients = [Client(day.server, version, day.now) for version in versions]
        self.observer = Observer()
        self.names: Counter[str] = Counter()

    def _send(self, output: LabOutput) -> None:
        for client in self.clients:
            client.hears([output])

    def tell(self) -> None:
        going = True
        while going:
            going = self.day.step(self._send)
            for message in self.clients[0].heard:
                self.names[message.name] += 1
                self.observer.see(message)
            sizes = {len(client.heard) for client in self.clients}
            assert len(sizes) == 1, "a client of another version heard something else"
            for client in self.clients:
                client.heard.clear()


def checked(day: Day, calls: int) -> Story:
    story = Story(day)
    story.tell()
    centre, observer = day.server.centre, story.observer
    assert day.placed == calls
    assert centre.switch.calls == {}, "a call has not ended"
    assert observer.connections == {}
    assert observer.renamed == set()
    agents = {agent.person.agent_id: agent.state for agent in day.server.acd.everybody()}
    assert set(agents.values()) <= AT_REST
    assert observer.states == agents
    queues = centre.queues
    assert queues.offered.total() == queues.handled.total() + queues.abandoned.total() + queues.redirected.total()
    dialler = centre.dialler
    assert dialler.open_records == 0
    return story


def totals(day: Day) -> tuple[int, int, int]:
    """Calls handled by the books of the queues, of the skill groups, and of the agents."""
    statistics, now = day.server.centre.statistics, day.now
    groups = sum(
        statistics.group(group, now).get("HandledCallsToday", 0) for group in day.server.settings.data.skill_groups
    )
    agents = sum(statistics.agent(agent, now).get("HandledCallsToday", 0) for agent in day.server.acd.everybody())
    return day.server.centre.queues.handled.total(), groups, agents


def test_three_hundred_agents_and_two_thousand_calls_with_all_call_flows() -> None:
    day = Day(300, 2000, seed=4)
    story = checked(day, 2000)
    assert set(day.robots.flows) == set(FLOWS), "a call flow did not happen"
    for name in ("CALL_CONFERENCED_EVENT", "CALL_TRANSFERRED_EVENT", "CALL_DIVERTED_EVENT", "CALL_FAILED_EVENT"):
        assert story.names[name] > 10, name
    assert len(set(totals(day))) == 1
    assert day.server.centre.dialler.reached > 50


@pytest.mark.parametrize(("deployment", "shuffle", "seed"), [(Deployment.UCCX, 7, 1), (Deployment.UCCE, 3, 2)])
def test_a_busy_day_with_few_agents_in_any_order_of_events(deployment: Deployment, shuffle: int, seed: int) -> None:
    day = Day(3, 250, seed, deployment, shuffle, lasts_s=3.5 * 3600)
    checked(day, 250)
    assert day.server.centre.queues.abandoned.total() > 0


def test_the_same_seed_is_the_same_day() -> None:
    def told(seed: int) -> Counter[str]:
        story = Story(Day(10, 30, seed, lasts_s=3600), (20,))
        story.tell()
        return story.names

    assert told(5) == told(5)
    assert told(5) != told(6)

"""GET Queue and User/Queues, and the events when the configuration moves agents between queues."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from poise.protocols.cti.config import AgentConfig, ConfigReceived, SkillGroupConfig
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import StatisticsReceived
from tests.unit.server.agents.stage import CONFIG
from tests.unit.server.webservices.stage import Rest, play

QUEUE = "/finesse/api/Queue/10"
WITH_SUPPORT = ConfigReceived(
    (AgentConfig("1001", "agent1", "Agent", "One", skill_groups=(11,)), *CONFIG.agents[1:]),
    CONFIG.teams,
    (*CONFIG.skill_groups, SkillGroupConfig(11, "Support")),
)


def test_everyone_reads_a_queue_with_its_present_figures() -> None:
    async def story(rest: Rest) -> None:
        figures = Message("QUERY_SKILL_GROUP_STATISTICS_CONF", {"AgentsReady": 2, "CallsQNow": 0})
        for who in ("1001", "1101", "admin"):
            queue = ET.fromstring((await rest.get(QUEUE, who)).body)
            assert [child.tag for child in queue] == ["uri", "name", "statistics"]
            assert (queue.findtext("uri"), queue.findtext("name")) == (QUEUE, "Sales")
            assert queue.findtext("statistics/agentsReady") == "-1"
        rest.contact.service.cti_output(StatisticsReceived(10, figures))
        assert (await rest.get(QUEUE)).value("agentsReady") == "2"

    play(story)


@pytest.mark.parametrize("number", ["99", "x", "9" * 5000])
def test_a_queue_that_is_not_there_is_not_found(number: str) -> None:
    async def story(rest: Rest) -> None:
        assert (await rest.get(f"/finesse/api/Queue/{number}")).error[:2] == (404, "Not Found")

    play(story)


def test_a_supervisors_queues_are_those_of_her_teams_too() -> None:
    async def story(rest: Rest) -> None:
        rest.contact.configure(WITH_SUPPORT)
        shown = {
            who: ET.fromstring((await rest.get(f"/finesse/api/User/{who}/Queues", who)).body)
            for who in ("1001", "1002", "1101")
        }
        assert {who: [name.text for name in queues.iterfind("Queue/name")] for who, queues in shown.items()} == {
            "1001": ["Support"],
            "1002": ["Sales"],
            "1101": ["Sales", "Support"],
        }
        assert (await rest.get("/finesse/api/User/1002/Queues")).status == 401
        assert (await rest.get("/finesse/api/User/1002/Queues", "admin")).status == 200

    play(story)


def test_who_changes_queues_is_told_which_were_lost_and_got_and_so_is_the_supervisor() -> None:
    async def story(rest: Rest) -> None:
        rest.contact.configure(WITH_SUPPORT)
        rest.contact.clock.advance(0)
        told = [t for t in rest.contact.publisher.take() if t.node.endswith("/Queues")]
        assert [(t.node, t.value("event"), t.value("name"), t.value("source") == t.node) for t in told] == [
            ("/finesse/api/User/1001/Queues", "DELETE", "Sales", True),
            ("/finesse/api/User/1001/Queues", "POST", "Support", True),
            ("/finesse/api/User/1101/Queues", "POST", "Support", True),
        ]
        assert all("<requestId></requestId>" in t.text and "<queues>" in t.text for t in told)

    play(story)


def test_a_queue_that_is_no_more_is_told_by_its_uri_alone_before_its_node_goes() -> None:
    async def story(rest: Rest) -> None:
        rest.contact.configure(ConfigReceived(CONFIG.agents[2:], (), ()))
        rest.contact.clock.advance(0)
        (gone,) = [t for t in rest.contact.publisher.take() if t.node == QUEUE]
        assert (gone.value("event"), gone.value("source")) == ("DELETE", QUEUE)
        assert f"<queue>\n<uri>{QUEUE}</uri>\n</queue>" in gone.text
        assert (await rest.get(QUEUE, "admin")).status == 404

    play(story)

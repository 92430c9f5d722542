"""Node names: six kinds of the seed, the clients' additions, who is subscribed to what."""

from __future__ import annotations

import pytest

from poise.contact.snapshots import Queue, Team
from poise.finesse.nodes import TABLE, Kind, NodeName, all_nodes, parse, queue_nodes, subscriptions
from tests.unit.finesse.people import ADA, SUE


def test_the_six_kinds_of_the_seed_exist_for_every_agent_team_and_queue() -> None:
    nodes = all_nodes([ADA, SUE], [Team(1, "Sales")], [Queue(10, "Sales", frozenset(("1001",)))])
    assert {
        "/finesse/api/User/1001",
        "/finesse/api/User/1001/Dialogs",
        "/finesse/api/User/1001/ClientLog",
        "/finesse/api/User/1001/Queue/10",
        "/finesse/api/Team/1/Users",
        "/finesse/api/SystemInfo",
    } <= set(nodes)
    assert "/finesse/api/User/1101/Queue/10" not in nodes
    assert len(nodes) == len(set(nodes))
    assert sum(row.seed for row in TABLE.values()) == 6


def test_a_queue_has_the_clients_name_and_the_seeds_for_each_of_its_agents() -> None:
    assert list(queue_nodes(Queue(10, "Sales", frozenset(("1002", "1001"))))) == [
        "/finesse/api/Queue/10",
        "/finesse/api/User/1001/Queue/10",
        "/finesse/api/User/1002/Queue/10",
    ]


def test_every_user_is_subscribed_to_the_own_user_dialogs_media_and_the_systems_state() -> None:
    mine = subscriptions("1001")
    assert {
        "/finesse/api/User/1001",
        "/finesse/api/User/1001/Dialogs",
        "/finesse/api/User/1001/Media",
        "/finesse/api/SystemInfo",
    } <= set(mine)
    assert set(mine) <= set(all_nodes([ADA], [], []))
    assert not any("ClientLog" in node or "Queue" in node or "Team" in node for node in mine)


@pytest.mark.parametrize("kind", Kind)
def test_names_are_taken_apart_as_they_were_put_together(kind: Kind) -> None:
    template = TABLE[kind].template
    parts = {
        p: v for p, v in (("user", "1001"), ("team", "1"), ("queue", "10"), ("media", "1")) if f"{{{p}}}" in template
    }
    name = NodeName(kind, **parts)
    assert parse(str(name)) == name


@pytest.mark.parametrize(
    "name", ["", "/finesse/api/User/", "/finesse/api/User/1/2/3", "/other", "/finesse/api/User/a/Q"]
)
def test_other_names_are_none_of_ours(name: str) -> None:
    assert parse(name) is None

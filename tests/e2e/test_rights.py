"""Subscriptions follow rights, and outlive the server: what the telephone system says about teams decides."""

from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

from poise.lab.data import DEMO, LabData
from poise.server.storage.store import DATABASE
from tests.e2e.conftest import OpenStage
from tests.e2e.desk import PUBSUB, Desk
from tests.e2e.stage import Stage

TEAM_1 = "/finesse/api/Team/1/Users"
TEAM_2 = "/finesse/api/Team/2/Users"


def supervising(teams: dict[str, tuple[int, ...]]) -> LabData:
    """The demo's people with these supervisors."""
    return replace(DEMO, people=tuple(replace(p, supervises=teams.get(p.agent_id, ())) for p in DEMO.people))


def subscribed(desk: Desk) -> set[str]:
    """Nodes the server says a desk subscribed to by its full JID."""
    listed = desk.ask(f"<pubsub xmlns='{PUBSUB}'><subscriptions/></pubsub>")
    assert listed.get("type") == "result", ET.tostring(listed)
    entries = listed.iter(f"{{{PUBSUB}}}subscription")
    return {entry.get("node", "") for entry in entries if entry.get("jid") == desk.jid}


def stored(data: Path) -> set[str]:
    """Nodes of explicit subscriptions, as they stand in the database."""
    with sqlite3.connect(f"file:{data / DATABASE}?mode=ro", uri=True) as connection:
        rows = connection.execute("SELECT node FROM pubsub_subscriptions WHERE jid LIKE '%/%'").fetchall()
    connection.close()
    return {node for (node,) in rows}


def test_a_supervisor_who_loses_a_team_hears_nothing_of_it_any_more(open_stage: OpenStage) -> None:
    stage = open_stage(people=supervising({"1101": (1, 2), "1102": (1, 2)}))
    loses, keeps = stage.watcher("1101"), stage.watcher("1102")
    for supervisor in (loses, keeps):
        for node in (TEAM_2, "/finesse/api/User/1001"):
            assert supervisor.subscribe(node).get("type") == "result"

    stage.cti_server_stops()
    stage.cti_server_returns(supervising({"1101": (2,), "1102": (1, 2)}))
    for supervisor in (loses, keeps):
        supervisor.updates()

    agent = stage.agent("1001")
    colleague = stage.agent("1004")
    assert (agent.alive, colleague.alive) == (True, True)
    assert keeps.update(TEAM_1, loginId="1001", state="READY")
    assert keeps.update(TEAM_2, loginId="1004", state="READY")
    assert {update.node for update in loses.updates()} == {TEAM_2}, "of his own team he hears as before"
    assert subscribed(loses) == {TEAM_2}
    assert subscribed(keeps) == {TEAM_1, TEAM_2, "/finesse/api/User/1001"}
    assert loses.subscribe(TEAM_1).get("type") == "error"


def test_a_subscription_to_a_product_node_outlives_the_server_and_one_to_a_node_that_is_gone_does_not(
    open_stage: OpenStage,
) -> None:
    stage = open_stage(people=supervising({"1101": (1, 2)}))
    supervisor = stage.watcher("1101")
    assert supervisor.subscribe(TEAM_2).get("type") == "result"
    stage.restart()
    supervisor = stage.desk("1101", resource="watcher").come()
    assert subscribed(supervisor) == {TEAM_1, TEAM_2}
    stage.agent("1001")
    assert supervisor.update(TEAM_1, loginId="1001", state="READY")

    stage.restart(without_team_2())
    supervisor = stage.desk("1101", resource="watcher").come()
    assert subscribed(supervisor) == {TEAM_1}
    stage.restart()
    assert stored(stage.data) == {TEAM_1}, "nothing is kept for a node that will not come"


def without_team_2() -> LabData:
    """The demo's people, all in the first team."""
    people = tuple(replace(p, team=1, supervises=(1,) if p.agent_id == "1101" else ()) for p in DEMO.people)
    groups = tuple(replace(group, teams=(1,)) for group in DEMO.skill_groups)
    return LabData(people, DEMO.teams[:1], groups)


def test_an_administrator_who_is_none_any_more_loses_what_only_administrators_may_hear(stage: Stage) -> None:
    admin = stage.desk("admin", resource="console").come()
    assert admin.subscribe(TEAM_1).get("type") == "result"
    assert subscribed(admin) == {TEAM_1}
    stage.demote("admin")
    assert subscribed(admin) == set()

"""An agent whose id the CTI server writes in upper case: found in any case, shown as it is, lower case in JIDs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from poise.lab.data import DEMO, Person
from poise.server.hashing import password_hasher
from poise.server.storage.records import Account, Role
from poise.server.storage.store import DATABASE, Store, sqlite_url
from tests.e2e.conftest import OpenStage
from tests.e2e.stage import Stage

PERSON = Person("AGENT7", "seventh", "Agent", "Seven", "7007", 1)
NODE = "/finesse/api/User/AGENT7"
TEAM = "/finesse/api/Team/1/Users"


@pytest.fixture
def stage(data: Path, open_stage: OpenStage) -> Stage:
    """A centre with AGENT7 in it, whose account is agent7."""

    async def fill() -> None:
        store = await Store.open(sqlite_url(data / DATABASE))
        account = Account("agent7", "seventh", password_hasher().hash("agent7"), frozenset({Role.AGENT}))
        await store.put_accounts([account])
        await store.close()

    asyncio.run(fill())
    return open_stage(people=replace(DEMO, people=(*DEMO.people, PERSON)))


def test_an_agent_with_an_upper_case_id_works_through_rest_and_xmpp(stage: Stage) -> None:
    watcher = stage.watcher()
    desk = stage.desk("agent7").come()
    assert desk.jid == "agent7@localhost/desktop"
    assert desk.rest.put("LOGIN", extension="7007").status == 202
    update = desk.update(NODE, state="NOT_READY")
    assert (update.to, update.value("loginId"), update.value("uri")) == ("agent7@localhost", "AGENT7", NODE)
    assert watcher.update(TEAM, loginId="AGENT7").state == "NOT_READY"

    typed = stage.rest("AGENT7", "agent7")
    assert typed.put("READY", user="Agent7").status == 202
    assert desk.update(NODE, state="READY")
    assert typed.state_of("aGENT7") == "READY"
    assert typed.get("User/agent7").root.findtext("loginId") == "AGENT7"
    assert stage.rest("1101").state_of("agent7") == "READY"
    assert desk.subscribe(f"{NODE}/ClientLog").get("type") == "result", "his own, by the CTI server's spelling"
    assert stage.desk("1002").subscribe(f"{NODE}/ClientLog").get("type") == "error"


def test_his_silence_ends_like_anybody_elses_and_a_restart_remembers_him(stage: Stage) -> None:
    desk = stage.desk("agent7").come()
    assert desk.rest.put("LOGIN", extension="7007").status == 202
    desk.update(NODE, state="NOT_READY")
    assert desk.rest.put("READY").status == 202
    desk.update(NODE, state="READY")
    stage.restart()
    stage.pass_time(119)
    assert stage.state_at_the_cti_server("AGENT7") == ("AVAILABLE", 0)
    stage.pass_time(3)
    assert stage.state_at_the_cti_server("AGENT7") == ("NOT_READY", 50002)

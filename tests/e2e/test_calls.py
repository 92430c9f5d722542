"""Calls through the whole server: the telephone system over TCP, REST over TLS, events over BOSH."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from poise.lab.acd.outside import Caller
from tests.e2e.desk import Desk, Update
from tests.e2e.stage import Stage

CALLER = "5551234"


def node(agent: str) -> str:
    return f"/finesse/api/User/{agent}/Dialogs"


def calls_the_queue(stage: Stage) -> None:
    """Somebody calls queue 10 of the simulated telephone system."""

    async def call() -> None:
        now = stage.lab.now()
        stage.lab.server.centre.outside.call_in(Caller(CALLER, "8010"), now)
        stage.lab.do(stage.lab.server.happened(now))

    stage.call(call)
    stage.settle()


def asks(desk: Desk, update: Update, action: str, inner: str = "", request_id: str = "") -> None:
    """PUT Dialog by the agent, who must get a 202."""
    body = (
        f"<Dialog><targetMediaAddress>{desk.user}</targetMediaAddress>"
        f"<requestedAction>{action}</requestedAction>{inner}</Dialog>"
    )
    reply = desk.rest.call(
        "PUT", f"/finesse/api/Dialog/{update.value('id')}", body.encode(), [("requestId", request_id)]
    )
    assert (reply.status, reply.body) == (202, b"")


def parties(update: Update) -> dict[str, str]:
    """Telephones and their states."""
    return {
        party.findtext("mediaAddress") or "": party.findtext("state") or ""
        for party in ET.fromstring(update.text).iter("Participant")
    }


def hears(desk: Desk, **states: str) -> Update:
    """The next event in which the telephones have these states; "c" stands for the caller's."""
    wanted = {CALLER if name == "c" else name.removeprefix("t"): state for name, state in states.items()}
    while True:
        update = desk.update(node(desk.user))
        if parties(update) == wanted:
            return update


def test_a_call_is_answered_consulted_about_and_transferred_by_rest_and_told_over_bosh(stage: Stage) -> None:
    agent, colleague = stage.agent("1001"), stage.agent("1002", "NOT_READY")
    calls_the_queue(stage)
    rings = hears(agent, t1001="ALERTING", c="INITIATED")
    assert (rings.value("event"), rings.value("source")) == ("POST", node("1001"))
    asks(agent, rings, "ANSWER", request_id="a-1")
    talks = hears(agent, t1001="ACTIVE", c="ACTIVE")
    assert (talks.value("event"), talks.value("requestId")) == ("PUT", "a-1")
    asks(agent, talks, "CONSULT_CALL", "<toAddress>1002</toAddress>")
    offered = hears(colleague, t1001="INITIATED", t1002="ALERTING")
    asks(colleague, offered, "ANSWER")
    hears(colleague, t1001="ACTIVE", t1002="ACTIVE")
    asks(agent, talks, "TRANSFER")
    given = hears(colleague, c="ACTIVE", t1002="ACTIVE")
    assert (given.value("event"), given.value("id")) == ("POST", talks.value("id"))
    assert list(agent.rest.get("User/1001/Dialogs").root) == []
    (read,) = colleague.rest.get("User/1002/Dialogs").root
    assert read.findtext("id") == talks.value("id")
    asks(colleague, given, "DROP")
    assert agent.rest.get(f"Dialog/{given.value('id')}").status in (401, 404)
    assert "MESSAGE_TO_CTI_SERVER" in stage.log("webservices")


def test_a_call_outlives_the_cti_server(stage: Stage) -> None:
    agent = stage.agent("1001")
    calls_the_queue(stage)
    rings = hears(agent, t1001="ALERTING", c="INITIATED")
    asks(agent, rings, "ANSWER")
    hears(agent, t1001="ACTIVE", c="ACTIVE")

    async def cut() -> None:
        stage.lab.drop_links()

    stage.call(cut)
    agent.update("/finesse/api/SystemInfo", status="OUT_OF_SERVICE")
    for _ in range(30):
        stage.pass_time(1)
        if stage.rest("admin").get("SystemInfo").root.findtext("status") == "IN_SERVICE":
            break
    again = hears(agent, t1001="ACTIVE", c="ACTIVE")
    assert (again.value("event"), again.value("id")) == ("POST", rings.value("id"))
    asks(agent, again, "DROP")
    hears(agent, t1001="DROPPED", c="DROPPED")

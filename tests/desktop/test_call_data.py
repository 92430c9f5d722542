"""A call from a queue: where it comes from, what is known about the caller, and what the agent notes."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.desktop.conftest import QUIET, Open
from tests.e2e.process import Server, demo, free_port

CALL = "0 caller 5551234 dials 8010 patience 60 talks 120 var1=gold"


@pytest.fixture(scope="module")
def control() -> int:
    """Port at which the simulated telephone system takes orders."""
    return free_port()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, control: int) -> Iterator[Server]:
    with demo(tmp_path_factory.mktemp("queue"), settings={**QUIET, "lab.control_port": control}) as running:
        yield running


def played(control: int, scenario: str) -> None:
    with socket.create_connection(("127.0.0.1", control), 10) as wire, wire.makefile("rwb") as lines:
        lines.write(json.dumps({"do": "play", "text": scenario}).encode() + b"\n")
        lines.flush()
        answer = json.loads(lines.readline())
    assert answer["ok"], answer


def test_the_queue_and_the_variables_are_shown_and_can_be_changed(open_screen: Open, control: int) -> None:
    agent = open_screen()
    agent.sign_in("1001").ready()
    played(control, CALL)
    card = agent.call_is("ALERTING", "5551234")
    expect(card).to_contain_text(agent.text("call.queue", queue="Sales"))
    agent.act(card, "ANSWER")
    card = agent.call_is("ACTIVE", "5551234")
    expect(card.get_by_text("gold", exact=True)).to_be_visible()
    assert agent.violations() == []
    card.get_by_role("button", name=agent.text("call.variablesEdit")).click()
    field = agent.calls.get_by_label("callVariable1", exact=True)
    expect(field).to_have_value("gold")
    field.fill("plat & <num>")
    agent.act(card, "HOLD")  # what is half typed outlives a change of the call
    card = agent.call_is("HELD", "5551234")
    expect(field).to_have_value("plat & <num>")
    card.get_by_role("button", name=agent.text("call.variablesSave")).click()
    expect(card.get_by_text("plat & <num>", exact=True)).to_be_visible()
    agent.act(card, "DROP")
    expect(agent.calls).to_have_count(0)


def test_a_call_that_nobody_takes_is_told_as_missed(open_screen: Open, control: int) -> None:
    agent = open_screen()
    agent.sign_in("1002").ready()
    played(control, "0 caller 5557777 dials 8010 patience 2")
    agent.call_is("ALERTING", "5557777")
    expect(agent.calls).to_have_count(0, timeout=40_000)
    expect(agent.page.get_by_text(agent.text("call.missed", number="5557777")).first).to_be_visible()

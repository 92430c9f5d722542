"""Faults on command and the control port, over real sockets."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from poise.lab import faults
from poise.lab import shell as shell_module
from poise.lab.control import LINE_MAX
from poise.lab.rules import Deployment
from poise.lab.scenario import FAULTS
from poise.lab.server import LabSettings
from poise.lab.shell import LabShell
from poise.protocols.cti.codec import encode
from poise.protocols.cti.messages import Message
from tests.unit.lab.test_shell import LOGIN, OPEN, PATIENCE_S, client, listening, run

HEARTBEAT = encode(Message("HEARTBEAT_REQ", {"InvokeID": 1}), 20)
OPEN_FOR_CALLS = encode(
    Message(
        "OPEN_REQ",
        {
            "VersionNumber": 20,
            "IdleTimeout": 20,
            "PeripheralID": 5000,
            "ServicesRequested": 0x94,
            "CallMsgMask": 0x0FFFFFFF,
            "AgentStateMask": 0x3FFF,
        },
        (("CLIENT_ID", "Poise"),),
    ),
    20,
)
READY = encode(
    Message("SET_AGENT_STATE_REQ", {"InvokeID": 8, "PeripheralID": 5000, "AgentState": 3}, (("AGENT_ID", "1001"),)), 20
)


def happens(shell: LabShell, name: str, *numbers: float) -> None:
    assert faults.happen(shell, name, numbers, shell.now()) == ""


class Tool:
    """A client of the control port."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, line: bytes | dict[str, Any]) -> dict[str, Any]:
        raw = line if isinstance(line, bytes) else json.dumps(line).encode()
        self.writer.write(raw + b"\n")
        async with asyncio.timeout(PATIENCE_S):
            answer: dict[str, Any] = json.loads(await self.reader.readline())
        return answer


async def tool(shell: LabShell) -> Tool:
    port = await shell.start_control()
    return Tool(*await asyncio.open_connection("127.0.0.1", port, limit=2 * LINE_MAX))


def test_the_link_is_dropped_without_a_word() -> None:
    async def story() -> None:
        async with listening() as (shell, port), client(port) as one:
            one.writer.write(OPEN)
            await one.until("OPEN_CONF")
            happens(shell, "drop-link")
            await one.until_closed()

    run(story)


def test_a_frozen_server_keeps_its_connections_and_answers_when_it_thaws() -> None:
    async def story() -> None:
        async with listening() as (shell, port), client(port) as one:
            one.writer.write(OPEN)
            await one.until("OPEN_CONF")
            happens(shell, "freeze", 600)
            one.writer.write(LOGIN + HEARTBEAT)
            async with client(port) as late:
                late.writer.write(OPEN)
                shell.storm(1)  # what happens meanwhile is told later
                happens(shell, "thaw")
                await late.until("OPEN_CONF")
            await one.until("SET_AGENT_STATE_CONF")
            await one.until("HEARTBEAT_CONF")
            assert not shell.frozen

    run(story)


def test_a_freeze_ends_by_itself_and_too_much_piled_up_cuts_the_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "BACKLOG_MAX", 2)

    async def story() -> None:
        async with listening() as (shell, port), client(port) as one:
            one.writer.write(OPEN)
            await one.until("OPEN_CONF")
            shell.freeze(0.01)
            shell.do(shell.server.garbage(b"x") * 3)
            await one.until_closed()

    run(story)


def test_garbage_comes_out_of_the_link() -> None:
    async def story() -> None:
        async with listening() as (shell, port), client(port) as one:
            one.writer.write(OPEN)
            await one.until("OPEN_CONF")
            happens(shell, "garbage")
            async with asyncio.timeout(PATIENCE_S):
                assert faults.GARBAGE in await one.reader.read(65536)

    run(story)


def test_side_b_refuses_until_the_first_side_fails_over() -> None:
    async def story() -> None:
        async with listening() as (shell, port_a):
            assert "no side B" in faults.happen(shell, "fail-over", (), 0)
            port_b = await shell.start_side_b()
            async with client(port_a) as one, client(port_b) as early:
                one.writer.write(OPEN)
                await one.until("OPEN_CONF")
                early.writer.write(OPEN)
                assert (await early.until("FAILURE_CONF")).fields["Status"] == 15
                await early.until_closed()
                happens(shell, "fail-over")
                assert (await one.until("FAILURE_EVENT")).fields["Status"] == 15
            async with client(port_b) as two, client(port_a) as old:
                two.writer.write(OPEN + LOGIN)
                await two.until("SET_AGENT_STATE_CONF")
                old.writer.write(OPEN)
                assert (await old.until("FAILURE_CONF")).fields["Status"] == 15

    run(story)


@pytest.mark.parametrize("deployment", list(Deployment))
def test_lost_telephony_is_told_by_uccx_only(deployment: Deployment) -> None:
    async def story() -> None:
        async with listening(LabSettings(deployment=deployment)) as (shell, port), client(port) as one:
            one.writer.write(OPEN)
            await one.until("OPEN_CONF")
            await one.until("SYSTEM_EVENT")
            one.heard.clear()
            happens(shell, "telephony-down")
            happens(shell, "telephony-up")
            one.writer.write(HEARTBEAT)
            await one.until("HEARTBEAT_CONF")
            told = [message.fields["SystemEventID"] for message in one.heard if message.name == "SYSTEM_EVENT"]
            assert told == ([4, 3] if deployment is Deployment.UCCX else [])

    run(story)


def test_a_storm_makes_whoever_is_ready_miss_a_call() -> None:
    async def story() -> None:
        async with listening() as (shell, port), client(port) as one:
            one.writer.write(OPEN_FOR_CALLS + LOGIN + READY)
            await one.until("OPEN_CONF")
            await one.until("SET_AGENT_STATE_CONF")
            await one.until("SET_AGENT_STATE_CONF")
            happens(shell, "rona-storm", 30)
            await one.until("CALL_DIVERTED_EVENT")
            missed = await one.until("END_CALL_EVENT")
            assert missed.text("CONNECTION_DEVID") == "1001"
            states = [m.fields["EventReasonCode"] for m in one.heard if m.name == "AGENT_STATE_EVENT"]
            assert states[-1] == 32767

    run(story)


def test_a_clock_that_drifts_shows_in_its_stamps() -> None:
    async def story() -> None:
        async with listening() as (shell, port), client(port) as one:
            one.writer.write(OPEN)
            opened = await one.until("OPEN_CONF")
            await one.until("SYSTEM_EVENT")
            happens(shell, "clock-drift", 3600)
            drifted = await one.until("SYSTEM_EVENT")
            gap = drifted.fields["ICMCentralControllerTime"] - opened.fields["ICMCentralControllerTime"]
            assert 3600 <= gap < 3700

    run(story)


def test_heartbeats_can_be_withheld_and_the_server_can_say_goodbye() -> None:
    async def story() -> None:
        async with listening() as (shell, port), client(port) as one:
            one.writer.write(OPEN)
            await one.until("OPEN_CONF")
            happens(shell, "no-heartbeats")
            assert not shell.server.answers_heartbeats
            happens(shell, "heartbeats")
            one.writer.write(HEARTBEAT)
            await one.until("HEARTBEAT_CONF")
            happens(shell, "offline")
            await one.until("FAILURE_EVENT")

    run(story)


def test_the_control_port_lets_faults_happen_places_calls_and_tells_how_things_are() -> None:
    async def story() -> None:
        async with listening() as (shell, _):
            one = await tool(shell)
            assert await one.says({"do": "fault", "name": "clock-drift", "numbers": [5]}) == {
                "ok": True,
                "text": "clock-drift",
            }
            assert (await one.says({"do": "call", "number": "5551234", "dials": "8010"}))["ok"]
            async with asyncio.timeout(PATIENCE_S):
                while (status := await one.says({"do": "status"}))["waiting"] == 0:
                    pass
            assert (status["calls"], status["agents"], status["side"]) == (1, {"LOGOUT": 8}, "A")
            assert await one.says({"do": "play", "text": "0 agent 1001 signs-in"}) == {"ok": True, "text": "1 steps"}
            one.writer.close()

    run(story)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"", "a line must be a JSON object"),
        (b"\xff\x00", "a line must be a JSON object"),
        (b"[" * 5000, "a line must be a JSON object"),
        (b"[]", "a line must be a JSON object"),
        (b'{"do": ["fault"]}', '"do" must be one of fault'),
        (b'{"do": "fault"}', '"name" must be a fault'),
        (b'{"do": "fault", "name": "flood"}', '"flood" is no fault'),
        (b'{"do": "fault", "name": "freeze", "numbers": "x"}', "must be a list of seconds"),
        (b'{"do": "fault", "name": "freeze", "numbers": [1e99]}', "must be a list of seconds"),
        (b'{"do": "fault", "name": "freeze", "numbers": [NaN]}', "must be a list of seconds"),
        (b'{"do": "fault", "name": "freeze", "numbers": [-1]}', "takes no time before now"),
        (b'{"do": "fault", "name": "clock-drift"}', '"clock-drift" takes 1 numbers'),
        (b'{"do": "call", "number": "5\\" x", "dials": "8010"}', "must be telephone numbers"),
        (b'{"do": "call", "number": "5551234", "dials": "7"}', "neither a queue"),
        (b'{"do": "play"}', '"text" must be a scenario'),
        (b'{"do": "play", "text": "0\\n1"}', "line 2: who does it"),
    ],
)
def test_a_bad_line_gets_one_answer_and_the_next_is_heard(line: bytes, says: str) -> None:
    async def story() -> None:
        async with listening() as (shell, _):
            one = await tool(shell)
            answer = await one.says(line)
            assert answer["ok"] is False
            assert says in answer["text"]
            assert (await one.says({"do": "status"}))["ok"]
            one.writer.close()

    run(story)


def test_an_endless_line_ends_its_own_connection() -> None:
    async def story() -> None:
        async with listening() as (shell, _):
            one = await tool(shell)
            one.writer.write(b"x" * (LINE_MAX + 1))
            async with asyncio.timeout(PATIENCE_S):
                assert not json.loads(await one.reader.readline())["ok"]
                assert await one.reader.read() == b""
            one.writer.close()

    run(story)


def test_every_fault_has_a_meaning() -> None:
    assert faults.MEANINGS.keys() == FAULTS.keys()
    assert all(faults.MEANINGS.values())

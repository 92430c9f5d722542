"""The CTI client over real sockets against the simulated CTI server; the client's time is moved by hand."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from poise.lab.rules import Deployment
from poise.lab.server import LabSettings
from poise.protocols.cti import timing
from poise.protocols.cti.codec import encode
from poise.protocols.cti.config import ConfigReceived
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import FloatValue, Message
from poise.protocols.cti.outputs import LinkUp, Outcome, Received, RequestEnded, Side
from poise.protocols.cti.settings import LinkSettings
from poise.protocols.cti.states import LinkState
from poise.server.clock import ManualClock
from poise.server.ctilink.client import SLICE, CtiClient
from tests.unit.server.ctilink.harness import Heard, World, lab, linked, run


def set_state(agent: str, state: AgentState, reason: int = 0, forced: int = 0) -> Message:
    floats: tuple[tuple[str, FloatValue], ...] = (("AGENT_INSTRUMENT", agent), ("AGENT_ID", agent))
    fields = {"AgentState": int(state), "EventReasonCode": reason, "ForcedFlag": forced, "AgentServiceReq": 1}
    return Message("SET_AGENT_STATE_REQ", fields, floats)


async def sign_in(world: World, agent: str = "1001") -> None:
    world.client.request(set_state(agent, AgentState.LOGIN), context="login")
    await world.heard.until(lambda: states(world, agent)[-1:] == [AgentState.NOT_READY])


def states(world: World, agent: str) -> list[int]:
    """The states events and queries told of an agent."""
    return [
        output.message.fields["AgentState"]
        for output in world.heard.outputs
        if isinstance(output, Received) and output.message.agent_id == agent
    ]


@asynccontextmanager
async def stranger(answer: bytes) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """A server that answers whatever it hears with some bytes and then says nothing; and when it did so."""
    writers: list[asyncio.StreamWriter] = []
    answered = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(1)
        writer.write(answer)
        answered.set()
        with suppress(ConnectionError):
            await reader.read()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], answered
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()


def test_the_whole_loop_from_connect_to_a_state_change() -> None:
    async def story() -> None:
        async with lab() as (_, port), linked(port) as world:
            assert await world.heard.ups(1) == LinkUp(Side("A", "127.0.0.1", port), 20)
            config = [output for output in world.heard.outputs if isinstance(output, ConfigReceived)][-1]
            assert [agent.agent_id for agent in config.agents][:2] == ["1001", "1002"]
            assert [(team.name, team.supervisors) for team in config.teams] == [
                ("Sales", ("1101",)),
                ("Support", ("1102",)),
            ]
            assert [group.number for group in config.skill_groups] == [10, 11, 12]
            assert states(world, "1001")[-1] == AgentState.LOGOUT
            await sign_in(world)
            ended = await world.heard.answer()
            assert (ended.context, ended.outcome) == ("login", Outcome.CONFIRMED)
            world.client.request(set_state("1002", AgentState.AVAILABLE), context="early")
            refused = await world.heard.answer(2)
            assert (refused.context, refused.failure_code) == ("early", 257)

    run(story)


@pytest.mark.parametrize(
    ("deployment", "load", "state", "reason"),
    [
        (Deployment.UCCX, 0, AgentState.LOGOUT, 255),
        (Deployment.UCCE, 0, AgentState.NOT_READY, 50002),
        (Deployment.UCCE, 1, AgentState.LOGOUT, 50002),
    ],
)
def test_a_forced_logout_ends_as_deployment_and_load_say(
    deployment: Deployment, load: int, state: AgentState, reason: int
) -> None:
    async def story() -> None:
        async with lab(LabSettings(deployment=deployment, load=load)) as (_, port), linked(port) as world:
            await world.heard.ups(1)
            await sign_in(world)
            world.client.request(set_state("1001", AgentState.AVAILABLE))
            await world.heard.until(lambda: states(world, "1001")[-1] == AgentState.AVAILABLE)
            world.client.request(set_state("1001", AgentState.LOGOUT, 255, forced=1))
            await world.heard.until(lambda: states(world, "1001")[-1] == state)
            last = [output for output in world.heard.outputs if isinstance(output, Received)][-1].message
            assert last.fields["EventReasonCode"] == reason

    run(story)


def test_two_clients_see_the_same_truth() -> None:
    async def story() -> None:
        async with lab() as (_, port), linked(port) as one, linked(port) as two:
            await one.heard.ups(1)
            await two.heard.ups(1)
            await sign_in(one)
            await two.heard.until(lambda: states(two, "1001")[-1] == AgentState.NOT_READY)

    run(story)


def test_a_cut_link_is_made_again_and_states_changed_meanwhile_are_learnt() -> None:
    async def story() -> None:
        async with lab() as (shell, port), linked(port) as world:
            await world.heard.ups(1)
            await sign_in(world)
            shell.server.acd.start_call("1001", shell.now())
            shell.drop_links()
            await world.heard.downs(1)
            world.clock.advance(timing.RETRY_FIRST_S)
            await world.heard.ups(2)
            assert states(world, "1001")[-1] == AgentState.TALKING
            assert "CONFIG_REQUEST_EVENT" in world.heard.names()
            assert world.heard.names().count("CONFIG_REQUEST_EVENT") == 1, "the configuration had not changed"

    run(story)


def test_the_other_side_is_taken_when_one_is_lost_and_the_first_again_later() -> None:
    async def story() -> None:
        async with lab() as (shell_a, port_a), lab() as (shell_b, port_b), linked(port_a, port_b) as world:
            await world.heard.ups(1)
            shell_a.do(shell_a.server.go_offline())
            await world.heard.downs(1)
            world.clock.advance(0)
            up = await world.heard.ups(2)
            assert up.side.name == "B"
            shell_b.do(shell_b.server.go_offline())
            await world.heard.downs(2)
            world.clock.advance(timing.RETRY_FIRST_S)
            assert (await world.heard.ups(3)).side.name == "A"

    run(story)


def test_when_the_last_heartbeat_was_answered_can_be_told() -> None:
    async def story() -> None:
        async with lab() as (_, port), linked(port) as world:
            await world.heard.ups(1)
            assert world.client.last_heartbeat_at is None
            world.clock.advance(timing.HEARTBEAT_S)
            sent_at = world.clock.wall()
            while world.client.last_heartbeat_at is None:
                await _turn()
            world.clock.advance(2.0)
            assert world.client.last_heartbeat_at == sent_at
            assert world.client.heartbeat_answered

    run(story)


def test_a_server_that_stops_answering_heartbeats_is_left() -> None:
    async def story() -> None:
        async with lab() as (shell, port), linked(port) as world:
            await world.heard.ups(1)
            shell.server.answers_heartbeats = False
            world.clock.advance(3 * timing.HEARTBEAT_S)
            assert world.client.up
            world.clock.advance(timing.HEARTBEAT_S)
            assert (await world.heard.downs(1)).reason == "3 heartbeats were not answered"
            shell.server.answers_heartbeats = True
            world.clock.advance(timing.RETRY_FIRST_S)
            await world.heard.ups(2)

    run(story)


@pytest.mark.parametrize(
    "garbage",
    [
        b"\xff" * 64,  # a giant length
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">II", 0x7FFFFFFF, 30),
        b"<stream:stream/>",
    ],
    ids=["giant", "http", "giant-agent-event", "xmpp"],
)
def test_garbage_ends_the_link_which_is_then_made_again(garbage: bytes) -> None:
    async def story() -> None:
        async with lab() as (shell, port), linked(port) as world:
            await world.heard.ups(1)
            shell.do(shell.server.garbage(garbage))
            assert "not GED-188" in (await world.heard.downs(1)).reason
            world.clock.advance(timing.RETRY_FIRST_S)
            await world.heard.ups(2)

    run(story)


def test_half_a_message_does_not_hold_the_link_for_ever() -> None:
    async def story() -> None:
        async with lab() as (shell, port), linked(port) as world:
            await world.heard.ups(1)
            shell.do(shell.server.garbage(struct.pack(">II", 100, 30) + b"half"))  # swallows what follows
            for _ in range(timing.HEARTBEATS_MISSED + 1):
                world.clock.advance(timing.HEARTBEAT_S)
            await world.heard.downs(1)

    run(story)


@pytest.mark.parametrize(
    "answer",
    [b"", b"SSH-2.0-x\r\n", b"\0" * 8, b"\0\0\0\4\0\0\0\6\0\0\0\1"],
    ids=["silent", "ssh", "zeros", "heartbeat"],
)
def test_a_server_that_is_no_cti_server_is_left_for_the_other_side(answer: bytes) -> None:
    async def story() -> None:
        async with stranger(answer) as (port_a, answered), lab() as (_, port_b), linked(port_a, port_b) as world:
            await answered.wait()
            world.clock.advance(timing.OPEN_TIMEOUT_S)
            assert (await world.heard.ups(1)).side.name == "B"
            assert world.heard.told[1][:3] == ("down", "A", f"127.0.0.1:{port_a}")

    run(story)


def test_a_server_gone_mad_never_keeps_the_link_from_the_sane_side() -> None:
    chance = random.Random(188)
    writers: list[asyncio.StreamWriter] = []
    sane = b"".join(
        encode(Message(name, fields), 20)
        for name, fields in (
            ("OPEN_CONF", {"PeripheralOnline": 1}),
            ("CONFIG_KEY_EVENT", {}),
            ("CONFIG_BEGIN_EVENT", {"ConfigType": 1}),
            ("AGENT_STATE_EVENT", {"AgentState": 3}),
        )
    )

    async def go_mad(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await reader.read(1)
        message = bytearray(sane)
        for _ in range(chance.randint(0, 8)):
            message[chance.randrange(len(message))] = chance.randrange(256)
        writer.write(bytes(message[: chance.randint(0, len(message))]) + chance.randbytes(chance.randint(0, 30)))
        writer.close()

    async def story() -> None:
        mad = await asyncio.start_server(go_mad, "127.0.0.1", 0)
        async with mad, lab() as (shell, port), linked(mad.sockets[0].getsockname()[1], port) as world:
            for times in range(1, 26):
                await world.heard.failures(2 * times - 1)
                world.clock.advance(0)
                assert (await world.heard.ups(times)).side.name == "B"
                shell.drop_links()
                await world.heard.downs(times)
                world.clock.advance(timing.RETRY_MAX_S)
            await world.client.stop()
            for writer in writers:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()

    run(story)


async def _turn() -> None:
    """Let the event loop serve its sockets once."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    loop.call_soon(done.set_result, None)
    await done


def test_a_closed_port_is_tried_again_with_rests_and_told() -> None:
    async def story() -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
            async with linked(port) as world:
                for times in (1, 2, 3):
                    await world.heard.failures(times)
                    world.clock.advance(timing.RETRY_MAX_S)
                assert world.heard.told[0][:3] == ("down", "A", f"127.0.0.1:{port}")
                assert "Connection refused" in world.heard.told[0][3]

    run(story)


def test_a_host_name_that_cannot_be_one_is_told_not_raised() -> None:
    async def story() -> None:
        heard = Heard()
        client = CtiClient(LinkSettings((Side("A", "a..b", 1),)), ManualClock(), heard, heard.output)
        client.start()
        await heard.until(lambda: bool(heard.told))
        assert heard.told[0][:3] == ("down", "A", "a..b:1")
        await client.stop()

    run(story)


def test_stopping_says_goodbye_to_the_server() -> None:
    async def story() -> None:
        async with lab() as (shell, port), linked(port) as world:
            await world.heard.ups(1)
            await world.client.stop()
            assert world.heard.names()[-1] == "CLOSE_REQ"
            assert shell.server.sessions == []
            assert not world.client.up
            await world.client.stop()

    run(story)


def test_a_client_that_was_never_started_stops_at_once() -> None:
    async def story() -> None:
        heard = Heard()
        await CtiClient(LinkSettings((Side("A", "x", 1),)), ManualClock(), heard, heard.output).stop()

    run(story)


def test_stopping_while_connecting_leaves_nothing_behind() -> None:
    async def story() -> None:
        async with lab() as (_, port):
            heard = Heard()
            client = CtiClient(LinkSettings((Side("A", "127.0.0.1", port),)), ManualClock(), heard, heard.output)
            client.start()
            await client.stop()
            assert client.link.state is LinkState.STOPPED

    run(story)


def test_requests_made_from_within_a_callback_keep_their_order() -> None:
    async def story() -> None:
        async with lab() as (_, port):
            heard = Heard()

            def react(output: object) -> None:
                heard.output(output)  # type: ignore[arg-type]
                if isinstance(output, LinkUp):
                    for number in range(3):
                        client.request(set_state(f"100{number + 1}", AgentState.LOGIN), context=number)

            client = CtiClient(LinkSettings((Side("A", "127.0.0.1", port),)), ManualClock(), heard, react)
            client.start()
            await heard.answer(3)
            ended = [output.context for output in heard.outputs if isinstance(output, RequestEnded)]
            assert ended == [0, 1, 2]
            await client.stop()

    run(story)


def test_a_consumers_mistake_is_loud_and_costs_one_event() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        mistakes: list[object] = []
        loop.set_exception_handler(lambda _, context: mistakes.append(context["exception"]))
        async with lab() as (_, port):
            heard = Heard()

            def fail(output: object) -> None:
                heard.output(output)  # type: ignore[arg-type]
                if isinstance(output, ConfigReceived):
                    raise ValueError("a mistake")

            client = CtiClient(LinkSettings((Side("A", "127.0.0.1", port),)), ManualClock(), heard, fail)
            client.start()
            await heard.ups(1)
            assert [str(mistake) for mistake in mistakes] == ["a mistake"] * len(mistakes)
            assert mistakes
            await client.stop()

    run(story)


def test_a_flood_of_events_is_worked_off_in_slices() -> None:
    async def story() -> None:
        async with lab() as (shell, port), linked(port) as world:
            await world.heard.ups(1)
            await sign_in(world)
            before = len(states(world, "1001"))
            changes = []
            for _ in range(10 * SLICE):
                changes += shell.server.acd.start_call("1001", shell.now())
                changes += shell.server.acd.end_call("1001", shell.now())
            longest = 0
            world.heard.outputs.clear()
            shell.publish(changes)
            while len(states(world, "1001")) < len(changes):
                count = len(world.heard.outputs)
                await _turn()
                longest = max(longest, len(world.heard.outputs) - count)
            assert before
            assert 0 < longest <= 2 * SLICE, longest

    run(story)


def test_the_log_tells_requests_and_events_but_no_heartbeats() -> None:
    async def story() -> None:
        async with lab() as (_, port), linked(port) as world:
            await world.heard.ups(1)
            await sign_in(world)
            world.clock.advance(timing.HEARTBEAT_S)
            world.client.request(set_state("1001", AgentState.LOGOUT))
            await world.heard.answer(2)
            names = world.heard.names()
            assert names[0] == "OPEN_REQ"
            assert names[-1] == "SET_AGENT_STATE_REQ"
            assert "HEARTBEAT_REQ" not in names
            told = [entry for entry in world.heard.told if entry[:2] == ("from", "AGENT_STATE_EVENT")]
            assert told[0][2:] == (1_700_000_000_000, 1_700_000_000_000)
            assert ("up", "A", f"127.0.0.1:{port}") in world.heard.told
            assert any(entry[:2] == ("from", "SET_AGENT_STATE_CONF") for entry in world.heard.told)

    run(story)

"""The simulated CTI server's port over real sockets: good clients are served whatever the others do."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from poise.lab import shell as shell_module
from poise.lab.server import LabSettings
from poise.lab.shell import LabShell
from poise.protocols.cti.codec import Framer, encode
from poise.protocols.cti.messages import Message

PATIENCE_S = 10.0
OPEN = encode(
    Message(
        "OPEN_REQ",
        {
            "VersionNumber": 20,
            "IdleTimeout": 20,
            "PeripheralID": 5000,
            "ServicesRequested": 0x94,
            "AgentStateMask": 0x3FFF,
        },
        (("CLIENT_ID", "Poise"),),
    ),
    20,
)
LOGIN = encode(
    Message(
        "SET_AGENT_STATE_REQ",
        {"InvokeID": 7, "PeripheralID": 5000, "AgentState": 0},
        (("AGENT_INSTRUMENT", "1001"), ("AGENT_ID", "1001")),
    ),
    20,
)


class Client:
    """A client with a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.framer = Framer(20)
        self.heard: list[Message] = []

    async def until(self, name: str) -> Message:
        """Read until a message of that name came."""
        async with asyncio.timeout(PATIENCE_S):
            while not any(message.name == name for message in self.heard):
                data = await self.reader.read(65536)
                assert data, f"closed before {name}; heard {[message.name for message in self.heard]}"
                self.heard += [item for item in self.framer.feed(data) if isinstance(item, Message)]
        found = next(message for message in self.heard if message.name == name)
        self.heard.remove(found)
        return found

    async def until_closed(self) -> bytes:
        """Read to the end."""
        async with asyncio.timeout(PATIENCE_S):
            with suppress(ConnectionError):
                return await self.reader.read()
        return b""


@asynccontextmanager
async def client(port: int) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Client(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def listening(settings: LabSettings | None = None) -> AsyncIterator[tuple[LabShell, int]]:
    shell = LabShell(settings)
    port = await shell.start(port=0)
    try:
        yield shell, port
    finally:
        await shell.stop()


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story; anything an event loop would only log is a failure."""

    async def told() -> None:
        mistakes: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: mistakes.append(context))
        async with asyncio.timeout(3 * PATIENCE_S):
            await story()
        assert not mistakes, mistakes

    asyncio.run(told())


def test_a_client_opens_and_signs_an_agent_in() -> None:
    async def story() -> None:
        async with listening() as (_, port), client(port) as one:
            one.writer.write(OPEN + LOGIN)
            await one.until("OPEN_CONF")
            await one.until("SET_AGENT_STATE_CONF")
            assert (await one.until("AGENT_STATE_EVENT")).fields["AgentState"] == 0
            assert (await one.until("AGENT_STATE_EVENT")).fields["AgentState"] == 2

    run(story)


def test_a_message_may_come_byte_by_byte() -> None:
    async def story() -> None:
        async with listening() as (_, port), client(port) as one:
            one.writer.transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in OPEN:
                one.writer.write(bytes((byte,)))
                await one.writer.drain()
            await one.until("OPEN_CONF")

    run(story)


@pytest.mark.parametrize(
    "bad",
    [
        b"\xff" * 100,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        struct.pack(">II", 0xFFFFFFFF, 3),
        struct.pack(">II", 12493, 3),
        b"\0" * 8,
        OPEN[:30] + OPEN,
    ],
)
@pytest.mark.parametrize("opened", [False, True])
def test_bad_bytes_close_their_own_connection_only(bad: bytes, opened: bool) -> None:
    async def story() -> None:
        async with listening() as (_, port), client(port) as good, client(port) as evil:
            good.writer.write(OPEN)
            await good.until("OPEN_CONF")
            evil.writer.write((OPEN if opened else b"") + bad)
            evil.writer.write_eof()
            await evil.until_closed()
            good.writer.write(LOGIN)
            await good.until("SET_AGENT_STATE_CONF")

    run(story)


def test_random_bytes_and_bent_messages_never_hurt_the_others() -> None:
    chance = random.Random(188)

    async def story() -> None:
        async with listening() as (shell, port), client(port) as good:
            good.writer.write(OPEN)
            await good.until("OPEN_CONF")
            for _ in range(150):
                async with client(port) as evil:
                    message = bytearray(chance.choice([OPEN, OPEN + LOGIN, LOGIN]))
                    for _ in range(chance.randint(0, 6)):
                        message[chance.randrange(len(message))] = chance.randrange(256)
                    evil.writer.write(bytes(message[: chance.randint(1, len(message))]))
                    evil.writer.write(chance.randbytes(chance.randint(0, 40)))
                    with suppress(ConnectionError):
                        await evil.writer.drain()
            good.writer.write(LOGIN)
            await good.until("SET_AGENT_STATE_CONF")
            while len(shell.connections) > 1:  # the last of them are still closing
                good.writer.write(encode(Message("HEARTBEAT_REQ", {"InvokeID": 1}), 20))
                await good.until("HEARTBEAT_CONF")

    run(story)


def test_a_client_that_does_not_read_is_dropped_and_the_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "MAX_UNREAD_BYTES", 10_000)

    async def story() -> None:
        async with listening() as (shell, port), client(port) as good:
            deaf = socket.create_connection(("127.0.0.1", port))
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                good.writer.write(OPEN + LOGIN)
                deaf.sendall(OPEN)
                await good.until("SET_AGENT_STATE_CONF")
                while len(shell.connections) == 2:
                    changes = [*shell.server.acd.start_call("1001", 1.0), *shell.server.acd.end_call("1001", 1.0)]
                    shell.publish(changes * 100)
                    await good.until("AGENT_STATE_EVENT")
                    good.heard.clear()
                good.writer.write(encode(Message("HEARTBEAT_REQ", {"InvokeID": 1}), 20))
                await good.until("HEARTBEAT_CONF")
            finally:
                deaf.close()

    run(story)


def test_more_clients_than_there_is_room_for_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell_module, "MAX_CLIENTS", 1)

    async def story() -> None:
        async with listening() as (_, port), client(port) as one:
            one.writer.write(OPEN)
            await one.until("OPEN_CONF")
            async with client(port) as two:
                assert await two.until_closed() == b""
            one.writer.write(LOGIN)
            await one.until("SET_AGENT_STATE_CONF")

    run(story)


def test_stopping_says_goodbye_to_every_client() -> None:
    async def story() -> None:
        shell = LabShell()
        port = await shell.start(port=0)
        async with client(port) as one:
            one.writer.write(OPEN)
            await one.until("OPEN_CONF")
            await shell.stop()
            assert (await one.until("FAILURE_EVENT")).fields["Status"] == 15
            assert await one.until_closed() == b""
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", port)

    run(story)


def test_a_taken_port_is_an_os_error() -> None:
    async def story() -> None:
        async with listening() as (_, port):
            with pytest.raises(OSError, match=str(port)):
                await LabShell().start(port=port)

    run(story)

"""A CTI client on a hand-moved clock, real sockets, and the simulated CTI server behind them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from poise.lab.server import LabSettings
from poise.lab.shell import LabShell
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import LinkDown, LinkUp, Output, RequestEnded, Side
from poise.protocols.cti.settings import LinkSettings
from poise.server.clock import ManualClock
from poise.server.ctilink.client import CtiClient

T = TypeVar("T")
PATIENCE_S = 10.0


class Heard:
    """Everything a client told: its outputs in order, and its log."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.told: list[tuple[Any, ...]] = []
        self._news = asyncio.Event()

    def output(self, output: Output) -> None:
        self.outputs.append(output)
        self._news.set()

    def message_to_cti_server(self, message: Message) -> None:
        self.told.append(("to", message.name))

    def decoded_message_from_cti_server(self, message: Message, received_ms: int, dispatch_ms: int) -> None:
        self.told.append(("from", message.name, received_ms, dispatch_ms))

    def cti_link_up(self, side: str, address: str) -> None:
        self.told.append(("up", side, address))

    def cti_link_down(self, side: str, address: str, reason: str) -> None:
        self.told.append(("down", side, address, reason))
        self._news.set()

    def cti_link_trouble(self, text: str) -> None:
        self.told.append(("trouble", text))

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for news until something is true."""
        async with asyncio.timeout(PATIENCE_S):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def one(self, kind: type[T], times: int = 1) -> T:
        """The n-th output of a kind."""
        await self.until(lambda: sum(isinstance(output, kind) for output in self.outputs) >= times)
        return [output for output in self.outputs if isinstance(output, kind)][times - 1]

    async def ups(self, times: int) -> LinkUp:
        return await self.one(LinkUp, times)

    async def downs(self, times: int) -> LinkDown:
        return await self.one(LinkDown, times)

    async def answer(self, times: int = 1) -> RequestEnded:
        return await self.one(RequestEnded, times)

    async def failures(self, times: int) -> None:
        """That many attempts have ended."""
        await self.until(lambda: sum(entry[0] == "down" for entry in self.told) >= times)

    def names(self) -> list[str]:
        return [str(entry[1]) for entry in self.told if entry[0] == "to"]


class World:
    """Client, clock, and what was heard."""

    def __init__(self, sides: tuple[Side, ...], tls: ssl.SSLContext | None = None) -> None:
        self.clock = ManualClock()
        self.heard = Heard()
        self.client = CtiClient(LinkSettings(sides), self.clock, self.heard, self.heard.output, tls=tls)


@asynccontextmanager
async def lab(settings: LabSettings | None = None) -> AsyncIterator[tuple[LabShell, int]]:
    """A simulated CTI server on a free port."""
    shell = LabShell(settings)
    port = await shell.start(port=0)
    try:
        yield shell, port
    finally:
        await shell.stop()


@asynccontextmanager
async def linked(*ports: int, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[World]:
    """A client of those ports, started, and stopped at the end whatever happens."""
    world = World(tuple(Side("AB"[at], host, port) for at, port in enumerate(ports)), tls)
    world.client.start()
    try:
        yield world
    finally:
        stopping = asyncio.ensure_future(world.client.stop())
        await asyncio.wait([stopping], timeout=1.0)
        world.clock.advance(10.0)  # for a server that does not answer CLOSE_REQ
        await stopping


def run(story: Callable[[], Awaitable[None]]) -> None:
    """Run a story on a fresh event loop that fails on anything an event loop would only log."""

    async def told() -> None:
        mistakes: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: mistakes.append(context))
        async with asyncio.timeout(3 * PATIENCE_S):
            await story()
        assert not mistakes, mistakes

    asyncio.run(told())

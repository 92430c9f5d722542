"""A live session: client, proxy in the middle, simulated CTI server; what passed is captured and told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from poise.lab.server import LabSettings
from poise.lab.shell import LabShell
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import LinkUp, RequestEnded, Side
from poise.protocols.cti.settings import LinkSettings, versions_from
from poise.server.clock import ManualClock
from poise.server.ctilink.client import CtiClient
from poise.tools.cti_pcap import Endpoint
from poise.tools.cti_sources import Heard
from poise.tools.cti_trace import Proxy
from tests.unit.server.ctilink.harness import Heard as Told

SIGN_IN = Message(
    "SET_AGENT_STATE_REQ",
    {"AgentState": int(AgentState.LOGIN), "AgentServiceReq": 1},
    (("AGENT_INSTRUMENT", "1001"), ("AGENT_ID", "1001"), ("AGENT_PASSWORD", "secret")),
)


class Audience:
    """What a proxy or a monitor told, and a way to wait for it."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.news: list[str] = []
        self._more = asyncio.Event()

    def hear(self, heard: Heard) -> None:
        self.heard.append(heard)
        self._more.set()

    def tell(self, news: str) -> None:
        self.news.append(news)
        self._more.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until something is true; it is asked again whenever more was heard."""
        async with asyncio.timeout(10):
            while not true():
                self._more.clear()
                await self._more.wait()

    @property
    def names(self) -> list[str]:
        """Names of the messages heard."""
        return [one.said.item.name for one in self.heard if isinstance(one.said.item, Message)]


@asynccontextmanager
async def lab(settings: LabSettings | None = None) -> AsyncIterator[tuple[LabShell, int]]:
    """A simulated CTI server."""
    shell = LabShell(settings)
    try:
        yield shell, await shell.start(port=0)
    finally:
        await shell.stop()


async def session_through(port: int, version: int) -> None:
    """A client links through that port, signs an agent in, and closes."""
    told = Told()
    settings = LinkSettings((Side("A", "127.0.0.1", port),), versions=versions_from(version))
    client = CtiClient(settings, ManualClock(), told, told.output)
    client.start()
    await told.one(LinkUp)
    client.request(SIGN_IN)
    await told.one(RequestEnded)
    await client.stop()


async def captured(file: Path, version: int) -> Audience:
    """A whole session through a proxy that writes a capture."""
    audience = Audience()
    with file.open("wb") as opened:
        async with lab() as (_, port):
            proxy = Proxy(Endpoint("127.0.0.1", port), audience.hear, audience.tell, capture=opened)
            try:
                await session_through(await proxy.start("127.0.0.1", 0), version)
                await audience.until(lambda: any(text.endswith("ended") for text in audience.news))
            finally:
                await proxy.stop()
    return audience

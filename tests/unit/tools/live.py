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
from poise.protocols.cti.outputs import LinkUp, Received, Side
from poise.protocols.cti.settings import LinkSettings, versions_from
from poise.server.clock import ManualClock
from poise.server.ctilink.client import CtiClient
from poise.tools.cti_pcap import Endpoint
from poise.tools.cti_sources import Heard
from poise.tools.cti_trace import Proxy
from tests.unit.server.ctilink.harness import Heard as Told


def sign_in(agent: str) -> Message:
    """An agent signs in at the telephone of the same number."""
    fields = {"AgentState": int(AgentState.LOGIN), "AgentServiceReq": 1}
    floats = (("AGENT_INSTRUMENT", agent), ("AGENT_ID", agent), ("AGENT_PASSWORD", "secret"))
    return Message("SET_AGENT_STATE_REQ", fields, floats)


MAKE_CALL = Message("MAKE_CALL_REQ", {}, (("AGENT_INSTRUMENT", "1001"), ("DIALED_NUMBER", "1002")))


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


async def session_through(port: int, version: int, *, busy: bool = True) -> None:
    """A client links, two agents sign in, one calls the other, the client closes; not `busy`: only the link."""
    told = Told()
    settings = LinkSettings((Side("A", "127.0.0.1", port),), versions=versions_from(version))
    client = CtiClient(settings, ManualClock(), told, told.output)
    client.start()
    await told.one(LinkUp)
    if busy:
        await _work(client, told)
    await client.stop()


async def _work(client: CtiClient, told: Told) -> None:
    for done, request in enumerate((sign_in("1001"), sign_in("1002"), MAKE_CALL), 1):
        client.request(request)
        await told.answer(done)
    await told.until(lambda: "CALL_DELIVERED_EVENT" in received(told))
    call = (await told.answer(3)).answer
    assert call is not None
    number = call.fields["NewConnectionCallID"]
    for done, (name, device) in enumerate((("ANSWER_CALL_REQ", "1002"), ("CLEAR_CALL_REQ", "1001")), 4):
        client.request(Message(name, {"ConnectionCallID": number}, (("CONNECTION_DEVID", device),)))
        await told.answer(done)
    await told.until(lambda: "END_CALL_EVENT" in received(told))


def received(told: Told) -> list[str]:
    """Names of the events a client heard."""
    return [output.message.name for output in told.outputs if isinstance(output, Received)]


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

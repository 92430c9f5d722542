"""Tracing live sessions: as a proxy in the middle, and as a client that only listens."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from poise.lab.server import LabSettings
from poise.protocols.cti.conversation import Skipped
from poise.protocols.cti.messages import Message
from poise.protocols.cti.settings import versions_from
from poise.tools.cti_pcap import Endpoint
from poise.tools.cti_sources import from_capture
from poise.tools.cti_trace import Monitor, Proxy
from tests.unit.server.ctilink.harness import run
from tests.unit.tools.live import Audience, captured, lab, session_through

HERE = "127.0.0.1"


@pytest.mark.parametrize("version", [15, 18, 20, 24])
def test_a_proxy_changes_nothing_and_tells_everything_both_sides_say(version: int, tmp_path: Path, tshark: str) -> None:
    async def story() -> None:
        audience = await captured(tmp_path / "live.pcap", version)
        names = audience.names
        assert names[0] == "OPEN_REQ"
        for name in ("OPEN_CONF", "CONFIG_AGENT_EVENT", "SET_AGENT_STATE_REQ", "AGENT_STATE_EVENT", "CLOSE_CONF"):
            assert name in names
        assert {heard.said.version for heard in audience.heard} == {version}
        assert not any(isinstance(heard.said.item, Skipped) for heard in audience.heard)
        again = [heard.said for heard in from_capture(tmp_path / "live.pcap")]
        assert again == [heard.said for heard in audience.heard]

    run(story)


def test_a_cti_server_that_is_not_there_is_named_and_the_client_let_go() -> None:
    async def story() -> None:
        audience = Audience()
        async with lab() as (_, port):
            pass
        proxy = Proxy(Endpoint(HERE, port), audience.hear, audience.tell)
        reader, writer = await asyncio.open_connection(HERE, await proxy.start(HERE, 0))
        with suppress(ConnectionError):
            assert await reader.read() == b""
        writer.close()
        await audience.until(lambda: any("no connection to" in text for text in audience.news))
        await proxy.stop()

    run(story)


def test_several_clients_are_told_apart() -> None:
    async def story() -> None:
        audience = Audience()
        async with lab() as (_, port):
            proxy = Proxy(Endpoint(HERE, port), audience.hear, audience.tell)
            front = await proxy.start(HERE, 0)
            await asyncio.gather(*(session_through(front, version, busy=False) for version in (20, 15)))
            await audience.until(lambda: sum(text.endswith("ended") for text in audience.news) == 2)
            await proxy.stop()
        versions = {number: {h.said.version for h in audience.heard if h.stream == number} for number in (1, 2)}
        assert sorted(map(list, versions.values())) == [[15], [20]]

    run(story)


def test_a_monitor_hears_everything_and_controls_nothing() -> None:
    async def story() -> None:
        audience = Audience()
        async with lab(LabSettings(versions=(13, 18))) as (shell, port):
            monitor = Monitor(Endpoint(HERE, port), audience.hear, audience.tell, versions=versions_from(24))
            task = asyncio.ensure_future(monitor.run())
            await audience.until(lambda: any(text.startswith("listening to") for text in audience.news))
            await session_through(port, 18)
            await audience.until(lambda: "AGENT_STATE_EVENT" in audience.names)
            opening = next(h.said.item for h in audience.heard if h.said.client)
            assert isinstance(opening, Message)
            assert not opening.fields["ServicesRequested"] & 0x4, "no control is asked for"
            assert {h.said.version for h in audience.heard if h.stream == 4} <= {18}
            await shell.stop()
            await audience.until(lambda: any("offline" in text or "closed" in text for text in audience.news))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    run(story)


def test_a_monitor_keeps_trying_and_says_why() -> None:
    async def story() -> None:
        audience = Audience()
        async with lab() as (_, port):
            pass
        monitor = Monitor(Endpoint(HERE, port), audience.hear, audience.tell, versions=(20,))
        task = asyncio.ensure_future(monitor.run())
        await audience.until(lambda: len(audience.news) >= 1)
        assert "no connection" in audience.news[0]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(story)

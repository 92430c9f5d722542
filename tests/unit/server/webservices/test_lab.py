"""Administrators and the demo's telephone system: `/poise/api/lab`, passed on to a real lab's control port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from poise.lab.shell import LabShell
from poise.server.webservices.app import web_services
from poise.server.webservices.lab import BODY_MAX, PATH, LabResource
from poise.server.webservices.services import Services
from tests.unit.server.webservices.stage import Reply, Rest

Answerer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Demo:
    """REST with the telephone system behind it."""

    def __init__(self, rest: Rest, port: int) -> None:
        self.rest = rest
        self.port = port
        services = Services(rest.accounts, rest.contact.service, rest.contact.clock, rest.log)
        rest.app = web_services(services, LabResource(services, lambda: self.port).routes())

    async def says(self, wish: object, user: str | None = "admin") -> Reply:
        """POST."""
        return await self.rest.ask("POST", PATH, user, wish if isinstance(wish, bytes) else json.dumps(wish))

    async def status(self) -> dict[str, Any]:
        """GET."""
        reply = await self.rest.get(PATH, "admin")
        assert reply.status == 200
        told: dict[str, Any] = json.loads(reply.body)
        return told


def play(story: Callable[[Demo, LabShell], Awaitable[None]]) -> None:
    async def run() -> None:
        shell = LabShell()
        await shell.start(port=0)
        rest = Rest()
        try:
            await story(Demo(rest, await shell.start_control()), shell)
        finally:
            await rest.accounts.close()
            await shell.stop()

    asyncio.run(run())


def problem(reply: Reply) -> tuple[int, str, str]:
    told = json.loads(reply.body)
    assert reply.header("content-type") == "application/problem+json"
    return reply.status, told["code"], told.get("detail", "")


def test_an_administrator_sees_how_it_is_lets_faults_happen_and_places_calls() -> None:
    async def story(demo: Demo, shell: LabShell) -> None:
        assert (await demo.status())["callsBegun"] == 0
        reply = await demo.says({"do": "fault", "name": "telephony-down"})
        assert (reply.status, json.loads(reply.body)) == (200, {"text": "telephony-down"})
        assert (await demo.status())["telephony"] is False
        await demo.says({"do": "fault", "name": "telephony-up"})
        assert (await demo.says({"do": "call", "number": "5551234", "dials": "8010"})).status == 200
        async with asyncio.timeout(20):
            while not (await demo.status())["callsBegun"]:
                pass

    play(story)


def test_what_the_telephone_system_refuses_is_refused_with_its_words() -> None:
    async def story(demo: Demo, shell: LabShell) -> None:
        status, code, detail = problem(await demo.says({"do": "fault", "name": "earthquake"}))
        assert (status, code) == (400, "lab-refused")
        assert detail.startswith('"earthquake" is no fault: drop-link')

    play(story)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 5000, b"{" + b" " * BODY_MAX])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    async def story(demo: Demo, shell: LabShell) -> None:
        assert problem(await demo.says(body))[:2] == (400, "body-malformed")

    play(story)


def test_only_administrators_and_only_known_methods() -> None:
    async def story(demo: Demo, shell: LabShell) -> None:
        fault = {"do": "fault", "name": "telephony-down"}
        assert problem(await demo.says(fault, "1001"))[:2] == (403, "administrators-only")
        assert problem(await demo.says(fault, None))[:2] == (401, "credentials-needed")
        assert problem(await demo.rest.ask("DELETE", PATH, "admin"))[:2] == (405, "method-not-allowed")
        assert (await demo.status())["telephony"] is True

    play(story)


async def _hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def _babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"[1]\n")
    writer.close()


@pytest.mark.parametrize("answerer", [None, _hangs_up, _babbles])
def test_a_telephone_system_that_is_away_or_talks_nonsense_is_said_to_be_absent(answerer: Answerer | None) -> None:
    async def story(demo: Demo, shell: LabShell) -> None:
        if answerer is None:
            demo.port = 0
            assert problem(await demo.says({"do": "status"}))[:2] == (503, "lab-absent")
            return
        async with await asyncio.start_server(answerer, "127.0.0.1", 0) as server:
            demo.port = server.sockets[0].getsockname()[1]
            assert problem(await demo.says({"do": "status"}))[:2] == (503, "lab-absent")

    play(story)

"""Who is locked out is seen and let in again by administrators alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from poise.server.webservices.app import web_services
from poise.server.webservices.lockouts import PATH, LockoutsResource
from poise.server.webservices.services import Services
from tests.unit.server.agents.stage import USER
from tests.unit.server.webservices.configuration.stage import Audit
from tests.unit.server.webservices.stage import Rest


def play(story: Callable[[Rest, Audit], Awaitable[None]]) -> None:
    async def run() -> None:
        rest, audit = Rest(), Audit()
        rest.contact.in_service()
        services = Services(rest.accounts, rest.contact.service, rest.contact.clock, rest.log)
        rest.app = web_services(services, LockoutsResource(services, audit).routes())
        try:
            await story(rest, audit)
        finally:
            await rest.accounts.close()

    asyncio.run(run())


def test_a_locked_agent_is_listed_and_let_in_again() -> None:
    async def story(rest: Rest, audit: Audit) -> None:
        for guess in range(5):
            assert (await rest.get(USER, password=f"guess{guess}")).status == 401
        assert (await rest.get(USER)).status == 401, "locked: the right password does not help"
        told = json.loads((await rest.get(PATH, "admin")).body)
        assert told["total"] == 1
        assert (told["locked"][0]["user"], 290 < told["locked"][0]["seconds"] <= 300) == ("1001", True)
        cleared = await rest.ask("DELETE", f"{PATH}/1001", "admin")
        assert (cleared.status, json.loads(cleared.body)) == (200, {"user": "1001", "locked": False})
        assert audit.lines[0]["user"] == "admin"
        assert json.loads((await rest.get(PATH, "admin")).body) == {"total": 0, "locked": []}
        assert (await rest.get(USER)).status == 200

    play(story)


def test_nobody_else_and_nothing_else() -> None:
    async def story(rest: Rest, audit: Audit) -> None:
        assert (await rest.get(PATH, None)).status == 401
        assert (await rest.get(PATH, "1101")).status == 403
        assert (await rest.ask("DELETE", f"{PATH}/1001", "1101")).status == 403
        unknown = await rest.ask("DELETE", f"{PATH}/1001", "admin")
        assert (unknown.status, json.loads(unknown.body)["code"]) == (404, "lockout-unknown")
        for method, path in (("PUT", PATH), ("GET", f"{PATH}/1001")):
            reply = await rest.ask(method, path, "admin")
            assert (reply.status, reply.header("allow") is not None) == (405, True)
        assert audit.lines == []

    play(story)

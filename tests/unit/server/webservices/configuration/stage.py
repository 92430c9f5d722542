"""The configuration resources over a real database, with the audit log as a list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from poise.contact.states import Deployment
from poise.server.storage.configuration import Configuration
from poise.server.storage.records import ReasonCodeRecord
from poise.server.storage.store import Store
from poise.server.translation import reason_book
from poise.server.webservices.app import web_services
from poise.server.webservices.configuration.service import ConfigurationService
from poise.server.webservices.services import Services
from tests.support.databases import url_of
from tests.unit.server.webservices.stage import ORIGIN, Reply, Rest

API = "/finesse/api"


class Audit:
    """Remembers what was changed."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def changed(self, **fields: Any) -> None:
        self.lines.append(fields)


class Centre(Rest):
    """A server with configuration."""

    def __init__(self, store: Store, deployment: Deployment, secondary: bool = False) -> None:
        super().__init__(deployment)
        self.audit = Audit()
        self.configuration = Configuration(store)

        def reasons(records: Sequence[ReasonCodeRecord]) -> None:
            self.contact.service.reasons = reason_book(deployment, records)

        self.service = service = ConfigurationService(
            self.configuration, self.audit, deployment, on_reasons=reasons, secondary=secondary
        )
        contact = self.contact
        allowed = frozenset({ORIGIN})
        self.app = web_services(Services(self.accounts, contact.service, contact.clock, self.log, allowed, service))

    async def as_admin(
        self, method: str, path: str, body: str | bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """A request of the administrator, by a path below the API."""
        return await self.ask(method, API + path, "admin", body, headers=headers)

    async def make(self, path: str, body: str) -> str:
        """A new object; its path below the API."""
        reply = await self.as_admin("POST", path, body)
        assert reply.status == 200, reply.body
        location = reply.header("location")
        assert location is not None
        assert location.startswith("https://")
        return location.partition(API)[2]


def play(
    folder: Path,
    story: Callable[[Centre], Awaitable[None]],
    deployment: Deployment = Deployment.UCCE,
    *,
    secondary: bool = False,
    in_service: bool = True,
) -> None:
    """Run a story on a server that is in service, or is not yet."""

    async def run() -> None:
        store = await Store.open(url_of(folder))
        centre = Centre(store, deployment, secondary)
        if in_service:
            centre.contact.in_service()
        try:
            await story(centre)
        finally:
            await centre.accounts.close()
            await store.close()

    asyncio.run(run())

"""The web services as an ASGI server sees them, over real accounts and a real agent service."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import argon2

from poise.contact.reasons import Category, ReasonBook, ReasonCode
from poise.contact.states import Deployment
from poise.server.accounts import Accounts
from poise.server.storage.records import Account, Role
from poise.server.storage.store import StoreError
from poise.server.webservices.app import web_services
from poise.server.webservices.services import Services
from tests.unit.server.agents.laboratory import Laboratory
from tests.unit.server.agents.stage import Stage

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
AGENT, SUPERVISOR = frozenset({Role.AGENT}), frozenset({Role.AGENT, Role.SUPERVISOR})
PEOPLE = [
    Account("1001", "agent1", CHEAP.hash("1001"), AGENT),
    Account("1002", "agent2", CHEAP.hash("1002"), AGENT),
    Account("1003", "agent3", CHEAP.hash("1003"), AGENT),
    Account("1101", "supervisor1", CHEAP.hash("1101"), SUPERVISOR),
    Account("admin", "admin", CHEAP.hash("admin"), frozenset({Role.ADMINISTRATOR})),
    Account("agent7", "seventh", CHEAP.hash("secret7"), AGENT),
    Account("2001", "elsewhere", CHEAP.hash("p:ä€"), AGENT),
]
REASONS = (
    ReasonCode(1, Category.NOT_READY, 12, "Lunch"),
    ReasonCode(2, Category.LOGOUT, 22, "End of shift"),
    ReasonCode(3, Category.NOT_READY, 13, "Only Support", for_all=False, teams=frozenset({2})),
)
ORIGIN = "https://crm.example.com"


class Memory:
    """Accounts in a list."""

    broken = False

    async def find_account(self, name: str) -> Account | None:
        if self.broken:
            raise StoreError("gone")
        return next((a for a in PEOPLE if name.lower() == a.login_id or name.casefold() == a.login_name), None)

    async def set_password_hash(self, login_id: str, password_hash: str) -> bool:
        raise AssertionError("not in these tests")


class RestLog:
    """Remembers what was told."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.faults: list[BaseException] = []

    def rest_request(self, **fields: Any) -> None:
        self.requests.append(fields)

    def session_killed(self, *, user: str, address: str, jid: str) -> None:
        self.requests.append({"user": user, "address": address, "killed": jid})

    def key_log_switched(self, *, user: str, address: str, enabled: bool) -> None:
        self.requests.append({"user": user, "address": address, "key_log": enabled})

    def rest_fault(self, *, method: str, path: str, error: BaseException) -> None:
        self.faults.append(error)


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, list[str]]
    body: str

    def header(self, name: str) -> str | None:
        """The one header of that name."""
        values = self.headers.get(name.lower(), [])
        assert len(values) <= 1
        return values[0] if values else None

    def value(self, name: str) -> str | None:
        """Text of the first element of that name."""
        match = re.search(f"<{name}>([^<]*)</{name}>", self.body)
        return match[1] if match else None

    @property
    def error(self) -> tuple[int, str | None, str | None, str | None]:
        """Status, ErrorType, ErrorMessage, ErrorData."""
        return self.status, self.value("ErrorType"), self.value("ErrorMessage"), self.value("ErrorData")


def basic(user: str, password: str | None = None) -> str:
    """An Authorization header; the password defaults to the user."""
    return "Basic " + base64.b64encode(f"{user}:{password or user}".encode()).decode()


class Rest:
    """One server."""

    def __init__(self, deployment: Deployment = Deployment.UCCE, laboratory: Laboratory | None = None) -> None:
        """`laboratory` stands in for the scripted CTI server."""
        self.contact = Stage(deployment)
        contact = laboratory or self.contact
        contact.service.reasons = ReasonBook(deployment, REASONS)
        self.source = Memory()
        self.log = RestLog()
        self.accounts = Accounts(self.source, contact.clock)
        self.services = Services(self.accounts, contact.service, contact.clock, self.log, frozenset({ORIGIN}))
        self.app = web_services(self.services)

    async def ask(
        self,
        method: str,
        target: str,
        user: str | None = None,
        body: str | bytes = b"",
        *,
        password: str | None = None,
        headers: Mapping[str, str] | None = None,
        scheme: str = "https",
        chunks: int = 1,
    ) -> Reply:
        """Send one request."""
        sent = {"Content-Type": "application/xml"} if body else {}
        if user is not None:
            sent["Authorization"] = basic(user, password)
        sent |= headers or {}
        data = body.encode() if isinstance(body, str) else body
        size = max(1, -(-len(data) // chunks))
        parts = [data[start : start + size] for start in range(0, len(data), size)] or [b""]
        answers: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            if not parts:
                return {"type": "http.disconnect"}
            part = parts.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: MutableMapping[str, Any]) -> None:
            answers.append(message)

        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "scheme": scheme,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
            "client": ("10.0.0.9", 5000),
            "server": ("localhost", 8445),
        }
        await self.app(scope, receive, send)
        got: dict[str, list[str]] = {}
        for name, value in answers[0]["headers"]:
            got.setdefault(name.decode().lower(), []).append(value.decode("latin-1"))
        text = b"".join(message.get("body", b"") for message in answers[1:]).decode()
        return Reply(answers[0]["status"], got, text)

    async def get(self, target: str, user: str | None = "1001", **more: Any) -> Reply:
        """GET."""
        return await self.ask("GET", target, user, **more)

    async def put(self, user: str | None, target: str, body: str, **more: Any) -> Reply:
        """PUT as that user."""
        return await self.ask("PUT", target, user, body, **more)


def play_in_laboratory(story: Callable[[Rest, Laboratory], Awaitable[None]], laboratory: Laboratory) -> None:
    """Run a story on a server that is in service behind the built-in ACD."""

    async def run() -> None:
        laboratory.in_service()
        rest = Rest(laboratory.deployment, laboratory)
        try:
            await story(rest, laboratory)
        finally:
            await rest.accounts.close()

    asyncio.run(run())


def play(story: Callable[[Rest], Awaitable[None]], deployment: Deployment = Deployment.UCCE) -> None:
    """Run a story on a server that is in service."""

    async def run() -> None:
        rest = Rest(deployment)
        rest.contact.in_service()
        try:
            await story(rest)
        finally:
            await rest.accounts.close()

    asyncio.run(run())

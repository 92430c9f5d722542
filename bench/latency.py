"""How long a state change takes from PUT to the event on the held poll, at a fixed rate, over TLS, in a real server.

    python -m bench.latency [--agents 50] [--rate 100] [--seconds 20]

Starts a server and a simulated CTI server as processes of their own, signs the agents in over BOSH, and lets them
alternate between READY and NOT_READY: PUTs leave at fixed moments, whatever the server does with the earlier ones.
A latency runs from the writing of a PUT to the reading of the event that carries its requestId. Prints one JSON line.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import ssl
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.process import Lab, Server, serve_beside

from poise.lab.data import LabData, Person, SkillGroup, Team, as_json
from poise.server.hashing import password_hasher
from poise.server.notification.loop import run
from poise.server.storage.importing import import_accounts
from poise.server.storage.store import DATABASE, Store, sqlite_url

PASSWORD = "latency"
LOST_AFTER_S = 10.0
"""Seconds after which an event that has not come counts as lost."""
_EVENT = re.compile(
    rb"&lt;state&gt;(?P<state>\w+)&lt;/state&gt;.*?&lt;requestId&gt;(?P<id>[\w-]+)&lt;/requestId&gt;", re.DOTALL
)
_AUTH = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{token}</auth>"
_BIND = (
    "<iq type='set' id='b' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<resource>desktop</resource></bind></iq>"
)
_PRESENCE = "<presence xmlns='jabber:client'/>"
_XBOSH = "xmlns:xmpp='urn:xmpp:xbosh'"


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    agents: int
    rate: float
    latencies_ms: tuple[float, ...]
    lost: tuple[str, ...]
    """PUTs whose event never came."""
    wrong: tuple[str, ...]
    """Events with another state than was asked for, events that came twice, PUTs that were not answered with 202."""
    late_ms: float
    """How late this program itself sent a PUT at most: above a few milliseconds the machine was too busy."""

    def at(self, share: float) -> float:
        """The latency that this share of all PUTs did not exceed, milliseconds."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")

    def as_json(self) -> str:
        """One line."""
        return json.dumps(
            {
                "agents": self.agents,
                "rate": self.rate,
                "puts": len(self.latencies_ms) + len(self.lost),
                "lost": len(self.lost),
                "wrong": len(self.wrong),
                "p50_ms": round(self.at(0.50), 2),
                "p99_ms": round(self.at(0.99), 2),
                "max_ms": round(self.at(1.0), 2),
                "driver_late_ms": round(self.late_ms, 2),
            }
        )


class Http:
    """One keep-alive connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext) -> Http:
        """Connect to a TLS port of this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="localhost"))

    def write(self, method: str, path: str, body: str, *headers: str) -> None:
        """Send a request."""
        data = body.encode()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(data)}", *headers, "", ""]
        self.writer.write("\r\n".join(lines).encode() + data)

    async def read(self) -> tuple[int, bytes]:
        """Status and body of the next answer."""
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        body = await self._reader.readexactly(int(length[1])) if length else b""
        return int(head[9:12]), body


class Agent:
    """One agent: a desktop that always has a poll held, and a connection for REST."""

    def __init__(self, user: str, seen: Seen) -> None:
        self.user = user
        self.state = "NOT_READY"
        self._seen = seen
        self._rid = 1_000_000 + int(user) * 10_000
        self._sid = ""
        self._bosh: Http
        self._rest: Http
        self._turn = asyncio.Lock()
        self._token = base64.b64encode(f"{user}:{PASSWORD}".encode()).decode()
        self._polling: asyncio.Task[None] | None = None

    async def sign_in(self, server: Server) -> None:
        """BOSH up to presence, then REST LOGIN; ready when its event has come."""
        ports, tls = server.place.ports, server.place.tls
        self._bosh = await Http.open(ports["notification"], tls)
        self._rest = await Http.open(ports["https"], tls)
        self._write("", f"to='localhost' ver='1.9' wait='30' hold='1' xml:lang='en' xmpp:version='1.0' {_XBOSH}")
        sid = re.search(rb" sid='([^']+)'", await self._answer())
        assert sid is not None
        self._sid = sid[1].decode()
        plain = base64.b64encode(f"\0{self.user}\0{PASSWORD}".encode()).decode()
        for payload, attributes, wanted in (
            (_AUTH.format(token=plain), "", b"<success"),
            ("", f"to='localhost' xmpp:restart='true' {_XBOSH}", b"features>"),
            (_BIND, "", b"<jid>"),
            (_PRESENCE, "", b"<presence"),
        ):
            self._write(payload, attributes)
            answer = await self._answer()
            while wanted not in answer:
                self._write()
                answer = await self._answer()
        self._polling = asyncio.get_running_loop().create_task(self._poll())
        await self.put("LOGIN", "NOT_READY", f"login-{self.user}", f"<extension>{self.user}</extension>")

    async def toggle(self, request_id: str) -> None:
        """Ask for the other state."""
        self.state = "READY" if self.state == "NOT_READY" else "NOT_READY"
        await self.put(self.state, self.state, request_id)

    async def put(self, state: str, wanted: str, request_id: str, more: str = "") -> None:
        """PUT User; done when it is answered and its event has come, or never will."""
        headers = ("Content-Type: application/xml", f"Authorization: Basic {self._token}", f"requestId: {request_id}")
        event = self._seen.expect(request_id, wanted)
        async with self._turn:
            self._seen.begun(request_id)
            path = f"/finesse/api/User/{self.user}"
            self._rest.write("PUT", path, f"<User><state>{state}</state>{more}</User>", *headers)
            status, body = await self._rest.read()
        if status != 202:
            self._seen.wrong.append(f"{request_id}: {status} {body!r}")
        await asyncio.wait([event], timeout=LOST_AFTER_S)

    async def close(self) -> None:
        """Hang up."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        for http in (self._bosh, self._rest):
            http.writer.transport.abort()

    def _write(self, payload: str = "", attributes: str = "") -> None:
        self._rid += 1
        sid = f" sid='{self._sid}'" if self._sid else ""
        start = f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{self._rid}'{sid} {attributes}"
        body = f"{start}>{payload}</body>" if payload else f"{start}/>"
        self._bosh.write("POST", "/http-bind/", body, "Content-Type: text/xml")

    async def _answer(self) -> bytes:
        status, body = await self._bosh.read()
        assert status == 200, body
        assert b"type='terminate'" not in body, body
        return body

    async def _poll(self) -> None:
        while True:
            self._write()
            body = await self._answer()
            now = time.perf_counter()
            for match in _EVENT.finditer(body):
                self._seen.came(match["id"].decode(), match["state"].decode(), now)


class Seen:
    """Which events are expected, and what came."""

    def __init__(self) -> None:
        self.latencies_ms: dict[str, float] = {}
        self.wrong: list[str] = []
        self._began: dict[str, float] = {}
        self._wanted: dict[str, tuple[str, asyncio.Future[None]]] = {}

    def expect(self, request_id: str, state: str) -> asyncio.Future[None]:
        """An event with this id and state will come."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanted[request_id] = (state, future)
        return future

    def begun(self, request_id: str) -> None:
        """Its PUT is written now."""
        self._began[request_id] = time.perf_counter()

    def came(self, request_id: str, state: str, now: float) -> None:
        """An event was read."""
        wanted, future = self._wanted[request_id]
        if future.done():
            self.wrong.append(f"{request_id}: came twice")
        elif state != wanted:
            self.wrong.append(f"{request_id}: {state} instead of {wanted}")
        else:
            self.latencies_ms[request_id] = (now - self._began[request_id]) * 1000
            future.set_result(None)


async def drive(server: Server, users: list[str], rate: float, seconds: float) -> Result:
    """Sign everybody in, then PUT at the rate."""
    seen = Seen()
    agents = [Agent(user, seen) for user in users]
    try:
        for start in range(0, len(agents), 10):
            await asyncio.gather(*(agent.sign_in(server) for agent in agents[start : start + 10]))
        count = round(rate * seconds)
        ids = [f"put-{number}" for number in range(count)]
        tasks: list[asyncio.Task[None]] = []
        began, late_s = time.perf_counter() + 0.1, 0.0
        for number, request_id in enumerate(ids):
            at = began + number / rate
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            late_s = max(late_s, time.perf_counter() - at)
            tasks.append(asyncio.create_task(agents[number % len(agents)].toggle(request_id)))
        await asyncio.gather(*tasks)
        latencies = tuple(seen.latencies_ms[id_] for id_ in ids if id_ in seen.latencies_ms)
        lost = tuple(id_ for id_ in ids if id_ not in seen.latencies_ms)
        return Result(len(users), rate, latencies, lost, tuple(seen.wrong), late_s * 1000)
    finally:
        await asyncio.gather(*(agent.close() for agent in agents))


async def _accounts(data: Path, users: list[str]) -> None:
    phc = password_hasher().hash(PASSWORD)  # one for all: only its checking is part of what is measured
    store = await Store.open(sqlite_url(data / DATABASE))
    rows = [(line, {"login_id": user, "password_hash": phc, "roles": "agent"}) for line, user in enumerate(users, 1)]
    report = await import_accounts(store, rows)
    assert not report.problems, report.problems
    await store.close()


def measure(folder: Path, *, agents: int = 50, rate: float = 100.0, seconds: float = 20.0) -> Result:
    """Start everything in an empty folder, measure, stop everything."""
    users = [str(2001 + number) for number in range(agents)]
    people = tuple(Person(user, user, "Agent", user, user, 1) for user in users)
    lab_data = folder / "lab.json"
    lab_data.write_text(as_json(LabData(people, (Team(1, "Sales"),), (SkillGroup(10, "Sales", (1,)),))), "utf-8")
    (folder / "data").mkdir()
    asyncio.run(_accounts(folder / "data", users))
    settings = {"log.debug": "false"}
    with Lab(folder, "--seed-data", str(lab_data)) as lab, serve_beside(lab, folder, settings) as server:
        return run(drive(server, users, rate, seconds))


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--rate", type=float, default=100.0, help="PUTs a second")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), agents=options.agents, rate=options.rate, seconds=options.seconds)
    print(result.as_json())
    raise SystemExit(1 if result.lost or result.wrong else 0)


if __name__ == "__main__":
    main()

"""A scene: the whole server on a moved clock, desktops around it, and the evidence that is left at the end.

with Scene(prepared, folder, seed=3) as scene:
    scene.crowd()
    scene.go_on(90)
    scene.one().kill()
    scene.go_on(240)
    evidence = scene.evidence()
"""

from __future__ import annotations

import os
import random
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from poise.lab.acd import StateRequest
from tests.conformance.wire import OPEN
from tests.corpus.capture import har, saz
from tests.corpus.desktop import CHROME, FIREFOX, Desktop, Person
from tests.corpus.way import Way
from tests.e2e.desk import Place
from tests.e2e.stage import Stage, copy_of

ZONES = (("UTC", 0), ("Asia/Kolkata", 330), ("America/Sao_Paulo", -180), ("Europe/Lisbon", 60))
"""Zones of server and desktops; Lisbon's in summer."""
FIRST_DAY = 1_784_505_600.0
"""20 July 2026: scenes lie in the weeks after it."""
AGENTS = ("1001", "1002", "1003", "1004", "1005", "1006")
SUPERVISORS = ("1101", "1102")
STEP_S = 1.0

Files = dict[str, bytes]


@dataclass(slots=True)
class Truth:
    """What really happened to one agent."""

    agent: str
    cause: str
    at: float
    """Seconds since 1970 at which the fault began for this agent."""
    last_contact: float
    """When the server last got a request of the session; 0: does not apply."""
    also: tuple[str, ...] = ()
    """Other causes that would be true statements as well."""


@dataclass(slots=True)
class Run:
    """One scene's outcome."""

    cause: str
    seed: int
    truths: list[Truth]
    files: Files
    """Evidence by path: `server/...`, `client-AGENT.log`, `AGENT.har`, `AGENT.saz`."""
    parameters: dict[str, object] = field(default_factory=dict)
    rendered: bool = False
    """Whether lines were added that Poise itself never writes."""


class Zone:
    """The machine's zone for the length of a scene: server logs are written in it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        self._before = os.environ.get("TZ")
        os.environ["TZ"] = self._name
        time.tzset()

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if self._before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = self._before
        time.tzset()


class Scene:
    """One run."""

    def __init__(self, prepared: Path, folder: Path, cause: str, seed: int) -> None:
        self.rng = random.Random(f"{cause}/{seed}")
        self.cause, self.seed = cause, seed
        self.desktops: list[Desktop] = []
        self.truths: list[Truth] = []
        self.parameters: dict[str, object] = {}
        self.rendered: list[tuple[str, float, str]] = []
        """(file, moment, line) to be added to the evidence."""
        self._zone_name, self._zone_minutes = self.rng.choice(ZONES)
        self._ahead = 0.0
        self._held_back = False
        self._sessions: dict[int, tuple[Desktop, str]] = {}
        """The session that each truth is about."""
        wall = FIRST_DAY + self.rng.randrange(0, 30 * 86_400)
        values = {"bosh.openfire_404": self.rng.random() < 0.5}
        if self.rng.random() < 0.5:
            values["contact.deployment"] = "UCCX"  # type: ignore[assignment]
        self.stage = Stage(copy_of(prepared, folder / "data"), values, wall=wall)
        self._stack = ExitStack()

    def __enter__(self) -> Scene:
        self._stack.enter_context(Zone(self._zone_name))
        self._stack.enter_context(self.stage)
        self._stack.callback(self._close)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _close(self) -> None:
        for wire in OPEN:
            wire.close()
        OPEN.clear()

    # -- who is there --------------------------------------------------------------------------------------------------

    @property
    def place(self) -> Place:
        """Where the server is now."""
        return self.stage.place

    def now(self) -> float:
        """True time."""
        return self.stage.clock.wall() + self._ahead

    def crowd(self, agents: int = 0, *, networks: int = 2) -> list[Desktop]:
        """So many agents (0: five or six) and the supervisors, on so many networks, come one after the other."""
        users = list(AGENTS[: agents or self.rng.randint(5, 6)]) + list(SUPERVISORS)
        for index, user in enumerate(users):
            self.arrive(user, network=index % networks)
            self.go_on(self.rng.randint(1, 4))
        return self.desktops

    def arrive(self, user: str, *, network: int = 0, browser: str = "", come: bool = True) -> Desktop:
        """One desktop signs in."""
        rng = random.Random(f"{self.cause}/{self.seed}/{user}")
        family = FIREFOX if rng.random() < 0.25 else CHROME
        person = Person(
            user,
            f"127.0.{10 + network}.{int(user) % 100 + 1}",
            browser=browser or family.format(rng.randint(96, 140)),
            zone_minutes=self._zone_minutes,
            ahead_s=rng.uniform(-0.9, 0.9),
            signs_in=user in AGENTS,
        )
        base = rng.uniform(0.008, 0.06)
        polls, rest = (Way(lambda: base * rng.uniform(0.9, 1.3)) for _ in range(2))
        desktop = Desktop(self, person, rng, polls, rest)
        desktop.impatient = rng.random() < 0.35
        self.desktops.append(desktop)
        return desktop.come() if come else desktop

    def one(self) -> Desktop:
        """An agent's desktop, chosen by the seed."""
        return self.rng.choice([d for d in self.desktops if d.person.user in AGENTS])

    def some(self, count: int) -> list[Desktop]:
        """Several."""
        return self.rng.sample([d for d in self.desktops if d.person.user in AGENTS], count)

    def hit(self, desktop: Desktop, cause: str = "", also: tuple[str, ...] = (), *, contact: bool = True) -> None:
        """Write down that the fault begins for this agent now."""
        self.truths.append(Truth(desktop.person.user, cause or self.cause, self.now(), 0.0, also))
        if contact:
            self._sessions[len(self.truths) - 1] = (desktop, desktop.sid)

    def choose(self, name: str, low: float, high: float) -> float:
        """A parameter of the run."""
        value = round(self.rng.uniform(low, high), 2)
        self.parameters[name] = value
        return value

    # -- time ----------------------------------------------------------------------------------------------------------

    def go_on(self, seconds: float) -> None:
        """Let so many seconds pass, with everybody doing what is due."""
        while seconds > 0:
            step = min(seconds, STEP_S)
            seconds -= step
            if self._held_back:
                self._ahead += step
            else:
                self.stage.call(lambda step=step: self.stage._advance(step))  # type: ignore[misc]
            for desktop in self.desktops:
                desktop.tick()
            if not self._held_back:
                self.stage.settle()
                for desktop in self.desktops:
                    desktop.look()

    def server_stands_still(self, seconds: float) -> None:
        """The server's process is stopped for so long: nothing is read, nothing answered, its clock jumps afterwards.
        What clients send meanwhile waits in the sockets, here in the relay."""
        ways = [way for d in self.desktops for way in (d.polls, d.rest)]
        for way in ways:
            way.dropped = True
        self._held_back = True
        self.go_on(seconds)
        self._held_back = False
        self._ahead = 0.0
        self.stage.stall(seconds)
        for way in ways:
            way.dropped = False
        for desktop in self.desktops:
            desktop.tick()

    # -- the telephone system ------------------------------------------------------------------------------------------

    def cti_server_stops(self) -> None:
        """The CTI server goes away."""
        self.stage.cti_server_stops()

    def cti_server_returns(self) -> None:
        """It is there again; the link comes back by itself."""

        async def start() -> None:
            await self.stage.lab.start(port=self.stage._lab_port)

        self.stage.call(start)
        for _ in range(60):
            self.go_on(1)
            if self.stage.application.agents.in_service:
                return
        raise AssertionError("the CTI link did not come back")

    def in_the_acd(self, request: StateRequest) -> None:
        """The telephone system changes an agent's state of its own accord."""

        async def work() -> None:
            changes = self.stage.lab.server.acd.request(request, self.stage.lab.now())
            assert isinstance(changes, list), changes
            self.stage.lab.publish(changes)

        self.stage.call(work)

    # -- what is left --------------------------------------------------------------------------------------------------

    def evidence(self) -> Run:
        """Everything written so far."""
        self.stage.settle()
        self.stage.application.log_writer.flush()
        for index, (desktop, sid) in self._sessions.items():
            self.truths[index].last_contact = max(desktop.heard[sid])
        root = self.stage.data / "logs"
        files: Files = {
            f"server/{path.relative_to(root)}": path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file() and path.stat().st_size
        }
        for name, at, line in self.rendered:
            path = f"server/desktop/openfire/{name}"
            stamp = time.strftime("%Y.%m.%d %H:%M:%S", time.localtime(at))
            files[path] = _in_order(files.get(path, b""), f"{stamp} {line}\n")
        shutil.rmtree(root, ignore_errors=True)
        files |= records(self.desktops)
        return Run(self.cause, self.seed, self.truths, files, self.parameters, bool(self.rendered))


def records(desktops: list[Desktop]) -> Files:
    """Client logs and captures."""
    files: Files = {}
    for desktop in desktops:
        user = desktop.person.user
        if user in SUPERVISORS:
            continue
        number = sum(name.startswith(f"client-{user}") for name in files)
        mark = f"{user}" if not number else f"{user}-{number + 1}"
        if desktop.log.lines:
            files[f"client-{mark}.log"] = desktop.log.text().encode()
        if desktop.exchanges:
            files[f"{mark}.har"] = har(desktop.exchanges)
            files[f"{mark}.saz"] = saz(desktop.exchanges)
    return files


def _in_order(log: bytes, line: str) -> bytes:
    lines = log.decode().splitlines(keepends=True)
    place = next((i for i, other in enumerate(lines) if other[:4].isdigit() and other[:19] > line[:19]), len(lines))
    return "".join([*lines[:place], line, *lines[place:]]).encode()

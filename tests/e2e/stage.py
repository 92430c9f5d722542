"""The whole server in a thread of its own, its time moved by hand, a simulated CTI server beside it on the same loop.

    with Stage(data, {"contact.deployment": "UCCX"}) as stage:
        ann = stage.desk("1001").come()
        ann.log_in()
        ann.die()
        stage.pass_time(150)

Sockets are real: TLS to the listeners, GED-188 over TCP between the server and the simulated CTI server. Time is not:
`pass_time` moves the server's clock in small steps, and between them every desk that lives takes part.
"""

from __future__ import annotations

import asyncio
import datetime
import re
import shutil
import threading
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from poise.lab import rules as lab_rules
from poise.lab.acd import AgentNow, StateRequest
from poise.lab.data import DEMO, LabData
from poise.lab.server import LabSettings
from poise.lab.shell import LabShell
from poise.protocols.cti.constants import AgentState
from poise.server import certificates
from poise.server.app import Application
from poise.server.clock import Timer
from poise.server.config import with_values
from poise.server.notification.loop import run
from poise.server.settings import Settings
from poise.server.storage.importing import seed_demo
from poise.server.storage.records import Account, Role
from poise.server.storage.store import DATABASE, Store, sqlite_url
from tests.conformance.wire import Headers
from tests.e2e.desk import DOMAIN, Desk, Place, Rest, trusting
from tests.support.server import JumpClock

PATIENCE_S = 20.0
"""Seconds until a call to the server's thread is given up."""
STEP_S = 1.0
"""Seconds the clock moves at once; well below the CTI link's heartbeat, whose answers come between steps."""
WALL = 1_497_638_000.0
"""Where the server's wall clock begins: the evening of the seed's logs."""

Result = TypeVar("Result")


class StageClock(JumpClock):
    """A clock whose due calls are made by the loop, as a real one's are; everything later waits for `advance`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, now: float, wall: float) -> None:
        super().__init__(now, wall)
        self._loop = loop

    def call_at(self, when: float, callback: Callable[[], None]) -> Timer:
        timer = super().call_at(when, callback)
        if when <= self.now():
            self._loop.call_soon(self.advance, 0)
        return timer


class Stage:
    """A running server and its telephone system."""

    def __init__(
        self, data: Path, values: Mapping[str, Any] | None = None, *, people: LabData = DEMO, wall: float = WALL
    ) -> None:
        """`data` is a prepared data folder (see `conftest`); `values` are settings by dotted key; the server's wall
        clock begins at `wall`."""
        self._wall = wall
        self.data = data
        self.values = dict(values or {})
        self.people = people
        self.application: Application
        self.lab: LabShell
        self.clock: StageClock
        self.place: Place
        self.loop: asyncio.AbstractEventLoop
        self.failures: list[BaseException] = []
        """Exceptions that reached the loop: none may."""
        self._desks: list[Desk] = []
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poise-on-stage", daemon=True)

    # -- who takes part --------------------------------------------------------------------------------------------

    def desk(
        self,
        user: str,
        *,
        resource: str = "desktop",
        listener: str = "notification",
        wait: int = 30,
        headers: Headers = (),
    ) -> Desk:
        """A desktop that signs in over BOSH; it polls whenever time passes, until it dies or leaves."""
        desk = Desk(self.place, user, resource=resource, listener=listener, wait=wait, headers=headers)
        self._desks.append(desk)
        return desk

    def agent(self, user: str, state: str = "READY", *, resource: str = "desktop") -> Desk:
        """A desktop whose agent is signed in and in this state."""
        desk = self.desk(user, resource=resource).come()
        desk.log_in()
        if state != "NOT_READY":
            desk.go(state)
        return desk

    def watcher(self, user: str = "1101", team: int = 1) -> Desk:
        """A supervisor's desktop that sees the states of a team."""
        desk = self.desk(user, resource="watcher").come()
        assert desk.subscribe(f"/finesse/api/Team/{team}/Users").get("type") == "result"
        return desk

    def rest(self, user: str, password: str | None = None, listener: str = "https") -> Rest:
        """Somebody who only uses REST."""
        return Rest(self.place, user, password, listener)

    def holds(self, desk: Desk) -> bool:
        """Whether, when everything has been read, the server holds a poll of the desk."""
        self.settle()
        desk.keep_up()
        self.settle()
        return desk.wire.silent(0)

    # -- time ------------------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass; everything due happens at its own moment, and living desks go on polling."""
        while seconds > 0:
            step = min(seconds, STEP_S)
            seconds -= step
            self.call(lambda step=step: self._advance(step))  # type: ignore[misc]
            for desk in self._desks:
                if desk.alive:
                    desk.keep_up()
        self.settle()

    def stall(self, seconds: float) -> None:
        """Let the server stand still for so long, as a suspended machine does, and then go on."""

        async def jump() -> None:
            await self._turns()
            self.clock.jump(seconds)
            self.clock.advance(0)
            await self._turns()

        self.call(jump)

    def settle(self) -> None:
        """Return when the server has worked off what had been sent before."""
        self.call(self._turns)

    def demote(self, administrator: str) -> None:
        """A sign-in finds that an account is no administrator any more."""

        async def learn() -> None:
            self.application.people.learn([Account(administrator, administrator, "", frozenset({Role.AGENT}))])

        self.call(learn)
        self.settle()

    # -- the telephone system --------------------------------------------------------------------------------------

    def call_comes(self, agent: str) -> None:
        """A call is routed to an agent and answered."""
        self._in_the_acd(lambda now: self.lab.server.acd.start_call(agent, now))

    def call_ends(self, agent: str) -> None:
        """The agent's call ends."""
        self._in_the_acd(lambda now: self.lab.server.acd.end_call(agent, now))

    def signs_in_by_telephone(self, agent: str) -> None:
        """The agent signs in at the telephone, past the server."""

        def sign_in(now: float) -> list[AgentNow]:
            changes = self.lab.server.acd.request(StateRequest(agent, AgentState.LOGIN, instrument=agent), now)
            assert isinstance(changes, list), changes
            return changes

        self._in_the_acd(sign_in)

    def state_at_the_cti_server(self, agent: str) -> tuple[str, int]:
        """State and reason of an agent as the telephone system has them: the truth."""
        now = self.lab.server.acd.agent(agent)
        assert now is not None
        return now.state.name, now.reason

    def cti_server_stops(self) -> None:
        """The CTI server goes away, its agents stay what they are."""
        self.call(self.lab.stop)
        self.settle()
        assert not self.application.agents.in_service

    def cti_server_returns(self, people: LabData | None = None) -> None:
        """The CTI server is back, perhaps with other people; the link is synchronised when this returns."""

        async def start() -> None:
            self.lab = self._lab(people)
            await self.lab.start(port=self._lab_port)

        self.call(start)
        for _ in range(30):
            self.pass_time(STEP_S)
            if self.rest("admin").get("SystemInfo").root.findtext("status") == "IN_SERVICE":
                return
        raise AssertionError("the CTI link did not come back")

    def _in_the_acd(self, change: Callable[[float], list[AgentNow]]) -> None:
        async def work() -> None:
            changes = change(self.lab.now())
            assert changes, "the telephone system saw no reason to do that"
            self.lab.publish(changes)

        self.call(work)
        self.settle()

    # -- what is written -------------------------------------------------------------------------------------------

    def log(self, name: str) -> str:
        """One log as written so far: `debug.log`, `info.log` ... or `webservices`."""
        self.call(self._turns)
        self.application.log_writer.flush()
        return read_log(self.data, name)

    # -- the thread ------------------------------------------------------------------------------------------------

    def call(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(PATIENCE_S)

    def restart(self, people: LabData | None = None) -> None:
        """The server stops in good order and starts again; the telephone system goes on meanwhile, or starts again as
        well with other people."""
        self.call(lambda: self._again(people))
        self.place = self._place()
        self._in_service()

    def __enter__(self) -> Stage:
        self._thread.start()
        assert self._ready.wait(PATIENCE_S), "the server did not start"
        if self._error is not None:
            raise self._error
        self.place = self._place()
        self._in_service()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for desk in self._desks:
            desk.close()
        self.loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the server did not stop"
        if error is None:
            assert not self.failures, self.failures
            assert self._error is None, self._error
            faults = read_log(self.data, "error.log")
            assert not faults, faults

    def _run(self) -> None:
        try:
            run(self._main())
        except BaseException as error:
            self._error = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(self._loop_failed)
        self._over = asyncio.Event()
        self.clock = StageClock(self.loop, 1000.0, self._wall)
        self.lab = self._lab(self.people)
        self._lab_port = await self.lab.start(port=0)
        try:
            await self._open()
            self._ready.set()
            await self._over.wait()
            await self.application.stop()
        finally:
            await self.lab.stop()

    def _lab(self, people: LabData | None) -> LabShell:
        """A telephone system with these people; None: the present one."""
        if people is None:
            return self.lab
        contact = with_values(Settings(), self.values).contact
        return LabShell(LabSettings(people, lab_rules.Deployment(contact.deployment), contact.load))

    async def _open(self) -> None:
        free = dict.fromkeys(("https", "notification", "xmpp", "xmpp_tls", "insecure_http", "insecure_bosh"), 0)
        settings = with_values(
            Settings(),
            {
                "server.host": "127.0.0.1",
                "server.domain": DOMAIN,
                "server.data": str(self.data),
                **{f"ports.{name}": port for name, port in free.items()},
                "cti.side_a": f"127.0.0.1:{self._lab_port}",
                "log.debug": True,
                **self.values,
            },
        )
        self.application = Application(settings, clock=self.clock)
        await self.application.start()

    async def _again(self, people: LabData | None) -> None:
        await self.application.stop()
        if people is not None:
            await self.lab.stop()
            self.lab = self._lab(people)
            await self.lab.start(port=self._lab_port)
        await self._open()

    def _place(self) -> Place:
        return Place(dict(self.application.notification.ports), trusting(self.data / "tls" / "ca.pem"))

    def _in_service(self) -> None:
        async def wait() -> None:
            while not self.application.agents.in_service:
                await self._turns()

        async def bounded() -> None:
            await asyncio.wait_for(wait(), PATIENCE_S)

        self.call(bounded)

    async def _advance(self, seconds: float) -> None:
        await self._turns()
        self.clock.advance(seconds)
        await self._turns()

    async def _turns(self) -> None:
        """Let the loop read and write everything that waits: TLS, the CTI server's answers, tasks, slices."""
        for _ in range(10):
            turn: asyncio.Future[None] = self.loop.create_future()
            self.loop.call_soon(turn.set_result, None)
            await turn

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(context.get("exception") or RuntimeError(context["message"]))


def read_log(data: Path, name: str) -> str:
    """A log under a data folder; the web services' files in their order, as one."""
    desktop = data / "logs" / "desktop"
    if name == "webservices":
        return "".join(path.read_text("utf-8") for path in sorted((desktop / "webservices").glob("*.log")))
    path = desktop / "openfire" / name
    return path.read_text("utf-8") if path.exists() else ""


def in_order(text: str, *patterns: str) -> list[re.Match[str]]:
    """The lines of a log that match these patterns, one after the other; fails at the first that is missing."""
    found: list[re.Match[str]] = []
    position = 0
    for pattern in patterns:
        match = re.compile(f"^.*{pattern}.*$", re.MULTILINE).search(text, position)
        if match is None:
            before = found[-1].group(0) if found else "the beginning"
            raise AssertionError(f"no {pattern!r} after {before!r} in:\n{text}")
        found.append(match)
        position = match.end()
    return found


_OPENFIRE_STAMP = re.compile(r"\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d")
_CCBU_STAMP = re.compile(r"[A-Z][a-z]{2} \d\d \d{4} \d\d:\d\d:\d\d\.\d{3}")


def moment(line: str | re.Match[str]) -> datetime.datetime:
    """When a line of either log was written, in the machine's own zone, without one."""
    text = line if isinstance(line, str) else line.group(0)
    if stamp := _OPENFIRE_STAMP.match(text):
        return datetime.datetime.strptime(stamp.group(), "%Y.%m.%d %H:%M:%S")  # noqa: DTZ007 - the log has no zone
    ccbu = _CCBU_STAMP.search(text)
    assert ccbu is not None, text
    return datetime.datetime.strptime(ccbu.group(), "%b %d %Y %H:%M:%S.%f")  # noqa: DTZ007 - beside one without


def seconds_between(earlier: re.Match[str], later: re.Match[str]) -> float:
    """Seconds from one line to another, of whichever log."""
    return (moment(later) - moment(earlier)).total_seconds()


def prepare(folder: Path) -> Path:
    """Make a data folder with the demo's accounts and a certificate. Hashing passwords takes its time: copy it."""
    certificates.ensure(folder / "tls", [DOMAIN, "127.0.0.1"], datetime.datetime.now(datetime.UTC))

    async def fill() -> None:
        store = await Store.open(sqlite_url(folder / DATABASE))
        await seed_demo(store)
        await store.close()

    asyncio.run(fill())
    return folder


def copy_of(prepared: Path, folder: Path) -> Path:
    """A data folder of one's own."""
    return Path(shutil.copytree(prepared, folder))

"""A notification service in a thread of its own, its time moved by hand: what black-box tests speak to.

    with start(wait_max_s=4, inactivity_s=2) as server:
        ... connect to 127.0.0.1:server.port ...
        server.pass_time(4)

Nothing here waits for wall-clock time: `pass_time` first lets the server read what was sent, then moves its clock.
"""

from __future__ import annotations

import asyncio
import datetime
import ssl
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from poise.protocols.xmpp.bosh.timing import BoshPolicy
from poise.protocols.xmpp.host import Rules
from poise.protocols.xmpp.scram import Verifier, derive, nobody
from poise.server import certificates
from poise.server.clock import ManualClock
from poise.server.notification.asgi import AsgiApp
from poise.server.notification.log import NoLog, NotificationLog
from poise.server.notification.loop import run
from poise.server.notification.persistence import RecordStore
from poise.server.notification.service import Kind, Listen, NotificationService, NotificationSettings

DOMAIN = "localhost"
USERS: Mapping[str, str] = {name: name for name in ("1001", "1002", "1003", "1004", "1005", "1006", "1101", "1102")}
"""Agents and supervisors of the demo; the password equals the name."""
PUBLISHER = "finesse"
"""Administrator of the pubsub service; the password equals the name."""
PATIENCE_S = 20.0
"""Seconds until a call to the server's thread is given up."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class SomeAccount:
    """Whose password was good."""

    login_id: str


@dataclass(frozen=True, slots=True)
class SomeVerdict:
    """The answer to one sign-in."""

    ok: bool
    temporary: bool = False
    account: SomeAccount | None = None


class MemoryAccounts:
    """Accounts in memory. A password's first check takes a turn of the loop, repeated ones none, as in the product."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self.users = dict(users)
        self.names: dict[str, str] = {}
        """Login name -> login id."""
        self.broken = False
        """Whether every check fails for a reason of the server's own."""
        self._good: set[tuple[str, str]] = set()

    def exists(self, user: str) -> bool:
        return user in self.users

    def check_cached(self, user: str, password: str) -> SomeVerdict | None:
        if self.broken:
            raise RuntimeError("accounts are broken on purpose")
        return SomeVerdict(True, account=SomeAccount(self._id(user))) if (user, password) in self._good else None

    async def check(self, user: str, password: str, address: str) -> SomeVerdict:
        if self.broken:
            raise RuntimeError("accounts are broken on purpose")
        if self.users.get(self._id(user)) != password:
            return SomeVerdict(False)
        self._good.add((user, password))
        return SomeVerdict(True, account=SomeAccount(self._id(user)))

    async def scram_verifier(self, user: str, digest: str, address: str) -> Verifier | None:
        if self.broken:
            raise RuntimeError("accounts are broken on purpose")
        password = self.users.get(self._id(user))
        if password is None:
            return nobody(user, digest, b"secret")
        return derive(password, digest, b"salt of " + user.encode(), 4096)

    async def check_proof(self, user: str, proven: bool, address: str) -> SomeVerdict:
        known = self._id(user) in self.users
        return SomeVerdict(proven and known, account=SomeAccount(self._id(user)) if proven and known else None)

    def _id(self, user: str) -> str:
        return self.names.get(user, user)


class JumpClock(ManualClock):
    """A clock that can also jump, as it does for a process that was stopped: nothing is called on the way."""

    def jump(self, seconds: float) -> None:
        self._now += seconds


class Server:
    """A running service."""

    def __init__(
        self,
        settings: NotificationSettings,
        log: NotificationLog,
        app: AsgiApp | None,
        tls: bool,
        store: RecordStore | None,
    ) -> None:
        self.settings = settings
        self._store = store
        self.log = log
        self.clock = JumpClock()
        self.accounts = MemoryAccounts({**USERS, PUBLISHER: PUBLISHER})
        self.may_subscribe: Callable[[str, str], bool] = lambda user, node: True
        """The product's rule about its own nodes."""
        self.host = "127.0.0.1"
        self.domain = DOMAIN
        self.service: NotificationService
        self.loop: asyncio.AbstractEventLoop
        self.failures: list[BaseException] = []
        """Exceptions that left the ASGI application or the loop's callbacks."""
        self.xmpp_tls: ssl.SSLContext
        """What both XMPP listeners present; only with `tls`."""
        self._app = app
        self._tls = tls
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="poise-under-test", daemon=True)
        self._thread.start()
        assert self._ready.wait(PATIENCE_S), "the service did not start"
        if self._error is not None:
            raise self._error

    # -- what tests use ----------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """`/http-bind` over plain HTTP, and the ASGI application if there is one."""
        return self.service.ports["http"]

    @property
    def tls_port(self) -> int:
        """The same over TLS."""
        return self.service.ports["https"]

    @property
    def tcp_port(self) -> int:
        """XMPP over TCP."""
        return self.service.ports["xmpp"]

    @property
    def xmpps_port(self) -> int:
        """XMPP over TCP in TLS from the first byte; only with `tls`, as STARTTLS on `tcp_port`."""
        return self.service.ports["xmpps"]

    @property
    def ports(self) -> Mapping[str, int]:
        """All of them by name."""
        return self.service.ports

    def settle(self) -> None:
        """Return when the server has worked off what had been sent before."""
        self.call(self._turns)

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass; each deadline comes at its own moment."""

        async def advance() -> None:
            await self._turns()
            self.clock.advance(seconds)
            await self._turns()

        self.call(advance)

    def stall(self, seconds: float) -> None:
        """Let the server stand still for so long, as a stopped process does, and then go on."""

        async def jump() -> None:
            await self._turns()
            self.clock.jump(seconds)
            self.clock.advance(0)
            await self._turns()

        self.call(jump)

    def call(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run a coroutine on the server's loop."""
        return asyncio.run_coroutine_threadsafe(work(), self.loop).result(PATIENCE_S)

    def do(self, work: Callable[[NotificationService], Result]) -> Result:
        """Run a function of the service on the server's loop, after what had been sent before."""

        async def task() -> Result:
            await self._turns()
            result = work(self.service)
            await self._turns()
            return result

        return self.call(task)

    def publish(self, node: str, payload: bytes, item_id: str = "") -> int:
        """Create the node when it is missing, and publish."""

        def work(service: NotificationService) -> int:
            service.create_node(node)
            return service.publish(node, item_id, payload)

        return self.do(work)

    def alive(self) -> bool:
        """Whether it still runs."""
        return self._thread.is_alive() and not self.service.hub.stopping

    @contextmanager
    def broken_accounts(self) -> Iterator[None]:
        """Meanwhile every password check fails for a reason of the server's own."""
        self.accounts.broken = True
        try:
            yield
        finally:
            self.settle()
            self.accounts.broken = False

    @contextmanager
    def broken_stanzas(self) -> Iterator[None]:
        """Meanwhile every stanza meets an unexpected exception in the host."""
        host = self.service.host

        def fail(*_: object) -> None:
            raise RuntimeError("the host is broken on purpose")

        vars(host)["receive"] = fail
        try:
            yield
        finally:
            self.settle()
            del vars(host)["receive"]

    def stop(self) -> None:
        """Stop in good order; harmless the second time."""
        if self._thread.is_alive():
            self.loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(PATIENCE_S)
            assert not self._thread.is_alive(), "the service did not stop"

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # -- the thread ----------------------------------------------------------------------------------------------------

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
        self._stop = asyncio.Event()
        rules = Rules(
            administrators=frozenset({f"{PUBLISHER}@{DOMAIN}"}),
            exists=self.accounts.exists,
            may_subscribe=lambda user, node: self.may_subscribe(user, node),
        )
        self.service = NotificationService(
            self.settings,
            rules,
            self.accounts,
            self.clock,
            self.log,
            app_failed=self.failures.append,
            store=self._store,
        )
        await self.service.start(self._listeners())
        self._ready.set()
        await self._stop.wait()
        await self.service.stop()

    def _listeners(self) -> list[Listen]:
        listeners = [Listen("http", self.host, 0, app=self._app)]
        if not self._tls:
            return [*listeners, Listen("xmpp", self.host, 0, Kind.XMPP)]
        with tempfile.TemporaryDirectory() as folder:
            files = certificates.ensure(Path(folder), [DOMAIN, self.host], datetime.datetime.now(datetime.UTC))
            context = certificates.context(files)
            self.xmpp_tls = certificates.context(files, "xmpp-client")
        return [
            *listeners,
            Listen("https", self.host, 0, tls=context, app=self._app),
            Listen("xmpp", self.host, 0, Kind.XMPP, starttls=self.xmpp_tls),
            Listen("xmpps", self.host, 0, Kind.XMPP, tls=self.xmpp_tls),
        ]

    async def _turns(self) -> None:
        """Let the loop read and write everything that waits, tasks and slices included."""
        for _ in range(8):
            turn: asyncio.Future[None] = self.loop.create_future()
            self.loop.call_soon(turn.set_result, None)
            await turn
        while self.service.hub.pump.deferred:
            turn = self.loop.create_future()
            self.loop.call_soon(turn.set_result, None)
            await turn

    def _loop_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self.failures.append(context.get("exception") or RuntimeError(context["message"]))


def start(
    *,
    log: NotificationLog | None = None,
    app: AsgiApp | None = None,
    tls: bool = False,
    plain_in_clear: bool = True,
    store: RecordStore | None = None,
    **overrides: Any,
) -> Server:
    """Start a service on free loopback ports. `overrides` are fields of BoshPolicy (`wait_max_s=4`) or of
    NotificationSettings (`allowed_origins=("*",)`); `tls` opens the TLS port too; `store` keeps what the host must not
    forget."""
    names = {f.name for f in fields(BoshPolicy)}
    bosh = replace(BoshPolicy(), **{name: value for name, value in overrides.items() if name in names})
    others = {name: value for name, value in overrides.items() if name not in names}
    settings = NotificationSettings(domain=DOMAIN, bosh=bosh, plain_in_clear=plain_in_clear, **others)
    return Server(settings, log or NoLog(), app, tls, store)

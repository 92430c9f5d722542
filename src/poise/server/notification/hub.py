"""What all sessions share whatever their binding: the host, its outbox and events, accounts, log, timers.

Sessions give the host their stanzas; afterwards whoever was called from outside calls `settle` once, which tells the
rooms above what happened and delivers what the host gave out. An exception while one session is handled ends that
session alone, with the ending `fault`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from math import inf
from typing import Any, Protocol, TypeVar

from poise.protocols.xmpp.c2s import CheckProof, FindVerifier
from poise.protocols.xmpp.delivery import (
    Alarm,
    Event,
    PresenceChanged,
    Published,
    Released,
    Replace,
    StoredOffline,
    Unstored,
)
from poise.protocols.xmpp.host import Host
from poise.protocols.xmpp.scram import Verifier
from poise.registry import Closed
from poise.server.clock import Clock
from poise.server.notification.admission import Admission, AdmissionPolicy
from poise.server.notification.client import ClientSession, Output
from poise.server.notification.disconnects import EndListener, tell_all
from poise.server.notification.log import NotificationLog
from poise.server.notification.outbox import OutboxPump
from poise.server.notification.persistence import HostClock, Persistence
from poise.server.notification.wheel import Wheel

Answer = TypeVar("Answer")


class SignedIn(Protocol):
    """The account of a good password."""

    @property
    def login_id(self) -> str:
        """Local part of the user's JID, whatever name he signed in with."""


class Verdict(Protocol):
    """The answer to a password check."""

    @property
    def ok(self) -> bool:
        """Whether the user may come in."""

    @property
    def temporary(self) -> bool:
        """Whether nothing was said about the password: try again later."""

    @property
    def account(self) -> SignedIn | None:
        """Whose password it was, when it is good."""


class Accounts(Protocol):
    """Who checks passwords; `poise.server.accounts.Accounts` in the product."""

    def check_cached(self, user: str, password: str) -> Verdict | None:
        """A verdict known already; None: ask `check`."""

    async def check(self, user: str, password: str, address: str) -> Verdict:
        """A verdict, however long it takes."""

    async def scram_verifier(self, user: str, digest: str, address: str) -> Verifier | None:
        """What SCRAM needs, for names without an account too; None: it cannot be said now."""

    async def check_proof(self, user: str, proven: bool, address: str) -> Verdict:
        """A verdict on a SCRAM proof that was right or wrong; counted like a password."""


class Hub:
    """The middle of the notification service."""

    def __init__(
        self, host: Host, accounts: Accounts, clock: Clock, log: NotificationLog, admission: AdmissionPolicy
    ) -> None:
        """Must be made on the running event loop."""
        self.host = host
        self.accounts = accounts
        self.clock = clock
        self.now = clock.now
        self.log = log
        self.wheel = Wheel(clock, self._stalled)
        self.admission = Admission(admission)
        self.presence_listeners: list[Callable[[PresenceChanged], None]] = []
        self.end_listeners: list[EndListener] = []
        """Told of every end of a signed-in session."""
        self.stall_listeners: list[Callable[[float], None]] = []
        """Told how many seconds the server did not run."""
        self.stopping = False
        """Whether the service takes no new sessions."""
        self.persistence: Persistence | None = None
        """None: what the host knows ends with the service."""
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.pump = OutboxPump(
            host.outbox,
            now=clock.now,
            call_soon=self._loop.call_soon,
            returned=host.returned,
            slice_done=self.settle,
        )
        host.wall_offset = clock.wall() - clock.now()
        self._host_clock = HostClock(self)

    def settle(self) -> None:
        """Tell what happened, deliver what was given out; until nothing new comes of it, or a slice is full."""
        events = self.host.events
        while True:
            while events:
                self._tell(events.popleft())
            if not self.pump.pump() and not events:
                return

    def _tell(self, event: Event) -> None:
        if isinstance(event, Published):
            return
        if isinstance(event, PresenceChanged):
            for listener in self.presence_listeners:
                try:
                    listener(event)
                except Exception as error:  # noqa: BLE001 - the rooms above must not break a client's request
                    self.fault(None, error, self.now())
        elif isinstance(event, Replace):
            assert isinstance(event.client, ClientSession)
            event.client.end("replaced", self.now())
        elif isinstance(event, StoredOffline):
            if self.log.debug_enabled:
                self.log.store_offline(event.stanza)
        elif isinstance(event, Unstored):
            assert self.persistence is not None, "a host notes changes only after it was restored"
            self.persistence.take(event)
        elif isinstance(event, Released):
            assert isinstance(event.client, ClientSession)
            event.client.released(self.now())
        elif isinstance(event, Alarm):
            self.wheel.watch(self._host_clock)

    def begun(self, client: ClientSession) -> None:
        """A session that `admission` let in exists."""
        self.log.session_created(sid=client.name, transport=client.transport, address=client.address)
        self.wheel.watch(client)

    def ended(self, client: ClientSession, closed: Closed, undelivered: Iterable[bytes], now: float) -> None:
        """A session is over; its binding has forgotten it already."""
        client.gone = True
        if client.sign_in_by != inf:
            client.sign_in_by = inf
            self.admission.settled(client.address)
        if client.jid:
            self.statistics(client)
            self.host.detach(client, closed, undelivered, now)
            self.log.session_closed(client.jid)
            tell_all(
                self.end_listeners, client.jid, client.transport, closed, lambda error: self.fault(None, error, now)
            )
        self.log.session_ended(
            sid=client.name, jid=client.jid, transport=client.transport, address=client.address, closed=closed
        )

    def statistics(self, client: ClientSession) -> None:
        """The seed's line about a signed-in session, when somebody reads it: at every tick, and at its end."""
        if self.log.debug_enabled:
            self.log.statistics(
                epoch_ms=round(self.clock.wall() * 1000),
                jid=client.jid,
                msgs_sent=client.sent,
                msgs_received=client.received,
            )

    def fault(self, client: ClientSession | None, error: Exception, now: float) -> None:
        """An exception of ours: say so, and end the session it belongs to."""
        self.log.fault(
            sid=client.name if client is not None else "", jid=client.jid if client is not None else "", error=error
        )
        if client is None or client.gone:
            return
        try:
            client.end("fault", now, evidence=type(error).__name__)
        except Exception as second:  # noqa: BLE001 - a session that cannot even be ended must not take others with it
            client.gone = True
            self.log.fault(sid=client.name, jid=client.jid, error=second)

    # -- password checks that take time ------------------------------------------------------------------------------

    def check_later(self, client: ClientSession, user: str, password: str) -> None:
        """Check a password in a task and go on with the session when the verdict is there."""
        check = self.accounts.check(user, password, client.address)
        self.spawn(self._later(client, check, lambda verdict, now: client.verdict(user, verdict, now)))

    def find_verifier(self, client: ClientSession, asked: FindVerifier) -> None:
        """Look up what SCRAM needs, likewise."""
        find = self.accounts.scram_verifier(asked.user, asked.digest, client.address)
        self.spawn(self._later(client, find, client.verifier_found))

    def check_proof(self, client: ClientSession, asked: CheckProof) -> None:
        """Have the outcome of a SCRAM proof counted, likewise."""
        check = self.accounts.check_proof(asked.user, asked.proven, client.address)
        self.spawn(self._later(client, check, lambda verdict, now: client.verdict(asked.user, verdict, now)))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task of the service; cancelled when it stops."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop_tasks(self) -> None:
        """Give up what is still being checked."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _later(
        self, client: ClientSession, work: Awaitable[Answer], then: Callable[[Answer, float], Sequence[Output]]
    ) -> None:
        try:
            answer = await work
            if client.gone:
                return
            now = self.now()
            client.obey(then(answer, now), now)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, it is this session's end and nobody else's
            self.fault(client, error, self.now())
        self.settle()

    def _stalled(self, seconds: float) -> None:
        self.log.stalled(seconds)
        for listener in self.stall_listeners:
            listener(seconds)

"""Poise in this process, its clock moved by hand: nothing waits. An unexpected exception inside it fails the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poise.protocols.xmpp.bosh.timing import Inactivity, Overactivity
from poise.protocols.xmpp.host import HostPolicy
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.log import NoLog
from tests.conformance.targets import Profile, Server
from tests.support.server import Server as Running
from tests.support.server import SomeVerdict, start


class FaultLog(NoLog):
    """Remembers exceptions of the server's own, whoever's session they ended."""

    def __init__(self) -> None:
        self.faults: list[BaseException] = []

    def fault(self, *, sid: str, jid: str, error: BaseException) -> None:
        """One more."""
        self.faults.append(error)


class PoiseServer:
    """A running Poise, as the suite names things."""

    name = "poise"
    real_time = False
    path = "/http-bind"

    def __init__(self, running: Running, log: FaultLog) -> None:
        self._running = running
        self._log = log
        self.host = running.host
        self.port = running.port
        self.tls_port = running.tls_port
        self.tcp_port = running.tcp_port
        self.settle = running.settle
        self.pass_time = running.pass_time
        self.alive = running.alive

    @contextmanager
    def broken_accounts(self) -> Iterator[None]:
        """Meanwhile no password can be checked: what `poise.server.accounts` says while its store cannot be read."""
        accounts = vars(self._running.accounts)

        async def unavailable(*_: str) -> SomeVerdict:
            return SomeVerdict(False, temporary=True)

        accounts["check_cached"] = lambda *_: None
        accounts["check"] = unavailable
        try:
            yield
        finally:
            self.settle()
            del accounts["check_cached"], accounts["check"]

    @contextmanager
    def broken_stanzas(self) -> Iterator[None]:
        """Meanwhile every stanza meets an unexpected exception, which the server must have told its log."""
        before = len(self._log.faults)
        with self._running.broken_stanzas():
            yield
        assert len(self._log.faults) > before
        del self._log.faults[before:]

    def stop(self) -> None:
        """Stop it; nothing unexpected may have happened inside."""
        self._running.stop()
        assert self._log.faults == []
        assert self._running.failures == []


class Poise:
    """Poise as it is checked out."""

    name = "poise"
    restart_each_module = True

    def start(self, profile: Profile, folder: Path) -> Server:
        """A thread of its own; `folder` stays empty."""
        log = FaultLog()
        running = start(
            log=log,
            tls=True,
            wait_max_s=profile.wait_max,
            wait_default_s=profile.wait_max,
            hold_max=profile.hold_max,
            inactivity_s=profile.inactivity,
            inactivity=Inactivity.EXACT,
            polling_s=profile.polling,
            maxpause_s=profile.maxpause,
            answer_max_bytes=profile.answer_bytes,
            allow_creation_payload=profile.creation_payload,
            compat_openfire_404=profile.openfire_404,
            former_domains=frozenset(profile.former_domains),
            redirect_uri=profile.redirect_uri,
            overactivity=Overactivity.TERMINATE if profile.overactivity_ends else Overactivity.LOG,
            allowed_origins=profile.cors_origins,
            host=HostPolicy(replacement_burst=10_000),  # time stands still: all sign-ins of a module are one burst
            admission=AdmissionPolicy(unauthenticated_per_address=profile.half_open_max),
        )
        return PoiseServer(running, log)

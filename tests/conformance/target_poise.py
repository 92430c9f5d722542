"""Poise in this process, its clock moved by hand: nothing waits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poise.protocols.xmpp.bosh.timing import Inactivity, Overactivity
from poise.server.notification.admission import AdmissionPolicy
from tests.conformance.targets import Profile, Server
from tests.support.server import Server as Running
from tests.support.server import SomeVerdict, start


class PoiseServer(Running):
    """The server of `tests.support`, as the suite names things."""

    name = "poise"
    path = "/http-bind"

    @contextmanager
    def broken_accounts(self) -> Iterator[None]:
        """Meanwhile no password can be checked: what `poise.server.accounts` says while its store cannot be read."""
        accounts = vars(self.accounts)

        async def unavailable(*_: str) -> SomeVerdict:
            return SomeVerdict(False, temporary=True)

        accounts["check_cached"] = lambda *_: None
        accounts["check"] = unavailable
        try:
            yield
        finally:
            self.settle()
            del accounts["check_cached"], accounts["check"]


class Poise:
    """Poise as it is checked out."""

    name = "poise"
    restart_each_module = True

    def start(self, profile: Profile, folder: Path) -> Server:
        """A thread of its own; `folder` stays empty."""
        running = start(
            tls=True,
            wait_max_s=profile.wait_max,
            wait_default_s=profile.wait_max,
            hold_max=profile.hold_max,
            inactivity_s=profile.inactivity,
            inactivity=Inactivity.EXACT,
            polling_s=profile.polling,
            maxpause_s=profile.maxpause,
            allow_creation_payload=profile.creation_payload,
            compat_openfire_404=profile.openfire_404,
            former_domains=frozenset(profile.former_domains),
            redirect_uri=profile.redirect_uri,
            overactivity=Overactivity.TERMINATE if profile.overactivity_ends else Overactivity.LOG,
            allowed_origins=profile.cors_origins,
            admission=AdmissionPolicy(unauthenticated_per_address=profile.half_open_max),
        )
        running.__class__ = PoiseServer
        assert isinstance(running, PoiseServer)
        return running

"""Poise in this process, its clock moved by hand: nothing waits. An unexpected exception inside it fails the run."""

from __future__ import annotations

import datetime
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from poise.protocols.xmpp.bosh.timing import INACTIVITY_S, Inactivity, Overactivity
from poise.protocols.xmpp.host import HostPolicy
from poise.server import certificates
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.log import NoLog
from poise.server.notification.timing import HANDSHAKE_S, IDLE_S, SIGN_IN_S
from poise.server.notification.websocket import WebSocketPolicy
from tests.conformance.targets import DOMAIN, MESSAGE_MAX, USERS, Profile, Server
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
    ws_path = "/ws"
    sign_in_s = SIGN_IN_S
    handshake_s = HANDSHAKE_S
    idle_s = IDLE_S
    ping_after_s = INACTIVITY_S / 2

    def __init__(self, running: Running, log: FaultLog) -> None:
        self._running = running
        self._log = log
        self.host = running.host
        self.port = running.port
        self.tls_port = running.tls_port
        self.tcp_port = running.tcp_port
        self.xmpps_port = running.xmpps_port
        self.settle = running.settle
        self.pass_time = running.pass_time
        self.stall = running.stall
        self.alive = running.alive

    def new_certificate(self, folder: Path) -> bytes:
        """As after SIGHUP."""
        files = certificates.ensure(folder, [DOMAIN], datetime.datetime.now(datetime.UTC))
        self._running.do(lambda _: certificates.load(self._running.xmpp_tls, files))
        own, end, _ = files.certificate.read_text().partition("-----END CERTIFICATE-----")
        return ssl.PEM_cert_to_DER_cert(own + end)

    def product_node(self, node: str) -> None:
        """As when the telephone system has told of an agent."""
        self._running.do(lambda service: service.create_node(node))

    def product_rule(self, may_subscribe: Callable[[str, str], bool]) -> None:
        """As when teams change."""
        self._running.may_subscribe = may_subscribe
        for user in USERS:
            self._running.do(lambda service, user=user: service.review_subscriptions(user))  # type: ignore[misc]

    def product_event(self, node: str, payload: bytes) -> None:
        """As when an agent's state changes."""
        self._running.do(lambda service: service.publish(node, "", payload))

    @contextmanager
    def broken_accounts(self) -> Iterator[None]:
        """Meanwhile no password can be checked: what `poise.server.accounts` says while its store cannot be read."""
        accounts = vars(self._running.accounts)

        async def unavailable(*_: str) -> SomeVerdict:
            return SomeVerdict(False, temporary=True)

        async def unknown(*_: str) -> None:
            return None

        accounts["check_cached"] = lambda *_: None
        accounts["check"] = unavailable
        accounts["scram_verifier"] = unknown
        try:
            yield
        finally:
            self.settle()
            del accounts["check_cached"], accounts["check"], accounts["scram_verifier"]

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


_SMALL = HostPolicy(
    nodes=8,
    subscriptions_per_user=3,
    offline_messages_per_user=3,
    documents_per_user=3,
    document_bytes=200,
    document_bytes_per_user=400,
    affiliations_per_node=3,
    directed_per_session=3,
)


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
            # time stands still: all sign-ins of a module are one burst
            host=_SMALL if profile.small else HostPolicy(replacement_burst=10_000),
            admission=AdmissionPolicy(
                unauthenticated_per_address=profile.half_open_max, creations_per_minute=1_000_000
            ),
            plain_in_clear=not profile.tls_required,
            scram=profile.scram,
            websocket=WebSocketPolicy(
                message_max_bytes=MESSAGE_MAX,
                output_max_bytes=profile.output_max,
                redirect_uri=profile.websocket_redirect,
            ),
        )
        return PoiseServer(running, log)

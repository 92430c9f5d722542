"""Puts the rooms together: storage, accounts, logs, notification service, CTI link, agents, web services.

Order of starting: what is asked before what asks. Order of stopping: first what speaks to clients, last what writes;
each part has its time, and one that does not end in it is left behind, named, and does not keep the others.
Everything lives on one event loop; nothing here decides anything.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import signal
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from poise.contact.states import Deployment
from poise.finesse.configuration.table import SYSTEM_CONFIG
from poise.protocols.xmpp.delivery import PresenceChanged
from poise.protocols.xmpp.host import Rules
from poise.server import certificates, collector, translation
from poise.server.accounts import Accounts
from poise.server.agents.service import AgentService
from poise.server.clock import Clock, LoopClock
from poise.server.ctilink.client import CtiClient
from poise.server.desktop import files as desktop_files
from poise.server.desktop.pages import Desktop
from poise.server.holding import FolderInUseError, Holding
from poise.server.keylog import KeyLog
from poise.server.listeners import addresses, listeners
from poise.server.modes import make_folder
from poise.server.notification.disconnects import Disconnects
from poise.server.notification.service import Listen, NotificationService
from poise.server.people import People
from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.audit import AuditLog
from poise.server.serviceability.client_logs import ClientLogs
from poise.server.serviceability.health import Health
from poise.server.serviceability.metrics import Metrics
from poise.server.serviceability.openfire import OpenfireLog
from poise.server.serviceability.trace import Trace
from poise.server.serviceability.webservices_log import WebservicesLog
from poise.server.serviceability.writer import LogWriter
from poise.server.settings import Cti, Settings
from poise.server.stopping import Parts, at_once, in_a_thread
from poise.server.storage.configuration import ONLY, Configuration
from poise.server.storage.importing import seed_demo
from poise.server.storage.notification import NotificationRecords
from poise.server.storage.records import ReasonCodeRecord
from poise.server.storage.store import DATABASE, Store, StoreError, sqlite_url
from poise.server.storage.verifiers import Verifiers
from poise.server.watching import ACCOUNTS_S, CERTIFICATES_S, AccountWatch, CertificateWatch, Periodic
from poise.server.webservices.app import web_services
from poise.server.webservices.configuration.service import ConfigurationService
from poise.server.webservices.key_log import KeyLogResource
from poise.server.webservices.lab import LabResource
from poise.server.webservices.lockouts import LockoutsResource
from poise.server.webservices.openapi import documentation
from poise.server.webservices.services import Services
from poise.server.webservices.sessions import SessionsResource
from poise.server.webservices.supervision import SupervisionResource

IN_SERVICE_WAIT_S = 5.0
"""Longest time the ready table waits for the CTI link; after it the table says what is missing. The download of a large
configuration takes seconds; longer, and people take the server for hung."""


class StartError(Exception):
    """The server cannot start; the text says why and what to do."""


class Application:
    """The whole server. Make, start and stop it on one event loop."""

    def __init__(
        self,
        settings: Settings,
        *,
        demo: bool = False,
        clock: Clock | None = None,
        checks: Mapping[str, Callable[[], str]] | None = None,
        lab: Callable[[], int] | None = None,
    ) -> None:
        """`demo` seeds demo accounts into an empty database; `clock` is the loop's own unless a test moves it; `checks`
        are more reasons for /readyz to say no; `lab` gives the control port of the demo's telephone system."""
        self.settings = settings
        self.demo = demo
        self.data = Path(settings.server.data)
        self.domain = settings.server.domain.lower()
        self._desktop_files = desktop_files.load()
        self.metrics = Metrics()
        self._given_clock = clock
        self._activelog = Activelog(self.data)
        self._files: certificates.Files | None = None
        self._contexts: list[ssl.SSLContext] = []
        self._checks = dict(checks or {})
        self._lab = lab
        self.parts = Parts()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._cti = settings.cti

    # ---- life

    async def serve(self, on_ready: Callable[[], None]) -> None:
        """Start, say so once in service or after IN_SERVICE_WAIT_S, and run until SIGTERM or SIGINT. SIGUSR1 and
        SIGUSR2 switch debug.log on and off, SIGHUP reads the certificates again."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        try:
            await self.start()
            collector.settle()
            loop.add_signal_handler(signal.SIGUSR1, self.openfire.set_debug, True)
            loop.add_signal_handler(signal.SIGUSR2, self.openfire.set_debug, False)
            loop.add_signal_handler(signal.SIGHUP, self.reload_certificates)
            await self._in_service(stop)
            if not stop.is_set():
                on_ready()
            await stop.wait()
        finally:
            await self.stop()

    async def _in_service(self, stop: asyncio.Event) -> None:
        """Wait for the CTI link, if there is to be one; not for ever, and not when the server is to stop."""
        opened = asyncio.Event()
        self.agents.on_service = opened.set
        if self.agents.in_service or not self._cti.side_a:
            return
        waiting = [asyncio.ensure_future(event.wait()) for event in (opened, stop)]
        await asyncio.wait(waiting, timeout=IN_SERVICE_WAIT_S, return_when=asyncio.FIRST_COMPLETED)
        for future in waiting:
            future.cancel()

    def telephony_changed(self, alive: bool, text: str) -> None:
        """The demo's telephone system ended, or runs again. May be called by any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.webservices_log.demo_telephony, alive, text)

    def reload_certificates(self) -> None:
        """Present the certificate files as they are now, from the next connection on; the old ones stay in use when
        they are no good."""
        try:
            self._files = self._certificate()
            for context in self._contexts:
                certificates.load(context, self._files)
        except (certificates.CertificateError, OSError, ValueError) as error:
            self.webservices_log.certificates_read(error)
        else:
            self.webservices_log.certificates_read(None)

    async def start(self) -> None:
        """Open everything. Raises StartError with nothing left open."""
        try:
            await self._start()
        except StartError:
            await self.stop()
            raise
        except (OSError, StoreError, certificates.CertificateError, ValueError) as error:
            await self.stop()
            raise StartError(f"The server cannot start: {error}") from error

    async def stop(self) -> None:
        """Close everything that was opened, last opened first; takes STOP_S seconds at most (`stopping`)."""
        await self.parts.close(lambda name, error: self.webservices_log.agent_fault(f"stop of {name}", error))

    async def _start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.clock = self._given_clock or LoopClock(self._loop)
        self._take_folder()
        self._activelog.create()
        self.log_writer = writer = LogWriter()
        self.parts.opened("the logs", in_a_thread(writer.close), writes=True)
        self._make_logs(writer)
        self._client_logs = ClientLogs(self._activelog.clientlogs, self.clock.wall)
        self.parts.opened("the client logs", in_a_thread(self._client_logs.close), writes=True)
        self._store = store = await Store.open(self._database(), self.webservices_log.storage)
        self.parts.opened("the database", store.close, writes=True)
        verifiers = await Verifiers.open(store) if self.settings.xmpp.scram else None
        if self.demo:
            await seed_demo(store, verifiers)
        people = People(store, self.domain)
        await people.load()
        self.accounts = Accounts(people, self.clock, on_lock=self.webservices_log.account_locked, verifiers=verifiers)
        self.parts.opened("the password checks", self.accounts.close)
        await self._start_services(store, people)
        self._watch(AccountWatch(store, people, self.accounts, self._reasons_changed))

    def _take_folder(self) -> None:
        try:
            make_folder(self.data)
            held = Holding(self.data)
        except FolderInUseError as error:
            raise StartError(f"The server cannot start: {error}") from None
        except OSError as error:
            raise StartError(
                f"The server cannot start: the data folder {self.data} cannot be used: {error.strerror or error}. "
                "Choose one that it may write to with --data."
            ) from error
        self.parts.opened("the data folder", at_once(held.release))

    def _database(self) -> str:
        return self.settings.server.database or sqlite_url(self.data / DATABASE)

    def _watch(self, accounts: AccountWatch) -> None:
        files = CertificateWatch(lambda: self._files, self.reload_certificates)
        for period_s, look in ((ACCOUNTS_S, accounts.look), (CERTIFICATES_S, files.look)):
            self.parts.opened("the watches", Periodic(self.clock, period_s, look).stop)

    def _make_logs(self, writer: LogWriter) -> None:
        settings = self.settings
        trace = Trace(writer, self._activelog, self.clock, enabled=settings.log.trace)
        self.openfire = OpenfireLog(writer, self._activelog, self.clock, trace, self.metrics, debug=settings.log.debug)
        self.webservices_log = WebservicesLog(
            writer,
            self._activelog,
            self.clock,
            trace,
            self.metrics,
            host=self.domain,
            deployment=settings.contact.deployment,
        )
        self.audit = AuditLog(writer, self._activelog, self.clock)
        self.metrics.counted_elsewhere(
            "poise_presence_store_failures_total",
            "Writes of last presences the store refused; they are tried again.",
            lambda: self._store.presences.failures,
        )
        self.metrics.counted_elsewhere("poise_log_lines_dropped_total", "Log lines lost.", lambda: writer.dropped)

    async def _start_services(self, store: Store, people: People) -> None:
        rules = Rules(people.administrators, people.exists, self._may_subscribe)
        self.people = people
        self.notification = NotificationService(
            translation.notification_settings(self.settings, self.domain, self._names()),
            rules,
            self.accounts,
            self.clock,
            self.openfire,
            app_failed=lambda error: self.webservices_log.rest_fault(method="", path="", error=error),
            store=NotificationRecords(store),
        )
        self._cti = await self._cti_settings(store)
        with_cti = replace(self.settings, cti=self._cti)
        self.cti = CtiClient(
            translation.link_settings(with_cti),
            self.clock,
            self.webservices_log,
            self._cti_output,
            tls=translation.cti_tls(with_cti),
        )
        remembered = await store.last_presences()
        reasons = await Configuration(store).reason_codes()
        self.agents = AgentService(
            translation.service_facts(with_cti, self.domain),
            translation.logout_policy(self.settings),
            cti=self.cti,
            publisher=self.notification,
            store=store,
            deadlines=self.notification.hub.wheel,
            clock=self.clock,
            log=self.webservices_log,
            reasons=translation.reason_book(self._deployment, reasons),
            last_heartbeat=lambda: self.cti.last_heartbeat_at,
        )
        people.on_demotion = self.notification.review_subscriptions
        self.notification.on_presence(self._presence)
        self.notification.on_stall(self.agents.forgive)
        self.disconnects = Disconnects(self.clock)
        self.notification.on_end(self.disconnects.ended)
        self._count()
        self.parts.opened(
            "the CTI link", self.cti.stop
        )  # after the clients are told: a lost link is not why their sessions end
        await self.notification.start(self._listeners())
        self.parts.opened("the notification service", self.notification.stop)
        self.agents.start(user for user, presence in remembered.items() if presence.available)
        self.parts.opened("the agents", at_once(self.agents.stop))
        if self._cti.side_a:
            self.cti.start()

    def _count(self) -> None:
        for metric in self.notification.metrics():
            add = self.metrics.gauge if metric.kind == "gauge" else self.metrics.counted_elsewhere
            add(metric.name, metric.help, metric.read)

    # ---- between the rooms

    def _presence(self, event: PresenceChanged) -> None:
        self.agents.presence(event.user, event.resource, event.available, event.remaining)

    def _cti_output(self, output: Any) -> None:
        self.agents.cti_output(output)

    def _storage_trouble(self) -> str:
        trouble = self._store.presences.trouble or self.notification.storage_trouble
        return f"The database does not take what must survive a restart: {trouble}" if trouble else ""

    def _may_subscribe(self, user: str, node: str) -> bool:
        return self.agents.may_subscribe(user, node, administrator=self.people.is_administrator(user))

    # ---- settings for each room

    @property
    def _deployment(self) -> Deployment:
        return Deployment(self.settings.contact.deployment)

    async def _cti_settings(self, store: Store) -> Cti:
        """The settings, or where they name no CTI server, what administrators configured (SystemConfig)."""
        configured = (await Configuration(store).one(SYSTEM_CONFIG, ONLY)).document["cti"]
        if self.settings.cti.side_a or not configured["host"] or self._deployment is Deployment.UCCX:
            return self.settings.cti
        backup = configured.get("backupHost")
        return replace(
            self.settings.cti,
            side_a=f"{configured['host']}:{configured['port']}",
            side_b=f"{backup}:{configured.get('backupPort', configured['port'])}" if backup else "",
            peripheral_id=configured["peripheralId"],
            tls=configured["secure"],
        )

    # ---- listeners

    def _listeners(self) -> list[Listen]:
        self._files = self._certificate()
        tls = certificates.context(self._files)
        xmpp_tls = certificates.context(self._files, "xmpp-client")
        self._contexts = [tls, xmpp_tls]
        rest = self.settings.rest
        services = Services(
            self.accounts,
            self.agents,
            self.clock,
            self.webservices_log,
            frozenset(rest.allowed_origins),
            client_logs=self._client_logs,
            connected=self.notification.connected,
            team_for_all=rest.team_for_all,
            user_auth_mode=rest.user_auth_mode,
            configuration=self._configuration(),
        )
        checks = {"agents": lambda: self.agents.trouble, "storage": self._storage_trouble, **self._checks}
        self.health = Health(self.metrics, {**checks, "log": lambda: self.log_writer.trouble})
        sessions = SessionsResource(services, self.notification, self.domain)
        key_log = KeyLogResource(services, KeyLog(self._contexts, self.data / "tls" / "keys.log"))
        supervision = SupervisionResource(services, self.disconnects, self.agents.absences)
        lockouts = LockoutsResource(services, self.audit)
        desktop = Desktop(self._desktop_files, translation.desktop_config(self.settings, self.domain))
        routes = [*self.health.routes(), *sessions.routes(), *supervision.routes(), *lockouts.routes()]
        routes += key_log.routes()
        if self._lab is not None:
            routes += LabResource(services, self._lab).routes()
        app = web_services(services, [*routes, *documentation(), *desktop.routes()])
        return listeners(self.settings, app, tls, xmpp_tls)

    def _configuration(self) -> ConfigurationService:
        return ConfigurationService(
            Configuration(self._store), self.audit, self._deployment, on_reasons=self._take_reasons
        )

    def _take_reasons(self, records: Sequence[ReasonCodeRecord]) -> None:
        self.agents.reasons = translation.reason_book(self._deployment, records)

    async def _reasons_changed(self) -> None:
        """Somebody wrote to the database beside us."""
        try:
            self._take_reasons(await Configuration(self._store).reason_codes())
        except StoreError:
            return  # it is looked at again when it changes again

    def _certificate(self) -> certificates.Files:
        tls = self.settings.tls
        if tls.certificate or tls.key:
            return certificates.Files(Path(tls.certificate), Path(tls.key), None)
        return certificates.ensure(self.data / "tls", self._names(), self._now())

    def _names(self) -> list[str]:
        """What clients call this server: in the certificate, and as `to` of their streams."""
        server = self.settings.server
        names = [self.domain, "localhost", "127.0.0.1", *server.names]
        if server.host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            names.append(server.host)
        return list(dict.fromkeys(names))

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.clock.wall(), datetime.UTC)

    # ---- what people are told

    def facts(self) -> dict[str, Any]:
        """Addresses, logs and CA of the running server, and why it is not in service, for the ready table."""
        ports = self.notification.ports
        ca = self._files.ca if self._files is not None else None
        return {
            "trouble": self.agents.trouble,
            "addresses": addresses(self.domain, ports, desktop=bool(self._desktop_files), cti=self._cti.side_a),
            "ports": dict(ports),
            "logs": str(self._activelog.desktop.resolve()),
            "ca": str(ca.resolve()) if ca is not None else "",
            "pid": os.getpid(),
        }

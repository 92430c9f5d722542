"""The notification service: its listeners, its sessions, and what the rest of the product may ask of it."""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from poise.protocols.xmpp.bosh.timing import REAPER_PERIOD_S, BoshPolicy
from poise.protocols.xmpp.c2s import C2SPolicy
from poise.protocols.xmpp.delivery import PresenceChanged
from poise.protocols.xmpp.host import Host, HostPolicy, Rules
from poise.server.clock import Clock
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.asgi import AsgiApp
from poise.server.notification.bosh import BoshService
from poise.server.notification.client import ClientSession
from poise.server.notification.disconnects import EndListener
from poise.server.notification.host_meta import host_meta
from poise.server.notification.http import HttpConnection
from poise.server.notification.http_answer import Cors
from poise.server.notification.http_site import HttpPort, HttpSite
from poise.server.notification.hub import Accounts, Hub
from poise.server.notification.live import LiveSession, live
from poise.server.notification.log import NotificationLog
from poise.server.notification.measures import Metric, measures
from poise.server.notification.persistence import Persistence, RecordStore
from poise.server.notification.reaper import Heartbeat, Reaper, forgive
from poise.server.notification.tcp import TcpService, keep_alive
from poise.server.notification.timing import FAREWELL_S, HANDSHAKE_S, IDLE_S, STOP_S, HttpLimits, HttpTimes
from poise.server.notification.websocket import WebSocketPolicy, WebSocketService

_BACKLOG = 2048
"""Connections the kernel may queue: after a restart all agents come back within seconds."""
_STOP_SLICE = 100
"""Sessions ended in one turn of the loop while stopping."""


class Kind(Enum):
    """What a listener speaks."""

    HTTP = "http"
    XMPP = "xmpp"


@dataclass(frozen=True, slots=True)
class Listen:
    """One port to open."""

    name: str
    """For people and for `NotificationService.ports`: `https`, `notification`, `xmpp`, `insecure_bosh` ..."""
    host: str
    port: int
    """0 takes any free one."""
    kind: Kind = Kind.HTTP
    tls: ssl.SSLContext | None = None
    """Reloading its certificate chain serves the new one from the next connection on."""
    starttls: ssl.SSLContext | None = None
    """What a client may change to (XMPP without `tls`); it must, unless passwords may go in the clear."""
    bosh: bool = True
    """Whether `/http-bind` is served (HTTP)."""
    app: AsgiApp | None = None
    """What serves every other path (HTTP); None answers 404."""
    websocket: bool = True
    """Whether `/ws` is served (HTTP)."""


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """Every knob of the service."""

    domain: str
    """XMPP domain; pubsub lives at `pubsub.<domain>`."""
    bosh: BoshPolicy = field(default_factory=BoshPolicy)
    websocket: WebSocketPolicy = field(default_factory=WebSocketPolicy)
    host: HostPolicy = field(default_factory=HostPolicy)
    admission: AdmissionPolicy = field(default_factory=AdmissionPolicy)
    reaper_period_s: float = REAPER_PERIOD_S
    """Seconds between two looks at idle sessions."""
    allowed_origins: tuple[str, ...] = ()
    """Origins allowed by CORS on `/http-bind`, and at `/ws` beside our own names; `*` allows all."""
    plain_in_clear: bool = False
    """Whether passwords may cross connections without TLS (the insecure switch)."""
    scram: bool = False
    """Whether accounts keep what SCRAM needs, so that it may be offered."""
    tcp_idle_s: float = IDLE_S
    """Seconds without a byte after which a stream over TCP is over; it is pinged at half of it. `inf`: never."""
    names: frozenset[str] = frozenset()
    """Further names by which XMPP clients may address this server."""
    limits: HttpLimits = field(default_factory=HttpLimits)
    times: HttpTimes = field(default_factory=HttpTimes)


class NotificationService:
    """Must be made, started and stopped on the running event loop; not thread-safe."""

    def __init__(
        self,
        settings: NotificationSettings,
        rules: Rules,
        accounts: Accounts,
        clock: Clock,
        log: NotificationLog,
        *,
        app_failed: Callable[[BaseException], None] | None = None,
        store: RecordStore | None = None,
    ) -> None:
        """`app_failed` is told of exceptions that leave an ASGI application; without a `store` subscriptions, nodes and
        messages end with the service."""
        self.settings = settings
        self._clock = clock
        self._log = log
        domain = settings.domain
        self.host = Host(domain, f"pubsub.{domain}", rules, random.Random(secrets.randbits(64)), settings.host)  # noqa: S311 - ids need be unique, not secret
        self.hub = hub = Hub(self.host, accounts, clock, log, settings.admission)
        if store is not None:
            hub.persistence = Persistence(hub, store)
        self.bosh = BoshService(
            hub, settings.bosh, plain_in_clear=settings.plain_in_clear, scram=settings.scram, hosts=settings.names
        )
        self.tcp = TcpService(hub, settings.tcp_idle_s)
        self.site = HttpSite(
            clock,
            hub.wheel,
            self.bosh,
            cors=Cors(settings.allowed_origins),
            limits=settings.limits,
            times=settings.times,
            app_failed=app_failed,
        )
        self.websocket = self.site.websockets = WebSocketService(
            hub, settings.websocket, self._streams(secure=False), settings.allowed_origins
        )
        hub.stall_listeners.append(self._forgive)
        self._servers: list[asyncio.Server] = []
        self._ports: dict[str, int] = {}

    # -- start and stop ------------------------------------------------------------------------------------------------

    async def start(self, listeners: Iterable[Listen]) -> None:
        """Read what was stored and open all ports. Raises what the store raises, and OSError for the first port that
        cannot be opened, with none left open."""
        loop = asyncio.get_running_loop()
        if self.hub.persistence is not None:
            await self.hub.persistence.restore()
        endpoints: list[tuple[bool, int]] = []
        try:
            for listen in listeners:
                server = await loop.create_server(
                    self._factory(listen),
                    listen.host,
                    listen.port,
                    ssl=listen.tls,
                    backlog=_BACKLOG,
                    ssl_handshake_timeout=HANDSHAKE_S if listen.tls is not None else None,
                    ssl_shutdown_timeout=FAREWELL_S if listen.tls is not None else None,
                )
                self._servers.append(server)
                for listening in server.sockets:
                    keep_alive(listening)
                port = self._ports[listen.name] = server.sockets[0].getsockname()[1]
                if listen.kind is Kind.HTTP and listen.bosh and listen.websocket:
                    endpoints.append((listen.tls is not None, port))
        except OSError:
            self._close_listeners()
            raise
        self.site.pages |= host_meta(self.settings.domain, endpoints)
        self.hub.wheel.watch(Heartbeat(self.hub))
        self.hub.wheel.watch(Reaper(self.bosh, self.settings.reaper_period_s, self._streams_over_sockets))
        self._log.started()

    @property
    def ports(self) -> Mapping[str, int]:
        """Port number by listener name."""
        return self._ports

    async def stop(self) -> None:
        """Tell everyone `system-shutdown`, let the last bytes leave, close. Takes less than a second.

        Presence listeners hear nothing of it: that the server stops says nothing about the agents.
        """
        hub = self.hub
        if hub.stopping:
            return
        hub.stopping = True
        hub.presence_listeners.clear()
        hub.end_listeners.clear()
        self._close_listeners()
        hub.pump.flush()
        await self._end_all()
        if hub.persistence is not None:
            await hub.persistence.close()
        await hub.stop_tasks()
        await self._drain()
        hub.wheel.stop()
        self._log.stopped()

    async def _end_all(self) -> None:
        sessions: list[ClientSession] = [*self.bosh.sessions.values(), *self.tcp.clients, *self.websocket.clients]
        for start in range(0, len(sessions), _STOP_SLICE):
            for client in sessions[start : start + _STOP_SLICE]:
                try:
                    client.end("shutdown", self.hub.now())
                except Exception as error:  # noqa: BLE001 - the others must be told all the same
                    self.hub.fault(client, error, self.hub.now())
            self.hub.host.outbox.clear()  # nobody is left to read the farewells of others
            self.hub.settle()
            await _turn_of_the_loop()

    async def _drain(self) -> None:
        """Wait until connections are closed and applications done, for STOP_S at most; then break what is left."""
        for connection in list(self.site.connections):
            connection.close_when_done()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.site.when_empty(done)
        tasks = [*self.site.tasks]
        await asyncio.wait([done, *tasks], timeout=STOP_S)
        for connection in list(self.site.connections):
            connection.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in list(self.tcp.leaving):
            client.abort()
        await _turn_of_the_loop()  # in which the transports let go of their connections

    def _close_listeners(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    def _factory(self, listen: Listen) -> Callable[[], asyncio.Protocol]:
        secure = listen.tls is not None
        if listen.kind is Kind.XMPP:
            return self.tcp.factory(self._streams(secure, starttls=listen.starttls is not None), listen.starttls)
        port = HttpPort(listen.name, secure=secure, bosh=listen.bosh, app=listen.app, websocket=listen.websocket)
        return lambda: HttpConnection(self.site, port)

    def _streams(self, secure: bool, starttls: bool = False) -> C2SPolicy:
        settings = self.settings
        return C2SPolicy(
            secure=secure,
            plain_in_clear=settings.plain_in_clear,
            starttls=starttls,
            scram=settings.scram,
            hosts=settings.names,
            former_hosts=settings.bosh.former_domains,
        )

    def _forgive(self, seconds: float) -> None:
        now = self.hub.now()
        forgive(self.bosh, seconds, now)
        for client in self.tcp.clients:
            client.forgive(seconds)
        for session in self.websocket.clients:
            session.forgive(seconds, now)
        for connection in self.site.connections:
            connection.forgive(seconds, now)

    # -- the product's side --------------------------------------------------------------------------------------------

    def on_presence(self, callback: Callable[[PresenceChanged], None]) -> None:
        """Call back, on the loop, whenever a resource becomes available or unavailable."""
        self.hub.presence_listeners.append(callback)

    def on_stall(self, callback: Callable[[float], None]) -> None:
        """Call back, on the loop, when the server itself did not run for so many seconds."""
        self.hub.stall_listeners.append(callback)

    def on_end(self, callback: EndListener) -> None:
        """Call back, on the loop, whenever a signed-in session has ended, except when the server stops."""
        self.hub.end_listeners.append(callback)

    def publish(self, node: str, item_id: str, payload: bytes) -> int:
        """Notify a node's subscribers; how many clients it goes to. `payload` is a serialised `<notification/>`;
        `item_id` may be empty. Raises UnknownNode, ValueError (see `Host.publish`)."""
        delivered = self.host.publish(node, item_id, payload, self.hub.now())
        self.hub.settle()
        return delivered

    def create_node(self, node: str, title: str = "") -> None:
        """A node of the product; nothing happens when it exists. Raises NodeRefused."""
        self.host.create_node(node, title)
        self.hub.settle()

    def delete_node(self, node: str) -> None:
        """Delete a node and tell its subscribers; nothing happens when there is none."""
        self.host.delete_node(node)
        self.hub.settle()

    def subscribe(self, node: str, jid: str) -> None:
        """Subscribe a JID to a node. Raises UnknownNode, JidError, NodeRefused."""
        self.host.subscribe(node, jid)
        self.hub.settle()

    def unsubscribe(self, node: str, jid: str) -> None:
        """End a subscription. Raises UnknownNode, JidError."""
        self.host.unsubscribe(node, jid)
        self.hub.settle()

    def review_subscriptions(self, user: str) -> None:
        """A user's teams or roles have changed: subscriptions that are not allowed any more end."""
        self.host.review_subscriptions(user, self.hub.now())
        self.hub.settle()

    def nodes_complete(self) -> None:
        """The product has made every node it has: what was stored about others is forgotten."""
        self.host.nodes_complete(self.hub.now())
        self.hub.settle()

    def announce(self, available: bool) -> None:
        """Presence of `finesse@<domain>`, the server's own user: whether the web services are there."""
        self.host.announce(available, self.hub.now())
        self.hub.settle()

    def kill(self, jid: str, by: str = "") -> bool:
        """End the session of a full JID for the operator, `by` whom; False when there is none."""
        now = self.hub.now()
        for client in self._clients():
            if client.jid == jid:
                client.end("killed", now, evidence=f"by {by}" if by else "")
                self.hub.settle()
                return True
        return False

    # -- views ---------------------------------------------------------------------------------------------------------

    def sessions(self) -> list[LiveSession]:
        """All sessions, bound or not."""
        now = self.hub.now()
        return [live(client, now) for client in self._clients()]

    def connected(self) -> list[str]:
        """Full JIDs of all sessions that are bound."""
        return [client.jid for client in self._clients() if client.jid]

    def page(self, user: str, start: int, count: int) -> tuple[int, list[LiveSession]]:
        """How many sessions there are, and `count` of them from the `start`th on, by JID and age; unbound ones first.
        With a `user` only his."""
        now = self.hub.now()
        clients = [client for client in self._clients() if not user or client.jid.partition("@")[0] == user]
        clients.sort(key=lambda client: (client.jid, client.created_at))
        return len(clients), [live(client, now) for client in clients[start : start + count]]

    @property
    def storage_trouble(self) -> str:
        """Why what the host must not forget is not being written; empty when it is, or nothing is kept."""
        return self.hub.persistence.trouble if self.hub.persistence is not None else ""

    def metrics(self) -> tuple[Metric, ...]:
        """What can be counted here, for the metrics page."""
        return measures(self)

    def _clients(self) -> list[ClientSession]:
        return [*self.bosh.sessions.values(), *self._streams_over_sockets()]

    def _streams_over_sockets(self) -> list[ClientSession]:
        return [*self.tcp.clients, *self.websocket.clients]


async def _turn_of_the_loop() -> None:
    loop = asyncio.get_running_loop()
    turn = loop.create_future()
    loop.call_soon(turn.set_result, None)
    await turn

"""Every setting of the server: one frozen dataclass a section, each key with its meaning, unit and default.

This file is only the list. Reading TOML, the environment and `--set` is `poise.server.config`.
Times whose default is the seed's stand here by reference to the component's `timing` module, never typed twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from poise.finesse import timing as presence_timing
from poise.protocols.cti import timing as cti_timing
from poise.protocols.xmpp import host_limits
from poise.protocols.xmpp.bosh import timing as bosh_timing
from poise.protocols.xmpp.xml import LIMITS
from poise.server.notification import admission
from poise.server.notification.timing import DEFLATE_FROM_BYTES, IDLE_S, HttpLimits

PID_FILE = "poise.pid"
"""File in the data folder that names the running server, for `poise utils`."""


def setting(default: Any, doc: str, *, secret: bool = False, choices: tuple[str, ...] = ()) -> Any:
    """A key with its one-line meaning; `secret` keys are masked by `poise config show`."""
    meta = {"doc": doc, "secret": secret, "choices": choices}
    if isinstance(default, tuple):
        return field(default_factory=lambda: default, metadata=meta)
    return field(default=default, metadata=meta)


@dataclass(frozen=True)
class Server:
    """Where the server lives."""

    host: str = setting("0.0.0.0", "address all listeners bind to")  # noqa: S104 - a server's default; the demo binds to loopback
    domain: str = setting("", "XMPP domain and host name clients use; empty: this machine's full name")
    names: tuple[str, ...] = setting((), "further names and addresses by which clients call this server")
    data: str = setting("data", "folder of certificates, database and logs")
    secondary: str = setting("", "host name of the second node, as SystemInfo names it; empty: single node")


@dataclass(frozen=True)
class Ports:
    """TCP ports; 0 takes any free port, -1 switches the listener off."""

    https: int = setting(8445, "HTTPS: REST, desktop, also /http-bind and /ws")
    notification: int = setting(7443, "HTTPS: /http-bind and /ws of the notification service")
    xmpp: int = setting(5222, "XMPP over TCP, with STARTTLS")
    xmpp_tls: int = setting(5223, "XMPP over TCP in TLS from the first byte")
    insecure_http: int = setting(8082, "plain HTTP REST and /ws, only with ports.insecure")
    insecure_bosh: int = setting(7071, "plain HTTP /http-bind and /ws, only with ports.insecure")
    insecure: bool = setting(False, "open the plain ports and allow PLAIN without TLS (enableInsecureOpenfirePort)")

    def listeners(self) -> dict[str, int]:
        """The port of each listener there is to be, by the name of its setting."""
        names = ["https", "notification", "xmpp", "xmpp_tls"]
        names += ["insecure_http", "insecure_bosh"] if self.insecure else []
        return {name: getattr(self, name) for name in names if getattr(self, name) >= 0}


@dataclass(frozen=True)
class Tls:
    """Certificates; without them a development CA is made on first run."""

    certificate: str = setting("", "PEM file with the server's certificate chain; empty: development CA")
    key: str = setting("", "PEM file with its private key")


@dataclass(frozen=True)
class Bosh:
    """BOSH sessions (XEP-0124, XEP-0206)."""

    wait_max_s: int = setting(bosh_timing.WAIT_MAX_S, "longest time in seconds a request is held")
    idle_limit_s: int = setting(
        bosh_timing.INACTIVITY_S, "seconds without a held request after which a session is closed"
    )
    reaper_interval_s: float = setting(float(bosh_timing.REAPER_PERIOD_S), "seconds between two looks at idle sessions")
    hold_max: int = setting(bosh_timing.HOLD_MAX, "most requests held at once in one session")
    polling_s: int = setting(
        bosh_timing.POLLING_S, "shortest time in seconds between two empty requests; 0: no such limit"
    )
    ignore_overactivity: bool = setting(False, "only count clients that are too active, as Openfire's switch does")
    openfire_404: bool = setting(
        False, "answer an unknown sid with HTTP 404 as Openfire does, instead of item-not-found"
    )
    allowed_origins: tuple[str, ...] = setting(
        (),
        "origins whose pages may use /http-bind (CORS) and /ws beside those of server.names; * allows all, without "
        "credentials",
    )
    creations_per_minute: int = setting(
        admission.CREATIONS_PER_MINUTE, "BOSH sessions one address may create in a minute"
    )
    unauthenticated_max: int = setting(
        admission.UNAUTHENTICATED_MAX, "sessions and streams that have not signed in yet, over all addresses"
    )
    unauthenticated_per_address: int = setting(admission.UNAUTHENTICATED_PER_ADDRESS, "the same for one address")
    connections_per_address: int = setting(HttpLimits().connections_per_address, "open HTTP connections of one address")


@dataclass(frozen=True)
class Xmpp:
    """XMPP over TCP, and sign-in on all bindings."""

    starttls: bool = setting(True, "offer TLS on ports.xmpp; without ports.insecure nobody signs in there without it")
    idle_limit_s: int = setting(
        round(IDLE_S), "seconds of silence after which a connection is closed, pinged at half of it; 0: never"
    )
    scram: bool = setting(
        False, "offer SCRAM; what it needs is kept from `admin import --scram` or the first sign-in by password on"
    )


@dataclass(frozen=True)
class WebSocket:
    """XMPP over WebSocket (RFC 7395) at /ws, on the ports of /http-bind."""

    idle_limit_s: int = setting(
        bosh_timing.INACTIVITY_S, "seconds of silence after which a session is closed, pinged at half of it; 0: never"
    )
    message_max_bytes: int = setting(LIMITS.size, "most bytes of a client's message, put together and inflated")
    compression: bool = setting(True, "agree to permessage-deflate when a client offers it")
    deflate_from_bytes: int = setting(DEFLATE_FROM_BYTES, "smallest message that is sent compressed then; 0: none is")
    redirect_uri: str = setting(
        "", "wss: address to which clients without TLS are sent (see-other-uri); empty: they are served"
    )


@dataclass(frozen=True)
class Presence:
    """Presence-driven logout."""

    grace_s: float = setting(presence_timing.GRACE_S, "seconds from unavailable to the forced logout")
    monitor_s: float = setting(
        presence_timing.MONITOR_S, "seconds between two AGENT_PRESENCE_MONITOR lines while pending"
    )


@dataclass(frozen=True)
class Messages:
    """Messages and documents of XMPP users."""

    offline_per_user: int = setting(
        host_limits.OFFLINE_MESSAGES_PER_USER, "messages kept for one user who is not there"
    )
    offline_bytes_per_user: int = setting(host_limits.OFFLINE_BYTES_PER_USER, "bytes of these")
    offline_keep_s: float = setting(
        host_limits.OFFLINE_KEEP_S, "seconds after which a message nobody fetched is dropped"
    )
    replay_notifications: bool = setting(
        False, "keep notifications for absent users and hand them out later, as Openfire does"
    )


@dataclass(frozen=True)
class Cti:
    """The link to the CTI server."""

    side_a: str = setting("", "host:port of side A; empty: no CTI link, the server stays OUT_OF_SERVICE")
    side_b: str = setting("", "host:port of side B; empty: none")
    peripheral_id: int = setting(5000, "peripheral id sent in OPEN_REQ")
    client_id: str = setting("Finesse", "ClientID sent in OPEN_REQ")
    client_password: str = setting("", "ClientPassword sent in OPEN_REQ", secret=True)
    version: int = setting(
        20, "highest GED-188 protocol version to ask for", choices=tuple(str(version) for version in range(13, 26))
    )
    heartbeat_s: float = setting(float(cti_timing.HEARTBEAT_S), "seconds between two heartbeats")
    queue_statistics_s: float = setting(
        cti_timing.STATISTICS_LEAST_S,
        "seconds between two rounds of queue statistics, at least 10; 0: none, as on UCCX",
    )
    tls: bool = setting(False, "TLS from the first byte; the certificate must name the host of side_a or side_b")
    tls_ca: str = setting("", "PEM file of the authority of the CTI servers' certificates; empty: the system's")


@dataclass(frozen=True)
class Contact:
    """The contact centre behind the server."""

    deployment: str = setting("UCCE", "rules of the agent states", choices=("UCCE", "UCCX"))
    load: int = setting(0, "UCCE's LOAD: 0 = a lost agent becomes NOT_READY, 1 = is signed out", choices=("0", "1"))
    drop_participants: str = setting(
        "conference_controller_and_supervisor",
        "who may drop others from a conference (enableDropParticipantFor)",
        choices=("supervisor_only", "conference_controller_and_supervisor", "all"),
    )


@dataclass(frozen=True)
class Lab:
    """The simulated contact centre behind `serve --demo`."""

    calls_per_minute: float = setting(2.0, "calls a minute that come by themselves while agents are READY; 0: none")
    control_port: int = setting(-1, "port on 127.0.0.1 for `poise lab fault` and its like; 0: a free one, -1: none")


@dataclass(frozen=True)
class Log:
    """The activelog tree."""

    debug: bool = setting(False, "write the notification service's debug.log from the start")
    trace: bool = setting(True, "write the structured trace logs/poise/trace.jsonl")


@dataclass(frozen=True)
class Rest:
    """REST web services."""

    allowed_origins: tuple[str, ...] = setting((), "origins allowed by CORS on the REST API")
    team_for_all: bool = setting(
        False, "let every agent read every Team with its members (enableTeamAPIAccessForAllusers)"
    )
    user_auth_mode: bool = setting(True, "answer UserAuthMode, without sign-in (enableUserAuthMode)")


@dataclass(frozen=True)
class Desktop:
    """The web application for agents and supervisors."""

    transport: str = setting("bosh", "how desktops receive notifications", choices=("bosh", "websocket"))
    notification_port: int = setting(
        0, "port of the notification service that desktops use; 0: the one they were loaded from (ports.https)"
    )


@dataclass(frozen=True)
class Settings:
    """All sections."""

    server: Server = field(default_factory=Server)
    ports: Ports = field(default_factory=Ports)
    tls: Tls = field(default_factory=Tls)
    bosh: Bosh = field(default_factory=Bosh)
    xmpp: Xmpp = field(default_factory=Xmpp)
    websocket: WebSocket = field(default_factory=WebSocket)
    presence: Presence = field(default_factory=Presence)
    messages: Messages = field(default_factory=Messages)
    cti: Cti = field(default_factory=Cti)
    contact: Contact = field(default_factory=Contact)
    lab: Lab = field(default_factory=Lab)
    log: Log = field(default_factory=Log)
    rest: Rest = field(default_factory=Rest)
    desktop: Desktop = field(default_factory=Desktop)


SECTIONS: dict[str, type[Any]] = {f.name: f.default_factory for f in fields(Settings)}  # type: ignore[misc]
"""Section name -> its dataclass."""

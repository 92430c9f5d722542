"""What the suite may ask of a server under test, and which servers there are.

A server is started for a `Profile` on free loopback ports. Time is the target's business: `pass_time` moves
Poise's clock by hand and really waits on the peers, so that no test ever sleeps by itself.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DOMAIN = "localhost"
PUBSUB = "pubsub.localhost"
ADMIN = "finesse"
"""Administrator of every target's pubsub service."""
USERS = ("1001", "1002", "1003", "1004", "1005", "1006", "1101", "1102", ADMIN)
"""Accounts of every target; the password equals the name."""
ORIGIN = "https://desk.example"
"""The one foreign origin whose pages may connect."""
MESSAGE_MAX = 100_000
"""Bytes of the longest WebSocket message that is taken."""
RESOURCES_MAX = 20
"""Sessions of one account at a time (Poise)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The timing and limits a module wants, small enough for tests. A peer without such a knob ignores it."""

    wait_max: int = 4
    """Seconds a request is held at most."""
    inactivity: int | None = 2
    """Seconds without a held request until a session ends; None: no limit and not advertised."""
    polling: int | None = 2
    """Shortest seconds between empty polls; None: no limit and not advertised."""
    maxpause: int | None = 6
    """Longest pause in seconds; None: pausing is not offered."""
    hold_max: int = 1
    """Requests held at most."""
    creation_payload: bool = False
    """Whether stanzas in a creation request are processed (Prosody's habit)."""
    half_open_max: int = 1000
    """Sessions and connections one address may have before they have signed in."""
    former_domains: tuple[str, ...] = ()
    """Domains once served: `host-gone`."""
    redirect_uri: str | None = None
    """Where BOSH clients without TLS are sent instead of being served."""
    openfire_404: bool = False
    """Whether an unknown sid is answered with HTTP 404."""
    overactivity_ends: bool = True
    """Whether overactivity ends a session, or is only logged."""
    answer_bytes: int = 1_000_000
    """Stanza bytes in one answer; a single larger stanza travels alone."""
    cors_origins: tuple[str, ...] = (ORIGIN,)
    """Origins that may read answers in a browser, and connect by WebSocket."""
    tls_required: bool = False
    """Whether nobody signs in on the TCP port without TLS."""
    scram: bool = True
    """Whether SCRAM is offered. The peers always do."""
    websocket_redirect: str = ""
    """Where WebSocket clients without TLS are sent."""
    output_max: int = 4_000_000
    """Bytes kept for a TCP or WebSocket client that does not read."""
    small: bool = False
    """Whether the bounds of everything users store are small: 8 nodes, 3 subscriptions of a user, 3 messages kept for
    one absent, 3 documents of 200 bytes, 10 replacements of a resource (Poise)."""
    watched: str = ""
    """On which binding the peers look after silent clients within seconds: `tcp` or `websocket`. Poise's clock is moved
    by hand."""


BOSH = Profile()
"""The checklist's first profile: wait 4, inactivity 2, polling 2, maxpause 6, hold 1."""
TCP = Profile(watched="tcp")
WEBSOCKET = Profile(watched="websocket")


class Server(Protocol):
    """A running server under test."""

    name: str
    real_time: bool
    """Whether its clock is the real one. Where a test moves the clock, what is not answered at once never comes by
    itself, and reading may be as patient as a busy machine wants it."""
    host: str
    path: str
    """Path of the BOSH endpoint, without trailing slash."""
    ws_path: str
    """Path of the WebSocket endpoint."""
    sign_in_s: float
    """Seconds a TCP connection has for signing in."""
    handshake_s: float
    """Seconds for a TLS handshake."""
    idle_s: float
    """Seconds of silence after which a signed-in TCP connection is closed."""
    ping_after_s: float
    """Seconds of silence after which a WebSocket client is pinged."""

    @property
    def port(self) -> int:
        """BOSH and WebSocket over plain HTTP."""

    @property
    def tls_port(self) -> int:
        """BOSH and WebSocket over HTTPS."""

    @property
    def tcp_port(self) -> int:
        """XMPP over TCP, with STARTTLS."""

    @property
    def xmpps_port(self) -> int:
        """XMPP in TLS from the first byte."""

    def settle(self) -> None:
        """Return when the server has surely worked off what had been sent before."""

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass for the server."""

    def stall(self, seconds: float) -> None:
        """Stand still for so long, as a stopped process does, and go on."""

    def alive(self) -> bool:
        """Whether the process still runs and serves."""

    def stop(self) -> None:
        """Stop it in good order and free everything; harmless when it has stopped."""

    def new_certificate(self, folder: Path) -> bytes:
        """Have it present another certificate, given back in DER. Poise only."""

    def product_node(self, node: str) -> None:
        """Make a node as the product does, whose access is its own rule. Poise only."""

    def product_rule(self, may_subscribe: Callable[[str, str], bool]) -> None:
        """Set that rule (user, node), and have every user's subscriptions looked at anew. Poise only."""

    def product_event(self, node: str, payload: bytes) -> None:
        """Publish as the product does. Poise only."""

    def broken_accounts(self) -> AbstractContextManager[None]:
        """Meanwhile every password check fails for a reason of the server's own. Poise only."""

    def broken_stanzas(self) -> AbstractContextManager[None]:
        """Meanwhile the first stanza meets an unexpected exception. Poise only."""


Serve = Callable[[Profile], Server]


class Target(Protocol):
    """A kind of server."""

    name: str
    restart_each_module: bool
    """Whether starting is so cheap that each module gets a server of its own."""

    def start(self, profile: Profile, folder: Path) -> Server:
        """Start one on free ports, with its files in `folder`; returns when it serves."""


def free_ports(count: int) -> list[int]:
    """Loopback ports that nobody listened on a moment ago."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def client_tls() -> ssl.SSLContext:
    """TLS as a test client: whose certificate it is does not matter on loopback."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def make_target(name: str) -> Target:
    """The target of that name; unknown names and missing packages raise `ValueError`."""
    if name == "poise":
        from tests.conformance.target_poise import Poise

        return Poise()
    from tests.conformance.target_peers import PEERS

    if name not in PEERS:
        raise ValueError(f"unknown target {name!r}; there are poise, {', '.join(PEERS)}")
    return PEERS[name]()

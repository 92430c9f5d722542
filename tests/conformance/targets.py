"""What the suite may ask of a server under test, and which servers there are.

A server is started for a `Profile` on free loopback ports. Time is the target's business: `pass_time` moves
Poise's clock by hand and really waits on the peers, so that no test ever sleeps by itself.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

DOMAIN = "localhost"
USERS = ("1001", "1002", "1003", "1004", "1005", "1006")
"""Accounts of every target; the password equals the name."""


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
    """Sessions one address may have before they have signed in."""
    former_domains: tuple[str, ...] = ()
    """Domains once served: `host-gone`."""
    redirect_uri: str | None = None
    """Where clients without TLS are sent instead of being served."""
    openfire_404: bool = False
    """Whether an unknown sid is answered with HTTP 404."""
    overactivity_ends: bool = True
    """Whether overactivity ends a session, or is only logged."""
    answer_bytes: int = 1_000_000
    """Stanza bytes in one answer; a single larger stanza travels alone."""
    cors_origins: tuple[str, ...] = ("https://desk.example",)
    """Origins that may read answers in a browser."""


class Server(Protocol):
    """A running server under test."""

    name: str
    real_time: bool
    """Whether its clock is the real one. Where a test moves the clock, what is not answered at once never comes by
    itself, and reading may be as patient as a busy machine wants it."""
    host: str
    path: str
    """Path of the BOSH endpoint, without trailing slash."""

    @property
    def port(self) -> int:
        """BOSH over plain HTTP."""

    @property
    def tls_port(self) -> int:
        """BOSH over HTTPS."""

    @property
    def tcp_port(self) -> int:
        """XMPP over TCP."""

    def settle(self) -> None:
        """Return when the server has surely worked off what had been sent before."""

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass for the server."""

    def alive(self) -> bool:
        """Whether the process still runs and serves."""

    def stop(self) -> None:
        """Stop it in good order and free everything; harmless when it has stopped."""

    def broken_accounts(self) -> AbstractContextManager[None]:
        """Meanwhile every password check fails for a reason of the server's own. Poise only."""

    def broken_stanzas(self) -> AbstractContextManager[None]:
        """Meanwhile the first stanza meets an unexpected exception. Poise only."""


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

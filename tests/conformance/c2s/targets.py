"""XMPP over TCP under test: Poise in this process, its clock moved by hand; Prosody and ejabberd as processes."""

from __future__ import annotations

import datetime
import os
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from poise.protocols.xmpp.host import HostPolicy
from poise.server import certificates
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.timing import HANDSHAKE_S, IDLE_S, SIGN_IN_S
from tests.conformance.target_peers import Peer, make_certificate
from tests.conformance.target_poise import FaultLog, PoiseServer
from tests.conformance.targets import DOMAIN, USERS, free_ports
from tests.support.server import start

RESOURCES_MAX = 20
"""Sessions of one account at a time (Poise)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a test wants of the server; a peer without such a knob ignores it."""

    tls_required: bool = False
    """Whether nobody signs in on the TCP port without TLS."""
    scram: bool = True
    """Whether SCRAM is offered. The peers always do."""
    half_open_max: int = 1000
    """Connections of one address that have not signed in."""
    former_domains: tuple[str, ...] = ()
    """Domains once served."""


class Server(Protocol):
    """A running server under test."""

    name: str
    host: str
    sign_in_s: float
    """Seconds a connection has for signing in."""
    handshake_s: float
    """Seconds for a TLS handshake."""
    idle_s: float
    """Seconds of silence after which a signed-in connection is closed."""

    @property
    def tcp_port(self) -> int:
        """XMPP in the clear, with STARTTLS."""

    @property
    def xmpps_port(self) -> int:
        """XMPP in TLS from the first byte."""

    def settle(self) -> None:
        """Return when the server has surely worked off what had been sent before."""

    def pass_time(self, seconds: float) -> None:
        """Let so many seconds pass for the server."""

    def alive(self) -> bool:
        """Whether it still runs."""

    def stop(self) -> None:
        """Stop it in good order; harmless when it has stopped."""

    def new_certificate(self, folder: Path) -> bytes:
        """Have it present another certificate, given back in DER. Poise only."""

    def broken_accounts(self) -> AbstractContextManager[None]:
        """Meanwhile every password check fails for a reason of the server's own. Poise only."""

    def broken_stanzas(self) -> AbstractContextManager[None]:
        """Meanwhile the first stanza meets an unexpected exception. Poise only."""


class PoiseTcp(PoiseServer):
    """Poise, as these tests name things; an unexpected exception inside it fails the run."""

    sign_in_s = SIGN_IN_S
    handshake_s = HANDSHAKE_S
    idle_s = IDLE_S

    @property
    def xmpps_port(self) -> int:
        """XMPP in TLS."""
        return self._running.xmpps_port

    def new_certificate(self, folder: Path) -> bytes:
        """As after SIGHUP."""
        files = certificates.ensure(folder, [DOMAIN], datetime.datetime.now(datetime.UTC))
        self._running.do(lambda _: certificates.load(self._running.xmpp_tls, files))
        own, end, _ = files.certificate.read_text().partition("-----END CERTIFICATE-----")
        return ssl.PEM_cert_to_DER_cert(own + end)

    @contextmanager
    def broken_accounts(self) -> Iterator[None]:
        """SCRAM's questions included."""
        accounts = vars(self._running.accounts)

        async def unknown(*_: str) -> None:
            return None

        accounts["scram_verifier"] = unknown
        try:
            with super().broken_accounts():
                yield
        finally:
            del accounts["scram_verifier"]


class PeerTcp(Peer):
    """A peer, as these tests name things."""

    sign_in_s = 3.0
    handshake_s = 3.0
    idle_s = 4.0

    @property
    def xmpps_port(self) -> int:
        """XMPP in TLS."""
        return self.tls_port

    def new_certificate(self, folder: Path) -> bytes:
        """Not tried."""
        raise NotImplementedError


def start_server(target: str, profile: Profile, folder: Path) -> Server:
    """Start a target on free ports; returns when it serves. Raises ValueError for what is not installed."""
    if target == "poise":
        log = FaultLog()
        running = start(
            log=log,
            tls=True,
            plain_in_clear=not profile.tls_required,
            scram=profile.scram,
            former_domains=frozenset(profile.former_domains),
            host=HostPolicy(replacement_burst=10_000, resources_per_user=RESOURCES_MAX),  # time stands still
            admission=AdmissionPolicy(unauthenticated_per_address=profile.half_open_max),
        )
        return PoiseTcp(running, log)
    return _prosody(profile, folder) if target == "prosody" else _ejabberd(profile, folder)


def _prosody(profile: Profile, folder: Path) -> Server:
    tcp, tls = free_ports(2)
    certificate, key = make_certificate(folder)
    accounts = folder / "data" / DOMAIN / "accounts"
    accounts.mkdir(parents=True)
    for user in USERS:
        (accounts / f"{user}.dat").write_text(f'return {{ ["password"] = "{user}"; }};\n')
    config = folder / "prosody.cfg.lua"
    required = "true" if profile.tls_required else "false"
    clear = "false" if profile.tls_required else "true"
    config.write_text(
        _PROSODY.format(
            folder=folder, tcp=tcp, tls=tls, certificate=certificate, key=key, required=required, clear=clear
        )
    )
    return _spawn("prosody", ["prosody", "--config", str(config), "-F"], dict(os.environ), (tcp, tls), folder)


def _ejabberd(profile: Profile, folder: Path) -> Server:
    tcp, tls = free_ports(2)
    certificate, key = make_certificate(folder)
    pem = folder / "server.pem"
    pem.write_bytes(certificate.read_bytes() + key.read_bytes())
    config = folder / "ejabberd.yml"
    config.write_text(_EJABBERD.format(tcp=tcp, tls=tls, pem=pem, required=str(profile.tls_required).lower()))
    spool = folder / "spool"
    spool.mkdir()
    environment = {
        **os.environ,
        "HOME": str(folder),
        "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
        "EJABBERD_CONFIG_PATH": str(config),
        "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
        "SPOOL_DIR": str(spool),
    }
    accounts = " ".join(f'ejabberd_auth:try_register(<<"{u}">>,<<"{DOMAIN}">>,<<"{u}">>),' for u in USERS)
    command = ["erl", "-noinput", "+K", "true", "+S", "1", "+sbwt", "none", "-mnesia", "dir", f'"{spool}"']
    command += ["-s", "ejabberd", "-eval", f"{accounts} ok."]
    return _spawn("ejabberd", command, environment, (tcp, tls), folder)


def _spawn(name: str, command: list[str], environment: dict[str, str], ports: tuple[int, int], folder: Path) -> PeerTcp:
    if shutil.which(command[0]) is None:
        raise ValueError(f"{name} is not installed: run tools/install-peers.sh as root")
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=folder)
    tcp, tls = ports
    return PeerTcp(name, process, [tcp, tls, tcp], log)


_PROSODY = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
run_as_root = true
log = {{ info = "{folder}/prosody.log" }}
interfaces = {{ "127.0.0.1" }}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "presence", "message", "iq", "offline" }}
modules_disabled = {{ "s2s" }}
authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = {required}
allow_unencrypted_plain_auth = {clear}
c2s_timeout = 3
network_settings = {{ read_timeout = 4, ssl_handshake_timeout = 3 }}
ssl = {{ certificate = "{certificate}", key = "{key}" }}
c2s_direct_tls_ssl = {{ certificate = "{certificate}", key = "{key}" }}
c2s_ports = {{ {tcp} }}
legacy_ssl_ports = {{}}
c2s_direct_tls_ports = {{ {tls} }}
VirtualHost "localhost"
"""

_EJABBERD = """
hosts: [localhost]
loglevel: error
log_rotate_count: 0
auth_method: internal
auth_password_format: plain
default_db: mnesia
queue_type: ram
s2s_use_starttls: false
negotiation_timeout: 3
certfiles: ["{pem}"]
listen:
  - port: {tcp}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    starttls: true
    starttls_required: {required}
    shaper: none
    access: all
  - port: {tls}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    tls: true
    shaper: none
    access: all
access_rules:
  local: {{ allow: all }}
  c2s: {{ allow: all }}
shaper_rules: {{}}
modules:
  mod_disco: {{}}
  mod_roster: {{}}
  mod_ping:
    send_pings: true
    ping_interval: 2
    ping_ack_timeout: 3
    timeout_action: kill
  mod_offline: {{}}
"""

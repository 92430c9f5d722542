"""WebSocket under test: Poise in this process, its clock moved by hand; Prosody and ejabberd as processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from poise.protocols.xmpp.bosh.timing import INACTIVITY_S
from poise.protocols.xmpp.host import HostPolicy
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.websocket import WebSocketPolicy
from tests.conformance import targets
from tests.conformance.target_peers import Peer, make_certificate
from tests.conformance.target_poise import FaultLog, PoiseServer
from tests.conformance.targets import DOMAIN, USERS, client_tls, free_ports
from tests.support.server import start
from tests.support.websocket import PATIENCE_S, XmppSocket

ORIGIN = "https://desk.example"
"""The one foreign origin whose pages may connect."""
PEERS_PATIENCE_S = 4.0
"""Seconds until a peer is taken to be silent."""
MESSAGE_MAX = 100_000
"""Bytes of the longest message that is taken."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a test wants of the server; a peer without such a knob ignores it."""

    redirect_uri: str = ""
    """Where clients without TLS are sent."""
    output_max: int = 4_000_000
    """Bytes kept for a client that does not read."""


class Server(targets.Server, Protocol):
    """A running server under test; `port` and `tls_port` serve WebSocket, too."""

    ws_path: str
    ping_after_s: float
    """Seconds of silence after which a client is pinged."""


class PoiseWebSocket(PoiseServer):
    """Poise, as these tests name things; an unexpected exception inside it fails the run."""

    ws_path = "/ws"
    ping_after_s = INACTIVITY_S / 2


class PeerWebSocket(Peer):
    """A peer, likewise."""

    ws_path = ""
    ping_after_s = 2.0


def dial(server: Server, *, tls: bool = False) -> XmppSocket:
    """A connection that has said nothing yet."""
    sock = socket.create_connection((server.host, server.tls_port if tls else server.port), timeout=PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client = XmppSocket(client_tls().wrap_socket(sock, server_hostname="localhost") if tls else sock, DOMAIN)
    if server.real_time:
        client.patience_s = PEERS_PATIENCE_S
    return client


def connect(server: Server, *, tls: bool = False, **headers: str | None) -> XmppSocket:
    """A WebSocket."""
    client = dial(server, tls=tls)
    answer = client.upgrade(server.ws_path, **headers)
    assert answer.status == 101, answer
    return client


def start_server(target: str, profile: Profile, folder: Path) -> Server:
    """Start a target on free ports; returns when it serves. Raises ValueError for what is not installed."""
    if target == "poise":
        log = FaultLog()
        policy = WebSocketPolicy(
            message_max_bytes=MESSAGE_MAX, output_max_bytes=profile.output_max, redirect_uri=profile.redirect_uri
        )
        running = start(
            log=log,
            tls=True,
            allowed_origins=(ORIGIN,),
            websocket=policy,
            host=HostPolicy(replacement_burst=10_000),  # time stands still: all sign-ins of a module are one burst
            admission=AdmissionPolicy(creations_per_minute=1_000_000),
        )
        return PoiseWebSocket(running, log)
    return _prosody(folder) if target == "prosody" else _ejabberd(folder)


def _prosody(folder: Path) -> Server:
    ports = free_ports(3)
    certificate, key = make_certificate(folder)
    accounts = folder / "data" / DOMAIN / "accounts"
    accounts.mkdir(parents=True)
    for user in USERS:
        (accounts / f"{user}.dat").write_text(f'return {{ ["password"] = "{user}"; }};\n')
    config = folder / "prosody.cfg.lua"
    config.write_text(_PROSODY.format(folder=folder, ports=ports, certificate=certificate, key=key))
    command = ["prosody", "--config", str(config), "-F"]
    return _spawn("prosody", "/xmpp-websocket", command, dict(os.environ), ports, folder)


def _ejabberd(folder: Path) -> Server:
    ports = free_ports(3)
    certificate, key = make_certificate(folder)
    pem = folder / "server.pem"
    pem.write_bytes(certificate.read_bytes() + key.read_bytes())
    config = folder / "ejabberd.yml"
    config.write_text(_EJABBERD.format(ports=ports, pem=pem))
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
    return _spawn("ejabberd", "/ws", command, environment, ports, folder)


def _spawn(
    name: str, ws_path: str, command: list[str], environment: dict[str, str], ports: list[int], folder: Path
) -> PeerWebSocket:
    if shutil.which(command[0]) is None:
        raise ValueError(f"{name} is not installed: run tools/install-peers.sh as root")
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, cwd=folder)
    peer = PeerWebSocket(name, process, ports, log)
    peer.ws_path = ws_path
    return peer


_PROSODY = f"""
pidfile = "{{folder}}/prosody.pid"
data_path = "{{folder}}/data"
run_as_root = true
log = {{{{ info = "{{folder}}/prosody.log" }}}}
interfaces = {{{{ "127.0.0.1" }}}}
modules_enabled = {{{{
  "roster", "saslauth", "disco", "ping", "bosh", "websocket", "presence", "message", "iq", "offline"
}}}}
modules_disabled = {{{{ "s2s", "tls" }}}}
authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
consider_bosh_secure = true
consider_websocket_secure = true
c2s_stanza_size_limit = {MESSAGE_MAX}
c2s_ports = {{{{ {{ports[2]}} }}}}
legacy_ssl_ports = {{{{}}}}
c2s_direct_tls_ports = {{{{}}}}
http_ports = {{{{ {{ports[0]}} }}}}
http_interfaces = {{{{ "127.0.0.1" }}}}
https_ports = {{{{ {{ports[1]}} }}}}
https_interfaces = {{{{ "127.0.0.1" }}}}
https_ssl = {{{{ certificate = "{{certificate}}", key = "{{key}}" }}}}
http_default_host = "localhost"
network_settings = {{{{ read_timeout = 2 }}}}
http_cors_override = {{{{ websocket = {{{{ enabled = true, origins = {{{{ "{ORIGIN}" }}}} }}}} }}}}
VirtualHost "localhost"
"""

_EJABBERD = f"""
hosts: [localhost]
loglevel: error
log_rotate_count: 0
auth_method: internal
auth_password_format: plain
default_db: mnesia
queue_type: ram
s2s_use_starttls: false
certfiles: ["{{pem}}"]
websocket_origin: ["{ORIGIN}"]
websocket_ping_interval: 2
listen:
  - port: {{ports[2]}}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: {MESSAGE_MAX}
    starttls: false
    shaper: none
    access: all
  - port: {{ports[0]}}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers: {{{{ /http-bind: mod_bosh, /ws: ejabberd_http_ws, /.well-known/host-meta: mod_host_meta,
      /.well-known/host-meta.json: mod_host_meta }}}}
  - port: {{ports[1]}}
    ip: "127.0.0.1"
    module: ejabberd_http
    tls: true
    request_handlers: {{{{ /http-bind: mod_bosh, /ws: ejabberd_http_ws, /.well-known/host-meta: mod_host_meta,
      /.well-known/host-meta.json: mod_host_meta }}}}
access_rules:
  local: {{{{ allow: all }}}}
  c2s: {{{{ allow: all }}}}
shaper_rules: {{{{}}}}
modules:
  mod_disco: {{{{}}}}
  mod_roster: {{{{}}}}
  mod_ping: {{{{}}}}
  mod_offline: {{{{}}}}
  mod_host_meta: {{{{}}}}
  mod_bosh:
    queue_type: ram
    ram_db_type: mnesia
"""

"""Prosody and ejabberd from Debian as private processes on loopback (`tools/install-peers.sh` installs them).

Only these targets ever wait for real: a run against a peer is not part of `make test`.
"""

from __future__ import annotations

import datetime
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.conformance.targets import ADMIN, DOMAIN, MESSAGE_MAX, ORIGIN, USERS, Profile, Server, Target, free_ports

START_S = 60.0
"""How long a peer may take until it serves."""
SETTLE_S = 0.3
"""After so many seconds a peer is taken to have worked off what was sent (the checklist's own pause)."""


class Peer:
    """A running peer."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], ports: list[int], log: Path) -> None:
        self.name = name
        self.real_time = True
        self.host = "127.0.0.1"
        self.port, self.tls_port, self.tcp_port, self.xmpps_port = ports
        self.path = "/http-bind"
        self.ws_path = {"prosody": "/xmpp-websocket", "ejabberd": "/ws"}[name]
        self.sign_in_s = self.handshake_s = 3.0
        self.idle_s = 4.0
        self.ping_after_s = 2.0
        self._process = process
        self._log = log
        deadline = time.monotonic() + START_S
        while not all(_listens(port) for port in ports):
            if not self.alive() or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{name} did not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)  # noqa: TID251 - starting a foreign process
        self.settle()

    def settle(self) -> None:
        """Wait: nothing tells us from outside when a peer has read everything."""
        time.sleep(SETTLE_S)  # noqa: TID251 - a peer's clock is the real one

    def pass_time(self, seconds: float) -> None:
        """Really wait."""
        time.sleep(seconds)  # noqa: TID251 - a peer's clock is the real one

    def stall(self, seconds: float) -> None:
        """Stop the process and let it go on."""
        self._process.send_signal(signal.SIGSTOP)
        self.pass_time(seconds)
        self._process.send_signal(signal.SIGCONT)
        self.settle()

    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process.poll() is None

    def broken_accounts(self) -> AbstractContextManager[None]:
        """Not to be had from outside."""
        raise NotImplementedError

    broken_stanzas = broken_accounts

    def new_certificate(self, folder: Path) -> bytes:
        """Not tried."""
        raise NotImplementedError

    def product_node(self, node: str) -> None:
        """There is no such thing."""
        raise NotImplementedError

    def product_rule(self, may_subscribe: Callable[[str, str], bool]) -> None:
        """There is no such thing."""
        raise NotImplementedError

    def product_event(self, node: str, payload: bytes) -> None:
        """There is no such thing."""
        raise NotImplementedError

    def stop(self) -> None:
        """End the process that was started, by its own id."""
        if self.alive():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()


class Prosody:
    """Prosody 0.12."""

    name = "prosody"
    restart_each_module = False

    def start(self, profile: Profile, folder: Path) -> Server:
        """One process, accounts as files."""
        ports = free_ports(4)
        certificate, key = make_certificate(folder)
        accounts = folder / "data" / DOMAIN / "accounts"
        accounts.mkdir(parents=True)
        for user in USERS:
            (accounts / f"{user}.dat").write_text(f'return {{ ["password"] = "{user}"; }};\n')
        config = folder / "prosody.cfg.lua"
        config.write_text(
            _PROSODY.format(
                folder=folder,
                ports=ports,
                profile=profile,
                certificate=certificate,
                key=key,
                admin=f"{ADMIN}@{DOMAIN}",
                message_max=MESSAGE_MAX if profile.watched == "websocket" else 262_144,
                required="true" if profile.tls_required else "false",
                clear="false" if profile.tls_required else "true",
                times=_PROSODY_TIMES[profile.watched],
                disabled='"s2s"' if profile.watched == "tcp" else '"s2s", "tls"',  # it would offer STARTTLS over BOSH
                origin=ORIGIN,
            )
        )
        return _spawn(self.name, ["prosody", "--config", str(config), "-F"], dict(os.environ), ports, folder)


class Ejabberd:
    """ejabberd 23.01."""

    name = "ejabberd"
    restart_each_module = False

    def start(self, profile: Profile, folder: Path) -> Server:
        """One node without distribution (no epmd stays behind); accounts are made as soon as it runs."""
        ports = free_ports(4)
        certificate, key = make_certificate(folder)
        pem = folder / "server.pem"
        pem.write_bytes(certificate.read_bytes() + key.read_bytes())
        config = folder / "ejabberd.yml"
        config.write_text(
            _EJABBERD.format(
                ports=ports,
                profile=profile,
                pem=pem,
                admin=f"{ADMIN}@{DOMAIN}",
                message_max=MESSAGE_MAX if profile.watched == "websocket" else 262_144,
                required="true" if profile.tls_required else "false",
                times=_EJABBERD_TIMES[profile.watched],
                ping=_EJABBERD_PING if profile.watched == "tcp" else "{}",
                origin=ORIGIN,
            )
        )
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
        return _spawn(self.name, command, environment, ports, folder)


PEERS: dict[str, type[Target]] = {"prosody": Prosody, "ejabberd": Ejabberd}


def _spawn(name: str, command: list[str], environment: dict[str, str], ports: list[int], folder: Path) -> Peer:
    if shutil.which(command[0]) is None:
        raise ValueError(f"{name} is not installed: run tools/install-peers.sh as root")
    log = folder / "output.log"
    tied = ["setpriv", "--pdeathsig", "TERM", "--"]  # a run that is killed leaves no peer behind
    with log.open("wb") as output:
        process = subprocess.Popen([*tied, *command], env=environment, stdout=output, stderr=output, cwd=folder)
    return Peer(name, process, ports, log)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key, valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(DOMAIN)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_path, key_path = folder / "server.crt", folder / "server.key"
    certificate_path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate_path, key_path


_PROSODY_TIMES = {
    "": "",
    "tcp": "c2s_timeout = 3\nnetwork_settings = { read_timeout = 4, ssl_handshake_timeout = 3 }",
    "websocket": "network_settings = { read_timeout = 2 }",
}
_PROSODY = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
run_as_root = true
admins = {{ "{admin}" }}
log = {{ info = "{folder}/prosody.log" }}
interfaces = {{ "127.0.0.1" }}
modules_enabled = {{
  "roster", "saslauth", "tls", "disco", "ping", "bosh", "websocket", "presence", "message", "iq", "offline",
  "private", "vcard_legacy", "pep", "version", "time", "lastactivity", "uptime"
}}
modules_disabled = {{ {disabled} }}
authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = {required}
allow_unencrypted_plain_auth = {clear}
consider_bosh_secure = true
consider_websocket_secure = true
c2s_stanza_size_limit = {message_max}
ssl = {{ certificate = "{certificate}", key = "{key}" }}
c2s_direct_tls_ssl = {{ certificate = "{certificate}", key = "{key}" }}
c2s_ports = {{ {ports[2]} }}
legacy_ssl_ports = {{}}
c2s_direct_tls_ports = {{ {ports[3]} }}
http_ports = {{ {ports[0]} }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ {ports[1]} }}
https_interfaces = {{ "127.0.0.1" }}
https_ssl = {{ certificate = "{certificate}", key = "{key}" }}
http_default_host = "localhost"
{times}
bosh_max_wait = {profile.wait_max}
bosh_max_inactivity = {profile.inactivity}
bosh_max_polling = {profile.polling}
http_cors_override = {{
  bosh = {{ enabled = true, credentials = false }}, websocket = {{ enabled = true, origins = {{ "{origin}" }} }}
}}
VirtualHost "localhost"
Component "pubsub.localhost" "pubsub"
  autocreate_on_publish = false
  autocreate_on_subscribe = false
"""

_EJABBERD_TIMES = {"": "", "tcp": "negotiation_timeout: 3", "websocket": "websocket_ping_interval: 2"}
_EJABBERD_PING = "{send_pings: true, ping_interval: 2, ping_ack_timeout: 3, timeout_action: kill}"
_EJABBERD = """
hosts: [localhost]
loglevel: error
log_rotate_count: 0
auth_method: internal
auth_password_format: plain
default_db: mnesia
queue_type: ram
s2s_use_starttls: false
certfiles: ["{pem}"]
websocket_origin: ["{origin}"]
{times}
listen:
  - port: {ports[2]}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: {message_max}
    starttls: true
    starttls_required: {required}
    shaper: none
    access: all
  - port: {ports[3]}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: {message_max}
    tls: true
    shaper: none
    access: all
  - port: {ports[0]}
    ip: "127.0.0.1"
    module: ejabberd_http
    request_handlers: {{ /http-bind: mod_bosh, /ws: ejabberd_http_ws, /.well-known/host-meta: mod_host_meta,
      /.well-known/host-meta.json: mod_host_meta }}
  - port: {ports[1]}
    ip: "127.0.0.1"
    module: ejabberd_http
    tls: true
    request_handlers: {{ /http-bind: mod_bosh, /ws: ejabberd_http_ws, /.well-known/host-meta: mod_host_meta,
      /.well-known/host-meta.json: mod_host_meta }}
acl:
  admin: {{ user: "{admin}" }}
access_rules:
  local: {{ allow: all }}
  c2s: {{ allow: all }}
  makers: {{ allow: admin }}
shaper_rules: {{}}
modules:
  mod_disco: {{}}
  mod_roster: {{}}
  mod_ping: {ping}
  mod_offline: {{}}
  mod_host_meta: {{}}
  mod_private: {{}}
  mod_vcard: {{ search: false }}
  mod_version: {{}}
  mod_time: {{}}
  mod_last: {{}}
  mod_caps: {{}}
  mod_pubsub:
    access_createnode: makers
    host: "pubsub.localhost"
  mod_bosh:
    max_inactivity: {profile.inactivity}
    max_pause: {profile.maxpause}
    queue_type: ram
    ram_db_type: mnesia
"""

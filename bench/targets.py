"""The servers under measurement: Poise, Prosody as shipped, Prosody tuned, ejabberd with one scheduler.

Each is started fresh in a folder of its own, pinned to core 0, listening on loopback, with the same users (u00000...
and admin, password "pw"), and stopped by its process id. Lab and load never run inside the measured process tree.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
USERS = 10_000
PASSWORD = "pw"
SERVER_CORE, DRIVER_CORE = "0", "1"


@dataclass
class Running:
    """A started server and where to reach it."""

    name: str
    pid: int
    port: int
    tls_port: int
    tcp_port: int
    path: str
    ws_path: str
    version: str
    extra: list[str] = field(default_factory=list)
    """Driver options this server needs."""


@dataclass(frozen=True)
class Ports:
    """Free ports of one server."""

    http: int
    tls: int
    xmpp: int

    def filled_in(self, text: str, folder: Path) -> str:
        """A peer's configuration with its ports and folder."""
        for name, port in (("PORT_HTTP", self.http), ("PORT_TLS", self.tls), ("PORT_XMPP", self.xmpp)):
            text = text.replace(name, str(port))
        return text.replace("PEER_DIR", str(folder))


def free_ports() -> Ports:
    """Three ports nobody listens on now."""
    probes = [socket.socket() for _ in range(3)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return Ports(*ports)


def users() -> list[str]:
    """Every account the driver signs in with."""
    return ["admin", *(f"u{i:05d}" for i in range(USERS))]


def wait_for_port(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Return when something accepts on the port; say what the server printed when it does not."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit(f"the server did not open port {port}:\n{log.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the process group this runner started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def fresh(folder: Path) -> Path:
    """An empty folder with a certificate for the TLS listeners."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "tls").mkdir(parents=True)
    run = [sys.executable, "-c", _MAKE_CERTIFICATE, str(folder / "tls")]
    subprocess.run(run, check=True, cwd=ROOT)
    both = (folder / "tls/server.pem").read_bytes() + (folder / "tls/server.key").read_bytes()
    (folder / "tls/both.pem").write_bytes(both)
    return folder


_MAKE_CERTIFICATE = """
import datetime, pathlib, sys
from poise.server.certificates import ensure
ensure(pathlib.Path(sys.argv[1]), ["localhost", "127.0.0.1"], datetime.datetime.now(datetime.UTC))
"""


def _spawn(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    log = (folder / "server.log").open("wb")
    return subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command],
        cwd=folder,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, **(environment or {})},
    )


@contextmanager
def prosody(folder: Path, gc: str | None) -> Iterator[Running]:
    """Prosody from Debian; `gc` "t400" is the tuned collector."""
    fresh(folder)
    ports = free_ports()
    (folder / "prosody.cfg.lua").write_text(ports.filled_in((HERE / "peers/prosody.cfg.lua").read_text(), folder))
    accounts = folder / "data/localhost/accounts"
    accounts.mkdir(parents=True)
    for user in users():
        (accounts / f"{user}.dat").write_text(f'return {{\n\t["password"] = "{PASSWORD}";\n}};\n')
    environment = {"P_GC": gc} if gc else {}
    process = _spawn(["prosody", "--config", str(folder / "prosody.cfg.lua"), "-F"], folder, environment)
    try:
        wait_for_port(ports.http, process, folder / "server.log")
        wait_for_port(ports.xmpp, process, folder / "server.log")
        name = f"prosody-{gc}" if gc else "prosody"
        yield Running(
            name,
            process.pid,
            ports.http,
            ports.tls,
            ports.xmpp,
            "/http-bind",
            "/xmpp-websocket",
            _debian_version("prosody"),
        )
    finally:
        stop(process)


@contextmanager
def ejabberd(folder: Path) -> Iterator[Running]:
    """ejabberd from Debian with one scheduler and no busy waiting, which is its best on one core."""
    fresh(folder)
    ports = free_ports()
    config = folder / "ejabberd.yml"
    config.write_text(ports.filled_in((HERE / "peers/ejabberd.yml").read_text(), folder))
    register = f"""
        lists:foreach(fun(I) -> ejabberd_auth:try_register(list_to_binary(io_lib:format("u~5..0w", [I])),
          <<"localhost">>, <<"{PASSWORD}">>) end, lists:seq(0, {USERS - 1})),
        ejabberd_auth:try_register(<<"admin">>, <<"localhost">>, <<"{PASSWORD}">>),
        file:write_file("registered", <<"yes">>).
    """
    environment = {
        "HOME": str(folder),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_LIBS": "/usr/lib/x86_64-linux-gnu",
        "ERL_MAX_PORTS": "65536",
        "EJABBERD_CONFIG_PATH": str(config),
        "EJABBERD_LOG_PATH": str(folder / "ejabberd.log"),
        "SPOOL_DIR": str(folder / "spool"),
    }
    flags = ["+K", "true", "+P", "500000", "+Q", "65536", "+S", "1"]
    flags += ["+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none"]
    command = ["erl", "-noinput", "-sname", f"bench{os.getpid()}@localhost", "-setcookie", "bench", *flags]
    command += ["-kernel", "inet_dist_use_interface", "{127,0,0,1}", "-mnesia", "dir", f'"{folder}/spool"']
    command += ["-s", "ejabberd", "-eval", "timer:sleep(6000), " + " ".join(register.split()).rstrip(".")]
    process = _spawn(command, folder, environment)
    try:
        wait_for_port(ports.http, process, folder / "server.log")
        limit = time.monotonic() + 120
        while not (folder / "registered").exists():
            if time.monotonic() > limit:
                raise SystemExit("ejabberd did not register its users:\n" + (folder / "server.log").read_text()[-2000:])
            time.sleep(0.2)
        yield Running(
            "ejabberd-s1",
            process.pid,
            ports.http,
            ports.tls,
            ports.xmpp,
            "/http-bind",
            "/ws",
            _debian_version("ejabberd"),
        )
    finally:
        stop(process)


def _debian_version(package: str) -> str:
    command = ["dpkg-query", "-W", "-f", "${Version}", package]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@contextmanager
def poise(folder: Path) -> Iterator[Running]:
    """Poise from this checkout: notification service and web services in one process, no CTI server behind it."""
    fresh(folder)
    ports = free_ports()
    executable = str(Path(sys.executable).parent / "poise")
    hashed = subprocess.run([sys.executable, "-c", _HASH], capture_output=True, text=True, check=True).stdout.strip()
    rows = ["login_id,login_name,password_hash,roles"]
    rows += [f'{user},{user},"{hashed}",{"administrator" if user == "admin" else "agent"}' for user in users()]
    (folder / "accounts.csv").write_text("\n".join(rows) + "\n")
    data = folder / "data"
    settings = [
        "server.host=127.0.0.1",
        "server.domain=localhost",
        f"server.data={data}",
        "ports.insecure=true",
        "ports.insecure_http=-1",
        "ports.https=-1",
        f"ports.notification={ports.tls}",
        f"ports.insecure_bosh={ports.http}",
        f"ports.xmpp={ports.xmpp}",
        "ports.xmpp_tls=-1",
        "bosh.polling_s=0",
        "xmpp.idle_limit_s=0",  # the driver's publisher answers no pings while sessions are set up
        "bosh.creations_per_minute=1000000",
        "bosh.unauthenticated_max=20000",
        "bosh.unauthenticated_per_address=20000",
        "bosh.connections_per_address=50000",
    ]
    flags = [part for setting in settings for part in ("--set", setting)]
    subprocess.run(
        [executable, "admin", "import", str(folder / "accounts.csv"), "--data", str(data)], check=True, cwd=folder
    )
    process = _spawn([executable, "serve", *flags], folder)
    try:
        wait_for_port(ports.http, process, folder / "server.log")
        wait_for_port(ports.xmpp, process, folder / "server.log")
        commit = ["git", "describe", "--always", "--dirty"]
        version = subprocess.run(commit, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
        yield Running("poise", process.pid, ports.http, ports.tls, ports.xmpp, "/http-bind/", "/ws/", version)
    finally:
        stop(process)


_HASH = (
    "from argon2 import PasswordHasher; print(PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1).hash('pw'))"
)

"""`poise serve`: what it refuses before anything starts, and one demo from start to stop."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from poise.cli.main import app
from poise.cli.serve import chosen, is_loopback
from poise.server.config import ConfigError
from tests.e2e.desk import basic
from tests.unit.cli.demo_server import Demo, demo, free_port


def refused(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["serve", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.stderr


def test_the_demo_is_ready_when_it_says_so(running: Demo) -> None:
    address = running.facts["addresses"]["health"]
    trusted = ssl.create_default_context(cafile=running.facts["ca"])
    with urllib.request.urlopen(address.replace("readyz", "healthz"), context=trusted, timeout=20) as answer:
        assert json.load(answer) == {"status": "ok"}
    assert running.facts["pid"] == running.process.pid
    assert running.facts["logs"] == str(running.data / "logs" / "desktop")
    assert {path.name for path in Path(running.facts["logs"]).iterdir()} >= {"openfire", "webservices", "clientlogs"}


def test_an_administrator_lets_faults_happen_in_the_demos_telephone_system(running: Demo) -> None:
    trusted = ssl.create_default_context(cafile=running.facts["ca"])
    since = running.mark()
    request = urllib.request.Request(
        running.facts["addresses"]["REST"].replace("/finesse/api", "/poise/api/lab"),
        data=b'{"do": "fault", "name": "drop-link"}',
        headers=basic("admin"),
    )
    with urllib.request.urlopen(request, context=trusted, timeout=20) as answer:
        assert json.load(answer) == {"text": "drop-link"}
    running.trace("service_state_changed", 1, since, status="OUT_OF_SERVICE")
    running.trace("service_state_changed", 1, since, status="IN_SERVICE")


def test_sigterm_stops_it_with_exit_code_0_and_nothing_left_behind(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as server:
        assert (tmp_path / "data" / "poise.pid").read_text() == f"{server.process.pid}\n"
        child = int(Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text())
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    assert not (tmp_path / "data" / "poise.pid").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert "HTTP bind service stopped" in (server.openfire / "info.log").read_text()


def test_a_taken_port_is_named_with_the_process_that_holds_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, error = refused("--host", "127.0.0.1", "--data", str(tmp_path), "--set", f"ports.https={port}")
    assert code == 1
    assert f"Port {port} (https) is taken by process {os.getpid()}" in error
    assert "--set ports.https=PORT" in error


def test_the_demos_cti_port_is_looked_at_too(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = [
            f"--set=ports.{name}=0"
            for name in ("https", "notification", "xmpp", "xmpp_tls", "insecure_http", "insecure_bosh")
        ]
        code, error = refused("--demo", "--data", str(tmp_path), *ports, f"--set=cti.side_a=127.0.0.1:{port}")
    assert code == 1
    assert "--set cti.side_a=HOST:PORT" in error


def test_the_demo_does_not_listen_beyond_this_machine_unasked(tmp_path: Path) -> None:
    code, error = refused("--demo", "--host", "0.0.0.0", "--data", str(tmp_path))
    assert code == 2
    assert "--demo-exposed" in error
    assert list(tmp_path.iterdir()) == []


def test_settings_that_cannot_be_used_are_refused_with_exit_code_2() -> None:
    code, error = refused("--set", "bosh.idle_limit=5")
    assert code == 2
    assert "bosh.idle_limit_s" in error


def test_a_server_that_cannot_start_says_why_with_exit_code_1(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    ports = [f"--set=ports.{name}=0" for name in ("https", "notification", "xmpp", "xmpp_tls")]
    code, error = refused("--host", "127.0.0.1", "--data", str(tmp_path / "data"), *ports)
    assert code == 1
    assert error.startswith("The server cannot start: ")


def test_the_demo_changes_defaults_and_never_what_was_asked_for() -> None:
    settings = chosen(True, None, None, None, None, [])
    assert (settings.server.host, settings.server.domain) == ("127.0.0.1", "localhost")
    assert settings.ports.insecure
    assert settings.cti.side_a == "127.0.0.1:42027"
    port = free_port()
    settings = chosen(True, None, Path("elsewhere"), "::1", "demo.example.com", [f"cti.side_a=127.0.0.1:{port}"])
    assert (settings.server.host, settings.server.domain) == ("::1", "demo.example.com")
    assert (settings.server.data, settings.cti.side_a) == ("elsewhere", f"127.0.0.1:{port}")


def test_outside_the_demo_nothing_insecure_is_a_default() -> None:
    settings = chosen(False, None, None, None, None, [])
    assert not settings.ports.insecure
    assert settings.bosh.allowed_origins == ()
    assert settings.server.domain
    with pytest.raises(ConfigError):
        chosen(False, Path("no-such-file.toml"), None, None, None, [])


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)],
)
def test_loopback_is_told_from_the_world(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback

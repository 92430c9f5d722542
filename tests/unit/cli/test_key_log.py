"""The server's TLS key log: an administrator's switch, audited, private, off after a restart."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
from pathlib import Path

from tests.unit.cli.demo_server import POISE, Demo, demo, environment


def switch(server: Demo, state: str, user: str = "admin") -> tuple[int, str]:
    url = f"--url=https://localhost:{server.facts['ports']['https']}"
    command = [*POISE, "capture", "keys", state, url, f"--data={server.data}", f"--user={user}", "--json"]
    done = subprocess.run(
        [*command, f"--password={user}"], capture_output=True, text=True, env=environment(), cwd=server.data.parent
    )
    return done.returncode, done.stdout + done.stderr


def connect(server: Demo) -> None:
    tls = ssl.create_default_context(cafile=server.facts["ca"])
    port = server.facts["ports"]["notification"]
    with (
        socket.create_connection(("127.0.0.1", port), 20) as raw,
        tls.wrap_socket(raw, server_hostname="localhost") as secured,
    ):
        secured.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        while secured.recv(65_536):
            pass


def test_keys_are_written_while_it_is_on_and_gone_afterwards(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with demo(data) as server:
        file, mark = data / "tls" / "keys.log", server.mark()
        connect(server)
        assert json.loads(switch(server, "state")[1]) == {"enabled": False, "file": None}
        assert not file.exists()
        code, told = switch(server, "on")
        assert (code, json.loads(told)) == (0, {"enabled": True, "file": str(file)})
        assert file.stat().st_mode & 0o777 == 0o600
        connect(server)
        assert b"SECRET" in file.read_bytes() or b"CLIENT_RANDOM" in file.read_bytes()
        [audit] = server.trace("key_log_switched", 1, mark, enabled=True)
        assert audit["user"] == "admin"
        assert switch(server, "off")[0] == 0
        assert not file.exists()
        connect(server)
        assert not file.exists()
        switch(server, "on")
        assert file.exists()
    with demo(data) as server:
        assert not file.exists(), "off after a restart, and what was written is gone"
        connect(server)
        assert not file.exists()


def test_only_administrators_may(tmp_path: Path) -> None:
    with demo(tmp_path / "data") as server:
        code, told = switch(server, "on", user="1001")
        assert code == 1
        assert "administrators-only" in told
        assert not (tmp_path / "data" / "tls" / "keys.log").exists()

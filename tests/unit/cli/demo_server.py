"""`poise serve --demo` as a person starts it: a process of its own, on free ports."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POISE = [sys.executable, "-m", "poise.cli.main"]
PATIENCE_S = 120.0
"""Seconds until a process that says nothing is given up."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    process: subprocess.Popen[str]
    data: Path
    facts: Mapping[str, Any]
    """What its ready table says."""

    @property
    def openfire(self) -> Path:
        """Folder of the notification service's logs."""
        return Path(self.facts["logs"]) / "openfire"

    @property
    def _trace(self) -> Path:
        trace = self.data / "logs" / "poise" / "trace.jsonl"
        trace.touch()  # the server makes it with its first line
        return trace

    def mark(self) -> int:
        """The present end of the trace."""
        return self._trace.stat().st_size

    def trace(self, kind: str, count: int, since: int = 0, **fields: object) -> list[dict[str, Any]]:
        """The first events of a kind, with these fields, after a mark; waits until there are so many."""
        found: list[dict[str, Any]] = []
        with self._trace.open("rb") as file:
            file.seek(since)
            for line in lines_of(file.fileno(), self.process):
                event = json.loads(line)
                found += [event] if event | {"kind": kind} | fields == event else []
                if len(found) == count:
                    return found
        raise AssertionError(f"the server ended with {found}")


def lines_of(descriptor: int, process: subprocess.Popen[str]) -> Iterator[str]:
    """Lines of a growing file until its writer ends."""
    rest = b""
    while True:
        chunk = os.read(descriptor, 65536)
        rest += chunk
        *lines, rest = rest.split(b"\n")
        yield from (line.decode() for line in lines)
        if not chunk:
            try:
                process.wait(0.02)
                return
            except subprocess.TimeoutExpired:
                continue


def environment(**more: str) -> dict[str, str]:
    """Ours without settings of Poise."""
    return {name: value for name, value in os.environ.items() if not name.startswith("POISE_")} | more


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def demo(data: Path, *options: str, **variables: str) -> Iterator[Demo]:
    """A server with its CTI link up; it is stopped at the end. `variables` go into its environment."""
    ports = [
        f"--set=ports.{name}=0"
        for name in ("https", "notification", "xmpp", "xmpp_tls", "insecure_http", "insecure_bosh")
    ]
    command = [*POISE, "serve", "--demo", "--json", f"--data={data}", *ports]
    command += [f"--set=cti.side_a=127.0.0.1:{free_port()}", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=environment(**variables), cwd=data.parent
    )
    assert process.stdout is not None
    with process, process.stdout:
        try:
            assert select.select([process.stdout], [], [], PATIENCE_S)[0], "the server did not become ready"
            server = Demo(process, data, json.loads(process.stdout.readline()))
            server.trace("service_state_changed", 1, status="IN_SERVICE")
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()

"""`poise serve` and `poise lab` as processes of their own: signals, crashes, exit codes.

These run on real time. Nothing sleeps: every wait is a read with a limit or the end of a process.
"""

from __future__ import annotations

import itertools
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from tests.conformance.wire import Headers
from tests.e2e.desk import Desk, Place, Rest, trusting
from tests.e2e.stage import read_log

READY_S = 120.0
"""Seconds a process may take until it says that it is ready; the machine may be busy."""
STOP_S = 60.0
"""Seconds after which a process that should have ended is killed, and the test fails."""

_marks = itertools.count(1)
Self = TypeVar("Self", bound="Process")


def poise(*arguments: str) -> list[str]:
    """The command line of `poise`, with this interpreter."""
    return [sys.executable, "-m", "poise.cli.main", *arguments]


def free_port() -> int:
    """A TCP port that nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Process:
    """One child process, killed at the end of the test if it has not ended by itself."""

    def __init__(self, command: Sequence[str], errors: Path, environment: dict[str, str] | None = None) -> None:
        self._errors = errors
        with errors.open("ab") as stream:
            self.child = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=stream, env={**os.environ, **(environment or {})}
            )
        self._read = b""

    def line(self, timeout: float = READY_S) -> str:
        """The next line of its standard output."""
        assert self.child.stdout is not None
        deadline = time.monotonic() + timeout
        descriptor = self.child.stdout.fileno()
        while b"\n" not in self._read:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
            data = os.read(descriptor, 65536) if ready else b""
            assert data, f"no line of output; it said: {self.errors}"
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return line.decode()

    def rest_of_output(self) -> str:
        """Everything else it printed, once it has ended."""
        assert self.child.stdout is not None
        return (self._read + self.child.stdout.read()).decode()

    @property
    def errors(self) -> str:
        """What it wrote to standard error so far."""
        return self._errors.read_text("utf-8")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.child.send_signal(number)

    def ended(self, timeout: float = STOP_S) -> int:
        """Its exit code."""
        return self.child.wait(timeout)

    def close(self) -> None:
        """Kill what is left of it."""
        with suppress(ProcessLookupError):
            self.child.kill()
        self.child.wait()
        if self.child.stdout is not None:
            self.child.stdout.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Lab(Process):
    """A simulated CTI server on a free port; it outlives the servers that use it."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        super().__init__(poise("lab", "--port", "0", "--json", *arguments), folder / "lab.err")
        self.port = int(json.loads(self.line())["port"])


class Server(Process):
    """A server that has said it is ready."""

    def __init__(self, folder: Path, *arguments: str, settings: dict[str, Any] | None = None) -> None:
        """`folder` holds its data in `data`; every port is a free one."""
        self.folder = folder
        self.data = folder / "data"
        free = dict.fromkeys(("https", "notification", "xmpp", "xmpp_tls", "insecure_http", "insecure_bosh"), 0)
        assigned = {**{f"ports.{name}": port for name, port in free.items()}, **(settings or {})}
        command = poise("serve", "--json", "--data", str(self.data), *arguments)
        for key, value in assigned.items():
            command += ["--set", f"{key}={value}"]
        super().__init__(command, folder / "server.err")
        self.facts = json.loads(self.line())
        self.place = Place(self.facts["ports"], trusting(Path(self.facts["ca"])))

    def desk(self, user: str, *, resource: str = "desktop", wait: int = 30, headers: Headers = ()) -> Desk:
        """A desktop signed in over BOSH."""
        return Desk(self.place, user, resource=resource, wait=wait, headers=headers)

    def rest(self, user: str, password: str | None = None) -> Rest:
        """Somebody who only uses REST."""
        return Rest(self.place, user, password)

    def in_service(self) -> None:
        """Wait until the CTI link is synchronised: asking is the waiting."""
        self.until(lambda: self.rest("admin").call("GET", "/readyz").status == 200)

    def written(self) -> None:
        """Wait until everything that was to be logged is in the files: the log's one writer keeps the order."""
        for _ in range(2):  # what stands in the batch of the first mark is surely written with the second
            mark = f"mark-{next(_marks)}"
            assert self.rest("nobody").put("READY", mark).status == 401
            self.until(lambda mark=mark: mark in read_log(self.data, "webservices"))  # type: ignore[misc]

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has come true; what is waited with are requests to the server."""
        deadline = time.monotonic() + READY_S
        while not condition():
            assert time.monotonic() < deadline, "it has not come true in time"
            assert self.rest("admin").call("GET", "/healthz").status == 200


def serve_beside(lab: Lab, folder: Path, settings: Mapping[str, Any]) -> Server:
    """A server, not the demo's, on prepared data in `folder/data`, over this telephone system."""
    side = {"cti.side_a": f"127.0.0.1:{lab.port}", "log.debug": "true"}
    server = Server(folder, "--host", "127.0.0.1", "--domain", "localhost", settings={**side, **settings})
    server.in_service()
    return server


def demo(folder: Path, *arguments: str, settings: dict[str, Any] | None = None) -> Server:
    """`poise serve --demo` on free ports."""
    side = {"cti.side_a": f"127.0.0.1:{free_port()}"}
    server = Server(folder, "--demo", *arguments, settings={**side, **(settings or {})})
    server.in_service()
    return server

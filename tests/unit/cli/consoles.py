"""`poise console --json` as a script runs it: a process of its own beside the demo."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Callable
from types import TracebackType
from typing import Any

from tests.unit.cli.demo_server import PATIENCE_S, POISE, Demo, environment

PLACES = {
    "xmpp": "xmpp://localhost:{xmpp}",
    "xmpps": "xmpps://localhost:{xmpp_tls}",
    "https": "https://localhost:{notification}",
    "wss": "wss://localhost:{https}/ws/",
    "http": "http://localhost:{insecure_bosh}",
}
"""Way in -> address on a demo."""


def words(demo: Demo, user: str, way: str, *more: str) -> list[str]:
    """The command line."""
    place = PLACES[way].format(**demo.facts["ports"])
    clear = ["--plain-in-clear"] if way == "http" else []
    return ["console", f"{user}@localhost/console", "--connect", place, "--data", str(demo.data), *clear, *more]


class Console:
    """One console."""

    def __init__(self, demo: Demo, user: str, way: str) -> None:
        self.process = subprocess.Popen(
            [*POISE, *words(demo, user, way, "--json")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env=environment(POISE_PASSWORD=user),
        )
        self._rest = b""

    def enter(self, line: str) -> None:
        """A line of input."""
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")

    def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The next event of that kind."""
        assert self.process.stdout is not None
        while True:
            while b"\n" not in self._rest:
                assert select.select([self.process.stdout], [], [], PATIENCE_S)[0], "the console says nothing"
                data = self.process.stdout.read(65536)
                assert data, "the console has ended"
                self._rest += data
            line, _, self._rest = self._rest.partition(b"\n")
            event: dict[str, Any] = json.loads(line)
            if wanted(event):
                return event

    def event(self, name: str) -> dict[str, Any]:
        """The next of that name."""
        return self.until(lambda event: event.get("event") == name)

    def end(self) -> int:
        """Its exit code, once its input has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.stdout.close()
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> Console:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if self.process.returncode is None:
            self.end()

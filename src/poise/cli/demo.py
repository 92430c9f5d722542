"""The demo's telephone system: the simulated CTI server as a child process that ends with this one.

Theory. A demo without its telephone system is out of service, and whoever looks at it must be told why: a thread waits
for the child's end, says it on the terminal, in the log and in /readyz, and starts the child again, at once the first
time and after longer and longer rests while it keeps ending.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer

from poise.server.ctilink.addresses import sides
from poise.server.settings import Settings

REST_FIRST_S = 0.5
"""Seconds before the first new start; doubles with each end that follows soon."""
REST_MAX_S = 30.0
"""Longest rest: whoever mends the cause does not wait longer, and a child that cannot start costs nothing meanwhile."""
SOON_S = 60.0
"""Seconds after which a child that ended counts as one that had worked."""
LAB_WORDS = slice(3, 12)
"""The words of the child's command that somebody would type: `lab`, where, and which rules."""
STOP_S = 0.3
"""Seconds the child has for its end: the demo stops within 2 s in all, and the child has nothing to lose."""


class Telephony:
    """The child and what watches over it. `trouble` and `control_port` may be read by any thread."""

    def __init__(self, settings: Settings) -> None:
        (side,) = sides(settings.cti.side_a)
        self._command = [sys.executable, "-m", "poise.cli.main", "lab", "--host", side.host, "--port", str(side.port)]
        self._command += ["--deployment", settings.contact.deployment, "--load", str(settings.contact.load)]
        self._command += ["--peripheral-id", str(settings.cti.peripheral_id), "--stop-with-stdin", "--json"]
        self._command += ["--calls-per-minute", str(settings.lab.calls_per_minute)]
        self._command += ["--control-port", str(settings.lab.control_port)]
        self.trouble = ""
        """Why there is no telephone system now, as a sentence; empty while there is one."""
        self.control_port = 0
        """Where the child takes commands, on 127.0.0.1; 0 while it does not."""
        self.on_change: Callable[[bool, str], None] = lambda alive, text: None
        """Told, on the watching thread, that the child has ended or runs again."""
        self._child: subprocess.Popen[bytes] | None = None
        self._changing = threading.Lock()
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="poise-demo-telephony", daemon=True)

    def start(self) -> None:
        """Start the child, and wait until it listens: the first sign-in finds a telephone system."""
        self._begin()
        self._watcher.start()

    def stop(self) -> None:
        """End the child."""
        self._stopping.set()
        with self._changing:
            child = self._child
            if child is None:
                return
            assert child.stdin is not None
            child.stdin.close()
        try:
            child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def _begin(self) -> int:
        """Start the child; its process id once it says that it listens, 0 when it does not come to that."""
        with self._changing:
            if self._stopping.is_set():
                return 0
            self._child = child = subprocess.Popen(  # noqa: S603 - our own interpreter with checked settings
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
        assert child.stdout is not None
        with child.stdout:
            ready = child.stdout.readline()
        self.control_port = json.loads(ready).get("controlPort", 0) if ready else 0
        return child.pid if ready else 0

    def _watch(self) -> None:
        rest_s = REST_FIRST_S
        while True:
            child = self._child
            assert child is not None
            began = time.monotonic()
            code = child.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - began >= SOON_S:
                rest_s = REST_FIRST_S
            self._tell(False, self._obituary(child.pid, code, rest_s))
            if self._stopping.wait(rest_s):
                return
            rest_s = min(2 * rest_s, REST_MAX_S)
            assert child.stdin is not None
            child.stdin.close()
            if pid := self._begin():
                self._tell(True, f"The demo's telephone system runs again (process {pid}).")

    def _obituary(self, pid: int, code: int, rest_s: float) -> str:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        by_hand = " ".join(["poise", *self._command[LAB_WORDS]])
        return (
            f"The demo's telephone system (the simulated CTI server, process {pid}) {how}. Nobody can sign in or "
            f"change state until it runs again, and then everybody is signed out. It is started again in {rest_s:g} s; "
            f"if it keeps ending, stop the demo and run '{by_hand}' to see why."
        )

    def _tell(self, alive: bool, text: str) -> None:
        self.trouble = "" if alive else text
        typer.echo(text, err=True)
        self.on_change(alive, text)


@contextmanager
def simulated_cti_server(settings: Settings) -> Iterator[Telephony]:
    """Runs `poise lab` where `cti.side_a` points; it stops when its standard input closes, whatever happens to us."""
    telephony = Telephony(settings)
    telephony.start()
    try:
        yield telephony
    finally:
        telephony.stop()

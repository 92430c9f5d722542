"""What is measured: one table of driver calls, and how each figure is read from the driver's JSON line."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.targets import DRIVER_CORE, HERE, PASSWORD, Running

Json = dict[str, Any]
NODE_CONFIG = "".join(
    f"<field var='pubsub#{name}'><value>{value}</value></field>"
    for name, value in (("persist_items", "0"), ("access_model", "open"), ("send_last_published_item", "never"))
)


@dataclass(frozen=True)
class Figure:
    """One number of the report."""

    key: str
    title: str
    unit: str
    read: Callable[[Json], list[float]]
    share: float | None = None
    """The most it may cost, as a share of the best peer; None: nothing is asked."""
    limit: float | None = None
    """The most it may be, in its unit, whatever peers need."""


@dataclass(frozen=True)
class Workload:
    """One driver call."""

    name: str
    title: str
    options: list[str]
    quick: list[str]
    """Options of the short run, for trying the bench itself."""
    figures: list[Figure]
    tls: list[str] = field(default_factory=list)
    """Options of the run over TLS, where they differ: what is stated without a mark may be measured shorter."""
    plain_only: bool = False
    """Whether it is not run over TLS."""
    hostile: int = 0
    """How many hostile sockets there are beside the driver's (`bench.hostile`)."""
    rounds: int = 1
    """How often the driver is called against the same server; the last round counts (warm sign-in)."""


def _blocks(name: str, field: str) -> Callable[[Json], list[float]]:
    return lambda result: [float(block[field]) for block in result[name]]


def _latency(name: str, field: str) -> Callable[[Json], list[float]]:
    return lambda result: [float(block["lat_us"][field]) / 1000 for block in result[name]]


def _windows(field: str) -> Callable[[Json], list[float]]:
    return lambda result: [float(window[field]) for window in result["stages"][-1]["windows"]]


def _one(*path: str) -> Callable[[Json], list[float]]:
    def read(result: Json) -> list[float]:
        value: Any = result
        for step in path:
            value = value[step]
        return [float(value)]

    return read


CPU = "server CPU µs"
THIRD, HALF = 1 / 3, 1 / 2
"""What is asked: a third over BOSH, where peers are heavy; half over WebSocket and TCP, where one write a delivery is
most of the work for everybody."""
IDLE_CPU_MAX = 0.3
"""Percent of a core for 1,000 idle sessions."""
HOSTILE_P99_MS = 50.0
"""What a well-behaved client may wait while 2,000 others misbehave."""
HOSTILE_SOCKETS = 2000


def _call(text: str, *, nodes: bool = False) -> list[str]:
    """Driver options from one line; `nodes` adds the configuration of the published nodes."""
    return [*text.split(), *(["--nodecfg", NODE_CONFIG] if nodes else [])]


def _setup(name: str, kind: str, title: str, share: float, *, tls: list[str] | None = None) -> Workload:
    return Workload(
        name,
        title,
        _call(f"setup --kind {kind} --n 1000 --conc 32"),
        _call(f"setup --kind {kind} --n 100"),
        [
            Figure("cpu", "per session", CPU, _one("setup", "srv_cpu_us_per"), share),
            Figure("term", "to terminate one", CPU, _one("term", "srv_cpu_us_per")),
        ],
        tls=tls or [],
        plain_only=tls is None,
        rounds=2,
    )


def _unicast(name: str, kind: str, title: str, share: float, *, tls: list[str] | None = None) -> Workload:
    return Workload(
        name,
        title,
        _call(f"unicast --kind {kind} --n 1000 --secs 4 --repeat 3 --rate 500", nodes=True),
        _call(f"unicast --kind {kind} --n 100 --secs 1 --repeat 1 --rate 500", nodes=True),
        [
            Figure("sat", "per delivery, saturated", CPU, _blocks("sat", "srv_cpu_us_per"), share),
            Figure("rate", "per delivery at 500/s", CPU, _blocks("rate_500", "srv_cpu_us_per"), HALF),
            Figure("p50", "p50 at 500/s", "ms", _latency("rate_500", "p50")),
            Figure("p99", "p99 at 500/s", "ms", _latency("rate_500", "p99")),
        ],
        tls=tls or [],
        plain_only=tls is None,
    )


def _fanout(name: str, kind: str, title: str, n: int, share: float, *, tls: list[str] | None = None) -> Workload:
    window = 8 if n <= 1000 else 4
    several = f"flat_w{window}"
    return Workload(
        name,
        title,
        _call(f"fanout --kind {kind} --n {n} --secs 4 --repeat 3 --items 5 --window {window}", nodes=True),
        _call(f"fanout --kind {kind} --n 100 --secs 1 --repeat 1 --items 2 --window {window}", nodes=True),
        [
            Figure("paced", "per delivery, 1 item/s", CPU, _blocks("paced", "srv_cpu_us_per"), share),
            Figure("flat", "per delivery, flat out", CPU, _blocks("flat_w1", "srv_cpu_us_per"), share),
            Figure(
                "several", f"per delivery, {window} items at a time", CPU, _blocks(several, "srv_cpu_us_per"), share
            ),
            Figure(
                "last", "publish to last delivery", "ms", lambda r: [float(b["last_ms"]["p50"]) for b in r["paced"]]
            ),
        ],
        tls=tls or [],
        plain_only=tls is None,
    )


SETUP_COLD = Workload(
    "setup-cold",
    "Session set-up, first sign-in (cold credentials)",
    _call("setup --n 300 --conc 32"),
    _call("setup --n 50"),
    [Figure("cpu", "per session", CPU, _one("setup", "srv_cpu_us_per"))],
    tls=_call("setup --n 200 --conc 32"),
)
WORKLOADS: list[Workload] = [
    _setup(
        "setup",
        "bosh",
        "Session set-up, warm credentials (second round on the same server)",
        THIRD,
        tls=_call("setup --n 300 --conc 32"),
    ),
    Workload(
        "turn",
        "Empty turn: an empty poll frees the one held before, closed loop",
        _call("turn --n 100 --secs 4 --repeat 3"),
        _call("turn --n 100 --secs 1 --repeat 1"),
        [Figure("cpu", "per request", CPU, _blocks("turn", "srv_cpu_us_per"), THIRD)],
        tls=_call("turn --n 100 --secs 3 --repeat 2"),
    ),
    _unicast(
        "unicast",
        "bosh",
        "Unicast publish: a node for each user, 1.5 kB payload",
        THIRD,
        tls=_call("unicast --n 300 --secs 3 --repeat 2 --rate 500", nodes=True),
    ),
    _fanout(
        "fanout",
        "bosh",
        "Fan-out: one node for 1,000, 1.5 kB payload",
        1000,
        THIRD,
        tls=_call("fanout --n 500 --secs 3 --repeat 2 --items 3 --window 8", nodes=True),
    ),
    _fanout("fanout-5000", "bosh", "Fan-out: one node for 5,000, 1.5 kB payload", 5000, THIRD),
    _setup("setup-ws", "ws", "WebSocket: session set-up, warm credentials", HALF),
    _unicast("unicast-ws", "ws", "WebSocket: unicast publish, 1.5 kB payload", HALF),
    _fanout("fanout-ws", "ws", "WebSocket: fan-out to 1,000, 1.5 kB payload", 1000, HALF),
    _setup("setup-tcp", "tcp", "TCP: session set-up, warm credentials", HALF),
    _unicast("unicast-tcp", "tcp", "TCP: unicast publish, 1.5 kB payload", HALF),
    _fanout("fanout-tcp", "tcp", "TCP: fan-out to 1,000, 1.5 kB payload", 1000, HALF),
    Workload(
        "hostile",
        "Well-behaved BOSH clients at 100 notifications/s beside 2,000 hostile sockets",
        _call("unicast --n 100 --secs 10 --repeat 3 --sat 0 --rate 100", nodes=True),
        _call("unicast --n 20 --secs 2 --repeat 1 --sat 0 --rate 100", nodes=True),
        [
            Figure("p50", "p50", "ms", _latency("rate_100", "p50")),
            Figure("p99", "p99", "ms", _latency("rate_100", "p99"), limit=HOSTILE_P99_MS),
            Figure("rss", "memory gained, hostile sockets included", "MB", _one("rss_gained_mb")),
        ],
        plain_only=True,
        hostile=HOSTILE_SOCKETS,
    ),
    Workload(
        "idle",
        "10,000 idle sessions, one held request each (wait 30 s)",
        _call("idle --n 10000 --stages 10000 --secs 30 --windows 1 --maxsetup 240"),
        _call("idle --n 200 --stages 200 --secs 5 --windows 1"),
        [
            Figure("rss", "memory per session", "kB", _windows("rss_per_session_kb"), THIRD),
            Figure(
                "cpu", "CPU per 1,000 sessions", "% of a core", _windows("cpu_pct_per_1000"), HALF, limit=IDLE_CPU_MAX
            ),
        ],
        tls=_call("idle --n 1000 --stages 1000 --secs 30 --windows 1 --maxsetup 120"),
    ),
]


@dataclass
class Measured:
    """The figures of one workload on one server."""

    workload: str
    server: str
    values: dict[str, list[float]]
    lost: int
    call: str
    """The driver's options, as measured."""
    errors: str = ""

    def median(self, key: str) -> float | None:
        """Median over the blocks, or None when there is no figure."""
        values = self.values.get(key)
        return statistics.median(values) if values else None


@contextmanager
def hostile(server: Running, sockets: int, *, quick: bool) -> Iterator[Callable[[], float]]:
    """So many hostile sockets while the block runs; gives a function that says how many MB the server has gained."""
    before = memory_mb(server.pid)
    if not sockets:
        yield lambda: memory_mb(server.pid) - before
        return
    options = ["--port", str(server.port), "--tcpport", str(server.tcp_port), "--path", server.path]
    command = ["nice", "-n", "10", sys.executable, "-m", "bench.hostile", *options]
    command += ["--sockets", str(sockets // 10 if quick else sockets)]
    process = subprocess.Popen(
        ["taskset", "-c", DRIVER_CORE, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=HERE.parent,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # "ready"
        yield lambda: memory_mb(server.pid) - before
    finally:
        process.terminate()
        process.communicate()


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its descendants."""
    parents: dict[int, int] = {}
    resident: dict[int, float] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        except OSError:
            continue  # it has ended meanwhile
        parents[int(fields["Pid"])] = int(fields["PPid"])
        resident[int(fields["Pid"])] = int(fields.get("VmRSS", "0 kB").split()[0]) / 1024
    total, family = 0.0, [pid]
    for member in family:
        total += resident.get(member, 0.0)
        family += [child for child, parent in parents.items() if parent == member]
    return total


def measure(workload: Workload, server: Running, *, tls: bool, quick: bool) -> Measured:
    """Call the driver and read its figures; a failed run is reported as such, never as a figure."""
    options = list(workload.quick if quick else workload.tls or workload.options if tls else workload.options)
    call = " ".join(option for option in options if option not in ("--nodecfg", NODE_CONFIG))
    port = server.tls_port if tls else server.port
    where = ["--pid", str(server.pid), "--port", str(port), "--tcpport", str(server.tcp_port), "--path", server.path]
    where += ["--wspath", server.ws_path]
    where += [
        "--retries",
        "0",
        "--tls",
        "1" if tls else "0",
        "--pass",
        PASSWORD,
        "--adminpass",
        PASSWORD,
        *server.extra,
    ]
    command = ["taskset", "-c", DRIVER_CORE, str(HERE / "xdrive"), *options, *where]
    with hostile(server, workload.hostile, quick=quick) as gained:
        for _ in range(workload.rounds):
            done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        rss_gained_mb = gained()
    values: dict[str, list[float]] = {}
    try:
        result = {**json.loads(done.stdout), "rss_gained_mb": rss_gained_mb}
        for figure in workload.figures:
            values[figure.key] = figure.read(result)
        lost = int(result.get("lost", 0)) + int(result.get("dead", 0))
    except (ValueError, KeyError, IndexError) as problem:
        return Measured(workload.name, server.name, {}, 0, call, f"{problem!r}: {done.stderr.strip()[-300:]}")
    return Measured(workload.name, server.name, values, lost, call, done.stderr.strip()[-300:] if lost else "")

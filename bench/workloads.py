"""What is measured: one table of driver calls, and how each figure is read from the driver's JSON line."""

from __future__ import annotations

import json
import statistics
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
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
    ratio: bool = False
    """Whether "at most half of the best peer" is asked of it."""


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


def _call(text: str, *, nodes: bool = False) -> list[str]:
    """Driver options from one line; `nodes` adds the configuration of the published nodes."""
    return [*text.split(), *(["--nodecfg", NODE_CONFIG] if nodes else [])]


SETUP_COLD = Workload(
    "setup-cold",
    "Session set-up, first sign-in (cold credentials)",
    _call("setup --n 300 --conc 32"),
    _call("setup --n 50"),
    [Figure("cpu", "per session", CPU, _one("setup", "srv_cpu_us_per"))],
    tls=_call("setup --n 200 --conc 32"),
)
WORKLOADS: list[Workload] = [
    Workload(
        "setup",
        "Session set-up, warm credentials (second round on the same server)",
        _call("setup --n 1000 --conc 32"),
        _call("setup --n 100"),
        [
            Figure("cpu", "per session", CPU, _one("setup", "srv_cpu_us_per"), ratio=True),
            Figure("term", "to terminate one", CPU, _one("term", "srv_cpu_us_per")),
        ],
        tls=_call("setup --n 300 --conc 32"),
        rounds=2,
    ),
    Workload(
        "turn",
        "Empty turn: an empty poll frees the one held before, closed loop",
        _call("turn --n 100 --secs 4 --repeat 3"),
        _call("turn --n 100 --secs 1 --repeat 1"),
        [Figure("cpu", "per request", CPU, _blocks("turn", "srv_cpu_us_per"), ratio=True)],
        tls=_call("turn --n 100 --secs 3 --repeat 2"),
    ),
    Workload(
        "unicast",
        "Unicast publish: a node for each user, 1.5 kB payload",
        _call("unicast --n 1000 --secs 4 --repeat 3 --rate 500", nodes=True),
        _call("unicast --n 100 --secs 1 --repeat 1 --rate 500", nodes=True),
        [
            Figure("sat", "per delivery, saturated", CPU, _blocks("sat", "srv_cpu_us_per"), ratio=True),
            Figure("rate", "per delivery at 500/s", CPU, _blocks("rate_500", "srv_cpu_us_per"), ratio=True),
            Figure("p50", "p50 at 500/s", "ms", _latency("rate_500", "p50")),
            Figure("p99", "p99 at 500/s", "ms", _latency("rate_500", "p99")),
        ],
        tls=_call("unicast --n 300 --secs 3 --repeat 2 --rate 500", nodes=True),
    ),
    Workload(
        "fanout",
        "Fan-out: one node for all, 1.5 kB payload",
        _call("fanout --n 1000 --secs 4 --repeat 3 --items 5 --window 8", nodes=True),
        _call("fanout --n 100 --secs 1 --repeat 1 --items 2 --window 8", nodes=True),
        [
            Figure("paced", "per delivery, 1 item/s", CPU, _blocks("paced", "srv_cpu_us_per"), ratio=True),
            Figure("flat", "per delivery, flat out", CPU, _blocks("flat_w1", "srv_cpu_us_per"), ratio=True),
            Figure("flat8", "per delivery, 8 items at a time", CPU, _blocks("flat_w8", "srv_cpu_us_per"), ratio=True),
            Figure(
                "last", "publish to last delivery", "ms", lambda r: [float(b["last_ms"]["p50"]) for b in r["paced"]]
            ),
        ],
        tls=_call("fanout --n 500 --secs 3 --repeat 2 --items 3 --window 8", nodes=True),
    ),
    Workload(
        "idle",
        "Idle sessions, one held request each (wait 30 s)",
        _call("idle --n 5000 --stages 5000 --secs 30 --windows 1 --maxsetup 240"),
        _call("idle --n 200 --stages 200 --secs 5 --windows 1"),
        [
            Figure("rss", "memory per session", "kB", _windows("rss_per_session_kb"), ratio=True),
            Figure("cpu", "CPU per 1,000 sessions", "% of a core", _windows("cpu_pct_per_1000"), ratio=True),
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


def measure(workload: Workload, server: Running, *, tls: bool, quick: bool) -> Measured:
    """Call the driver and read its figures; a failed run is reported as such, never as a figure."""
    options = list(workload.quick if quick else workload.tls or workload.options if tls else workload.options)
    call = " ".join(option for option in options if option not in ("--nodecfg", NODE_CONFIG))
    port = server.tls_port if tls else server.port
    where = ["--pid", str(server.pid), "--port", str(port), "--tcpport", str(server.tcp_port), "--path", server.path]
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
    for _ in range(workload.rounds):
        done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    values: dict[str, list[float]] = {}
    try:
        result = json.loads(done.stdout)
        for figure in workload.figures:
            values[figure.key] = figure.read(result)
        lost = int(result.get("lost", 0)) + int(result.get("dead", 0))
    except (ValueError, KeyError, IndexError) as problem:
        return Measured(workload.name, server.name, {}, 0, call, f"{problem!r}: {done.stderr.strip()[-300:]}")
    return Measured(workload.name, server.name, values, lost, call, done.stderr.strip()[-300:] if lost else "")

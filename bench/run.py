"""Measures every server on every workload, a fresh server each time, all in one run; writes bench/report.md."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bench import report
from bench.targets import HERE, Running, ejabberd, poise, prosody
from bench.workloads import SETUP_COLD, WORKLOADS, Measured, Workload, measure

Start = Callable[[Path], AbstractContextManager[Running]]
SERVERS: dict[str, Start] = {
    "poise": poise,
    "prosody": lambda folder: prosody(folder, None),
    "prosody-t400": lambda folder: prosody(folder, "t400"),
    "ejabberd-s1": ejabberd,
}
BY_NAME = {workload.name: workload for workload in [SETUP_COLD, *WORKLOADS]}


def main() -> int:
    """Parse options, measure, report. Exit code 1 when a figure asked for is missing or misses its mark."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=...", description=__doc__)
    parser.add_argument("--servers", default=",".join(SERVERS), help="comma-separated: " + ", ".join(SERVERS))
    parser.add_argument("--workloads", default=",".join(BY_NAME), help="comma-separated: " + ", ".join(BY_NAME))
    parser.add_argument("--transport", choices=["plain", "tls", "both"], default="both")
    parser.add_argument(
        "--quick", action="store_true", help="tiny runs, to try the bench itself; never a figure to quote"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="folder for servers' data and raw results")
    options = parser.parse_args()
    raise_file_limit()
    results: dict[str, list[Measured]] = {}
    versions: dict[str, str] = {}
    transports = ["plain", "tls"] if options.transport == "both" else [options.transport]
    chosen = [BY_NAME[name] for name in options.workloads.split(",")]
    began = time.monotonic()
    for transport in transports:
        for workload in chosen:
            if transport == "tls" and workload.plain_only:
                continue
            for name in options.servers.split(","):
                folder = options.out / name
                print(
                    f"[{time.monotonic() - began:6.0f} s] {transport} {workload.name} {name} ...",
                    file=sys.stderr,
                    flush=True,
                )
                with SERVERS[name](folder) as server:
                    versions[server.name] = server.version
                    measured = measure(workload, server, tls=transport == "tls", quick=options.quick)
                results.setdefault(transport, []).append(measured)
                shown = {key: measured.median(key) for key in measured.values}
                print(f"           {shown} {measured.errors}", file=sys.stderr, flush=True)
        keep(options, results, versions, chosen)  # after each transport: a run cut short has not measured in vain
    if options.json:
        print(json.dumps(as_json(results), indent=1))
    complete = all(measured.values for rows in results.values() for measured in rows)
    marks = report.misses(results.get("plain", []), chosen)
    for miss in marks:
        print(f"misses its mark: {miss}", file=sys.stderr)
    return 0 if complete and not marks else 1


def as_json(results: dict[str, list[Measured]]) -> dict[str, list[dict[str, object]]]:
    """Results as plain values."""
    return {transport: [vars(measured) for measured in rows] for transport, rows in results.items()}


def keep(
    options: argparse.Namespace,
    results: dict[str, list[Measured]],
    versions: dict[str, str],
    chosen: list[Workload],
) -> None:
    """Write raw results, and the report when every server was measured on every workload."""
    options.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"versions": versions, "results": as_json(results)}, indent=1)
    (options.out / "results.json").write_text(text)
    everything = set(BY_NAME) <= set(options.workloads.split(",")) and len(options.servers.split(",")) == len(SERVERS)
    if everything and not options.quick:
        report.write(HERE, results, versions, chosen)


def raise_file_limit() -> None:
    """Thousands of sockets on both sides."""
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


__all__ = ["Workload", "main"]

if __name__ == "__main__":
    os.chdir(HERE.parent)
    sys.exit(main())

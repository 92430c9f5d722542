"""A whole centre behind the CTI link: what one agent-state event costs, a busy hour of 2,000 agents, and a resync.

`python -m bench.centre` starts the built-in ACD as a process of its own with robots for agents, lets calls come at a
fixed rate, and measures the product's CPU alone; then it cuts the link and measures the time until everything is known
again. No desktop is connected: what deliveries cost is in the other workloads. With `--write`, centre.md is written.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.targets import ROOT, free_ports, stop, wait_for_port
from poise.contact.agents import AgentModel
from poise.contact.reasons import ReasonBook
from poise.contact.states import Deployment
from poise.finesse.publications import publications
from poise.finesse.users import UserContext
from poise.lab.data import as_json
from poise.lab.day import large_centre
from poise.protocols.cti.codec import Framer, encode
from poise.protocols.cti.config import AgentConfig, ConfigReceived
from poise.protocols.cti.messages import Message

VERSION = 20
TICKS = os.sysconf("SC_CLK_TCK")
SIGN_INS_PER_S = 200
STEADY_S = 120.0
"""Seconds from the last sign-in until as many calls end as begin."""
PROFILE_S = 20
EVENT_MARK_US, CORE_MARK_PERCENT, RESYNC_MARK_S = 100.0, 30.0, 5.0
REPORT = Path(__file__).with_name("centre.md")


def agent_state_events(agents: int, events: int) -> dict[str, float]:
    """Microseconds of CPU for decode, model and Update of one AGENT_STATE_EVENT, with so many agents signed in."""
    model = AgentModel(Deployment.UCCE)
    people = [AgentConfig(str(2001 + n), f"agent{n}", "Agent", str(n), str(2001 + n)) for n in range(agents)]
    model.configure(ConfigReceived(tuple(people), (), ()))
    context = UserContext(ReasonBook(Deployment.UCCE))
    wire = [encode(_state(str(2001 + n % agents), 3 if (n // agents) % 2 else 2), VERSION) for n in range(events)]
    framer = Framer(VERSION)
    began = time.process_time()
    updates = 0
    for data in wire:
        for message in framer.feed(data):
            assert isinstance(message, Message)
            updates += len(list(publications(model.apply(message, 1.0), context)))
    spent = time.process_time() - began
    return {"us_per_event": spent / events * 1e6, "updates": float(updates)}


def _state(agent_id: str, state: int) -> Message:
    fields = {
        "PeripheralID": 5000,
        "AgentState": state,
        "EventReasonCode": 0,
    }
    return Message("AGENT_STATE_EVENT", fields, (("AGENT_ID", agent_id), ("AGENT_EXTENSION", agent_id)))


class Hour:
    """A lab full of robots and a server in front of it, in a folder of their own."""

    def __init__(self, folder: Path, agents: int, calls_per_s: float) -> None:
        data = large_centre(agents)
        (folder / "centre.json").write_text(as_json(data))
        ids = [person.agent_id for person in data.people if not person.supervises]
        lines = (f"{n / SIGN_INS_PER_S:.3f} agent {who} robot\n" for n, who in enumerate(ids))
        (folder / "day.txt").write_text("".join(lines))
        ports = free_ports()
        self._folder, self._agents = folder, agents
        self._lab_port, self._rest_port, self._control_port = ports.http, ports.tls, ports.xmpp
        self._lab_words = [
            "lab", "--port", str(self._lab_port), "--control-port", str(self._control_port),
            "--seed-data", str(folder / "centre.json"), "--scenario", str(folder / "day.txt"),
            "--calls-per-minute", str(calls_per_s * 60),
        ]  # fmt: skip
        settings = [
            f"cti.side_a=127.0.0.1:{self._lab_port}", f"ports.insecure_http={self._rest_port}",
            f"server.data={folder / 'data'}",
            "server.host=127.0.0.1", "server.domain=localhost", "ports.insecure=true", "ports.https=-1",
            "ports.notification=-1", "ports.insecure_bosh=-1", "ports.xmpp=-1", "ports.xmpp_tls=-1",
        ]  # fmt: skip
        self._server_words = ["serve", *(part for setting in settings for part in ("--set", setting))]
        self._running: list[subprocess.Popen[bytes]] = []

    def begin(self) -> None:
        """Start both, and wait until everybody works and calls are at their rate."""
        lab = self._start("lab.log", self._lab_words)
        wait_for_port(self._lab_port, lab, self._folder / "lab.log")
        self._server = self._start("server.log", self._server_words)
        wait_for_port(self._rest_port, self._server, self._folder / "server.log")
        _until(lambda: self._agents_working() >= 0.9 * self._agents, 300)
        time.sleep(STEADY_S)

    def end(self) -> None:
        """Stop both."""
        for process in reversed(self._running):
            stop(process)

    def measure(self, seconds: float) -> dict[str, float]:
        """What the product spends, and on how much."""
        first, before, began = self._counts(), _cpu(self._server.pid), time.monotonic()
        time.sleep(seconds)
        last, after, passed = self._counts(), _cpu(self._server.pid), time.monotonic() - began
        told = {name: (last[name] - first[name]) / passed for name in last}
        return {
            "core_percent": (after - before) / passed * 100,
            **told,
            "us_per_cti_event": (after - before) / passed / max(told["cti_events_per_s"], 1e-9) * 1e6,
            "agents_working": self._agents_working(),
        }

    def profile(self, spy: str) -> dict[str, float]:
        """Room of the product -> its part of the time, by py-spy."""
        raw = self._folder / "profile.txt"
        command = [spy, "record", "-p", str(self._server.pid), "-d", str(PROFILE_S), "-f", "raw", "-o", str(raw)]
        subprocess.run([*command, "--full-filenames", "--nonblocking"], check=True, capture_output=True)
        return rooms(raw.read_text())

    def resync(self) -> dict[str, float]:
        """Seconds from a cut link until every agent and call is known again; reconnecting and all calls in between."""
        calls = self._lab_says({"do": "status"})["calls"]
        before = _cpu(self._server.pid)
        self._lab_says({"do": "fault", "name": "drop-link"})
        trace = self._folder / "data" / "logs" / "poise" / "trace.jsonl"

        def times() -> list[tuple[str, datetime.datetime]]:
            lines = (json.loads(line) for line in trace.read_text().splitlines() if '"service_state_changed"' in line)
            return [(line["status"], datetime.datetime.fromisoformat(line["time"])) for line in lines]

        _until(lambda: [status for status, _ in times()][-2:] == ["OUT_OF_SERVICE", "IN_SERVICE"], 120)
        (_, out), (_, back) = times()[-2:]
        spent = _cpu(self._server.pid) - before
        return {"seconds": (back - out).total_seconds(), "calls": float(calls), "cpu_s": spent}

    def _start(self, log: str, words: list[str]) -> subprocess.Popen[bytes]:
        with (self._folder / log).open("wb") as out:
            command = [sys.executable, "-m", "poise.cli.main", *words]
            process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, start_new_session=True)
        self._running.append(process)
        return process

    def _lab_says(self, request: dict[str, object]) -> dict[str, Any]:
        with socket.create_connection(("127.0.0.1", self._control_port), timeout=30) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer: dict[str, Any] = json.loads(lines.readline())
        return answer

    def _agents_working(self) -> float:
        states = self._lab_says({"do": "status"})["agents"]
        return float(sum(states.values()) - states.get("LOGOUT", 0))

    def _counts(self) -> dict[str, float]:
        metrics = _metrics(self._rest_port)
        return {
            "calls_per_s": float(self._lab_says({"do": "status"})["callsBegun"]),
            "cti_events_per_s": metrics["poise_cti_messages_total"],
            "updates_per_s": metrics["poise_updates_published_total"],
        }


def rooms(raw: str) -> dict[str, float]:
    """Samples of py-spy (stack and count a line) by the room of the product the innermost own frame lies in."""
    found: Counter[str] = Counter()
    for line in raw.splitlines():
        stack, _, count = line.rpartition(" ")
        own = [frame for frame in stack.split(";") if "/poise/" in frame]
        found[_room(own[-1]) if own else "event loop and kernel"] += int(count)
    return {room: count / found.total() for room, count in found.most_common()}


def _room(frame: str) -> str:
    """`handle (/x/src/poise/server/agents/service.py:12)` -> `server/agents`."""
    parts = frame.rpartition("/poise/")[2].split("/")[:-1]
    return "/".join(parts[:2]) or "poise"


def _metrics(port: int) -> dict[str, float]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return {
        name: float(value) for name, _, value in (line.partition(" ") for line in lines if line[:1] != "#") if value
    }


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the centre did not come up")
        time.sleep(0.5)


def report(options: argparse.Namespace, result: dict[str, dict[str, float]]) -> str:
    """centre.md."""
    event, hour, resync, profile = (result[name] for name in ("event", "busy", "resync", "profile"))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    lines = [
        "# A whole centre behind the CTI link",
        "",
        f"Measured {datetime.datetime.now(datetime.UTC).date().isoformat()} at commit {commit.strip()} on "
        f"Python {platform.python_version()}. Written by `python -m bench.centre --write`; do not edit.",
        "",
        f"The built-in ACD with {options.agents:,} agents who work by themselves (answer, hold, consult, transfer, "
        "confer, are listened to ...) is a process of its own, and so is the server; CPU is the server's alone. Nobody "
        "is signed in to a desktop.",
        "",
        "| what | measured | mark |",
        "|---|---|---|",
        "| decode, model and Update of one agent-state event | "
        f"{event['us_per_event']:.0f} µs of CPU | {EVENT_MARK_US:.0f} µs |",
        f"| the server's share of a core, over {options.seconds:.0f} s | "
        f"{hour['core_percent']:.1f} % | {CORE_MARK_PERCENT:.0f} % |",
        f"| calls that began, consultations included | {hour['calls_per_s']:.1f}/s | {options.calls:g}/s |",
        f"| CTI messages | {hour['cti_events_per_s']:.0f}/s | |",
        f"| Updates published | {hour['updates_per_s']:.0f}/s | |",
        f"| CPU for each CTI message, everything included | {hour['us_per_cti_event']:.0f} µs | |",
        f"| agents signed in | {hour['agents_working']:.0f} | |",
        f"| cut link until everybody and {resync['calls']:.0f} calls are known again, the second before reconnecting "
        f"included | {resync['seconds']:.1f} s | {RESYNC_MARK_S:.0f} s |",
        f"| CPU of the server for that | {resync['cpu_s']:.1f} s | |",
        "",
    ]
    if profile:
        lines += [f"Where the time goes ({PROFILE_S} s of py-spy, by the innermost of our own frames):", ""]
        lines += ["| room | part |", "|---|---|"]
        lines += [f"| `{room}` | {part:.0%} |" for room, part in profile.items() if part >= 0.01]
        lines += [""]
    return "\n".join(lines)


def main() -> int:
    """Measure and report. Exit code 1 when a mark is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=2000)
    parser.add_argument("--calls", type=float, default=20.0, help="new calls a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--spy", default=shutil.which("py-spy"), help="py-spy, for the profile")
    parser.add_argument("--write", action="store_true", help="write centre.md")
    options = parser.parse_args()
    result = {"event": agent_state_events(options.agents, 40_000), "profile": {}}
    with tempfile.TemporaryDirectory() as name:
        hour = Hour(Path(name), options.agents, options.calls)
        try:
            hour.begin()
            result["busy"] = hour.measure(options.seconds)
            if options.spy:
                result["profile"] = hour.profile(options.spy)
            result["resync"] = hour.resync()
        finally:
            hour.end()
    print(json.dumps(result, indent=1))
    if options.write:
        REPORT.write_text(report(options, result), "utf-8")
    good = (
        result["event"]["us_per_event"] <= EVENT_MARK_US
        and result["busy"]["core_percent"] < CORE_MARK_PERCENT
        and result["resync"]["seconds"] < RESYNC_MARK_S
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

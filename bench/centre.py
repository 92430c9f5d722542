"""A whole centre behind the CTI link: what one agent-state event costs, and a busy hour of 2,000 agents.

`python -m bench.centre` starts the built-in ACD as a process of its own with robots for agents, lets calls come at a
fixed rate, and measures the product's CPU alone. No desktop is connected: what deliveries cost is in the other
workloads.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

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


def busy(agents: int, calls_per_s: float, seconds: float) -> dict[str, float]:
    """The product's share of a core while so many agents work and so many calls come."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        data = large_centre(agents)
        (folder / "centre.json").write_text(as_json(data))
        ids = [person.agent_id for person in data.people if not person.supervises]
        (folder / "day.txt").write_text("".join(f"{n / 200:.3f} agent {who} robot\n" for n, who in enumerate(ids)))
        ports = free_ports()
        lab_port, rest_port = ports.http, ports.tls
        lab = _start(
            folder / "lab.log", "lab", "--port", str(lab_port), "--seed-data", str(folder / "centre.json"),
            "--scenario", str(folder / "day.txt"), "--calls-per-minute", str(calls_per_s * 60),
        )  # fmt: skip
        server: subprocess.Popen[bytes] | None = None
        try:
            wait_for_port(lab_port, lab, folder / "lab.log")
            settings = [
                f"cti.side_a=127.0.0.1:{lab_port}", f"ports.insecure_http={rest_port}",
                f"server.data={folder / 'data'}",
                "server.host=127.0.0.1", "server.domain=localhost", "ports.insecure=true", "ports.https=-1",
                "ports.notification=-1", "ports.insecure_bosh=-1", "ports.xmpp=-1", "ports.xmpp_tls=-1",
            ]  # fmt: skip
            flags = [part for setting in settings for part in ("--set", setting)]
            server = _start(folder / "server.log", "serve", *flags)
            wait_for_port(rest_port, server, folder / "server.log")
            _until(lambda: _metrics(rest_port)["poise_cti_messages_total"] > agents, 120)
            time.sleep(agents / 200 + 20)  # everybody has signed in, and calls are at their rate
            first, before, began = _metrics(rest_port), _cpu(server.pid), time.monotonic()
            time.sleep(seconds)
            last, after, passed = _metrics(rest_port), _cpu(server.pid), time.monotonic() - began
        finally:
            for process in (server, lab):
                if process is not None:
                    stop(process)
    events = last["poise_cti_messages_total"] - first["poise_cti_messages_total"]
    updates = last["poise_updates_published_total"] - first["poise_updates_published_total"]
    spent = after - before
    return {
        "core_percent": spent / passed * 100,
        "cti_events_per_s": events / passed,
        "updates_per_s": updates / passed,
        "us_per_cti_event": spent / max(events, 1) * 1e6,
    }


def _start(log: Path, *words: str) -> subprocess.Popen[bytes]:
    with log.open("wb") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "poise.cli.main", *words], cwd=ROOT, stdout=out, stderr=out, start_new_session=True
        )


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


def main() -> int:
    """Measure and report. Exit code 1 when a mark is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=2000)
    parser.add_argument("--calls", type=float, default=20.0, help="new calls a second")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    event = agent_state_events(options.agents, 40_000)
    hour = busy(options.agents, options.calls, options.seconds)
    if options.json:
        print(json.dumps({"event": event, "busy": hour}, indent=1))
    else:
        print(f"{event['us_per_event']:.1f} us an agent-state event; {hour}")
    return 0 if event["us_per_event"] <= 100 and hour["core_percent"] < 30 else 1


if __name__ == "__main__":
    sys.exit(main())

"""Ten minutes of hostile bytes and BOSH games against a running server; a well-behaved session must not notice.

FUZZ_SECONDS sets another length, FUZZ_SEED repeats a run. The long run writes `docs/proof/fuzz.md`.
"""

from __future__ import annotations

import datetime
import os
import platform
import random
import re
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conformance.wire import OPEN
from tests.e2e.desk import Desk
from tests.e2e.hostile import GAMES, Crowd
from tests.e2e.process import Server, demo
from tests.e2e.stage import copy_of, read_log

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "proof" / "fuzz.md"
LONG_S = 600.0
PING = "<iq type='get' id='{id}' to='localhost' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"


@dataclass(frozen=True, slots=True)
class Run:
    """What came of it."""

    seed: str
    seconds: float
    played: Counter[str]
    changes: int
    """State changes of the well-behaved agent, each one told him by its event."""
    waits_ms: tuple[float, ...]
    """From PUT to event."""
    memory_kib: tuple[int, ...]
    """Resident memory of the server: before, and then five times, the last one after everything."""


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


def change(desk: Desk, number: int) -> float:
    """One state change and one ping of the well-behaved agent; milliseconds from PUT to event."""
    state = "READY" if number % 2 else "NOT_READY"
    began = time.monotonic()
    assert desk.rest.put(state, f"change-{number}").status == 202
    update = desk.update("/finesse/api/User/1001", requestId=f"change-{number}")
    took = (time.monotonic() - began) * 1000
    assert update.state == state
    desk.say(PING.format(id=f"ping-{number}"))
    assert desk.hear("{jabber:client}iq", id_=f"ping-{number}").get("type") == "result"
    return took


def rage(prepared: Path, folder: Path, seconds: float) -> Run:
    """Let hostile clients at a demo server for so long, next to one well-behaved agent."""
    seed = os.environ.get("FUZZ_SEED") or f"{random.SystemRandom().randrange(2**32):x}"
    copy_of(prepared, folder / "data")
    limits = {"bosh.creations_per_minute": 1_000_000, "bosh.unauthenticated_per_address": 10_000}
    with demo(folder, settings={**limits, "bosh.unauthenticated_max": 10_000}) as server:
        desk = server.desk("1001").come()
        desk.log_in()
        memory = [resident_kib(server.child.pid)]
        waits: list[float] = []
        try:
            with Crowd(server.place, seed, seconds) as crowd:
                while crowd.raging:
                    waits.append(change(desk, len(waits) + 1))
                    if crowd.elapsed > len(memory) * seconds / 5:
                        memory.append(resident_kib(server.child.pid))
                    if len(desk.replies) > 500:
                        del desk.replies[:400]
                        desk.heard()
                        OPEN[:] = [wire for wire in OPEN if wire.socket.fileno() >= 0]
            assert not crowd.broken, crowd.broken
            check_unharmed(server, desk)
        except BaseException as error:
            error.add_note(f"FUZZ_SEED={seed}")
            raise
        memory.append(resident_kib(server.child.pid))
        server.signal(signal.SIGTERM)
        assert server.ended() == 0
        assert server.errors == "", seed
    return Run(seed, seconds, crowd.played, len(waits), tuple(sorted(waits)), tuple(memory))


def check_unharmed(server: Server, desk: Desk) -> None:
    """Nothing of it is left in the server: no exception of ours, no session gone wrong, nobody's state changed."""
    assert server.child.poll() is None
    assert not desk.ended
    assert read_log(server.data, "error.log") == ""
    web = read_log(server.data, "webservices")
    assert "API_ERROR_DETAIL" not in web, re.findall(".*API_ERROR_DETAIL.*", web)[:3]
    assert "XMPP_PUBLISH_FAILED" not in web
    metrics = server.rest("1001").call("GET", "/metrics").body.decode()
    faults = re.findall(r"^poise_faults_total\S* (\S+)", metrics, re.MULTILINE)
    assert [float(count) for count in faults] in ([], [0.0]), faults
    fresh = server.desk("1002").come()
    assert fresh.log_in().state == "NOT_READY"


def test_eight_seconds_of_hostile_clients_are_not_noticed(prepared: Path, tmp_path: Path) -> None:
    run = rage(prepared, tmp_path, 8.0)
    assert set(run.played) == {game.__name__ for game in GAMES}
    assert run.changes > 20
    assert run.seed in page(run, "abc1234")


@pytest.mark.long
def test_ten_minutes_of_hostile_clients_are_not_noticed(prepared: Path, tmp_path: Path) -> None:
    run = rage(prepared, tmp_path, float(os.environ.get("FUZZ_SECONDS", LONG_S)))
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(run, commit), "utf-8")


def page(run: Run, commit: str) -> str:
    """The proof as people read it."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    games = "\n".join(f"| {name.replace('_', ' ')} | {count} |" for name, count in sorted(run.played.items()))
    memory = ", ".join(str(kib // 1024) for kib in run.memory_kib)
    middle, worst = run.waits_ms[len(run.waits_ms) // 2], run.waits_ms[-1]
    return f"""# Hostile clients beside a well-behaved one

Commit {commit}, {today}, Python {platform.python_version()} on {platform.system()}, seed {run.seed}.
Written by `make test-long` (tests/long/test_fuzz_long.py; the games are in tests/e2e/hostile.py).

For {run.seconds:.0f} s three hostile clients played {run.played.total()} games against a running demo server:

| game | times |
|---|---|
{games}

Meanwhile agent 1001 changed state {run.changes} times and pinged as often. Every change was accepted and told by its
event, every ping answered; from PUT to event it took {middle:.1f} ms in the middle and {worst:.1f} ms at worst, on a
machine that the hostile clients kept busy. The server logged no exception of its own and ended with code 0 when asked
to. Its resident memory before, after each fifth of the time, and at the end, in MiB: {memory}.
"""

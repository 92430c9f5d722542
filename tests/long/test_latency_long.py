"""Within 50 ms, 99 of 100 times, at a hundred state changes a second: a real server, over TLS, twenty seconds."""

from __future__ import annotations

import datetime
import platform
import subprocess
from pathlib import Path

import pytest
from bench.latency import Result, measure

ROOT = Path(__file__).parents[2]
P99_MS = 50.0
"""What an agent does not notice as waiting; the project's promise."""

DRIVER_LATE_MS = 20.0
"""A driver that sends its own PUTs later than this measures a machine busy with something else: once more, then."""


@pytest.mark.long
def test_p99_from_put_to_event_is_below_50_ms_at_100_a_second(tmp_path: Path) -> None:
    for attempt in range(3):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        result = measure(folder, agents=50, rate=100, seconds=20)
        assert not result.lost
        assert not result.wrong
        if result.late_ms < DRIVER_LATE_MS:
            break
    assert result.at(0.99) < P99_MS, result.as_json()
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    (ROOT / "docs" / "proof" / "latency.md").write_text(page(result, commit), "utf-8")


def page(result: Result, commit: str) -> str:
    """The proof as people read it."""
    counts = (len(result.latencies_ms), len(result.lost), len(result.wrong))
    times = (result.at(0.5), result.at(0.99), result.at(1.0), result.late_ms)
    row = "| " + " | ".join([*map(str, counts), *(f"{ms:.1f}" for ms in times)]) + " |"
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    return f"""# From PUT to event

Commit {commit}, {today}, Python {platform.python_version()} on {platform.system()}.
Written by `make test-long` (tests/long/test_latency_long.py); `python -m bench.latency` prints the same as JSON.

{result.agents} agents are signed in over BOSH on TLS and alternate between READY and NOT_READY, {result.rate:g} PUTs a
second in all, each at its fixed moment. A latency runs from the writing of the PUT (HTTPS) to the reading of the event
with its requestId on the held poll; on the way lie the REST services, the CTI link, a simulated CTI server, the agent
model and pubsub. Server, simulated CTI server and driver share the machine's cores.

| PUTs | lost | wrong | p50 ms | p99 ms | max ms | driver late at most, ms |
|---|---|---|---|---|---|---|
{row}
"""

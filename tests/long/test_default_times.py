"""A desktop dies in front of a real server with its default times: the whole way to the forced logout, in real time.

The long run takes up to four minutes and writes `docs/proof/silence-default-times.md`. The short one is the same story
with shortened times.
"""

from __future__ import annotations

import datetime
import platform
import signal
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.process import Lab, serve_beside
from tests.e2e.stage import copy_of, moment, read_log
from tests.e2e.testimony import Line, Witnessed, read_testimony

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "proof" / "silence-default-times.md"
TEAM = "/finesse/api/Team/1/Users"
DECODED = r"agentState=2 \(NOT_READY\), eventReasonCode=50002"


@dataclass(frozen=True, slots=True)
class Story:
    """What happened."""

    killed: datetime.datetime
    """When the desktop's socket was cut, in the machine's own zone, without it, as the logs have it."""
    testimony: Witnessed
    last_poll: str
    """The debug line of the last request the server ever saw of it."""
    ready_again: str
    """Truth at the end, as the supervisor's desktop was told it."""


def play(prepared: Path, folder: Path, settings: Mapping[str, object], *, wait: int, polls: int) -> Story:
    """Sign an agent in, let his desktop poll a while, kill it, and wait for what the supervisor is told."""
    data = copy_of(prepared, folder / "data")
    with Lab(folder) as lab, serve_beside(lab, folder, settings) as server:
        watcher = server.desk("1101", resource="watcher").come()
        watcher.patience_s = 60
        assert watcher.subscribe(TEAM).get("type") == "result"
        desk = server.desk("1001", wait=wait).come()
        desk.patience_s = 60
        desk.log_in()
        desk.go("READY")
        assert watcher.update(TEAM, loginId="1001", state="READY").state == "READY"
        desk.heard()
        for _ in range(polls):
            desk.listen()
        killed = datetime.datetime.now()  # noqa: DTZ005 - as the logs have it
        desk.die()
        told = watcher.update(TEAM, loginId="1001").state
        server.signal(signal.SIGTERM)
        assert server.ended() == 0
        assert server.errors == ""
    testimony = read_testimony(data, desk.sid, "1001", DECODED)
    received = [line for line in read_log(data, "debug.log").splitlines() if f"HTTP RECV({desk.sid})" in line]
    return Story(killed, testimony, received[-1], told)


def test_in_short(prepared: Path, tmp_path: Path) -> None:
    times = {"bosh.idle_limit_s": 2, "bosh.reaper_interval_s": 1, "presence.grace_s": 2, "presence.monitor_s": 1.5}
    story = play(prepared, tmp_path, times, wait=1, polls=1)
    assert story.ready_again == "NOT_READY"
    story.testimony.check(idle_s=2, tick_s=1, grace_s=2, monitor_s=1.5, slack_s=0.45)
    assert "Closing idle session" in page(story, "abc1234", "some day")


@pytest.mark.long
def test_with_the_default_times(prepared: Path, tmp_path: Path) -> None:
    story = play(prepared, tmp_path, {}, wait=30, polls=1)
    assert story.ready_again == "NOT_READY"
    story.testimony.check(slack_s=0.3)
    assert 0 in story.testimony.idle_ms
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(story, commit, story.killed.date().isoformat()), "utf-8")


def page(story: Story, commit: str, date: str) -> str:
    """The proof as people read it."""
    return "\n".join(_page(story, commit, date)) + "\n"


def _page(story: Story, commit: str, date: str) -> Iterator[str]:
    told = story.testimony
    yield "# Silence with the default times"
    yield ""
    yield f"Commit {commit}, {date}, Python {platform.python_version()} on {platform.system()}."
    yield "Written by `make test-long` (tests/long/test_default_times.py): a real server and a simulated CTI server"
    yield "(UCCE, LOAD 0) as processes of their own, every time the default. Agent 1001 is READY at a desktop with the"
    yield "resource `desktop`; its socket is cut while a poll is held. The lines are those of the log files, in the"
    yield "order of the seed."
    yield ""
    yield "## How long each step took"
    yield ""
    yield "| from | to | seconds |"
    yield "|---|---|---|"
    for first, second, seconds in _intervals(story):
        yield f"| {first} | {second} | {seconds} |"
    yield ""
    yield "Stamps of `debug.log` and `info.log` know whole seconds; those of the web services log, milliseconds."
    yield ""
    yield from _block("debug.log: the last poll, and what the reaper found at each look", story.last_poll, *told.ticks)
    yield from _block("debug.log: the counts beside each look", told.statistics)
    yield from _block("info.log", told.closing, told.threshold, told.closed)
    web = (told.presence, told.unsubscribed, told.absent, told.monitor, told.logout, told.message, told.decoded)
    yield from _block("Desktop-webservices.*.log", *web)
    yield from _block("debug.log: the notification of the new state finds nobody", told.stored)


def _intervals(story: Story) -> Iterator[tuple[str, str, str]]:
    told = story.testimony

    def between(first: datetime.datetime, second: Line) -> str:
        return f"{(moment(second) - first).total_seconds():.3f}".rstrip("0").rstrip(".")

    killed = story.killed.replace(microsecond=story.killed.microsecond // 1000 * 1000)
    yield "the socket is cut", "the session is closed", between(killed, told.presence)
    yield "the last poll", "the session is closed", between(moment(story.last_poll), told.closed)
    yield "presence unavailable", "AGENT_PRESENCE_MONITOR", between(moment(told.absent), told.monitor)
    yield "presence unavailable", "PRESENCE DRIVEN LOGOUT", between(moment(told.absent), told.logout)
    yield "PRESENCE DRIVEN LOGOUT", "MESSAGE_TO_CTI_SERVER", between(moment(told.logout), told.message)
    yield "MESSAGE_TO_CTI_SERVER", "DECODED_MESSAGE_FROM_CTI_SERVER", between(moment(told.message), told.decoded)
    yield "the socket is cut", "the agent is NOT_READY", between(killed, told.decoded)


def _block(title: str, *lines: str | Line) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield "```"
    for line in lines:
        yield line if isinstance(line, str) else line[0]
    yield "```"
    yield ""

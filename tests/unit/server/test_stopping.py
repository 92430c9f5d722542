"""Stopping: every part gets its time, and none keeps the others."""

from __future__ import annotations

import asyncio
import threading

import pytest

from poise.server import stopping
from poise.server.stopping import Parts, at_once, in_a_thread


class Told:
    """What was closed and reported, in order."""

    def __init__(self) -> None:
        self.closed: list[str] = []
        self.reports: list[tuple[str, str]] = []

    def part(self, parts: Parts, name: str, *, writes: bool = False) -> None:
        parts.opened(name, at_once(lambda: self.closed.append(name)), writes=writes)

    def report(self, name: str, error: Exception) -> None:
        self.reports.append((name, type(error).__name__))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    monkeypatch.setattr(stopping, "STOP_S", 0.2)
    monkeypatch.setattr(stopping, "WRITING_S", 0.1)
    return Told()


async def never() -> None:
    await asyncio.get_running_loop().create_future()


def test_parts_are_closed_last_opened_first_and_only_once(told: Told) -> None:
    parts = Parts()
    for name in ("log", "store", "service"):
        told.part(parts, name)
    asyncio.run(parts.close(told.report))
    asyncio.run(parts.close(told.report))
    assert told.closed == ["service", "store", "log"]
    assert (told.reports, parts.left_behind) == ([], [])


def test_a_part_that_does_not_end_or_fails_is_named_and_keeps_nobody(told: Told) -> None:
    async def fails() -> None:
        raise OSError("the disk is gone")

    parts = Parts()
    told.part(parts, "log", writes=True)
    parts.opened("store", fails, writes=True)
    parts.opened("link", never)
    told.part(parts, "service")
    asyncio.run(parts.close(told.report))
    assert told.closed == ["service", "log"]
    assert told.reports == [("link", "TimeoutError"), ("store", "OSError")]
    assert parts.left_behind == ["link", "store"]


def test_what_writes_has_time_although_the_others_took_theirs(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "STOP_S", 0.6)
    monkeypatch.setattr(stopping, "WRITING_S", 0.5)

    async def written() -> None:
        try:
            await asyncio.wait_for(never(), 0.1)
        except TimeoutError:
            told.closed.append("store")

    parts = Parts()
    parts.opened("store", written, writes=True)
    parts.opened("link", never)
    parts.opened("service", never)
    asyncio.run(parts.close(told.report))
    assert told.closed == ["store"]
    assert parts.left_behind == ["service", "link"]


def test_the_end_of_the_log_itself_is_reported_to_no_log(told: Told) -> None:
    parts = Parts()
    parts.opened("log", never, writes=True)
    asyncio.run(parts.close(told.report))
    assert (told.reports, parts.left_behind) == ([], ["log"])


def test_what_blocks_is_left_behind_in_its_thread(told: Told) -> None:
    over = threading.Event()
    ended = threading.Event()

    def blocks() -> None:
        over.wait()
        ended.set()

    parts = Parts()
    parts.opened("blocks", in_a_thread(blocks))
    parts.opened("works", in_a_thread(lambda: told.closed.append("works")))
    asyncio.run(parts.close(told.report))
    assert told.closed == ["works"]
    assert parts.left_behind == ["blocks"]
    over.set()
    assert ended.wait(20)

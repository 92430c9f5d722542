"""Last presences when the database does not take them: a real SQLite file that is locked, and one that is full."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from poise.server.storage import presences as room
from poise.server.storage.presences import Presences, WriteRefused
from poise.server.storage.records import LastPresence
from poise.server.storage.store import Store, sqlite_url

HERE = LastPresence("1001", True, 1.0)
GONE = LastPresence("1001", False, 2.0)
OTHER = LastPresence("1002", True, 3.0)


def play(folder: Path, story: Callable[[Store, list[str]], Awaitable[None]]) -> list[str]:
    told: list[str] = []

    async def run() -> None:
        store = await Store.open(sqlite_url(folder / "poise.db"), told.append)
        try:
            await store.run(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout=0"))
            await story(store, told)
        finally:
            await store.close()

    asyncio.run(run())
    return told


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Another process holds the write lock."""
    with closing(sqlite3.connect(folder / "poise.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def stored(folder: Path) -> dict[str, bool]:
    with closing(sqlite3.connect(folder / "poise.db")) as connection:
        return {
            user: bool(available) for user, available in connection.execute("SELECT user, available FROM last_presence")
        }


def test_what_a_locked_database_refuses_is_kept_and_written_when_the_lock_is_gone(tmp_path: Path) -> None:
    async def story(store: Store, told: list[str]) -> None:
        with locked(tmp_path):
            store.record_presence(HERE)
            assert await store.flush() == 1
            assert "OperationalError" in store.presences.trouble
            store.record_presence(OTHER)
            assert await store.flush() == 2
        assert len(told) == 1, "one line when it begins, not one for every attempt"
        store.record_presence(OTHER)
        assert await store.flush() == 0
        assert store.presences.trouble == ""
        assert store.presences.failures == 2

    told = play(tmp_path, story)
    assert stored(tmp_path) == {"1001": True, "1002": True}
    assert told[-1] == ""


def test_a_newer_presence_wins_over_the_one_that_was_refused(tmp_path: Path) -> None:
    async def story(store: Store, told: list[str]) -> None:
        with locked(tmp_path):
            store.record_presence(HERE)
            await store.flush()
            store.record_presence(GONE)
            await store.flush()
        store.record_presence(OTHER)
        await store.flush()

    play(tmp_path, story)
    assert stored(tmp_path) == {"1001": False, "1002": True}


def test_a_full_disk_is_tried_again_without_being_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "RETRY_S", 0.001)
    many = [LastPresence(f"agent{n:04d}" + "x" * 200, True, float(n)) for n in range(2000)]

    async def story(store: Store, told: list[str]) -> None:
        failed, again = asyncio.Event(), asyncio.Event()
        store.presences._told = lambda why: (failed if why else again).set()
        await store.run(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=30"))
        for presence in many:
            store.record_presence(presence)
        async with asyncio.timeout(20):
            await failed.wait()
        assert store.presences.trouble
        await store.run(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count=1000000"))
        async with asyncio.timeout(20):
            await again.wait()

    play(tmp_path, story)
    assert len(stored(tmp_path)) == len(many)


def test_what_is_still_refused_at_the_end_is_lost_and_the_log_says_so(tmp_path: Path) -> None:
    async def run(told: list[str]) -> None:
        store = await Store.open(sqlite_url(tmp_path / "poise.db"), told.append)
        await store.run(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout=0"))
        with locked(tmp_path):
            store.record_presence(HERE)
            await store.close()

    told: list[str] = []
    asyncio.run(run(told))
    assert told[-1].startswith("1 presences are lost")


def test_attempts_come_less_often_while_the_database_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def at_once(waiting: Awaitable[object], pause: float) -> None:
        pauses.append(pause)
        assert asyncio.iscoroutine(waiting)
        waiting.close()
        raise TimeoutError

    async def write(_: Sequence[LastPresence]) -> None:
        if len(pauses) < 9:
            raise WriteRefused("full")

    async def run() -> None:
        presences = Presences(write)
        presences.record(HERE)
        assert presences._task is not None
        await presences._task

    monkeypatch.setattr(asyncio, "wait_for", at_once)
    asyncio.run(run())
    assert pauses == [room.LINGER_S, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]

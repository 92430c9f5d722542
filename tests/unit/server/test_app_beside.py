"""A running server and what others do beside it: imports, locks on its database, looks at its files."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import argon2
import pytest

from poise.finesse.configuration.table import REASON_CODE, SYSTEM_CONFIG
from poise.server.app import Application, StartError
from poise.server.clock import ManualClock
from poise.server.config import with_values
from poise.server.settings import PID_FILE, Settings
from poise.server.storage.configuration import ONLY, Configuration
from poise.server.storage.importing import import_accounts
from poise.server.storage.records import LastPresence
from poise.server.storage.store import DATABASE, Store, sqlite_url
from poise.server.watching import ACCOUNTS_S

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


def play(data: Path, story: Callable[[Application, ManualClock], Awaitable[None]]) -> None:
    off = {f"ports.{port}": -1 for port in ("https", "notification", "xmpp", "xmpp_tls")}
    settings = with_values(Settings(), {"server.domain": "localhost", "server.data": str(data), **off})

    async def run() -> None:
        clock = ManualClock()
        application = Application(settings, clock=clock)
        async with asyncio.timeout(30):
            await application.start()
            try:
                await story(application, clock)
            finally:
                await application.stop()

    asyncio.run(run())


def test_an_account_imported_beside_the_server_exists_a_second_later(tmp_path: Path) -> None:
    async def story(application: Application, clock: ManualClock) -> None:
        looked = asyncio.Event()
        review = application.accounts.review

        def reviewed(accounts: object) -> None:
            review(accounts)  # type: ignore[arg-type]
            looked.set()

        application.accounts.review = reviewed  # type: ignore[method-assign]
        beside = await Store.open(sqlite_url(tmp_path / DATABASE))
        await import_accounts(beside, [(2, {"login_id": "1001", "password_hash": CHEAP.hash("x"), "roles": "agent"})])
        await beside.close()
        assert not application.people.exists("1001")
        clock.advance(ACCOUNTS_S)
        await looked.wait()
        assert application.people.exists("1001")

    play(tmp_path, story)


def test_readyz_says_why_while_the_database_is_locked_and_the_log_names_it(tmp_path: Path) -> None:
    async def story(application: Application, clock: ManualClock) -> None:
        store = application._store
        await store.run(lambda connection: connection.exec_driver_sql("PRAGMA busy_timeout=0"))
        assert application.health.reasons().keys() == {"agents"}
        with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            store.record_presence(LastPresence("1001", True, 1.0))
            await store.flush()
            assert "does not take what must survive a restart" in application.health.reasons()["storage"]
            other.execute("ROLLBACK")
        store.record_presence(LastPresence("1001", True, 2.0))
        await store.flush()
        assert application.health.reasons().keys() == {"agents"}

    play(tmp_path, story)
    (log,) = (tmp_path / "logs/desktop/webservices").iterdir()
    text = log.read_text()
    assert text.index("STORAGE_FAILED") < text.index("STORAGE_RECOVERED")


def test_nobody_else_reads_what_the_server_writes(tmp_path: Path) -> None:
    data = tmp_path / "data"

    async def story(application: Application, clock: ManualClock) -> None:
        pass

    play(data, story)
    open_to_others = [
        path.relative_to(tmp_path).as_posix()
        for path in (data, *data.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) & 0o007 and not path.is_relative_to(data / "tls")
    ]
    assert [name for name in open_to_others if not name.endswith(PID_FILE)] == []


def test_the_cti_server_that_administrators_configured_is_used_after_a_restart(tmp_path: Path) -> None:
    configured = {"host": "127.0.0.1", "port": 1, "backupHost": "", "peripheralId": 5001, "secure": False}

    async def first(application: Application, clock: ManualClock) -> None:
        assert "CTI server" not in application.facts()["addresses"]
        beside = await Store.open(sqlite_url(tmp_path / DATABASE))
        await Configuration(beside).change(SYSTEM_CONFIG, ONLY, {"cti": configured})
        await beside.close()

    async def second(application: Application, clock: ManualClock) -> None:
        assert application.facts()["addresses"]["CTI server"] == "127.0.0.1:1"
        assert application.agents.status().peripheral_id == 5001

    play(tmp_path, first)
    play(tmp_path, second)


def test_reason_codes_imported_beside_the_server_are_offered_a_second_later(tmp_path: Path) -> None:
    async def story(application: Application, clock: ManualClock) -> None:
        taken = asyncio.Event()
        take = application._take_reasons

        def took(records: object) -> None:
            take(records)  # type: ignore[arg-type]
            taken.set()

        application._take_reasons = took  # type: ignore[method-assign]
        beside = await Store.open(sqlite_url(tmp_path / DATABASE))
        lunch = {"category": "NOT_READY", "code": 12, "label": "Lunch", "forAll": True}
        await Configuration(beside).make(REASON_CODE, lunch)
        await beside.close()
        clock.advance(ACCOUNTS_S)
        await taken.wait()
        assert [reason.label for reason in application.agents.reasons.codes] == ["Lunch"]

    play(tmp_path, story)


def test_a_second_server_on_the_same_data_folder_does_not_start_and_the_first_does_not_notice(tmp_path: Path) -> None:
    async def story(application: Application, clock: ManualClock) -> None:
        second = Application(application.settings, clock=clock)
        with pytest.raises(StartError, match=f"{tmp_path} is the data folder of a running server"):
            await second.start()
        assert (tmp_path / PID_FILE).read_text() == f"{os.getpid()}\n"
        assert application.health.reasons().keys() == {"agents"}

    play(tmp_path, story)
    play(tmp_path, story)  # the first one's end freed the folder


@pytest.mark.parametrize("place", ["a file", "a file/below"])
def test_a_data_folder_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path, place: str) -> None:
    (tmp_path / "a file").touch()

    async def story(application: Application, clock: ManualClock) -> None:
        raise AssertionError

    with pytest.raises(StartError, match=f"the data folder {tmp_path / place} cannot be used: .*--data"):
        play(tmp_path / place, story)

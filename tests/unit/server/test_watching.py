"""What others change beside a running server: a real import into its database, real certificate files."""

from __future__ import annotations

import asyncio
import datetime
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import argon2

from poise.server import certificates
from poise.server.accounts import Accounts, Outcome
from poise.server.clock import ManualClock
from poise.server.people import People
from poise.server.storage.importing import import_accounts
from poise.server.storage.records import Account, Role
from poise.server.storage.store import Store, sqlite_url
from poise.server.watching import AccountWatch, CertificateWatch, Periodic

CHEAP = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOW = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with asyncio.timeout(20):
            await story()

    asyncio.run(run())


async def turn_of_the_loop() -> None:
    loop = asyncio.get_running_loop()
    turn = loop.create_future()
    loop.call_soon(turn.set_result, None)
    await turn


def test_it_works_once_a_period_and_never_twice_at_a_time() -> None:
    async def story() -> None:
        clock, begun, go_on = ManualClock(), 0, asyncio.Event()

        async def work() -> None:
            nonlocal begun
            begun += 1
            await go_on.wait()

        periodic = Periodic(clock, 10.0, work)
        clock.advance(9.9)
        await turn_of_the_loop()
        assert begun == 0
        clock.advance(0.1)
        await turn_of_the_loop()
        assert begun == 1
        clock.advance(100.0)
        await turn_of_the_loop()
        assert begun == 1, "the first is still under way"
        go_on.set()
        assert periodic._task is not None
        await periodic._task
        clock.advance(10.0)
        await turn_of_the_loop()
        assert begun == 2
        await periodic.stop()
        clock.advance(100.0)
        await turn_of_the_loop()
        assert begun == 2

    play(story)


def test_stopping_gives_up_what_is_under_way() -> None:
    async def story() -> None:
        clock, begun = ManualClock(), asyncio.Event()

        async def work() -> None:
            begun.set()
            await asyncio.Event().wait()

        periodic = Periodic(clock, 1.0, work)
        clock.advance(1.0)
        await begun.wait()
        await periodic.stop()

    play(story)


def test_after_an_import_by_another_process_the_old_password_is_refused_and_new_people_exist(tmp_path: Path) -> None:
    async def story() -> None:
        url = sqlite_url(tmp_path / "poise.db")
        store, beside = await Store.open(url), await Store.open(url)
        await store.put_accounts([Account("1001", "agent1", CHEAP.hash("old"), frozenset({Role.AGENT}))])
        people = People(store, "example.com")
        await people.load()
        accounts = Accounts(people, ManualClock())
        watch = AccountWatch(store, people, accounts)
        await watch.look()
        assert (await accounts.check("1001", "old", "10.0.0.1")).ok
        assert accounts.check_cached("1001", "old") is not None
        await watch.look()
        assert accounts.check_cached("1001", "old") is not None, "nothing has changed"

        rows = [
            (2, {"login_id": "1001", "password_hash": CHEAP.hash("new"), "roles": "agent"}),
            (3, {"login_id": "1102", "password_hash": CHEAP.hash("1102"), "roles": "administrator"}),
        ]
        assert (await import_accounts(beside, rows)).problems == []
        await watch.look()
        assert accounts.check_cached("1001", "old") is None
        assert (await accounts.check("1001", "old", "10.0.0.1")).outcome is Outcome.BAD
        assert (await accounts.check("1001", "new", "10.0.0.1")).ok
        assert people.exists("1102")
        assert people.is_administrator("1102")
        for opened in (store, beside):
            await opened.close()
        await accounts.close()

    play(story)


def test_a_database_that_cannot_be_read_is_looked_at_again_and_no_change_is_missed(tmp_path: Path) -> None:
    async def story() -> None:
        store = await Store.open(sqlite_url(tmp_path / "poise.db"))
        people = People(store, "example.com")
        accounts = Accounts(people, ManualClock())
        watch = AccountWatch(store, people, accounts)
        await store.run(lambda connection: connection.exec_driver_sql("ALTER TABLE accounts RENAME TO away"))
        await watch.look()
        await store.run(lambda connection: connection.exec_driver_sql("ALTER TABLE away RENAME TO accounts"))
        await store.put_accounts([Account("1001", "agent1", "hash", frozenset({Role.AGENT}))])
        await watch.look()
        assert people.exists("1001")
        await accounts.close()
        await store.close()

    play(story)


class Presented:
    """A context beside the watch that keeps it up to date, as the application does."""

    def __init__(self, folder: Path) -> None:
        self.files = certificates.ensure(folder, ["localhost"], NOW)
        self.context = certificates.context(self.files)
        self.outcomes: list[str] = []
        self.watch = CertificateWatch(lambda: self.files, self.reload)

    def reload(self) -> None:
        try:
            certificates.load(self.context, self.files)
        except certificates.CertificateError as error:
            self.outcomes.append(str(error))
        else:
            self.outcomes.append("loaded")

    def look(self) -> list[str]:
        asyncio.run(self.watch.look())
        return self.outcomes


def test_new_certificate_files_are_presented_once_they_stand_still(tmp_path: Path) -> None:
    present = Presented(tmp_path / "tls")
    other = certificates.ensure(tmp_path / "other", ["localhost"], NOW)
    assert present.look() == []
    shutil.copy(other.certificate, present.files.certificate)
    assert present.look() == [], "the key may be still to come"
    shutil.copy(other.key, present.files.key)
    assert present.look() == []
    assert present.look() == ["loaded"]
    assert present.look() == ["loaded"], "and not again"


def test_a_bad_pair_is_named_once_and_the_good_one_that_follows_is_taken(tmp_path: Path) -> None:
    present = Presented(tmp_path / "tls")
    key = present.files.key.read_bytes()
    present.files.key.write_text("no key")
    assert present.look() == []
    (refusal,) = present.look()
    assert "cannot be used together" in refusal
    assert present.look() == [refusal]
    present.files.key.write_bytes(key)
    present.look()
    assert present.look() == [refusal, "loaded"]


def test_files_that_vanish_for_a_moment_are_no_reason_to_fail(tmp_path: Path) -> None:
    present = Presented(tmp_path / "tls")
    away = tmp_path / "away"
    os.replace(present.files.certificate, away)
    assert present.look() == []
    os.replace(away, present.files.certificate)
    present.look()
    assert all(outcome == "loaded" for outcome in present.look())

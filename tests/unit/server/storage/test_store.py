"""The database: migrations, accounts, reason codes and last presence on a real SQLite file."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from poise.server.storage.records import Account, LastPresence, Role
from poise.server.storage.store import Store, StoreError, migrate, sqlite_url
from poise.server.storage.tables import metadata

AGENT = Account("1001", "Agent1", "$argon2id$1", frozenset({Role.AGENT}))
SUPERVISOR = Account("1101", "supervisor1", "$argon2id$2", frozenset({Role.AGENT, Role.SUPERVISOR}))


def play(folder: Path, story: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await Store.open(sqlite_url(folder / "poise.db"))
        try:
            await story(store)
        finally:
            await store.close()

    asyncio.run(run())


def test_migrations_make_exactly_the_tables_that_the_queries_use() -> None:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_accounts_survive_a_restart_and_are_found_by_id_and_by_name_of_any_case(tmp_path: Path) -> None:
    async def first(store: Store) -> None:
        await store.put_accounts([AGENT, SUPERVISOR])

    async def second(store: Store) -> None:
        assert await store.find_account("1001") == AGENT
        assert await store.find_account("aGENT1") == AGENT
        assert await store.find_account("1101") == SUPERVISOR
        assert await store.find_account("nobody") is None
        assert await store.account_names() == {"agent1": "1001", "supervisor1": "1101"}
        assert sorted(await store.all_accounts(), key=lambda account: account.login_id) == [AGENT, SUPERVISOR]

    play(tmp_path, first)
    play(tmp_path, second)


def test_a_login_id_wins_over_another_accounts_login_name(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        misleading = Account("9", "1001", "$argon2id$3", frozenset({Role.AGENT}))
        await store.put_accounts([misleading, AGENT])
        assert await store.find_account("1001") == AGENT

    play(tmp_path, story)


def test_putting_an_account_again_replaces_it(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.put_accounts([AGENT, SUPERVISOR])
        changed = Account("1001", "agent-one", "$argon2id$4", frozenset({Role.AGENT}))
        await store.put_accounts([changed])
        assert await store.find_account("1001") == changed
        assert await store.find_account("agent1") is None
        assert await store.find_account("1101") == SUPERVISOR

    play(tmp_path, story)


def test_a_login_name_can_belong_to_one_account_only_and_nothing_of_the_batch_is_kept(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.put_accounts([AGENT])
        with pytest.raises(StoreError, match="IntegrityError"):
            await store.put_accounts([SUPERVISOR, Account("1002", "AGENT1", "$argon2id$5", frozenset())])
        assert await store.find_account("1101") is None

    play(tmp_path, story)


def test_many_accounts_go_in_at_once(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        rows = [Account(str(n), f"name{n}", "$argon2id$6", frozenset({Role.AGENT})) for n in range(10_000, 11_203)]
        await store.put_accounts(rows)
        assert len(await store.account_names()) == 1203
        await store.put_accounts([])

    play(tmp_path, story)


def test_a_password_hash_is_changed_for_one_account(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.put_accounts([AGENT, SUPERVISOR])
        assert await store.set_password_hash("1001", "$argon2id$7")
        assert not await store.set_password_hash("nobody", "$argon2id$7")
        found = await store.find_account("1001")
        assert found is not None
        assert found.password_hash == "$argon2id$7"
        assert await store.find_account("1101") == SUPERVISOR

    play(tmp_path, story)


def test_last_presence_is_written_without_waiting_and_is_there_after_closing(tmp_path: Path) -> None:
    async def first(store: Store) -> None:
        for at in range(50):
            store.record_presence(LastPresence("1001", at % 2 == 0, float(at)))
            store.record_presence(LastPresence("1002", True, 1_700_000_000.123))

    async def second(store: Store) -> None:
        assert await store.last_presences() == {
            "1001": LastPresence("1001", False, 49.0),
            "1002": LastPresence("1002", True, 1_700_000_000.123),
        }

    play(tmp_path, first)
    play(tmp_path, second)


def test_a_change_that_comes_while_another_is_being_written_is_not_lost(tmp_path: Path) -> None:
    async def first(store: Store) -> None:
        store.record_presence(LastPresence("1001", True, 1.0))
        await store.account_names()  # the first write is under way or done
        store.record_presence(LastPresence("1001", False, 2.0))

    async def second(store: Store) -> None:
        assert (await store.last_presences())["1001"] == LastPresence("1001", False, 2.0)

    play(tmp_path, first)
    play(tmp_path, second)


def test_accounts_are_read_again_only_after_another_process_wrote(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.put_accounts([AGENT])
        assert await store.accounts_if_changed() == [AGENT]
        assert await store.accounts_if_changed() is None
        store.record_presence(LastPresence("1001", True, 1.0))
        await store.flush()
        assert await store.accounts_if_changed() is None, "our own writes are no news"
        other = await Store.open(sqlite_url(tmp_path / "poise.db"))
        await other.put_accounts([SUPERVISOR])
        await other.close()
        assert await store.accounts_if_changed() == [AGENT, SUPERVISOR]
        assert await store.accounts_if_changed() is None

    play(tmp_path, story)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_nobody_else_may_read_the_database_even_one_that_was_made_too_open(tmp_path: Path) -> None:
    file = tmp_path / "poise.db"
    sqlite3.connect(file).close()
    file.touch(0o644)
    file.chmod(0o644)

    async def story(store: Store) -> None:
        await store.put_accounts([AGENT])
        assert modes(tmp_path) == {"poise.db": 0o600, "poise.db-wal": 0o600, "poise.db-shm": 0o600}

    play(tmp_path, story)


def test_the_file_is_in_wal_mode(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.account_names()

    play(tmp_path, story)
    connection = sqlite3.connect(tmp_path / "poise.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_no_statement_runs_on_the_event_loops_thread(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        ran_on = await store.run(lambda _: threading.current_thread().name)
        assert ran_on.startswith("poise-store")

    play(tmp_path, story)


def test_a_database_that_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        asyncio.run(Store.open(sqlite_url(tmp_path / "no" / "folder" / "poise.db")))


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "poise.db").write_text("this is not a database, " * 100)
    with pytest.raises(StoreError, match="cannot be opened"):
        asyncio.run(Store.open(sqlite_url(tmp_path / "poise.db")))


def test_a_database_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.put_accounts([AGENT])

    play(tmp_path, story)
    with closing(sqlite3.connect(tmp_path / "poise.db")) as later:
        later.execute("UPDATE alembic_version SET version_num = '9999'")
        later.commit()
    with pytest.raises(StoreError, match=r"poise\.db was written by a newer version of Poise"):
        play(tmp_path, story)
    with closing(sqlite3.connect(tmp_path / "poise.db")) as later:
        assert later.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999",)


def test_accounts_are_found_while_a_write_waits_for_the_lock_of_another_process(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await store.put_accounts([AGENT])
        with closing(sqlite3.connect(tmp_path / "poise.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            writing = asyncio.ensure_future(store.set_password_hash("1001", "$argon2id$3"))
            assert await store.find_account("1001") == AGENT
            assert not writing.done(), "the write waits, the look-up does not"
            other.execute("ROLLBACK")
        assert await writing
        assert (await store.find_account("1001")) == replace(AGENT, password_hash="$argon2id$3")

    play(tmp_path, story)

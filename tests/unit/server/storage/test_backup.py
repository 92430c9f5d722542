"""Backups: read back on either engine, whole or not at all, and taken before every upgrade."""

from __future__ import annotations

import asyncio
import gzip
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from poise.finesse.configuration.table import REASON_CODE
from poise.server.storage.backup import BackupError, restore_backup, write_backup
from poise.server.storage.configuration import Configuration
from poise.server.storage.records import Account, LastPresence, Role
from poise.server.storage.store import Store, migrate, sqlite_url
from poise.server.storage.verifiers import Verifiers
from tests.support.databases import Engine, url_of

AGENT = Account("1001", "Agént1", "$argon2id$1", frozenset({Role.AGENT}))
LUNCH = {"category": "NOT_READY", "code": 12, "label": "Lunch", "forAll": True}


async def fill(url: str, file: Path) -> None:
    store = await Store.open(url)
    try:
        await store.put_accounts([AGENT])
        await Verifiers.open(store)  # a secret: bytes
        await Configuration(store).make(REASON_CODE, LUNCH)
        store.record_presence(LastPresence("1001", True, 1.5))
        await store.flush()
        await store.run(lambda connection: write_backup(connection, file))
    finally:
        await store.close()


async def check(url: str) -> None:
    store = await Store.open(url)
    try:
        assert await store.all_accounts() == [AGENT]
        assert [one.label for one in await Configuration(store).reason_codes()] == ["Lunch"]
        assert await store.last_presences() == {"1001": LastPresence("1001", True, 1.5)}
        made = await Configuration(store).make(REASON_CODE, LUNCH | {"code": 13, "label": "Tea"})
        assert made.number == 2, "numbers go on where they were"
    finally:
        await store.close()


@pytest.mark.usefixtures("on_every_engine")
@pytest.mark.parametrize("other", ["sqlite", "postgresql"])
def test_a_backup_of_either_engine_is_restored_on_either(tmp_path: Path, other: str) -> None:
    file = tmp_path / "poise.backup.gz"
    asyncio.run(fill(url_of(tmp_path), file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Engine.name = other
    restore_backup(url_of(elsewhere), file)
    asyncio.run(check(url_of(elsewhere)))


def test_a_database_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "b.gz"
    url = sqlite_url(tmp_path / "poise.db")
    asyncio.run(fill(url, file))
    with pytest.raises(BackupError, match="not empty"):
        restore_backup(url, file)
    asyncio.run(check(url))


@pytest.mark.parametrize("harm", ["cut", "text", "other", "empty", "line"])
def test_what_is_no_whole_backup_is_refused(tmp_path: Path, harm: str) -> None:
    file = tmp_path / "b.gz"
    asyncio.run(fill(sqlite_url(tmp_path / "poise.db"), file))
    lines = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
    harmed = {
        "cut": gzip.compress(b"".join(lines[:-1])),
        "text": b"no backup",
        "other": gzip.compress(b'{"x": 1}\n'),
        "empty": b"",
        "line": gzip.compress(b"".join([*lines[:3], b"{\n", *lines[3:]])),
    }
    file.write_bytes(harmed[harm])
    with pytest.raises(BackupError):
        restore_backup(sqlite_url(tmp_path / "new.db"), file)


def test_a_file_of_an_older_version_is_copied_before_it_is_migrated(tmp_path: Path) -> None:
    engine = sa.create_engine(sqlite_url(tmp_path / "poise.db"))
    with engine.begin() as connection:
        migrate(connection, "0003")
        connection.exec_driver_sql("INSERT INTO reason_codes VALUES (1, 'LOGOUT', 22, 'Home', 1)")
    engine.dispose()

    async def story() -> None:
        store = await Store.open(sqlite_url(tmp_path / "poise.db"))
        assert [one.label for one in await Configuration(store).reason_codes()] == ["Home"]
        await store.close()

    asyncio.run(story())
    copy = tmp_path / "poise.db.0003"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as copied:
        assert copied.execute("SELECT label FROM reason_codes").fetchall() == [("Home",)]
    before = copy.stat().st_mtime_ns
    asyncio.run(story())
    assert copy.stat().st_mtime_ns == before

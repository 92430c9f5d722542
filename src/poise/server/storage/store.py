"""The one owner of the database: a synchronous repository on one thread, and the asynchronous door to it.

Every statement runs on one of the store's own threads, so that the event loop never waits for disk. One thread does
all that writes, so SQLite has one writer; accounts are looked up on a second one, because a write that waits for the
lock of another process (BUSY_TIMEOUT_MS) must not keep people from signing in: readers wait for nobody (WAL).
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from poise.server.modes import SECRET, tighten
from poise.server.storage.presences import Presences, WriteRefused
from poise.server.storage.records import Account, LastPresence, Role
from poise.server.storage.tables import accounts, last_presence

T = TypeVar("T")

DATABASE = "poise.db"
"""File name of the SQLite database in the data folder."""
BUSY_TIMEOUT_MS = 5000
"""How long a statement waits for another process's write lock (an import beside a running server) before it fails."""
ROWS_PER_STATEMENT = 500
"""Rows named in one statement; SQLite allows 32,766 bound parameters, older builds 999."""


_ALL_ACCOUNTS = sa.select(accounts).order_by(accounts.c.login_id)


class StoreError(Exception):
    """The database could not do what was asked; the text is for the operator and names no values."""


def sqlite_url(path: Path) -> str:
    """URL of a SQLite file."""
    return f"sqlite:///{path}"


class Store:
    """Accounts and last presence; `run` is for the files beside. `open` makes it, `close` waits for the queue."""

    def __init__(self, lane: _Lane, readers: _Lane, told: Callable[[str], None]) -> None:
        self._lane = lane
        self._readers = readers
        self._told = told
        self._version: int | None = None
        self.presences = Presences(self._write_presences, told)

    @classmethod
    async def open(cls, url: str, told: Callable[[str], None] = lambda _: None) -> Store:
        """Connect and bring the tables to this version. Raises StoreError. `told` hears why presences are not being
        written any more, and, with an empty text, that they are again."""
        lane = await _Lane.open("poise-store", _connect, url)
        return cls(lane, await _Lane.open("poise-store-read", _engine, url), told)

    async def close(self) -> None:
        """Write what is pending and let go of the database."""
        lost = await self.flush()
        if lost:
            self._told(f"{lost} presences are lost: a restart will not know who was here")
        await self._readers.close()
        await self._lane.close()

    async def find_account(self, name: str) -> Account | None:
        """The account with that login id, else with that login name (any case). Raises StoreError."""
        return await self._readers.run(lambda connection: _find_account(connection, name))

    async def account_names(self) -> dict[str, str]:
        """Login id of every account by its case-folded login name. Raises StoreError."""
        query = sa.select(accounts.c.login_key, accounts.c.login_id)
        return await self.run(lambda connection: {row.login_key: row.login_id for row in connection.execute(query)})

    async def all_accounts(self) -> list[Account]:
        """Every account, in the order of login ids. Raises StoreError."""
        return await self.run(lambda connection: [_account(row) for row in connection.execute(_ALL_ACCOUNTS)])

    async def put_accounts(self, rows: Sequence[Account]) -> None:
        """Add accounts, or replace those with the same login id; all or nothing. Raises StoreError."""
        await self.run(lambda connection: accounts_put(connection, rows))

    async def set_password_hash(self, login_id: str, password_hash: str) -> bool:
        """Change one password; False when there is no such account. Raises StoreError."""
        statement = sa.update(accounts).where(accounts.c.login_id == login_id).values(password_hash=password_hash)
        return await self.run(lambda connection: connection.execute(statement).rowcount == 1)

    async def last_presences(self) -> dict[str, LastPresence]:
        """What was last recorded of every user's presence. Raises StoreError."""
        query = sa.select(last_presence)
        return await self.run(
            lambda connection: {
                row.user: LastPresence(row.user, row.available, row.at) for row in connection.execute(query)
            }
        )

    def record_presence(self, presence: LastPresence) -> None:
        """Remember, soon and without waiting; see `presences`."""
        self.presences.record(presence)

    async def flush(self) -> int:
        """Write every recorded presence. How many the database refuses."""
        return await self.presences.flush()

    async def _write_presences(self, presences: Sequence[LastPresence]) -> None:
        values = [{"user": row.user, "available": row.available, "at": row.at} for row in presences]
        try:
            await self.run(lambda connection: _replace(connection, last_presence, last_presence.c.user, values))
        except StoreError as error:
            raise WriteRefused(str(error)) from None

    async def accounts_if_changed(self) -> list[Account] | None:
        """Every account when another process has written to the database since the last call, else None; the first call
        always reads. Raises StoreError.

        SQLite keeps a number for each connection that moves with everybody's commits but its own; other engines have
        nothing as cheap, and are read each time.
        """
        version, found = await self.run(lambda connection: _accounts_after(connection, self._version))
        self._version = version
        return found

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Do something in one transaction on the thread of those that write. Raises StoreError."""
        return await self._lane.run(work)


class _Lane:
    """A thread with connections of its own."""

    def __init__(self, engine: sa.Engine, thread: ThreadPoolExecutor) -> None:
        self._engine = engine
        self._thread = thread

    @classmethod
    async def open(cls, name: str, connect: Callable[[str], sa.Engine], url: str) -> _Lane:
        """Connect on a new thread. Raises what `connect` raises."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        try:
            engine = await asyncio.get_running_loop().run_in_executor(thread, connect, url)
        except BaseException:
            thread.shutdown(wait=True)
            raise
        return cls(engine, thread)

    async def close(self) -> None:
        """Do what was queued, and disconnect."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown(wait=True)

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Do something in one transaction. Raises StoreError."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def _transaction(self, work: Callable[[sa.Connection], T]) -> T:
        try:
            with self._engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise StoreError(f"the database refused: {type(error).__name__}") from None


def engine_of(url: str) -> sa.Engine:
    """A way to a database, made as the store needs it; nothing is migrated. Raises OSError, SQLAlchemyError."""
    try:
        _keep_private(sa.make_url(url))
        return _engine(url)
    except (ImportError, ValueError) as error:
        raise StoreError(f"the database URL cannot be used: {error}") from None


def _connect(url: str) -> sa.Engine:
    try:
        engine = engine_of(url)
        _keep_older(engine)
        with engine.begin() as connection:
            migrate(connection)
    except CommandError:
        raise StoreError(
            f"{_place(url)} was written by a newer version of Poise than this one. Run that version, or a copy of the "
            "data folder from before it ran."
        ) from None
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"{_place(url)} cannot be opened or brought up to date: {_reason(error)}") from None
    return engine


def _engine(url: str) -> sa.Engine:
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _place(url: str) -> str:
    """The database for the operator: a file by its name, a server without password."""
    parsed = sa.make_url(url)
    file = parsed.database if parsed.get_backend_name() == "sqlite" else None
    return f"the database {file or parsed.render_as_string()}"


def _reason(error: SQLAlchemyError | OSError) -> str:
    """What the driver says; it names no values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return str(cause).splitlines()[0] if str(cause) else type(cause).__name__


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    # WAL: readers of other processes (an import, a backup) do not block the writer. NORMAL loses at most the last
    # commits when the machine loses power, never the file.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _keep_older(engine: sa.Engine) -> None:
    """A copy of a SQLite file beside it before it is migrated: `poise.db.0003`. Others have their own tools."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path or path.startswith((":", "file:")):
        return
    with engine.connect() as connection:
        revision = MigrationContext.configure(connection).get_current_revision()
        older = [one.revision for one in ScriptDirectory.from_config(_alembic()).walk_revisions()][1:]
        if revision not in older:
            return
        copy = Path(f"{path}.{revision}")
        os.close(os.open(copy, os.O_CREAT | os.O_RDWR, SECRET))
        with closing(sqlite3.connect(copy)) as target:
            source = connection.connection.dbapi_connection
            assert isinstance(source, sqlite3.Connection)
            source.backup(target)


def migrate(connection: sa.Connection, revision: str = "head") -> None:
    """Run every revision up to that one that the database has not seen."""
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _alembic() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _accounts_after(connection: sa.Connection, version: int | None) -> tuple[int | None, list[Account] | None]:
    """The database's version, and the accounts unless that is `version`."""
    now = None
    if connection.dialect.name == "sqlite":
        now = int(connection.exec_driver_sql("PRAGMA data_version").scalar_one())
        if now == version:
            return now, None
    return now, [_account(row) for row in connection.execute(_ALL_ACCOUNTS)]


def _keep_private(url: sa.URL) -> None:
    """Nobody but the server's user reads a SQLite file, whoever made it and whatever his umask was. Raises OSError."""
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
        return
    path = Path(url.database)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, SECRET))  # SQLite makes the files beside it with the mode of it
    for end in ("", "-wal", "-shm", "-journal"):
        tighten(path.with_name(path.name + end), SECRET)


def accounts_put(connection: sa.Connection, rows: Sequence[Account]) -> None:
    """Add accounts, or replace those with the same login id."""
    values = [
        {
            "login_id": row.login_id,
            "login_name": row.login_name,
            "login_key": row.login_name.casefold(),
            "password_hash": row.password_hash,
            "roles": " ".join(sorted(role.value for role in row.roles)),
        }
        for row in rows
    ]
    _replace(connection, accounts, accounts.c.login_id, values)


def _find_account(connection: sa.Connection, name: str) -> Account | None:
    query = sa.select(accounts).where(sa.or_(accounts.c.login_id == name, accounts.c.login_key == name.casefold()))
    rows = connection.execute(query).all()
    row = next((row for row in rows if row.login_id == name), rows[0] if rows else None)
    if row is None:
        return None
    return _account(row)


def _account(row: Any) -> Account:
    return Account(row.login_id, row.login_name, row.password_hash, frozenset(Role(role) for role in row.roles.split()))


def _replace(connection: sa.Connection, table: sa.Table, key: sa.Column[Any], rows: list[dict[str, Any]]) -> None:
    """Upsert in words that both engines know."""
    for chunk in _chunks(rows):
        connection.execute(sa.delete(table).where(key.in_([row[key.name] for row in chunk])))
        connection.execute(sa.insert(table), chunk)


def _chunks(rows: list[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    return (rows[start : start + ROWS_PER_STATEMENT] for start in range(0, len(rows), ROWS_PER_STATEMENT))

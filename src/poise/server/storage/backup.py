"""Backups: every table as lines of JSON, compressed; read back on either engine, also by a newer version.

The first line says which revision the tables have. Restoring makes the tables of that revision in an empty place, fills
them, and then migrates them to the present; so a backup of an older Poise is good for a newer one, and one of SQLite
for PostgreSQL. It reads the whole database in one transaction: what it holds was true at one moment.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from sqlalchemy.exc import SQLAlchemyError

from poise.server.modes import SECRET
from poise.server.storage.store import ROWS_PER_STATEMENT, StoreError, engine_of, migrate

FORMAT = 1
BYTES = "base64"
"""Key of an object that stands for bytes."""
VERSIONS = "alembic_version"


class BackupError(Exception):
    """The file is no backup, or not of this program; the text says why."""


def write_backup(connection: sa.Connection, file: Path) -> int:
    """Write a backup; how many rows. The file is there when it is whole, or not at all. Raises OSError."""
    revision = MigrationContext.configure(connection).get_current_revision()
    tables = sa.MetaData()
    tables.reflect(connection)
    part = file.with_name(file.name + ".part")
    count = 0
    descriptor = os.open(part, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, SECRET)
    try:
        with os.fdopen(descriptor, "wb") as raw, gzip.open(raw, "wt", encoding="utf-8") as out:
            out.write(json.dumps({"poise_backup": FORMAT, "revision": revision}) + "\n")
            for table in tables.sorted_tables:
                if table.name == VERSIONS:
                    continue
                for row in connection.execute(sa.select(table)).mappings():
                    values = {name: _out(value) for name, value in row.items()}
                    out.write(json.dumps({"table": table.name, "row": values}) + "\n")
                    count += 1
            out.write(json.dumps({"rows": count}) + "\n")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    return count


def restore_backup(url: str, file: Path) -> int:
    """Fill an empty database; how many rows. All or nothing where the engine can. Raises BackupError, StoreError."""
    try:
        engine = engine_of(url)
        try:
            with engine.begin() as connection:
                return _restored(connection, file)
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        raise StoreError(f"the database refused: {type(error).__name__}") from None


def _restored(connection: sa.Connection, file: Path) -> int:
    if sa.inspect(connection).get_table_names():
        raise BackupError("the database is not empty: a backup is restored into an empty one")
    count, told = 0, None
    try:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            head = json.loads(next(lines, "{}"))
            if not isinstance(head, dict) or head.get("poise_backup") != FORMAT:
                raise BackupError(f"{file}: not a backup of Poise that this version reads")
            migrate(connection, str(head["revision"]))
            _empty(connection)  # what migrations put there is in the backup, as it was
            pending: list[dict[str, Any]] = []
            table = ""
            for line in lines:
                row = json.loads(line)
                if "rows" in row:
                    told = row["rows"]
                    break
                if row["table"] != table or len(pending) >= ROWS_PER_STATEMENT:
                    _insert(connection, table, pending)
                    table, pending = row["table"], []
                pending.append({name: _in(value) for name, value in row["row"].items()})
                count += 1
            _insert(connection, table, pending)
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{file}: cannot be read as a backup ({error})") from None
    if told != count:
        raise BackupError(f"{file}: cut off after {count} rows")
    migrate(connection)
    return count


def _empty(connection: sa.Connection) -> None:
    tables = sa.MetaData()
    tables.reflect(connection)
    for table in reversed(tables.sorted_tables):
        if table.name != VERSIONS:
            connection.execute(sa.delete(table))


def _insert(connection: sa.Connection, name: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(sa.insert(sa.Table(name, sa.MetaData(), autoload_with=connection)), rows)


def _out(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {BYTES: base64.b64encode(bytes(value)).decode()}
    return value


def _in(value: Any) -> Any:
    return base64.b64decode(value[BYTES]) if isinstance(value, dict) else value

"""`poise admin`: accounts without a running server."""

from __future__ import annotations

import asyncio
import csv
import getpass
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poise.cli.sessions import (
    DEFAULT_URL,
    Administrator,
    AsJson,
    Ca,
    Insecure,
    Password,
    PasswordStdin,
    Url,
    api,
    fail,
)
from poise.server.modes import make_folder
from poise.server.storage.records import COLUMNS

if TYPE_CHECKING:
    from poise.server.serviceability.audit import AuditLog
    from poise.server.storage.centre import CentreReport
    from poise.server.storage.centre_file import Entry
    from poise.server.storage.importing import ImportReport

app = typer.Typer(help="Accounts and configuration, also without a running server.", no_args_is_help=True)

PROBLEMS_SHOWN = 20
"""Bad rows that are printed; the count tells of the rest."""


class _FileError(Exception):
    """The file cannot be read as a list of accounts."""


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="YAML of a whole centre, or CSV with a heading line; columns " + ", ".join(COLUMNS))
    ],
    data: Annotated[Path, typer.Option(help="Data folder of the server.")] = Path("data"),
    database: Annotated[str, typer.Option(help="Database URL; empty: the SQLite file in the data folder.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    scram: Annotated[bool, typer.Option("--scram", help="Also keep what SCRAM needs (setting xmpp.scram).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts and problems as JSON.")] = False,
) -> None:
    """Add or replace accounts, and with YAML everything else that is configured, all or none.

    A running server notices within a second or two: changed passwords are asked for again, sessions that are signed in
    stay.

    Exit code 0: all rows are good; 1: some are not and nothing was written; 2: the file or the database cannot be used.
    """
    from poise.server.storage.store import DATABASE, StoreError, sqlite_url  # here: no other command should load it

    whole = file.suffix.lower() in (".yaml", ".yml")
    if not database:
        if not dry_run:
            make_folder(data)
        database = sqlite_url(data / DATABASE) if data.is_dir() else "sqlite://"
    if whole:
        _import_whole(database, file, data, dry_run, scram, as_json)
        return
    try:
        report = asyncio.run(_import(database, file, dry_run, scram))
    except (_FileError, StoreError) as error:
        typer.echo(f"{error}", err=True)
        raise typer.Exit(2) from None
    if as_json:
        problems = [{"line": line, "problem": problem} for line, problem in report.problems]
        written = not (problems or dry_run)
        typer.echo(json.dumps({"accepted": report.accepted, "written": written, "problems": problems}))
        raise typer.Exit(1 if problems else 0)
    for line, problem in report.problems[:PROBLEMS_SHOWN]:
        typer.echo(f"{file}:{line}: {problem}", err=True)
    if report.problems:
        typer.echo(f"{len(report.problems)} bad rows, {report.accepted} good; nothing was written.", err=True)
        raise typer.Exit(1)
    typer.echo(f"{report.accepted} accounts {'are good; nothing was written' if dry_run else 'imported'}.")


async def _import(database: str, file: Path, dry_run: bool, scram: bool) -> ImportReport:
    from poise.server.storage.importing import import_accounts
    from poise.server.storage.store import Store
    from poise.server.storage.verifiers import Verifiers

    rows = list(_rows(file))
    store = await Store.open(database)
    try:
        verifiers = await Verifiers.open(store) if scram and not dry_run else None
        return await import_accounts(store, rows, dry_run=dry_run, verifiers=verifiers)
    finally:
        await store.close()


def _import_whole(database: str, file: Path, data: Path, dry_run: bool, scram: bool, as_json: bool) -> None:
    from poise.server.storage.centre_file import CentreFileError, read
    from poise.server.storage.store import StoreError

    try:
        sections = read(file.read_bytes())
        report = asyncio.run(_import_sections(database, sections, dry_run, scram))
    except OSError as error:
        typer.echo(f"{file}: cannot be read ({error.strerror})", err=True)
        raise typer.Exit(2) from None
    except (CentreFileError, StoreError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(2) from None
    written = not (report.problems or dry_run)
    if written and data.is_dir():
        with _audit(data) as audit:
            for uri, before, after in report.changes:
                audit.changed(
                    user=f"{_who()} (command line)", address="", method="IMPORT", uri=uri, before=before, after=after
                )
    if as_json:
        problems = [{"line": line, "problem": problem} for line, problem in report.problems]
        typer.echo(json.dumps({"accepted": report.counts, "written": written, "problems": problems}))
    else:
        for line, problem in report.problems[:PROBLEMS_SHOWN]:
            typer.echo(f"{file}:{line}: {problem}", err=True)
        good = ", ".join(f"{count} {name}" for name, count in report.counts.items() if count) or "nothing"
        if report.problems:
            typer.echo(f"{len(report.problems)} bad rows, good: {good}; nothing was written.", err=True)
        else:
            typer.echo(f"{good}: {'good; nothing was written' if dry_run else 'imported'}.")
    raise typer.Exit(1 if report.problems else 0)


async def _import_sections(
    database: str, sections: Mapping[str, list[Entry]], dry_run: bool, scram: bool
) -> CentreReport:
    from poise.server.storage.centre import import_centre
    from poise.server.storage.store import Store
    from poise.server.storage.verifiers import Verifiers

    store = await Store.open(database)
    try:
        verifiers = await Verifiers.open(store) if scram and not dry_run else None
        return await import_centre(store, sections, dry_run=dry_run, verifiers=verifiers)
    finally:
        await store.close()


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


@contextmanager
def _audit(data: Path) -> Iterator[AuditLog]:
    """The audit log of the data folder, in a file of this command's own beside the server's."""
    from poise.server.clock import WallClock
    from poise.server.serviceability.activelog import Activelog
    from poise.server.serviceability.audit import AuditLog
    from poise.server.serviceability.writer import LogWriter

    activelog = Activelog(data)
    activelog.create()
    writer = LogWriter()
    try:
        yield AuditLog(writer, activelog, WallClock(), name="command-line.log")
    finally:
        writer.close()


@app.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="File to write, such as poise.backup.gz.")],
    data: Annotated[Path, typer.Option(help="Data folder of the server.")] = Path("data"),
    database: Annotated[str, typer.Option(help="Database URL; empty: the SQLite file in the data folder.")] = "",
) -> None:
    """Write everything in the database into one file, also while the server runs. It holds password hashes: keep it so.

    Certificates, keys and logs are files in the data folder and not part of it. Exit code 2: it cannot be done.
    """
    from poise.server.storage.backup import write_backup
    from poise.server.storage.store import DATABASE, Store, StoreError, sqlite_url

    if not database and not (data / DATABASE).is_file():
        typer.echo(f"There is no database in {data}: name the data folder with --data.", err=True)
        raise typer.Exit(2)

    async def work() -> int:
        store = await Store.open(database or sqlite_url(data / DATABASE))
        try:
            return await store.run(lambda connection: write_backup(connection, file))
        finally:
            await store.close()

    try:
        count = asyncio.run(work())
    except (OSError, StoreError) as error:
        typer.echo(f"No backup was written: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{count} rows written to {file}.")


@app.command("restore")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `poise admin backup` wrote.")],
    data: Annotated[Path, typer.Option(help="Data folder of the server.")] = Path("data"),
    database: Annotated[str, typer.Option(help="Database URL; empty: the SQLite file in the data folder.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Take the place of a database that is there.")] = False,
) -> None:
    """Make the database what it was when the backup was written, on either engine. The server must not run.

    A SQLite file that was there is kept beside the new one as poise.db.replaced. Exit code 2: nothing was changed.
    """
    from poise.cli import running
    from poise.server.storage.backup import BackupError, restore_backup
    from poise.server.storage.store import DATABASE, StoreError, sqlite_url

    target = data / DATABASE
    try:
        if not database:
            if running.runs(data):
                raise BackupError("the server of this data folder is running: stop it first")
            if target.exists() and not replace:
                raise BackupError(f"{target} is there already: add --replace to put the backup in its place")
            make_folder(data)
        part = target.with_name(f"{DATABASE}.restoring")
        _forget_sqlite(part)
        count = restore_backup(database or sqlite_url(part), file)
        if not database:
            _take_place(part, target)
    except (OSError, StoreError, BackupError) as error:
        typer.echo(f"Nothing was restored: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{count} rows restored.")


@app.command("lockouts")
def lockouts(
    clear: Annotated[str, typer.Option("--clear", help="Let this name try again at once.")] = "",
    url: Url = DEFAULT_URL,
    user: Administrator = "admin",
    password: Password = "",
    password_stdin: PasswordStdin = False,
    ca: Ca = None,
    data: Annotated[Path | None, typer.Option(help="Data folder, whose development CA is trusted.")] = None,
    insecure: Insecure = False,
    as_json: AsJson = False,
) -> None:
    """List who is locked out of a running server after failed sign-ins, or let one try again.

    Exit code 1: nobody of that name is locked, or the server refused or cannot be reached.
    """
    from poise.tools.admin_api import ApiError

    asked = api(url, user, password, password_stdin, ca, data, insecure, as_json)
    try:
        told = asked.unlock(clear) if clear else asked.lockouts()
    except ApiError as error:
        fail(error, as_json)
    if as_json:
        typer.echo(json.dumps(told))
    elif clear:
        typer.echo(f"{clear} may try again.")
    else:
        typer.echo(f"Total locked out users : {told['total']}")
        for number, one in enumerate(told["locked"], 1):
            typer.echo(f"{number}) {one['user']} (for {one['seconds']} s more)")


def _forget_sqlite(path: Path) -> None:
    for end in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _take_place(part: Path, target: Path) -> None:
    """The restored file instead of the one that is there, which is kept."""
    kept = target.with_name(f"{target.name}.replaced")
    for end in ("-wal", "-shm", ""):
        there = target.with_name(target.name + end)
        if there.exists():
            there.replace(kept.with_name(kept.name + end))
    part.replace(target)


def _rows(file: Path) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            if reader.fieldnames is None or "login_id" not in reader.fieldnames:
                raise _FileError(f"{file}: the first line must name the columns, such as {','.join(COLUMNS)}")
            for row in reader:
                extra = {"more columns than the heading": ""} if None in row else {}
                yield (
                    reader.line_num,
                    {**{name: value or "" for name, value in row.items() if name is not None}, **extra},
                )
    except OSError as error:
        raise _FileError(f"{file}: cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise _FileError(f"{file}: is not CSV in UTF-8 ({error})") from None

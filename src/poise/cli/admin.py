"""`poise admin`: accounts without a running server."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from poise.server.modes import make_folder
from poise.server.storage.records import COLUMNS

if TYPE_CHECKING:
    from poise.server.storage.importing import ImportReport

app = typer.Typer(help="Accounts and configuration, also without a running server.", no_args_is_help=True)

PROBLEMS_SHOWN = 20
"""Bad rows that are printed; the count tells of the rest."""


class _FileError(Exception):
    """The file cannot be read as a list of accounts."""


@app.callback()
def _group() -> None:
    """Keeps `import` a verb of its own while it is the only one."""


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV with a heading line; columns " + ", ".join(COLUMNS))],
    data: Annotated[Path, typer.Option(help="Data folder of the server.")] = Path("data"),
    database: Annotated[str, typer.Option(help="Database URL; empty: the SQLite file in the data folder.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    scram: Annotated[bool, typer.Option("--scram", help="Also keep what SCRAM needs (setting xmpp.scram).")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print counts and problems as JSON.")] = False,
) -> None:
    """Add or replace accounts, all or none. A running server notices within a second or two: changed passwords are
    asked for again, sessions that are signed in stay.

    Exit code 0: all rows are good; 1: some are not and nothing was written; 2: the file or the database cannot be used.
    """
    from poise.server.storage.store import DATABASE, StoreError, sqlite_url  # here: no other command should load it

    if not database:
        if not dry_run:
            make_folder(data)
        database = sqlite_url(data / DATABASE) if data.is_dir() else "sqlite://"
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

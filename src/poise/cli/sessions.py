"""`poise sessions`: who is connected to the notification service right now, and ending one of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from poise.tools.admin_api import AdminApi

app = typer.Typer(
    help="Live sessions of a running server, seen by an administrator through its HTTPS port.", no_args_is_help=True
)

Url = Annotated[str, typer.Option("--url", help="The server's HTTPS port.")]
Administrator = Annotated[str, typer.Option("--user", help="Name of an administrator.")]
Password = Annotated[
    str, typer.Option("--password", envvar="POISE_PASSWORD", help="His password; seen by others on this machine.")
]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]
Ca = Annotated[Path | None, typer.Option("--ca", help="PEM file of the authority to trust.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder of the server, whose development CA is trusted.")
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Check no certificate.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
DEFAULT_URL = "https://localhost:8445"

COLUMNS = ("JID", "binding", "address", "since", "last heard", "held", "waiting", "presence")


@app.command("list")
def list_sessions(
    of: Annotated[str, typer.Option("--of", help="Only this user's sessions.")] = "",
    url: Url = DEFAULT_URL,
    user: Administrator = "admin",
    password: Password = "",
    password_stdin: PasswordStdin = False,
    ca: Ca = None,
    data: Data = None,
    insecure: Insecure = False,
    as_json: AsJson = False,
) -> None:
    """List the sessions by JID. Exit code 1: the server refused or cannot be reached.

    When a client was last heard is known only to lie between two moments, and shown so.
    """
    from poise.tools.admin_api import ApiError  # here: no other command should load it

    asked = api(url, user, password, password_stdin, ca, data, insecure, as_json)
    try:
        found = list(asked.sessions(of))
    except ApiError as error:
        fail(error, as_json)
    if as_json:
        typer.echo(json.dumps({"sessions": found}, indent=2))
        return
    for line in _table([COLUMNS, *(_row(session) for session in found)]):
        typer.echo(line)
    typer.echo(f"{len(found)} session{'' if len(found) == 1 else 's'}")


@app.command("kill")
def kill(
    jid: Annotated[str, typer.Argument(help="Full JID of the session, such as 1001@localhost/desktop.")],
    url: Url = DEFAULT_URL,
    user: Administrator = "admin",
    password: Password = "",
    password_stdin: PasswordStdin = False,
    ca: Ca = None,
    data: Data = None,
    insecure: Insecure = False,
    as_json: AsJson = False,
) -> None:
    """End one session; its client is told `policy-violation`, and the log who did it.

    Exit code 1: there is no such session, or the server refused or cannot be reached.
    """
    from poise.tools.admin_api import ApiError

    asked = api(url, user, password, password_stdin, ca, data, insecure, as_json)
    try:
        ended = asked.kill(jid)
    except ApiError as error:
        fail(error, as_json)
    typer.echo(json.dumps(ended) if as_json else f"The session {ended['jid']} is ended.")


def api(
    url: str,
    user: str,
    password: str,
    password_stdin: bool,
    ca: Path | None,
    data: Path | None,
    insecure: bool,
    as_json: bool,
) -> AdminApi:
    """The server as these options name it; ends the command when they cannot be used."""
    from poise.tools.admin_api import AdminApi
    from poise.tools.trust import choose

    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif not password:
        password = _asked(user)
    try:
        return AdminApi(url, user, password, choose(ca, data, insecure))
    except FileNotFoundError as error:
        typer.echo(json.dumps({"error": str(error)}) if as_json else str(error), err=not as_json)
        raise typer.Exit(2) from None


def _asked(user: str) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("give --password-stdin, --password or POISE_PASSWORD.", param_hint="--password")
    return str(typer.prompt(f"Password of {user}", hide_input=True))


def _row(session: Mapping[str, Any]) -> tuple[str, ...]:
    heard = session["last_heard"]
    since, until = _clock(heard["since"]), _clock(heard["until"])
    queue = session["queue"]
    waiting = f"{queue['stanzas']} stanzas" if queue["stanzas"] else f"{queue['bytes']} B"
    return (
        session["jid"] or "(not signed in)",
        session["binding"],
        session["address"],
        str(session["since"])[:19] + "Z",
        f"{since}..{until}",
        str(session["held_requests"]),
        waiting,
        session["presence"] or "-",
    )


def _clock(stamp: str) -> str:
    """Time of day of a stamp, to the tenth of a second."""
    return stamp[11:21]


def _table(rows: list[tuple[str, ...]]) -> Iterable[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def fail(error: Exception, as_json: bool) -> NoReturn:
    code = getattr(error, "code", "")
    typer.echo(json.dumps({"error": str(error), "code": code}) if as_json else str(error), err=not as_json)
    raise typer.Exit(1)

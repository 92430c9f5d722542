"""`poise capture`: record what goes between a desktop and its server, so that `poise analyze` can tell."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from poise.cli import sessions

app = typer.Typer(
    help="Record a desktop's traffic: through a proxy that opens TLS, or as packets.", no_args_is_help=True
)

Print = Annotated[bool, typer.Option("--print", help="Only print the command and the steps.")]


@app.command("proxy")
def proxy(
    host: Annotated[str, typer.Argument(help="Name of the server.")] = "",
    reverse: Annotated[
        bool, typer.Option("--reverse", help="Stand in for the server, for clients that know no proxy.")
    ] = False,
    port: Annotated[int, typer.Option("--port", help="Where the proxy listens (forward).")] = 8080,
    listen: Annotated[str, typer.Option("--listen", help="Address the proxy listens on.")] = "127.0.0.1",
    server_port: Annotated[
        list[int] | None, typer.Option("--server-port", help="Ports of the server (reverse); may be repeated.")
    ] = None,
    shift: Annotated[int, typer.Option("--shift", help="Listen on the server's ports moved up by it (reverse).")] = 0,
    folder: Annotated[Path, typer.Option("--folder", help="Where HAR and flows go.")] = Path("capture"),
    install: Annotated[
        bool, typer.Option("--install", help="Put mitmproxy into an environment of its own first.")
    ] = False,
    mitmdump: Annotated[str, typer.Option("--mitmdump", envvar="POISE_MITMDUMP", help="Another mitmdump.")] = "",
    ca: Annotated[Path | None, typer.Option("--ca", help="PEM file of the authority of the server.")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Do not check the server's certificate.")] = False,
    only_print: Print = False,
) -> None:
    """Record through mitmproxy: every request as it happens, in the columns of Fiddler's list, with BOSH decoded.

    Polls that hang are told while they hang. Ctrl-C ends it; HAR and flows are then ready for `poise analyze`.
    """
    from poise.tools import capturing  # here: no other command should load it

    if reverse and not host:
        raise typer.BadParameter("reverse mode needs the server's name", param_hint="HOST")
    _check(host)
    ports = tuple(server_port or capturing.PORTS[:2])
    plan = capturing.ProxyPlan(host, folder, reverse, port, listen, ports, shift, ca, insecure)
    authority = capturing.home() / "ca"
    try:
        if install:
            capturing.install()
        command = plan.command(capturing.mitmdump(mitmdump), authority)
    except capturing.CaptureError as error:
        _fail(str(error))
    typer.echo(capturing.certificate_steps(authority) + "\n", err=True)
    where = ", ".join(f"{listen}:{p + shift}" for p in ports) if reverse else f"{listen}:{port}"
    typer.echo(f"{'Standing in for ' + host if reverse else 'Proxy'}: {where}. Ctrl-C ends.\n", err=True)
    if only_print:
        typer.echo(shlex.join(command))
        return
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        _fail(f"{error.filename}: {error.strerror}")
    code = _run(command)
    if plan.har.is_file() or plan.flows.is_file():
        typer.echo(f"\nWritten: {plan.har} and {plan.flows}. Next: poise analyze {folder}", err=True)
    raise typer.Exit(1 if code else 0)


@app.command("tcp")
def tcp(
    host: Annotated[str, typer.Argument(help="Name or address of the server; empty: all.")] = "",
    interface: Annotated[str, typer.Option("--interface", help="Where to listen; `dumpcap -D` lists them.")] = "any",
    port: Annotated[list[int] | None, typer.Option("--port", help="Ports; may be repeated. 7443, 8445, 443.")] = None,
    seconds: Annotated[int, typer.Option("--seconds", min=0, help="How long; 0: until Ctrl-C.")] = 0,
    ring_mb: Annotated[int, typer.Option("--ring-mb", min=0, help="Keep only the last so many MB, in ten files.")] = 0,
    output: Annotated[Path, typer.Option("--output", help="The capture.")] = Path("capture.pcapng"),
    keys: Annotated[
        Path | None, typer.Option("--keys", help="Key log of the browser: put into a copy of the capture at the end.")
    ] = None,
    only_print: Print = False,
) -> None:
    """Record packets with dumpcap and the seed's filter, and say how a browser gives its keys.

    Needs the right to capture (group wireshark, or root). Without keys `poise analyze` still tells who fell silent.
    """
    from poise.tools import capturing  # here: no other command should load it

    _check(host)
    plan = capturing.TcpPlan(output, host, interface, tuple(port or capturing.PORTS), seconds, ring_mb)
    try:
        command = plan.command()
        typer.echo(capturing.KEY_STEPS + "\n", err=True)
        if only_print:
            typer.echo(shlex.join(command))
            return
        code = _run(command)
        if code:
            _fail(f"{command[0]} ended with exit code {code}")
        if keys is not None:
            typer.echo(f"With its keys inside: {capturing.inject(output, keys)}", err=True)
    except capturing.CaptureError as error:
        _fail(str(error))
    typer.echo(f"Written: {output}. Next: poise analyze {output}{f' {keys}' if keys else ''}", err=True)


@app.command("keys")
def keys(
    state: Annotated[str, typer.Argument(help="on, off, or state.")] = "state",
    url: sessions.Url = sessions.DEFAULT_URL,
    user: sessions.Administrator = "admin",
    password: sessions.Password = "",
    password_stdin: sessions.PasswordStdin = False,
    ca: sessions.Ca = None,
    data: sessions.Data = None,
    insecure: sessions.Insecure = False,
    as_json: sessions.AsJson = False,
) -> None:
    """Let a running Poise server write the keys of its TLS connections, so that captures of it can be read.

    Only connections that begin afterwards can be read. Off after a restart; the file is deleted when it is switched
    off. Whoever has it and a capture reads passwords. Exit code 1: the server refused or cannot be reached.
    """
    from poise.tools.admin_api import ApiError

    wish = {"on": True, "off": False, "state": None}
    if state not in wish:
        raise typer.BadParameter("say on, off or state", param_hint="STATE")
    api = sessions.api(url, user, password, password_stdin, ca, data, insecure, as_json)
    try:
        told = api.key_log(wish[state])
    except ApiError as error:
        sessions.fail(error, as_json)
    if as_json:
        typer.echo(json.dumps(told))
    elif told["enabled"]:
        typer.echo(f"The server writes its TLS keys to {told['file']} until it is switched off or restarted.")
    else:
        typer.echo("The server writes no TLS keys.")


def _check(host: str) -> None:
    if host.startswith("-") or not all(c.isalnum() or c in "-._:" for c in host):
        raise typer.BadParameter("give the server's name alone", param_hint="HOST")


def _run(command: Sequence[str]) -> int:
    """Run until it ends. Ctrl-C is the child's: it ends and writes what it has."""
    try:
        with subprocess.Popen(command) as child:  # noqa: S603 - no shell
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            stop = signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGINT))
            try:
                return child.wait()
            finally:
                signal.signal(signal.SIGINT, before)
                signal.signal(signal.SIGTERM, stop)
    except OSError as error:
        _fail(f"{command[0]}: {error.strerror}")


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)

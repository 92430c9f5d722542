"""`poise console`: an XMPP console in the terminal, for any server."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from poise.tools.console.console import Settings

_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(ms|s|m|h)?")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
MECHANISMS = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")


def console(
    jid: Annotated[
        str,
        typer.Argument(help="Who signs in: USER@DOMAIN/RESOURCE, such as 1001@localhost/test; any resource without."),
    ],
    connect: Annotated[
        str,
        typer.Option(
            "--connect",
            help="Where to: xmpp://HOST:5222 (STARTTLS), xmpps://HOST:5223, https://HOST:7443/http-bind/ (BOSH), "
            "wss://HOST:7443/ws/, or http:// and ws:// without TLS. Default: port 5222 of the domain.",
        ),
    ] = "",
    password: Annotated[
        str, typer.Option("--password", envvar="POISE_PASSWORD", help="The password; seen by others on this machine.")
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of standard input.")
    ] = False,
    do: Annotated[
        list[str] | None,
        typer.Option("--do", help="A command to carry out, such as `nodes`; may be repeated. No screen then."),
    ] = None,
    stay: Annotated[
        str, typer.Option("--for", help="How long to stay after the last command: 30s, 2m. No screen then.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line; no screen then.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Show what stood on the wire, not indented.")] = False,
    wrappers: Annotated[bool, typer.Option("--wrappers", help="Show the bodies around BOSH's stanzas too.")] = False,
    pubsub: Annotated[str, typer.Option("--pubsub", help="JID of the pubsub service. Default: pubsub.DOMAIN.")] = "",
    no_presence: Annotated[
        bool, typer.Option("--no-presence", help="Send no presence after sign-in; then no notification comes.")
    ] = False,
    plain_in_clear: Annotated[
        bool, typer.Option("--plain-in-clear", help="Let the password cross a connection without TLS.")
    ] = False,
    mechanism: Annotated[str, typer.Option("--mechanism", help=f"Sign in only by this: {', '.join(MECHANISMS)}.")] = "",
    ca: Annotated[Path | None, typer.Option("--ca", help="PEM file of the authority to trust.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder of a Poise server, whose development CA is trusted.")
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Check no certificate.")] = False,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Show passwords and sign-in payloads instead of ***.")
    ] = False,
) -> None:
    """Sign in to any XMPP server as a user, see every stanza both ways, and send some.

    In a terminal it is a screen; with --do, --for or --json, or when standard input is no terminal, plain lines.
    Commands: nodes, info, subscriptions, subscribe, unsubscribe, items, publish, ping, version, roster, presence,
    message, raw XML, help, quit. Exit code 0: good; 1: no connection, or a command was refused; 2: wrong use.

    An agent's console counts as a session of the agent: when it is the last one to leave, he is signed out after the
    grace period, like an agent whose desktop has gone.
    """
    from poise.tools.console import lines  # here: no other command should load it

    stay_s = _seconds(stay)
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    settings = _settings(
        jid, connect, password, pubsub, ca, data, mechanism,
        insecure=insecure, plain_in_clear=plain_in_clear, presence=not no_presence, show_secrets=show_secrets,
        as_json=as_json,
    )  # fmt: skip
    if not (do or stay or as_json) and sys.stdin.isatty() and sys.stdout.isatty():
        from poise.tools.console.screen import ConsoleApp

        app = ConsoleApp(settings, wrappers=wrappers, raw=raw)
        app.run()
        if app.trouble:
            typer.echo(app.trouble, err=True)
        raise typer.Exit(1 if app.trouble else 0)
    commands = do if do is not None else ([] if stay else sys.stdin)
    style = lines.Style(as_json, raw, wrappers)
    try:
        code = asyncio.run(lines.run(settings, style, _say, commands, stay_s))
    except KeyboardInterrupt:
        code = 0
    raise typer.Exit(code)


def _say(line: str) -> None:
    """A line at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _seconds(text: str) -> float:
    if not text:
        return 0.0
    match = _DURATION.fullmatch(text)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no duration: give 30s, 2m or 500ms.", param_hint="--for")
    return float(match[1]) * _SECONDS[match[2] or "s"]


def _settings(
    jid: str,
    connect: str,
    password: str,
    pubsub: str,
    ca: Path | None,
    data: Path | None,
    mechanism: str,
    *,
    insecure: bool,
    plain_in_clear: bool,
    presence: bool,
    show_secrets: bool,
    as_json: bool,
) -> Settings:
    from poise.protocols.xmpp.client.outputs import Account, Terms
    from poise.tools.console.address import AddressError, read_address, read_jid
    from poise.tools.console.console import Settings
    from poise.tools.trust import choose

    if mechanism and mechanism.upper() not in MECHANISMS:
        raise typer.BadParameter(f"give one of {', '.join(MECHANISMS)}.", param_hint="--mechanism")
    try:
        who = read_jid(jid)
        address = read_address(connect, who.domain)
        trust = choose(ca, data, insecure)
    except (AddressError, FileNotFoundError) as error:
        typer.echo(json.dumps({"event": "wrong-use", "error": str(error)}) if as_json else str(error), err=not as_json)
        raise typer.Exit(2) from None
    terms = Terms(
        secure=address.secure,
        plain_in_clear=plain_in_clear,
        can_secure=address.scheme == "xmpp",
        mechanisms=(mechanism.upper(),) if mechanism else MECHANISMS,
    )
    account = Account(who.local, who.domain, password or _asked(jid), who.resource)
    return Settings(address, account, trust, terms, pubsub, presence, show_secrets)


def _asked(jid: str) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter("give --password-stdin, --password or POISE_PASSWORD.", param_hint="--password")
    return str(typer.prompt(f"Password of {jid}", hide_input=True))

"""`poise probe`: is this computer, and the way from it to the server, fit for a desktop?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def probe(
    host: Annotated[str, typer.Argument(help="Name of the server, as the browser opens it.")],
    https: Annotated[int, typer.Option("--https", help="Port of the desktop.")] = 8445,
    notification: Annotated[int, typer.Option("--notification", help="Port of the notification service.")] = 7443,
    user: Annotated[str, typer.Option("--user", help="An agent to sign in with; no agent state is touched.")] = "",
    password: Annotated[
        str, typer.Option("--password", envvar="POISE_PASSWORD", help="His password; seen by others on this machine.")
    ] = "",
    wait: Annotated[int, typer.Option("--wait", min=1, max=300, help="Seconds the long poll asks to be held.")] = 30,
    route: Annotated[bool, typer.Option("--route/--no-route", help="Ask ping and traceroute as well.")] = True,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write the report, which poise analyze reads.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    ca: Annotated[Path | None, typer.Option("--ca", help="PEM file of the authority to trust.")] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder of the server, whose development CA is trusted.")
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Check no certificate.")] = False,
) -> None:
    """Check from an agent's computer what disconnects agents: name, certificates and their dates, a proxy between, the
    clock, a long poll held and answered, the way, and processor and memory every 2 s meanwhile.

    Exit code 0: all good, 1: something is not, 2: wrong use.
    """
    from poise.tools.probe import Check, Target, run  # here: no other command should load it
    from poise.tools.probe_poll import Account
    from poise.tools.trust import choose

    if host.startswith("-") or not host.strip() or "/" in host:
        raise typer.BadParameter("give the server's name alone, such as fin1.example.com", param_hint="HOST")
    try:
        trust = choose(ca, data, insecure)
    except OSError as error:
        raise typer.BadParameter(str(error)) from error
    account = Account(user, password) if user else None
    target = Target(host, https, notification, trust, account, wait, route)

    def say(check: Check) -> None:
        if not as_json:
            mark = {True: "good", False: "BAD ", None: "?   "}[check.good]
            typer.echo(f"{mark}  {check.name:16} {check.sentence}")

    if not as_json:
        typer.echo(f"Probing {host}; this takes some {wait + 10} seconds.\n")
    report = run(target, say)
    if output is not None:
        try:
            output.write_text(json.dumps(report, indent=2), "utf-8")
        except OSError as error:
            typer.echo(f"The report cannot be written: {error}", err=True)
            raise typer.Exit(1) from None
    if as_json:
        json.dump(report, sys.stdout, indent=2)
        sys.stdout.write("\n")
    elif output is not None:
        typer.echo(f"\nThe report is in {output}; put it beside other evidence and run `poise analyze` on the folder.")
    raise typer.Exit(1 if any(check["good"] is False for check in report["checks"]) else 0)

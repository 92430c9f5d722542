"""The ready table: what is reachable where, who may sign in, where the logs are, what to try next."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.panel import Panel
from rich.table import Table

if TYPE_CHECKING:
    from poise.server.app import Application

FIRST_AGENT = "1001"
"""Agent the examples use; exists in the demo data."""


def show(application: Application, *, as_json: bool) -> None:
    """Print the table once, when every listener is open and service too, or is not to be had soon."""
    facts = application.facts()
    if as_json:
        typer.echo(json.dumps(facts))
        return
    console = Console()
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, address in facts["addresses"].items():
        table.add_row(name, address)
    table.add_row("logs", facts["logs"])
    if facts["ca"]:
        table.add_row("CA to trust", facts["ca"])
    trouble = facts["trouble"]
    console.print(
        Panel(table, title="Poise is not in service yet" if trouble else "Poise is ready", title_align="left")
    )
    if trouble:
        console.print(f"Not in service: {trouble}. /readyz says when that changes; the log says more.")
    if application.demo:
        console.print(_sign_ins())
        console.print(_next_steps(facts["addresses"]["REST"]), soft_wrap=True, highlight=False)
    console.print("Stop with Ctrl-C.")


def _sign_ins() -> Table:
    table = Table("sign-in", "password", "role", "team")
    table.add_row("1001-1003", "same as the id", "agent", "Sales")
    table.add_row("1004-1006", "same as the id", "agent", "Support")
    table.add_row("1101, 1102", "same as the id", "supervisor", "Sales, Support")
    table.add_row("admin", "admin", "administrator", "")
    return table


def _next_steps(rest: str) -> str:
    user = f"{rest}/User/{FIRST_AGENT}"
    put = f"curl -k -u {FIRST_AGENT}:{FIRST_AGENT} -X PUT -H 'Content-Type: application/xml'"
    return (
        "Try next:\n"
        f"  {put} -d '<User><state>LOGIN</state><extension>{FIRST_AGENT}</extension></User>' {user}\n"
        f"  {put} -d '<User><state>READY</state></User>' {user}\n"
        f"  curl -k -u {FIRST_AGENT}:{FIRST_AGENT} {user}\n"
    )

"""`poise utils`: the verbs of the appliance's command line, with its words, for whoever has them in a runbook."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from poise.cli import running
from poise.server import config
from poise.server.serviceability.activelog import Activelog

FINESSE = "Cisco Finesse Notification Service"
UCCX = "Cisco Unified CCX Notification Service"
CAN_AFFECT = "logging can affect system performance and should be disabled when logging is not required."

ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file the server was started with.")]
Data = Annotated[Path | None, typer.Option("--data", help="Data folder of the running server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")]


def _group(parent: typer.Typer, name: str, text: str) -> typer.Typer:
    group = typer.Typer(help=text, no_args_is_help=True)
    parent.add_typer(group, name=name)
    return group


app = typer.Typer(help="Verbs of the appliance's command line that runbooks use.", no_args_is_help=True)
_finesse = _group(app, "finesse", "As a standalone Finesse server (UCCE) has them.")
finesse_logging = _group(_group(_finesse, "notification", "The notification service."), "logging", "Its debug.log.")
_uccx = _group(app, "uccx", "As UCCX has them.")
uccx_log = _group(_group(_uccx, "notification-service", "The notification service."), "log", "Its debug.log.")


@finesse_logging.command("enable")
def finesse_enable(file: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Switch debug.log on in the running server, at once; a restart switches it off. Exit code 1: no server runs."""
    if not as_json:
        typer.echo(f"Checking that the {FINESSE} is started...\n")
    _switch(True, file, data, as_json)
    if not as_json:
        typer.echo(
            f"The {FINESSE} is started.\n\n{FINESSE} logging is now enabled.\n\n"
            f"WARNING! {FINESSE} {CAN_AFFECT}\n\n"
            f"Note: Logging can be disabled automatically if you restart the {FINESSE}"
        )


@finesse_logging.command("disable")
def finesse_disable(file: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Switch debug.log off in the running server, at once. Exit code 1: no server runs."""
    if not as_json:
        typer.echo(f"Checking that the {FINESSE} is started...\n")
    _switch(False, file, data, as_json)
    if not as_json:
        typer.echo(f"The {FINESSE} is started.\n\n{FINESSE} logging is now disabled.")


@uccx_log.command("enable")
def uccx_enable(
    file: ConfigFile = None,
    data: Data = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Switch debug.log on in the running server, at once; a restart switches it off.

    Asks first. Exit code 1: no server runs, or the answer was no.
    """
    if as_json and not yes:
        raise typer.BadParameter("nobody can be asked in JSON: add --yes.", param_hint="--json")
    if not as_json:
        typer.echo(f"WARNING! Enabling {UCCX} {CAN_AFFECT}\n")
    if not yes and not _proceed():
        typer.echo("Nothing was changed.", err=True)
        raise typer.Exit(1)
    _switch(True, file, data, as_json)
    if not as_json:
        typer.echo(
            f"{UCCX} logging enabled successfully.\n\n"
            f"NOTE: Logging can be disabled automatically if {UCCX} is restarted."
        )


@uccx_log.command("disable")
def uccx_disable(file: ConfigFile = None, data: Data = None, as_json: AsJson = False) -> None:
    """Switch debug.log off in the running server, at once. Exit code 1: no server runs."""
    _switch(False, file, data, as_json)
    if not as_json:
        typer.echo(f"{UCCX} logging disabled successfully.")


def _proceed() -> bool:
    """The appliance's question. Anything but yes, the end of the input too, is no."""
    try:
        answer = typer.prompt("Do you want to proceed (yes/no)?", prompt_suffix=" ", default="no", show_default=False)
    except typer.Abort:
        typer.echo(err=True)
        return False
    return str(answer).strip().lower() in ("yes", "y")


def _switch(enabled: bool, file: Path | None, data: Path | None, as_json: bool) -> None:
    given = [] if data is None else [f"server.data={data}"]
    try:
        folder = Path(config.load(file, os.environ, given).server.data)
    except config.ConfigError as error:
        _fail(str(error), 2, as_json)
    try:
        pid = running.send(folder, signal.SIGUSR1 if enabled else signal.SIGUSR2)
    except running.NotRunningError as error:
        _fail(str(error), 1, as_json)
    if as_json:
        log = Activelog(folder).openfire / "debug.log"
        typer.echo(json.dumps({"debug": enabled, "pid": pid, "log": str(log.resolve())}))


def _fail(sentence: str, code: int, as_json: bool) -> NoReturn:
    typer.echo(json.dumps({"error": sentence}) if as_json else sentence, err=not as_json)
    raise typer.Exit(code)

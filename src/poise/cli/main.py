"""The `poise` command. Exit codes: 0 good, 1 findings or failure, 2 wrong use."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from poise import __version__
from poise.cli import admin, analyze, capture, console, cti, explain, lab, probe, serve, sessions, utils, watch
from poise.server import config
from poise.server.settings import Settings

app = typer.Typer(
    name="poise",
    help="An open contact-centre desktop server that speaks Finesse.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("serve")(serve.serve)
app.command("explain")(explain.explain)
app.command("console")(console.console)
app.command("analyze")(analyze.analyze)
app.command("probe")(probe.probe)
app.command("watch")(watch.watch)
app.add_typer(admin.app, name="admin")
app.add_typer(utils.app, name="utils")
app.add_typer(lab.app, name="lab")
app.add_typer(sessions.app, name="sessions")
app.add_typer(cti.app, name="cti")
app.add_typer(capture.app, name="capture")

config_app = typer.Typer(help="Look at the settings and check them.", no_args_is_help=True)
app.add_typer(config_app, name="config")

ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")]
Assignments = Annotated[list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command("version")
def version(as_json: AsJson = False) -> None:
    """Print the version."""
    typer.echo(
        json.dumps({"poise": __version__, "python": sys.version.split()[0]}) if as_json else f"poise {__version__}"
    )


@config_app.command("show")
def show(file: ConfigFile = None, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Print every setting in force, in the form of a settings file, with its meaning. Secrets are masked."""
    settings = _load(file, assignments)
    typer.echo(json.dumps(config.as_dict(settings), indent=2) if as_json else _as_toml(settings))


def _as_toml(settings: Settings) -> str:
    lines = []
    for section, values in config.as_dict(settings).items():
        lines.append(f"[{section}]")
        for name, value in values.items():
            key = config.KEYS[f"{section}.{name}"]
            hidden = "# " if key.secret and value else ""  # whoever saves this as a file must not set the mask
            written = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
            lines += [f"# {key.doc}; {key.environment}", f"{hidden}{name} = {written}"]
        lines.append("")
    return "\n".join(lines).rstrip()


@config_app.command("check")
def check(file: ConfigFile = None, assignments: Assignments = None, as_json: AsJson = False) -> None:
    """Say whether the server could use the settings; exit code 1 when not."""
    from poise.server import usable  # here: no other command should load it

    problem = ""
    try:
        usable.check(config.load(file, os.environ, assignments or []))
    except config.ConfigError as error:
        problem = str(error)
    if as_json:
        typer.echo(json.dumps({"good": not problem, **({"error": problem} if problem else {})}))
    else:
        typer.echo(problem or "The settings are good.", err=bool(problem))
    raise typer.Exit(1 if problem else 0)


def _load(file: Path | None, assignments: list[str] | None) -> Settings:
    try:
        return config.load(file, os.environ, assignments or [])
    except config.ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def main() -> None:
    """Entry point of the `poise` command."""
    app()


if __name__ == "__main__":
    main()

"""`poise lab`: a simulated CTI server, for whoever has no telephone system at hand."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from poise.lab import data as lab_data
from poise.lab.rules import Deployment
from poise.lab.server import LabSettings
from poise.lab.shell import DEFAULT_PORT, LabShell
from poise.server.clock import LoopClock

app = typer.Typer(invoke_without_command=True)


@app.callback()
def lab(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = DEFAULT_PORT,
    seed_data: Annotated[
        Path | None, typer.Option(help="JSON file with teams, queues and agents; without it, the demo's.")
    ] = None,
    deployment: Annotated[Deployment, typer.Option(help="Whose rules hold.")] = Deployment.UCCE,
    load: Annotated[
        int, typer.Option(help="UCCE's LOAD: 0 makes agents whose desktop was lost NOT_READY, 1 signs them out.")
    ] = 0,
    peripheral_id: Annotated[int, typer.Option(help="Id of the one peripheral.")] = 5000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ready line as JSON.")] = False,
    stop_with_stdin: Annotated[
        bool, typer.Option("--stop-with-stdin", help="Also stop when standard input closes: with the parent process.")
    ] = False,
) -> None:
    """Run a simulated CTI server (GED-188) until SIGTERM or Ctrl-C.

    Exit codes: 0 good, 1 could not listen, 2 wrong use.
    """
    if context.invoked_subcommand is not None:
        return
    if load not in (0, 1):
        raise typer.BadParameter("LOAD is 0 or 1.", param_hint="--load")
    try:
        data = lab_data.DEMO if seed_data is None else lab_data.load(seed_data)
    except lab_data.LabDataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    settings = LabSettings(data, deployment, load, peripheral_id)
    try:
        asyncio.run(run_lab(settings, host, port, as_json=as_json, stop_with_stdin=stop_with_stdin))
    except OSError as error:
        typer.echo(f"The simulated CTI server cannot listen on {host}:{port}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None


@app.command("seed-data")
def seed_data() -> None:
    """Print the demo's data as a file to start from."""
    typer.echo(lab_data.as_json(lab_data.DEMO))


async def run_lab(
    settings: LabSettings, host: str, port: int, *, as_json: bool = False, stop_with_stdin: bool = False
) -> None:
    """Serve until SIGTERM, SIGINT or, if wanted, the end of standard input. Raises OSError when it cannot listen."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    shell = LabShell(settings, LoopClock(loop).wall())
    taken = await shell.start(host, port)
    if stop_with_stdin:
        try:
            loop.add_reader(sys.stdin.fileno(), _watch, stop)
        except PermissionError:  # not a pipe, such as /dev/null: there is no parent to stay for
            stop.set()
    typer.echo(_ready(settings, host, taken, as_json=as_json))
    sys.stdout.flush()
    await stop.wait()
    if stop_with_stdin:
        loop.remove_reader(sys.stdin.fileno())
    await shell.stop()


def _watch(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 65536):
        stop.set()


def _ready(settings: LabSettings, host: str, port: int, *, as_json: bool) -> str:
    kind = settings.deployment.value
    if as_json:
        return json.dumps({"host": host, "port": port, "deployment": kind, "load": settings.load})
    load = f", LOAD {settings.load}" if settings.deployment is Deployment.UCCE else ""
    oldest, newest = settings.versions
    people = len(settings.data.people)
    return (
        f"Simulated CTI server on {host}:{port}: {kind}{load}, GED-188 versions {oldest} to {newest}, {people} people."
    )

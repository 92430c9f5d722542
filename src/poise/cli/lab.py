"""`poise lab`: a simulated CTI server and contact centre, for whoever has no telephone system at hand."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from poise.lab import data as lab_data
from poise.lab import faults, scenario
from poise.lab.acd.settings import AcdSettings
from poise.lab.control import DEFAULT_CONTROL_PORT
from poise.lab.rules import Deployment
from poise.lab.scenario import ScenarioError, Step
from poise.lab.server import LabSettings
from poise.lab.shell import DEFAULT_PORT, LabShell
from poise.lab.traffic import Traffic
from poise.server.clock import LoopClock

app = typer.Typer(invoke_without_command=True)
ANSWER_WITHIN_S = 10.0
"""Seconds a running lab has to answer a tool."""
SeedData = Annotated[Path | None, typer.Option(help="JSON file with teams, queues and agents; without it, the demo's.")]
ControlPort = Annotated[int, typer.Option(help="Control port of the running lab.", min=1, max=65535)]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a lab is run, beside what it is."""

    host: str
    port: int
    port_b: int = -1
    """-1: no side B."""
    control_port: int = -1
    """-1: none."""
    steps: tuple[Step, ...] = ()
    calls_per_minute: float = 0.0
    seed: int = 188
    as_json: bool = False
    stop_with_stdin: bool = False


@app.callback()
def lab(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = DEFAULT_PORT,
    port_b: Annotated[
        int, typer.Option(help="Port of side B, which serves after a fail-over; 0: a free one, -1: no side B.", min=-1)
    ] = -1,
    control_port: Annotated[
        int,
        typer.Option(help="Port for `poise lab fault` and its like, on 127.0.0.1; 0: a free one, -1: none.", min=-1),
    ] = -1,
    seed_data: SeedData = None,
    scenario_file: Annotated[
        Path | None, typer.Option("--scenario", help="Scenario to play (see `poise lab check`).")
    ] = None,
    calls_per_minute: Annotated[
        float, typer.Option(help="Calls that come by themselves while agents are READY; 0: none.", min=0, max=6000)
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 188,
    shuffle: Annotated[
        bool, typer.Option("--shuffle", help="Mix confirmations, call events and agent-state events of each step.")
    ] = False,
    ring_time: Annotated[float, typer.Option(help="Seconds a queue's call rings (RONA).", min=1, max=3600)] = 20.0,
    wrap_up_time: Annotated[float, typer.Option(help="Seconds of wrap-up; 0: none.", min=0, max=7200)] = 10.0,
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
    """Run a simulated CTI server (GED-188) with its contact centre until SIGTERM or Ctrl-C.

    Exit codes: 0 good, 1 could not listen, 2 wrong use.
    """
    if context.invoked_subcommand is not None:
        return
    if load not in (0, 1):
        raise typer.BadParameter("LOAD is 0 or 1.", param_hint="--load")
    data = _data(seed_data)
    steps = () if scenario_file is None else _steps(scenario_file, data)
    acd = AcdSettings(ring_s=ring_time, wrap_up_s=wrap_up_time)
    settings = LabSettings(data, deployment, load, peripheral_id, acd=acd, shuffle=seed if shuffle else None)
    plan = Plan(host, port, port_b, control_port, steps, calls_per_minute, seed, as_json, stop_with_stdin)
    try:
        asyncio.run(run_lab(settings, plan))
    except OSError as error:
        typer.echo(f"The simulated CTI server cannot listen on {host}: {error.strerror or error}", err=True)
        raise typer.Exit(1) from None


def _data(file: Path | None) -> lab_data.LabData:
    try:
        return lab_data.DEMO if file is None else lab_data.load(file)
    except lab_data.LabDataError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None


def _steps(file: Path, data: lab_data.LabData) -> tuple[Step, ...]:
    try:
        return scenario.load(file, data)
    except ScenarioError as error:
        for line, text in error.problems:
            typer.echo(f"{file}:{line}: {text}" if line else text, err=True)
        raise typer.Exit(2) from None


@app.command("seed-data")
def seed_data() -> None:
    """Print the demo's data as a file to start from."""
    typer.echo(lab_data.as_json(lab_data.DEMO))


@app.command("check")
def check(
    file: Annotated[Path, typer.Argument(help="Scenario file.")],
    seed_data: SeedData = None,
) -> None:
    """Say whether a scenario can be played; everything wrong is told with its line. Exit code 2 when it cannot."""
    steps = _steps(file, _data(seed_data))
    typer.echo(f"{len(steps)} steps, the last after {steps[-1].at_s:g} s.")


@app.command(
    "fault",
    help="Let a fault happen in a running lab:\n\n"
    + "\n\n".join(f"{name}: {meaning}." for name, meaning in faults.MEANINGS.items()),
)
def fault(
    name: Annotated[str, typer.Argument(help="The fault.")],
    numbers: Annotated[list[float] | None, typer.Argument(help="Seconds, where the fault takes them.")] = None,
    control_port: ControlPort = DEFAULT_CONTROL_PORT,
) -> None:
    """Let a fault happen in a running lab."""
    _tell(control_port, {"do": "fault", "name": name, "numbers": numbers or []})


@app.command("call")
def call(
    dials: Annotated[str, typer.Argument(help="Queue or extension that is dialled, such as 8010.")],
    number: Annotated[str, typer.Option(help="Who calls.")] = "5551234",
    control_port: ControlPort = DEFAULT_CONTROL_PORT,
) -> None:
    """Let somebody call in a running lab."""
    _tell(control_port, {"do": "call", "number": number, "dials": dials})


@app.command("play")
def play(
    file: Annotated[Path, typer.Argument(help="Scenario file.")], control_port: ControlPort = DEFAULT_CONTROL_PORT
) -> None:
    """Play a scenario in a running lab."""
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        typer.echo(f"{file}: {error}", err=True)
        raise typer.Exit(2) from None
    _tell(control_port, {"do": "play", "text": text})


@app.command("status")
def status(control_port: ControlPort = DEFAULT_CONTROL_PORT) -> None:
    """Print what goes on in a running lab, as JSON."""
    _tell(control_port, {"do": "status"})


def _tell(control_port: int, request: dict[str, Any]) -> None:
    """Say something to a running lab and print its answer."""
    try:
        with socket.create_connection(("127.0.0.1", control_port), timeout=ANSWER_WITHIN_S) as connection:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as lines:
                reply = json.loads(lines.readline())
    except (OSError, ValueError) as error:
        typer.echo(f"No lab answers on control port {control_port} (--control-port): {error}", err=True)
        raise typer.Exit(1) from None
    good = reply.pop("ok", False)
    text = reply.get("text") if "text" in reply else json.dumps(reply)
    typer.echo(text, err=not good)
    if not good:
        raise typer.Exit(2)


async def run_lab(settings: LabSettings, plan: Plan) -> None:
    """Serve until SIGTERM, SIGINT or, if wanted, the end of standard input. Raises OSError when it cannot listen."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    shell = LabShell(settings, LoopClock(loop).wall())
    shell.seed, shell.report = plan.seed, _report
    ports = {"port": await shell.start(plan.host, plan.port)}
    if plan.port_b >= 0:
        ports["portB"] = await shell.start_side_b(plan.host, plan.port_b)
    if plan.control_port >= 0:
        ports["controlPort"] = await shell.start_control("127.0.0.1", plan.control_port)
    if plan.calls_per_minute:
        Traffic(shell.server, plan.calls_per_minute, plan.seed, shell.now())
    if plan.steps:
        shell.play(plan.steps)
    shell.rearm()
    if plan.stop_with_stdin:
        try:
            loop.add_reader(sys.stdin.fileno(), _watch, stop)
        except PermissionError:  # not a pipe, such as /dev/null: there is no parent to stay for
            stop.set()
    typer.echo(_ready(settings, plan, ports))
    sys.stdout.flush()
    await stop.wait()
    if plan.stop_with_stdin:
        loop.remove_reader(sys.stdin.fileno())
    await shell.stop()


def _report(step: Step, problem: str) -> None:
    if problem:
        typer.echo(f"line {step.line}: {step.kind} {step.who} {step.verb}: {problem}", err=True)


def _watch(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 65536):
        stop.set()


def _ready(settings: LabSettings, plan: Plan, ports: dict[str, int]) -> str:
    kind = settings.deployment.value
    if plan.as_json:
        return json.dumps({"host": plan.host, **ports, "deployment": kind, "load": settings.load})
    load = f", LOAD {settings.load}" if settings.deployment is Deployment.UCCE else ""
    oldest, newest = settings.versions
    people = len(settings.data.people)
    further = f", side B on port {ports['portB']}" if "portB" in ports else ""
    further += f", control port {ports['controlPort']}" if "controlPort" in ports else ""
    return (
        f"Simulated CTI server on {plan.host}:{ports['port']}: {kind}{load}, GED-188 versions {oldest} to {newest}, "
        f"{people} people{further}."
    )

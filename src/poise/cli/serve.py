"""`poise serve`: reads the settings, refuses what cannot work before anything starts, and runs the server."""

from __future__ import annotations

import dataclasses
import ipaddress
import os
import socket
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from poise.cli import ready
from poise.cli.demo import simulated_cti_server
from poise.server import config, ports
from poise.server.ctilink.addresses import sides
from poise.server.settings import Settings

LAB_PORT = 42027
"""GED-188's port of side A (cti.md 1.2): where the demo's simulated CTI server listens."""


def serve(
    demo: Annotated[
        bool, typer.Option("--demo", help="Demo data, simulated CTI server, plain ports; loopback only.")
    ] = False,
    file: Annotated[Path | None, typer.Option("--config", help="TOML file with settings.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Folder of certificates, database and logs.")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address all listeners bind to.")] = None,
    domain: Annotated[str | None, typer.Option("--domain", help="XMPP domain and host name clients use.")] = None,
    assignments: Annotated[list[str] | None, typer.Option("--set", help="section.key=value; may be repeated.")] = None,
    demo_exposed: Annotated[bool, typer.Option("--demo-exposed", help="Let --demo listen beyond loopback.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the ready table as one JSON line.")] = False,
) -> None:
    """Run the server until SIGTERM or Ctrl-C.

    Exit codes: 0 after an orderly stop, 1 when it could not start, 2 for settings that cannot be used, 3 when a part
    did not end in time and was left behind.
    """
    from poise.server import usable  # here and below: no other command should pay for loading the server

    try:
        settings = chosen(demo, file, data, host, domain, assignments or [])
        usable.check(settings)
    except config.ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    if demo and not demo_exposed and not is_loopback(settings.server.host):
        typer.echo(
            f"--demo has well-known passwords and plain ports, and {settings.server.host} is not a loopback address. "
            "Use --host 127.0.0.1, or --demo-exposed if everybody who reaches this machine may sign in.",
            err=True,
        )
        raise typer.Exit(2)
    troubles = port_troubles(settings, demo=demo)
    if troubles:
        typer.echo("\n".join(troubles), err=True)
        raise typer.Exit(1)
    from poise.server.app import Application, StartError
    from poise.server.notification.loop import run

    try:
        with simulated_cti_server(settings) if demo else nullcontext() as telephony:
            checks = {"telephony": lambda: telephony.trouble} if telephony is not None else {}
            control_port = None if telephony is None else lambda: telephony.control_port
            application = Application(settings, demo=demo, checks=checks, lab=control_port)
            if telephony is not None:
                telephony.on_change = application.telephony_changed
            run(application.serve(lambda: ready.show(application, as_json=as_json)))
    except StartError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    if application.parts.left_behind:
        left_behind(application.parts.left_behind)


def left_behind(parts: list[str]) -> NoReturn:
    """End at once, although threads of these parts still run: the interpreter would wait for them."""
    typer.echo(f"Stopped, but these parts did not end in time and were left behind: {', '.join(parts)}.", err=True)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(3)


def chosen(
    demo: bool, file: Path | None, data: Path | None, host: str | None, domain: str | None, assignments: list[str]
) -> Settings:
    """Settings from the file, the environment and the options; --demo changes defaults, never what was asked for."""
    base = Settings()
    if demo:
        values = {
            "server.host": "127.0.0.1",
            "server.domain": "localhost",
            "ports.insecure": True,
            "cti.side_a": f"127.0.0.1:{LAB_PORT}",
            "lab.control_port": 0,
            "bosh.allowed_origins": ("*",),
        }
        base = config.with_values(base, values)
    options = {"server.data": data, "server.host": host, "server.domain": domain}
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    settings = config.load(file, os.environ, [*given, *assignments], base)
    if not settings.server.domain:
        server = dataclasses.replace(settings.server, domain=socket.getfqdn())
        settings = dataclasses.replace(settings, server=server)
    return settings


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def port_troubles(settings: Settings, *, demo: bool) -> list[str]:
    """One sentence for each listener that cannot be opened."""
    host = settings.server.host
    wanted = [(host, f"ports.{name}", port) for name, port in settings.ports.listeners().items() if port > 0]
    side_a = settings.cti.side_a
    if demo and side_a:
        side = sides(side_a)[0]
        wanted.append((side.host, "cti.side_a", side.port))
    return list(dict.fromkeys(filter(None, (ports.trouble(*one) for one in wanted))))

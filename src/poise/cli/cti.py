"""`poise cti`: GED-188 for people: captures and bytes decoded, live sessions traced, a dissector for Wireshark."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Iterable
from contextlib import ExitStack
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from poise.protocols.cti import readable
from poise.protocols.cti.codec import CtiError
from poise.protocols.cti.conversation import Said
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION
from poise.protocols.cti.messages import Message
from poise.protocols.cti.settings import versions_from
from poise.tools import cti_dissector, cti_sources
from poise.tools.cti_pcap import CaptureError, Endpoint
from poise.tools.cti_sources import Heard, SourceError
from poise.tools.cti_trace import Monitor, Proxy

app = typer.Typer(help="Decode and trace the CTI server protocol GED-188.", no_args_is_help=True)


class Form(StrEnum):
    """How a message is printed."""

    FIELDS = "fields"
    BRIEF = "brief"
    SERVER = "server"


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a message.")]
InForm = Annotated[
    Form,
    typer.Option("--form", help="fields: a line each; brief: a line a message; server: as the CTI server's own trace."),
]
Version = Annotated[
    int | None,
    typer.Option(
        "--cti-version",
        help="Protocol version, where no OPEN_REQ names it. Without it, the version is guessed.",
        min=OLDEST_VERSION,
        max=NEWEST_VERSION,
    ),
]


def _stamp(time: float | None) -> str:
    if time is None:
        return ""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(heard: Heard) -> str:
    told: dict[str, object] = {}
    if heard.time is not None:
        told["time"] = _stamp(heard.time)
    if heard.client is not None:
        told |= {"connection": heard.stream, "client": str(heard.client), "server": str(heard.server)}
    return json.dumps(told | readable.as_json(heard.said), ensure_ascii=False)


def _text(heard: Heard, form: Form) -> list[str]:
    if form is Form.SERVER:
        lines = [readable.server_trace(heard.said)]
    else:
        lines = readable.lines(heard.said) if form is Form.FIELDS else [readable.title(heard.said)]
    where = "" if heard.client is None else f"#{heard.stream} "
    head = f"{_stamp(heard.time)} {where}".lstrip()
    return [head + lines[0], *lines[1:]]


def _print(heard: Heard, form: Form, *, as_json: bool) -> None:
    typer.echo(_json(heard) if as_json else "\n".join(_text(heard, form)))


def _print_all(all_heard: Iterable[Heard], form: Form, *, as_json: bool) -> bool:
    """Print; whether everything was sound."""
    sound = True
    for heard in all_heard:
        _print(heard, form, as_json=as_json)
        sound = sound and isinstance(heard.said.item, Message)
    return sound


def _plain(said: Iterable[Said]) -> Iterable[Heard]:
    return (Heard(None, 0, None, None, one) for one in said)


@app.command("decode")
def decode(
    file: Annotated[
        Path | None,
        typer.Argument(help="Capture (pcap, pcapng), bytes, or hex text; - or nothing: hex text on standard input."),
    ] = None,
    hexadecimal: Annotated[str | None, typer.Option("--hex", help="Hex text instead of a file.")] = None,
    version: Version = None,
    ports: Annotated[
        list[int] | None, typer.Option("--port", help="Port of a CTI server in a capture; may be repeated.")
    ] = None,
    from_client: Annotated[bool, typer.Option("--from-client", help="The bytes are those of the client.")] = False,
    form: InForm = Form.FIELDS,
    as_json: AsJson = False,
) -> None:
    """Say what bytes or a capture say. Passwords are masked.

    Exit codes: 0 everything is sound, 1 something is not or cannot be read, 2 wrong use.
    """
    if hexadecimal is not None and file is not None:
        raise typer.BadParameter("Give a file or --hex, not both.")
    try:
        if file is not None and str(file) != "-" and cti_sources.is_capture(file):
            heard = cti_sources.from_capture(file, version, ports or cti_sources.PORTS)
        else:
            data = _bytes(file, hexadecimal)
            heard = iter(_plain(cti_sources.from_bytes(data, version, client=from_client)))
        sound = _print_all(heard, form, as_json=as_json)
    except BrokenPipeError:  # whoever read this has seen enough
        raise
    except (OSError, SourceError, CaptureError) as error:
        shown = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
        typer.echo(shown, err=True)
        raise typer.Exit(1) from None
    raise typer.Exit(0 if sound else 1)


def _bytes(file: Path | None, hexadecimal: str | None) -> bytes:
    if hexadecimal is not None:
        return cti_sources.from_hex(hexadecimal)
    if file is None or str(file) == "-":
        return cti_sources.from_hex(sys.stdin.read())
    return cti_sources.file_bytes(file)


def _endpoint(text: str, option: str) -> Endpoint:
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) <= 65535):
        raise typer.BadParameter(f"{text!r} is not host:port.", param_hint=option)
    return Endpoint(host, int(port))


@app.command("trace")
def trace(
    server: Annotated[str, typer.Argument(help="host:port of the CTI server.")],
    listen: Annotated[
        str | None,
        typer.Option(help="host:port to listen on as a proxy: point the CTI client there. Without it, listen in."),
    ] = None,
    capture: Annotated[
        Path | None, typer.Option("--write", help="Also write what passes to this pcap file, for Wireshark.")
    ] = None,
    version: Version = None,
    peripheral_id: Annotated[int, typer.Option(help="Peripheral to listen to (not as a proxy).")] = 5000,
    form: InForm = Form.FIELDS,
    as_json: AsJson = False,
) -> None:
    """Print what a CTI client and its server say to each other, until Ctrl-C.

    With --listen as a proxy, bytes passing unchanged; else as a client of its own that asks for all events and controls
    nothing. Exit codes: 0 good, 1 could not listen or write, 2 wrong use.
    """
    target = _endpoint(server, "SERVER")
    place = None if listen is None else _endpoint(listen, "--listen")
    try:
        with ExitStack() as open_files:
            file = None if capture is None else open_files.enter_context(capture.open("wb"))

            def told(heard: Heard) -> None:
                try:
                    _print(heard, form, as_json=as_json)
                    sys.stdout.flush()
                except BrokenPipeError:  # the session that passes here must not suffer from it
                    sys.stdout = open_files.enter_context(Path(os.devnull).open("w"))
                    _news("Nobody reads the trace any more; the session goes on.")

            if place is not None:
                asyncio.run(_proxy(Proxy(target, told, _news, version, file), place))
            else:
                versions = versions_from(version or 24)
                monitor = Monitor(target, told, _news, peripheral_id=peripheral_id, versions=versions, capture=file)
                asyncio.run(_until_stopped(monitor.run()))
    except (OSError, CtiError) as error:
        typer.echo(f"The trace cannot begin: {getattr(error, 'strerror', None) or error}", err=True)
        raise typer.Exit(1) from None


def _news(text: str) -> None:
    typer.echo(text, err=True)


async def _proxy(proxy: Proxy, place: Endpoint) -> None:
    port = await proxy.start(*place)
    _news(f"Listening on {Endpoint(place.host, port)}")
    try:
        await _until_stopped(asyncio.get_running_loop().create_future())
    finally:
        await proxy.stop()


async def _until_stopped(work: Awaitable[None]) -> None:
    """Run until SIGINT or SIGTERM."""
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        pass
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


@app.command("dissector")
def dissector(
    file: Annotated[Path | None, typer.Option("--write", help="Write it to this file instead of printing it.")] = None,
) -> None:
    """Print a Wireshark dissector for GED-188 in Lua, to go into Wireshark's plugins folder.

    Exit codes: 0 good, 1 could not write, 2 wrong use.
    """
    text = cti_dissector.lua()
    if file is None:
        typer.echo(text, nl=False)
        return
    try:
        file.write_text(text, "utf-8")
    except OSError as error:
        typer.echo(f"{file} cannot be written: {error.strerror}", err=True)
        raise typer.Exit(1) from None

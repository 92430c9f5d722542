"""The console without a screen: commands from options or standard input, what happens as text or as JSON lines."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any

from poise.protocols.xmpp.client.outputs import Kind
from poise.tools.console import words
from poise.tools.console.console import Answered, Console, Event, Over, Seen, Settings, SignedIn
from poise.tools.console.showing import pretty, raw_text

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Style:
    """How things are told."""

    as_json: bool = False
    raw: bool = False
    """Whether text shows what stood on the wire instead of indented stanzas (JSON has both)."""
    wrappers: bool = False
    """Whether the bodies around BOSH's stanzas are shown too."""


async def run(
    settings: Settings, style: Style, say: Say, commands: Sequence[str] | IO[str], stay_s: float = 0.0
) -> int:
    """Sign in, carry out the commands one after the other, stay `stay_s` seconds longer, leave. The exit code: 0 good,
    1 a command or the connection failed, 2 a command that is none.

    `commands`: lines, or a file that is read as they come.
    """
    console = Console(settings, lambda event: _tell(event, settings, style, say))
    running = asyncio.create_task(console.run())
    wrong = 0
    try:
        if await console.signed_in():
            wrong = await _carry_out(console, running, _lines(commands), style, say)
            if stay_s > 0 and not wrong:
                await asyncio.wait({running}, timeout=stay_s)
    finally:
        console.close()
        end = await running
    if wrong:
        return 2
    return 1 if console.failed or console.unanswered() or end.code != "left" else 0


async def _carry_out(
    console: Console, running: asyncio.Task[Over], lines: AsyncIterator[str], style: Style, say: Say
) -> int:
    """How many lines were no commands: the first one is the last."""
    async for line in lines:
        if running.done() or line.strip() == "quit":
            return 0
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if line.strip() == "help":
            say(words.help_text())
            continue
        try:
            await console.typed(line)
        except words.WordError as error:
            say(
                json.dumps({"event": "wrong-command", "command": line.strip(), "error": str(error)})
                if style.as_json
                else str(error)
            )
            return 1
    return 0


async def _lines(source: Sequence[str] | IO[str]) -> AsyncIterator[str]:
    if isinstance(source, Sequence):
        for line in source:
            yield line
        return
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read(file: Iterable[str]) -> None:
        try:
            for line in file:
                loop.call_soon_threadsafe(queue.put_nowait, line)
            loop.call_soon_threadsafe(queue.put_nowait, None)
        except RuntimeError:
            return  # the loop is closed: nobody waits any more

    # a daemon: a read that never returns must not keep the process
    threading.Thread(target=read, args=(source,), daemon=True).start()
    while (read_line := await queue.get()) is not None:
        yield read_line


def _tell(event: Event, settings: Settings, style: Style, say: Say) -> None:
    if isinstance(event, Seen) and event.frame.kind is Kind.WRAPPER and not style.wrappers:
        return
    if style.as_json:
        say(json.dumps(as_dict(event, settings.show_secrets), ensure_ascii=False))
    else:
        for line in as_text(event, settings.show_secrets, style.raw):
            say(line)


def as_dict(event: Event, show_secrets: bool = False) -> dict[str, Any]:
    """An event for programs. Stanzas have a `direction`, everything else an `event`."""
    told: dict[str, Any] = {"time": event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
    if isinstance(event, Seen):
        frame = event.frame
        told |= {"direction": "out" if frame.outgoing else "in", "kind": frame.kind.value}
        if frame.element is not None:
            told["name"] = frame.element.name
            attrs = frame.element.attrs
            told |= {name: attrs[name] for name in ("type", "id", "from", "to") if name in attrs}
            told["decoded"] = pretty(frame.element, show_secrets=show_secrets)
        return told | {"raw": raw_text(frame.raw, frame.element, show_secrets)}
    if isinstance(event, SignedIn):
        return told | {"event": "signed-in", "jid": event.jid}
    if isinstance(event, Over):
        return told | {"event": "over", "code": event.code, "text": event.text}
    told |= {"event": "answered", "command": event.line, "error": event.error}
    return told | ({"nodes": list(event.nodes)} if event.nodes is not None else {})


def as_text(event: Event, show_secrets: bool = False, raw: bool = False) -> list[str]:
    """An event for people: a heading with time and direction, and what it is about."""
    time = event.at.astimezone().strftime("%H:%M:%S.%f")[:-3]
    if isinstance(event, Seen):
        frame = event.frame
        heading = f"{time} {'>>' if frame.outgoing else '<<'}"
        if raw or frame.element is None:
            return [f"{heading} {raw_text(frame.raw, frame.element, show_secrets)}"]
        first, *more = pretty(frame.element, show_secrets=show_secrets).splitlines()
        return [f"{heading} {first}", *(f"{' ' * len(heading)} {line}" for line in more)]
    return [f"{time} -- {sentence(event)}"]


def sentence(event: SignedIn | Answered | Over) -> str:
    """An event in one sentence."""
    if isinstance(event, SignedIn):
        return f"Signed in as {event.jid}."
    if isinstance(event, Over):
        return event.text
    if event.error:
        return f"{event.line}: refused, {event.error}."
    if event.nodes is not None:
        return f"{event.line}: {len(event.nodes)} node{'' if len(event.nodes) == 1 else 's'}."
    return f"{event.line}: done."

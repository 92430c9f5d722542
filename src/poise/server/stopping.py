"""Stops the parts of a server one after the other, last opened first, within a time that operators may count on.

Theory. Each part has what is left of the whole time, less what is kept for the parts that write: a client or a
telephone system that does not listen must not cost what was to be stored. A part that does not end in its time, or
fails, is left behind and named; it does not keep the others. Whoever left threads behind ends the process without
waiting for them.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import NamedTuple

STOP_S = 1.4
"""Seconds within which all parts are stopped. A restart is over in 2 s in all, of which the interpreter and the demo's
telephone system need the rest. Shorter, and clients of a large site are cut before they are told."""
WRITING_S = 0.4
"""Of it, what is kept for the parts that write."""
LEAST_S = 0.05
"""What a part has when all time is used up: enough for those that need none."""


class _Part(NamedTuple):
    name: str
    close: Callable[[], Awaitable[None]]
    writes: bool


class Parts:
    """What is open. `left_behind` names the parts that did not end."""

    def __init__(self) -> None:
        self._open: list[_Part] = []
        self.left_behind: list[str] = []

    def opened(self, name: str, close: Callable[[], Awaitable[None]], *, writes: bool = False) -> None:
        """A part is open and will be closed before those opened earlier."""
        self._open.append(_Part(name, close, writes))

    async def close(self, report: Callable[[str, Exception], None]) -> None:
        """Close all; `report` is told which part failed or did not end (TimeoutError), while the first part, the log,
        is still open."""
        loop = asyncio.get_running_loop()
        until = loop.time() + STOP_S
        while self._open:
            part = self._open.pop()
            left_s = until - loop.time() - (0.0 if part.writes else WRITING_S)
            try:
                await asyncio.wait_for(part.close(), max(LEAST_S, left_s))
            except Exception as error:  # noqa: BLE001 - whatever goes wrong, the other parts must be closed all the same
                self.left_behind.append(part.name)
                if self._open:
                    report(part.name, error)


def at_once(call: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    """For what needs no time."""

    async def run() -> None:
        call()

    return run


def in_a_thread(call: Callable[[], None]) -> Callable[[], Awaitable[None]]:
    """For what blocks: a thread that nobody waits for longer than he wants to, not even the interpreter at its end."""

    async def run() -> None:
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def work() -> None:
            call()
            try:
                loop.call_soon_threadsafe(done.set)
            except RuntimeError:  # the loop is closed: nobody waits any more
                pass

        threading.Thread(target=work, name="poise-stop", daemon=True).start()
        await done.wait()

    return run

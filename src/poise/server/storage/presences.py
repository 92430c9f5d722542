"""Last presences on their way to the database: gathered for a moment, written together, kept until they are written.

What the database refuses is merged with what came since, the newer presence of a user winning, and tried again: first
after a second, then at longer intervals. There is one entry a user, so an outage costs no more memory than the list of
accounts. Only what is still refused when the server ends is lost, and then the log says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from poise.server.storage.records import LastPresence

LINGER_S = 0.05
"""Seconds presences wait for company before they are written together. After a restart all agents come back within
seconds; a crash within this time may forget that an agent was here."""
RETRY_S = 1.0
"""Seconds until a refused write is tried again; doubled with every further refusal."""
RETRY_MAX_S = 30.0
"""Longest time between two attempts: half the grace after a restart, so that a database that comes back is used soon
enough to matter."""


class WriteRefused(Exception):  # noqa: N818 - what the database said, not a fault of ours
    """The batch was not written; the text is for the operator."""


class Presences:
    """Lives on the event loop's thread."""

    def __init__(
        self, write: Callable[[Sequence[LastPresence]], Awaitable[None]], told: Callable[[str], None] = lambda _: None
    ) -> None:
        """`write` makes a batch durable or raises WriteRefused; `told` hears once when writing begins to fail, and,
        with an empty text, when it succeeds again."""
        self._write = write
        self._told = told
        self._waiting: dict[str, LastPresence] = {}
        self._task: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self.failures = 0
        """Writes that the database refused."""
        self.trouble = ""
        """Why presences are not being written at present; empty when they are."""

    def record(self, presence: LastPresence) -> None:
        """Remember, soon and without waiting. Many changes while one write is under way become one write."""
        self._waiting[presence.user] = presence
        if self._task is None:
            self._hurry = asyncio.Event()
            self._task = asyncio.get_running_loop().create_task(self._run(self._hurry))

    async def flush(self) -> int:
        """Write what waits, now. How many presences the database still refuses."""
        while self._task is not None:
            self._hurry.set()
            await self._task
        return len(self._waiting)

    async def _run(self, hurry: asyncio.Event) -> None:
        pause, retry = LINGER_S, RETRY_S
        try:
            while self._waiting:
                try:
                    await asyncio.wait_for(hurry.wait(), pause)
                except TimeoutError:
                    pass
                batch, self._waiting = self._waiting, {}
                try:
                    await self._write(list(batch.values()))
                except WriteRefused as refused:
                    self._waiting = batch | self._waiting
                    self._failed(str(refused))
                    if hurry.is_set():
                        return
                    pause, retry = retry, min(2 * retry, RETRY_MAX_S)
                else:
                    self._succeeded()
                    pause, retry = LINGER_S, RETRY_S
        finally:
            self._task = None

    def _failed(self, why: str) -> None:
        self.failures += 1
        if not self.trouble:
            self._told(why)
        self.trouble = why

    def _succeeded(self) -> None:
        if self.trouble:
            self.trouble = ""
            self._told("")

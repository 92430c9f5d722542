"""What the host must not forget, on its way to the store and back; and the host's own clock.

Changes are written in the order in which they happened, one batch while the next gathers: the first waits for nobody,
so an answer waits for one commit at most twice. An answer is given out only when its change is durable; when it cannot
be made so, whoever waits is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Protocol

from poise.protocols.xmpp.delivery import Unstored
from poise.protocols.xmpp.records import Change, Record

if TYPE_CHECKING:
    from poise.server.notification.hub import Hub

STORE_S = 1.0
"""Longest wait for the store when the service stops: a commit takes milliseconds, and a server must stop in two
seconds."""


class RecordStore(Protocol):
    """Where records are kept; `poise.server.storage.notification.NotificationRecords` in the product."""

    async def load(self) -> list[Record]:
        """Everything, in the order `Host.restore` wants it."""

    async def write(self, changes: Sequence[Change]) -> None:
        """Make changes durable, all or none; raises when they are not."""


class Persistence:
    """Writes what leaves the host as `Unstored`."""

    def __init__(self, hub: Hub, store: RecordStore) -> None:
        self._hub = hub
        self._store = store
        self._waiting: list[Unstored] = []
        self._writing: asyncio.Task[None] | None = None
        self.failures = 0
        """Batches that could not be written."""
        self.trouble = ""
        """Why the latest batch could not be written, for /readyz; empty when it was."""
        self.unreadable = 0
        """Records that could not be put back."""

    async def restore(self) -> None:
        """Give the host what was stored. Raises what the store raises."""
        records = await self._store.load()
        self.unreadable = self._hub.host.restore(records, self._hub.now())
        self._hub.settle()

    def take(self, event: Unstored) -> None:
        """Changes to write."""
        self._waiting.append(event)
        if self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def close(self) -> None:
        """Write what waits; all sessions are over."""
        self._hub.host.close(self._hub.now())
        self._hub.settle()
        if self._writing is not None:
            await asyncio.wait([self._writing], timeout=STORE_S)

    async def _write(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                durable = await self._durable([change for event in batch for change in event.changes])
                try:
                    self._hub.host.stored(batch[-1].token, self._hub.now(), durable)
                    self._hub.settle()
                except Exception as error:  # noqa: BLE001 - the next batch must be written all the same
                    self._hub.fault(None, error, self._hub.now())
        finally:
            self._writing = None

    async def _durable(self, changes: list[Change]) -> bool:
        try:
            await self._store.write(changes)
        except Exception as error:  # noqa: BLE001 - a store that fails must not end the service
            self.failures += 1
            self.trouble = f"{type(error).__name__}: {error}"
            self._hub.fault(None, error, self._hub.now())
            return False
        self.trouble = ""
        return True


class HostClock:
    """Calls the host when it wants to be, on the timer wheel."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.armed = inf

    @property
    def deadline(self) -> float:
        """For the timer wheel."""
        return self._hub.host.deadline

    def due(self, now: float) -> None:
        """The host's moment has come."""
        try:
            self._hub.host.due(now)
        except Exception as error:  # noqa: BLE001 - one presence's fault must not stop the wheel
            self._hub.fault(None, error, now)
        self._hub.settle()

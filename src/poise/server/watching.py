"""What others change beside a running server: accounts imported into its database, certificate files put in place.

Both are looked at every so often, cheaply, and taken over without a restart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from poise.server import certificates
from poise.server.accounts import Accounts
from poise.server.clock import Clock, Timer
from poise.server.people import People
from poise.server.storage.store import Store, StoreError

ACCOUNTS_S = 1.0
"""Seconds between two looks for accounts changed by another process: how long an old password may still be taken after
an import. A look costs one statement on the storage thread, about 0.1 ms."""
CERTIFICATES_S = 10.0
"""Seconds between two looks at the certificate files. Files must stand still from one look to the next before they are
read, so that certificate and key are not taken from different pairs; renewal tools write them within a second."""


class Periodic:
    """Does something every so many seconds, never twice at a time, until it is stopped."""

    def __init__(self, clock: Clock, period_s: float, work: Callable[[], Awaitable[None]]) -> None:
        """`work` must not raise. Starts at once, on the running loop; the first time is one period from now."""
        self._clock = clock
        self._period_s = period_s
        self._work = work
        self._task: asyncio.Task[None] | None = None
        self._timer: Timer | None = clock.call_at(clock.now() + period_s, self._due)

    async def stop(self) -> None:
        """Wait for what is under way, and do nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    def _due(self) -> None:
        self._timer = None
        self._task = asyncio.get_running_loop().create_task(self._once())

    async def _once(self) -> None:
        await self._work()
        self._task = None
        self._timer = self._clock.call_at(self._clock.now() + self._period_s, self._due)


class AccountWatch:
    """Notices accounts that another process wrote: they exist from then on, and their old passwords do not."""

    def __init__(
        self,
        store: Store,
        people: People,
        accounts: Accounts,
        on_change: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """`on_change` is called too: something else may have been written besides accounts."""
        self._on_change = on_change
        self._store = store
        self._people = people
        self._accounts = accounts

    async def look(self) -> None:
        """Take over what has changed. A database that cannot be read is looked at again next time."""
        try:
            changed = await self._store.accounts_if_changed()
        except StoreError:
            return
        if changed is not None:
            self._people.learn(changed)
            self._accounts.review(changed)
            if self._on_change is not None:
                await self._on_change()


class CertificateWatch:
    """Notices certificate files that were replaced."""

    def __init__(self, files: Callable[[], certificates.Files | None], reload: Callable[[], None]) -> None:
        """`files`: those in use; `reload` presents them as they are now, or says why it does not."""
        self._files = files
        self._reload = reload
        self._loaded = self._seen = self._stamp()

    async def look(self) -> None:
        """Reload files that are other than those last tried, once they stand still."""
        seen = self._stamp()
        settled, self._seen = seen == self._seen, seen
        if settled and seen != self._loaded:
            self._reload()
            self._loaded = self._seen = self._stamp()

    def _stamp(self) -> certificates.Stamp:
        files = self._files()
        return certificates.stamp(files) if files is not None else ()

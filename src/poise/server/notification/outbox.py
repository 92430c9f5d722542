"""Carries the host's outbox to the clients, in order and in slices, so that no fan-out holds the event loop (law 8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Protocol

from poise.protocols.xmpp.delivery import Client, Fanout, Output, To

SLICE_S = 0.004
"""Longest run of deliveries in one callback of the loop; a delivery takes 10 to 20 microseconds, so a slice carries a
few hundred. Longer slices delay everybody's polls by as much."""


TOGETHER_MAX = 64
"""Most stanzas handed over in one call, so that a slice stays short."""


class Receiver(Protocol):
    """A host's client as the outbox sees it: somebody's session."""

    jid: str
    gone: bool
    """Whether the session is over; the host gets its stanzas back."""

    def deliver(self, stanza: bytes, now: float) -> None:
        """Hand over one serialised stanza. Must not raise."""

    def deliver_all(self, stanzas: list[bytes], now: float) -> None:
        """Hand over several at once, in order. Must not raise."""


class OutboxPump:
    """Drains one outbox. The head is finished before the next entry, so per-subscriber order is the outbox's order."""

    def __init__(
        self,
        outbox: deque[Output],
        *,
        now: Callable[[], float],
        call_soon: Callable[[Callable[[], None]], object],
        returned: Callable[[Client, list[bytes], float], None],
        slice_done: Callable[[], None] = lambda: None,
    ) -> None:
        """`returned` gets stanzas whose client has gone meanwhile; `slice_done` is called after a deferred slice."""
        self._outbox = outbox
        self._now = now
        self._call_soon = call_soon
        self._returned = returned
        self._slice_done = slice_done
        self._fanout: Iterator[tuple[Client, bytes]] | None = None
        self._busy = False
        self.deferred = False
        """Whether a slice is waiting for its turn of the loop."""

    def pump(self) -> bool:
        """Deliver what there is, for at most one slice; the rest follows in later turns of the loop.

        False when there is nothing, or when a slice is under way or waiting: what was added goes out behind it.
        """
        if self._busy or self.deferred or (not self._outbox and self._fanout is None):
            return False
        self._busy = True
        try:
            done = self._slice(perf_counter() + SLICE_S)
        finally:
            self._busy = False
        if not done:
            self.deferred = True
            self._call_soon(self._continue)
        return True

    def flush(self) -> None:
        """Deliver everything now, however long it takes: for a service that stops."""
        self.deferred = False
        self._slice(float("inf"))

    def _continue(self) -> None:
        if self.deferred:
            self.deferred = False
            self.pump()
            self._slice_done()

    def _slice(self, stop_at: float) -> bool:
        """True when nothing is left."""
        outbox = self._outbox
        now = self._now()
        while True:
            if self._fanout is not None:
                if not self._fan_out(self._fanout, now, stop_at):
                    return False
                self._fanout = None
            if not outbox:
                return True
            output = outbox.popleft()
            if isinstance(output, Fanout):
                self._fanout = iter(output)
                continue
            assert isinstance(output, To)
            self._deliver(output.client, self._together(output), now)
            if perf_counter() >= stop_at:
                return not outbox

    def _fan_out(self, pairs: Iterator[tuple[Client, bytes]], now: float, stop_at: float) -> bool:
        for client, stanza in pairs:
            if client.gone:  # type: ignore[attr-defined]  # every client of this host is one of our sessions
                self._returned(client, [stanza], now)
            else:
                client.deliver(stanza, now)  # type: ignore[attr-defined]
            if perf_counter() >= stop_at:
                return False
        return True

    def _together(self, output: To) -> list[bytes]:
        """The stanzas that follow for the same client: one answer can carry them all."""
        outbox, client = self._outbox, output.client
        stanzas = [output.stanza]
        while outbox and len(stanzas) < TOGETHER_MAX:
            following = outbox[0]
            if not isinstance(following, To) or following.client is not client:
                break
            stanzas.append(following.stanza)
            outbox.popleft()
        return stanzas

    def _deliver(self, client: Client, stanzas: list[bytes], now: float) -> None:
        if client.gone:  # type: ignore[attr-defined]
            self._returned(client, stanzas, now)
        elif len(stanzas) == 1:
            client.deliver(stanzas[0], now)  # type: ignore[attr-defined]
        else:
            client.deliver_all(stanzas, now)  # type: ignore[attr-defined]

"""A session with a connection of its own: what XMPP over TCP and over WebSocket have in common.

Theory of reading: bytes are read a slice at a time, so that no client's flood holds the loop; while slices wait, and
while what the client said waits for the store, the socket is not read and TCP slows the client down. A client that we
do not listen to is not silent: whoever judges silence asks the transport first.
"""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from math import inf
from typing import ClassVar

from poise.protocols.xmpp.c2s import C2S
from poise.registry import ENDINGS, Closed
from poise.server.notification.client import ClientSession, Load
from poise.server.notification.hub import Hub

UNSTORED_MAX = 64
"""Stanzas of one stream that may wait for the store before no more of it is read: a commit takes milliseconds, so this
costs nobody anything, and a client that stores faster than the disk writes fills no memory."""

_LAST_WORD_HEARD = frozenset({"client-left", "replaced", "killed", "shutdown"})
"""Endings in which the client may have been there to the last moment."""


class StreamSession(ClientSession, asyncio.Protocol):
    """One connection and its session."""

    __slots__ = ("_backlog", "_closing", "_heard_at", "_id", "_pinged", "_quiet_from", "_transport")

    read_slice_bytes: ClassVar[int]
    """Bytes read in one callback of the loop (law 8)."""

    def __init__(self, hub: Hub, c2s: C2S, address: str, now: float) -> None:
        super().__init__(hub, c2s, address, now)
        self._transport: asyncio.Transport | None = None
        self._id = new_id()
        self._heard_at = now
        self._quiet_from = now  # later than heard_at when the server itself did not run
        self._pinged = False
        self._backlog = b""
        self._closing = inf  # until when the connection may take to close

    @abstractmethod
    def _read(self, data: bytes) -> None:
        """One slice."""

    # -- reading -------------------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Read these bytes, a slice now and the rest in later turns of the loop."""
        if self._backlog or len(data) > self.read_slice_bytes:
            if not self._backlog:
                asyncio.get_running_loop().call_soon(self._read_on)
                if self._transport is not None:
                    self._transport.pause_reading()
            self._backlog += data
            return
        self._read(data)

    def _read_on(self) -> None:
        if self._transport is None or not self._backlog:
            return
        data, self._backlog = self._backlog[: self.read_slice_bytes], self._backlog[self.read_slice_bytes :]
        if self._backlog:
            asyncio.get_running_loop().call_soon(self._read_on)
        else:
            self._listen()
        self._read(data)

    @property
    def _waits_for_store(self) -> bool:
        return not self.gone and self.hub.host.unstored.get(self, 0) >= UNSTORED_MAX

    def _wait_for_store(self) -> None:
        """Read no more while too much of what the client said is not stored yet."""
        if self._waits_for_store and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def _listen(self) -> None:
        transport = self._transport
        if transport is not None and not (transport.is_closing() or transport.is_reading() or self._waits_for_store):
            transport.resume_reading()

    def released(self, now: float) -> None:
        """All that came so far is stored: read on."""
        if not self._backlog:
            self._listen()

    # -- ClientSession -------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """An id of our own: a stream's id changes with each restart."""
        return self._id

    def idle_s(self, now: float) -> float:
        """Seconds since anything came from the client; a live one answers pings."""
        return now - self._heard_at

    def heard(self, now: float) -> tuple[float, float]:
        """Bytes came at this moment, and none since."""
        return self._heard_at, self._heard_at

    @property
    def load(self) -> Load:
        """What the client has not read yet."""
        return Load(0, 0, self._transport.get_write_buffer_size() if self._transport is not None else 0)

    def _testimony(self, code: str, now: float, evidence: str, timer_s: float | None) -> Closed:
        """What is known of the session's end."""
        before = now if code in _LAST_WORD_HEARD else self._heard_at
        return Closed(ENDINGS[code], self._heard_at, max(before, self._heard_at), now, timer_s, evidence)


def new_id() -> str:
    """Unpredictable, as a stream's id must be (RFC 6120 section 4.7.3)."""
    return os.urandom(8).hex()

"""Both directions of one CTI session, read from outside: bytes in, what was said out.

The session's protocol version is what OPEN_REQ names. Where the reading began later, the version is guessed from the
first messages with floating fields: the newest one in which they add up and name known tags.
"""

from __future__ import annotations

from dataclasses import dataclass

from poise.protocols.cti.codec import HEADER, CtiError, Malformed, decode
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION, layout
from poise.protocols.cti.messages import Message

GUESSES = (25, 24, 20, 19, 18, 15, 13)
"""Versions that are tried when none was named, newest first: those at which the layout changed."""

_OPEN_REQ = 3


@dataclass(frozen=True, slots=True)
class Said:
    """One thing one side said."""

    client: bool
    """The CTI client said it, not the CTI server."""
    item: Message | Malformed | Skipped
    number: int
    """Message type; 0 for skipped bytes."""
    version: int
    """Protocol version it was read in."""
    size: int
    """Bytes on the wire, the header included."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Bytes that are no message: the reading began inside one, bytes are missing, or it is not GED-188."""

    data: bytes
    why: str


def _known(number: int) -> bool:
    return number in layout().messages


def plausible(data: bytes | bytearray) -> bool:
    """Whether these bytes could begin with the header of a known message."""
    if len(data) < HEADER.size:
        return False
    length, number = HEADER.unpack_from(data)
    return HEADER.size + length <= layout().max_message_bytes and _known(number)


def guess_version(number: int, body: bytes) -> int | None:
    """The newest version in which a message adds up and names known tags; None when it says nothing of its version."""
    known = layout().messages.get(number)
    if known is None or known.opaque:
        return None
    best, least = None, 1
    for version in GUESSES:
        try:
            message = decode(number, body, version)
        except CtiError:
            continue
        tags = layout().tag_by_name
        strange = sum(name not in tags or tags[name].since > version for name, _ in message.floats)
        if message.floats and strange < least:
            best, least = version, strange
    return best


class _Direction:
    __slots__ = ("buffer", "in_step")

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.in_step = True  # the next byte is the first of a header


class Conversation:
    """One session. Feed each side's bytes in the order in which they were sent."""

    def __init__(self, version: int | None = None) -> None:
        """`version`: the protocol version, if it is known; an OPEN_REQ that is seen overrules it."""
        self._version = version
        self._sides = {True: _Direction(), False: _Direction()}

    @property
    def version(self) -> int:
        """The protocol version messages are read in now."""
        return NEWEST_VERSION if self._version is None else self._version

    def feed(self, data: bytes, *, client: bool) -> list[Said]:
        """Messages completed by these bytes of one side."""
        side = self._sides[client]
        side.buffer += data
        said: list[Said] = []
        while len(side.buffer) >= HEADER.size:
            if not plausible(side.buffer[: HEADER.size]) and not self._could_be_unknown(side):
                skipped = self._resynchronise(side)
                if not skipped:
                    break
                said.append(self._skipped(client, skipped, "bytes that are no header of a known message"))
                continue
            length, number = HEADER.unpack_from(side.buffer)
            if len(side.buffer) < HEADER.size + length:
                break
            side.in_step = True
            body = bytes(side.buffer[HEADER.size : HEADER.size + length])
            del side.buffer[: HEADER.size + length]
            said.append(self._message(client, number, body))
        return said

    def lost(self, count: int, *, client: bool) -> list[Said]:
        """Bytes of one side are missing here (0: an unknown number): what was incomplete is given up."""
        side = self._sides[client]
        data, side.buffer, side.in_step = bytes(side.buffer), bytearray(), False
        why = f"{count or 'an unknown number of'} bytes are missing after these"
        return [self._skipped(client, data, why)]

    def ended(self, *, client: bool) -> list[Said]:
        """One side says nothing any more: what is left is named."""
        side = self._sides[client]
        if not side.buffer:
            return []
        data, side.buffer = bytes(side.buffer), bytearray()
        return [self._skipped(client, data, "the stream ends within a message")]

    def _could_be_unknown(self, side: _Direction) -> bool:
        """In step, any type is believed; only the length can be impossible."""
        length, _ = HEADER.unpack_from(side.buffer)
        return side.in_step and HEADER.size + length <= layout().max_message_bytes

    def _resynchronise(self, side: _Direction) -> bytes:
        """Drop bytes up to the next plausible header; the last few stay, as one may begin there."""
        side.in_step = False
        at = 1
        last = len(side.buffer) - HEADER.size
        while at <= last and not plausible(side.buffer[at : at + HEADER.size]):
            at += 1
        data = bytes(side.buffer[:at])
        del side.buffer[:at]
        return data

    def _message(self, client: bool, number: int, body: bytes) -> Said:
        if number == _OPEN_REQ and len(body) >= 8:
            self._version = min(max(int.from_bytes(body[4:8], "big"), OLDEST_VERSION), NEWEST_VERSION)
        elif self._version is None:
            self._version = guess_version(number, body)
        size = HEADER.size + len(body)
        item: Message | Malformed
        try:
            item = decode(number, body, self.version)
        except CtiError as error:
            item = Malformed(number, int.from_bytes(body[:4], "big"), error, body)
        return Said(client, item, number, self.version, size)

    def _skipped(self, client: bool, data: bytes, why: str) -> Said:
        return Said(client, Skipped(data, why), 0, self.version, len(data))

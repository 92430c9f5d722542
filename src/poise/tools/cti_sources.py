"""Where the bytes of CTI sessions come from: hex texts, files of bytes, capture files."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from poise.protocols.cti.codec import HEADER
from poise.protocols.cti.conversation import Conversation, Said, plausible
from poise.tools.cti_pcap import MAGIC, Assembly, CaptureError, Chunk, Endpoint, segments

PORTS = frozenset({42027, 43027, 12028})
"""GED-188's ports: side A and B of instance 0, and UCCX."""

_OFFSET = re.compile(r"^\s*[0-9a-fA-F]{4,8}:?\s+(?=[0-9a-fA-F]{2})")
_SEPARATORS = re.compile(r"0x|\\x|[\s,:;\[\](){}'\"|-]")


class SourceError(Exception):
    """What was given is no bytes, in a sentence for the person who gave it."""


class Heard(NamedTuple):
    """One thing said, and where and when."""

    time: float | None
    """Seconds since the epoch, where the source knows."""
    stream: int
    client: Endpoint | None
    server: Endpoint | None
    said: Said


def from_hex(text: str) -> bytes:
    """Bytes of a hex text: digits with or without separators, or a dump with offsets and a column of characters.

    Raises SourceError.
    """
    rows = [row for row in text.splitlines() if row.strip()]
    if rows and all(_OFFSET.match(row) for row in rows):
        text = "".join(_dumped(_OFFSET.sub("", row)) for row in rows)
    digits = _SEPARATORS.sub("", text)
    wrong = re.search(r"[^0-9a-fA-F]", digits)
    if wrong:
        raise SourceError(f"{wrong[0]!r} is no hexadecimal digit.")
    if len(digits) % 2:
        raise SourceError(f"{len(digits)} hexadecimal digits make no whole bytes.")
    if not digits:
        raise SourceError("There are no bytes.")
    return bytes.fromhex(digits)


def _dumped(row: str) -> str:
    """The digits of a dump's row: xxd, hexdump -C, Wireshark, each with its own way to set off the characters."""
    row = row.partition("|")[0]
    gap = r"\s{2,}" if re.match(r"[0-9a-fA-F]{4}(\s|$)", row) else r"\s{3,}"
    return re.split(gap, row, maxsplit=1)[0]


def from_bytes(data: bytes, version: int | None = None, *, client: bool = False) -> list[Said]:
    """What one side said in these bytes, whole messages one behind the other."""
    conversation = Conversation(version)
    return [*conversation.feed(data, client=client), *conversation.ended(client=client)]


def is_capture(file: Path) -> bool:
    """Whether a file begins as capture files do. Raises OSError."""
    with file.open("rb") as opened:
        return opened.read(4).startswith(MAGIC)


def file_bytes(file: Path) -> bytes:
    """The bytes of a file: as they are, or spelled out in hex. Raises OSError, SourceError."""
    data = file.read_bytes()
    if not data:
        raise SourceError(f"{file} is empty.")
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return data
    return from_hex(text) if text.isprintable() or not plausible(data) else data


class _Stream:
    """One TCP connection of a capture."""

    def __init__(self, chunk: Chunk, opener: Endpoint | None, version: int | None, ports: Collection[int]) -> None:
        from_server = chunk.source.port in ports and chunk.target.port not in ports
        self.client = opener or (chunk.target if from_server else chunk.source)
        self.server = chunk.source if chunk.source != self.client else chunk.target
        self.conversation = Conversation(version)

    def heard(self, chunk: Chunk) -> list[Said]:
        from_client = chunk.source == self.client
        said: list[Said] = []
        if chunk.missing:
            said += self.conversation.lost(chunk.missing, client=from_client)
        return said + self.conversation.feed(chunk.data, client=from_client)


def from_capture(file: Path, version: int | None = None, ports: Collection[int] = PORTS) -> Iterator[Heard]:
    """What was said in every CTI session of a capture file, in the order of time.

    A connection is taken for a CTI session when one of its ports is among `ports`, or when its first bytes begin as
    GED-188 does. Raises CaptureError.
    """
    assembly = Assembly()
    openers: dict[int, Endpoint] = {}
    streams: dict[int, _Stream | None] = {}
    waiting: dict[int, list[Chunk]] = {}  # of streams that have not said enough to be known

    def heard(chunks: Iterable[Chunk]) -> Iterator[Heard]:
        for chunk in chunks:
            if chunk.stream not in streams:
                begun = waiting.setdefault(chunk.stream, [])
                begun.append(chunk)
                first = b"".join(one.data for one in begun if one.source == begun[0].source)
                ours = bool({chunk.source.port, chunk.target.port} & set(ports)) or plausible(first)
                if not ours and len(first) < HEADER.size:
                    continue
                opener = openers.get(chunk.stream)
                streams[chunk.stream] = _Stream(begun[0], opener, version, ports) if ours else None
                yield from told(waiting.pop(chunk.stream))
            else:
                yield from told((chunk,))

    def told(chunks: Iterable[Chunk]) -> Iterator[Heard]:
        for chunk in chunks:
            stream = streams[chunk.stream]
            if stream is not None:
                for said in stream.heard(chunk):
                    yield Heard(chunk.time, chunk.stream, stream.client, stream.server, said)

    for segment in segments(file):
        if segment.syn:
            openers.setdefault(segment.stream, segment.source)
        yield from heard(assembly.feed(segment))
    yield from heard(assembly.flush())
    for number, stream in streams.items():
        if stream is not None:
            for client in (True, False):
                for said in stream.conversation.ended(client=client):
                    yield Heard(None, number, stream.client, stream.server, said)
    if not any(streams.values()):
        raise CaptureError(f"{file} holds no CTI session: no connection uses port {_list(ports)} or begins as GED-188.")


def _list(ports: Collection[int]) -> str:
    return ", ".join(str(port) for port in sorted(ports))

"""Capture files: written for Wireshark from the bytes of a session, and read back through Wireshark's own tshark.

Reading is tshark's work, so that every kind of capture file, link layer and compression it knows can be given; the TCP
streams are put together here, so that lost, repeated and disordered segments are seen as what they are.
"""

from __future__ import annotations

import ipaddress
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

MAGIC = (
    b"\xa1\xb2\xc3\xd4",
    b"\xd4\xc3\xb2\xa1",
    b"\xa1\xb2\x3c\x4d",
    b"\x4d\x3c\xb2\xa1",
    b"\x0a\x0d\x0d\x0a",
    b"\x1f\x8b",
)
"""First bytes of pcap (both orders, micro and nanoseconds), pcapng, and either compressed by gzip."""

MAX_PENDING_BYTES = 4_000_000
"""Bytes of one direction that may wait for a segment before them; then the segment counts as lost."""

_MSS = 1448
_FIELDS = (
    "frame.time_epoch",
    "tcp.stream",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "ip.dst",
    "ipv6.dst",
    "tcp.dstport",
    "tcp.seq_raw",
    "tcp.flags.syn",
    "tcp.flags.fin",
    "tcp.payload",
)


class CaptureError(Exception):
    """A capture that cannot be read, in a sentence for the person who gave it."""


class Endpoint(NamedTuple):
    """One end of a TCP connection."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Segment(NamedTuple):
    """One TCP segment of a capture."""

    time: float
    """Seconds since the epoch."""
    stream: int
    """tshark's number of the connection."""
    source: Endpoint
    target: Endpoint
    sequence: int
    syn: bool
    fin: bool
    data: bytes


class Chunk(NamedTuple):
    """Bytes of one direction, in order."""

    time: float
    stream: int
    source: Endpoint
    target: Endpoint
    data: bytes
    missing: int
    """Bytes that the capture lacks before these."""


def segments(file: Path) -> Iterator[Segment]:
    """The TCP segments of a capture file, as captured. Raises CaptureError."""
    tshark = shutil.which("tshark")
    if tshark is None:
        raise CaptureError("Reading captures needs tshark (Debian package tshark, or any Wireshark).")
    command = [tshark, "-n", "-r", str(file), "-o", "tcp.desegment_tcp_streams:FALSE"]
    command += ["-Y", "tcp", "-T", "fields", "-E", "separator=/t", "-E", "occurrence=f"]
    for name in _FIELDS:
        command += ["-e", name]
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=complaints, text=True)  # noqa: S603 - no shell
        with process:
            assert process.stdout is not None
            for line in process.stdout:
                columns = line.rstrip("\n").split("\t")
                if len(columns) == len(_FIELDS):
                    yield _segment(columns)
        complaints.seek(0)
        said = [text.strip() for text in complaints if text.strip() and not text.startswith("Running as user")]
    if process.returncode:
        raise CaptureError(f"tshark cannot read {file}: {said[-1] if said else f'exit code {process.returncode}'}")


def _segment(columns: list[str]) -> Segment:
    time, stream, v4_from, v6_from, port_from, v4_to, v6_to, port_to, sequence, syn, fin, payload = columns
    return Segment(
        float(time),
        int(stream),
        Endpoint(v4_from or v6_from, int(port_from)),
        Endpoint(v4_to or v6_to, int(port_to)),
        int(sequence),
        syn in ("1", "True"),
        fin in ("1", "True"),
        bytes.fromhex(payload.replace(":", "")),
    )


@dataclass(slots=True)
class _Flow:
    """One direction of one connection."""

    following: int | None = None  # sequence number of the next byte
    pending: dict[int, Segment] = field(default_factory=dict)
    waiting: int = 0  # bytes in pending


class Assembly:
    """Puts segments of any number of connections into order. Bounded: see MAX_PENDING_BYTES."""

    def __init__(self) -> None:
        self._flows: dict[tuple[int, Endpoint], _Flow] = {}

    def feed(self, segment: Segment) -> list[Chunk]:
        """What is in order now."""
        flow = self._flows.setdefault((segment.stream, segment.source), _Flow())
        if segment.syn:
            flow.following = segment.sequence + 1 & 0xFFFFFFFF
            flow.pending.clear()
            flow.waiting = 0
            return []
        if not segment.data:
            return []
        if flow.following is None:
            flow.following = segment.sequence
        known = flow.pending.get(segment.sequence)
        if known is None or len(known.data) < len(segment.data):
            flow.pending[segment.sequence] = segment
            flow.waiting += len(segment.data) - (0 if known is None else len(known.data))
        chunks = self._in_order(flow)
        while flow.waiting > MAX_PENDING_BYTES:
            chunks += self._leap(flow)
        return chunks

    def flush(self) -> list[Chunk]:
        """The capture is over: whatever waits comes with the size of the gap before it."""
        chunks: list[Chunk] = []
        for flow in self._flows.values():
            while flow.pending:
                chunks += self._leap(flow)
        return sorted(chunks, key=lambda chunk: chunk.time)

    @staticmethod
    def _distance(flow: _Flow, sequence: int) -> int:
        """How far ahead of the next byte; negative: seen before. Sequence numbers wrap."""
        assert flow.following is not None
        ahead = sequence - flow.following & 0xFFFFFFFF
        return ahead - (1 << 32) if ahead >= 1 << 31 else ahead

    def _in_order(self, flow: _Flow, missing: int = 0) -> list[Chunk]:
        chunks: list[Chunk] = []
        progress = True
        while progress:
            progress = False
            for sequence in sorted(flow.pending, key=lambda number: self._distance(flow, number)):
                ahead = self._distance(flow, sequence)
                if ahead > 0:
                    break
                segment = flow.pending.pop(sequence)
                flow.waiting -= len(segment.data)
                fresh = segment.data[-ahead:] if ahead else segment.data
                if fresh and -ahead < len(segment.data):
                    assert flow.following is not None
                    flow.following = flow.following + len(fresh) & 0xFFFFFFFF
                    chunks.append(Chunk(segment.time, segment.stream, segment.source, segment.target, fresh, missing))
                    missing = 0
                progress = True
        return chunks

    def _leap(self, flow: _Flow) -> list[Chunk]:
        """Give up what is missing before the nearest waiting segment."""
        nearest = min(flow.pending, key=lambda number: self._distance(flow, number))
        missing = max(0, self._distance(flow, nearest))
        flow.following = nearest
        return self._in_order(flow, missing)


class PcapWriter:
    """Writes one TCP connection as if it had been captured: Ethernet, IPv4, valid checksums, no losses.

    Several may write into one file, each a connection of its own.
    """

    def __init__(self, file: BinaryIO, client: Endpoint, server: Endpoint, segment_bytes: int = _MSS) -> None:
        """Addresses that are not IPv4 are shown as 127.0.0.1. `segment_bytes`: the most data of one segment."""
        self._file = file
        self._segment = segment_bytes
        self._ends = {True: client, False: server}
        self._sequence = {True: 1000, False: 5000}

    @staticmethod
    def begin(file: BinaryIO) -> None:
        """The head of the file, once, before any connection."""
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))

    def opened(self, time: float) -> None:
        """The three-way handshake."""
        for client, flags in ((True, 0x02), (False, 0x12), (True, 0x10)):
            self._packet(time, client, flags, b"")
            if flags & 0x02:
                self._sequence[client] += 1

    def data(self, time: float, data: bytes, *, client: bool) -> None:
        """Bytes of one side, in as many segments as they need."""
        for at in range(0, len(data), self._segment):
            part = data[at : at + self._segment]
            self._packet(time, client, 0x18, part)
            self._sequence[client] = self._sequence[client] + len(part) & 0xFFFFFFFF

    def closed(self, time: float, *, client: bool) -> None:
        """One side closes."""
        self._packet(time, client, 0x11, b"")
        self._sequence[client] += 1

    def _packet(self, time: float, client: bool, flags: int, data: bytes) -> None:
        source, target = self._ends[client], self._ends[not client]
        acknowledged = self._sequence[not client] if flags & 0x10 else 0
        tcp = struct.pack(
            ">HHIIBBHHH", source.port, target.port, self._sequence[client], acknowledged, 0x50, flags, 65535, 0, 0
        )
        addresses = _v4(source.host) + _v4(target.host)
        pseudo = addresses + struct.pack(">BBH", 0, 6, len(tcp) + len(data))
        tcp = tcp[:16] + struct.pack(">H", _checksum(pseudo + tcp + data)) + tcp[18:]
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp) + len(data), 0, 0x4000, 64, 6, 0) + addresses
        ip = ip[:10] + struct.pack(">H", _checksum(ip)) + ip[12:]
        frame = b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + tcp + data
        seconds, micros = divmod(round(time * 1_000_000), 1_000_000)
        self._file.write(struct.pack("<IIII", seconds, micros, len(frame), len(frame)) + frame)


def _v4(host: str) -> bytes:
    try:
        return ipaddress.IPv4Address(host).packed
    except ValueError:
        return bytes((127, 0, 0, 1))


def _checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF

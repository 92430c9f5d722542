"""Packet captures of an analysis: kept until everything is read, then given to tshark, which may read and nothing else.

Theory: a key log may lie anywhere in the evidence, also behind the capture that needs it. So captures wait until all
files were seen. Foreign packets are parsed by large C code, so that runs apart, with bounded memory, time and files.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from poise.diagnosis.events import TEXT_LIMIT, Event, Kind, Place
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers import packets
from poise.diagnosis.readers.webservices import STATES
from poise.protocols.cti.messages import Message
from poise.tools.cti_pcap import CaptureError
from poise.tools.cti_sources import PORTS, from_capture

MISSING = "needs tshark, which is not installed here (Debian: apt-get install tshark; elsewhere Wireshark)"
CAPTURE_LIMIT = 20 * 1024**3
"""Bytes of a capture that are copied out of an archive."""
KEYS_LIMIT = 64 * 1024**2
"""Bytes of key logs: a browser's whole week has some 10 MB."""
LIMITS = ("--as=6000000000", "--cpu=3600", "--fsize=8000000000")
"""Of one tshark: address space, seconds, bytes of its answer."""
COPY_BYTES = 1 << 20
AGENTS_LIMIT = 100_000
STATE_MESSAGES = {"AGENT_STATE_EVENT": Kind.CTI_STATE, "SET_AGENT_STATE_REQ": Kind.CTI_REQUEST}
"""Messages of the CTI link that tell of an agent's state."""


class Dissector:
    """Use as a context: what was copied is gone at its end."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="poise-")
        self._keys = Path(self._folder.name) / "keys.log"
        self._kept: list[tuple[int, Path]] = []

    def __enter__(self) -> Dissector:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def keys(self, stream: BinaryIO) -> None:
        """A key log: for all captures."""
        with self._keys.open("ab") as file:
            data = stream.read(KEYS_LIMIT)
            file.write(data if data.endswith(b"\n") else data + b"\n")

    def capture(self, file: int, stream: BinaryIO) -> None:
        """A capture; read by `finish`. Raises OSError."""
        name = getattr(stream, "name", None)
        if isinstance(name, str) and Path(name).is_file():
            self._kept.append((file, Path(name).resolve()))
            return
        path = Path(self._folder.name) / f"{file}.pcap"
        left = CAPTURE_LIMIT
        with path.open("wb") as copy:
            while left > 0 and (part := stream.read(min(COPY_BYTES, left))):
                copy.write(part)
                left -= len(part)
        self._kept.append((file, path))

    def finish(self, evidence: Evidence) -> None:
        """Read all captures."""
        tshark = shutil.which("tshark")
        for file, path in self._kept:
            if tshark is None:
                evidence.files[file].trouble = MISSING
                continue
            with tempfile.TemporaryFile("w+b") as said, tempfile.TemporaryFile("w+b") as rows:
                second = subprocess.Popen(self._http(tshark, path), stdout=rows, stderr=subprocess.DEVNULL)  # noqa: S603
                first = subprocess.Popen(_tcp(tshark, path), stdout=subprocess.PIPE, stderr=said)  # noqa: S603
                with second, first:
                    assert first.stdout is not None
                    ports = packets.read(
                        evidence, file, _rows(first.stdout, packets.TCP_FIELDS), _finished(second, rows)
                    )
                if ports & PORTS:
                    _cti(evidence, file, path)
                if first.returncode:
                    evidence.files[file].trouble = _complaint(said, first.returncode)
        self._kept.clear()

    def _http(self, tshark: str, path: Path) -> list[str]:
        keys = ["-o", f"tls.keylog_file:{self._keys}"] if self._keys.exists() else []
        command = [*_limited(tshark), "-n", "-r", str(path), *keys, "-o", "http.decompress_body:TRUE"]
        return [*command, "-Y", packets.HTTP_FILTER, *_columns(packets.HTTP_FIELDS)]


def _cti(evidence: Evidence, file: int, path: Path) -> None:
    """States of agents in a capture of the CTI link, in both directions."""
    settled: dict[str, str] = {}
    try:
        for number, heard in enumerate(from_capture(path), 1):
            item = heard.said.item
            if not isinstance(item, Message) or heard.time is None or item.name not in STATE_MESSAGES:
                continue
            state, agent = item.fields.get("AgentState", 0), item.agent_id or ""
            word = STATES[state] if state < len(STATES) else str(state)
            reason = float(item.fields.get("EventReasonCode", 0))
            told = word if word in ("LOGOUT", "NOT_READY") else "at work"
            if not heard.said.client and settled.get(agent) == told == "at work":
                continue  # all his calls: nothing a disconnect is made of
            if not heard.said.client and len(settled) < AGENTS_LIMIT:
                settled[agent] = told
            kind, text = STATE_MESSAGES[item.name], f"{item.name} {agent} {word} reason {reason:.0f}"
            evidence.add(
                Event(
                    heard.time, kind, Place(file, number), agent.casefold(), "", word, reason, None, text[:TEXT_LIMIT]
                )
            )
    except CaptureError as error:
        evidence.files[file].trouble = str(error)


def _limited(tshark: str) -> list[str]:
    prlimit = shutil.which("prlimit")
    return [prlimit, *LIMITS, tshark] if prlimit else [tshark]


def _tcp(tshark: str, path: Path) -> list[str]:
    command = [*_limited(tshark), "-n", "-r", str(path), "-o", "tcp.desegment_tcp_streams:FALSE"]
    for name in ("tls", "http", "http2", "websocket", "xml", "data"):
        command += ["--disable-protocol", name]
    return [*command, "-Y", "tcp", *_columns(packets.TCP_FIELDS)]


def _columns(fields: Sequence[str]) -> list[str]:
    command = ["-T", "fields", "-E", "separator=/t", "-E", f"aggregator={packets.AGGREGATOR}"]
    for name in fields:
        command += ["-e", name]
    return command


def _rows(stream: BinaryIO | Iterator[bytes], fields: Sequence[str]) -> Iterator[list[str]]:
    for line in stream:
        row = line.rstrip(b"\r\n").decode("utf-8", "replace").split("\t")
        if len(row) == len(fields):
            yield [column.split(packets.AGGREGATOR, 1)[0] for column in row] if fields is packets.TCP_FIELDS else row


def _finished(process: subprocess.Popen[bytes], rows: BinaryIO) -> Iterator[list[str]]:
    process.wait()
    rows.seek(0)
    yield from _rows(rows, packets.HTTP_FIELDS)


def _complaint(said: BinaryIO, code: int) -> str:
    said.seek(0)
    lines = [line.decode("utf-8", "replace").strip() for line in said.read(65_536).splitlines()]
    lines = [line for line in lines if line and not line.startswith("Running as user")]
    why = lines[-1] if lines else f"exit code {code}"
    return f"tshark could not read all of it: {why}"[:300]

"""Fiddler's SAZ: a zip of `raw/N_c.txt`, `N_s.txt`, `N_m.xml`; also protected by a password (AES).

Source: diagnosis notes 1.5 (names padded or not, BOM, thousands commas, `0001-01-01` for never).
"""

from __future__ import annotations

import gzip
import re
import zlib
from datetime import UTC, datetime
from io import BytesIO
from typing import BinaryIO, Protocol

from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers.exchanges import BODY_LIMIT, Exchange, tell

FORM = "Fiddler SAZ"
SESSIONS_LIMIT = 20_000
"""Sessions read of one capture: eight hours of one desktop have about 3,000."""
PART_LIMIT = 8 * 1024 * 1024
"""Bytes read of one part: bodies larger than that are no polls."""

PART = re.compile(r"raw/0*(\d+)_([csm])\.(?:txt|xml)$", re.IGNORECASE)
TIMER = re.compile(r"\b(\w+)=\"(\d{4}-\d\d-\d\dT[^\"]+)\"")
FLAG = re.compile(r"N=\"([^\"]+)\"\s+V=\"([^\"]*)\"")
ABORTED = re.compile(r"Aborted=\"true\"", re.IGNORECASE)


class Archive(Protocol):
    """What is needed of a zip file."""

    def namelist(self) -> list[str]: ...

    def open(self, name: str) -> BinaryIO: ...


def read(evidence: Evidence, file: int, archive: Archive) -> None:
    """Read one SAZ that is open already."""
    entry = evidence.files[file]
    entry.clock.source = "in every line"
    parts: dict[int, dict[str, str]] = {}
    for name in archive.namelist():
        if (match := PART.search(name)) is None:
            continue
        if len(parts) >= SESSIONS_LIMIT and int(match[1]) not in parts:
            entry.trouble = f"more than {SESSIONS_LIMIT} sessions: the rest is not read; save only those to the server"
            continue
        parts.setdefault(int(match[1]), {})[match[2].lower()] = name
    exchanges = []
    for number, names in sorted(parts.items()):
        entry.lines += 1
        try:
            exchange = _session(number, {kind: _part(archive, name) for kind, name in names.items()})
        except RuntimeError as error:  # zipfile: wrong or missing password
            entry.trouble = f"{error}; give the password with --password"
            return
        except (OSError, ValueError, zlib.error, EOFError) as error:
            entry.trouble = f"session {number} is damaged: {error}"
            continue
        if exchange is not None:
            entry.understood += 1
            exchanges.append(exchange)
    if exchanges and all(exchange.method == "CONNECT" for exchange in exchanges):
        entry.trouble = (
            "only tunnels: HTTPS decryption was off in Fiddler (Tools, Options, HTTPS, Decrypt HTTPS traffic)"
        )
    tell(evidence, file, exchanges)


def _part(archive: Archive, name: str) -> bytes:
    with archive.open(name) as stream:
        return stream.read(PART_LIMIT)


def _session(number: int, parts: dict[str, bytes]) -> Exchange | None:
    head, _, body = parts.get("c", b"").partition(b"\r\n\r\n")
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) < 2:
        return None
    meta = parts.get("m", b"").decode("utf-8-sig", "replace")
    timers = dict(TIMER.findall(meta))
    flags = dict(FLAG.findall(meta))
    begin, end = _time(timers.get("ClientBeginRequest")), _time(timers.get("ClientDoneResponse"))
    answer_head, _, answer = parts.get("s", b"").partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/[\d.]+ (\d{3})", answer_head)
    headers = {k.lower(): v for k, v in re.findall(r"(?m)^([\w-]+): *([^\r\n]*)", answer_head.decode("latin-1"))}
    asked = {k.lower(): v for k, v in re.findall(r"(?m)^([\w-]+): *([^\r\n]*)", head.decode("latin-1"))}
    size = flags.get("x-responsebodytransferlength", "").replace(",", "")
    if begin is None:
        return None
    return Exchange(
        number=number,
        at=begin,
        method=words[0].upper(),
        url=words[1],
        status=int(status[1]) if status else 0,
        took_ms=(end - begin) * 1000 if end is not None and end >= begin else None,
        request=body[:BODY_LIMIT].decode("utf-8", "replace"),
        answer=_decoded(answer, headers),
        answer_bytes=int(size) if size.isdigit() else len(answer) if status else None,
        answer_type=headers.get("content-type", ""),
        authorization=asked.get("authorization", ""),
        aborted=bool(ABORTED.search(meta)) or "x-aborted-when" in flags,
        error=flags.get("x-aborted-when", ""),
    )


def _decoded(body: bytes, headers: dict[str, str]) -> str:
    if "chunked" in headers.get("transfer-encoding", ""):
        body = _dechunked(body)
    if headers.get("content-encoding") == "gzip":
        try:
            with gzip.open(BytesIO(body)) as stream:
                body = stream.read(BODY_LIMIT)
        except (OSError, EOFError, zlib.error):
            return ""
    return body[:BODY_LIMIT].decode("utf-8", "replace")


def _dechunked(body: bytes) -> bytes:
    out: list[bytes] = []
    rest = body
    while True:
        line, mark, rest = rest.partition(b"\r\n")
        try:
            size = int(line.split(b";")[0], 16)
        except ValueError:
            return b"".join(out) or body
        if not mark or size == 0 or size > PART_LIMIT:
            return b"".join(out)
        out.append(rest[:size])
        rest = rest[size + 2 :]


def _time(text: str | None) -> float | None:
    if not text or text.startswith("0001-"):
        return None
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()

"""What a desktop leaves behind: its client log, a HAR of its requests, and the same as Fiddler's SAZ."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

HOST = "fin1.example.com"
"""What evidence calls the server."""


@dataclass(slots=True)
class Exchange:
    """One request as the browser saw it; moments by the computer's own clock, seconds since 1970."""

    begin: float
    method: str
    url: str
    request: str = ""
    authorization: str = ""
    end: float | None = None
    """None: still waiting when the recording ended."""
    status: int = 0
    answer: str = ""
    answer_type: str = "text/xml"
    error: str = ""


@dataclass(slots=True)
class ClientLog:
    """Lines in the grammar of the desktop's logger."""

    browser: str
    zone_minutes: int
    lines: list[str] = field(default_factory=list)

    def say(self, at: float, text: str, drift_s: float | None = 0.0, origin: str = "Header") -> None:
        """One record; `drift_s` None: the server's time is not known yet."""
        zone = timezone(timedelta(minutes=self.zone_minutes))
        when = datetime.fromtimestamp(at, zone)
        stamp = f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d} {_offset(self.zone_minutes, ':')}"
        server = "--- -- ---- --:--:--.--- -----"
        if drift_s is not None:
            told = datetime.fromtimestamp(at + drift_s, zone)
            server = f"{told:%b %d %Y %H:%M:%S}.{told.microsecond // 1000:03d} {_offset(self.zone_minutes, '')}"
        self.lines.append(f"{stamp}: : {HOST}: {server}: {origin} : {text}")

    def text(self) -> str:
        """The file."""
        return "\n".join([self.browser, *self.lines, ""])


def _offset(minutes: int, colon: str) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


def iso(at: float) -> str:
    """A moment as browsers write it."""
    when = datetime.fromtimestamp(at, UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z"


def har(exchanges: list[Exchange]) -> bytes:
    """A HAR as Chrome exports it; tunnels are not seen there, a request that fails in one is."""
    rows = []
    for one in exchanges:
        if one.method == "CONNECT":
            continue
        row: dict[str, object] = {
            "startedDateTime": iso(one.begin),
            "time": -1 if one.end is None else round((one.end - one.begin) * 1000, 3),
            "request": {
                "method": one.method,
                "url": one.url,
                "httpVersion": "HTTP/1.1",
                "headers": [{"name": "Authorization", "value": one.authorization}] if one.authorization else [],
                "postData": {"mimeType": "text/xml", "text": one.request},
            },
            "response": {
                "status": one.status,
                "content": {"size": len(one.answer), "mimeType": one.answer_type, "text": one.answer},
            },
        }
        if one.error:
            row["response"] = {**row["response"], "_error": one.error}  # type: ignore[dict-item]
        rows.append(row)
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "WebInspector"}, "entries": rows}}).encode()


def saz(exchanges: list[Exchange]) -> bytes:
    """The same as Fiddler saves it, with decryption on. What failed behind a tunnel is not there: Fiddler is the
    proxy."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        number = 0
        for one in exchanges:
            if one.error == "net::ERR_TUNNEL_CONNECTION_FAILED":
                continue
            number += 1
            head = [f"{one.method} {one.url} HTTP/1.1", f"Host: {HOST}"]
            if one.authorization:
                head.append(f"Authorization: {one.authorization}")
            _part(archive, f"raw/{number:04d}_c.txt", head, one.request)
            if one.status:
                answer = [f"HTTP/1.1 {one.status} -", f"Content-Type: {one.answer_type}"]
                _part(archive, f"raw/{number:04d}_s.txt", answer, one.answer)
            else:
                archive.writestr(f"raw/{number:04d}_s.txt", "")
            ended = one.end is not None
            done = iso(one.end) if one.end is not None else "0001-01-01T00:00:00"
            aborted = ' Aborted="true"' if ended and not one.status else ""
            archive.writestr(
                f"raw/{number:04d}_m.xml",
                f'\N{ZERO WIDTH NO-BREAK SPACE}<Session SID="{number}"{aborted}>'
                f'<SessionTimers ClientBeginRequest="{iso(one.begin)}" ClientDoneResponse="{done}" />'
                f'<SessionFlags><SessionFlag N="x-responsebodytransferlength" V="{len(one.answer):,}" />'
                f"</SessionFlags></Session>",
            )
    return out.getvalue()


def _part(archive: zipfile.ZipFile, name: str, head: list[str], body: str) -> None:
    archive.writestr(name, "\r\n".join([*head, f"Content-Length: {len(body)}", "", body]))

"""Client logs: Send Error Report, locallog, the desktop's lines in a browser console.

Theory: e-mail joins records into one line and breaks others, so records are found by their stamp anywhere in the text,
not by line ends.
Source: diagnosis notes 1.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from poise.diagnosis.events import Event, Kind, Place, agent_of, shown
from poise.diagnosis.evidence import Evidence

FORM = "client log"

STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{3}) ([+-])(\d\d):?(\d\d): ?(\S*): ?")
JOINED = re.compile(rb"T\d\d:\d\d:\d\d\.\d{3} [+-]")
"""Part of a second stamp in a line, which is found much faster than a whole one."""
DRIFT = re.compile(rb"Drift: *(?P<drift>-?\d+) *ms, *Network Latency \(round trip\): *(?P<rtt>-?\d+) *ms")
STATUS = re.compile(rb"(?:Connection status: |notifying listeners of status=)(?P<word>[\w-]+)")
ANSWER = re.compile(rb"requestId='(?P<id>[^']*)', Returned with status=(?P<status>\d+)")
ASKED = re.compile(
    rb"(?P<type>\w+): requestId='(?P<id>[^']*)', Making REST request: method=(?P<method>\w+), url='(?P<url>[^']*)'"
)
USER = re.compile(rb"/finesse/api/User/(?P<user>[\w.-]+)")
BROWSER = re.compile(rb"^(?:\xef\xbb\xbf)?(Mozilla/[^\r\n]{10,400})")
SERVER_TIME = re.compile(rb"([A-Z][a-z]{2} [ \d]\d \d{4} \d\d:\d\d:\d\d)\.(\d{3}) ([+-]\d{4})")
SENTENCES: tuple[tuple[re.Pattern[bytes], Kind], ...] = (
    (re.compile(rb"Finesse logger initialized|logger has been initialized"), Kind.PAGE_LOADED),
    (re.compile(rb"network timeout retry"), Kind.RETRY),
    (re.compile(rb"net::ERR_CERT|unknown_ca|SEC_ERROR"), Kind.NO_TRUST),
)
TELLING = (
    b"requestId='",
    b"Drift:",
    b"onnection status:",
    b"of status=",
    b"nitialized",
    b"network timeout retry",
    b"net::ERR_CERT",
    b"unknown_ca",
    b"SEC_ERROR",
)
"""Words of the lines that tell something: looked for before any pattern is tried, since most lines have none."""
PENDING_LIMIT = 1_000


class ClientLogReader:
    """Reads one file."""

    def __init__(self, evidence: Evidence, file: int) -> None:
        self._evidence = evidence
        self._file = file
        self._pending: dict[bytes, tuple[float, bytes]] = {}
        self._agent = ""
        self._first = len(evidence.events)

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all records; at the end every event knows whose browser it was, when any line told."""
        file = self._evidence.files[self._file]
        file.clock.source = "in every line"
        number, seen = 0, False
        for number, line in enumerate(lines, 1):
            whole = STAMP.match(line)
            if whole is not None and seen and JOINED.search(line, whole.end()) is None:
                file.understood += 1
                self._record(number, whole, line)
                continue
            starts = list(STAMP.finditer(line))
            if not starts:
                browser = BROWSER.match(line)
                if browser:
                    self._browser = browser[1].decode("utf-8", "replace")
                elif not seen and line.strip() and not line.startswith(b"#"):
                    self._evidence.not_understood(self._file, number, line)
                    continue
                file.understood += 1
                continue
            file.understood += 1
            for match, until in zip(starts, [*(m.start() for m in starts[1:]), len(line)], strict=True):
                self._record(number, match, line[match.start() : until])
                if not seen and self._browser:
                    self._add(Kind.BROWSER, number, self._browser.encode(), word=self._browser)
                seen = True
        file.lines += number
        if self._agent:
            mine = self._evidence.events
            for index in range(self._first, len(mine)):
                if not mine[index].agent:
                    mine[index] = mine[index]._replace(agent=self._agent)

    _browser = ""
    _stamp: tuple[bytes, ...] = ()
    _whole = 0.0
    _at = 0.0

    def _record(self, number: int, start: re.Match[bytes], record: bytes) -> None:
        if not self._time(start):
            return
        text = record[start.end() - start.start() :]
        if not self._agent and (user := USER.search(text)):
            self._agent = agent_of(user["user"].decode("utf-8", "replace"))
        if not any(word in text for word in TELLING):
            return
        if match := DRIFT.search(text):
            self._add(Kind.DRIFT, number, record, number_=float(match["drift"]), second=float(match["rtt"]))
        elif match := STATUS.search(text):
            self._add(Kind.CONNECTION, number, record, word=match["word"].decode())
        elif match := ASKED.search(text):
            if len(self._pending) < PENDING_LIMIT:
                self._pending[match["id"]] = (self._at, match["type"])
        elif match := ANSWER.search(text):
            asked = self._pending.pop(match["id"], None)
            took = (self._at - asked[0]) * 1000 if asked else None
            self._add(
                Kind.REST,
                number,
                record,
                word=asked[1].decode() if asked else "",
                number_=float(match["status"]),
                second=took,
            )
        else:
            for pattern, kind in SENTENCES:
                if pattern.search(text):
                    self._add(kind, number, record)
                    break

    def _time(self, start: re.Match[bytes]) -> bool:
        stamp = (start[1], start[3], start[4], start[5])
        if stamp != self._stamp:
            try:
                whole = datetime.fromisoformat(start[1].decode("ascii")).replace(tzinfo=UTC)
            except ValueError:
                return False
            zone = timedelta(hours=int(start[4]), minutes=int(start[5]))
            self._evidence.files[self._file].zone_s = zone.total_seconds() * (1 if start[3] == b"+" else -1)
            self._whole = (whole - zone if start[3] == b"+" else whole + zone).timestamp()
            self._stamp = stamp
        self._at = self._whole + int(start[2]) / 1000
        self._evidence.files[self._file].span(self._at)
        return True

    def _add(
        self,
        kind: Kind,
        number: int,
        raw: bytes,
        word: str = "",
        number_: float | None = None,
        second: float | None = None,
    ) -> None:
        self._evidence.add(
            Event(self._at, kind, Place(self._file, number), self._agent, "", word, number_, second, shown(raw))
        )

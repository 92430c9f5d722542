"""Access logs of Tomcat and of the web server in front (nginx), and nginx's error log.

Theory: a full system leaves six million polls a day, so only those are passed on that tell something: failures, and the
two around a pause. Who asked is known by address alone; `attribution` gives it a name later.

Source: Tomcat's AccessLogValve and nginx's combined format; the Cisco form is a sample (diagnosis notes 1.7).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from poise.diagnosis.events import Event, Kind, Place, agent_of, shown
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers.exchanges import USER, Exchange, came

FORM = "access log"
ERROR_FORM = "nginx error log"
CLIENTS_LIMIT = 20_000
PAUSE_S = 45.0
"""Pause between an answer and the next poll from which on both are told."""

MONTHS = {name: number for number, name in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(), 1)}
STAMP = re.compile(rb"\[(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\]")
CISCO = re.compile(
    rb"(?:\[[^\]]+\] )?(?P<remote>[\d.:a-fA-F]+) \S+ \S+ \S+ (?:\[[^\]]+\] )?(?P<port>\d{2,5}) (?P<method>[A-Z]+) "
    rb"(?P<url>\S+) +HTTP/[\d.]+ (?P<status>\d{3}) (?P<bytes>\d+|-) (?P<ms>\d+|-)"
)
COMBINED = re.compile(
    rb"(?P<remote>[\d.:a-fA-F]+) \S+ (?P<user>\S+) \[[^\]]+\] \"(?P<method>[A-Z]+) (?P<url>\S+) HTTP/[\d.]+\" "
    rb"(?P<status>\d{3}) (?P<bytes>\d+|-)(?: (?P<ms>\d+))?(?: \"[^\"]*\" \"[^\"]*\")?(?: (?P<s>\d+\.\d+))?"
)
NGINX_ERROR = re.compile(rb"(\d{4})/(\d\d)/(\d\d) (\d\d):(\d\d):(\d\d) \[(?P<level>\w+)\] [^:]*: (?P<text>.*)")
CLIENT = re.compile(rb"client: (?P<client>[\d.:a-fA-F]+)")
ERRORS = ((b"upstream timed out", 504), (b"refused", 502), (b"prematurely closed", 502), (b"reset by peer", 502))
"""What nginx says, and the status it then answers."""

_Poll = tuple[float, float | None, int, str, bytes, str, int]


class AccessReader:
    """Reads one access log."""

    def __init__(self, evidence: Evidence, file: int) -> None:
        self._evidence = evidence
        self._file = file
        self._last: OrderedDict[str, _Poll] = OrderedDict()
        self._told: set[int] = set()

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all lines."""
        file, number = self._evidence.files[self._file], 0
        file.clock.source = "in every line"
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith(b"# ") or self._line(number, line[:8192]):
                file.understood += 1
            else:
                self._evidence.not_understood(self._file, number, line)
        for poll in self._last.values():
            self._tell(poll)
        file.lines += number

    def _line(self, number: int, line: bytes) -> bool:
        match = CISCO.match(line) or COMBINED.match(line)
        if match is None:
            return False
        groups = match.groupdict()
        ms = float(groups["ms"]) if (groups.get("ms") or b"-").isdigit() else None
        if groups.get("s"):
            ms = float(groups["s"]) * 1000
        ended = self._time(line)
        began = ended - (ms or 0.0) / 1000 if ended else 0.0
        if ended:
            self._evidence.files[self._file].span(ended)
        url, status = groups["url"].decode("latin-1"), int(groups["status"])
        client = groups["remote"].decode("latin-1")
        if (user := USER.search(url)) is not None and status < 400:
            self._evidence.seen(agent_of(user[1]), client)
        elif (name := groups.get("user") or b"-") != b"-":
            self._evidence.seen(agent_of(name.decode("latin-1")), client)
        if "http-bind" not in url:
            if status in (401, 503) and "/finesse/api/" in url:
                self._add(Kind.REST, began, number, client, url.rpartition("/finesse/api/")[2], status, ms, line)
            return True
        size = int(groups["bytes"]) if groups["bytes"].isdigit() else None
        method = groups["method"].decode("ascii")
        if method == "OPTIONS":
            return True
        word = came(Exchange(number, began, method, url, status, ms, answer_bytes=size), ended)
        poll: _Poll = (began, ms, number, client, line, word, status)
        before = self._last.get(client)
        if word not in ("empty", "data") or (before and began - before[0] - (before[1] or 0) / 1000 > PAUSE_S):
            if before is not None:
                self._tell(before)
            self._tell(poll)
        self._last[client] = poll
        self._last.move_to_end(client)
        if len(self._last) > CLIENTS_LIMIT:
            self._last.popitem(last=False)
        return True

    def _tell(self, poll: _Poll) -> None:
        at, ms, number, client, line, word, status = poll
        if at and number not in self._told:
            self._told.add(number)
            self._add(Kind.POLL, at, number, client, word, status, ms, line)

    def _add(
        self, kind: Kind, at: float, number: int, client: str, word: str, status: int, ms: float | None, line: bytes
    ) -> None:
        self._evidence.add(Event(at, kind, Place(self._file, number), client, "", word, float(status), ms, shown(line)))

    @staticmethod
    def _time(line: bytes) -> float:
        match = STAMP.search(line)
        if match is None or match[2] not in MONTHS:
            return 0.0
        day, year, hour, minute, second = (int(match[index]) for index in (1, 3, 4, 5, 6))
        try:
            when = datetime(year, MONTHS[match[2]], day, hour, minute, second, tzinfo=UTC)
        except ValueError:
            return 0.0
        zone = timedelta(hours=int(match[8]), minutes=int(match[9]))
        return (when - zone if match[7] == b"+" else when + zone).timestamp()


class NginxErrorReader:
    """Reads one error log: what it says of polls."""

    def __init__(self, evidence: Evidence, file: int) -> None:
        self._evidence = evidence
        self._file = file

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all lines."""
        file, number = self._evidence.files[self._file], 0
        for number, line in enumerate(lines, 1):
            match = NGINX_ERROR.match(line)
            if match is None:
                if line.strip():
                    self._evidence.not_understood(self._file, number, line)
                continue
            file.understood += 1
            try:
                parts = [int(part) for part in match.groups()[:6]]
                at = datetime(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], tzinfo=UTC).timestamp()
            except ValueError:
                continue
            file.span(at)
            client = CLIENT.search(match["text"])
            for words, status in ERRORS:
                if words in match["text"] and b"http-bind" in match["text"] and client is not None:
                    place, name = Place(self._file, number), client["client"].decode("ascii")
                    self._evidence.add(
                        Event(at, Kind.POLL, place, name, "", "gateway", float(status), None, shown(line))
                    )
                    break
        file.lines += number

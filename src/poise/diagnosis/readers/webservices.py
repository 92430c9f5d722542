"""Desktop-webservices and the other CCBU logs: one record a line, or several.

Theory: what stands before the text is read from the right, because thread names hold anything; values nest brackets,
so they are looked
up by key instead of split. A record ends where the next begins.

Source: diagnosis notes 1.2, the seed.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from poise.diagnosis.events import Event, Kind, Place, agent_of, shown
from poise.diagnosis.evidence import Evidence

FORM = "web services log"
RECORD_LIMIT = 65_536
"""Bytes of one record: the longest known, with 200 call variables, has 30,000."""
HEADERS_LIMIT = 4_096
AGENTS_LIMIT = 20_000
"""Agents at work whose last state is remembered."""

RECORD = re.compile(
    rb"(?:(?P<seq>\d{10}): )?(?:[^%]{0,300}?: )?"
    rb"(?P<stamp>[A-Z][a-z]{2} [ \d]\d \d{4} \d\d:\d\d:\d\d)\.(?P<ms>\d{3}) (?P<zone>[+-]\d{4}): ?%CCBU_"
)
HEADER = re.compile(rb"(?P<thread>.*)-(?P<severity>[0-7])-(?P<mnemonic>.+)", re.DOTALL)

AGENT = re.compile(
    rb"(?:agent_?[iI][dD](?:_Long)?|agentid|user|loginId|userId|JID|jid|from)\s*[=:]\s*"
    rb"'?\"?(?!null\b)(?P<agent>[\w.@/-]+)"
)
"""UCCX names agents in agentID_Long and leaves agentID null."""
STATE = re.compile(rb"\bagent_?[sS]tate\s*[=:]\s*(?P<number>\d+)(?: \((?P<name>[A-Z_]+)\))?")
REASON = re.compile(rb"(?:eventReasonCode=|reason ?code\s*[:=]\s*|reason_code=)(?P<reason>\d+)")
FORCED = re.compile(rb"force(?:d)?flag\s*[:=]\s*(?P<flag>\d)")
PRESENCE = re.compile(rb"\b(?P<word>un)?available\b", re.IGNORECASE)
RECEIVED = re.compile(rb'"CTI_MSG_RECEIVED":(\d{13})')
ADDRESS = re.compile(rb"\[user=(?P<user>[\w.@-]+)\]\[address=(?P<address>[\d.]+)\]")
KILLED = re.compile(rb"jid=[^\]]+")
DEPLOYMENT = re.compile(rb"deploymentType=(CC[EX])")

STATES = (
    "LOGIN",
    "LOGOUT",
    "NOT_READY",
    "READY",
    "TALKING",
    "WORK",
    "WORK_READY",
    "BUSY_OTHER",
    "RESERVED",
    "UNKNOWN",
    "HOLD",
    "ACTIVE",
    "PAUSED",
    "INTERRUPTED",
    "NOT_ACTIVE",
)
"""GED-188 AgentState by number."""

FIXED: tuple[tuple[bytes, Kind], ...] = (
    (b"PRESENCE DRIVEN LOGOUT", Kind.FORCED_LOGOUT),
    (b"PRESENCE_DRIVEN_LOGOUT", Kind.FORCED_LOGOUT),
    (b"AGENT_PRESENCE_MONITOR", Kind.GRACE),
    (b"AGENT_PRESENT_MONITOR", Kind.GRACE),
    (b"CTI_CONNECTION_LOST", Kind.CTI_DOWN),
    (b"CTI_SOCKET_ERROR", Kind.CTI_DOWN),
    (b"CTI_CONNECTION_RETRIES_EXCEEDED", Kind.CTI_DOWN),
    (b"CTI_OPEN_FAILURE", Kind.CTI_DOWN),
    (b"CTI_CONNECTION_ESTABLISHED", Kind.CTI_UP),
    (b"UNABLE_TO_CONNECT_TO_XMPP_SERVER", Kind.XMPP_DOWN),
    (b"CONNECTED_TO_XMPP_SERVER", Kind.XMPP_UP),
    (b"AWDB_NOT_ACCESSIBLE", Kind.DIRECTORY_DOWN),
    (b"QUEUE STATISTICS POLLING ERROR", Kind.OVERLOAD),
)
"""Mnemonics that say it all by their first letters; longer ones first."""


class WebServicesReader:
    """Reads one file."""

    def __init__(self, evidence: Evidence, file: int) -> None:
        self._evidence = evidence
        self._file = file
        self._stamp = b""
        self._at = 0.0
        self._headers: dict[bytes, tuple[str, bytes] | None] = {}
        self._kinds: dict[bytes, Kind | str] = {}
        self._settled: OrderedDict[str, None] = OrderedDict()

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all records."""
        evidence, file = self._evidence, self._evidence.files[self._file]
        file.clock.source = "in every line"
        for number, count, record in records(lines, file):
            if self._record(number, record):
                file.understood += count
            else:
                evidence.not_understood(self._file, number, record)

    def _record(self, number: int, record: bytes) -> bool:
        start = RECORD.match(record)
        if start is None:
            return False
        if not self._time(start):
            return False
        file = self._evidence.files[self._file]
        file.span(self._at)
        colon = record.find(b": ", start.end())
        newline = record.find(b"\n", start.end())
        end = min(place for place in (colon, newline, len(record)) if place >= 0)
        header = record[start.end() : end].rstrip()
        mnemonic = self._mnemonic(header)
        if mnemonic is None:
            return False
        self._say(number, mnemonic, record[end:], record)
        return True

    def _time(self, start: re.Match[bytes]) -> bool:
        stamp = start["stamp"] + start["zone"]
        if stamp != self._stamp:
            try:
                when = datetime.strptime(stamp.decode("ascii"), "%b %d %Y %H:%M:%S%z")
            except ValueError:
                return False
            self._stamp, self._whole = stamp, when.astimezone(UTC).timestamp()
            zone = when.utcoffset()
            self._evidence.files[self._file].zone_s = zone.total_seconds() if zone is not None else None
        self._at = self._whole + int(start["ms"]) / 1000
        return True

    _whole = 0.0

    def _mnemonic(self, header: bytes) -> bytes | None:
        known = self._headers.get(header)
        if known is None and header not in self._headers:
            match = HEADER.fullmatch(header)
            known = (match["thread"].decode("utf-8", "replace"), match["mnemonic"]) if match else None
            if len(self._headers) < HEADERS_LIMIT:
                self._headers[header] = known
        return known[1] if known else None

    def _say(self, number: int, mnemonic: bytes, body: bytes, record: bytes) -> None:
        kind = self._kinds.get(mnemonic)
        if kind is None:
            kind = _meaning(mnemonic)
            if len(self._kinds) < HEADERS_LIMIT:
                self._kinds[mnemonic] = kind
        if kind == "cti":
            self._cti(number, mnemonic, body, record)
        elif isinstance(kind, Kind):
            if kind is Kind.GRACE and b"waits" not in body and b"still" not in body and b"cancel" in body:
                kind = Kind.GRACE_CANCELLED
            self._add(kind, number, body, record)
        elif kind == "request" and (who := ADDRESS.search(body)):
            self._evidence.seen(agent_of(who["user"].decode("utf-8", "replace")), who["address"].decode("ascii"))
        elif kind == "killed" and (jid := KILLED.search(body)):
            self._add(Kind.TERMINATED, number, jid[0], record, word="killed")
        elif kind == "presence":
            self._presence(number, mnemonic, body, record)
        elif kind == "system":
            out = b"OUT_OF_SERVICE" in body
            self._add(Kind.OUT_OF_SERVICE if out else Kind.IN_SERVICE, number, body, record)
        elif b"not well-formed" in body or b"invalid XML character" in body:
            self._add(Kind.BAD_XML, number, body, record)
        elif b"OutOfMemoryError" in body:
            self._add(Kind.OUT_OF_MEMORY, number, body, record)

    def _presence(self, number: int, mnemonic: bytes, body: bytes, record: bytes) -> None:
        """Presence, in words of several releases. A line cut off before it says which can only mean that something
        changed: what follows tells."""
        if b"cancel" in body:
            self._add(Kind.GRACE_CANCELLED, number, body, record)
            return
        match = PRESENCE.search(body)
        if mnemonic.startswith(b"UNSUBSCRIBED") or (match is not None and match["word"]):
            self._add(Kind.UNAVAILABLE, number, body, record)
        elif match is not None:
            self._add(Kind.AVAILABLE, number, body, record)

    def _cti(self, number: int, mnemonic: bytes, body: bytes, record: bytes) -> None:
        epoch = RECEIVED.search(body)
        if epoch is not None and len(self._evidence.files[self._file].epochs) < 64:
            self._evidence.files[self._file].epochs.append((self._at, int(epoch[1]) / 1000))
        state = STATE.search(body)
        reason = REASON.search(body)
        if state is None and not (reason and mnemonic.startswith(b"MESSAGE_TO")):
            return
        name = ""
        if state is not None:
            index = int(state["number"])
            name = (
                state["name"].decode("ascii") if state["name"] else STATES[index] if index < len(STATES) else str(index)
            )
        if name not in ("", "LOGOUT", "NOT_READY") and not self._news(body):
            return
        forced = FORCED.search(body)
        deployment = DEPLOYMENT.search(body)
        if name in ("LOGOUT", "NOT_READY") and (agent := AGENT.search(body)) is not None:
            self._settled.pop(agent["agent"].decode("utf-8", "replace"), None)
        kind = Kind.CTI_STATE if mnemonic.startswith(b"DECODED") else Kind.CTI_REQUEST
        self._add(
            kind,
            number,
            body,
            record,
            word=name,
            value=float(reason["reason"]) if reason else None,
            second=float(forced["flag"])
            if forced
            else {b"CCE": 2.0, b"CCX": 3.0}[deployment[1]]
            if deployment
            else None,
        )

    def _news(self, body: bytes) -> bool:
        """Whether an agent comes to work; all his calls after that tell nothing here, and there are millions."""
        agent = AGENT.search(body)
        name = agent["agent"].decode("utf-8", "replace") if agent else ""
        if name in self._settled:
            return False
        self._settled[name] = None
        if len(self._settled) > AGENTS_LIMIT:
            self._settled.popitem(last=False)
        return True

    def _add(
        self,
        kind: Kind,
        number: int,
        body: bytes,
        record: bytes,
        word: str = "",
        value: float | None = None,
        second: float | None = None,
    ) -> None:
        agent = AGENT.search(body)
        name = agent_of(agent["agent"].decode("utf-8", "replace")) if agent else ""
        self._evidence.add(
            Event(
                self._at,
                kind,
                Place(self._file, number),
                name,
                "",
                word,
                value,
                second,
                shown(record.replace(b"\n", b" ")),
            )
        )


def _meaning(mnemonic: bytes) -> Kind | str:
    """What a mnemonic says by itself, or which words must be looked at."""
    if mnemonic.startswith((b"DECODED_MESSAGE", b"MESSAGE_TO_CTI")):
        return "cti"
    for start, kind in FIXED:
        if mnemonic.startswith(start):
            return kind
    if mnemonic.startswith(b"REQUEST_END"):
        return "request"
    if mnemonic.startswith(b"AUDIT_SESSION_KILLED"):
        return "killed"
    if b"PRESEN" in mnemonic or mnemonic.startswith(b"UNSUBSCRIBED"):
        return "presence"
    return "system" if mnemonic.startswith((b"OF_STATE_CHANGED", b"SYSTEM_STATUS")) else "other"


def records(lines: Iterable[bytes], file: object = None) -> Iterator[tuple[int, int, bytes]]:
    """(number of the first line, number of lines, text) of each record. A line without the mark of a record goes on
    with the one before."""
    first, count, parts, size = 0, 0, [b""], 0
    number = 0
    for number, line in enumerate(lines, 1):
        if b"%CCBU_" in line or first == 0:
            if first:
                yield first, count, b"".join(parts)
            first, count, parts, size = number, 1, [line], len(line)
        else:
            count += 1
            if size < RECORD_LIMIT:
                parts.append(line)
                size += len(line)
    if first:
        yield first, count, b"".join(parts)
    if file is not None:
        file.lines += number  # type: ignore[attr-defined]

"""Openfire's logs of all generations: Finesse's build, log4j 1, log4j 2, the one file of 4.7 and later, and stdout.

Theory: a debug log is mostly noise, so a line is first judged by five bytes behind its stamp; only a line that may
matter is
matched. Requests and ticks come by the million, so they are not passed on one by one: a session remembers its last
zero tick and last
request, and hands them on when something follows that makes them tell (a growing idle time, an ending).

Source: docs of the seed, grammar of Openfire's releases 3.7 to 5.x (diagnosis notes 1.1).
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from poise.diagnosis.events import Event, Kind, Place, agent_of, shown
from poise.diagnosis.evidence import Evidence

FORM = "Openfire log"
SESSIONS_LIMIT = 20_000
"""Sessions whose last request is remembered, ten times the agents of a full system; the oldest goes first."""

STAMP = re.compile(rb"(\d{4})\.(\d\d)\.(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{3}))? ")
JAVA_DATE = re.compile(rb"[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [A-Z]{2,5} \d{4}: ")

_JID = (
    rb"(?:HttpSession\{address=(?P<object>[^,}]+), streamID=(?P<stream>[^,}]+).*"
    rb"|(?P<jid>.+?)(?: from IP (?P<ip>\S+).*)?$)"
)
TICK = re.compile(
    rb"Session (?:\(id=(?P<sid>[^)]+)\) |(?P<plain>(?!was )\S+) )?was last active "
    rb"(?:(?P<ms>\d+) ms|PT(?P<iso>[\dHMS.]+)) ago: " + _JID
)
CLOSING = re.compile(rb"Closing idle session(?: \(id=(?P<sid>[^)]+)\)| (?P<plain>[^:\s]+))?: " + _JID)
CLOSED = re.compile(rb"A session is closed for (?P<jid>.+)")
RECV = re.compile(rb"HTTP RECV\((?P<sid>[^)]*)\): (?P<body>.*)")
ERR = re.compile(rb"HTTP ERR\((?P<sid>[^)]*)\): (?P<what>.*)")
SENT_END = re.compile(
    rb"HTTP SENT\((?P<sid>[^)]*)\): <body[^>]*\btype=['\"]terminate['\"]"
    rb"(?:[^>]*\bcondition=['\"](?P<condition>[\w-]+))?"
)
INVALID = re.compile(rb"Client provided invalid session: (?P<sid>\S+?)\.? ?(?:\[(?P<ip>[^\]]*)\])?\.?$")
WINDOW = re.compile(
    rb"(?:Request (?P<rid>\d+) > \d+, ending session|Deliverable unavailable for (?P<lost>\d+))"
    rb"(?: ?(?:on|in|session)* (?P<sid>\S+))?"
)
OVER = re.compile(rb"Overactivity detected(?: in session \(id=(?P<sid>[^)]+)\): (?P<jid>[^:]+))?")
EPOCH = re.compile(rb"time=(?P<ms>\d{13}),JID=(?P<jid>[^,]*)")
OFFLINE = re.compile(rb"Unable to route packet\. No session is available so store offline\.(?P<stanza>.*)")
TO = re.compile(rb"\bto=['\"](?P<jid>[^'\"]+)")
RID = re.compile(rb"\brid=['\"](\d+)")
ISO = re.compile(r"(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?$")
STALL = re.compile(rb"The server did not run for (?P<s>[\d.]+) s")

NOISE = frozenset(
    [
        b"REQUE",
        b"scope",
        b"conte",
        b"sessi",
        b"servl",
        b"chain",
        b"suspe",
        b"Launc",
        b"Exiti",
        b"consu",
        b"RESPO",
        b"resum",
        b"compl",
    ]
)
"""First bytes of lines that are understood and tell nothing more."""
SILENCE_S = 90
"""Seconds without any line in a log that has ticks every 30 s: three are missing."""


class OpenfireReader:
    """Reads one file; made anew for each."""

    def __init__(self, evidence: Evidence, file: int) -> None:
        self._evidence = evidence
        self._file = file
        self._whole = 0.0
        self._at = 0.0
        self._ticks = False
        self._last: OrderedDict[str, tuple[float, int, str, bytes]] = OrderedDict()
        self._zero: OrderedDict[str, tuple[float, int, str, bytes]] = OrderedDict()
        self._agents: OrderedDict[str, str] = OrderedDict()

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all lines."""
        known, noise = HEADS, NOISE
        number = understood = 0
        second, start = b"", 20
        for number, line in enumerate(lines, 1):
            if line[:19] != second:
                if not self._stamp(line, number):
                    if self._unstamped(number, line):
                        understood += 1
                    else:
                        self._evidence.not_understood(self._file, number, line)
                    continue
                second, start = line[:19], 24 if line[19:20] == b"." else 20
            head = line[start : start + 5]
            if head in noise:
                understood += 1
                continue
            if start == 24 and line[20:23].isdigit():
                self._at = self._whole + int(line[20:23]) / 1000
            if known.get(head, _any)(self, number, line[start:].rstrip()):
                understood += 1
            else:
                self._evidence.not_understood(self._file, number, line[start:])
        file = self._evidence.files[self._file]
        file.lines += number
        file.understood += understood

    def _stamp(self, line: bytes, number: int) -> bool:
        match = STAMP.match(line)
        if match is None:
            return False
        try:
            year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
            whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            return False
        if self._whole and whole - self._whole > SILENCE_S and self._ticks:
            self._at = whole
            self.event(Kind.SILENCE, number, line, number=whole - self._whole)
        self._at = self._whole = whole
        self._evidence.files[self._file].span(whole)
        return True

    def _unstamped(self, number: int, line: bytes) -> bool:
        """A line of its own form: stdout of old releases, or the rest of the line before."""
        java = JAVA_DATE.match(line)
        if java is not None:
            try:
                parts = java[0].decode("ascii").rstrip(": ").split()
                when = datetime.strptime(" ".join([*parts[:4], parts[5], "+0000"]), "%a %b %d %H:%M:%S %Y %z")
            except (ValueError, UnicodeDecodeError):
                return False
            self._at = when.timestamp()
            return _any(self, number, line[java.end() :])
        return self._whole != 0.0

    # what lines say

    def event(self, kind: Kind, line: int, raw: bytes, **more: object) -> None:
        """Add one event of the present moment."""
        place = Place(self._file, line)
        self._evidence.add(Event(self._at, kind, place, text=shown(raw), **more))  # type: ignore[arg-type]

    def remember(
        self, store: OrderedDict[str, tuple[float, int, str, bytes]], sid: str, number: int, agent: str, raw: bytes
    ) -> None:
        """The newest fact of its kind about a session replaces the one before."""
        store[sid] = (self._at, number, agent, raw)
        store.move_to_end(sid)
        if len(store) > SESSIONS_LIMIT:
            store.popitem(last=False)

    def tell_before(self, sid: str, agent: str) -> None:
        """Something happened to the session: now its last request and last zero tick tell something."""
        for store, kind in ((self._zero, Kind.IDLE), (self._last, Kind.REQUEST)):
            found = store.pop(sid, None) if sid else None
            if found is None:
                continue
            at, number, known, raw = found
            rid = RID.search(raw)
            number_of = 0.0 if kind is Kind.IDLE else float(rid[1]) if rid else None
            self._evidence.add(
                Event(at, kind, Place(self._file, number), agent or known, sid, "", number_of, None, shown(raw))
            )

    def request(self, sid: str, number: int, raw: bytes) -> None:
        """A request came in."""
        before = self._last.get(sid)
        if before is not None and self._at - before[0] > 45:
            self.tell_before(sid, self._agents.get(sid, ""))
        self.remember(self._last, sid, number, self._agents.get(sid, ""), raw)

    def tick(self, number: int, message: bytes) -> bool:
        """The reaper's look at a session."""
        match = TICK.match(message)
        if match is None:
            return False
        self._ticks = True
        sid, agent = self._who(match)
        idle = float(match["ms"]) if match["ms"] else _iso_ms(match["iso"].decode())
        if idle == 0:
            self.remember(self._zero, sid or agent, number, agent, message)
        else:
            self.tell_before(sid or agent, agent)
            self.event(Kind.IDLE, number, message, agent=agent, session=sid, number=idle, word=_text(match["ip"]))
        return True

    def closing(self, number: int, message: bytes) -> bool:
        """The reaper closes a session."""
        match = CLOSING.match(message)
        if match is None:
            return False
        sid, agent = self._who(match)
        self.tell_before(sid or agent, agent)
        self.event(Kind.IDLE_CLOSE, number, message, agent=agent, session=sid, word=_text(match["ip"]))
        return True

    def _who(self, match: re.Match[bytes]) -> tuple[str, str]:
        sid = _text(match["sid"] or match["plain"] or match["stream"])
        agent = agent_of(_text(match["jid"] or match["object"]))
        if sid and agent:
            if self._agents.get(sid) != agent or match["ip"]:
                self._evidence.seen(agent, _text(match["ip"]))
            self._agents[sid] = agent
            self._agents.move_to_end(sid)
            if len(self._agents) > SESSIONS_LIMIT:
                self._agents.popitem(last=False)
        return sid, agent

    def http(self, number: int, message: bytes) -> bool:
        """HTTP RECV, SENT, ERR."""
        message = message.removeprefix(b"HTTPBindLog: ")
        if match := RECV.match(message):
            sid = _text(match["sid"])
            if sid and sid != "null":
                self.request(sid, number, message)
            return True
        if match := ERR.match(message):
            sid, what = _text(match["sid"]), _text(match["what"]).rstrip(".")
            word = what.rpartition(", ")[2]
            kind = Kind.UNKNOWN_SESSION if word == "item-not-found" else Kind.TERMINATED
            agent = self._agents.get(sid, "")
            self.tell_before(sid, agent)
            self.event(kind, number, message, agent=agent, session=sid, word=word)
            return True
        if match := SENT_END.match(message):
            sid = _text(match["sid"])
            agent = self._agents.get(sid, "")
            self.tell_before(sid, agent)
            self.event(Kind.TERMINATED, number, message, agent=agent, session=sid, word=_text(match["condition"]))
            return True
        return message.startswith(b"HTTP SENT(")

    def rest(self, number: int, message: bytes) -> bool:
        """Everything that is not a tick, a closing or traffic."""
        for pattern, kind in SENTENCES:
            match = pattern.match(message)
            if match is None:
                continue
            groups = match.groupdict()
            sid, jid = _text(groups.get("sid")).strip(), _text(groups.get("jid"))
            agent = agent_of(jid) if jid else self._agents.get(sid, "")
            if kind in (Kind.OUT_OF_WINDOW, Kind.UNKNOWN_SESSION, Kind.OVERACTIVE):
                self.tell_before(sid, agent)
            seconds = groups.get("s")
            self.event(kind, number, message, agent=agent, session=sid, number=float(seconds) if seconds else None)
            return True
        return False

    def epoch(self, number: int, message: bytes) -> bool:
        """A statistics line: its epoch calibrates the file's clock."""
        match = EPOCH.match(message)
        if match is None:
            return False
        pairs = self._evidence.files[self._file].epochs
        if len(pairs) < 64:
            pairs.append((self._at, int(match["ms"]) / 1000))
        return True

    def offline(self, number: int, message: bytes) -> bool:
        """A stanza found no session."""
        match = OFFLINE.match(message)
        if match is None:
            return False
        to = TO.search(match["stanza"])
        self.event(Kind.STORED_OFFLINE, number, message, agent=agent_of(_text(to["jid"])) if to else "")
        return True


def _text(raw: bytes | None) -> str:
    return raw.decode("utf-8", "replace").strip() if raw else ""


def _iso_ms(text: str) -> float:
    match = ISO.match(text)
    if match is None:
        return 0.0
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return (hours * 3600 + minutes * 60 + seconds) * 1000


SENTENCES = (
    (CLOSED, Kind.SESSION_CLOSED),
    (INVALID, Kind.UNKNOWN_SESSION),
    (WINDOW, Kind.OUT_OF_WINDOW),
    (OVER, Kind.OVERACTIVE),
    (re.compile(rb"HTTP bind service started"), Kind.SERVICE_STARTED),
    (re.compile(rb"HTTP bind service stopped|Openfire stop(?:s|ped)|Server halted"), Kind.SERVICE_STOPPED),
    (re.compile(rb".*OutOfMemoryError"), Kind.OUT_OF_MEMORY),
    (
        re.compile(
            rb".*(?:not well-formed|not-well-formed|XmlPullParserException|invalid XML character|SAXParseException)"
        ),
        Kind.BAD_XML,
    ),
    (STALL, Kind.STALLED),
    (re.compile(rb"Closing session .*conflict|.*stream:error.*<conflict"), Kind.REPLACED),
)
"""Sentences of their own, in the order of trying."""

_Handler = Callable[[OpenfireReader, int, bytes], bool]
_LEVEL = re.compile(
    rb"^(?:\x1b?\[[\d;]*m)?(?:TRACE|DEBUG|INFO|WARN|ERROR|FATAL) *(?:\x1b?\[[\d;]*m)? *(?:\[[^\]]*\]: *)?"
)
_LOGGER = re.compile(rb"^(?:\d{0,3} )?(?:org|com|net|nl|de)\.[\w.$]+ - ")
_INNER_DATE = JAVA_DATE


def _any(reader: OpenfireReader, number: int, message: bytes) -> bool:
    """A line of any generation: what stands before the sentence goes."""
    message = message.rstrip()
    if message[:1].isdigit() and message[3:4] == b" ":
        message = message[4:]
    level = _LEVEL.match(message)
    if level is not None:
        message = message[level.end() :]
    logger = _LOGGER.match(message)
    upstream = logger is not None
    if logger is not None:
        message = message[logger.end() :]
    inner = _INNER_DATE.match(message)
    if inner is not None:
        message = message[inner.end() :]
    for handler in HANDLERS:
        if handler(reader, number, message):
            return True
    return upstream or message[:5] in NOISE  # a logger of upstream names itself: understood, and nothing for us


HANDLERS: tuple[_Handler, ...] = (
    OpenfireReader.tick,
    OpenfireReader.closing,
    OpenfireReader.http,
    OpenfireReader.epoch,
    OpenfireReader.offline,
    OpenfireReader.rest,
)
HEADS: dict[bytes, _Handler] = {
    b"Sessi": OpenfireReader.tick,
    b"HTTPB": OpenfireReader.http,
    b"time=": OpenfireReader.epoch,
    b"Closi": OpenfireReader.closing,
    b"Unabl": OpenfireReader.offline,
}
"""First five bytes of a sentence in Finesse's build: whose line it is. Anything else is tried by all."""

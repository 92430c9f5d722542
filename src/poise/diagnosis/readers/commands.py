"""Output of the commands that the seed asks for, pasted into one file or several, in any order and language of Windows.

Theory: most lines tell by themselves (a table of patterns); the rest are blocks whose first line says what follows: the
counters of PowerShell, whose values stand on the line below their name, and routes, of which only the last hop counts.
Stamps without zone are taken as they are; lines without a stamp have no time and concern the whole of the evidence.

Source: the seed; shapes of `utils service list`, `utils ntp status`, `utils core active list`, `show open ports`, `show
interfaces`, `Get-Counter`, `top`, `tracert`, `traceroute`, `ping`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from poise.diagnosis.events import Event, Kind, Place, shown
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers.plain import Rule, rule

FORM = "command output"
UNSYNCHRONISED = 16.0
"""Stratum of a clock that follows nobody (RFC 5905)."""

SERVICES = rb"(?:Cisco |)(?:Finesse|Unified CCX|CTIManager|Tomcat)[\w ()-]*?"
RULES: tuple[Rule, ...] = (
    rule(
        rf".*?(?P<name>{SERVICES.decode()})\s*\[(?P<state>STARTED|STOPPED|STARTING|STOPPING|DOWN)\]",
        Kind.SERVICE,
        "{name}: {state}",
        when=lambda m: b"Not Activated" not in m.string[m.end() :],
    ),
    rule(r".*\[(?:STARTED|STOPPED|STARTING|STOPPING|DOWN)\]", Kind.SERVICE, when=lambda m: False),
    rule(r".*\bstratum[= :]+(?P<n>\d+)", Kind.STRATUM, "", "n"),
    rule(r".*?(?P<name>core\.\d+\.\d+\.\S+)", Kind.CORE, "name"),
    rule(r".*\b(?P<port>7443|8445|5222|5223|7071)\b.*\bLISTEN", Kind.PORT, "listening", "port"),
    rule(r".*\((?P<n>\d+)% (?:loss|perda|perdidos|de perda)\)", Kind.LOSS, "", "n", lambda m: int(m["n"]) > 0),
    rule(r"\s*\d+ packets transmitted,.*?(?P<n>[\d.]+)% packet loss", Kind.LOSS, "", "n", lambda m: float(m["n"]) > 0),
    rule(
        r".*?(?P<n>\d+) (?:input errors|output errors|output drops|CRC)",
        Kind.LOSS,
        "interface errors",
        "n",
        lambda m: int(m["n"]) > 0,
    ),
    rule(
        r".*Input queue: \d+/\d+/(?P<in>\d+)/\d+.*Total output drops: (?P<n>\d+)",
        Kind.LOSS,
        "queue drops",
        "n",
        lambda m: int(m["n"]) > 0 or int(m["in"]) > 0,
    ),
    rule(r".*Total output drops: (?P<n>\d+)", Kind.LOSS, "output drops", "n", lambda m: int(m["n"]) > 0),
    rule(
        r"\s*[RT]X packets\s*:?\d+.*?(?:dropped)[: ](?P<n>\d+)",
        Kind.LOSS,
        "interface drops",
        "n",
        lambda m: int(m["n"]) > 0,
    ),
)
"""Lines that say it alone."""

UNDERSTOOD = re.compile(
    rb"\s*(?:=+\s*$|-[- ]+$|remote\s+refid|[*+#ox -]?\S+\s+\S+\s+\d+ [ulbm-] |ntpd |time correct to|polling server|"
    rb"Current time|Executed command|Size\s+Date|Tracing route|over a maximum|traceroute to|Trace complete|"
    rb"rastreamento |Timestamp\s+CounterSamples|Tasks: |Processes: |Load Avg|SharedLibs|MemRegions|VM: |Networks: |"
    rb"Disks: |top - |Pinging |Reply from|Request timed out|Ping statistics|Packets: |Approximate|Minimum|PING |"
    rb"\d+ bytes from|--- |rtt |PID\b|KiB Swap|MiB Swap|\d+ packets (?:in|out)put|\S+ is (?:up|down), line protocol|"
    rb"Hardware is|MTU |\d+ minute (?:in|out)put rate|Queueing strategy|Last (?:input|clearing)|admin:|"
    rb"[\\]{2}\S+.*:\s*$|Received \d+|\d+ (?:runts|output buffer|unknown protocol|lost carrier|babbles))"
)
UNSYNC = re.compile(rb"\s*unsynchroni[sz]ed")
HOP = re.compile(rb"\s*(?P<hop>\d{1,2})\s+(?=.*(?:\*|\bms\b))(?P<rest>.+)")
MS = re.compile(rb"(?:<?(?P<ms>[\d.]+)) ms")
COUNTER = re.compile(
    rb"(?P<stamp>\d[\d/.-]+ [\d:]+(?: [AP]M)?)?\s*[\\]{2}[^\\]+[\\](?P<name>[^:]+?)\s*:\s*(?P<value>[\d.,]+)?\s*$"
)
VALUE = re.compile(rb"\s*(?P<value>[\d.,]+)\s*$")
LINUX_CPU = re.compile(rb"%Cpu\(s\):.*?(?P<idle>[\d.]+) id")
MAC_CPU = re.compile(rb"CPU usage:.*?(?P<idle>[\d.]+)% idle")
LINUX_MEMORY = re.compile(rb"(?P<unit>[KMG])iB Mem *:\s*(?P<total>[\d.]+) total.*")
LINUX_AVAILABLE = re.compile(rb"(?P<unit>[KMG])iB Swap.*?(?P<n>[\d.]+) avail Mem")
MAC_MEMORY = re.compile(rb"PhysMem: .*?(?P<n>\d+)(?P<unit>[MG]) unused")
MAC_TIME = re.compile(rb"(\d{4})/(\d\d)/(\d\d) (\d\d:\d\d:\d\d)\s*$")
CORE_EPOCH = re.compile(r"\.(\d{9,10})$")
STAMPS = ("%m/%d/%Y %I:%M:%S %p", "%d/%m/%Y %H:%M:%S", "%d.%m.%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%Y %H:%M:%S")
"""How Windows writes a moment, by country; the first that fits."""


class CommandReader:
    """Reads one file."""

    def __init__(self, evidence: Evidence, file: int) -> None:
        self._evidence = evidence
        self._file = file
        self._at = 0.0
        self._counter = ""
        self._route: tuple[int, bytes] | None = None

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all lines."""
        file, number = self._evidence.files[self._file], 0
        for number, line in enumerate(lines, 1):
            line = line[:4096]
            if not line.strip() or line.startswith(b"# ") or self._say(number, line):
                file.understood += 1
            else:
                self._evidence.not_understood(self._file, number, line)
        self._end_of_route()
        file.lines += number

    def _say(self, number: int, line: bytes) -> bool:
        if self._measured(number, line):
            return True
        if (hop := HOP.match(line)) is not None and (MS.search(line) or line.count(b"*") >= 2):
            if int(hop["hop"]) == 1:
                self._end_of_route()
            self._route = (number, line) if MS.search(line) else self._route
            return True
        self._end_of_route()
        if UNSYNC.match(line):
            self._tell(Kind.STRATUM, number, line, "unsynchronised", UNSYNCHRONISED)
            return True
        for known in RULES:
            match = known.pattern.match(line)
            if match is not None:
                if known.when is None or known.when(match):
                    word, value = known.values(match)
                    self._tell(known.kind, number, line, word, value)
                return True
        return UNDERSTOOD.match(line) is not None

    def _measured(self, number: int, line: bytes) -> bool:
        """Counters of PowerShell and the heads of `top`."""
        if (counter := COUNTER.match(line)) is not None:
            self._stamp(counter["stamp"])
            self._counter = counter["name"].decode("utf-8", "replace").lower()
            if counter["value"]:
                self._count(number, line, counter["value"])
            return True
        if self._counter and (value := VALUE.match(line)) is not None:
            self._count(number, line, value["value"])
            return True
        if (stamp := MAC_TIME.match(line)) is not None:
            self._stamp(b"-".join(stamp.groups()[:3]) + b" " + stamp[4])
            return True
        if (idle := LINUX_CPU.match(line) or MAC_CPU.match(line)) is not None:
            self._tell(Kind.CPU, number, line, "", round(100 - float(idle["idle"]), 1))
            return True
        if (free := LINUX_AVAILABLE.match(line) or MAC_MEMORY.match(line)) is not None:
            megabytes = float(free["n"]) * {b"K": 1 / 1024, b"M": 1, b"G": 1024}[free["unit"]]
            self._tell(Kind.MEMORY, number, line, "free MB", round(megabytes))
            return True
        return LINUX_MEMORY.match(line) is not None

    def _count(self, number: int, line: bytes, raw: bytes) -> None:
        name, self._counter = self._counter, ""
        try:
            value = float(raw.replace(b",", b"."))
        except ValueError:
            return
        if "processor time" in name or "tempo de processador" in name or "tiempo de procesador" in name:
            self._tell(Kind.CPU, number, line, "", round(value, 1))
        elif "mbytes" in name:
            self._tell(Kind.MEMORY, number, line, "free MB", value)
        elif "committed" in name:
            self._tell(Kind.MEMORY, number, line, "committed %", value)

    def _end_of_route(self) -> None:
        """The last hop that answered tells how long the way is."""
        if self._route is None:
            return
        (number, line), self._route = self._route, None
        times = [float(match["ms"]) for match in MS.finditer(line)]
        self._tell(Kind.PATH, number, line, "", max(times), float(line.count(b"*")))

    def _stamp(self, raw: bytes | None) -> None:
        if not raw:
            return
        text = raw.decode("ascii", "replace").strip()
        for form in STAMPS:
            try:
                self._at = datetime.strptime(text, form).replace(tzinfo=UTC).timestamp()
                return
            except ValueError:
                continue

    def _tell(
        self, kind: Kind, number: int, line: bytes, word: str, value: float | None, second: float | None = None
    ) -> None:
        at = self._at
        if kind is Kind.CORE and (epoch := CORE_EPOCH.search(word)):
            at = float(epoch[1])
        self._evidence.add(Event(at, kind, Place(self._file, number), "", "", word, value, second, shown(line)))

"""Short formats, a table each: access logs, syslog mnemonics, browser consoles, and pasted output of commands.

Source: diagnosis notes 1.4, 1.7, 3.4; commands of the seed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from poise.diagnosis.events import Event, Kind, Place, shown
from poise.diagnosis.evidence import Evidence


class Rule(NamedTuple):
    """One line's pattern and what it means."""

    pattern: re.Pattern[bytes]
    kind: Kind
    word: str = ""
    """Name of the group that becomes `word`, or the word itself."""
    number: str = ""
    """Name of the group that becomes `number`."""
    when: Callable[[re.Match[bytes]], bool] | None = None
    """Only then it tells something; otherwise the line is merely understood."""


def _rule(
    pattern: str, kind: Kind, word: str = "", number: str = "", when: Callable[[re.Match[bytes]], bool] | None = None
) -> Rule:
    return Rule(re.compile(pattern.encode()), kind, word, number, when)


CONSOLE = (
    _rule(
        r".*request errored, status: (?P<status>\d+), number of errors: (?P<n>\d+)", Kind.REQUEST_FAILED, "status", "n"
    ),
    _rule(r".*[Rr]equest (?P<id>[\d.]+) timed out \(secondary\)", Kind.RETRY, "secondary timeout"),
    _rule(r".*[Rr]equest (?P<id>[\d.]+) timed out, over (?P<s>\d+)", Kind.REQUEST_FAILED, "timeout", "s"),
    _rule(r".*request id [\d.]+ error (?P<status>\d+) happened", Kind.REQUEST_FAILED, "status"),
    _rule(r".*BOSH-Connection failed: (?P<condition>[\w-]+)", Kind.TERMINATED, "condition"),
    _rule(r".*_onDisconnectTimeout was called", Kind.CONNECTION, "disconnected"),
    _rule(r".*Status changed to: (?P<status>[A-Z]+)", Kind.CONNECTION, "status"),
    _rule(r".*[Ww]eb[Ss]ocket closed unexpectedly", Kind.CONNECTION, "disconnected"),
    _rule(r".*network timeout retry (?P<n>\d)", Kind.RETRY, "", "n"),
    _rule(r".*client status: (?P<status>\w+)", Kind.CONNECTION, "status"),
    _rule(r".*(?P<error>net::ERR_CERT\w+)", Kind.NO_TRUST, "error"),
    _rule(r".*(?P<error>net::ERR_\w+)", Kind.REQUEST_FAILED, "error"),
    _rule(r".*<title>(?P<status>50[234]) ", Kind.REQUEST_FAILED, "status"),
    _rule(
        r"(?:recv|RECV)[^<]*<body[^>]*type=['\"]terminate['\"](?:[^>]*condition=['\"](?P<condition>[\w-]+))?",
        Kind.TERMINATED,
        "condition",
    ),
    _rule(r"(?:send|SENT|SEND)[^<]*<body[^>]*rid=['\"](?P<rid>\d+)", Kind.REQUEST, "", "rid"),
)
"""Strophe and JabberWerx in a browser's console; devtools put file and line before or behind."""

SYSLOG = (
    _rule(
        r".*\b(?:CTI_CONNECTION_LOST|CTI_SOCKET_ERROR|CTI_OPEN_FAILURE|CTI_CONNECTION_RETRIES_EXCEEDED)\b",
        Kind.CTI_DOWN,
    ),
    _rule(r".*\bCTI_CONNECTION_ESTABLISHED\b", Kind.CTI_UP),
    _rule(r".*\bUNABLE_TO_CONNECT_TO_XMPP_SERVER\b", Kind.XMPP_DOWN),
    _rule(r".*(?<!_)\bCONNECTED_TO_XMPP_SERVER\b", Kind.XMPP_UP),
    _rule(
        r".*\b(?:AWDB_NOT_ACCESSIBLE|cfservice_CORE_ERROR_DB_CONNECTION|VOS_DB_ADAPTER_ERROR)\b", Kind.DIRECTORY_DOWN
    ),
    _rule(r".*\bOF_STATE_CHANGED\b.*(?P<state>OUT_OF_SERVICE|DOWN)", Kind.OUT_OF_SERVICE, "state"),
    _rule(r".*\bFINESSE_APP_STARTUP_ERROR\b", Kind.OUT_OF_SERVICE, "startup"),
)
"""Mnemonics of Finesse's syslog messages that say something about connections."""

COMMANDS = (
    _rule(
        r".*(?P<name>(?:Cisco |)(?:Finesse|Unified CCX|CTIManager|Tomcat)[\w ]*?)\s*"
        r"\[(?P<state>STARTED|STOPPED|STARTING|STOPPING|DOWN)\]",
        Kind.SERVICE,
        "{name}: {state}",
    ),
    _rule(r".*\bstratum[= :]+(?P<n>\d+)", Kind.STRATUM, "", "n"),
    _rule(r"\s*[\d-]* *[\d:]* *(?P<name>core\.\d+\.\d+\.\S+)", Kind.CORE, "name"),
    _rule(r".*\b(?P<port>7443|8445|5222|5223|7071)\b.*\bLISTEN", Kind.PORT, "listening", "port"),
    _rule(r".*\((?P<n>\d+)% (?:loss|perda|perdidos|de perda)\)", Kind.LOSS, "", "n", lambda m: int(m["n"]) > 0),
    _rule(r"\s*\d+ packets transmitted,.*?(?P<n>[\d.]+)% packet loss", Kind.LOSS, "", "n", lambda m: float(m["n"]) > 0),
    _rule(
        r".*?(?P<n>\d+) (?:input errors|output drops|CRC)",
        Kind.LOSS,
        "interface errors",
        "n",
        lambda m: int(m["n"]) > 0,
    ),
    _rule(r".*Total output drops: (?P<n>\d+)", Kind.LOSS, "output drops", "n", lambda m: int(m["n"]) > 0),
    _rule(r"%Cpu\(s\): *(?P<n>[\d.]+) us", Kind.CPU, "", "n"),
    _rule(r".*\\processor\(_total\)\\% processor time *: *(?P<n>[\d.,]+)", Kind.CPU, "", "n"),
)
"""Output of the commands that the seed asks for, in any order, pasted into one file or several."""

FORMS: dict[str, tuple[Rule, ...]] = {"browser console": CONSOLE, "syslog": SYSLOG, "command output": COMMANDS}

ACCESS = re.compile(
    rb"(?P<remote>\S+) (?P<local>\S+) - - (?P<port>\d+) (?P<method>[A-Z]+) "
    rb"(?P<url>\S+) +HTTP/[\d.]+ (?P<status>\d{3}) (?P<bytes>\d+|-) (?P<ms>\d+|-)"
)
SYSLOG_TIME = re.compile(rb"([A-Z][a-z]{2}) ([ \d]\d) (?:(\d{4}) )?(\d\d:\d\d:\d\d)(?:\.(\d+))?(?: ([+-]\d{4}|UTC))?")


class PlainReader:
    """Reads one file of one of `FORMS`. Lines without a time get that of the line before."""

    def __init__(self, evidence: Evidence, file: int, rules: tuple[Rule, ...]) -> None:
        self._evidence = evidence
        self._file = file
        self._rules = rules
        self._at = 0.0

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all lines."""
        file, number = self._evidence.files[self._file], 0
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.startswith(b"# "):
                file.understood += 1
                continue
            self._time(line)
            for rule in self._rules:
                match = rule.pattern.match(line[:4096])
                if match is not None:
                    file.understood += 1
                    if rule.when is None or rule.when(match):
                        self._tell(rule, match, number, line)
                    break
            else:
                self._evidence.not_understood(self._file, number, line)
        file.lines += number

    def _time(self, line: bytes) -> None:
        match = SYSLOG_TIME.search(line[:120])
        if match is None or match[3] is None:
            return
        try:
            stamp = b" ".join([match[1], match[2], match[3], match[4], b"+0000"]).decode()
            when = datetime.strptime(stamp, "%b %d %Y %H:%M:%S %z")
        except ValueError:
            return
        self._at = when.timestamp()
        self._evidence.files[self._file].span(self._at)

    def _tell(self, rule: Rule, match: re.Match[bytes], number: int, line: bytes) -> None:
        groups = {name: value.decode("utf-8", "replace").strip() for name, value in match.groupdict(b"").items()}
        word = rule.word.format(**groups) if "{" in rule.word else groups.get(rule.word, rule.word)
        value: float | None = None
        if rule.number:
            try:
                value = float(groups[rule.number].replace(",", "."))
            except ValueError:
                value = None
        self._evidence.add(
            Event(self._at, rule.kind, Place(self._file, number), "", "", word, value, None, shown(line))
        )

"""Short formats, a table each: syslog mnemonics and browser consoles.

Source: diagnosis notes 1.4, 1.7, 3.4.
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

    def values(self, match: re.Match[bytes]) -> tuple[str, float | None]:
        """`word` and `number` of the event."""
        groups = {name: value.decode("utf-8", "replace").strip() for name, value in match.groupdict(b"").items()}
        word = self.word.format(**groups) if "{" in self.word else groups.get(self.word, self.word)
        try:
            return word, float(groups[self.number].replace(",", ".")) if self.number else None
        except ValueError:
            return word, None


def rule(
    pattern: str, kind: Kind, word: str = "", number: str = "", when: Callable[[re.Match[bytes]], bool] | None = None
) -> Rule:
    """A rule from its pattern as text."""
    return Rule(re.compile(pattern.encode()), kind, word, number, when)


CONSOLE = (
    rule(
        r".*request errored, status: (?P<status>\d+), number of errors: (?P<n>\d+)", Kind.REQUEST_FAILED, "status", "n"
    ),
    rule(r".*[Rr]equest (?P<id>[\d.]+) timed out \(secondary\)", Kind.RETRY, "secondary timeout"),
    rule(r".*[Rr]equest (?P<id>[\d.]+) timed out, over (?P<s>\d+)", Kind.REQUEST_FAILED, "timeout", "s"),
    rule(r".*request id [\d.]+ error (?P<status>\d+) happened", Kind.REQUEST_FAILED, "status"),
    rule(r".*BOSH-Connection failed: (?P<condition>[\w-]+)", Kind.TERMINATED, "condition"),
    rule(r".*_onDisconnectTimeout was called", Kind.CONNECTION, "disconnected"),
    rule(r".*Status changed to: (?P<status>[A-Z]+)", Kind.CONNECTION, "status"),
    rule(r".*[Ww]eb[Ss]ocket closed unexpectedly", Kind.CONNECTION, "disconnected"),
    rule(r".*network timeout retry (?P<n>\d)", Kind.RETRY, "", "n"),
    rule(r".*client status: (?P<status>\w+)", Kind.CONNECTION, "status"),
    rule(r".*(?P<error>net::ERR_CERT\w+)", Kind.NO_TRUST, "error"),
    rule(r".*(?P<error>net::ERR_\w+)", Kind.REQUEST_FAILED, "error"),
    rule(r".*<title>(?P<status>50[234]) ", Kind.REQUEST_FAILED, "status"),
    rule(
        r"(?:recv|RECV)[^<]*<body[^>]*type=['\"]terminate['\"](?:[^>]*condition=['\"](?P<condition>[\w-]+))?",
        Kind.TERMINATED,
        "condition",
    ),
    rule(r"(?:send|SENT|SEND)[^<]*<body[^>]*rid=['\"](?P<rid>\d+)", Kind.REQUEST, "", "rid"),
)
"""Strophe and JabberWerx in a browser's console; devtools put file and line before or behind."""

SYSLOG = (
    rule(
        r".*\b(?:CTI_CONNECTION_LOST|CTI_SOCKET_ERROR|CTI_OPEN_FAILURE|CTI_CONNECTION_RETRIES_EXCEEDED)\b",
        Kind.CTI_DOWN,
    ),
    rule(r".*\bCTI_CONNECTION_ESTABLISHED\b", Kind.CTI_UP),
    rule(r".*\bUNABLE_TO_CONNECT_TO_XMPP_SERVER\b", Kind.XMPP_DOWN),
    rule(r".*(?<!_)\bCONNECTED_TO_XMPP_SERVER\b", Kind.XMPP_UP),
    rule(r".*\b(?:AWDB_NOT_ACCESSIBLE|cfservice_CORE_ERROR_DB_CONNECTION|VOS_DB_ADAPTER_ERROR)\b", Kind.DIRECTORY_DOWN),
    rule(r".*\bOF_STATE_CHANGED\b.*(?P<state>OUT_OF_SERVICE|DOWN)", Kind.OUT_OF_SERVICE, "state"),
    rule(r".*\bFINESSE_APP_STARTUP_ERROR\b", Kind.OUT_OF_SERVICE, "startup"),
)
"""Mnemonics of Finesse's syslog messages that say something about connections."""

FORMS: dict[str, tuple[Rule, ...]] = {"browser console": CONSOLE, "syslog": SYSLOG}

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
        word, value = rule.values(match)
        self._evidence.add(
            Event(self._at, rule.kind, Place(self._file, number), "", "", word, value, None, shown(line))
        )

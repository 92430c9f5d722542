"""Mask personal data before a report leaves the house: agents, hosts, addresses, telephone numbers, names in payloads.

Theory: the same value always gets the same mask, so that a story stays readable; the mask does not tell the value
(keyed hash, key thrown away).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import replace

from poise.diagnosis.analysis import Analysis, Verdict
from poise.diagnosis.events import Event

_NAMES = "firstName|lastName|loginName|extension|loginId|fromAddress|toAddress|value"
_PARTS = (
    rf"(?P<value>(?<=<)(?:{_NAMES})>[^<]+|(?<=&lt;)(?:{_NAMES})&gt;[^&]+)",
    r"(?P<url>(?:https?|wss?)://[\w.-]+)",
    r"(?P<jid>[\w.+-]+@[\w.-]+)",
    r"(?P<ip>(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]))",
    r"(?P<phone>(?<![\w.:+-])\+?\d{9,12}(?![\w.:-]))",
    r"(?P<field>\b(?:agentExtension|agentInstrument|agenttext|agentid|agentID|agent_id|extension)\s*[=:]\s*[\w.+-]+)",
)
HOSTS = re.compile(r"@([\w.-]+)|://([\w.-]+)|^\d{10}: ([^:\s]+): |^\S+ [+-]\d\d:\d\d: \S*?:? ?([A-Za-z][\w.-]*): ")
"""Where a line names a host: JID, URL, head of a web services record, head of a client log record."""


class Redactor:
    """Masks of one report; `agents` are masked wherever they stand as words."""

    def __init__(self, key: bytes, agents: Iterable[str], hosts: Iterable[str] = ()) -> None:
        self._key = key
        parts = list(_PARTS)
        for kind, names in (("agent", agents), ("host", hosts)):
            known = sorted((re.escape(name) for name in names if name), key=len, reverse=True)
            if known:
                parts.append(rf"(?P<{kind}>(?<![\w.])(?:{'|'.join(known)})(?![\w]))")
        self._pattern = re.compile("|".join(parts), re.IGNORECASE)

    def mask(self, value: str, kind: str) -> str:
        """The mask of one value."""
        digest = hashlib.blake2s(value.casefold().encode(), key=self._key, digest_size=3).hexdigest()
        return f"{kind}-{digest}"

    def text(self, text: str) -> str:
        """A line with everything personal masked."""
        return self._pattern.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        found, kind = match[0], match.lastgroup
        if kind == "value":
            tag, mark, value = found.partition("&gt;") if "&gt;" in found else found.partition(">")
            return tag + mark + self.mask(value, "value")
        if kind == "url":
            scheme, mark, host = found.partition("://")
            return scheme + mark + self.mask(host, "host")
        if kind == "jid":
            return self.mask(found.partition("@")[0], "agent") + "@host"
        if kind == "field":
            name, value = re.split(r"(?<=[=:])\s*", found, maxsplit=1)
            return name + self.mask(value, "agent")
        return self.mask(found, kind or "value")

    def event(self, event: Event) -> Event:
        """One event masked."""
        agent = self.mask(event.agent, "agent") if event.agent else ""
        return event._replace(agent=agent, text=self.text(event.text), word=self.text(event.word))


def redacted(analysis: Analysis, key: bytes) -> Analysis:
    """The same analysis with everything personal masked; done last, since the rules need the true values."""
    evidence = analysis.evidence
    hosts = {next(filter(None, m.groups())) for event in evidence.events for m in HOSTS.finditer(event.text)}
    redactor = Redactor(key, {event.agent for event in evidence.events} | set(evidence.agents), hosts)
    evidence.events = [redactor.event(event) for event in evidence.events]
    for file in evidence.files:
        file.name = redactor.text(file.name)
        file.clock.source = redactor.text(file.clock.source)
        for unknown in file.unknown.values():
            unknown.example = redactor.text(unknown.example)
    verdicts = [_verdict(redactor, verdict) for verdict in analysis.verdicts]
    return Analysis(evidence, verdicts, analysis.site)


def _verdict(redactor: Redactor, verdict: Verdict) -> Verdict:
    old = verdict.incident
    contact = old.contact and replace(old.contact, proof=redactor.event(old.contact.proof))
    incident = replace(
        old,
        agent=redactor.mask(old.agent, "agent") if old.agent else "",
        signs=[redactor.event(event) for event in old.signs],
        events=[redactor.event(event) for event in old.events],
        contact=contact,
    )
    findings = [
        replace(f, hit=replace(f.hit, proof=tuple(redactor.event(event) for event in f.hit.proof)))
        for f in verdict.findings
    ]
    return replace(verdict, incident=incident, findings=findings)

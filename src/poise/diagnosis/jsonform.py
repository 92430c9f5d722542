"""An analysis as plain values, for `--json`, the HTML report and other programs."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from poise.diagnosis.analysis import Analysis, Finding, Verdict
from poise.diagnosis.events import Event, Kind
from poise.diagnosis.wording import Words

UNKNOWN_SHOWN = 5
"""Shapes of unknown lines shown for each file, the most frequent first."""


def stamp(at: float, zone_s: float = 0.0) -> str:
    """Seconds since 1970 as ISO 8601 with milliseconds, in the zone given."""
    if at == 0:
        return "-"
    try:
        when = datetime.fromtimestamp(at, timezone(timedelta(seconds=zone_s)))
        return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return "-"


def as_values(analysis: Analysis, words: Words) -> dict[str, Any]:
    """The whole analysis."""
    evidence = analysis.evidence
    zone = evidence.people_zone_s
    return {
        "disconnects": [_verdict(analysis, verdict, words) for verdict in analysis.verdicts],
        "files": [
            {
                "name": file.name,
                "form": file.form,
                "lines": file.lines,
                "understood": file.understood,
                "trouble": file.trouble,
                "remark": words.remark(file.remark),
                "clock": {
                    "offset_s": file.clock.offset_s,
                    "source": file.clock.source or ("assumed UTC" if file.first is not None else ""),
                },
                "first": stamp(file.first - file.clock.offset_s, zone) if file.first is not None else None,
                "last": stamp(file.last - file.clock.offset_s, zone) if file.last is not None else None,
                "unknown": [
                    {"shape": shape, "count": unknown.count, "example": unknown.example, "line": unknown.place.line}
                    for shape, unknown in sorted(file.unknown.items(), key=lambda item: -item[1].count)[:UNKNOWN_SHOWN]
                ],
                "unknown_lines": sum(unknown.count for unknown in file.unknown.values()),
            }
            for file in evidence.files
        ],
        "events_dropped": evidence.dropped,
    }


def _verdict(analysis: Analysis, verdict: Verdict, words: Words) -> dict[str, Any]:
    incident, evidence = verdict.incident, analysis.evidence
    contact, zone = incident.contact, analysis.evidence.people_zone_s

    def at(event: Event | None) -> str | None:
        return stamp(evidence.time(event), zone) if event is not None else None

    return {
        "agent": incident.agent,
        "at": stamp(incident.at, zone),
        "last_contact": {
            "after": stamp(contact.after, zone),
            "before": stamp(contact.before, zone),
            "proof": evidence.where(contact.proof.place),
        }
        if contact
        else None,
        "closed": at(incident.closed),
        "unavailable": at(incident.first(Kind.UNAVAILABLE)),
        "forced_logout": at(incident.logout),
        "reason_code": incident.reason,
        "findings": [_finding(analysis, finding, words) for finding in verdict.findings],
        "notes": words.notes(verdict),
        "wanted": words.wanted(verdict),
        "timeline": [
            {"at": at(e), "kind": e.kind.value, "text": e.text, "where": evidence.where(e.place)}
            for e in incident.events
        ],
    }


def _finding(analysis: Analysis, finding: Finding, words: Words) -> dict[str, Any]:
    evidence = analysis.evidence
    return {
        "cause": finding.cause.id,
        "side": finding.cause.side.value,
        "confidence": finding.confidence.word,
        "title": words.title(finding),
        "sentence": words.sentence(finding),
        "actions": words.actions(finding),
        "proof": [
            {"where": evidence.where(e.place), "at": stamp(evidence.time(e), evidence.people_zone_s), "text": e.text}
            for e in finding.hit.proof
        ],
    }

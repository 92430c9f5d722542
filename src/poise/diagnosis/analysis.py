"""From evidence to findings: every disconnect with its causes, surest and most specific first.

Decision order (diagnosis notes 3.0): was it a disconnect at all; how many at once; who fell silent first; then causes;
and what would decide
where the evidence cannot.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from poise.diagnosis.attribution import attribute
from poise.diagnosis.calibration import calibrate
from poise.diagnosis.causes import CAUSES, Cause, Confidence, Side
from poise.diagnosis.events import Kind
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.incidents import Incident, incidents
from poise.diagnosis.rules import client, first, network, packets, server
from poise.diagnosis.rules.base import Hit
from poise.diagnosis.site import Site

RULES = (*first.RULES, *server.RULES, *network.RULES, *packets.RULES, *client.RULES)


@dataclass(frozen=True, slots=True)
class Finding:
    """One possible cause of one disconnect."""

    cause: Cause
    hit: Hit

    @property
    def confidence(self) -> Confidence:
        """How sure it is."""
        return self.hit.confidence


@dataclass(slots=True)
class Verdict:
    """What is said of one disconnect."""

    incident: Incident
    findings: list[Finding]
    notes: list[str] = field(default_factory=list)
    """Keys of the catalogue for what must be said beside the cause."""
    wanted: list[str] = field(default_factory=list)
    """Evidence that would make it surer: `client-log`, `har`, `openfire-debug`, `webservices`, `pcap`."""

    @property
    def best(self) -> Finding:
        """What is told first."""
        return self.findings[0]


@dataclass(slots=True)
class Analysis:
    """All of it."""

    evidence: Evidence
    verdicts: list[Verdict]
    site: Site


def analyse(evidence: Evidence) -> Analysis:
    """Find the disconnects in what was read, and their causes."""
    attribute(evidence)
    calibrate(evidence)
    found = incidents(evidence)
    site = Site(evidence, found)
    return Analysis(evidence, [_verdict(incident, site) for incident in found], site)


def _verdict(incident: Incident, site: Site) -> Verdict:
    rules = RULES if any(sign.kind is not Kind.DRIFT for sign in incident.signs) else (client.clock_set,)
    hits = [answer for rule in rules if (answer := rule(incident, site)) is not None]
    surest: dict[str, Hit] = {}
    for one in hits:  # two rules may see one cause: the surer one tells it
        if one.cause not in surest or one.confidence.value > surest[one.cause].confidence.value:
            surest[one.cause] = one
    findings = _explained(sorted((Finding(CAUSES[h.cause], h) for h in surest.values()), key=_order))
    return Verdict(incident, _temper(findings), _notes(incident, site), _wanted(findings, site))


EXPLAINS: dict[str, frozenset[str]] = {
    "S2": frozenset({"S1"}),
    "S3": frozenset({"S1"}),
}
"""Causes that bring another one about: that is true as well, and often surer, but what is asked for is the cause of
it."""


def _explained(findings: list[Finding]) -> list[Finding]:
    """A likely cause goes before what it brings about, however sure that is."""
    present = {f.cause.id for f in findings}
    reasons = [
        f
        for f in findings
        if EXPLAINS.get(f.cause.id, frozenset()) & present and f.confidence is not Confidence.POSSIBLE
    ]
    return reasons + [f for f in findings if f not in reasons]


def _order(finding: Finding) -> tuple[int, int]:
    return (-finding.confidence.value, -finding.cause.rank)


def _temper(findings: list[Finding]) -> list[Finding]:
    """Two certain causes on different sides are not certain; a generic silence adds nothing to a specific cause as
    sure."""
    certain = {f.cause.side for f in findings if f.confidence is Confidence.CERTAIN and f.cause.id != "C1"}
    if len(certain) > 1:
        lead = findings[0]
        findings = [
            f
            if f is lead or f.confidence is not Confidence.CERTAIN or f.cause.rank >= lead.cause.rank
            else Finding(f.cause, Hit(f.hit.cause, Confidence.LIKELY, f.hit.proof, f.hit.facts))
            for f in findings
        ]
    specific = [
        f for f in findings if f.cause.id not in ("C1", "O1", "S15") and f.confidence.value >= Confidence.LIKELY.value
    ]
    if specific:
        generic = {"O1"} | (
            {"C1"} if not any(f.cause.id == "C1" and f.confidence is Confidence.CERTAIN for f in findings) else set()
        )
        lead_id = specific[0].cause.id
        ordered = [f for f in findings if f.cause.id not in generic]
        ordered.sort(key=lambda f: (f.cause.id != lead_id, *_order(f)))
        ordered = _explained(ordered)
        return ordered + [f for f in findings if f.cause.id == "C1" and f.cause.id in generic]
    return [f for f in findings if f.cause.id != "O1"] or findings


def _notes(incident: Incident, site: Site) -> list[str]:
    notes = []
    if incident.counter_off_s:
        notes.append("counter-disagrees")
    if site.same_tick(incident) > 2 and site.together(incident).agents < 3:
        notes.append("reaper-tick-cluster")
    if incident.first(Kind.CAPTURE_GAP) is not None:
        notes.append("capture-incomplete")
    if incident.first(Kind.WEBSOCKET_ENDED) is not None and not incident.all(Kind.POLL):
        notes.append("websocket-era")
    return notes


def _wanted(findings: list[Finding], site: Site) -> list[str]:
    if findings and findings[0].confidence is Confidence.CERTAIN:
        return []
    side = findings[0].cause.side if findings else Side.OPEN
    have = site.forms
    wanted = []
    if "Openfire log" not in have and "Poise trace" not in have:
        wanted.append("openfire-debug")
    if "web services log" not in have and side is not Side.NETWORK:
        wanted.append("webservices")
    if "client log" not in have:
        wanted.append("client-log")
    if not have & {"HAR", "Fiddler SAZ", "mitmproxy flows"}:
        wanted.append("har")
    on_the_way = side is Side.NETWORK or bool(findings and findings[0].cause.id in ("C5", "C14"))
    if on_the_way and "packet capture" not in have:
        wanted.append("pcap")
    return wanted

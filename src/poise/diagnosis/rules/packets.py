"""Causes that packet captures, WebSockets and probes show: who fell silent, who reset, whose certificate it was."""

from __future__ import annotations

from poise.diagnosis import timing
from poise.diagnosis.events import Event, Kind
from poise.diagnosis.incidents import Incident
from poise.diagnosis.rules.base import CERTAIN, LIKELY, POSSIBLE, Hit, Rule, hit
from poise.diagnosis.site import Site

INSPECTORS = (
    "zscaler",
    "netskope",
    "blue coat",
    "bluecoat",
    "forcepoint",
    "websense",
    "fortinet",
    "fortigate",
    "palo alto",
    "mcafee",
    "skyhigh",
    "sophos",
    "kaspersky",
    "avast",
    "avg ",
    "bitdefender",
    "eset ssl",
    "barracuda",
    "check point",
    "watchguard",
    "umbrella",
    "ssl inspection",
    "ssl-inspection",
    "web filter",
    "proxy ca",
)
"""Names in certificates of products that open TLS on the way."""
HELD_POLLS = 4
"""Polls with data that all came just at the end of the wait, from which on it is no chance."""


def unheard(incident: Incident, site: Site) -> Hit | None:
    """N1: the client's bytes were sent again and again and never acknowledged, or connections got no answer at all."""
    lost = incident.all(Kind.UNHEARD)
    tried = [e for e in incident.all(Kind.CONNECT_FAILED) if e.word == "unanswered"]
    gaps = incident.all(Kind.CAPTURE_GAP)
    silent = [e for e in incident.all(Kind.WEBSOCKET_ENDED) if e.word == "server"]
    if not (lost or tried or silent):
        return None
    found = [*lost, *tried, *silent]
    return hit("N1", POSSIBLE if gaps else LIKELY, *found[:6], incident.first(Kind.IDLE_CLOSE), count=len(found))


def inspected(incident: Incident, site: Site) -> Hit | None:
    """N3: the certificate was issued on the way, or every answer is held back until the wait is over."""
    shown = [e for e in incident.all(Kind.ISSUER) if any(name in e.word.lower() for name in INSPECTORS)]
    polls = [e for e in incident.all(Kind.POLL) if e.word == "data" and e.second is not None]
    wait = timing.WAIT_S * 1000
    held = [e for e in polls if wait - 1_000 <= (e.second or 0) <= wait + 3_000]
    buffered = len(held) >= HELD_POLLS and len(held) == len(polls)
    if not shown and not buffered:
        return None
    issuer = shown[0].word if shown else "-"
    return hit(
        "N3", LIKELY if shown and buffered else POSSIBLE, *shown[:1], *(held[:3] if buffered else ()), issuer=issuer
    )


def forged_reset(incident: Incident, site: Site) -> Hit | None:
    """N7: a reset in the server's name that came from nearer or farther than the server's other packets."""
    found = [e for e in incident.all(Kind.RESET) if e.word == "server" and e.second and e.number != e.second]
    if not found:
        return None
    return hit("N7", LIKELY, *found[:3], ttl=round(found[0].number or 0), usual=round(found[0].second or 0))


def refused(incident: Incident, site: Site) -> Hit | None:
    """S7: the port refused connections."""
    found = [e for e in incident.all(Kind.CONNECT_FAILED) if e.word == "refused"]
    return hit("S7", LIKELY, *found[:3]) if found else None


def no_answer(incident: Incident, site: Site) -> Hit | None:
    """S14: the server's machine acknowledged and the server itself said nothing."""
    found = incident.all(Kind.NO_ANSWER)
    if not found or incident.first(Kind.IDLE_CLOSE) is not None:
        return None
    return hit("S14", POSSIBLE, *found[:3], seconds=round(found[0].number or 0, 1))


def stopped_sending(incident: Incident, site: Site) -> Hit | None:
    """C1: packets show that the client had every answer and sent nothing more."""
    found = [e for e in incident.all(Kind.CLIENT_SILENT) if e.word == "answered"]
    idle = incident.first(Kind.IDLE_CLOSE)
    gaps = incident.all(Kind.CAPTURE_GAP)
    if found:
        return hit("C1", CERTAIN if idle is not None and not gaps else LIKELY, found[0], idle)
    silent = [e for e in incident.all(Kind.WEBSOCKET_ENDED) if e.word == "client"]
    return hit("C1", LIKELY, *silent[:2], idle) if silent else None


def slept(incident: Incident, site: Site) -> Hit | None:
    """C3: a probe on the computer noticed that it had not run."""
    found = incident.all(Kind.SLEPT)
    return hit("C3", LIKELY, *found[:2], seconds=round(found[0].number or 0)) if found else None


def lossy(incident: Incident, site: Site) -> Hit | None:
    """C5: many segments had to be repeated, or a route is slow to its end."""
    found = incident.all(Kind.REPEATED)
    slow = [e for e in site.events if e.kind is Kind.PATH and (e.number or 0) > timing.SLOW_MS]
    if not found and not slow:
        return None
    ms = round(max((e.number or 0 for e in slow), default=0))
    return hit("C5", LIKELY if found and slow else POSSIBLE, *found[:3], *slow[:1], ms=ms)


def incomplete(incident: Incident, site: Site) -> Hit | None:
    """A5: the capture itself lost packets, so that what it lacks proves nothing."""
    found: list[Event] = incident.all(Kind.CAPTURE_GAP)
    return hit("A5", POSSIBLE, *found[:3], count=round(sum(e.number or 0 for e in found))) if found else None


RULES: tuple[Rule, ...] = (
    unheard,
    inspected,
    forged_reset,
    refused,
    no_answer,
    stopped_sending,
    slept,
    lossy,
    incomplete,
)

"""Causes between the client and the server."""

from __future__ import annotations

from poise.diagnosis import timing
from poise.diagnosis.events import Event, Kind
from poise.diagnosis.incidents import Incident
from poise.diagnosis.rules.base import CERTAIN, LIKELY, POSSIBLE, Hit, Rule, hit
from poise.diagnosis.site import Site


def unanswered(polls: list[Event]) -> list[Event]:
    """Polls that were sent and got no answer for as long as a client waits."""
    low, _ = timing.GIVE_UP_MS
    return [e for e in polls if e.word in ("none", "aborted") and (e.second is None or e.second >= low)]


def dropped(incident: Incident, site: Site) -> Hit | None:
    """N1: polls left the client and no answer came, until the client gave up."""
    polls = incident.all(Kind.POLL)
    silent = unanswered(polls)
    timeouts = [e for e in incident.all(Kind.REQUEST_FAILED) if e.word == "timeout"]
    if len(silent) >= 2 or (silent and incident.first(Kind.IDLE_CLOSE)):
        return hit("N1", LIKELY, *silent[:4], incident.first(Kind.IDLE_CLOSE), count=len(silent))
    if silent or timeouts:
        return hit("N1", POSSIBLE, *silent[:2], *timeouts[:2], count=len(silent) + len(timeouts))
    return None


def proxy(incident: Incident, site: Site) -> Hit | None:
    """N2: somebody else answered a poll: HTML, or a gateway's error."""
    polls = [e for e in incident.all(Kind.POLL) if e.word in ("html", "gateway")]
    other = [e for e in incident.all(Kind.REQUEST_FAILED) if e.word in ("502", "503", "504")]
    found = polls or other
    if not found:
        return None
    seconds = round((found[0].second or 0) / 1000)
    return hit(
        "N2",
        CERTAIN if polls and seconds >= 5 else LIKELY,
        *found[:3],
        seconds=seconds,
        status=int(found[0].number or 0),
    )


def proxy_refuses(incident: Incident, site: Site) -> Hit | None:
    """N4: a proxy refused the tunnel, or the poll itself."""
    found = [e for e in incident.all(Kind.TUNNEL) if int(e.number or 0) in (403, 407, 502, 503)]
    found += [e for e in incident.all(Kind.POLL) if e.word == "forbidden"]
    return (
        hit("N4", CERTAIN if found[0].kind is Kind.TUNNEL else LIKELY, *found[:3], status=int(found[0].number or 0))
        if found
        else None
    )


def one_network(incident: Incident, site: Site) -> Hit | None:
    """N5: several agents of one network in the same minute, and none of the others."""
    together = site.together(incident)
    if together.agents < 3 or len(together.networks) != 1 or not together.others or together.networks & together.others:
        return None
    return hit("N5", LIKELY, incident.closed, agents=together.agents, network=next(iter(together.networks)) + ".0/24")


def preflight(incident: Incident, site: Site) -> Hit | None:
    """N6: the browser asks whether it may, again and again, and never does."""
    asked = incident.all(Kind.PREFLIGHT)
    return (
        hit("N6", CERTAIN if len(asked) >= 3 else LIKELY, *asked[:3], count=len(asked))
        if len(asked) >= 2 and not incident.all(Kind.POLL)
        else None
    )


RULES: tuple[Rule, ...] = (dropped, proxy, proxy_refuses, one_network, preflight)

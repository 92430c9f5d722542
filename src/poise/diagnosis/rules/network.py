"""Causes between the client and the server."""

from __future__ import annotations

from poise.diagnosis import timing
from poise.diagnosis.events import Event, Kind
from poise.diagnosis.incidents import Incident
from poise.diagnosis.rules.base import CERTAIN, LIKELY, POSSIBLE, Hit, Rule, hit
from poise.diagnosis.site import Site


def unanswered(polls: list[Event]) -> list[Event]:
    """Polls that were sent and got no answer for as long as a client waits. One that lasted much longer was not given
    up by a client that ran: its computer slept."""
    low, high = timing.GIVE_UP_MS
    return [e for e in polls if e.word in ("none", "aborted") and (e.second is None or low <= e.second <= high)]


def rest_meanwhile(incident: Incident, site: Site, silent: list[Event]) -> tuple[list[Event], list[Event]]:
    """REST requests of the same client that were answered, and that were not, while its polls got no answer."""
    if not silent:
        return [], []
    start, end = site.evidence.time(silent[0]), site.evidence.time(silent[-1]) + timing.WAIT_S
    during = [e for e in incident.all(Kind.REST) if start + 1 <= site.evidence.time(e) <= end]
    return [e for e in during if e.number], [e for e in during if not e.number]


def dropped(incident: Incident, site: Site) -> Hit | None:
    """N1: polls left the client and no answer came, until the client gave up, while its REST requests were answered.

    Where those failed too, not a flow is dropped but the whole line is down, or the server; and where the server did
    get the polls, it is the answers that are lost.
    """
    polls = incident.all(Kind.POLL)
    silent = unanswered(polls)
    timeouts = [e for e in incident.all(Kind.REQUEST_FAILED) if e.word == "timeout"]
    answered, failed = rest_meanwhile(incident, site, silent)
    if silent and (failed or site.together(incident).agents > 2 or reached(incident, site, silent)):
        return hit("N1", POSSIBLE, *silent[:4], *failed[:1], count=len(silent))
    if len(silent) >= 2 or (silent and incident.first(Kind.IDLE_CLOSE)):
        # a capture at the client alone does not tell whether the polls arrived (C14, a server that hangs)
        told = site.forms & {"Openfire log", "Poise trace"}
        return hit(
            "N1",
            LIKELY if told else POSSIBLE,
            *silent[:4],
            *answered[:1],
            incident.first(Kind.IDLE_CLOSE),
            count=len(silent),
        )
    if silent or timeouts:
        return hit("N1", POSSIBLE, *silent[:2], *timeouts[:2], count=len(silent) + len(timeouts))
    return None


def reached(incident: Incident, site: Site, silent: list[Event]) -> list[Event]:
    """Requests that the server got while the client, sending them again, had no answer."""
    low, _ = timing.GIVE_UP_MS
    after = site.evidence.time(silent[0]) + low / 1000
    until = site.evidence.time(silent[-1]) + timing.WAIT_S
    return [e for e in incident.all(Kind.REQUEST) if after - 2 <= site.evidence.time(e) <= until]


def proxy(incident: Incident, site: Site) -> Hit | None:
    """N2: somebody else answered a poll: HTML, or a gateway's error."""
    polls = [e for e in incident.all(Kind.POLL) if e.word in ("html", "gateway")]
    other = [e for e in incident.all(Kind.REQUEST_FAILED) if e.word in ("502", "503", "504")]
    found = polls or other
    if not found:
        return None
    seconds = round((found[0].second or 0) / 1000)
    # before the server's own time for an answer only the proxy's limit ends a poll; at once, or later than the server
    # should have answered, the server may be what is away
    sure = polls and 5_000 <= (found[0].second or 0) < timing.WAIT_S * 1000 and site.together(incident).agents < 3
    return hit(
        "N2",
        CERTAIN if sure else LIKELY,
        *found[:3],
        seconds=seconds,
        status=int(found[0].number or 0),
    )


def proxy_refuses(incident: Incident, site: Site) -> Hit | None:
    """N4: a proxy refused the tunnel, or the poll itself."""
    found = [e for e in incident.all(Kind.TUNNEL) if int(e.number or 0) in (403, 407, 502, 503)]
    found += [e for e in incident.all(Kind.POLL) if e.word == "forbidden" or "ERR_TUNNEL_CONNECTION_FAILED" in e.text]
    if not found:
        return None
    # 502 and 503 may be the server that cannot be reached from the proxy; the browser's error does not tell which
    sure = found[0].kind is Kind.TUNNEL and int(found[0].number or 0) in (403, 407)
    return hit("N4", CERTAIN if sure else LIKELY, *found[:3], status=int(found[0].number or 0))


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

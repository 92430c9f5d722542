"""Asked before anything else: was it a lost connection at all, and did it do any harm?"""

from __future__ import annotations

from poise.diagnosis import timing
from poise.diagnosis.codes import CONNECTION, OTHER, SERVER
from poise.diagnosis.events import Event, Kind
from poise.diagnosis.incidents import Incident
from poise.diagnosis.rules.base import CERTAIN, LIKELY, POSSIBLE, Hit, Rule, hit
from poise.diagnosis.site import Site


def other_code(incident: Incident, site: Site) -> Hit | None:
    """A0: the agent was signed out with a code that is no connection problem, and no connection was lost before."""
    told = [e for e in incident.all(Kind.CTI_STATE) if e.word == "LOGOUT" and e.number is not None]
    lost = incident.first(Kind.IDLE_CLOSE, Kind.FORCED_LOGOUT, Kind.UNKNOWN_SESSION, Kind.TERMINATED)
    if not told or lost is not None or int(told[0].number or 0) in CONNECTION:
        return None
    code = int(told[0].number or 0)
    if code in SERVER:
        return hit("S5", LIKELY, told[0], code=code, meaning=OTHER[code])
    return hit("A0", CERTAIN if code in OTHER else LIKELY, told[0], code=code, meaning=OTHER.get(code, "own"))


def back_in_time(incident: Incident, site: Site) -> Hit | None:
    """A6: unavailable, then available again within the grace, and no logout."""
    gone = incident.first(Kind.UNAVAILABLE)
    if gone is None or incident.logout is not None:
        return None
    at = site.evidence.time(gone)
    back = next(
        (
            e
            for e in incident.all(Kind.AVAILABLE, Kind.GRACE_CANCELLED)
            if 0 <= site.evidence.time(e) - at <= timing.GRACE_S + 5
        ),
        None,
    )
    ended = [e for e in incident.all(Kind.TERMINATED) if e.word not in GOODBYE]
    if back is None or ended or incident.first(Kind.IDLE_CLOSE, Kind.REPLACED) is not None:
        return None
    left = _left(incident)
    seconds = round(site.evidence.time(back) - at)
    if left:
        return hit("A6", CERTAIN, gone, back, *left[:2], seconds=seconds)
    if seconds < 1:
        return None  # nobody reloads a page so fast: one session took the other's place
    # that no harm was done is certain, that it was a reload is not: a session may be ended for other causes too
    seen = site.forms & {"Openfire log", "Poise trace"}  # where another ending of the session would be told
    return hit("A6", LIKELY if seen else POSSIBLE, gone, back, seconds=seconds)


GOODBYE = frozenset({"", "client-left"})
"""How a session's ending reads that the client asked for."""


def _left(incident: Incident) -> list[Event]:
    """The client's own goodbye."""
    return [e for e in incident.all(Kind.CONNECTION) if e.word.lower() == "unloading"] + [
        e for e in incident.all(Kind.TERMINATED, Kind.SESSION_CLOSED) if e.word == "client-left"
    ]


def out_before(incident: Incident, site: Site) -> Hit | None:
    """A7: the agent had signed out when the forced logout was sent."""
    sent = incident.logout
    if sent is None:
        return _end_of_shift(incident, site)
    at = site.evidence.time(sent)
    before = [event for event in incident.all(Kind.CTI_STATE) if site.evidence.time(event) < at - 1]
    if before and before[-1].word == "LOGOUT" and int(before[-1].number or 0) not in CONNECTION:
        return hit("A7", CERTAIN, before[-1], sent, code=int(before[-1].number or 0))
    return None


def _end_of_shift(incident: Incident, site: Site) -> Hit | None:
    """No logout was sent, because the agent had signed out when the session ended."""
    gone = incident.first(Kind.UNAVAILABLE, Kind.SESSION_CLOSED)
    if gone is None:
        return None
    states = [e for e in incident.all(Kind.CTI_STATE) if site.evidence.time(e) <= site.evidence.time(gone) + 1]
    if not states or states[-1].word != "LOGOUT" or int(states[-1].number or 0) in CONNECTION:
        return None
    return hit("A7", CERTAIN, states[-1], gone, code=int(states[-1].number or 0))


def killed(incident: Incident, site: Site) -> Hit | None:
    """K1: an administrator closed it: by the server's testimony, or by the stream error that nothing else of the table
    brings."""
    event = next((e for e in incident.all(Kind.TERMINATED) if e.word == "killed"), None)
    if event is not None:
        return hit("K1", CERTAIN, event)
    told = next(
        (
            e
            for e in incident.all(Kind.TERMINATED)
            if "<stream:error>" in e.text and "<policy-violation" in e.text and "policy-violation'" not in e.text
        ),
        None,
    )
    told = told or next(
        (e for e in incident.all(Kind.POLL) if e.word == "terminate:stream-error:policy-violation"), None
    )
    return hit("K1", LIKELY, told) if told is not None else None


RULES: tuple[Rule, ...] = (other_code, back_in_time, out_before, killed)

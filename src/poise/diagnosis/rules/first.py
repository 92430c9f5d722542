"""Asked before anything else: was it a lost connection at all, and did it do any harm?"""

from __future__ import annotations

from poise.diagnosis import timing
from poise.diagnosis.codes import CONNECTION, OTHER, SERVER
from poise.diagnosis.events import Kind
from poise.diagnosis.incidents import Incident
from poise.diagnosis.rules.base import CERTAIN, LIKELY, Hit, Rule, hit
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
    if back is None or incident.first(Kind.IDLE_CLOSE, Kind.TERMINATED, Kind.REPLACED) is not None:
        return None
    return hit("A6", CERTAIN, gone, back, seconds=round(site.evidence.time(back) - at))


def out_before(incident: Incident, site: Site) -> Hit | None:
    """A7: the agent had signed out when the forced logout was sent."""
    sent = incident.logout
    if sent is None:
        return None
    at = site.evidence.time(sent)
    before = [event for event in incident.all(Kind.CTI_STATE) if site.evidence.time(event) < at - 1]
    if before and before[-1].word == "LOGOUT" and int(before[-1].number or 0) not in CONNECTION:
        return hit("A7", CERTAIN, before[-1], sent, code=int(before[-1].number or 0))
    return None


def killed(incident: Incident, site: Site) -> Hit | None:
    """K1: Poise's own testimony that an administrator closed it."""
    event = next((e for e in incident.all(Kind.TERMINATED) if e.word == "killed"), None)
    return hit("K1", CERTAIN, event) if event is not None else None


RULES: tuple[Rule, ...] = (other_code, back_in_time, out_before, killed)

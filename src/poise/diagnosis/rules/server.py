"""Causes on the server's side."""

from __future__ import annotations

from poise.diagnosis import timing
from poise.diagnosis.events import Kind
from poise.diagnosis.incidents import Incident
from poise.diagnosis.rules.base import CERTAIN, LIKELY, POSSIBLE, Hit, Rule, hit
from poise.diagnosis.site import Site


def restarted(incident: Incident, site: Site) -> Hit | None:
    """S1: the notification service stopped or started between last contact and the ending, or the ending says so."""
    told = next(
        (
            e
            for e in incident.all(Kind.TERMINATED, Kind.POLL)
            if e.word in ("shutdown", "system-shutdown", "terminate:system-shutdown")
        ),
        None,
    )
    if told is not None:
        return hit("S1", CERTAIN, told, *site.around(incident, Kind.SERVICE_STOPPED, Kind.SERVICE_STARTED))
    idle = incident.first(Kind.IDLE_CLOSE)
    if idle is not None and (incident.counter_off_s or incident.first(Kind.IDLE)):
        return None  # the server went on counting: it did not restart
    stops = site.around(incident, Kind.SERVICE_STOPPED, after_s=90)
    # a start before which the agent did nothing is where the log begins, not where a session ended
    first = min((site.evidence.time(e) for e in incident.events), default=0.0)
    starts = [e for e in site.around(incident, Kind.SERVICE_STARTED, after_s=90) if site.evidence.time(e) > first]
    if stops and starts:
        return hit(
            "S1", CERTAIN if incident.first(Kind.UNKNOWN_SESSION) or len(stops) > 1 else LIKELY, *stops[:2], *starts[:2]
        )
    if stops or starts:
        return hit("S1", LIKELY, *(stops or starts)[:3])
    return None


def out_of_memory(incident: Incident, site: Site) -> Hit | None:
    """S2: the notification service ran out of memory shortly before."""
    found = site.around(incident, Kind.OUT_OF_MEMORY, before_s=600)
    return (
        hit("S2", LIKELY, *found[:3], *site.around(incident, Kind.SERVICE_STARTED, after_s=120)[:1]) if found else None
    )


def bad_xml(incident: Incident, site: Site) -> Hit | None:
    """S3: characters that XML forbids, and several agents or the service itself with them."""
    found = site.around(incident, Kind.BAD_XML, before_s=120)
    if not found:
        return None
    crashed = site.around(incident, Kind.SERVICE_STARTED, Kind.SERVICE_STOPPED, Kind.XMPP_DOWN, after_s=120)
    return hit("S3", LIKELY if crashed else POSSIBLE, *found[:3], *crashed[:2])


def cti_lost(incident: Incident, site: Site) -> Hit | None:
    """S4: the CTI link went down, while the session itself was not closed as silent."""
    found = site.around(incident, Kind.CTI_DOWN, before_s=180, after_s=30)
    if not found:
        return None
    silent = incident.first(Kind.IDLE_CLOSE, Kind.UNKNOWN_SESSION)
    out = site.around(incident, Kind.OUT_OF_SERVICE, before_s=180)
    return hit("S4", POSSIBLE if silent else CERTAIN if out else LIKELY, *found[:2], *out[:1])


def telephony_lost(incident: Incident, site: Site) -> Hit | None:
    """S5: a core of CTIManager, or it is not started."""
    cores = [e for e in site.events if e.kind is Kind.CORE and "CTIManager" in e.word]
    stopped = [e for e in site.events if e.kind is Kind.SERVICE and "CTIManager" in e.word and "STARTED" not in e.word]
    found = [*stopped, *cores]
    if not found:
        return None
    many = site.together(incident).agents > 2
    return hit("S5", LIKELY if many else POSSIBLE, *found[:3])


def web_services_cut_off(incident: Incident, site: Site) -> Hit | None:
    """S6: the web services lost the notification service, and the agent's own session lived on."""
    found = site.around(incident, Kind.XMPP_DOWN, before_s=60)
    if not found:
        return None
    return hit("S6", POSSIBLE if incident.first(Kind.IDLE_CLOSE) else LIKELY, *found[:2])


def not_listening(incident: Incident, site: Site) -> Hit | None:
    """S7: the service is not started, says a listing."""
    names = ("Finesse", "Notification")
    stopped = [
        e for e in site.events if e.kind is Kind.SERVICE and any(n in e.word for n in names) and "STARTED" not in e.word
    ]
    return hit("S7", LIKELY, *stopped[:2]) if stopped else None


def overloaded(incident: Incident, site: Site) -> Hit | None:
    """S8: signs of overload, and several agents."""
    found = site.around(incident, Kind.OVERLOAD, before_s=300)
    return hit("S8", LIKELY if site.together(incident).agents > 2 else POSSIBLE, *found[:3]) if found else None


def directory_lost(incident: Incident, site: Site) -> Hit | None:
    """S11: the user directory was not reachable (credentials are cached 30 minutes)."""
    found = site.around(incident, Kind.DIRECTORY_DOWN, before_s=2400)
    denied = [e for e in incident.all(Kind.REST, Kind.POLL) if e.number == 401]
    return hit("S11", LIKELY if denied else POSSIBLE, *found[:2], *denied[:1]) if found else None


def stalled(incident: Incident, site: Site) -> Hit | None:
    """S14: the server did not run."""
    start = min(incident.contact.after if incident.contact else incident.at, incident.at - timing.GRACE_S) - 10
    # told when it is over: it began as long before as it lasted, and disconnects that clients tell lie inside
    found = [
        e
        for e in site.events
        if e.kind is Kind.STALLED
        and site.evidence.time(e) >= start
        and site.evidence.time(e) - (e.number or 0) <= incident.at + 10
    ]
    if not found:
        return None
    seconds = max(e.number or 0 for e in found)
    inside = any(
        site.evidence.time(e) - (e.number or 0) - 1 <= incident.at <= site.evidence.time(e) + 35 for e in found
    )
    sure = CERTAIN if seconds > GIVE_UP_S and inside else LIKELY if seconds > 10 else POSSIBLE
    return hit("S14", sure, *found[:2], seconds=round(seconds, 1))


GIVE_UP_S = 120.0
"""A client whose server does not answer for so long has lost hope (diagnosis notes 2: after 147 s, or less)."""


def everybody(incident: Incident, site: Site) -> Hit | None:
    """S15: most agents lost contact in the same minute."""
    together = site.together(incident)
    if together.agents < 3 or together.agents * 2 <= together.population:
        return None
    if len(together.networks) == 1 and together.others - together.networks:
        return None  # everybody of one network, and others were well: that is the network's
    gap = site.around(incident, Kind.SILENCE, after_s=120)
    return hit("S15", LIKELY, incident.closed, *gap[:1], agents=together.agents, population=together.population)


RULES: tuple[Rule, ...] = (
    restarted,
    out_of_memory,
    bad_xml,
    cti_lost,
    telephony_lost,
    web_services_cut_off,
    not_listening,
    overloaded,
    directory_lost,
    stalled,
    everybody,
)

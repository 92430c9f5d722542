"""Causes at the client: browser, computer, the agent."""

from __future__ import annotations

from itertools import pairwise
from statistics import median

from poise.diagnosis import timing
from poise.diagnosis.events import Event, Kind
from poise.diagnosis.incidents import Incident, moment
from poise.diagnosis.rules.base import CERTAIN, LIKELY, POSSIBLE, Hit, Rule, hit
from poise.diagnosis.rules.network import reached, rest_meanwhile, unanswered
from poise.diagnosis.site import Site

CHROMIUM = ("Chrome/", "Edg/", "Chromium/")


def closed_page(incident: Incident, site: Site) -> Hit | None:
    """C2: the page said goodbye, or presence went without the reaper's doing."""
    unloading = next((e for e in incident.all(Kind.CONNECTION) if e.word.lower() == "unloading"), None)
    if unloading is not None and _in_trouble(incident, site, site.evidence.time(unloading)):
        return None  # who sees the banner presses reload: that is no cause any more
    left = next((e for e in incident.all(Kind.SESSION_CLOSED) if e.word == "client-left"), None)
    idle = incident.first(Kind.IDLE_CLOSE)
    asked = [e for e in incident.all(Kind.TERMINATED) if not e.word]
    if unloading is not None or (left is not None and idle is None):
        return hit("C2", CERTAIN, unloading, left, incident.first(Kind.UNAVAILABLE), incident.logout)
    if asked and idle is None:  # the server's answer to a goodbye carries no condition
        return hit("C2", LIKELY, *asked[:1], incident.first(Kind.UNAVAILABLE), incident.logout)
    gone = incident.first(Kind.UNAVAILABLE)
    if gone is None or idle is not None or incident.first(Kind.TERMINATED, Kind.REPLACED, Kind.UNKNOWN_SESSION):
        return None
    if "Openfire log" not in site.forms:
        return None  # without that log the reaper's doing would not be seen
    return hit("C2", LIKELY, gone, incident.first(Kind.SESSION_CLOSED), incident.logout)


def _in_trouble(incident: Incident, site: Site, at: float) -> bool:
    """Whether the page already had no connection at this moment."""
    for event in incident.events:
        when = moment(site.evidence, event)
        if not at - timing.BEFORE_S < when < at - 0.5:
            continue
        if event.kind is Kind.CONNECTION and event.word.lower() in ("connected", "connecting"):
            continue
        if event.kind in (Kind.RETRY, Kind.REQUEST_FAILED, Kind.CONNECTION, Kind.IDLE_CLOSE, Kind.TUNNEL) or (
            event.kind is Kind.POLL and event in incident.signs
        ):
            return True
    return False


def asleep(incident: Incident, site: Site) -> Hit | None:
    """C3: everything the computer wrote or sent stopped, and went on minutes later."""
    slept = [e for e in incident.all(Kind.POLL) if e.word in ("none", "aborted") and (e.second or 0) > FROZEN_MS]
    mine = [
        e
        for e in incident.all(Kind.DRIFT, Kind.REST, Kind.POLL, Kind.CONNECTION, Kind.RETRY)
        if e not in slept and "-recording" not in e.word
    ]
    for before, after in pairwise(mine):
        start, end = (
            site.evidence.time(before) + (before.second or 0 if before.kind is Kind.POLL else 0) / 1000,
            site.evidence.time(after),
        )
        if after.kind is Kind.PAGE_LOADED or _stepped(incident, site, start, end):
            continue
        if (
            end - start > timing.FROZEN_S
            and start - 5 <= (incident.contact.before if incident.contact else incident.at)
            and end > incident.at - timing.ACCOUNT_S
        ):
            drift = before.kind is Kind.DRIFT or after.kind is Kind.DRIFT
            return hit(
                "C3",
                LIKELY if drift or slept or before.kind is Kind.POLL else POSSIBLE,
                before,
                after,
                *slept[:1],
                seconds=round(end - start),
            )
    return None


FROZEN_MS = timing.FROZEN_S * 1000


def _stepped(incident: Incident, site: Site, start: float, end: float) -> bool:
    """Whether the gap in the client's records is none: its clock was set forward by about as much."""
    drifts = incident.all(Kind.DRIFT)
    before = [e for e in drifts if site.evidence.time(e) <= start + 1]
    after = [e for e in drifts if site.evidence.time(e) >= end - 1]
    if not before or not after:
        return False
    jump = ((before[-1].number or 0) - (after[0].number or 0)) / 1000
    return end - start - jump < timing.FROZEN_S


def clock_set(incident: Incident, site: Site) -> Hit | None:
    """C4: the drift jumps between two measurements while the way is fast."""
    for before, after in pairwise(incident.all(Kind.DRIFT)):
        jump = (after.number or 0) - (before.number or 0)
        if abs(jump) > timing.STEP_MS and (after.second or 0) < timing.SLOW_MS:
            # by itself a clock that is set closes no session: beside a disconnect it is a remark
            sure = LIKELY if all(e.kind is Kind.DRIFT for e in incident.signs) else POSSIBLE
            return hit("C4", sure, before, after, seconds=round(jump / 1000, 1))
    strata = [e for e in site.events if e.kind is Kind.STRATUM and (e.number or 0) > 4]
    return hit("C4", POSSIBLE, *strata[:1], seconds=0) if strata else None


def slow_way(incident: Incident, site: Site) -> Hit | None:
    """C5: round trips were slow, or packets are lost, or requests had to be repeated."""
    slow = [e for e in incident.all(Kind.DRIFT) if (e.second or 0) > timing.SLOW_MS]
    retries = incident.all(Kind.RETRY)
    loss = [e for e in site.events if e.kind is Kind.LOSS]
    silent = unanswered(incident.all(Kind.POLL))
    answered, failed = rest_meanwhile(incident, site, silent)
    line_down = bool(silent and failed) and not answered
    alone = site.together(incident).agents < 3
    # retries alone have many causes: a firewall, a proxy, a server that is away
    if len(slow) >= 2 or (slow and loss) or (line_down and alone):
        return hit(
            "C5",
            LIKELY,
            *slow[:3],
            *silent[:2],
            *failed[:2],
            *retries[:3],
            *loss[:2],
            ms=round(max((e.second or 0 for e in slow), default=0)),
        )
    return (
        hit("C5", POSSIBLE, *slow[:2], *retries[:2], *loss[:2], ms=round(max((e.second or 0 for e in slow), default=0)))
        if slow or loss or retries
        else None
    )


def throttled(incident: Incident, site: Site) -> Hit | None:
    """C6: the pause between an answer and the next poll is that of a tab nobody looks at."""
    polls = [e for e in incident.all(Kind.POLL) if e.second is not None]
    pauses = [
        (site.evidence.time(b) - site.evidence.time(a) - (a.second or 0) / 1000, b)
        for a, b in pairwise(polls)
        if a.word in ("empty", "data")  # behind a failure it is the client's own back-off
    ]
    if not polls:
        return _throttled_at_the_server(incident, site)
    long = [e for pause, e in pauses if timing.THROTTLED_S[0] <= pause <= timing.THROTTLED_S[1]]
    hidden = [e for pause, e in pauses if timing.HIDDEN_S[0] <= pause <= timing.HIDDEN_S[1]]
    browser = incident.first(Kind.BROWSER)
    chromium = browser is not None and any(name in browser.word for name in CHROMIUM)
    firefox = browser is not None and not chromium
    if firefox or (not long and len(hidden) < 3):
        return None
    if long:
        return hit(
            "C6",
            # one pause of a minute may be a computer that slept for one; two or three are a timer
            CERTAIN if len(long) > 2 or (len(long) > 1 and (hidden or chromium)) else LIKELY,
            *long[:3],
            *hidden[:1],
            browser,
            seconds=round(median(p for p, e in pauses if e in long)),
        )
    return hit("C6", POSSIBLE, *hidden[:3], browser, seconds=1)


def _throttled_at_the_server(incident: Incident, site: Site) -> Hit | None:
    """The same told by the server's log alone: polls that are answered after 30 s come every minute and a half."""
    requests = incident.all(Kind.REQUEST)
    gaps = [(site.evidence.time(b) - site.evidence.time(a) - timing.WAIT_S, b) for a, b in pairwise(requests)]
    long = [e for gap, e in gaps if timing.THROTTLED_S[0] - 1 <= gap <= timing.THROTTLED_S[1] + 1]
    if len(long) < 2:
        return None
    return hit("C6", LIKELY, *long[:3], seconds=round(median(gap for gap, e in gaps if e in long)))


def discarded(incident: Incident, site: Site) -> Hit | None:
    """C7: the page began anew, without the agent having closed it."""
    loaded = [e for e in incident.all(Kind.PAGE_LOADED) if site.evidence.time(e) > incident.at]
    unloading = any(e.word.lower() == "unloading" for e in incident.all(Kind.CONNECTION))
    return hit("C7", POSSIBLE, loaded[0]) if loaded and not unloading else None


def starved(incident: Incident, site: Site) -> Hit | None:
    """C8: the page's minute came late again and again, while the way was fast; or the computer's CPU was full."""
    drift = incident.all(Kind.DRIFT)
    late = [
        b
        for a, b in pairwise(drift)
        if 3 < site.evidence.time(b) - site.evidence.time(a) - timing.DRIFT_PERIOD_S < 30
        and (b.second or 0) < timing.SLOW_MS
    ]
    busy = [e for e in site.events if e.kind is Kind.CPU and (e.number or 0) >= 90]
    if len(late) >= 2 or busy:
        return hit("C8", LIKELY if late and busy else POSSIBLE, *late[:3], *busy[:2], count=len(late))
    return None


def old_browser(incident: Incident, site: Site) -> Hit | None:
    """C10: a browser that no supported release knows."""
    browser = incident.first(Kind.BROWSER)
    return (
        hit("C10", POSSIBLE, browser)
        if browser is not None and ("MSIE" in browser.word or "Trident/" in browser.word)
        else None
    )


def no_trust(incident: Incident, site: Site) -> Hit | None:
    """C11: the browser does not trust the certificate."""
    found = incident.all(Kind.NO_TRUST) + [e for e in incident.all(Kind.POLL) if e.word == "no-trust"]
    return hit("C11", CERTAIN, *found[:2], what=found[0].word) if found else None


def twice(incident: Incident, site: Site) -> Hit | None:
    """C12: the same agent signed in with the same resource once more."""
    polls = [e for e in incident.all(Kind.POLL) if "conflict" in e.word]
    found = incident.all(Kind.REPLACED) + [
        e for e in incident.all(Kind.TERMINATED) if "conflict" in e.word or "<conflict" in e.text
    ]
    if not found and not polls:
        return None
    first = (found or polls)[0]
    if not polls and _was_away(incident, site, site.evidence.time(first)):
        return hit("C12", POSSIBLE, *found[:2])  # the same client, signing in again after something else
    # who gets the news is still there, so it is another one that signed in; without that it may be a page that was
    # reloaded without a word
    addresses = {e.word for e in incident.all(Kind.SESSION_OPENED) if e.word}
    return hit("C12", CERTAIN if polls or len(addresses) > 1 else LIKELY, *polls[:1], *found[:2])


def _was_away(incident: Incident, site: Site, at: float) -> bool:
    """Whether the client had shown before this moment that it had lost its session, or had been silent for longer than
    a poll is held."""
    for event in incident.events:
        when = site.evidence.time(event)
        if when > at - 2:
            break
        if when > at - timing.BEFORE_S and (
            event.kind is Kind.RETRY or (event.kind is Kind.CONNECTION and event.word.lower() == "disconnected")
        ):
            return True
    if any(
        e.kind is Kind.STALLED and 0 <= at - site.evidence.time(e) <= timing.GRACE_S and (e.number or 0) > timing.WAIT_S
        for e in site.events
    ):
        return True  # everybody whose server stood still signs in anew
    told = incident.first(Kind.REPLACED)
    return told is not None and told.second is not None and told.second > timing.WAIT_S


def too_active(incident: Incident, site: Site) -> Hit | None:
    """C13: more requests than agreed."""
    ended = [
        e
        for e in incident.all(Kind.TERMINATED, Kind.POLL)
        if e.word in ("policy-violation", "terminate:policy-violation", "too-active") and not by_stream(e)
    ]
    over = incident.all(Kind.OVERACTIVE)
    return (
        hit("C13", CERTAIN if ended and over else LIKELY if ended else POSSIBLE, *ended[:2], *over[:2])
        if ended or over
        else None
    )


def by_stream(event: Event) -> bool:
    """Whether the condition is that of a stream error, not of the body: not BOSH's own rules were broken."""
    return "<stream:error>" in event.text


def same_rid(incident: Incident, site: Site) -> Hit | None:
    """C14: the server gets one rid again and again while the client waits for answers; then the session is not
    found."""
    rids = [e for e in incident.all(Kind.REQUEST) if e.number is not None]
    silent = unanswered(incident.all(Kind.POLL))
    arrived = reached(incident, site, silent) if silent else []
    least = 2 if arrived else 3
    repeated = [e for e in rids if sum(other.number == e.number for other in rids) >= least]
    repeated = repeated or arrived
    ended = [e for e in incident.events if "item-not-found" in e.word or e.kind is Kind.OUT_OF_WINDOW]
    return (
        hit("C14", LIKELY, *repeated[:3], *ended[:1], count=len(repeated))
        if repeated and ended
        else hit("C14", POSSIBLE, *ended[:2], count=0)
        if incident.first(Kind.OUT_OF_WINDOW)
        else None
    )


def token(incident: Incident, site: Site) -> Hit | None:
    """C15: single sign-on let the token run out."""
    found = [e for e in incident.all(Kind.REST) if e.number == 401 and "token" in e.text.lower()]
    return hit("C15", LIKELY, *found[:2]) if found else None


def silent(incident: Incident, site: Site) -> Hit | None:
    """C1: the client stopped polling, and went silent alone; certain only where a capture shows that no poll left
    it."""
    idle = incident.first(Kind.IDLE_CLOSE)
    if idle is None and incident.contact is None:
        return None
    growing = [e for e in incident.all(Kind.IDLE) if e.number]
    together = site.together(incident)
    polls = incident.all(Kind.POLL)
    answered = [e for e in polls if e.word in ("empty", "data")]
    refused = incident.all(Kind.TUNNEL, Kind.RETRY, Kind.REQUEST_FAILED)
    if (
        idle is not None
        and not refused
        and answered
        and not unanswered(polls)
        and polls[-1] is answered[-1]
        and _went_on(incident, site, polls[-1])
    ):
        return hit("C1", CERTAIN, answered[-1], *growing, idle)
    if idle is None and not growing:
        return None
    alone = together.agents < 3
    sound = [e for e in incident.all(Kind.IDLE) if not e.number]
    return hit("C1", LIKELY if alone else POSSIBLE, *growing, idle, *sound[-1:])


def _went_on(incident: Incident, site: Site, last: Event) -> bool:
    """The capture goes on behind the last poll for longer than a pause, so that a missing poll is missed."""
    end = max((site.evidence.time(e) for e in incident.events if e.place.file == last.place.file), default=0.0)
    return end - site.evidence.time(last) - (last.second or 0) / 1000 > timing.IDLE_LIMIT_S


def silence_of_unknown_side(incident: Incident, site: Site) -> Hit | None:
    """O1: there was a disconnect and nothing says why."""
    return hit("O1", POSSIBLE, *incident.signs[:3])


RULES: tuple[Rule, ...] = (
    closed_page,
    asleep,
    clock_set,
    slow_way,
    throttled,
    discarded,
    starved,
    old_browser,
    no_trust,
    twice,
    too_active,
    same_rid,
    token,
    silent,
    silence_of_unknown_side,
)

"""Disconnects, one by one: signs that belong together, when the client was last heard, and what followed.

Theory: a disconnect leaves signs in several logs (closing, presence, logout, banner), seconds to minutes apart. They
are gathered by agent and
time. The one thing never to be taken at face value is when contact was lost: a reaper's tick says when the last *held
request ended*, and that
one may have begun 30 s earlier at a client that was gone already. So last contact is an interval.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from poise.diagnosis import timing
from poise.diagnosis.codes import CONNECTION, OTHER
from poise.diagnosis.events import Event, Kind, Place
from poise.diagnosis.evidence import Evidence

FAILED_POLLS = frozenset({"unknown-session", "none", "gateway", "html", "forbidden", "server-error", "no-trust"})
LIFE = frozenset({Kind.DRIFT, Kind.REST, Kind.POLL, Kind.CONNECTION, Kind.PAGE_LOADED})
"""What shows that a page runs."""
INCIDENTS_LIMIT = 20_000


@dataclass(slots=True)
class Contact:
    """When the client was last heard."""

    after: float
    """Seconds UTC: it was certainly there."""
    before: float
    """Seconds UTC: nothing came after this."""
    proof: Event


@dataclass(slots=True)
class Incident:
    """One disconnect of one agent."""

    agent: str
    at: float
    """Seconds UTC of the first sign that the connection was over."""
    signs: list[Event]
    events: list[Event] = field(default_factory=list)
    """Everything of this agent around it, in order, signs included."""
    contact: Contact | None = None
    counter_off_s: float = 0.0
    """Seconds by which the idle counter disagrees with the clock beside it; 0: it agrees."""

    def first(self, *kinds: Kind) -> Event | None:
        """The first event of these kinds."""
        return next((event for event in self.events if event.kind in kinds), None)

    def all(self, *kinds: Kind) -> list[Event]:
        """All events of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds]

    @property
    def closed(self) -> Event | None:
        """The event that ended the session, as the server tells it."""
        return (
            self.first(Kind.IDLE_CLOSE) or self.first(Kind.TERMINATED, Kind.REPLACED) or self.first(Kind.SESSION_CLOSED)
        )

    @property
    def logout(self) -> Event | None:
        """The forced logout."""
        return self.first(Kind.FORCED_LOGOUT) or next((e for e in self.all(Kind.CTI_REQUEST) if e.number == 255), None)

    @property
    def reason(self) -> int | None:
        """The reason code that the telephone system told, or else was asked to set."""
        told = [
            e for e in self.all(Kind.CTI_STATE, Kind.CTI_REQUEST) if e.number and e.word in ("LOGOUT", "NOT_READY", "")
        ]
        told.sort(key=lambda e: e.kind is Kind.CTI_REQUEST)
        return int(told[0].number) if told and told[0].number else None


def _is_sign(event: Event) -> bool:
    match event.kind:
        case (
            Kind.IDLE_CLOSE
            | Kind.TERMINATED
            | Kind.REPLACED
            | Kind.SESSION_CLOSED
            | Kind.UNAVAILABLE
            | Kind.FORCED_LOGOUT
            | Kind.UNKNOWN_SESSION
            | Kind.NO_TRUST
            | Kind.CLIENT_SILENT
            | Kind.UNHEARD
            | Kind.WEBSOCKET_ENDED
            | Kind.CONNECT_FAILED
            | Kind.NO_ANSWER
        ):
            return True
        case Kind.RESET:
            return event.word == "server"
        case Kind.CONNECTION:
            return event.word.lower() in ("disconnected", "unloading", "connfail", "conntimeout")
        case Kind.CTI_STATE:
            return _system_code(event)
        case Kind.CTI_REQUEST:
            return event.number == 255
        case Kind.POLL:
            given_up = event.word == "aborted" and (event.second or 0) >= timing.GIVE_UP_MS[0]
            return given_up or event.word in FAILED_POLLS or event.word.startswith("terminate")
        case Kind.TUNNEL:
            return event.number in (403, 407, 502, 503)
    return False


def _system_code(event: Event) -> bool:
    """A state that the system, not the agent, brought about: signing out with no code or with one of the centre's own
    is the end of a shift."""
    code = int(event.number or 0)
    return (event.word == "LOGOUT" and (code in CONNECTION or code in OTHER)) or (
        event.word == "NOT_READY" and code in CONNECTION
    )


def incidents(evidence: Evidence) -> list[Incident]:
    """All disconnects, in order of time."""
    by_agent: dict[str, list[Event]] = defaultdict(list)
    nobody: list[Event] = []
    untimed: list[Event] = []
    known = _Known(evidence)
    for event in evidence.timeline():
        if event.kind is Kind.CTI_STATE and known.already(event):
            continue
        if event.at == 0.0:
            untimed.append(event)
            continue
        (by_agent[event.agent] if event.agent else nobody).append(event)
    found: list[Incident] = []
    loose = [event for event in nobody if _is_sign(event)]
    if not by_agent and loose:
        by_agent[""] = nobody
    for agent, events in by_agent.items():
        found += _of_agent(evidence, agent, events)
        if len(found) > INCIDENTS_LIMIT:
            break
    found += _of_site(evidence, found, nobody)
    _give_loose(evidence, found, nobody)
    _give_untimed(found, untimed, alone=len(by_agent) <= 1)
    for incident in found:
        incident.events.sort(key=lambda event: (evidence.time(event), event.place))
        _contact(evidence, incident)
    found.sort(key=lambda incident: (incident.at, incident.agent))
    return found


class _Known:
    """Which agent states are no news.

    Theory: when the link to the CTI server is opened, every agent's state is told, with the reason it has had for
    hours. Such a state is no sign-out of this moment, and neither is one that is told twice.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._opened = sorted(evidence.time(e) for e in evidence.events if e.kind is Kind.CTI_UP)
        self._states: dict[str, tuple[str, int]] = {}

    def already(self, event: Event) -> bool:
        """Whether this state is a repetition, or part of the tale when a link is opened."""
        state = (event.word, int(event.number or 0))
        before = self._states.get(event.agent)
        if event.agent:
            self._states[event.agent] = state
        if before is not None:
            return before == state
        at = self._evidence.time(event)
        near = bisect_left(self._opened, at - timing.RESYNC_S)
        return near < len(self._opened) and self._opened[near] <= at + timing.RESYNC_S


def _of_site(evidence: Evidence, found: list[Incident], nobody: list[Event]) -> list[Incident]:
    """Losses of the whole site that left no disconnect of anybody: agents saw a banner and nothing more."""
    lost: list[list[Event]] = []
    for event in nobody:
        first = evidence.files[event.place.file].first
        again = event.kind is Kind.SERVICE_STARTED and first is not None and event.at > first + 1
        if event.kind not in (Kind.CTI_DOWN, Kind.XMPP_DOWN) and not again:
            continue
        if lost and evidence.time(event) - evidence.time(lost[-1][-1]) <= timing.ACCOUNT_S:
            lost[-1].append(event)
        else:
            lost.append([event])
    sites = []
    for signs in lost:
        start, end = evidence.time(signs[0]), evidence.time(signs[-1])
        if any(start - timing.GRACE_S <= i.at <= end + timing.ACCOUNT_S for i in found):
            continue
        around = [e for e in nobody if start - timing.GRACE_S <= evidence.time(e) <= end + timing.AFTER_S]
        around += [e for e in evidence.timeline() if e.at and evidence.time(e) < start][-1:]
        sites.append(Incident("", start, signs, around))
    return sites


def moment(evidence: Evidence, event: Event) -> float:
    """When it tells what it tells: a poll's time is its beginning, and its failure is known at its end."""
    return evidence.time(event) + (event.second or 0) / 1000 * (event.kind is Kind.POLL)


def _of_agent(evidence: Evidence, agent: str, events: list[Event]) -> Iterable[Incident]:
    groups: list[list[Event]] = []
    more = _clock_jumps(events) | _only_asked(events)
    pending = _pending(events)
    told = [event for event in events if (_is_sign(event) and event.place not in pending) or event.place in more]
    told.sort(key=lambda event: moment(evidence, event))
    for event in told:
        if groups and (
            moment(evidence, event) - moment(evidence, groups[-1][-1]) <= timing.ACCOUNT_S
            or _echo(evidence, events, groups[-1][-1], event)
        ):
            groups[-1].append(event)
        else:
            groups.append([event])
    for index, signs in enumerate(groups):
        start, end = moment(evidence, signs[0]), moment(evidence, signs[-1])
        before = start - timing.BEFORE_S
        if index:
            before = max(before, moment(evidence, groups[index - 1][-1]) + 1)
        after = end + timing.AFTER_S
        if index + 1 < len(groups):
            after = min(after, moment(evidence, groups[index + 1][0]) - 1)
        around = [event for event in events if before <= evidence.time(event) <= after]
        around += _next_sign_of_life(evidence, events, end, after)
        around += _last_sign_of_life(evidence, events, before, start)
        yield Incident(agent, start, signs, around)


def _echo(evidence: Evidence, events: list[Event], last: Event, event: Event) -> bool:
    """Whether a client only learns now, hours later, what was over long ago: a computer that slept, and nothing was
    heard of it in between."""
    if event.kind not in (Kind.UNKNOWN_SESSION, Kind.POLL, Kind.CONNECTION):
        return False
    start, end = moment(evidence, last), moment(evidence, event) - 5.0
    return not any(
        e.kind in LIFE | {Kind.AVAILABLE, Kind.SESSION_OPENED, Kind.IDLE, Kind.REQUEST}
        and start < evidence.time(e) < end
        for e in events
    )


def _clock_jumps(events: list[Event]) -> set[Place]:
    """Measurements at which a clock had been set: no disconnect, but asked about for odd durations of states."""
    drifts = [e for e in events if e.kind is Kind.DRIFT]
    return {
        after.place
        for before, after in itertools.pairwise(drifts)
        if before.place.file == after.place.file
        and abs((after.number or 0) - (before.number or 0)) > timing.STEP_MS
        and max(before.second or 0, after.second or 0) < timing.SLOW_MS
    }


def _pending(events: list[Event]) -> set[Place]:
    """The last poll of each recording, where it has no end: the recording ends, not the session, whatever a clock that
    was set meanwhile makes of the stamps."""
    last = {e.place.file: e for e in sorted(events, key=lambda e: e.place.line) if e.kind is Kind.POLL}
    return {e.place for e in last.values() if e.word == "none" and e.second is None}


def _only_asked(events: list[Event]) -> set[Place]:
    """The second of several CORS preflights that no poll followed: who asks so never gets a connection."""
    asked = [e for e in events if e.kind is Kind.PREFLIGHT]
    polled = {e.place.file for e in events if e.kind is Kind.POLL}
    return {e.place for e in asked[1:2] if e.place.file not in polled}


def _next_sign_of_life(evidence: Evidence, events: list[Event], end: float, after: float) -> list[Event]:
    """The client's first record behind the window: a computer that slept wakes up hours later."""
    if any(e.kind in LIFE and end < evidence.time(e) <= after for e in events):
        return []
    return [e for e in events if e.kind in LIFE and evidence.time(e) > after][:1]


def _last_sign_of_life(evidence: Evidence, events: list[Event], before: float, start: float) -> list[Event]:
    """The client's last record before the window, where none lies in it: so long had it been asleep."""
    if any(e.kind in LIFE and before <= evidence.time(e) < start - 1 for e in events):
        return []
    return [e for e in events if e.kind in LIFE and evidence.time(e) < before][-1:]


def _give_loose(evidence: Evidence, found: list[Incident], nobody: list[Event]) -> None:
    """Lines that are cut off before they name the agent go to the one disconnect they can belong to, or to nobody."""
    kinds = (
        Kind.UNAVAILABLE,
        Kind.GRACE,
        Kind.FORCED_LOGOUT,
        Kind.GRACE_CANCELLED,
        Kind.AVAILABLE,
        Kind.CTI_STATE,
        Kind.CTI_REQUEST,
    )
    for event in nobody:
        if event.kind not in kinds:
            continue
        at = evidence.time(event)
        near = [i for i in found if i.agent and -2.0 <= at - i.at <= timing.GRACE_S + 5.0]
        if len(near) == 1:
            near[0].events.append(event)


def _give_untimed(found: list[Incident], untimed: list[Event], alone: bool) -> None:
    """Lines without a time (a browser's console) belong to the agent if there is only one; alone they are a disconnect
    of their own."""
    signs = [event for event in untimed if _is_sign(event)]
    if found and alone:
        for incident in found:
            incident.events += untimed
    elif signs and not found:
        found.append(Incident("", 0.0, signs, untimed))


def _contact(evidence: Evidence, incident: Incident) -> None:
    """Last contact as an interval, from the best proof there is."""
    told = next(
        (e for e in incident.all(Kind.IDLE_CLOSE, Kind.TERMINATED) if e.second is not None and e.number is not None),
        None,
    )
    if told is not None and told.number is not None and told.second is not None:  # Poise's trace says it itself
        at = evidence.time(told)
        incident.contact = Contact(at - told.number, at - told.second, told)
    closed = incident.closed
    limit = evidence.time(closed) if closed is not None else incident.at + 1
    ticks = [e for e in incident.all(Kind.IDLE) if evidence.time(e) <= limit]
    growing = _last_growth(ticks)
    if growing:
        _counter(evidence, incident, growing)
        first = growing[0]
        ended = evidence.time(first) - (first.number or 0) / 1000
        since = ended - timing.WAIT_S
        requests = [evidence.time(e) for e in incident.all(Kind.REQUEST) if evidence.time(e) <= ended + 1]
        if requests:
            since = max(since, requests[-1])
        late = [e for e in incident.all(Kind.REQUEST) if ended + 1 < evidence.time(e) <= limit]
        if incident.contact is None and not late:
            incident.contact = Contact(min(since, ended), ended, first)
    if incident.contact is None:
        requests_ = [e for e in incident.all(Kind.REQUEST) if evidence.time(e) <= limit]
        zero = [e for e in ticks if not e.number]
        if requests_ or zero:
            last = max((*requests_, *zero), key=evidence.time)
            at = evidence.time(last)
            # 0 ms: a request is held, and may have come as long ago as one is held
            held = timing.WAIT_S + _stood_still(evidence, at)
            after = max([at - held, *map(evidence.time, requests_)]) if last.kind is Kind.IDLE else at
            incident.contact = Contact(after, min(limit, at + timing.WAIT_S + timing.REAPER_S), last)
    if incident.contact is None:
        sent = [e for e in incident.all(Kind.POLL) if evidence.time(e) <= limit]
        known = ("empty", "data", "terminate")  # item-not-found: the session was over when that one came
        polls = [e for e in sent if e.word.startswith(known) and "item-not-found" not in e.word]
        if polls:  # those behind the last that was answered may have arrived, or not
            incident.contact = Contact(
                evidence.time(polls[-1]), max(min(moment(evidence, e), limit) for e in sent), polls[-1]
            )


def _stood_still(evidence: Evidence, at: float) -> float:
    """Seconds for which the server did not run shortly before: so much longer has a request been held."""
    return sum(
        e.number or 0
        for e in evidence.events
        if e.kind is Kind.STALLED and at - timing.WAIT_S <= evidence.time(e) <= at + 1
    )


def _last_growth(ticks: list[Event]) -> list[Event]:
    """The ticks of the silence that did not end: a smaller idle time than before means that the client had come
    back."""
    run: list[Event] = []
    for tick in ticks:
        if not tick.number:
            run = []
        elif run and tick.number <= (run[-1].number or 0):
            run = [tick]
        else:
            run.append(tick)
    return run


def _counter(evidence: Evidence, incident: Incident, growing: list[Event]) -> None:
    worst = 0.0
    for before, after in itertools.pairwise(growing):
        passed = evidence.time(after) - evidence.time(before)
        counted = ((after.number or 0) - (before.number or 0)) / 1000
        if counted > 0 and abs(passed - counted) > abs(worst):
            worst = passed - counted
    if abs(worst) > timing.COUNTER_SLACK_S:
        incident.counter_off_s = worst

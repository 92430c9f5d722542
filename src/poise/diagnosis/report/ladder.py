"""Ladders and charts as SVG: who spoke to whom and when, drift and round trips.

Theory: four lanes (client, notification service, web services, CTI server). Every kind of event has one arrow or mark
in one table, so that a
new kind is one row. Time runs down, in equal steps, since seconds and hours stand side by side; the stamp stands on
every row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from poise.diagnosis.events import Event, Kind
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.jsonform import stamp

LANES = ("client", "notification", "web-services", "cti")
ROWS_LIMIT = 120
"""Rows of one ladder; more would not be read. The middle is left out, since beginning and end tell."""

C, N, W, T = range(4)
ARROWS: dict[Kind, tuple[int, int]] = {
    Kind.REQUEST: (C, N),
    Kind.POLL: (C, N),
    Kind.IDLE: (N, N),
    Kind.IDLE_CLOSE: (N, N),
    Kind.SESSION_CLOSED: (N, N),
    Kind.SESSION_OPENED: (C, N),
    Kind.TERMINATED: (N, C),
    Kind.UNKNOWN_SESSION: (N, C),
    Kind.OUT_OF_WINDOW: (N, C),
    Kind.OVERACTIVE: (C, N),
    Kind.REPLACED: (N, C),
    Kind.STORED_OFFLINE: (N, N),
    Kind.UNAVAILABLE: (N, W),
    Kind.AVAILABLE: (N, W),
    Kind.GRACE: (W, W),
    Kind.GRACE_CANCELLED: (W, W),
    Kind.FORCED_LOGOUT: (W, W),
    Kind.CTI_REQUEST: (W, T),
    Kind.CTI_STATE: (T, W),
    Kind.CONNECTION: (C, C),
    Kind.DRIFT: (C, C),
    Kind.PAGE_LOADED: (C, C),
    Kind.REST: (C, W),
    Kind.REQUEST_FAILED: (C, N),
    Kind.RETRY: (C, N),
    Kind.NO_TRUST: (C, N),
    Kind.BROWSER: (C, C),
    Kind.WEBSOCKET: (C, N),
    Kind.PREFLIGHT: (C, N),
    Kind.TUNNEL: (C, N),
    Kind.WEBSOCKET_ENDED: (C, N),
    Kind.CLIENT_SILENT: (C, C),
    Kind.SLEPT: (C, C),
    Kind.UNHEARD: (C, N),
    Kind.NO_ANSWER: (C, N),
    Kind.RESET: (N, C),
    Kind.CONNECT_FAILED: (C, N),
    Kind.REPEATED: (C, N),
    Kind.ZERO_WINDOW: (N, N),
    Kind.CAPTURE_GAP: (N, N),
    Kind.ISSUER: (N, C),
}
"""From lane to lane; the same lane twice is a mark. Kinds that are not here concern everybody and are marks of the
notification service."""
BAD = frozenset(
    {
        Kind.IDLE_CLOSE,
        Kind.TERMINATED,
        Kind.UNKNOWN_SESSION,
        Kind.FORCED_LOGOUT,
        Kind.UNAVAILABLE,
        Kind.NO_TRUST,
        Kind.REQUEST_FAILED,
        Kind.REPLACED,
        Kind.UNHEARD,
        Kind.NO_ANSWER,
        Kind.RESET,
        Kind.CONNECT_FAILED,
        Kind.WEBSOCKET_ENDED,
    }
)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a ladder, in units of the drawing."""

    time: str
    label: str
    detail: str
    start: int
    end: int
    bad: bool
    anchor: str
    gap_s: float
    """Seconds since the row before; told when long."""


def rows(evidence: Evidence, events: Sequence[Event]) -> list[Row]:
    """The rows of one disconnect's ladder."""
    chosen = list(events)
    if len(chosen) > ROWS_LIMIT:
        chosen = chosen[: ROWS_LIMIT // 2] + chosen[-ROWS_LIMIT // 2 :]
    made, before = [], 0.0
    for event in chosen:
        start, end = ARROWS.get(event.kind, (N, N))
        at = evidence.time(event)
        detail = event.word if event.word else f"{event.number:g}" if event.number is not None else ""
        if event.kind is Kind.IDLE and event.number is not None:
            detail = f"{event.number / 1000:g} s"
        if event.kind is Kind.DRIFT:
            detail = f"{event.number:g} / {event.second:g} ms"
        bad = event.kind in BAD or (event.kind is Kind.POLL and event.word not in ("empty", "data", "end-of-recording"))
        gap = at - before if before and event.at else 0.0
        made.append(
            Row(
                clock(at, evidence.people_zone_s) if event.at else "",
                event.kind.value,
                detail[:40],
                start,
                end,
                bad,
                anchor(event),
                gap,
            )
        )
        before = at if event.at else before
    return made


def clock(at: float, zone_s: float) -> str:
    """Hours to milliseconds in the people's zone."""
    return stamp(at, zone_s)[11:23]


def anchor(event: Event) -> str:
    """The id of a raw line in a report."""
    return f"l{event.place.file}-{event.place.line}"


@dataclass(frozen=True, slots=True)
class Chart:
    """One line of a chart, in a box of 600 x 80."""

    name: str
    points: str
    low: float
    high: float
    unit: str


def charts(evidence: Evidence, events: Sequence[Event]) -> list[Chart]:
    """Drift and round trips, where they were measured."""
    measured = [
        event for event in events if event.kind is Kind.DRIFT and event.number is not None and event.second is not None
    ]
    if len(measured) < 2:
        return []
    times = [evidence.time(event) for event in measured]
    made = []
    for name, values in (
        ("drift", [e.number or 0.0 for e in measured]),
        ("latency", [e.second or 0.0 for e in measured]),
    ):
        low, high = min(values), max(values)
        span, across = (high - low) or 1.0, (times[-1] - times[0]) or 1.0
        points = " ".join(
            f"{(t - times[0]) / across * 600:.1f},{75 - (v - low) / span * 70:.1f}"
            for t, v in zip(times, values, strict=True)
        )
        made.append(Chart(name, points, low, high, "ms"))
    return made

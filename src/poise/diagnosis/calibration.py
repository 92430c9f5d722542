"""What time a file's stamps mean. Done before files are merged, and shown.

Theory: a zone-less log that also writes epochs tells its own offset. One that does not is compared with its neighbours
(same folder), then with events that two logs both tell (an idle closing is the web services' `unavailable`). Offsets of
zones are multiples of 15 minutes; what remains is the clock's own error, which is kept.

Source: diagnosis notes 0.3.
"""

from __future__ import annotations

from collections import Counter
from statistics import median

from poise.diagnosis.events import Event, Kind
from poise.diagnosis.evidence import Clock, Evidence

QUARTER_S = 900
"""Zones differ by multiples of 15 minutes."""
MATCH_S = 2.0
"""How near two logs' stamps of one event lie; Openfire's resolve one second."""
FARTHEST_S = 15 * 3600
"""Zones reach from -12 to +14 hours."""


def calibrate(evidence: Evidence) -> None:
    """Set the clock of every file that has none."""
    for file in evidence.files:
        if file.clock.source or file.first is None:
            continue
        if evidence.zone_s is not None:
            file.clock = Clock(evidence.zone_s, "--zone")
        elif file.epochs:
            file.clock = Clock(_zone(median(stamp - epoch for stamp, epoch in file.epochs)), "its own epoch stamps")
    _from_neighbours(evidence)
    _from_shared_events(evidence)
    _from_neighbours(evidence)


def _zone(offset_s: float) -> float:
    return round(offset_s / QUARTER_S) * float(QUARTER_S)


def _folder(name: str) -> str:
    return max(name.rpartition("/")[0], name.rpartition("!")[0])


def _from_neighbours(evidence: Evidence) -> None:
    known = {
        (_folder(f.name), f.form): f for f in evidence.files if f.clock.source and f.clock.source != "in every line"
    }
    for file in evidence.files:
        neighbour = known.get((_folder(file.name), file.form))
        if not file.clock.source and file.first is not None and neighbour is not None:
            file.clock = Clock(neighbour.clock.offset_s, f"as {neighbour.name}")


def _from_shared_events(evidence: Evidence) -> None:
    """A closing in a log without zone and the same agent's (or the only) `unavailable` in one with a zone are the same
    moment."""
    known = [
        e
        for e in evidence.events
        if e.kind in (Kind.UNAVAILABLE, Kind.FORCED_LOGOUT) and evidence.files[e.place.file].clock.source
    ]
    for index, file in enumerate(evidence.files):
        if file.clock.source or file.first is None:
            continue
        mine = [
            e for e in evidence.events if e.place.file == index and e.kind in (Kind.IDLE_CLOSE, Kind.SESSION_CLOSED)
        ][:500]
        votes: Counter[float] = Counter()
        for event in mine:
            for offset in {_zone(event.at - other.at) for other in known if _same(event, other)}:
                votes[offset] += 1
        if votes:
            offset, count = votes.most_common(1)[0]
            if list(votes.values()).count(count) == 1:
                file.clock = Clock(offset, f"{count} closings that another log tells too")


def _same(closing: Event, other: Event) -> bool:
    if other.kind is not Kind.UNAVAILABLE or (closing.agent and other.agent and closing.agent != other.agent):
        return False
    apart = closing.at - other.at
    return abs(apart) < FARTHEST_S and abs(apart - _zone(apart)) <= MATCH_S

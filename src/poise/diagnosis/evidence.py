"""All that was read: files, their events, their clocks, and what nobody understood. Bounded whatever comes in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from poise.diagnosis.events import TEXT_LIMIT, Event, Kind, Place, shown

EVENTS_LIMIT = 200_000
"""Events kept over all files, about 100 MB. More than a whole day of 2,000 agents leaves, since readers pass on only
what tells something."""
AGENTS_LIMIT = 100_000
SHAPE_BYTES = 200
"""Bytes of a line that make its shape."""
SHAPES_LIMIT = 1_000
"""Different shapes of unknown lines kept; beyond it new ones are only counted."""


@dataclass(slots=True)
class Clock:
    """What is known of a file's clock."""

    offset_s: float = 0.0
    """Seconds its stamps are ahead of UTC."""
    source: str = ""
    """How that is known: `in every line`, `epoch stamps`, `the same event in FILE`, `--zone`; empty: assumed to be
    UTC."""


@dataclass(slots=True)
class Unknown:
    """One shape of lines that no reader understood."""

    count: int
    example: str
    place: Place


@dataclass(slots=True)
class File:
    """One file of the evidence; one inside an archive is named `archive!inner`."""

    name: str
    form: str
    """What it was recognised as, such as `Openfire log`; empty: not understood."""
    clock: Clock = field(default_factory=Clock)
    zone_s: float | None = None
    """Zone that its lines name, seconds ahead of UTC: the one its people think in."""
    lines: int = 0
    understood: int = 0
    first: float | None = None
    last: float | None = None
    trouble: str = ""
    """Why it, or its rest, could not be read."""
    base: int = 0
    """Lines before the part that was read; places count from it."""
    remark: str = ""
    """Key of the catalogue's `remarks` for what must be known of it."""
    epochs: list[tuple[float, float]] = field(default_factory=list)
    """Pairs (stamp, true seconds since 1970) that calibrate the clock."""
    unknown: dict[str, Unknown] = field(default_factory=dict)

    def span(self, at: float) -> None:
        """The file tells of this moment."""
        if self.first is None or at < self.first:
            self.first = at
        if self.last is None or at > self.last:
            self.last = at


class Evidence:
    """Files and events of one analysis; only readers add to it."""

    def __init__(self, zone_s: float | None = None) -> None:
        self.files: list[File] = []
        self.events: list[Event] = []
        self.agents: dict[str, str] = {}
        """Everybody who was seen, also those to whom nothing happened, with an address when known."""
        self.dropped = 0
        self._shapes: dict[bytes, str] = {}
        self.zone_s = zone_s
        """What the user said of files without zone, seconds ahead of UTC."""

    def open(self, name: str, form: str) -> int:
        """A new file; its number goes into the places."""
        self.files.append(File(name, form))
        return len(self.files) - 1

    def add(self, event: Event) -> None:
        """Keep one event, as long as there is room."""
        if len(self.events) < EVENTS_LIMIT:
            self.events.append(event)
            self.files[event.place.file].span(event.at)
        else:
            self.dropped += 1

    def seen(self, agent: str, address: str = "") -> None:
        """Somebody is there."""
        if len(self.agents) < AGENTS_LIMIT or agent in self.agents:
            self.agents[agent] = address or self.agents.get(agent, "")

    def not_understood(self, file: int, line: int, raw: bytes) -> None:
        """Count a line that no pattern knew, by its shape."""
        unknown = self.files[file].unknown
        start = raw[:SHAPE_BYTES]
        key = self._shapes.get(start)
        if key is None:
            if len(self._shapes) >= SHAPES_LIMIT:
                self._shapes.clear()
            key = self._shapes[start] = shape(start)
        known = unknown.get(key)
        if known is not None:
            known.count += 1
        elif len(unknown) < SHAPES_LIMIT:
            unknown[key] = Unknown(1, shown(raw)[:TEXT_LIMIT], Place(file, line))
        else:
            unknown.setdefault("(other shapes)", Unknown(0, "", Place(file, line))).count += 1

    def time(self, event: Event) -> float:
        """When it happened, seconds since 1970 UTC."""
        return event.at - self.files[event.place.file].clock.offset_s

    @property
    def people_zone_s(self) -> float:
        """The zone in which times are told: that of the server's logs, else of any other, else UTC."""
        calibrated = [file.clock.offset_s for file in self.files if file.clock.source and file.form == "Openfire log"]
        named = [file.zone_s for file in self.files if file.zone_s is not None]
        return (calibrated or named or [0.0])[0]

    def where(self, place: Place) -> str:
        """`file:line`."""
        file = self.files[place.file]
        return f"{file.name}:{file.base + place.line}"

    def timeline(self, kinds: Iterable[Kind] | None = None) -> Iterator[Event]:
        """The events in order of time; those of one moment in the order of files and lines."""
        wanted = set(kinds) if kinds is not None else None
        chosen = (event for event in self.events if wanted is None or event.kind in wanted)
        yield from sorted(chosen, key=lambda event: (self.time(event), event.place))


_NUMBERS = re.compile(rb"[0-9]+")
_HEX = re.compile(rb"\b[0-9a-fA-F]{8,}\b")
_QUOTED = re.compile(rb"'[^']*'|\"[^\"]*\"|<[^>]*>")


def shape(raw: bytes) -> str:
    """A line without what varies: numbers, ids, quoted text."""
    start = _QUOTED.sub(b"'...'", raw.rstrip())
    return shown(_NUMBERS.sub(b"N", _HEX.sub(b"X", start)))[:120]

"""Watches a folder of growing logs and tells causes as they happen.

Theory: what a line means depends on lines of other files, before and behind it, so every look analyses anew the last
part of every file that is still written: bounded, and with the very rules of `poise analyze`. A disconnect is told when
its first sign appears, and again when later lines make its cause another one or surer.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from poise.diagnosis import reading, timing
from poise.diagnosis.analysis import Analysis, Verdict, analyse
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget

WINDOW_BYTES = 8 * 1024 * 1024
"""Last part of a file that is analysed: at least a quarter of an hour of a busy debug.log."""
FRESH_S = 1_800.0
"""A file that was not written for so long is not read at all."""
FILES_LIMIT = 200
TOLD_LIMIT = 20_000


@dataclass(slots=True)
class Told:
    """A disconnect that was told."""

    agent: str
    at: float
    cause: str
    confidence: int


@dataclass(slots=True)
class _Window:
    """How far a file was read."""

    identity: tuple[int, int] = (0, 0)
    size: int = -1
    start: int = 0
    lines_before: int = 0
    """Lines before `start`."""


@dataclass(slots=True)
class News:
    """What a look found."""

    verdict: Verdict
    analysis: Analysis
    again: bool
    """Whether it was told before, with another cause or less sure."""


@dataclass(slots=True)
class Watch:
    """One folder or file."""

    root: Path
    zone_s: float | None = None
    _windows: dict[Path, _Window] = field(default_factory=dict)
    _told: list[Told] = field(default_factory=list)
    _looked: bool = False

    def look(self, now: datetime, *, tell_first: bool = False) -> list[News]:
        """Analyse if anything grew. What the first look finds is past, and told only with `tell_first`."""
        paths = list(self._fresh(now))
        if not self._grown(paths) and self._looked:
            return []
        analysis = self._analyse(paths)
        first, self._looked = not self._looked, True
        news = []
        for verdict in analysis.verdicts:
            known = self._known(verdict)
            best = verdict.best
            if known is None:
                at = verdict.incident.at
                self._told.append(Told(verdict.incident.agent, at, best.cause.id, best.confidence.value))
                if not first or tell_first:
                    news.append(News(verdict, analysis, again=False))
            elif (known.cause, known.confidence) != (best.cause.id, best.confidence.value):
                known.cause, known.confidence = best.cause.id, best.confidence.value
                news.append(News(verdict, analysis, again=True))
        del self._told[:-TOLD_LIMIT]
        return news

    def _known(self, verdict: Verdict) -> Told | None:
        agent, at = verdict.incident.agent, verdict.incident.at
        mine = (told for told in reversed(self._told) if told.agent == agent)
        return next((told for told in mine if abs(told.at - at) < timing.ACCOUNT_S / 2), None)

    def _fresh(self, now: datetime) -> Iterator[Path]:
        oldest = now.astimezone(UTC).timestamp() - FRESH_S
        found = [self.root] if self.root.is_file() else sorted(p for p in self.root.rglob("*") if p.is_file())
        for path in found[:FILES_LIMIT]:
            try:
                if path.stat().st_mtime >= oldest:
                    yield path
            except OSError:
                continue  # rotated away just now

    def _grown(self, paths: list[Path]) -> bool:
        grown = False
        for path in paths:
            try:
                status = path.stat()
            except OSError:
                continue
            window = self._windows.setdefault(path, _Window())
            identity = (status.st_dev, status.st_ino)
            if identity != window.identity or status.st_size < window.size:
                self._windows[path] = _Window(identity, status.st_size)
                grown = True
            elif status.st_size != window.size:
                window.size = status.st_size
                grown = True
        for path in self._windows.keys() - set(paths):
            del self._windows[path]
        return grown

    def _analyse(self, paths: list[Path]) -> Analysis:
        evidence = Evidence(self.zone_s)
        for path in paths:
            window = self._windows.get(path)
            if window is None:
                continue
            name = str(path.relative_to(self.root)) if path != self.root else path.name
            first = len(evidence.files)
            try:
                data = _last_part(path, window)
            except OSError as error:
                evidence.files[evidence.open(name, "")].trouble = f"cannot be read: {error.strerror or error}"
                continue
            if data:
                reading.read(evidence, name, io.BufferedReader(io.BytesIO(data)), Budget())
            for file in evidence.files[first:]:
                file.base = window.lines_before
        return analyse(evidence)


def _last_part(path: Path, window: _Window) -> bytes:
    """Whole lines of the end of a file; counts those that are left behind."""
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        if size - window.start > WINDOW_BYTES:
            stream.seek(window.start)
            left = size - WINDOW_BYTES // 2 - window.start
            while left > 0 and (part := stream.read(min(left, 1 << 20))):
                window.lines_before += part.count(b"\n")
                left -= len(part)
            rest = stream.readline()
            window.lines_before += rest.count(b"\n")
            window.start = stream.tell()
        stream.seek(window.start)
        data = stream.read(WINDOW_BYTES * 2)
    return data[: data.rfind(b"\n") + 1]

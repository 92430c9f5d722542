"""Reports of `poise probe`: what an agent's computer found out about itself, the way and the server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, BinaryIO

from poise.diagnosis.events import TEXT_LIMIT, Event, Kind, Place, agent_of
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers.commands import CommandReader

FORM = "probe report"
NEWEST = 1
SIZE_LIMIT = 32 * 1024 * 1024


def read(evidence: Evidence, file: int, stream: BinaryIO) -> None:
    """Read one report."""
    entry = evidence.files[file]
    data = stream.read(SIZE_LIMIT)
    try:
        report = json.loads(data.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        entry.trouble = f"not JSON: {error}"
        return
    if not isinstance(report, dict) or not isinstance(report.get("poise_probe"), int):
        entry.trouble = "no report of a probe"
        return
    if report["poise_probe"] > NEWEST:
        entry.trouble = "written by a newer release; what is known of it was read"
    entry.clock.source = "in every line"
    agent = agent_of(str(report.get("agent") or ""))
    for number, event in enumerate(_events(report, file, agent), 1):
        entry.lines += 1
        entry.understood += 1
        evidence.add(event._replace(place=Place(file, number)))
    for command in _list(report.get("commands")):
        lines = str(command.get("text", ""))[:100_000].encode().splitlines(keepends=True)
        CommandReader(evidence, file).read(lines)


def _events(report: Mapping[str, Any], file: int, agent: str) -> Iterator[Event]:
    place = Place(file, 1)
    for poll in _list(report.get("polls")):
        if (at := _time(poll.get("at"))) is not None:
            word = str(poll.get("word", ""))[:60]
            status, took = _number(poll.get("status")), _number(poll.get("took_ms"))
            yield Event(at, Kind.POLL, place, agent, "", word, status, took, _text("probe's poll", poll))
    for sample in _list(report.get("samples")):
        if (at := _time(sample.get("at"))) is not None:
            yield Event(at, Kind.CPU, place, agent, "", "", _number(sample.get("cpu_percent")), None, _text("", sample))
    for pause in _list(report.get("pauses")):
        if (at := _time(pause.get("at"))) is not None:
            seconds = _number(pause.get("seconds"))
            yield Event(at, Kind.SLEPT, place, agent, "", "", seconds, None, _text("did not run", pause))
    began = _time(report.get("began")) or 0.0
    for check in _list(report.get("checks")):
        yield from _check(check, place, agent, began)


def _check(check: Mapping[str, Any], place: Place, agent: str, began: float) -> Iterator[Event]:
    facts = check.get("facts")
    if not isinstance(facts, dict):
        return
    sentence = str(check.get("sentence", ""))[:TEXT_LIMIT]
    if facts.get("error"):
        yield Event(began, Kind.NO_TRUST, place, agent, "", str(facts["error"])[:100], None, None, sentence)
    if facts.get("issuer"):
        yield Event(began, Kind.ISSUER, place, agent, "", str(facts["issuer"])[:200], None, None, sentence)
    drift, trip = _number(facts.get("drift_ms")), _number(facts.get("ms"))
    if drift is not None:
        yield Event(_time(facts.get("at")) or began, Kind.DRIFT, place, agent, "", "", drift, trip, sentence)


def _text(head: str, values: Mapping[str, Any]) -> str:
    return f"{head} {json.dumps(values)}".strip()[:TEXT_LIMIT]


def _list(value: Any) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else []
    return [item for item in items[:20_000] if isinstance(item, dict)]


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _time(value: Any) -> float | None:
    try:
        when = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()

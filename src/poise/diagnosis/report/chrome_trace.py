"""The timeline in the trace-event format that chrome://tracing and Perfetto read: a track an agent, a slice a poll or
a silence.

Source: Trace Event Format (complete events `X`, instants `i`, metadata `M`); times in microseconds.
"""

from __future__ import annotations

import json
from typing import Any

from poise.diagnosis.analysis import Analysis
from poise.diagnosis.events import Kind


def render(analysis: Analysis) -> str:
    """The analysis as JSON of trace events."""
    evidence = analysis.evidence
    agents = sorted({event.agent for event in evidence.events})
    track = {agent: number for number, agent in enumerate(agents, 1)}
    out: list[dict[str, Any]] = [
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": number, "args": {"name": agent or "server"}}
        for agent, number in track.items()
    ]
    for event in evidence.timeline():
        if event.at == 0:
            continue
        row: dict[str, Any] = {
            "name": event.kind.value,
            "ph": "i",
            "s": "t",
            "pid": 1,
            "tid": track[event.agent],
            "ts": round(evidence.time(event) * 1e6),
            "args": {"where": evidence.where(event.place), "line": event.text},
        }
        if event.kind in (Kind.POLL, Kind.REST) and event.second is not None:
            row |= {"ph": "X", "dur": round(event.second * 1000)}
        out.append(row)
    for verdict in analysis.verdicts:
        contact = verdict.incident.contact
        if contact is not None:
            start, end = contact.before, max(verdict.incident.at, contact.before)
            out.append(
                {
                    "name": f"silence ({verdict.best.cause.id})",
                    "ph": "X",
                    "pid": 1,
                    "tid": track.get(verdict.incident.agent, 0),
                    "ts": round(start * 1e6),
                    "dur": round((end - start) * 1e6),
                    "args": {},
                }
            )
    return json.dumps({"traceEvents": out, "displayTimeUnit": "ms"}, ensure_ascii=False)

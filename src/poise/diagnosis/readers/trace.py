"""Poise's own JSONL trace: it names endings by the registry's codes, so nothing has to be guessed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from poise.diagnosis.events import Event, Kind, Place, agent_of, shown
from poise.diagnosis.evidence import Evidence

FORM = "Poise trace"

KINDS: dict[str, Kind] = {
    "service_started": Kind.SERVICE_STARTED,
    "service_stopped": Kind.SERVICE_STOPPED,
    "session_bound": Kind.SESSION_OPENED,
    "session_ended": Kind.TERMINATED,
    "session_overactive": Kind.OVERACTIVE,
    "server_stalled": Kind.STALLED,
    "presence_logout_pending": Kind.GRACE,
    "presence_logout_cancelled": Kind.GRACE_CANCELLED,
    "presence_logout_sent": Kind.FORCED_LOGOUT,
    "cti_link_up": Kind.CTI_UP,
    "cti_link_down": Kind.CTI_DOWN,
}
"""The trace's kinds that tell something by themselves."""


class TraceReader:
    """Reads one file."""

    def __init__(self, evidence: Evidence, file: int) -> None:
        self._evidence = evidence
        self._file = file

    def read(self, lines: Iterable[bytes]) -> None:
        """Read all lines."""
        file, number = self._evidence.files[self._file], 0
        file.clock.source = "in every line"
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                at = datetime.fromisoformat(entry["time"]).timestamp()
                self._tell(at, str(entry["kind"]), entry, number, line)
                file.understood += 1
            except (ValueError, KeyError, TypeError, RecursionError):
                if line.strip():
                    self._evidence.not_understood(self._file, number, line)
        file.lines += number

    def _tell(self, at: float, name: str, entry: dict[str, Any], number: int, line: bytes) -> None:
        self._evidence.files[self._file].span(at)
        kind = KINDS.get(name)
        word, value, second = "", None, None
        if name == "session_ended":
            word, value, second = str(entry.get("code", "")), entry.get("heard_after_s"), entry.get("heard_before_s")
            kind = {"idle": Kind.IDLE_CLOSE, "client-left": Kind.SESSION_CLOSED, "replaced": Kind.REPLACED}.get(
                word, Kind.TERMINATED
            )
        elif name == "agent_presence_changed":
            kind = Kind.AVAILABLE if entry.get("available") else Kind.UNAVAILABLE
        elif name == "service_state_changed":
            kind = Kind.IN_SERVICE if entry.get("status") == "IN_SERVICE" else Kind.OUT_OF_SERVICE
        elif name == "server_stalled":
            value = entry.get("seconds")
        if kind is None:
            return
        agent = agent_of(str(entry.get("jid") or entry.get("user") or ""))
        if name == "session_ended" and agent:
            self._evidence.seen(agent, str(entry.get("address", "")))
        number_of = float(value) if isinstance(value, (int, float)) else None
        second_of = float(second) if isinstance(second, (int, float)) else None
        self._evidence.add(
            Event(
                at,
                kind,
                Place(self._file, number),
                agent,
                str(entry.get("sid", "")),
                word,
                number_of,
                second_of,
                shown(line),
            )
        )

"""trace.jsonl: one JSON object a line."""

from __future__ import annotations

import json

from poise.server.serviceability.trace import Trace
from tests.unit.server.serviceability.conftest import Logs


def test_an_event_has_time_kind_and_its_fields_in_order(logs: Logs) -> None:
    logs.trace.event("session_created", sid="0123456789", jid="1001@host/desktop", n=1, ok=True, none=None, text="a\nb")
    line = logs.text("poise/trace.jsonl")
    assert line.count("\n") == 1
    assert list(json.loads(line).items()) == [
        ("time", "2017-06-16T18:46:04.630Z"),
        ("kind", "session_created"),
        ("sid", "..6789"),
        ("jid", "1001@host/desktop"),
        ("n", 1),
        ("ok", True),
        ("none", None),
        ("text", "a\nb"),
    ]


def test_an_endless_field_is_cut(logs: Logs) -> None:
    logs.trace.event("x", text="y" * 1_000_000)
    assert len(logs.events()[0]["text"]) < 100_000


def test_it_can_be_switched_off(logs: Logs) -> None:
    logs.trace.enabled = False
    logs.trace.event("unseen")
    logs.trace.enabled = True
    logs.trace.event("seen")
    assert [event["kind"] for event in logs.events()] == ["seen"]


def test_missing_lines_are_an_event_too(logs: Logs) -> None:
    assert isinstance(logs.trace, Trace)
    assert json.loads(logs.trace._dropped(4))["count"] == 4

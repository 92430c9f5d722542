"""State changes at a hundred a second come back as events, each one, and each the right one. Time is only told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from bench.latency import measure


def test_a_hundred_changes_a_second_lose_no_event(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    result = measure(tmp_path, agents=20, rate=100, seconds=3)
    with capsys.disabled():
        sys.stdout.write(f"\nPUT to event over TLS: {result.as_json()}\n")
    assert not result.lost
    assert not result.wrong
    assert len(result.latencies_ms) == 300

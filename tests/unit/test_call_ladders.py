"""The ladders in the documentation are those of runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import call_ladders


def test_the_page_is_what_the_runs_say() -> None:
    assert call_ladders.PAGE.read_text(encoding="utf-8") == call_ladders.page(), "run tools/call_ladders.py"


def test_the_tool_writes_the_page_once_and_finds_stale_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_ladders, "PAGE", tmp_path / "ladders.md")
    monkeypatch.setattr(call_ladders, "FLOWS", call_ladders.FLOWS[:1])
    assert call_ladders.main(["--check"]) == 1
    assert call_ladders.main([]) == 0
    assert call_ladders.main(["--check"]) == 0

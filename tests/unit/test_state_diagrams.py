"""The pages that are drawn from the state tables are up to date."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import state_diagrams


@pytest.mark.parametrize("name", state_diagrams.PAGES)
def test_the_page_says_what_the_table_says(name: str) -> None:
    drawn = state_diagrams.PAGES[name]()
    assert (state_diagrams.REFERENCE / name).read_text(encoding="utf-8") == drawn, "run tools/state_diagrams.py"


def test_a_stale_page_is_found_and_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_diagrams, "REFERENCE", tmp_path / "reference")
    assert state_diagrams.main(["--check"]) == 1
    assert state_diagrams.main([]) == 0
    assert state_diagrams.main(["--check"]) == 0
    (tmp_path / "reference" / "bosh-states.md").write_text("old")
    assert state_diagrams.main(["--check"]) == 1

"""The generated reference says what the program says."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools import reference

from poise.registry import ENDINGS
from poise.server.config import KEYS


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_page_says_what_the_program_says(name: str) -> None:
    assert (reference.REFERENCE / name).read_text(encoding="utf-8") == reference.page(name), "run tools/reference.py"


def test_a_stale_page_is_found_and_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "reference")
    monkeypatch.setattr(reference, "PAGES", {"endings.md": reference.PAGES["endings.md"]})
    assert reference.main(["--check"]) == 1
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0
    (tmp_path / "reference" / "endings.md").write_text("old")
    assert reference.main(["--check"]) == 1


def test_nothing_is_left_out() -> None:
    settings, endings = reference.page("settings.md"), reference.page("endings.md")
    assert [key for key in KEYS if f"`{key}`" not in settings] == []
    assert [code for code in ENDINGS if f"`{code}`" not in endings] == []
    assert "`GRACE_S` | `60` |" in reference.page("timers.md")
    assert "## poise utils finesse notification logging enable" in reference.page("command-line.md")
    assert "PRESENCE DRIVEN LOGOUT" in reference.page("logs.md")

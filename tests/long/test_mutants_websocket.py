"""Every mutant of XMPP over WebSocket must be noticed by a test of its own section."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tools.mutants import ROOT, main, read_list

LIST = Path(__file__).parent / "mutants_websocket.toml"


def test_there_are_thirty_mutants_and_two_for_every_section() -> None:
    wanted = read_list(LIST)  # which checks that every mutant's line is where it should be
    sections = Counter(mutant.section for mutant in wanted.mutants)
    assert len(wanted.mutants) >= 30
    assert set(sections) == {"framing", "socket", "handshake", "wire", "frames", "meta"}
    assert min(sections.values()) >= 2


@pytest.mark.long
def test_every_mutant_is_noticed_by_a_test_of_its_section() -> None:
    assert main([str(LIST), "--report", str(ROOT / "docs" / "proof" / "mutants-websocket.md")]) == 0

"""Every mutant of XMPP over TCP must be noticed by a test of its own section."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from tools.mutants import ROOT, main, read_list

LIST = Path(__file__).parent / "mutants_tcp.toml"


def test_there_are_forty_mutants_and_three_for_every_section() -> None:
    wanted = read_list(LIST)  # which checks that every mutant's line is where it should be
    sections = Counter(mutant.section for mutant in wanted.mutants)
    assert len(wanted.mutants) >= 40
    assert set(sections) == {"core", "scram", "stream", "socket", "accounts", "wire"}
    assert min(sections.values()) >= 3


@pytest.mark.long
def test_every_mutant_is_noticed_by_a_test_of_its_section() -> None:
    assert main([str(LIST), "--report", str(ROOT / "docs" / "proof" / "mutants-tcp.md")]) == 0

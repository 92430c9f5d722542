"""Every mutant of the BOSH room must be noticed by a test of its own section of the checklist."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from tools.mutants import ROOT, MutantList, Verdict, apply, judge, main, read_list, report

LIST = Path(__file__).parent / "mutants_bosh.toml"


@pytest.fixture(scope="module")
def wanted() -> MutantList:
    """The list; reading it checks that every mutant's line is where it should be."""
    return read_list(LIST)


def test_there_are_forty_mutants_and_two_for_every_section(wanted: MutantList) -> None:
    sections = Counter(mutant.section for mutant in wanted.mutants)
    assert len(wanted.mutants) >= 40
    assert set(sections) == set("ABCDEFGHIJKLMN")
    assert min(sections.values()) >= 2


def test_a_few_mutants_are_noticed_and_a_harmless_change_survives(wanted: MutantList) -> None:
    few = [mutant for mutant in wanted.mutants if mutant.name in ("B6", "N1", "N3")]
    assert len(few) == 3
    harmless = replace(few[0], name="harmless", instead=few[0].line + "  # as it was")
    outcomes = judge(wanted, [*few, harmless])
    assert [outcome.verdict for outcome in outcomes] == [Verdict.NOTICED] * 3 + [Verdict.SURVIVED]
    page = report(wanted, outcomes)
    assert "3 of 4 mutants noticed" in page
    assert "test_B13" in page


def test_a_mutant_whose_line_is_gone_is_an_error(wanted: MutantList) -> None:
    stale = replace(wanted.mutants[0], line="this line is nowhere")
    with pytest.raises(ValueError, match="found 0 times"):
        apply(stale, ROOT / wanted.base)


@pytest.mark.long
def test_every_mutant_is_noticed_by_a_test_of_its_section() -> None:
    assert main([str(LIST), "--report", str(ROOT / "docs" / "proof" / "mutants-bosh.md")]) == 0

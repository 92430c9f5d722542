"""The list is complete, the expectation file fits it, and the pages in the docs are up to date."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.conformance.checklist import (
    HERE,
    ROOT,
    SEC,
    TARGETS,
    expectations,
    functions,
    groups,
    letters_of,
    proofs,
    proofs_of,
    requirements,
)
from tests.conformance.report import OVERVIEW, PAGES, overview, page

COUNTS: dict[str, dict[str, int]] = {
    "bosh": {
        "A": 22, "B": 13, "C": 25, "D": 9, "E": 9, "F": 9, "G": 8, "H": 10, "I": 10, "J": 7, "K": 3, "L": 6,
        "M": 7, "N": 14,
    },
    "ws": {"WS": 25},
    "c2s": {"S": 29, "T": 10, "A": 19, "B": 9, "X": 25},
    "im": {"P": 22},
    "sec": {"SEC": 33},
}  # fmt: skip
PUBSUB_IDS = (*range(1, 9), *range(10, 33), *range(40, 63), *range(70, 101), *range(110, 120))
"""The numbering of pubsub has gaps between its sections."""
every_group = pytest.mark.parametrize("group", groups())


@every_group
def test_the_list_has_every_id_once_and_in_order(group: str) -> None:
    if group == "pubsub":
        expected = [f"PS{number:02}" for number in PUBSUB_IDS]
    else:
        expected = [f"{name}{number:02}" for name, count in COUNTS[group].items() for number in range(1, count + 1)]
    assert [requirement.id for requirement in requirements(group)] == expected


@every_group
def test_every_id_has_a_test(group: str) -> None:
    wanting = [
        requirement.id
        for requirement in requirements(group)
        if not proofs_of(requirement) and not requirement.proven_by
    ]
    assert wanting == []


@every_group
def test_every_id_named_by_a_test_exists(group: str) -> None:
    listed = {(requirement.group, requirement.id) for name in (group, SEC) for requirement in requirements(name)}
    assert {name for test in proofs(group) for name in test.ids} <= listed


@every_group
def test_every_test_elsewhere_that_is_named_exists(group: str) -> None:
    for requirement in requirements(group):
        for proof in requirement.proven_by:
            path, _, name = proof.partition("::")
            assert name in functions(ROOT / path), proof


@every_group
def test_no_name_is_used_twice_in_a_group(group: str) -> None:
    names = sorted(test.name for test in proofs(group))
    assert [name for name, following in pairwise(names) if name == following] == []


@every_group
def test_the_expectation_file_names_existing_tests_and_targets_and_says_why(group: str) -> None:
    names = {test.name for test in proofs(group)}
    beliefs = expectations(group)
    for table in (beliefs.differs, beliefs.not_applicable):
        for test, row in table.items():
            assert test.partition("[")[0] in names, f"{test} is in the expectation file but is no test"
            assert set(row) <= set(TARGETS) - {"poise"}, f"{test}: Poise meets every requirement"
            assert all(len(why) > 5 for why in row.values()), f"{test}: say why"


@every_group
def test_a_written_reason_is_about_an_id_that_neither_peer_shows(group: str) -> None:
    shown = {
        requirement.id
        for requirement in requirements(group)
        for test in proofs_of(requirement)
        if any(expectations(test.group).known(test.name, peer) == "ok" for peer in TARGETS[1:])
    }
    unproven = set(expectations(group).unproven)
    assert unproven & shown == set()
    assert unproven <= {requirement.id for requirement in requirements(group)}


def test_every_folder_is_a_group() -> None:
    assert {path.parent.name for path in HERE.glob("*/__init__.py")} == set(groups())
    assert {letters_of(requirement.id) for requirement in requirements(SEC)} == {"SEC"}


@every_group
def test_the_page_in_the_docs_is_up_to_date(group: str) -> None:
    assert PAGES[group].read_text() == page(group), "run: python -m tests.conformance.report"


def test_the_overview_is_up_to_date() -> None:
    assert OVERVIEW.read_text() == overview(), "run: python -m tests.conformance.report"

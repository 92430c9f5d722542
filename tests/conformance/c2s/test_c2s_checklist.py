"""The list is complete, the expectation file fits it, and the page in the docs is up to date."""

from __future__ import annotations

from tests.conformance.c2s.checklist import expectations, ids_of, proofs, proofs_of, requirements
from tests.conformance.c2s.report import PAGE, page
from tests.conformance.checklist import TARGETS
from tests.conformance.report import known

COUNTS = {"S": 29, "T": 10, "A": 19, "B": 9, "X": 25}
ATTACKS = (2, 3, 4, 5, 10, 15, 16, 17, 22, 23, 33)
"""Of the attack list, those that meet XMPP over TCP. That secrets are compared in constant time is a unit test."""


def test_the_list_has_every_id_once_and_in_order() -> None:
    expected = [f"{section}{number:02}" for section, count in COUNTS.items() for number in range(1, count + 1)]
    expected += [f"SEC{number:02}" for number in ATTACKS]
    assert [requirement.id for requirement in requirements()] == expected


def test_every_id_has_a_test_and_every_id_named_exists() -> None:
    assert [requirement.id for requirement in requirements() if not proofs_of(requirement.id)] == []
    assert {name for test in proofs() for name in ids_of(test)} <= {requirement.id for requirement in requirements()}


def test_the_expectation_file_names_existing_tests_and_targets_and_says_why() -> None:
    names = proofs()
    beliefs = expectations()
    for table in (beliefs.differs, beliefs.not_applicable):
        for test, row in table.items():
            assert test.partition("[")[0] in names, f"{test} is in the expectation file but is no test"
            assert set(row) <= set(TARGETS), test
            assert all(len(why) > 5 for why in row.values()), f"{test}: say why"


def test_an_id_that_no_target_shows_has_a_written_reason() -> None:
    beliefs = expectations()
    unshown = {
        requirement.id
        for requirement in requirements()
        if not any(known(test, target, beliefs) == "ok" for test in proofs_of(requirement.id) for target in TARGETS)
    }
    assert unshown == set(beliefs.unproven)


def test_poise_meets_every_requirement() -> None:
    beliefs = expectations()
    tables = (beliefs.differs, beliefs.not_applicable)
    assert [test for table in tables for test, row in table.items() if "poise" in row] == []


def test_the_page_in_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.conformance.c2s.report"

"""The list is complete, the expectation file fits it, and the page in the docs is up to date."""

from __future__ import annotations

from tests.conformance.checklist import TARGETS, expectations, ids_of, proofs, proofs_of, requirements
from tests.conformance.report import PAGE, known, page

COUNTS = {
    "A": 22,
    "B": 13,
    "C": 25,
    "D": 9,
    "E": 9,
    "F": 9,
    "G": 8,
    "H": 10,
    "I": 10,
    "J": 7,
    "K": 3,
    "L": 6,
    "M": 7,
    "N": 14,
}


def test_the_list_has_every_id_once_and_in_order() -> None:
    expected = [f"{section}{number:02}" for section, count in COUNTS.items() for number in range(1, count + 1)]
    assert [requirement.id for requirement in requirements()] == expected


def test_every_id_has_a_test() -> None:
    missing = [requirement.id for requirement in requirements() if not proofs_of(requirement.id)]
    assert missing == []


def test_every_id_named_by_a_test_exists() -> None:
    known_ids = {requirement.id for requirement in requirements()}
    assert {name for test in proofs() for name in ids_of(test)} <= known_ids


def test_the_expectation_file_names_existing_tests_and_targets() -> None:
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
    short = {
        test: row["poise"]
        for table in (beliefs.differs, beliefs.not_applicable)
        for test, row in table.items()
        if "poise" in row
    }
    assert short == {}


def test_the_page_in_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.conformance.report"

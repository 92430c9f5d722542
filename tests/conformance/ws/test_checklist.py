"""The list is complete, the expectation file fits it, and the page in the docs is up to date."""

from __future__ import annotations

from tests.conformance.checklist import TARGETS
from tests.conformance.report import known
from tests.conformance.ws.checklist import PAGE, expectations, ids_of, page, proofs, proofs_of, requirements


def test_the_list_has_every_id_once_in_order_and_each_has_a_test() -> None:
    assert [requirement.id for requirement in requirements()] == [f"WS{number:02}" for number in range(1, 26)]
    assert [requirement.id for requirement in requirements() if not proofs_of(requirement.id)] == []


def test_every_id_named_by_a_test_exists_and_every_test_names_one() -> None:
    listed = {requirement.id for requirement in requirements()}
    for test in proofs():
        named = ids_of(test)
        assert named, test
        assert {name for name in named if name.startswith("WS")} <= listed, test


def test_the_expectation_file_names_existing_tests_and_targets_with_reasons() -> None:
    beliefs = expectations()
    for table in (beliefs.differs, beliefs.not_applicable):
        for test, row in table.items():
            assert test.partition("[")[0] in proofs(), f"{test} is in the expectation file but is no test"
            assert set(row) <= set(TARGETS) - {"poise"}, f"{test}: Poise meets every requirement"
            assert all(len(why) > 5 for why in row.values()), f"{test}: say why"


def test_an_id_that_no_mature_server_shows_has_a_written_reason() -> None:
    beliefs = expectations()
    unshown = {
        requirement.id
        for requirement in requirements()
        if not any(known(test, peer, beliefs) == "ok" for test in proofs_of(requirement.id) for peer in TARGETS[1:])
    }
    assert unshown == set(beliefs.unproven)


def test_the_page_in_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.conformance.ws.checklist"

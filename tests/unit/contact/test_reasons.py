"""Reason codes between database ids, the CTI server's numbers and what people read."""

from __future__ import annotations

import pytest

from poise.contact.reasons import (
    SYSTEM_CODES,
    Category,
    ReasonBook,
    ReasonCode,
    code_received,
    code_sent,
)
from poise.contact.states import Actor, AgentState, Deployment

UCCE, UCCX = Deployment.UCCE, Deployment.UCCX
LUNCH = ReasonCode(16, Category.NOT_READY, 10, "Lunch")
TRAINING = ReasonCode(17, Category.NOT_READY, 11, "Training", for_all=False, teams=frozenset((2,)))
GOING_HOME = ReasonCode(18, Category.LOGOUT, 10, "Going Home")
BOOK = ReasonBook(UCCE, (LUNCH, TRAINING, GOING_HOME))


def test_a_code_means_something_else_in_the_other_category() -> None:
    assert BOOK.named(Category.NOT_READY, 10) is LUNCH
    assert BOOK.named(Category.LOGOUT, 10) is GOING_HOME


def test_system_codes_have_a_name_but_no_id() -> None:
    reason = BOOK.named(Category.NOT_READY, 50_002)
    assert reason is not None
    assert (reason.id, reason.label, reason.system) == (-1, "Connection Failure", True)
    assert BOOK.named(Category.NOT_READY, 4711) is None


def test_an_administrators_name_wins_over_the_systems() -> None:
    mine = ReasonCode(5, Category.NOT_READY, 999, "By my supervisor")
    assert ReasonBook(UCCE, (mine,)).named(Category.NOT_READY, 999) is mine


def test_a_team_is_offered_what_is_for_all_and_what_is_assigned_to_it() -> None:
    assert BOOK.offered(Category.NOT_READY, 1) == (LUNCH,)
    assert BOOK.offered(Category.NOT_READY, 2) == (LUNCH, TRAINING)
    assert BOOK.offered(None, None) == (LUNCH, GOING_HOME)


def test_a_reason_must_be_chosen_only_where_it_is_required_and_one_is_offered() -> None:
    required = ReasonBook(UCCE, (TRAINING,), required=(Category.NOT_READY, Category.LOGOUT))
    assert required.must_choose(Category.NOT_READY, 2)
    assert not required.must_choose(Category.NOT_READY, 1)
    assert not required.must_choose(Category.LOGOUT, 2)
    assert not BOOK.must_choose(Category.NOT_READY, 2)


@pytest.mark.parametrize(
    ("deployment", "actor", "wanted", "chosen", "sent"),
    [
        (UCCE, Actor.SELF, AgentState.NOT_READY, 10, 10),
        (UCCE, Actor.SELF, AgentState.NOT_READY, None, 0),
        (UCCE, Actor.SELF, AgentState.READY, 10, 0),
        (UCCE, Actor.SUPERVISOR, AgentState.NOT_READY, None, 999),
        (UCCE, Actor.SUPERVISOR, AgentState.LOGOUT, None, 999),
        (UCCX, Actor.SUPERVISOR, AgentState.NOT_READY, None, 33),
        (UCCX, Actor.SUPERVISOR, AgentState.LOGOUT, None, 22),
        (UCCE, Actor.SUPERVISOR, AgentState.READY, None, 0),
        (UCCE, Actor.SYSTEM, AgentState.LOGOUT, None, 255),
        (UCCX, Actor.SYSTEM, AgentState.LOGOUT, None, 255),
    ],
)
def test_what_is_sent_depends_on_who_asks(
    deployment: Deployment, actor: Actor, wanted: AgentState, chosen: int | None, sent: int
) -> None:
    assert code_sent(deployment, actor, wanted, chosen) == sent


@pytest.mark.parametrize(
    ("state", "code", "reason"),
    [
        (AgentState.NOT_READY, 0, None),
        (AgentState.NOT_READY, 50_002, 50_002),
        (AgentState.LOGOUT, 65_535, -1),
        (AgentState.LOGOUT, 65_534, -2),
        (AgentState.LOGOUT, 65_533, -3),
        (AgentState.READY, 10, None),
    ],
)
def test_numbers_of_events_are_read_with_their_sign_and_only_where_a_state_has_reasons(
    state: AgentState, code: int, reason: int | None
) -> None:
    assert code_received(state, code) == reason


@pytest.mark.parametrize("deployment", Deployment)
def test_the_codes_this_server_makes_the_cti_server_report_all_have_names(deployment: Deployment) -> None:
    expected = {
        UCCE: [("NOT_READY", 999), ("LOGOUT", 999), ("LOGOUT", 255), ("NOT_READY", 50_002), ("NOT_READY", 32_767)],
        UCCX: [("NOT_READY", 33), ("LOGOUT", 22), ("LOGOUT", 255), ("NOT_READY", 32_763)],
    }[deployment]
    for category, code in expected:
        assert SYSTEM_CODES[deployment][Category(category), code].label

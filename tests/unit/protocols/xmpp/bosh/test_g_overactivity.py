"""Section G of the checklist: clients that post or poll more than agreed. G01 beside D05 is decision 16 of ADR 3."""

from __future__ import annotations

from dataclasses import replace

from poise.protocols.xmpp.bosh import Overactive, Overactivity, Restart
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    LIMITED,
    empty,
    ended,
    holding,
    last_empty,
    message,
    over,
    recoverable,
    said,
)

LOGGED = replace(LIMITED, overactivity=Overactivity.LOG)


def test_G01_more_open_requests_than_agreed_end_the_session_and_all_are_answered(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.poll(4, "d")
    story.nothing()
    story.poll(5, "e")
    story.expect(
        over("a", "other-request"),
        over("b", "other-request"),
        over("d", "other-request"),
        over("e", "policy-violation"),
        ended("too-active"),
    )


def test_G02_one_request_more_is_allowed_to_leave_or_to_pause(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.poll(4, "d")
    story.post(5, "e", type="terminate")
    story.nothing()
    story.poll(3, "c")
    story.expect(empty("a"), empty("b"), over("c"), last_empty("d"), last_empty("e"), ended("client-left"))


def test_G02_a_client_that_leaves_may_be_one_rid_beyond_the_window(tell: Teller) -> None:
    story = tell()
    story.post(3, "c", message("bye"), type="terminate")
    story.poll(2, "b")
    story.nothing()
    story.post(1, "a", message("last words"))
    story.expect(empty("a"), over("b"), last_empty("c"), said("last words"), said("bye"), ended("client-left"))

    story = tell()
    story.post(4, "d", type="terminate")
    story.expect(over("d", "item-not-found"), ended("rid-out-of-window"))


def test_G03_an_empty_request_soon_after_an_empty_one_still_open_violates_policy(tell: Teller) -> None:
    story = tell(LIMITED)
    story.poll(1, "a")
    story.wait(1.9)
    story.poll(2, "b")
    story.expect(over("a", "other-request"), over("b", "policy-violation"), ended("too-active"))


def test_G03_after_the_polling_interval_it_is_none(tell: Teller) -> None:
    story = tell(LIMITED)
    story.poll(1, "a")
    story.wait(2)
    story.poll(2, "b")
    story.expect(empty("a"))


def test_G03_with_hold_2_it_takes_as_many_open_requests_as_agreed(tell: Teller) -> None:
    story = tell(LIMITED, hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.nothing()
    story.poll(3, "c")
    story.expect(
        over("a", "other-request"), over("b", "other-request"), over("c", "policy-violation"), ended("too-active")
    )


def test_G04_a_polling_session_that_polls_for_nothing_too_often_violates_policy(tell: Teller) -> None:
    story = tell(LIMITED, hold="0")
    story.poll(1, "a")
    story.expect(empty("a"))
    story.wait(2)
    story.poll(2, "b")
    story.expect(empty("b"))
    story.wait(1.9)
    story.poll(3, "c")
    story.expect(over("c", "policy-violation"), ended("too-active"))


def test_G05_after_an_answer_with_stanzas_a_polling_session_may_poll_at_once(tell: Teller) -> None:
    story = tell(LIMITED, hold="0")
    story.send("one")
    story.poll(1, "a")
    story.expect(holding("a", "one"))
    story.poll(2, "b")
    story.expect(empty("b"))
    story.post(3, "c", message("question"))
    story.expect(said("question"))
    story.poll(4, "d")
    story.expect(empty("c"), empty("d"))


def test_G05_stanzas_restarts_pauses_and_goodbyes_are_never_too_many(tell: Teller) -> None:
    story = tell(LIMITED)
    story.poll(1, "a")
    story.post(2, "b", message("question"))
    story.expect(empty("a"), said("question"))
    story.poll(3, "c")
    story.expect(empty("b"))
    story.post(4, "d", pause="10")
    story.expect(empty("c"), empty("d"))
    story.poll(5, "e")
    story.post(6, "f", xmpp__restart="true")
    story.expect(empty("e"), Restart(None))
    story.poll(7, "g")
    story.expect(empty("f"))
    story.post(8, "h", type="terminate")
    story.expect(over("g"), last_empty("h"), ended("client-left"))


def test_G05_a_client_whose_connection_broke_may_poll_again_at_once(tell: Teller) -> None:
    story = tell(LIMITED)
    story.poll(1, "a")
    story.drop("a")
    story.poll(2, "b")
    story.nothing()
    story.send("one")
    story.expect(holding("b", "one"))
    story.poll(3, "c")
    story.poll(4, "d")
    story.expect(over("c", "other-request"), over("d", "policy-violation"), ended("too-active"))


def test_G03_an_empty_request_overtaken_by_the_next_one_is_no_haste(tell: Teller) -> None:
    """A browser uses several connections, so stanzas may arrive before the poll that was sent first."""
    story = tell(LIMITED)
    story.poll(1, "a")
    story.send("one")
    story.expect(holding("a", "one"))
    story.post(3, "c", message("two"))
    story.poll(2, "b")
    story.expect(empty("b"), said("two"))


def test_G06_without_a_limit_nothing_is_too_often(tell: Teller) -> None:
    story = tell(replace(LIMITED, polling_s=None))
    story.poll(1, 1)
    for n in range(2, 50):
        story.poll(n, n)
        story.expect(empty(n - 1))
    story = tell(replace(LIMITED, polling_s=None), hold="0")
    for n in range(1, 50):
        story.poll(n, n)
        story.expect(empty(n))


def test_G07_policy_may_only_log_it(tell: Teller) -> None:
    story = tell(LOGGED)
    story.poll(1, 1)
    told = []
    for n in range(2, 11):
        story.poll(n, n)
        if (n - 1).bit_count() == 1:
            told.append(n - 1)
            story.expect(empty(n - 1), Overactive("empty requests too fast", n - 1))
        else:
            story.expect(empty(n - 1))
    assert told == [1, 2, 4, 8]
    assert story.session.overactive == 9


def test_G07_policy_may_only_log_too_many_open_requests(tell: Teller) -> None:
    story = tell(LOGGED, hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.poll(4, "d")
    story.poll(5, "e")
    story.expect(Overactive("more open requests than agreed", 1))
    story.post(3, "c", message("late"))
    story.expect(empty("a"), empty("b"), empty("c"), said("late"), Overactive("empty requests too fast", 2))


def test_G08_repetitions_never_count(tell: Teller) -> None:
    story = tell(LIMITED)
    story.poll(1, 0)
    for repetition in range(1, 6):
        story.poll(1, repetition)
        story.expect(recoverable(repetition - 1))
    story.wait(2)
    story.poll(2, "b")
    story.expect(empty(5))
    story.wait(30)
    story.expect(empty("b"))
    for repetition in range(5):
        story.poll(2, repetition)
        story.expect(empty(repetition))

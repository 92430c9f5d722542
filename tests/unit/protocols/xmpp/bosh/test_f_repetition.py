"""Section F of the checklist: broken connections and repeated requests."""

from __future__ import annotations

import pytest

from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    empty,
    ended,
    holding,
    message,
    over,
    recoverable,
    said,
)


def test_F01_F09_a_repeated_request_gets_the_same_answer_again_and_is_not_read_twice(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", message("question"))
    story.expect(said("question"))
    story.send("reply")
    story.expect(holding("a", "reply"))
    story.post(1, "b", message("question"))
    story.expect(holding("b", "reply"))
    story.post(1, "c", message("something else"))
    story.expect(holding("c", "reply"))


@pytest.mark.parametrize("hold", [1, 2, 3])
def test_F02_F03_the_last_requests_answers_are_kept_and_no_more(tell: Teller, hold: int) -> None:
    requests = hold + 1
    for back in range(requests + 1):
        story = tell(hold=str(hold))
        for n in range(1, 11):
            story.send(f"m{n}")
            story.poll(n, "a")
            story.expect(holding("a", f"m{n}"))
        story.poll(10 - back, "again")
        if back < requests:
            story.expect(holding("again", f"m{10 - back}"))
        else:
            story.expect(over("again", "item-not-found"), ended("rid-out-of-window"))


@pytest.mark.parametrize("last", [7, 8])
@pytest.mark.parametrize("back", [0, 1, 2])
def test_F02_on_the_road_of_single_stanzas_two_answers_are_kept(tell: Teller, back: int, last: int) -> None:
    story = tell()
    for n in range(1, last + 1):
        story.poll(n, "a")
        story.send(f"m{n}")
        story.expect(holding("a", f"m{n}"))
    story.poll(last - back, "again")
    if back < 2:
        story.expect(holding("again", f"m{last - back}"))
    else:
        story.expect(over("again", "item-not-found"), ended("rid-out-of-window"))


@pytest.mark.parametrize("last", [7, 8])
@pytest.mark.parametrize("back", [1, 2, 3])
def test_F02_on_the_road_of_empty_polls_two_answers_are_kept(tell: Teller, back: int, last: int) -> None:
    story = tell()
    story.poll(1, 1)
    for n in range(2, last + 1):
        story.poll(n, n)
        story.expect(empty(n - 1))
    story.poll(last - back, "again")
    if back < 3:
        story.expect(empty("again"))
    else:
        story.expect(over(last, "other-request"), over("again", "item-not-found"), ended("rid-out-of-window"))


def test_F04_a_repetition_takes_over_a_held_request(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.wait(10)
    story.poll(1, "b")
    story.expect(recoverable("a"))
    story.send("one")
    story.expect(holding("b", "one"))


def test_F04_the_request_that_takes_over_is_held_for_a_wait_of_its_own(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.wait(20)
    story.poll(1, "b")
    story.expect(recoverable("a"))
    story.wait(29.9)
    story.nothing()
    story.wait(0.1)
    story.expect(empty("b"))


def test_F04_an_early_request_is_taken_over_too_and_keeps_its_first_stanzas(tell: Teller) -> None:
    story = tell()
    story.post(2, "b", message("second"))
    story.post(2, "c", message("forged"))
    story.expect(recoverable("b"))
    story.poll(1, "a")
    story.expect(empty("a"), said("second"))
    story.send("one")
    story.expect(holding("c", "one"))


def test_F05_a_page_that_is_loaded_again_resumes_with_its_oldest_open_request(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.post(2, "b", message("question"))
    story.expect(said("question"))
    story.poll(1, "a again")
    story.expect(recoverable("a"))
    story.send("one")
    story.expect(holding("a again", "one"))
    story.post(2, "b again", message("question"))
    story.expect(recoverable("b"))
    story.send("two")
    story.expect(holding("b again", "two"))


def test_F06_one_request_repeated_without_end_violates_policy(tell: Teller) -> None:
    story = tell()
    story.poll(1, 0)
    for repetition in range(1, 6):
        story.poll(1, repetition)
        story.expect(recoverable(repetition - 1))
    story.poll(1, 6)
    story.expect(over(5, "other-request"), over(6, "policy-violation"), ended("too-active"))


def test_F06_repetitions_are_forgotten_with_a_new_request(tell: Teller) -> None:
    story = tell()
    for n in range(1, 4):
        story.send(f"m{n}")
        story.poll(n, "a")
        story.expect(holding("a", f"m{n}"))
        for _ in range(5):
            story.poll(n, "again")
            story.expect(holding("again", f"m{n}"))


def test_F06_repetitions_over_a_longer_time_are_a_bad_network_and_no_loop(tell: Teller) -> None:
    story = tell()
    story.send("one")
    story.poll(1, "a")
    story.expect(holding("a", "one"))
    for _ in range(20):
        story.wait(15)
        story.poll(1, "again")
        story.expect(holding("again", "one"))


def test_F07_the_answer_to_a_pause_pushes_no_other_out(tell: Teller) -> None:
    for hold, acking in (("1", None), ("1", "1"), ("2", None)):
        story = tell(hold=hold, ack=acking)
        requests = int(hold) + 1
        for n in range(1, requests + 1):
            story.send(f"m{n}")
            story.poll(n, "a")
            story.expect(holding("a", f"m{n}"))
        story.post(requests + 1, "pause", pause="50")
        story.expect(empty("pause"))
        story.poll(1, "again")
        story.expect(holding("again", "m1"))
        for n in range(requests + 2, requests + 5):
            story.send(f"m{n}")
            story.poll(n, "a")
            story.expect(holding("a", f"m{n}"))
        story.poll(4, "again")
        story.expect(over("again", "item-not-found"), ended("rid-out-of-window"))


def test_F07_a_repeated_pause_is_answered_empty_and_the_session_stays_paused(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", pause="50")
    story.expect(empty("a"))
    story.wait(40)
    story.post(1, "again", pause="50")
    story.expect(empty("again"))
    story.wait(49.9)
    story.nothing()
    story.wait(0.1)
    story.expect(ended("paused-too-long", timer_s=50))

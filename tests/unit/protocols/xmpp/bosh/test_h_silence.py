"""Section H of the checklist: inactivity and pause; and what is known about when a silent client was last heard."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poise.protocols.xmpp.bosh import BoshPolicy, State
from poise.protocols.xmpp.bosh.timing import INACTIVITY_S, REAPER_PERIOD_S
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    EXACT,
    R,
    empty,
    ended,
    holding,
    message,
    over,
    said,
)

REAPED = BoshPolicy(polling_s=None)
"""The defaults, as in the seed: somebody else looks every 30 seconds."""


def test_H01_without_a_held_request_the_session_ends_silently_after_inactivity(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.wait(10)
    story.send("one")
    story.expect(holding("a", "one"))
    story.send("two")
    story.wait(19.9)
    story.nothing()
    story.wait(0.1)
    story.expect(ended("idle", undelivered=("two",), unconfirmed=("one",), heard=(0, 10), at=30, timer_s=20))
    story.poll(2, "b")
    story.expect(over("b", "item-not-found"))


def test_H01_a_session_whose_client_never_polls_ends_too(tell: Teller) -> None:
    story = tell()
    story.wait(20)
    story.expect(ended("idle", heard=(0, 0)))


def test_H02_a_held_request_keeps_the_session_alive_and_the_clock_starts_with_its_answer(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.wait(30)
    story.expect(empty("a"))
    story.wait(19.9)
    story.nothing()
    story.wait(0.1)
    story.expect(ended("idle", heard=(0, 30)))


def test_H01_a_polling_session_is_given_more_time_between_its_polls(tell: Teller) -> None:
    story = tell(replace(EXACT, polling_s=2), hold="0")
    story.poll(1, "a")
    story.expect(empty("a"))
    assert story.session.idle_limit_s == 24
    story.wait(23.9)
    story.nothing()
    story.wait(0.1)
    story.expect(ended("idle", timer_s=24))


def test_H03_a_client_that_dies_while_its_request_is_held_ends_after_wait_and_inactivity(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.wait(10)
    story.drop("a")
    story.send("one")
    story.wait(39.9)
    story.nothing()
    story.wait(0.1)
    story.expect(ended("idle", undelivered=("one",), heard=(0, 10), at=50))


def test_H03_the_repetition_of_a_request_that_ran_out_meanwhile_is_answered(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.drop("a")
    story.send("one")
    story.wait(31)
    story.poll(1, "a again")
    story.expect(empty("a again"))
    story.poll(2, "b")
    story.expect(holding("b", "one"))


def test_H04_without_a_limit_a_silent_session_lives_on(tell: Teller) -> None:
    story = tell(replace(EXACT, inactivity_s=None))
    story.wait(1_000_000)
    story.nothing()
    assert story.session.idle_s(story.now) < story.session.idle_limit_s
    story.poll(1, "a")
    story.nothing()


def test_H05_a_pause_answers_everything_at_once_and_counts_instead_of_inactivity(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.post(2, "b", pause="50")
    story.expect(empty("a"), empty("b"))
    assert story.session.idle_limit_s == 50
    story.wait(49.9)
    story.poll(3, "c")
    assert story.session.idle_limit_s == 20
    story.wait(30)
    story.expect(empty("c"))
    story.wait(19.9)
    story.nothing()
    story.wait(0.1)
    story.expect(ended("idle", timer_s=20))


def test_H05_a_client_that_does_not_come_back_from_its_pause_has_ended_itself(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", message("brb"), pause="50")
    story.expect(empty("a"), said("brb"))
    story.send("one")
    story.wait(49.9)
    story.nothing()
    story.wait(0.1)
    story.expect(ended("paused-too-long", undelivered=("one",), timer_s=50, heard=(0, 0)))


def test_H05_a_request_that_comes_early_ends_a_pause_too(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", pause="40")
    story.expect(empty("a"))
    story.wait(39)
    story.poll(3, "c")
    story.wait(29.9)
    story.nothing()
    story.poll(2, "b")
    story.expect(empty("b"))
    assert story.session.idle_limit_s == 20


def test_H06_what_waits_is_never_in_the_answer_to_a_pause(tell: Teller) -> None:
    story = tell()
    story.send("one")
    story.post(1, "a", pause="50")
    story.expect(empty("a"))
    story.poll(2, "b")
    story.expect(holding("b", "one"))


def test_H06_nor_in_that_to_a_request_it_releases(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(3, "c")
    story.drop("a")
    story.send("one")
    story.post(2, "b", pause="50")
    story.expect(empty("b"), holding("c", "one"))


@pytest.mark.parametrize("pause", ["51", "300", "9999999999999999"])
def test_H07_a_pause_above_maxpause_violates_policy(tell: Teller, pause: str) -> None:
    story = tell()
    story.poll(1, "a")
    story.post(2, "b", pause=pause)
    story.expect(over("a", "other-request"), over("b", "policy-violation"), ended("pause-too-long-asked"))


def test_H08_a_short_pause_shortens_the_life_of_the_session(tell: Teller) -> None:
    for pause in (20, 1, 0):
        story = tell()
        story.post(1, "a", pause=str(pause))
        story.expect(empty("a"))
        story.wait(pause)
        story.expect(ended("paused-too-long", at=pause, timer_s=pause))


@pytest.mark.parametrize("pause", ["-1", "abc", "", "1.5", " 5", "٣"])
def test_H09_a_pause_that_is_no_number_is_a_bad_request(tell: Teller, pause: str) -> None:
    story = tell()
    story.poll(1, "a")
    story.post(2, "b", pause=pause)
    story.expect(over("a", "other-request"), over("b", "bad-request"), ended("bad-request"))


@pytest.mark.parametrize("pause", ["10", "9999", "abc"])
def test_H10_where_maxpause_is_not_announced_a_pause_means_nothing(tell: Teller, pause: str) -> None:
    story = tell(replace(EXACT, maxpause_s=None))
    story.poll(1, "a")
    story.post(2, "b", pause=pause)
    story.expect(empty("a"))
    story.wait(30)
    story.expect(empty("b"))


def test_the_reaper_of_the_seed_ends_a_session_60_to_90_seconds_after_its_last_answer(tell: Teller) -> None:
    story = tell(REAPED)
    session = story.session
    story.poll(1, "a")
    story.wait(13)
    story.send("one")
    story.expect(holding("a", "one"))
    ticks: list[float] = []
    while not ticks or ticks[-1] <= session.idle_limit_s:
        story.wait(REAPER_PERIOD_S - (story.now - story.START) % REAPER_PERIOD_S)
        ticks.append(session.idle_s(story.now))
    assert ticks == [17, 47, 77]
    story.end("idle")
    story.expect(ended("idle", heard=(0, 13), at=90, timer_s=INACTIVITY_S))


def test_last_active_is_0_while_a_request_is_open_held_or_early(tell: Teller) -> None:
    story = tell(REAPED)
    session = story.session
    story.wait(5)
    assert session.idle_s(story.now) == 5
    story.poll(1, "a")
    story.wait(10)
    assert session.idle_s(story.now) == 0
    story.drop("a")
    assert session.idle_s(story.now) == 0
    story.wait(20)
    assert session.idle_s(story.now) == 0
    story.wait(7)
    assert session.idle_s(story.now) == 7
    story.poll(3, "c")
    story.wait(9)
    assert session.idle_s(story.now) == 0


def test_last_contact_lies_between_the_last_request_and_its_answer(tell: Teller) -> None:
    story = tell()
    session, start = story.session, story.START
    assert session.heard(start) == (start, start)
    story.wait(5)
    story.poll(1, "a")
    story.wait(10)
    assert session.heard(story.now) == (start + 5, start + 15)
    story.send("one")
    story.expect(holding("a", "one"))
    story.wait(4)
    assert session.heard(story.now) == (start + 5, start + 15)
    story.poll(1, "a again")
    story.expect(holding("a again", "one"))
    assert session.heard(story.now + 1) == (start + 19, start + 19)


def test_a_closed_connection_is_the_last_sign_of_a_client(tell: Teller) -> None:
    story = tell(hold="2")
    session, start = story.session, story.START
    story.poll(1, "a")
    story.poll(2, "b")
    story.poll(4, "d")
    story.wait(3)
    story.drop("a")
    story.wait(1)
    story.drop("b")
    assert session.heard(start + 5) == (start, start + 5)
    story.wait(3)
    story.drop("d")
    assert session.heard(start + 9) == (start, start + 7)


def test_time_in_which_the_server_did_not_run_counts_for_no_limit(tell: Teller) -> None:
    story = tell()
    story.wait(19)
    story.put("stall of 10 s", lambda _: story.session.forgive(10))
    story.wait(10.9)
    story.nothing()
    assert story.session.idle_s(story.now) == pytest.approx(19.9)
    story.wait(0.1)
    story.expect(ended("idle", heard=(0, 0), at=30))

    story = tell()
    story.post(1, "a", pause="10")
    story.expect(empty("a"))
    story.put("stall of 5 s", lambda _: story.session.forgive(5))
    assert story.session.idle_s(story.now) == 0
    story.wait(14.9)
    story.nothing()
    story.wait(0.1)
    story.expect(ended("paused-too-long"))

    story = tell()
    story.poll(2, "b")
    story.put("stall of 5 s", lambda _: story.session.forgive(5))
    story.wait(34.9)
    story.nothing()
    story.wait(0.1)
    story.expect(over("b", "item-not-found"), ended("gap-not-filled"))
    story.session.forgive(5)
    assert story.session.deadline == float("inf")


def test_a_late_call_of_due_costs_the_client_nothing(tell: Teller) -> None:
    session = tell().session
    session.poll(R + 1, "a", 1000.0)
    assert session.due(1100.0) == [empty("a")]
    assert session.state is State.IDLE
    assert session.deadline == 1120.0

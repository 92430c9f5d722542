"""Section E of the checklist: holding, delivery, wait. Also A17, a connection that closes while its request is
held."""

from __future__ import annotations

from dataclasses import replace

from poise.protocols.xmpp.bosh import EMPTY, Answer, Restart
from poise.protocols.xmpp.bosh.timing import QUEUE_MAX_BYTES, QUEUE_MAX_STANZAS
from poise.protocols.xmpp.xml import parse
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    EXACT,
    FEATURES,
    R,
    empty,
    ended,
    holding,
    message,
    over,
    recoverable,
    said,
    with_features,
)


def test_E01_a_request_without_data_is_answered_empty_after_wait(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.wait(29.9)
    story.nothing()
    story.wait(0.1)
    story.expect(empty("a"))
    assert story.session.due(story.now) == ()


def test_E01_every_empty_answer_is_the_one_constant(tell: Teller) -> None:
    story = tell()
    assert story.session.poll(R + 1, "a", 1000.0) == ()
    (answer,) = story.session.due(1030.0)
    assert isinstance(answer, Answer)
    assert answer.body is EMPTY


def test_E02_a_further_request_releases_the_oldest(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.wait(10)
    story.poll(2, "b")
    story.expect(empty("a"))
    story.wait(29.9)
    story.nothing()
    story.wait(0.1)
    story.expect(empty("b"))


def test_E02_with_hold_2_two_requests_are_held_and_each_has_its_own_wait(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.wait(10)
    story.poll(2, "b")
    story.nothing()
    story.post(3, "c", message("one"))
    story.expect(empty("a"), said("one"))
    story.wait(29.9)
    story.nothing()
    story.wait(0.1)
    story.expect(empty("b"), empty("c"))


def test_E03_data_answers_the_oldest_held_request_at_once(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.send("one")
    story.expect(holding("a", "one"))
    story.send("two")
    story.expect(holding("b", "two"))
    story.send("three")
    story.nothing()


def test_E04_what_waits_is_sent_in_order_with_the_next_request(tell: Teller) -> None:
    story = tell()
    story.send("one", "two")
    story.poll(1, "a")
    story.expect(holding("a", "one", "two"))
    story.send("three")
    assert story.session.queued == 1
    story.poll(2, "b")
    story.expect(holding("b", "three"))
    assert story.session.queued == 0


def test_E03_stanzas_given_together_travel_in_one_answer(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.nothing()
    story.send_all("one", "two")
    story.expect(holding("a", "one", "two"))
    story.send_all("three", "four")
    story.poll(2, "b")
    story.expect(holding("b", "three", "four"))


def test_E04_a_thousand_stanzas_travel_in_answers_of_500(tell: Teller) -> None:
    story = tell()
    idents = [f"m{n}" for n in range(1100)]
    story.send(*idents)
    for n, part in enumerate((idents[:500], idents[500:1000], idents[1000:]), 1):
        story.poll(n, "a")
        story.expect(holding("a", *part))
    story.poll(4, "a")
    story.nothing()


def test_E04_an_answer_is_bounded_in_bytes_but_a_single_large_stanza_travels_alone(tell: Teller) -> None:
    story = tell(replace(EXACT, answer_max_bytes=3 * len(message("1")), answer_max_stanzas=10))
    story.send("1", "2", "3", "4", "x" * 500, "6")
    answers = [("1", "2", "3"), ("4",), ("x" * 500,), ("6",)]
    for n, idents in enumerate(answers, 1):
        story.poll(n, "a")
        story.expect(holding("a", *idents))


def test_E04_a_client_that_does_not_collect_ends_with_its_queue_full(tell: Teller) -> None:
    story = tell(replace(EXACT, queue_max_stanzas=3))
    story.send("1", "2", "3")
    story.put("send 4", lambda now: story.session.send(message("4").encode(), now))
    story.expect(ended("queue-full", undelivered=("1", "2", "3", "4")))
    story.poll(1, "a")
    story.expect(over("a", "item-not-found"))

    story = tell(replace(EXACT, queue_max_bytes=2 * len(message("1"))))
    story.send("1", "2")
    story.put("send 3", lambda now: story.session.send(message("3").encode(), now))
    story.expect(ended("queue-full"))


def test_E04_the_byte_count_of_the_queue_goes_down_again(tell: Teller) -> None:
    story = tell(replace(EXACT, queue_max_bytes=2 * len(message("1"))))
    for n in range(1, 6):
        story.send("1", "2")
        story.poll(n, "a")
        story.expect(holding("a", "1", "2"))


def test_E04_the_default_bounds_hold_the_longest_silence() -> None:
    assert QUEUE_MAX_STANZAS >= 90 * 10
    assert QUEUE_MAX_BYTES >= QUEUE_MAX_STANZAS * 1500


def test_E05_E06_E09_a_request_with_stanzas_is_read_at_once_and_waits_like_an_empty_one(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", message("question"))
    story.expect(said("question"))
    story.wait(29.9)
    story.nothing()
    story.wait(0.1)
    story.expect(empty("a"))
    story.post(2, "b", message("question"))
    story.expect(said("question"))
    story.send("reply")
    story.expect(holding("b", "reply"))


def test_E07_pause_terminate_and_errors_are_answered_at_once(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", pause="10")
    story.expect(empty("a"))
    story.post(2, "b", type="terminate")
    story.expect(over("b"), ended("client-left"))


def test_E07_a_restart_is_answered_with_its_features_whatever_is_held_or_queued(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.post(2, "b", xmpp__restart="true", to="finesse.test")
    story.expect(empty("a"), Restart("finesse.test"))
    story.send_bytes(FEATURES)
    story.expect(with_features("b", FEATURES))
    story.send("queued")
    story.post(3, "c", xmpp__restart="true")
    story.expect(Restart(None))
    story.send_bytes(FEATURES)
    story.expect(with_features("c", message("queued").encode() + FEATURES))


def test_A17_E08_a_closed_connection_loses_nothing_when_the_request_is_repeated(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.drop("a")
    story.send("one", "two")
    story.nothing()
    story.poll(1, "a again")
    story.expect(holding("a again", "one", "two"))
    story.poll(1, "and again")
    story.expect(holding("and again", "one", "two"))


def test_A17_E08_a_closed_connection_loses_nothing_when_the_client_goes_on(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.drop("a")
    story.send("one")
    story.poll(2, "b")
    story.expect(holding("b", "one"))
    story.poll(1, "a again")
    story.expect(empty("a again"))


def test_E08_an_answer_written_into_a_dead_connection_is_there_for_the_repetition(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.send("one")
    story.expect(holding("a", "one"))
    story.drop("a")
    story.poll(1, "a again")
    story.expect(holding("a again", "one"))


def test_A17_of_two_held_requests_the_living_one_gets_the_data(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.drop("a")
    story.send("one")
    story.expect(holding("b", "one"))
    story.poll(1, "a again")
    story.expect(empty("a again"))


def test_A17_an_early_request_whose_connection_closes_counts_as_received(tell: Teller) -> None:
    story = tell()
    story.post(2, "b", message("second"))
    story.drop("b")
    story.poll(1, "a")
    story.expect(empty("a"), said("second"))
    story.send("one")
    story.nothing()
    story.post(2, "b again", message("second"))
    story.expect(holding("b again", "one"))


def test_A17_a_connection_that_holds_nothing_may_close(tell: Teller) -> None:
    story = tell()
    story.drop("nobody")
    story.poll(1, "a")
    story.poll(3, "c")
    story.drop("nobody")
    story.send("one")
    story.expect(holding("a", "one"))
    story.poll(3, "c again")
    story.expect(recoverable("c"))


def test_an_answer_is_one_well_formed_body_whatever_is_in_it(tell: Teller) -> None:
    story = tell()
    session = story.session
    session.send(message("queued").encode(), 1000.0)
    session.send(FEATURES, 1000.0)
    (answer,) = session.poll(R + 1, "a", 1000.0)
    assert isinstance(answer, Answer)
    assert [child.name for child in parse(answer.body).elements()] == ["message", "features"]

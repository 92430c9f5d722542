"""Section I of the checklist: how sessions end. Also N09, what was not delivered."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.bosh import Answer, Ended
from poise.protocols.xmpp.errors import stream_error
from poise.protocols.xmpp.xml import parse
from poise.registry import ENDINGS
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    HTTPBIND,
    R,
    empty,
    ended,
    holding,
    last_empty,
    message,
    over,
    said,
    stream_over,
)


def test_I01_a_goodbye_may_carry_stanzas_and_they_are_read_first(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", message("last words"), "<presence type='unavailable' id='gone'/>", type="terminate")
    story.expect(over("a"), said("last words", "gone"), ended("client-left", heard=(0, 0)))


def test_I02_the_oldest_open_request_hears_the_end_and_the_others_are_empty(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.post(3, "c", type="terminate")
    story.expect(over("a"), last_empty("b"), last_empty("c"), ended("client-left"))


def test_I02_a_closed_connection_is_not_the_oldest(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.drop("a")
    story.post(2, "b", type="terminate")
    story.expect(over("b"), ended("client-left"))


def test_I03_after_the_end_every_request_finds_nothing(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", type="terminate")
    story.expect(over("a"), ended("client-left"))
    for n in (0, 1, 2, 99):
        story.poll(n, "b")
        story.expect(over("b", "item-not-found"))
    story.post(2, "b", message("anybody?"))
    story.expect(over("b", "item-not-found"))
    story.raw(f"<body xmlns='{HTTPBIND}' rid='{R + 2}' sid='9f2c4a'>".encode(), "b")
    story.expect(over("b", "item-not-found"))


def test_I03_a_session_ends_once_and_is_silent_for_ever(tell: Teller) -> None:
    story = tell()
    story.end("killed")
    story.expect(ended("killed"))
    story.end("shutdown")
    story.send("one")
    story.drop("a")
    story.wait(1_000_000)
    story.nothing()
    assert story.session.deadline == float("inf")
    assert story.session.idle_s(story.now) > 0


def test_I04_when_one_request_breaks_the_session_the_others_hear_that_it_was_another(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.poll(9, "b")
    story.expect(over("a", "other-request"), over("b", "item-not-found"), ended("rid-out-of-window"))


def test_I05_at_shutdown_every_open_request_hears_of_it(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.poll(4, "d")
    story.wait(7)
    story.end("shutdown")
    story.expect(
        over("a", "system-shutdown"),
        over("b", "system-shutdown"),
        over("d", "system-shutdown"),
        ended("shutdown", heard=(0, 7), at=7),
    )


def test_I06_M05_a_replaced_session_hears_the_stream_error_conflict(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.end("replaced")
    story.expect(stream_over("a", "conflict"), ended("replaced"))


def test_M05_a_stream_error_may_be_given_and_stanzas_before_it(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    extra = message("last").encode() + stream_error("unsupported-stanza-type", declare=False)
    story.put("end", lambda now: story.session.end("stream-refused", now, extra, evidence="unsupported-stanza-type"))
    head = f"<body xmlns='{HTTPBIND}' xmlns:stream='http://etherx.jabber.org/streams' type='terminate'"
    body = f"{head} condition='remote-stream-error'>".encode() + extra + b"</body>"
    story.expect(Answer("a", body, True), ended("stream-refused"))


@pytest.mark.parametrize("code", ENDINGS)
def test_I05_I08_I09_every_ending_of_the_registry_is_a_well_formed_last_answer(tell: Teller, code: str) -> None:
    story = tell()
    session = story.session
    session.poll(R + 1, "a", story.now)
    answer, end = session.end(code, story.now)
    assert isinstance(answer, Answer)
    assert isinstance(end, Ended)
    body = parse(answer.body)
    assert answer.final
    assert body.attrs.get("type") == "terminate"
    assert body.attrs.get("condition") == ENDINGS[code].bosh
    assert end.closed.ending is ENDINGS[code]
    assert (body.child("error") is not None) == (ENDINGS[code].bosh == "remote-stream-error")


def test_N09_what_was_never_answered_and_what_nobody_confirmed_are_told_apart(tell: Teller) -> None:
    story = tell()
    story.send("old")
    story.poll(1, "a")
    story.expect(holding("a", "old"))
    story.poll(2, "b")
    story.send("new")
    story.expect(holding("b", "new"))
    story.send("waiting", "still waiting")
    story.end("idle")
    story.expect(ended("idle", undelivered=("waiting", "still waiting"), unconfirmed=("new",), timer_s=20))


def test_N09_a_new_request_confirms_the_answers_before_it(tell: Teller) -> None:
    for hold in ("1", "2"):
        story = tell(hold=hold)
        story.send("one")
        story.poll(1, "a")
        story.expect(holding("a", "one"))
        story.poll(2, "b")
        story.end("killed")
        story.expect(stream_over("b", "policy-violation"), ended("killed", undelivered=(), unconfirmed=()))


def test_N09_of_two_unconfirmed_answers_both_are_named(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.send(
        "one",
    )
    story.expect(holding("a", "one"))
    story.send("two")
    story.expect(holding("b", "two"))
    story.wait(20)
    story.expect(ended("idle", unconfirmed=("one", "two")))


def test_the_evidence_of_a_wrong_rid_names_what_was_expected(tell: Teller) -> None:
    session = tell().session
    *_, end = session.poll(R + 9, "a", 1000.0)
    assert isinstance(end, Ended)
    assert end.closed.evidence == f"request id {R + 9}, expected {R + 1} to {R + 2}"


def test_I04_a_request_that_comes_too_early_may_be_the_one_that_breaks_it(tell: Teller) -> None:
    story = tell()
    story.post(2, "b", pause="abc")
    story.nothing()
    story.post(1, "a", message("one"))
    story.expect(over("a", "other-request"), over("b", "bad-request"), said("one"), ended("bad-request"))
    story.poll(3, "c")
    story.expect(over("c", "item-not-found"))


def test_empty_is_not_final_while_the_session_lives(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.poll(2, "b")
    story.expect(empty("a"))

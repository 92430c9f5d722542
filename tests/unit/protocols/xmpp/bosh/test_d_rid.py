"""Section D of the checklist: request ids, their window, and holes in it."""

from __future__ import annotations

import itertools

import pytest

from poise.protocols.xmpp.bosh import Answer, BodyError, Effect, Payload, parse_body
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    EXACT,
    SID,
    body_xml,
    empty,
    ended,
    holding,
    message,
    over,
    said,
)


@pytest.mark.parametrize(
    "rid",
    [
        *(None, "", "0", "-5", "abc", "9007199254740992", "9223372036854775808", "1" + "0" * 26, "1" * 5000),
        *("1e3", " 7 ", "007", "+5", "5.0", "1_0", "٣", "0x10"),
    ],
)
def test_D01_D02_only_a_plain_integer_up_to_2_53_minus_1_is_a_rid(rid: str | None) -> None:
    attrs = {} if rid is None else {"rid": rid}
    with pytest.raises(BodyError) as refused:
        parse_body(body_xml(None, sid=SID, **attrs))
    assert (refused.value.condition, refused.value.sid, refused.value.rid) == ("bad-request", SID, None)


@pytest.mark.parametrize("order", list(itertools.permutations((1, 2, 3))))
def test_D03_D04_whatever_the_order_of_arrival_requests_are_read_and_answered_by_rid(
    tell: Teller, order: tuple[int, ...]
) -> None:
    session = tell(hold="2").session
    effects: list[Effect] = []
    for n in order:
        effects += session.request(parse_body(body_xml(n, message(f"stanza {n}"), sid=SID)), f"channel {n}", 1000.0)
    for n in (1, 2):
        effects += session.send(message(f"reply {n}").encode(), 1001.0)
    payloads = [effect for effect in effects if isinstance(effect, Payload)]
    answers = [effect for effect in effects if isinstance(effect, Answer)]
    assert payloads == [said("stanza 1"), said("stanza 2"), said("stanza 3")]
    assert answers == [empty("channel 1"), holding("channel 2", "reply 1"), holding("channel 3", "reply 2")]


def test_D03_an_early_request_waits_unread_for_its_predecessor(tell: Teller) -> None:
    story = tell()
    story.post(2, "b", message("second"))
    story.nothing()
    story.post(1, "a", message("first"))
    story.expect(empty("a"), said("first"), said("second"))


def test_D05_the_window_ends_at_the_last_rid_plus_requests(tell: Teller) -> None:
    story = tell()
    story.post(2, "b", message("second"))
    story.nothing()
    story.poll(1, "a")
    story.expect(empty("a"), said("second"))

    for early in (3, 4):
        story = tell()
        story.poll(early, "far")
        story.expect(over("far", "item-not-found"), ended("rid-out-of-window"))
        story.poll(1, "a")
        story.expect(over("a", "item-not-found"))


def test_D05_the_widest_rid_of_the_window_is_accepted_with_hold_2(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(3, "c")
    story.nothing()
    story.poll(1, "a")
    story.nothing()
    story.poll(2, "b")
    story.expect(empty("a"))
    story.poll(7, "far")
    story.expect(
        over("b", "other-request"),
        over("c", "other-request"),
        over("far", "item-not-found"),
        ended("rid-out-of-window"),
    )


def test_D06_too_small_and_too_large_look_the_same(tell: Teller) -> None:
    for n in (-5, 0, 3, 10_000):
        story = tell()
        story.poll(n, "a")
        story.expect(over("a", "item-not-found"), ended("rid-out-of-window"))


def test_D07_a_hole_that_is_not_filled_ends_the_session_after_the_longer_of_wait_and_inactivity(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.wait(10)
    story.poll(3, "c")
    story.wait(20)
    story.expect(empty("a"))
    story.wait(9.9)
    story.nothing()
    story.wait(0.1)
    story.expect(over("c", "item-not-found"), ended("gap-not-filled", timer_s=30, at=40, heard=(10, 40)))

    story = tell(wait="5")
    story.poll(2, "b")
    story.wait(19.9)
    story.nothing()
    story.wait(0.1)
    story.expect(over("b", "item-not-found"), ended("gap-not-filled", timer_s=20))


def test_D07_filling_one_hole_gives_the_next_one_its_own_time(tell: Teller) -> None:
    story = tell(hold="3")
    story.poll(4, "d")
    story.wait(20)
    story.poll(2, "b")
    story.wait(9)
    story.poll(1, "a")
    story.nothing()
    story.wait(29.9)
    story.nothing()
    story.wait(0.1)
    story.expect(empty("a"), empty("b"), over("d", "item-not-found"), ended("gap-not-filled", at=59))


def test_D07_a_filled_hole_leaves_no_clock_behind(tell: Teller) -> None:
    story = tell(wait="60")
    story.poll(2, "b")
    story.wait(25)
    story.poll(1, "a")
    story.expect(empty("a"))
    story.wait(59)
    story.nothing()
    story.wait(1)
    story.expect(empty("b"))


def test_D08_behind_the_largest_rid_there_is_none(tell: Teller) -> None:
    largest = 2**53 - 1
    story = tell(rid=str(largest - 1))
    story.raw(f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{largest}' sid='{SID}'/>".encode(), "a")
    story.nothing()
    story.raw(f"<body xmlns='http://jabber.org/protocol/httpbind' rid='{largest + 1}' sid='{SID}'/>".encode(), "b")
    refused = over("b", "bad-request")
    refused.final = False
    story.expect(refused)
    story.wait(30)
    story.expect(empty("a"))
    story.wait(EXACT.inactivity_s or 0)
    story.expect(ended("idle"))

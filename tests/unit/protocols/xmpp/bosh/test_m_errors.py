"""Sections K, L and M of the checklist: what is not supported is ignored, and how errors look to modern and legacy
clients."""

from __future__ import annotations

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


def test_K01_an_address_in_a_later_empty_body_makes_no_second_stream(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", to="finesse.test", xml__lang="en")
    story.nothing()
    story.wait(30)
    story.expect(empty("a"))


def test_K02_L06_the_name_of_a_stream_and_keys_are_ignored(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", message("one"), stream="x", key="abc", newkey="def")
    story.expect(said("one"))
    story.post(2, "b", stream="y", key="wrong")
    story.expect(empty("a"))


def test_M01_a_client_that_named_a_version_gets_every_error_with_status_200(tell: Teller) -> None:
    story = tell()
    story.poll(5, "a")
    story.expect(over("a", "item-not-found", 200), ended("rid-out-of-window"))


def test_M02_M03_a_legacy_client_gets_the_status_and_a_body(tell: Teller) -> None:
    story = tell(ver=None)
    story.poll(5, "a")
    story.expect(over("a", "item-not-found", 404), ended("rid-out-of-window"))
    story.poll(5, "a")
    story.expect(over("a", "item-not-found", 404))

    story = tell(ver=None)
    story.post(1, "a", pause="999")
    story.expect(over("a", "policy-violation", 403), ended("pause-too-long-asked"))

    story = tell(ver=None)
    story.post(1, "a", "text")
    story.expect(over("a", "bad-request", 400), ended("bad-request"))


def test_M02_conditions_without_a_legacy_status_travel_with_200(tell: Teller) -> None:
    story = tell(ver=None)
    story.poll(1, "a")
    story.end("shutdown")
    story.expect(over("a", "system-shutdown", 200), ended("shutdown"))

    story = tell(ver=None)
    story.post(1, "a", type="terminate")
    story.expect(over("a"), ended("client-left"))


def test_M02_a_legacy_client_whose_broken_body_touches_nothing_gets_the_status_too(tell: Teller) -> None:
    story = tell(ver=None)
    story.raw(b"<body sid='9f2c4a' rid='7' xmlns='http://jabber.org/protocol/httpbind'><", "a")
    answer = over("a", "bad-request", 400)
    answer.final = False
    story.expect(answer)


def test_M04_an_error_stanza_is_a_stanza_like_any_other(tell: Teller) -> None:
    story = tell()
    story.poll(1, "a")
    story.send("error")
    story.expect(holding("a", "error"))
    story.poll(2, "b")
    story.nothing()


def test_M06_after_a_recoverable_error_the_client_may_repeat_all_it_has_open(tell: Teller) -> None:
    story = tell(hold="2")
    story.poll(1, "a")
    story.poll(2, "b")
    story.poll(1, "a again")
    story.expect(recoverable("a"))
    story.poll(2, "b again")
    story.expect(recoverable("b"))
    story.send("one")
    story.expect(holding("a again", "one"))


def test_M07_a_wrong_rid_and_an_ended_session_look_the_same(tell: Teller) -> None:
    wrong, gone = tell(), tell()
    gone.end("idle")
    gone.expect(ended("idle"))
    gone.poll(7, "a")
    gone.expect(over("a", "item-not-found"))
    wrong.poll(7, "a")
    wrong.expect(over("a", "item-not-found"), ended("rid-out-of-window"))

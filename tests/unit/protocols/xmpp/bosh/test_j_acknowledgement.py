"""Section J of the checklist: acknowledgements, for clients that ask for them."""

from __future__ import annotations

import pytest

from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    R,
    create,
    creation,
    empty,
    ended,
    holding,
    message,
    over,
    said,
)


def test_J01_the_creation_answer_acknowledges_the_creation_request_if_asked() -> None:
    for ack, expected in (("1", True), ("0", False), ("true", False), (None, False)):
        _, (answer,) = create(creation(ack=ack))
        assert (f" ack='{R}'" in str(answer)) is expected


def test_J02_an_answer_acknowledges_the_highest_request_but_its_own(tell: Teller) -> None:
    story = tell(ack="1", hold="2")
    story.poll(1, "a", ack=0)
    story.poll(2, "b", ack=0)
    story.send("one")
    story.expect(holding("a", "one", ack=2))
    story.send("two")
    story.expect(holding("b", "two"))


def test_J02_requests_behind_a_hole_are_not_acknowledged(tell: Teller) -> None:
    story = tell(ack="1", hold="2")
    story.poll(1, "a")
    story.poll(3, "c")
    story.send("one")
    story.expect(holding("a", "one"))


def test_J02_an_answer_released_by_a_newer_request_acknowledges_it_and_is_repeated_literally(tell: Teller) -> None:
    story = tell(ack="1")
    story.poll(1, "a")
    story.poll(2, "b")
    story.expect(empty("a", ack=2))
    story.poll(1, "a again")
    story.expect(empty("a again", ack=2))


def test_J03_without_having_asked_nobody_is_acknowledged(tell: Teller) -> None:
    for ack in (None, "0"):
        story = tell(ack=ack)
        story.poll(1, "a")
        story.poll(2, "b", ack=0)
        story.expect(empty("a"))


def test_J04_an_acknowledged_answer_is_forgotten(tell: Teller) -> None:
    story = tell(ack="1")
    for n in (1, 2):
        story.poll(n, "a", ack=n - 1)
        story.send(f"m{n}")
        story.expect(holding("a", f"m{n}"))
    story.poll(3, "c", ack=2)
    story.nothing()
    story.poll(2, "again")
    story.expect(over("c", "other-request"), over("again", "item-not-found"), ended("rid-out-of-window"))


def test_J04_what_is_not_acknowledged_is_kept(tell: Teller) -> None:
    story = tell(ack="1", hold="2")
    for n in (1, 2, 3):
        story.poll(n, "a", ack=n - 1)
        story.send(f"m{n}")
        story.expect(holding("a", f"m{n}"))
    story.poll(3, "again", ack=1)
    story.expect(holding("again", "m3"))
    story.poll(2, "again", ack=1)
    story.expect(over("again", "item-not-found"), ended("rid-out-of-window"))


def test_J05_an_acknowledgement_that_lags_is_answered_with_a_report_at_once(tell: Teller) -> None:
    story = tell(ack="1")
    story.poll(1, "a", ack=0)
    story.send("one")
    story.expect(holding("a", "one"))
    story.wait(1.25)
    story.poll(2, "b", ack=0)
    story.expect(holding("b", more=f" report='{R + 1}' time='1250'"))
    story.poll(1, "a again", ack=0)
    story.expect(holding("a again", "one"))


def test_J05_a_report_carries_what_waits(tell: Teller) -> None:
    story = tell(ack="1")
    story.poll(1, "a", ack=0)
    story.send("one")
    story.expect(holding("a", "one"))
    story.send("two")
    story.poll(2, "b", ack=0)
    story.expect(holding("b", "two", more=f" report='{R + 1}' time='0'"))


def test_J05_a_report_comes_behind_older_answers(tell: Teller) -> None:
    story = tell(ack="1", hold="2")
    story.poll(1, "a", ack=0)
    story.poll(2, "b", ack=0)
    story.send("one")
    story.expect(holding("a", "one", ack=2))
    story.poll(3, "c", ack=1)
    story.send("two")
    story.expect(holding("b", "two", ack=3))
    story.wait(0.5)
    story.post(4, "d", message("question"), ack=str(R + 1))
    story.expect(empty("c", ack=4), holding("d", more=f" report='{R + 2}' time='500'"), said("question"))


def test_J05_an_acknowledgement_of_what_is_long_forgotten_is_ignored(tell: Teller) -> None:
    story = tell(ack="1")
    for n in (1, 2, 3, 4):
        story.poll(n, "a", ack=n - 1)
        story.send(f"m{n}")
        story.expect(holding("a", f"m{n}"))
    story.poll(5, "b", ack=0)
    story.nothing()


@pytest.mark.parametrize("ack", ["abc", "-1", "", "0", "1.5"])
def test_J06_J07_an_acknowledgement_that_is_no_rid_is_ignored(tell: Teller, ack: str) -> None:
    story = tell(ack="1")
    story.poll(1, "a")
    story.send("one")
    story.expect(holding("a", "one"))
    story.post(2, "b", ack=ack)
    story.nothing()
    story.poll(1, "a again")
    story.expect(holding("a again", "one"))


def test_J07_an_acknowledgement_of_the_future_forgets_only_what_was_answered(tell: Teller) -> None:
    story = tell(ack="1")
    story.poll(1, "a")
    story.send("one")
    story.expect(holding("a", "one"))
    story.poll(2, "b", ack=99)
    story.send("two")
    story.expect(holding("b", "two"))
    story.poll(2, "b again")
    story.expect(holding("b again", "two"))

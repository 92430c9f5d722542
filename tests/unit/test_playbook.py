"""The playbook itself: a story teller that overlooks something would make every story worthless."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.playbook import Playbook


class Kettle:
    """Whistles five seconds after it was put on."""

    def __init__(self) -> None:
        self.deadline = float("inf")

    def put_on(self, now: float) -> Sequence[str]:
        self.deadline = now + 5
        return ["click"]

    def due(self, now: float) -> Sequence[str]:
        self.deadline = float("inf")
        return [f"whistle at {now}"]


def test_a_true_story_passes() -> None:
    kettle = Kettle()
    with Playbook(kettle) as play:
        play.put("put on", kettle.put_on)
        play.expect("click")
        play.wait(4.9)
        play.nothing()
        play.wait(0.2)
        play.expect("whistle at 1005.0")


def test_a_mismatch_shows_the_story_and_a_diff() -> None:
    kettle = Kettle()
    play = Playbook(kettle)
    play.put("put on", kettle.put_on)
    with pytest.raises(AssertionError, match=r"(?s)- 'clack'.*\+ 'click'.*>> put on"):
        play.expect("clack")


def test_an_output_nobody_reads_fails_the_next_input_and_the_next_wait() -> None:
    kettle = Kettle()
    play = Playbook(kettle)
    play.put("put on", kettle.put_on)
    with pytest.raises(AssertionError, match="unread before 'put on again'"):
        play.put("put on again", kettle.put_on)
    play.put("put on", kettle.put_on)
    with pytest.raises(AssertionError, match="unread before waiting 1 s"):
        play.wait(1)


def test_an_unfinished_story_fails() -> None:
    kettle = Kettle()
    with pytest.raises(AssertionError, match="at the end of the story"), Playbook(kettle) as play:
        play.put("put on", kettle.put_on)


def test_an_expected_output_that_does_not_come_fails() -> None:
    with pytest.raises(AssertionError, match="- 'click'"):
        Playbook(Kettle()).expect("click")


def test_a_deadline_that_stands_still_fails_instead_of_hanging() -> None:
    class Stuck(Kettle):
        def due(self, now: float) -> Sequence[str]:
            return []

    stuck = Stuck()
    play = Playbook(stuck)
    play.put("put on", stuck.put_on)
    play.expect("click")
    with pytest.raises(AssertionError, match="does not move on"):
        play.wait(6)

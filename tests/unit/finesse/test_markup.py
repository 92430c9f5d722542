"""Lines, indentation, time stamps."""

from __future__ import annotations

import pytest

from poise.finesse.markup import EVENT_INDENT, branch, leaf, render, timestamp


def test_elements_stand_one_a_line_indented_in_answers_and_flush_in_events() -> None:
    node = branch("a", [leaf("b", "x"), branch("c", [leaf("d", True)]), leaf("e", None)])
    assert render(node) == "<a>\n  <b>x</b>\n  <c>\n    <d>true</d>\n  </c>\n  <e></e>\n</a>"
    assert render(node, EVENT_INDENT) == "<a>\n<b>x</b>\n<c>\n<d>true</d>\n</c>\n<e></e>\n</a>"


def test_an_empty_list_has_twenty_bytes_like_the_seeds_dialogs() -> None:
    assert render(branch("Dialogs", [])) == "<Dialogs>\n</Dialogs>"


def test_values_are_escaped_and_made_safe() -> None:
    assert render(leaf("a", "<&>\x07\ud800")) == "<a>&lt;&amp;&gt;\ufffd\ufffd</a>"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1_547_251_014.783, "2019-01-11T23:56:54.783Z"),
        (1.9996, "1970-01-01T00:00:02.000Z"),
        (None, ""),
        (-1.0, ""),
        (1e20, ""),
        (float("nan"), ""),
    ],
)
def test_time_stamps_have_milliseconds_and_unknown_times_are_empty(seconds: float | None, text: str) -> None:
    assert timestamp(seconds) == text

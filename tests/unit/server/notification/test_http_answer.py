"""Bytes of HTTP answers."""

from __future__ import annotations

import pytest

from poise.server.clock import ManualClock
from poise.server.notification.http_answer import CLOSE, KEEP, KEEP_1_0, XML, Cors, Dates, answer


def test_a_date_is_formatted_once_a_second_and_follows_the_wall_clock() -> None:
    clock = ManualClock(now=1000.0, wall=1_700_000_000.9)
    dates = Dates(clock)
    first = dates.at(clock.now())
    assert first == b"Tue, 14 Nov 2023 22:13:20 GMT"
    clock.advance(0.05)
    assert dates.at(clock.now()) is first
    clock.advance(0.06)
    assert dates.at(clock.now()) == b"Tue, 14 Nov 2023 22:13:21 GMT"


@pytest.mark.parametrize(
    ("keep", "line"), [(KEEP, b""), (CLOSE, b"Connection: close\r\n"), (KEEP_1_0, b"Connection: keep-alive\r\n")]
)
def test_heads_say_what_becomes_of_the_connection(keep: int, line: bytes) -> None:
    head = Cors().heads(None, keep)[XML]
    assert head == (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nCache-Control: no-store\r\n"
        + line
        + b"Content-Length: "
    )


def test_heads_are_made_once_for_each_allowed_origin_and_once_for_all_others() -> None:
    cors = Cors(["https://a.test"])
    allowed, other = cors.heads(b"https://a.test", KEEP), cors.heads(b"https://b.test", KEEP)
    assert cors.heads(b"https://a.test", KEEP) is allowed
    assert cors.heads(b"https://c.test", KEEP) is other
    assert cors.heads(None, KEEP) is other
    assert b"Access-Control-Allow-Origin: https://a.test\r\n" in allowed[XML]
    assert b"Access-Control" not in other[XML]


def test_an_origin_with_a_line_break_in_the_settings_is_never_allowed() -> None:
    assert b"evil" not in Cors(["https://a.test\r\nX-A: evil"]).headers(b"https://a.test\r\nX-A: evil")


def test_an_answer_to_head_has_the_length_and_no_body_and_204_has_neither() -> None:
    head = answer(200, b"hello", date=b"now", head_only=True)
    assert b"Content-Length: 5\r\n" in head
    assert head.endswith(b"\r\n\r\n")
    assert b"Content-Length" not in answer(204, b"", date=b"now")
    assert answer(299, b"", date=b"now").startswith(b"HTTP/1.1 299 Status\r\n")

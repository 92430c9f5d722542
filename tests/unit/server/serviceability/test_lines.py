"""One physical line, and the two ways of writing the time."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.server.serviceability.lines import (
    LINE_MAX,
    ccbu_stamp,
    ccbu_stamper,
    file_stamp,
    iso_stamp,
    iso_stamper,
    local,
    one_line,
    openfire_stamp,
)

KOLKATA = timezone(timedelta(hours=5, minutes=30))


def test_the_seeds_stamps_are_reproduced_from_its_epochs() -> None:
    # 1492185866851 stands in the seed beside 2017.04.14 21:34:26; 1497638824642 beside 00:17:04.643 +0530
    assert openfire_stamp(local(1492185866.851, KOLKATA)) == "2017.04.14 21:34:26"
    assert ccbu_stamp(local(1497638824.642, KOLKATA)) == "Jun 17 2017 00:17:04.642 +0530"
    assert file_stamp(local(1497638824.642, KOLKATA)) == "2017-06-17T00-17-04.642"
    assert iso_stamp(1497638824.642) == "2017-06-16T18:47:04.642Z"


@pytest.mark.parametrize(
    ("zone", "offset"), [("America/Los_Angeles", "-0700"), ("America/Sao_Paulo", "-0300"), ("Asia/Kathmandu", "+0545")]
)
def test_offsets_east_west_and_odd(zone: str, offset: str) -> None:
    assert ccbu_stamp(local(1497638824.642, ZoneInfo(zone))).endswith(f".642 {offset}")


def test_the_machines_own_zone_is_used_with_its_summer_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Madrid")
    time.tzset()
    try:
        assert ccbu_stamp(local(datetime(2026, 1, 15, tzinfo=ZoneInfo("UTC")).timestamp(), None)).endswith("+0100")
        assert ccbu_stamp(local(datetime(2026, 7, 15, tzinfo=ZoneInfo("UTC")).timestamp(), None)).endswith("+0200")
    finally:
        monkeypatch.undo()
        time.tzset()


@given(st.floats(0, 4e9))
def test_the_quick_stampers_say_the_same(wall: float) -> None:
    assert iso_stamper()(wall) == iso_stamp(wall)
    assert ccbu_stamper(KOLKATA)(wall) == ccbu_stamp(local(wall, KOLKATA))


def test_a_stamper_follows_the_clock_back_and_forth() -> None:
    stamp = iso_stamper()
    for wall in (1497638824.642, 1497638824.0, 1497638825.5, 1497638824.9999999, 1.0):
        assert stamp(wall) == iso_stamp(wall)


def test_plain_text_stays_as_it_is() -> None:
    assert one_line("José <body sid='x'/> 漢字 ✓") == "José <body sid='x'/> 漢字 ✓"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("a\nb", "a\\nb"),
        ("a\r\nb\t", "a\\r\\nb\\t"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x85\u2028", "\\x85\\u2028"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\ud800", "\\ud800"),
    ],
)
def test_controls_line_breaks_and_reading_direction_are_escaped(text: str, safe: str) -> None:
    assert one_line(text) == safe


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_whatever_comes_in_one_physical_line_comes_out(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode()


def test_an_endless_text_is_cut_with_a_note() -> None:
    assert one_line("x" * (LINE_MAX + 7)).endswith("x...(7 more)")

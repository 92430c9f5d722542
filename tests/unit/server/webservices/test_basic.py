"""HTTP Basic at the border: whatever comes in, credentials or nothing comes out."""

from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from poise.server.webservices.basic import HEADER_MAX, credentials


def header(raw: bytes) -> str:
    return "Basic " + base64.b64encode(raw).decode()


def test_the_password_begins_after_the_first_colon() -> None:
    assert credentials(header(b"1001:a:b")) == ("1001", "a:b")
    assert credentials(header(b":")) == ("", "")


def test_the_scheme_is_read_in_any_case_and_spaces_are_forgiven() -> None:
    assert credentials("  bASIC   MTAwMTox  ") == ("1001", "1")


def test_latin_1_is_understood_where_it_is_no_utf_8() -> None:
    assert credentials(header("1001:ä".encode("latin-1"))) == ("1001", "ä")
    assert credentials(header("1001:ä".encode())) == ("1001", "ä")


def test_an_endless_header_is_not_decoded() -> None:
    assert credentials(header(b"1001:" + b"x" * HEADER_MAX)) is None


@given(st.binary())
def test_every_pair_survives_the_way(raw: bytes) -> None:
    got = credentials(header(raw))
    assert (got is None) == (b":" not in raw)


@given(st.text())
def test_no_header_breaks_it(text: str) -> None:
    credentials(text)
    credentials("Basic " + text)

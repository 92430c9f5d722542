"""Addresses of CTI servers as people write them."""

from __future__ import annotations

import pytest

from poise.protocols.cti.outputs import Side
from poise.server.ctilink.addresses import shown, sides


def test_sides_are_read_from_host_and_port() -> None:
    assert sides("cti-a.example:42027", "[::1]:43027") == (
        Side("A", "cti-a.example", 42027),
        Side("B", "::1", 43027),
    )
    assert sides("", "b.example:43027") == (Side("B", "b.example", 43027),)
    assert sides("") == ()


@pytest.mark.parametrize("text", ["cti", "cti:", ":42027", "cti:0", "cti:65536", "cti:x", "::1:42027", "cti:٤"])
def test_a_wrong_address_is_named(text: str) -> None:
    with pytest.raises(ValueError, match="side A of the CTI server must be host:port"):
        sides(text)


def test_an_address_is_shown_as_it_is_written() -> None:
    for text in ("cti-a.example:42027", "[::1]:43027"):
        assert shown(sides(text)[0]) == text

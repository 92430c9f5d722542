"""Frames to clients: lengths, and what deflates to the same message whoever gets it."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.server.notification.ws_frames import Deflater, text_frame
from tests.support.websocket import inflated

TAIL = (
    b"<event xmlns='http://jabber.org/protocol/pubsub#event'>"
    + b"<items>&lt;Update/&gt;</items>" * 60
    + b"</event></message>"
)


def opened(frame: bytes) -> tuple[int, bytes]:
    """(first byte, payload) of one whole frame."""
    length, start = frame[1], 2
    if length == 126:
        length, start = int.from_bytes(frame[2:4], "big"), 4
    elif length == 127:
        length, start = int.from_bytes(frame[2:10], "big"), 10
    assert len(frame) == start + length
    return frame[0], frame[start:]


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_of_any_length_holds_the_message(length: int) -> None:
    assert opened(text_frame(b"x" * length)) == (0x81, b"x" * length)


def notification(user: str) -> bytes:
    return f"<message to='{user}@localhost' id='x>{user}'>".encode() + TAIL


class Counting(Deflater):
    """A deflater that counts its work."""

    times = 0

    def _deflate(self, data: bytes) -> bytes:
        self.times += 1
        return super()._deflate(data)


@pytest.mark.parametrize("window_bits", [9, 12, 15])
def test_a_notification_is_deflated_once_and_every_client_inflates_its_own(window_bits: int) -> None:
    deflater = Counting(window_bits)
    for user in ("1001", "1002", "1003"):
        first, payload = opened(deflater.frame(notification(user)))
        assert first == 0xC1
        assert zlib.decompress(payload + b"\0\0\xff\xff\x03\x00", -window_bits) == notification(user)
        assert len(payload) < 400 < len(notification(user))
    assert deflater.times == 1


def test_another_notification_is_another() -> None:
    deflater = Deflater(15)
    deflater.frame(notification("1001"))
    other = notification("1001").replace(b"Update", b"Change")
    assert inflated(opened(deflater.frame(other))[1]) == other
    assert inflated(opened(deflater.frame(notification("1002")))[1]) == notification("1002")


@given(st.lists(st.one_of(st.binary(max_size=3000), st.binary(max_size=300).map(lambda head: head + TAIL)), max_size=5))
def test_whatever_is_deflated_is_inflated_to_the_same(messages: list[bytes]) -> None:
    deflater = Deflater(15)
    for message in messages:
        assert inflated(opened(deflater.frame(message))[1]) == message

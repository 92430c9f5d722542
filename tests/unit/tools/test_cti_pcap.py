"""Streams put together from segments that are lost, repeated and disordered, and captures that cannot be read."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poise.tools import cti_pcap
from poise.tools.cti_pcap import Assembly, CaptureError, Chunk, Endpoint, PcapWriter, Segment, segments

CLIENT, SERVER = Endpoint("10.0.0.1", 50001), Endpoint("10.0.0.2", 42027)
TEXT = bytes(range(256)) * 4


def segment(at: int, data: bytes, *, syn: bool = False, start: int = 100) -> Segment:
    """A segment of the server; `at` counts from its first byte of data."""
    sequence = start + (0 if syn else 1 + at) & 0xFFFFFFFF
    return Segment(float(at), 0, SERVER, CLIENT, sequence, syn, False, data)


def together(chunks: list[Chunk]) -> bytes:
    return b"".join(chunk.data for chunk in chunks)


@given(
    cuts=st.lists(st.integers(1, len(TEXT) - 1), max_size=12, unique=True),
    seed=st.integers(0, 1000),
    again=st.integers(0, 5),
    start=st.sampled_from([100, (1 << 32) - 300, (1 << 31) - 10]),
)
@settings(max_examples=200, deadline=None)
def test_segments_in_any_order_and_repeated_make_the_stream(cuts: list[int], seed: int, again: int, start: int) -> None:
    dice = random.Random(seed)
    edges = [0, *sorted(cuts), len(TEXT)]
    parts = [segment(a, TEXT[a:b], start=start) for a, b in itertools.pairwise(edges)]
    for _ in range(again):  # overlapping repetitions
        a = dice.randrange(len(TEXT))
        parts.append(segment(a, TEXT[a : a + dice.randrange(1, 300)], start=start))
    dice.shuffle(parts)
    assembly = Assembly()
    assembly.feed(segment(0, b"", syn=True, start=start))
    chunks = [chunk for part in parts for chunk in assembly.feed(part)] + assembly.flush()
    assert together(chunks) == TEXT
    assert not any(chunk.missing for chunk in chunks)


def test_a_lost_segment_is_told_by_its_size_at_the_end() -> None:
    assembly = Assembly()
    assembly.feed(segment(0, b"", syn=True))
    assert together(assembly.feed(segment(0, b"abc"))) == b"abc"
    assert assembly.feed(segment(10, b"xyz")) == []
    (late,) = assembly.flush()
    assert (late.data, late.missing) == (b"xyz", 7)


def test_what_waits_for_a_lost_segment_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cti_pcap, "MAX_PENDING_BYTES", 10)
    assembly = Assembly()
    assembly.feed(segment(0, b"", syn=True))
    assert assembly.feed(segment(5, b"abcdef")) == []
    (first, second) = assembly.feed(segment(11, b"ghijkl"))
    assert (first.data, first.missing, second.data, second.missing) == (b"abcdef", 5, b"ghijkl", 0)


def test_both_directions_are_streams_of_their_own(tmp_path: Path, tshark: str) -> None:
    file = tmp_path / "two.pcap"
    with file.open("wb") as opened:
        PcapWriter.begin(opened)
        writer = PcapWriter(opened, CLIENT, SERVER, segment_bytes=5)
        writer.opened(1.0)
        writer.data(1.25, b"a question", client=True)
        writer.data(1.5, b"and an answer", client=False)
        writer.closed(2.0, client=True)
    assembly = Assembly()
    chunks = [chunk for one in segments(file) for chunk in assembly.feed(one)]
    assert together([chunk for chunk in chunks if chunk.source == CLIENT]) == b"a question"
    assert together([chunk for chunk in chunks if chunk.source == SERVER]) == b"and an answer"
    assert [chunk.time for chunk in chunks if chunk.source == CLIENT] == [1.25, 1.25]


def test_a_capture_that_is_none_is_refused_with_tsharks_words(tmp_path: Path, tshark: str) -> None:
    file = tmp_path / "text.pcap"
    file.write_text("no capture at all")
    with pytest.raises(CaptureError, match="tshark cannot read"):
        list(segments(file))


def test_without_tshark_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CaptureError, match="needs tshark"):
        list(segments(tmp_path / "any.pcap"))


def test_ipv6_addresses_are_written_in_brackets() -> None:
    assert str(Endpoint("::1", 42027)) == "[::1]:42027"
    assert str(CLIENT) == "10.0.0.1:50001"

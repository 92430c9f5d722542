"""The whole GED-188 table goes to bytes and back; foreign bytes never do worse than a CtiError."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poise.protocols.cti.codec import HEADER, CtiError, Framer, Malformed, decode, encode
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION, FieldLayout, MessageLayout, TagLayout, layout
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable

LAYOUT = layout()
DRAWN = [known for known in LAYOUT.messages.values() if not known.opaque and len(known.fixed) <= 60]
"""All but the two statistics messages, whose counters would eat the entropy of an example (unit tests hold them)."""
VERSIONS = st.integers(OLDEST_VERSION, NEWEST_VERSION)
RANGES = {
    "UCHAR": (0, 0xFF),
    "USHORT": (0, 0xFFFF),
    "BOOL": (0, 0xFFFF),
    "UINT": (0, 0xFFFFFFFF),
    "TIME": (0, 0xFFFFFFFF),
    "INT": (-(1 << 31), (1 << 31) - 1),
}


def texts(most: int) -> st.SearchStrategy[str]:
    """Texts that fit `most` bytes with their NUL."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=most - 1).filter(
        lambda text: len(text.encode()) < most
    )


def values(tag: TagLayout) -> st.SearchStrategy[FloatValue]:
    """Values a floating field can hold."""
    if tag.type in RANGES:
        return st.integers(*RANGES[tag.type])
    if tag.type == "STRING":
        return texts(min(tag.max or 64, 64))
    if tag.type == "NAMEDVAR":
        return st.builds(NamedVariable, texts(33), texts(60))
    if tag.type == "NAMEDARRAY":
        return st.builds(NamedArrayElement, st.integers(0, 255), texts(33), texts(60))
    return st.binary(max_size=min(tag.max or 32, 32))


@st.composite
def floats(draw: st.DrawFn, version: int) -> tuple[tuple[str, FloatValue], ...]:
    tags = [tag for tag in LAYOUT.tags.values() if tag.since <= version]
    chosen = draw(st.lists(st.sampled_from(tags), max_size=6))
    return tuple((tag.name, draw(values(tag))) for tag in chosen)


def number_for(field: FieldLayout) -> st.SearchStrategy[int]:
    return st.integers(*RANGES[field.type])


@st.composite
def messages(draw: st.DrawFn, known: MessageLayout, version: int) -> Message:
    fields = {field.name: draw(number_for(field)) for field in known.fixed if field.since <= version}
    if known.name == "OPEN_REQ":
        fields["VersionNumber"] = version
    return Message(known.name, fields, draw(floats(version)))


@pytest.mark.parametrize("known", DRAWN, ids=lambda known: known.name)
@given(data=st.data(), version=VERSIONS)
@settings(max_examples=4, deadline=None)
def test_every_message_of_the_table_survives_the_wire(known: MessageLayout, data: st.DataObject, version: int) -> None:
    message = data.draw(messages(known, version))
    wire = encode(message, version)
    (again,) = Framer(version).feed(wire)
    assert isinstance(again, Message)
    assert encode(again, version) == wire
    if known.alternative is None:  # a body of the alternative's exact length is read as the alternative
        assert again == message


def odd_floats(version: int) -> st.SearchStrategy[bytes]:
    """Floating fields as wire bytes: any tag the table knows or not, with content that may be odd in every way."""
    head = struct.Struct(">HH" if version >= 20 else ">BB")
    number = st.sampled_from(sorted(LAYOUT.tags)) | st.integers(0, 0xFFFF)
    field = st.tuples(
        number, st.binary(max_size=40) | st.sampled_from([b"", b"\0", b"a\0b\0", b"a", b"\xff\0", b"a\0\0"])
    )
    most = 0xFFFF if version >= 20 else 0xFF
    return st.lists(field, max_size=6).map(
        lambda found: b"".join(head.pack(tag & most, len(data)) + data for tag, data in found)
    )


@given(st.data(), st.integers(0, 400), VERSIONS)
@settings(max_examples=1500, deadline=None)
def test_whatever_was_read_is_written_again_byte_for_byte(data: st.DataObject, number: int, version: int) -> None:
    known = LAYOUT.messages.get(number)
    size = 0 if known is None or len(known.fixed) > 60 else known.part(version).packer.size
    body = data.draw(st.binary(max_size=60)) if size == 0 else data.draw(st.binary(min_size=size, max_size=size))
    body += data.draw(odd_floats(version))
    try:
        message = decode(number, body, version)
    except CtiError:
        return
    assert encode(message, version) == HEADER.pack(len(body), number) + body


@given(st.lists(st.binary(max_size=200), max_size=20), VERSIONS)
@settings(max_examples=300, deadline=None)
def test_any_stream_gives_messages_or_one_cti_error(chunks: list[bytes], version: int) -> None:
    framer = Framer(version)
    for chunk in chunks:
        try:
            found = framer.feed(chunk)
        except CtiError:
            return
        assert all(isinstance(item, Message | Malformed) for item in found)


@given(st.data(), VERSIONS)
@settings(max_examples=300, deadline=None)
def test_a_cut_or_bent_message_is_read_or_refused(data: st.DataObject, version: int) -> None:
    known = data.draw(st.sampled_from(DRAWN))
    body = bytearray(encode(data.draw(messages(known, version)), version)[HEADER.size :])
    for _ in range(data.draw(st.integers(1, 4))):
        if body:
            body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))])
    try:
        message = decode(known.number, cut, version)
    except CtiError:
        return
    assert message.name == known.name


def test_every_layout_has_a_packer_for_every_version() -> None:
    for known in LAYOUT.messages.values():
        for version in range(OLDEST_VERSION, NEWEST_VERSION + 1):
            part = known.part(version)
            assert part.packer.size == struct.calcsize(part.packer.format)
            assert len(part.names) == len(set(part.names)), known.name

"""The codec against others: vectors of two MIT-licensed projects, and a second reader with tables of its own."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from poise.protocols.cti.codec import HEADER, CtiError, decode, encode
from poise.protocols.cti.layout import NEWEST_VERSION, OLDEST_VERSION, layout
from poise.protocols.cti.messages import Message, NamedArrayElement, NamedVariable
from tests.unit.protocols.cti import second_decoder

VECTORS = Path(__file__).parent / "vectors"
VERSIONS = range(OLDEST_VERSION, NEWEST_VERSION + 1)


def vectors(file: str) -> list[Any]:
    """The vectors of one source, each with the version it is written in."""
    source = json.loads((VECTORS / file).read_text("utf-8"))
    return [
        pytest.param(source["version"], vector, id=f"{file.partition('.')[0]}-{vector['name']}")
        for vector in source["vectors"]
    ]


def read_values(message: Message) -> list[object]:
    """Every value in the order of the wire."""
    return [*message.fields.values(), *(value for _, value in message.floats)]


def agrees(expected: object, value: object) -> bool:
    """Whether a value is the one the source names; null: the source names none."""
    if expected is None:
        return True
    if expected == "null":
        return value in (0xFFFFFFFF, 0xFFFF)
    if isinstance(value, bytes):
        return expected == f"hex:{value.hex()}" or (isinstance(expected, str) and expected.encode() + b"\0" == value)
    if isinstance(value, NamedVariable | NamedArrayElement):
        return expected in (value.name, list(value))
    if isinstance(expected, int) and isinstance(value, int):
        return (expected - value) % (1 << 32) == 0
    return expected == value


@pytest.mark.parametrize(("version", "vector"), vectors("ucce-ctidriver.json") + vectors("uccertweb.json"))
def test_vectors_of_others_are_read_field_by_field_and_written_again(version: int, vector: dict[str, Any]) -> None:
    raw = bytes.fromhex(vector["hex"])
    number, body = int.from_bytes(raw[:4], "big"), raw[4:]
    message = decode(number, body, version)
    assert encode(message, version) == HEADER.pack(len(body), number) + body
    expected = vector["values"]
    if expected[0][0] != "*" and not message.raw:  # the source names each field, and we know them
        read = read_values(message)
        assert len(read) == len(expected)
        for (label, wanted), value in zip(expected, read, strict=True):
            assert agrees(wanted, value), f"{label} of {message.name}"
    known = layout().messages.get(number)
    if known is not None and not known.opaque:
        name, fields, floats = second_decoder.read(number, body, version)
        assert (message.name, dict(message.fields), list(message.floats)) == (name, fields, floats)


def disagreement(dice: random.Random, version: int) -> str:
    """One random message, read by both; empty when they agree."""
    number, body = second_decoder.scribble(dice, version)
    try:
        name, fields, floats = second_decoder.read(number, body, version)
    except second_decoder.UnreadableError:
        try:
            decode(number, body, version)
        except CtiError:
            return ""
        return f"only the product reads {number} {body.hex()}"
    try:
        message = decode(number, body, version)
    except CtiError as error:
        return f"the product does not read {number} {body.hex()}: {error}"
    if not name:
        return "" if message.raw == body else f"{number} {body.hex()} was not kept"
    ours = (message.name, dict(message.fields), list(message.floats))
    if ours != (name, fields, floats):
        return f"{number} {body.hex()}: {ours} is not {(name, fields, floats)}"
    return "" if encode(message, version)[HEADER.size :] == body else f"{number} {body.hex()} is written differently"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("rounds", [500, pytest.param(10_000, marks=pytest.mark.long)])
def test_two_readers_with_tables_of_their_own_agree_on_random_messages(version: int, rounds: int) -> None:
    dice = random.Random(f"{version}-{rounds}")
    for _ in range(rounds):
        assert not disagreement(dice, version)


def test_both_readers_know_the_same_messages_and_tags() -> None:
    ours = {number: known.name for number, known in layout().messages.items() if not known.opaque}
    assert ours == {number: name for number, (name, _) in second_decoder.MESSAGES.items()}
    assert {n: tag.name for n, tag in layout().tags.items()} == {n: name for n, (name, _) in second_decoder.TAG.items()}
    for number, (_, kind) in second_decoder.TAG.items():
        tag = layout().tags[number]
        assert tag.max == (int(kind[1:]) if kind[0] in "sx" else None), tag.name

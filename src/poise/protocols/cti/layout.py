"""The GED-188 table: every message and floating field the codec knows, read once from `layout.json`.

All knowledge of the wire that is data lives in that file; this module only turns it into values that are quick to use.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

OLDEST_VERSION = 13
NEWEST_VERSION = 25
WIDE_TAG_VERSION = 20
"""From this protocol version on, a floating field's tag and length take two bytes each instead of one."""

_STRUCT_CODES = {"UCHAR": "B", "USHORT": "H", "UINT": "I", "INT": "i", "BOOL": "H", "TIME": "I"}


class FieldLayout(NamedTuple):
    """One field of a fixed part."""

    name: str
    type: str
    """UCHAR, USHORT, UINT, INT, BOOL or TIME."""
    since: int
    """First protocol version that carries it."""


class FixedPart(NamedTuple):
    """A fixed part as one protocol version has it."""

    names: tuple[str, ...]
    packer: struct.Struct


@dataclass(frozen=True, slots=True)
class TagLayout:
    """One kind of floating field."""

    number: int
    name: str
    type: str | None
    """STRING, UNSPEC, NAMEDVAR, NAMEDARRAY, a numeric type, or None when unknown: the value then stays raw."""
    max: int | None
    """Largest length in bytes (a STRING's final NUL included), or None when unknown."""
    since: int
    """First protocol version that carries it."""
    packer: struct.Struct | None
    """For numeric types."""
    signed: bool


class MessageLayout:
    """One message type."""

    __slots__ = ("_parts", "alternative", "fixed", "floats", "lists", "name", "names", "number", "opaque", "since")

    def __init__(
        self,
        number: int,
        name: str,
        fixed: tuple[FieldLayout, ...] | None,
        alternative: MessageLayout | None = None,
        since: int = OLDEST_VERSION,
        floats: tuple[str, ...] = (),
        lists: tuple[str, ...] = (),
    ) -> None:
        self.number = number
        self.name = name
        self.fixed: tuple[FieldLayout, ...] = fixed or ()
        self.names = frozenset(field.name for field in self.fixed)
        self.opaque = fixed is None
        """Only the name is known: the body is kept as it is."""
        self.floats = floats
        """Names of the tags the message may carry once."""
        self.lists = lists
        """Names of the tags the message may carry more than once."""
        self.alternative = alternative
        """Another body of the same type that some guides print; known by its exact length."""
        self.since = since
        """First protocol version in which this body may be met."""
        self._parts: dict[int, FixedPart] = {}

    def part(self, version: int) -> FixedPart:
        """The fixed part in that protocol version."""
        part = self._parts.get(version)
        if part is None:
            present = [field for field in self.fixed if field.since <= version]
            codes = "".join(_STRUCT_CODES[field.type] for field in present)
            part = FixedPart(tuple(field.name for field in present), struct.Struct(">" + codes))
            self._parts[version] = part
        return part


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole table, by number and by name."""

    messages: dict[int, MessageLayout]
    message_by_name: dict[str, MessageLayout]
    tags: dict[int, TagLayout]
    tag_by_name: dict[str, TagLayout]
    max_message_bytes: int
    """Largest message with its header (GED-188 version 24)."""


def _fields(rows: list[dict[str, Any]]) -> tuple[FieldLayout, ...]:
    return tuple(FieldLayout(row["name"], row["type"], row.get("since", OLDEST_VERSION)) for row in rows)


def _message(number: int, row: dict[str, Any]) -> MessageLayout:
    rows = row["fixed"]
    fixed = None if rows is None else _fields(rows)
    counters = row.get("counters")
    if counters is not None and fixed is not None:
        names = counters.get("first", []) + [
            name + suffix for suffix in counters["suffixes"] for name in counters["names"]
        ]
        assert len(names) == counters["count"], row["name"]
        fixed += tuple(FieldLayout(name, counters["type"], OLDEST_VERSION) for name in names)
    other = row.get("alternative")
    alternative = None
    if other is not None:
        alternative = MessageLayout(number, row["name"], _fields(other["fixed"]), since=other["since"])
    floats, lists = tuple(row.get("floats", ())), tuple(row.get("lists", ()))
    return MessageLayout(number, row["name"], fixed, alternative, floats=floats, lists=lists)


def _tag(number: int, row: dict[str, Any]) -> TagLayout:
    kind = row["type"]
    code = _STRUCT_CODES.get(kind or "")
    oldest = OLDEST_VERSION if number <= 0xFF else WIDE_TAG_VERSION
    return TagLayout(
        number,
        row["name"],
        kind,
        row.get("max"),
        max(row.get("since", oldest), oldest),
        None if code is None else struct.Struct(">" + code),
        kind == "INT",
    )


@cache
def layout() -> Layout:
    """The table of this package."""
    data = json.loads(files("poise.protocols.cti").joinpath("layout.json").read_text("utf-8"))
    messages = {int(number): _message(int(number), row) for number, row in data["messages"].items()}
    tags = {int(number): _tag(int(number), row) for number, row in data["tags"].items()}
    by_name = {message.name: message for message in messages.values()}
    tag_by_name = {tag.name: tag for tag in tags.values()}
    assert len(by_name) == len(messages), "a message name is used twice in layout.json"
    assert len(tag_by_name) == len(tags), "a tag name is used twice in layout.json"
    carried = {name for message in messages.values() for name in (*message.floats, *message.lists)}
    assert carried <= tag_by_name.keys(), "a message carries a tag that layout.json does not know"
    return Layout(messages, by_name, tags, tag_by_name, data["framing"]["max_message_bytes"])

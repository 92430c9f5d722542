"""What a decoded GED-188 message is. Nothing here knows bytes or versions: see `codec.py` for those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeAlias


class NamedVariable(NamedTuple):
    """An ECC variable (tag 82)."""

    name: str
    value: str


class NamedArrayElement(NamedTuple):
    """One element of an ECC array (tag 83)."""

    position: int
    name: str
    value: str


class OddText(str):
    """A text that was not written as we would write it: no final NUL, bytes after it, no UTF-8. Kept to be repeated."""

    raw: bytes
    """The bytes as they came."""

    def __new__(cls, text: str, raw: bytes) -> OddText:
        """`text` is what can be read of `raw`."""
        odd = super().__new__(cls, text)
        odd.raw = raw
        return odd


class OddVariable(NamedVariable):
    """An ECC variable that was not written as we would write it."""

    raw: bytes


class OddElement(NamedArrayElement):
    """An element of an ECC array that was not written as we would write it."""

    raw: bytes


FloatValue: TypeAlias = int | str | bytes | NamedVariable | NamedArrayElement
"""Value of a floating field: a number, a text without its final NUL, raw bytes, or an ECC variable.

A known numeric tag that arrived in another width than the table's, and every tag the table does not know, stay raw
bytes, and so does an ECC variable without a NUL after its name. `OddText`, `OddVariable` and `OddElement` are read as
what they derive from."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the CTI server protocol, independent of the protocol version."""

    name: str
    """Name in the layout table, such as "AGENT_STATE_EVENT"; "MESSAGE_<number>" when the table does not know it."""
    fields: Mapping[str, int] = field(default_factory=dict)
    """Fixed part by the guide's names ("AgentState"). Absent fields are written as 0; null is 0xFFFFFFFF or 0xFFFF."""
    floats: tuple[tuple[str, FloatValue], ...] = ()
    """Floating fields in wire order by tag name ("AGENT_ID"); "TAG_<number>" when the table does not know the tag."""
    raw: bytes = b""
    """Body of a message whose layout is not known, untouched."""
    read_in: int = field(default=0, compare=False, repr=False)
    """Protocol version of the bytes it was read from, or 0. Written in that version, nothing is left out or refused."""

    def text(self, tag: str) -> str | None:
        """First floating field of that name as text, or None if it is absent."""
        for name, value in self.floats:
            if name == tag and isinstance(value, str):
                return value
        return None

    @property
    def agent_id(self) -> str | None:
        """The agent the message is about: AGENT_ID, or AGENT_ID_LONG where an id has more than 11 characters (UCCX)."""
        return self.text("AGENT_ID") or self.text("AGENT_ID_LONG")

    def number(self, tag: str) -> int | None:
        """First floating field of that name as a number, or None if it is absent."""
        for name, value in self.floats:
            if name == tag and isinstance(value, int):
                return value
        return None

    def all(self, tag: str) -> Iterator[FloatValue]:
        """Every floating field of that name, in order."""
        return (value for name, value in self.floats if name == tag)


def agent_floats(agent_id: str) -> tuple[tuple[str, FloatValue], ...]:
    """The floating field that carries an agent id: tag 5, or tag 194 when it has more than 11 characters."""
    return (("AGENT_ID" if len(agent_id) <= 11 else "AGENT_ID_LONG", agent_id),)


def with_long_agent_ids(message: Message) -> Message:
    """The message as UCCX writes it: agent ids in tag 194 whatever their length (cti.md 1.11, UCCX dialect)."""
    if all(tag != "AGENT_ID" for tag, _ in message.floats):
        return message
    floats = tuple(("AGENT_ID_LONG" if tag == "AGENT_ID" else tag, value) for tag, value in message.floats)
    return replace(message, floats=floats)

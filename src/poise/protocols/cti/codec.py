"""GED-188 messages to bytes and back, for protocol versions 13 to 25, driven by the one table of `layout.py`.

Strict on lengths: every byte of a message must be accounted for. Tolerant on content: unknown message types and tags
are kept as they are, a missing final NUL is forgiven, a numeric floating field of an unexpected width stays raw bytes.
What was read and is written again in the same version is the same bytes, whatever was odd about them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from poise.protocols.cti.constants import Status
from poise.protocols.cti.layout import (
    NEWEST_VERSION,
    OLDEST_VERSION,
    WIDE_TAG_VERSION,
    FixedPart,
    MessageLayout,
    TagLayout,
    layout,
)
from poise.protocols.cti.messages import (
    FloatValue,
    Message,
    NamedArrayElement,
    NamedVariable,
    OddElement,
    OddText,
    OddVariable,
)

HEADER = struct.Struct(">II")
"""MessageLength (bytes after the header) and MessageType."""

_WIDE = struct.Struct(">HH")
_NARROW = struct.Struct(">BB")
_OPEN_REQ = 3
_VERSION_AT = 4  # OPEN_REQ.VersionNumber follows InvokeID
_LAYOUT = layout()


class CtiError(Exception):
    """Bytes that are no GED-188 message, or a message that cannot be written. `status` is the E_CTI code that fits."""

    def __init__(self, detail: str, status: Status = Status.INVALID_HEADER) -> None:
        super().__init__(detail)
        self.status = status


class Malformed(NamedTuple):
    """A message whose frame was sound and whose body was not; the stream stays in step."""

    number: int
    """Message type."""
    invoke_id: int
    """What stood in the place of InvokeID, or 0: only good for an error answer."""
    error: CtiError
    body: bytes = b""
    """The bytes after the header."""


def _string(raw: bytes) -> tuple[str, bool]:
    """UTF-8 where it is valid (ASCII is), else Latin-1; ends at the first NUL, as a C reader would.

    Second: whether we would have written the same bytes.
    """
    end = raw.find(0)
    proper = end >= 0 and end == len(raw) - 1
    held = raw if end < 0 else raw[:end]
    try:
        return held.decode(), proper
    except UnicodeDecodeError:
        return held.decode("latin-1"), False


def _text(raw: bytes) -> str:
    text, proper = _string(raw)
    return text if proper else OddText(text, raw)


def _variable(raw: bytes) -> FloatValue:
    first, nul, rest = raw.partition(b"\0")
    if not nul:
        return raw
    (name, good), (value, fine) = _string(first + nul), _string(rest)
    if good and fine:
        return NamedVariable(name, value)
    odd = OddVariable(name, value)
    odd.raw = raw
    return odd


def _element(raw: bytes) -> FloatValue:
    first, nul, rest = raw[1:].partition(b"\0")
    if not nul:
        return raw
    (name, good), (value, fine) = _string(first + nul), _string(rest)
    if good and fine:
        return NamedArrayElement(raw[0], name, value)
    odd = OddElement(raw[0], name, value)
    odd.raw = raw
    return odd


_READERS: dict[str, Callable[[bytes], FloatValue]] = {
    "STRING": _text,
    "NAMEDVAR": _variable,
    "NAMEDARRAY": _element,
    "UNSPEC": bytes,
}


def _number_reader(packer: struct.Struct) -> Callable[[bytes], FloatValue]:
    size, unpack = packer.size, packer.unpack

    def read(raw: bytes) -> FloatValue:
        return int(unpack(raw)[0]) if len(raw) == size else raw

    return read


def _reader(tag: TagLayout) -> Callable[[bytes], FloatValue]:
    return _number_reader(tag.packer) if tag.packer is not None else _READERS.get(tag.type or "", bytes)


_TAG_READERS = {tag.number: (tag.name, _reader(tag)) for tag in _LAYOUT.tags.values()}
"""Tag number -> its name, and what makes a value of its bytes."""


def _floats(body: bytes, at: int, version: int) -> tuple[tuple[str, FloatValue], ...]:
    head = _WIDE if version >= WIDE_TAG_VERSION else _NARROW
    size, unpack = head.size, head.unpack_from
    readers = _TAG_READERS
    found: list[tuple[str, FloatValue]] = []
    end = len(body)
    while at < end:
        if at + size > end:
            raise CtiError(f"{end - at} bytes are left over after the last floating field", Status.INVALID_FIELD_LENGTH)
        number, length = unpack(body, at)
        start = at + size
        at = start + length
        if at > end:
            raise CtiError(
                f"floating field {number} runs {at - end} bytes past the end of its message",
                Status.INVALID_FIELD_LENGTH,
            )
        raw = body[start:at]
        known = readers.get(number)
        found.append((f"TAG_{number}", raw) if known is None else (known[0], known[1](raw)))
    return tuple(found)


def _clamped(version: int) -> int:
    return min(max(version, OLDEST_VERSION), NEWEST_VERSION)


def decode(number: int, body: bytes, version: int) -> Message:
    """A message from its type and the bytes after its header.

    OPEN_REQ is read in the version it names itself. Raises CtiError when the lengths do not add up.
    """
    if number == _OPEN_REQ and len(body) >= _VERSION_AT + 4:
        version = _clamped(int.from_bytes(body[_VERSION_AT : _VERSION_AT + 4], "big"))
    known = _LAYOUT.messages.get(number)
    if known is None:
        return Message(f"MESSAGE_{number}", raw=body, read_in=version)
    if known.opaque:
        return Message(known.name, raw=body, read_in=version)
    part = known.part(version)
    other = known.alternative
    if other is not None and version >= other.since and len(body) == other.part(version).packer.size:
        part = other.part(version)
    if len(body) < part.packer.size:
        raise CtiError(
            f"{known.name} needs {part.packer.size} bytes in protocol version {version} and has {len(body)}",
            Status.INVALID_FIELD_LENGTH,
        )
    fields = dict(zip(part.names, part.packer.unpack_from(body), strict=True))
    return Message(known.name, fields, _floats(body, part.packer.size, version), read_in=version)


def _string_bytes(value: FloatValue, name: str) -> bytes:
    if not isinstance(value, str) or "\0" in value:
        raise CtiError(f"{name} must be text without NUL", Status.INVALID_FIELD_LENGTH)
    try:
        return value.encode() + b"\0"
    except UnicodeEncodeError as error:
        raise CtiError(f"{name} holds characters that cannot be written", Status.INVALID_FIELD_LENGTH) from error


def _number_bytes(tag: TagLayout, value: FloatValue) -> bytes:
    assert tag.packer is not None
    try:
        return tag.packer.pack(value)
    except struct.error as error:
        raise CtiError(
            f"{tag.name} must be a number of {tag.packer.size} bytes", Status.INVALID_FIELD_LENGTH
        ) from error


def _variable_bytes(value: FloatValue, name: str) -> bytes:
    if isinstance(value, NamedVariable):
        return _string_bytes(value.name, name) + _string_bytes(value.value, name)
    raise CtiError(f"{name} must be a NamedVariable", Status.INVALID_FIELD_LENGTH)


def _element_bytes(value: FloatValue, name: str) -> bytes:
    if isinstance(value, NamedArrayElement) and 0 <= value.position <= 0xFF:
        return bytes((value.position,)) + _string_bytes(value.name, name) + _string_bytes(value.value, name)
    raise CtiError(f"{name} must be a NamedArrayElement with a position of one byte", Status.INVALID_FIELD_LENGTH)


_WRITERS: dict[str, Callable[[FloatValue, str], bytes]] = {
    "STRING": _string_bytes,
    "NAMEDVAR": _variable_bytes,
    "NAMEDARRAY": _element_bytes,
}
_LARGEST = {"NAMEDVAR": 251, "NAMEDARRAY": 252}


def _float_bytes(tag: TagLayout | None, name: str, value: FloatValue, *, as_read: bool) -> bytes:
    if as_read and isinstance(value, OddText | OddVariable | OddElement):
        return value.raw
    if isinstance(value, bytes):
        raw = value
    elif tag is None or tag.type is None or tag.type == "UNSPEC":
        raise CtiError(f"{name} must be bytes", Status.INVALID_FIELD_LENGTH)
    elif tag.packer is not None:
        raw = _number_bytes(tag, value)
    else:
        raw = _WRITERS[tag.type](value, name)
    largest = None if tag is None else _LARGEST.get(tag.type or "", tag.max)
    if largest is not None and len(raw) > largest and not as_read:
        raise CtiError(f"{name} takes {len(raw)} bytes and may take {largest}", Status.INVALID_FIELD_LENGTH)
    return raw


def _unknown_tag(name: str) -> int:
    prefix, _, digits = name.partition("_")
    if prefix == "TAG" and digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 0xFFFF:
        return int(digits)
    raise CtiError(f"unknown floating field {name}", Status.INVALID_FIELD_TAG)


def _write_floats(message: Message, version: int) -> bytes:
    wide = version >= WIDE_TAG_VERSION
    as_read = message.read_in == version
    head, most = (_WIDE, 0xFFFF) if wide else (_NARROW, 0xFF)
    by_name, pack = _LAYOUT.tag_by_name, head.pack
    parts: list[bytes] = []
    for name, value in message.floats:
        tag = by_name.get(name)
        if tag is None:
            number = _unknown_tag(name)
            tag = _LAYOUT.tags.get(number)
        else:
            number = tag.number
        if tag is not None and tag.since > version and not as_read:
            continue
        raw = _float_bytes(tag, name, value, as_read=as_read)
        length = len(raw)
        if number > most or length > most:
            raise CtiError(
                f"{name} does not fit the floating fields of protocol version {version}",
                Status.INVALID_FIELD_TAG_FOR_VERSION,
            )
        parts.append(pack(number, length))
        parts.append(raw)
    return b"".join(parts)


def _part_for(known: MessageLayout, message: Message, version: int) -> FixedPart:
    if known.alternative is not None and version >= known.alternative.since:
        part = known.alternative.part(version)
        if set(message.fields) == set(part.names):
            return part
    if not known.names.issuperset(message.fields):
        unknown = message.fields.keys() - known.names
        raise CtiError(f"{known.name} has no field {', '.join(sorted(unknown))}", Status.INVALID_FIELD_TAG_FOR_TYPE)
    return known.part(version)


def _unknown_number(name: str) -> int:
    prefix, _, digits = name.partition("_")
    if (
        prefix == "MESSAGE"
        and digits.isascii()
        and digits.isdigit()
        and len(digits) <= 10
        and int(digits) <= 0xFFFFFFFF
    ):
        return int(digits)
    raise CtiError(f"unknown message {name}", Status.INVALID_HEADER)


def encode(message: Message, version: int) -> bytes:
    """The bytes of a message, header included. Fields and tags younger than `version` are left out.

    OPEN_REQ is written in the version it names. Raises CtiError for unknown names, values that do not fit, and messages
    over the size limit: our own mistakes, or foreign texts that are too long.
    """
    known = _LAYOUT.message_by_name.get(message.name)
    if known is None:
        number, body = _unknown_number(message.name), message.raw
    elif known.opaque:
        if message.fields or message.floats:
            raise CtiError(f"the layout of {message.name} is not known", Status.INVALID_FIELD_TAG_FOR_TYPE)
        number, body = known.number, message.raw
    else:
        if known.number == _OPEN_REQ and "VersionNumber" in message.fields:
            version = _clamped(message.fields["VersionNumber"])
        number = known.number
        part = _part_for(known, message, version)
        fields = message.fields
        try:
            fixed = part.packer.pack(*(fields.get(name, 0) for name in part.names))
        except struct.error as error:
            raise CtiError(f"a field of {message.name} does not fit: {error}", Status.INVALID_FIELD_LENGTH) from error
        body = fixed + _write_floats(message, version)
    if HEADER.size + len(body) > _LAYOUT.max_message_bytes:
        raise CtiError(f"{message.name} of {len(body)} bytes is over the limit of a message", Status.INVALID_HEADER)
    return HEADER.pack(len(body), number) + body


class Framer:
    """Cuts a byte stream into messages. Holds at most one incomplete message."""

    def __init__(self, version: int, max_message: int = _LAYOUT.max_message_bytes) -> None:
        self.version = version
        """Protocol version of the session; may be set after OPEN_REQ was read."""
        self._max = max_message
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message | Malformed]:
        """Messages completed by these bytes.

        Raises CtiError when a header declares more than the limit: the stream is lost and the connection must end.
        """
        buffer = self._buffer
        buffer += data
        found: list[Message | Malformed] = []
        at = 0
        while len(buffer) - at >= HEADER.size:
            length, number = HEADER.unpack_from(buffer, at)
            if HEADER.size + length > self._max:
                raise CtiError(f"a header declares {length} bytes, over the limit of {self._max}")
            end = at + HEADER.size + length
            if len(buffer) < end:
                break
            body = bytes(buffer[at + HEADER.size : end])
            at = end
            try:
                found.append(decode(number, body, self.version))
            except CtiError as error:
                found.append(Malformed(number, int.from_bytes(body[:4], "big"), error, body))
        del buffer[:at]
        return found

"""What was said in a CTI session, for people and for programs: text, JSON values, and the CTI server's own trace form.

Passwords and what callers typed never appear (`seedform.SECRET_TAGS`).
"""

from __future__ import annotations

from typing import Any

from poise.protocols.cti.codec import Malformed
from poise.protocols.cti.constants import NULL16, NULL32
from poise.protocols.cti.conversation import Said, Skipped
from poise.protocols.cti.enumerations import ENUMERATIONS, symbol
from poise.protocols.cti.layout import FieldLayout, layout
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable
from poise.protocols.cti.seedform import MASK, SECRET_TAGS

_NULLS = {"UINT": NULL32, "USHORT": NULL16}
_MASK_NAMES = ("Mask", "ServicesRequested", "ServicesGranted", "ConfigInformation", "Supported", "Setup")


def title(said: Said) -> str:
    """One line: who said what, how long, in which version."""
    arrow = "client > server" if said.client else "server > client"
    item = said.item
    if isinstance(item, Skipped):
        return f"{arrow}  {len(item.data)} bytes skipped: {item.why}"
    name = _name(said)
    if isinstance(item, Malformed):
        return f"{arrow}  {name} ({said.number}) malformed: {item.error}"
    return f"{arrow}  {name} ({said.number})  {said.size} bytes, version {said.version}"


def _name(said: Said) -> str:
    if isinstance(said.item, Message):
        return said.item.name
    known = layout().messages.get(said.number)
    return f"MESSAGE_{said.number}" if known is None else known.name


def _field_types(message: Message) -> dict[str, FieldLayout]:
    known = layout().message_by_name.get(message.name)
    if known is None:
        return {}
    other = () if known.alternative is None else known.alternative.fixed
    return {field.name: field for field in (*other, *known.fixed)}


def _number(name: str, value: int, kind: str) -> str:
    known = symbol(name, value)
    shown = f"0x{value & NULL32:08x}" if any(word in name for word in _MASK_NAMES) else str(value)
    if known:
        return f"{shown} ({known})"
    return f"{shown} (null)" if value == _NULLS.get(kind) else shown


def _value(tag: str, value: FloatValue) -> str:
    if tag in SECRET_TAGS:
        return MASK
    if isinstance(value, NamedVariable):
        return f"{value.name} = {value.value!r}"
    if isinstance(value, NamedArrayElement):
        return f"{value.name}[{value.position}] = {value.value!r}"
    if isinstance(value, bytes):
        return value.hex(" ") or "(empty)"
    if isinstance(value, str):
        return repr(str(value))
    known = layout().tag_by_name[tag]
    return _number(tag, value, known.type or "")


def lines(said: Said) -> list[str]:
    """The title and one line for every field and floating field."""
    item = said.item
    if isinstance(item, Skipped):
        return [title(said), *_dump(item.data)]
    if isinstance(item, Malformed):
        return [title(said), *_dump(item.body)]
    types = _field_types(item)
    told = [title(said)]
    told += [
        f"    {name}: {_number(name, value, types[name].type if name in types else '')}"
        for name, value in item.fields.items()
    ]
    for tag, value in item.floats:
        known = layout().tag_by_name.get(tag)
        number = tag.removeprefix("TAG_") if known is None else str(known.number)
        label = "unknown tag" if known is None else tag
        told.append(f"    [{number}] {label}: {_value(tag, value)}")
    return told + (_dump(item.raw) if item.raw else [])


def _dump(data: bytes) -> list[str]:
    """Bytes that could not be read, sixteen a line."""
    return [f"    {at:04x}  {data[at : at + 16].hex(' ')}" for at in range(0, min(len(data), 512), 16)] + (
        [f"    ... {len(data) - 512} bytes more"] if len(data) > 512 else []
    )


def as_json(said: Said) -> dict[str, Any]:
    """The same as JSON values. A float is {"tag", "name", "value"[, "symbol"]}; bytes are hex."""
    item = said.item
    told: dict[str, Any] = {"from": "client" if said.client else "server", "bytes": said.size}
    if isinstance(item, Skipped):
        return told | {"error": item.why, "raw": item.data.hex()}
    told |= {"message": _name(said), "type": said.number, "version": said.version}
    if isinstance(item, Malformed):
        return told | {"error": str(item.error), "raw": item.body.hex()}
    told["fields"] = dict(item.fields)
    names = {name: symbol(name, value) for name, value in item.fields.items() if symbol(name, value)}
    if names:
        told["symbols"] = names
    told["floats"] = [_json_float(tag, value) for tag, value in item.floats]
    return told | ({"raw": item.raw.hex()} if item.raw else {})


def _json_float(tag: str, value: FloatValue) -> dict[str, Any]:
    known = layout().tag_by_name.get(tag)
    told: dict[str, Any] = {"tag": int(tag.removeprefix("TAG_")) if known is None else known.number, "name": tag}
    if tag in SECRET_TAGS:
        return told | {"value": MASK}
    if isinstance(value, NamedVariable | NamedArrayElement):
        return told | {"value": value._asdict()}
    if isinstance(value, bytes):
        return told | {"value": value.hex()}
    told["value"] = str(value) if isinstance(value, str) else value
    named = symbol(tag, value) if isinstance(value, int) else ""
    return told | ({"symbol": named} if named else {})


def server_trace(said: Said) -> str:
    """In the form of the CTI server's own trace: `MsgType:NAME (Field:Value ... )`, null numbers as N/A."""
    item = said.item
    if not isinstance(item, Message):
        return title(said)
    types = _field_types(item)
    words = []
    for name, value in item.fields.items():
        if value == _NULLS.get(types[name].type if name in types else ""):
            words.append(f"{name}:N/A")
        elif name == "InvokeID" or any(word in name for word in _MASK_NAMES):
            words.append(f"{name}:0x{value & NULL32:x}")
        elif name in ENUMERATIONS and symbol(name, value):
            words.append(f"{name}:{symbol(name, value)}")
        else:
            words.append(f"{name}:{value}")
    words += [f"{tag}:{_value(tag, value)}" for tag, value in item.floats]
    return f"MsgType:{item.name} ({' '.join(words)} )"

"""Fields of configuration objects: read from XML, checked, written as XML; the objects are plain JSON values.

Theory. A field is a row: name, kind, bounds. From the rows follow the parser, the checks, the answers, the OpenAPI
schema and the audit log's masking, so that none of them can disagree with another. Of two elements of the same name the
last wins, unknown ones are ignored and any order will do (finesse-api.md 4.7). An element that is absent is not
changed; one that is there replaces what it names, lists and groups as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.markup import Node, branch, leaf
from poise.finesse.requests import last_child
from poise.protocols.xmpp.xml import Element

Document = dict[str, Any]
"""An object: text, numbers, truth values, lists and objects below it, by the names of its fields."""

MASK = "********"
"""What stands for a secret wherever it is shown."""
INTEGER_MAX = 2**31 - 1
_SPACES = " \t\r\n"


class Kind(Enum):
    """Kinds of field."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    GROUP = "group"
    """An element with elements of its own."""
    LIST = "list"
    """An element with any number of the same element in it."""
    REPEATED = "repeated"
    """The same element any number of times, without one around them."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field."""

    name: str
    kind: Kind = Kind.TEXT
    required: bool = False
    """Must be given when an object is made."""
    longest: int = 1024
    """Characters of a text."""
    octets: bool = False
    """`longest` counts bytes of UTF-8."""
    least: int = 0
    """Smallest number, shortest text, or fewest items."""
    most: int = INTEGER_MAX
    """Largest number, or most items."""
    choices: tuple[str, ...] = ()
    default: Any = None
    """What it is when nobody has said so."""
    secret: bool = False
    """Never shown: empty in answers, masked in logs."""
    computed: str = ""
    """Not stored and not read: a template over `uri` and `id`."""
    item: str = ""
    """LIST: name of the element of an item."""
    fields: tuple[Field, ...] = ()
    """GROUP: its own; LIST and REPEATED: those of an item, which is a text when there are none."""


def text(name: str, longest: int, **more: Any) -> Field:
    """A text of up to so many characters."""
    return Field(name, Kind.TEXT, longest=longest, **more)


def integer(name: str, least: int, most: int, **more: Any) -> Field:
    """A whole number within bounds."""
    return Field(name, Kind.INTEGER, least=least, most=most, **more)


def boolean(name: str, **more: Any) -> Field:
    """true or false."""
    return Field(name, Kind.BOOLEAN, **more)


def choice(name: str, *choices: str, **more: Any) -> Field:
    """One of some words."""
    return Field(name, Kind.TEXT, choices=choices, **more)


def group(name: str, *fields: Field, **more: Any) -> Field:
    """An element with elements of its own."""
    return Field(name, Kind.GROUP, fields=fields, **more)


def items(name: str, item: str, most: int, *fields: Field, **more: Any) -> Field:
    """An element with up to so many items."""
    return Field(name, Kind.LIST, item=item, most=most, fields=fields, **more)


def repeated(name: str, most: int, *fields: Field, **more: Any) -> Field:
    """Up to so many elements of that name."""
    return Field(name, Kind.REPEATED, most=most, fields=fields, **more)


# ---- reading


def read(parent: Element, fields: Sequence[Field], within: str = "") -> Document:
    """The fields that an element gives. Raises ApiException with the name of the first that is not allowed."""
    found: Document = {}
    for field in fields:
        if field.computed:
            continue
        path = f"{within}/{field.name}" if within else field.name
        if field.kind is Kind.REPEATED:
            given = [child for child in parent.elements() if child.name == field.name]
            if given:
                found[field.name] = _items(given, field, path)
            continue
        child = last_child(parent, field.name)
        if child is not None:
            found[field.name] = _value(child, field, path)
    return found


def _value(child: Element, field: Field, path: str) -> Any:
    match field.kind:
        case Kind.GROUP:
            return complete(read(child, field.fields, path), field.fields, path)
        case Kind.LIST:
            return _items([item for item in child.elements() if item.name == field.item], field, path)
        case _:
            return scalar(child.text.strip(_SPACES), field, path)


def _items(given: Sequence[Element], field: Field, path: str) -> list[Any]:
    if not field.least <= len(given) <= field.most:
        raise _refused(path, f"{field.least} to {field.most} are allowed")
    if not field.fields:
        return [scalar(item.text.strip(_SPACES), field, path) for item in given]
    return [complete(read(item, field.fields, path), field.fields, path) for item in given]


def scalar(value: str, field: Field, path: str) -> str | int | bool:
    """A value from text. Raises ApiException."""
    if field.kind is Kind.BOOLEAN:
        if value.lower() not in ("true", "false"):
            raise _refused(path, "true or false")
        return value.lower() == "true"
    if field.kind is Kind.INTEGER:
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 10):
            raise _refused(path, "a whole number is needed")
        if not field.least <= int(value) <= field.most:
            raise _refused(path, f"{field.least} to {field.most} are allowed")
        return int(value)
    length = len(value.encode()) if field.octets else len(value)
    if length > field.longest:
        raise _refused(path, f"more than {field.longest} {'bytes' if field.octets else 'characters'}")
    if field.kind is Kind.TEXT and len(value) < field.least:
        raise ApiException(Code.PARAMETER_MISSING, path)
    if field.choices and value not in field.choices:
        raise _refused(path, "one of " + ", ".join(field.choices))
    return value


def complete(document: Document, fields: Sequence[Field], within: str = "") -> Document:
    """The document with defaults where nothing was given. Raises ApiException when something required is missing."""
    for field in fields:
        if field.computed or field.name in document:
            continue
        if field.required and field.default is None:
            raise ApiException(Code.PARAMETER_MISSING, f"{within}/{field.name}" if within else field.name)
        value = default_of(field)
        if value is not None:
            document[field.name] = value
    return document


def default_of(field: Field) -> Any:
    """What a field is when nobody has said so; None: it is not there."""
    if field.default is not None:
        return field.default
    match field.kind:
        case Kind.LIST | Kind.REPEATED:
            return []
        case Kind.TEXT if not field.choices:
            return ""
        case _:
            return None


def _refused(path: str, why: str) -> ApiException:
    return ApiException(Code.INVALID_INPUT, f"{path}: {why}")


# ---- writing


def nodes(document: Mapping[str, Any], fields: Sequence[Field], uri: str, number: int) -> Iterator[Node]:
    """The fields as elements, secrets empty."""
    for field in fields:
        if field.computed:
            yield leaf(field.name, field.computed.format(uri=uri, id=number))
        elif field.name in document:
            yield from _written(document[field.name], field)


def _written(value: Any, field: Field) -> Iterator[Node]:
    match field.kind:
        case Kind.GROUP:
            yield branch(field.name, nodes(value, field.fields, "", 0))
        case Kind.LIST:
            yield branch(field.name, (_item(item, field, field.item) for item in value))
        case Kind.REPEATED:
            yield from (_item(item, field, field.name) for item in value)
        case _:
            yield leaf(field.name, "" if field.secret else value)


def _item(value: Any, field: Field, name: str) -> Node:
    return branch(name, nodes(value, field.fields, "", 0)) if field.fields else leaf(name, value)


def masked(document: Mapping[str, Any], fields: Sequence[Field]) -> Document:
    """A copy for logs: secrets as a mask."""
    secrets = {field.name for field in fields if field.secret}
    groups = {field.name: field.fields for field in fields if field.kind is Kind.GROUP}
    shown: Document = {}
    for name, value in document.items():
        if name in secrets:
            shown[name] = MASK if value else ""
        elif name in groups:
            shown[name] = masked(value, groups[name])
        else:
            shown[name] = value
    return shown


def schema(fields: Sequence[Field], making: bool = False) -> Document:
    """JSON schema of an object (OpenAPI 3.1); `making`: as it must be given to make one."""
    properties: Document = {}
    for field in fields:
        if field.computed and making:
            continue
        properties[field.name] = _schema(field, making)
    described: Document = {"type": "object", "properties": properties}
    required = [field.name for field in fields if field.required]
    return described | ({"required": required} if making and required else {})


def _schema(field: Field, making: bool) -> Document:
    match field.kind:
        case Kind.BOOLEAN:
            shape: Document = {"type": "boolean"}
        case Kind.INTEGER:
            shape = {"type": "integer", "minimum": field.least, "maximum": field.most}
        case Kind.GROUP:
            shape = schema(field.fields, making)
        case Kind.LIST | Kind.REPEATED:
            of = schema(field.fields, making) if field.fields else {"type": "string", "maxLength": field.longest}
            named = {"xml": {"name": field.item}} if field.kind is Kind.LIST else {}
            shape = {"type": "array", "maxItems": field.most, "items": of | named}
            if field.kind is Kind.LIST:
                shape["xml"] = {"wrapped": True}
        case _:
            shape = {"type": "string", "maxLength": field.longest}
            if field.choices:
                shape = {"type": "string", "enum": list(field.choices)}
    if field.computed:
        shape["readOnly"] = True
    if field.secret:
        shape["writeOnly"] = True
    return shape

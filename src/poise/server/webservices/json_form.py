"""The same answers as JSON, for whoever asks with `Accept: application/json`.

Theory. XML does not say what is a list and what is a number, so tables do: lists and types of configuration follow from
its rows, those of run-time objects stand here. Everything else is text, as in the XML; ids are text, because clients
compare them with paths. The root element becomes the one name of the object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from poise.finesse.configuration.fields import Field, Kind
from poise.finesse.configuration.table import ROWS
from poise.protocols.xmpp.xml import Element, Limits, parse
from poise.server.webservices.resources import Answer

JSON = "application/json"
OURS = Limits(size=256 * 1024 * 1024, depth=64, nodes=20_000_000)
"""Our own answers are trusted to be bounded."""

RUN_TIME_LISTS: Mapping[str, str] = {
    "Users": "User",
    "users": "User",
    "Teams": "Team",
    "Queues": "Queue",
    "Dialogs": "Dialog",
    "MediaList": "Media",
    "TeamMessages": "TeamMessage",
    "ApiErrors": "ApiError",
    "roles": "role",
    "services": "service",
    "devices": "device",
    "participants": "Participant",
    "actions": "action",
    "callvariables": "CallVariable",
    "wrapUpItems": "wrapUpItem",
    "ctiServers": "ctiServer",
}
"""Element -> the elements it is a list of. `teams` is one of Team (in a User) or of team (in a TeamMessage)."""
EITHER = {"teams": ("Team", "team")}


def _lists(fields: tuple[Field, ...]) -> Iterator[tuple[str, str]]:
    for field in fields:
        if field.kind is Kind.LIST:
            yield field.name, field.item
        yield from _lists(field.fields)


def _repeated(name: str, fields: tuple[Field, ...]) -> Iterator[tuple[str, str]]:
    for field in fields:
        if field.kind is Kind.REPEATED:
            yield name, field.name
        yield from _repeated(field.item or field.name, field.fields)


def _of_kind(kind: Kind, fields: tuple[Field, ...]) -> Iterator[str]:
    for field in fields:
        if field.kind is kind:
            yield field.name
        yield from _of_kind(kind, field.fields)


LISTS: Mapping[str, tuple[str, ...]] = {
    **{name: (item,) for name, item in RUN_TIME_LISTS.items()},
    **{row.plural: (row.name,) for row in ROWS if row.plural},
    **{name: (item,) for row in ROWS for name, item in _lists(row.fields)},
    **EITHER,
}
REPEATED = frozenset(pair for row in ROWS for pair in _repeated(row.name, row.fields))
"""(element, element that may stand in it several times)."""
BOOLEANS = frozenset((*(name for row in ROWS for name in _of_kind(Kind.BOOLEAN, row.fields)), "systemCode"))
INTEGERS = frozenset(name for row in ROWS for name in _of_kind(Kind.INTEGER, row.fields))


def wants_json(accept: str | None) -> bool:
    """Whether JSON is named, and before XML."""
    if not accept or JSON not in accept.lower():
        return False
    names = [part.partition(";")[0].strip() for part in accept.lower().split(",")]
    xml = [names.index(name) for name in ("application/xml", "text/xml") if name in names]
    return JSON in names and all(names.index(JSON) < place for place in xml)


def as_json(answer: Answer) -> Answer:
    """The answer in JSON, where it is XML."""
    if "xml" not in answer.content_type:
        return answer
    root = parse(answer.body, OURS)
    document = {root.name: value_of(root), **root.attrs}
    body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    return replace(answer, body=body, content_type=JSON)


def value_of(element: Element) -> Any:
    """An element's content: a list, an object, a number, a truth value or text."""
    children = list(element.elements())
    items = LISTS.get(element.name)
    if items is not None and all(child.name in items for child in children):
        return [value_of(child) for child in children]
    if not children:
        return _scalar(element.name, element.text)
    found: dict[str, Any] = {}
    for child in children:
        if (element.name, child.name) in REPEATED:
            found.setdefault(child.name, []).append(_repeated_value(child))
        else:
            found[child.name] = value_of(child)
    return found


def _repeated_value(child: Element) -> Any:
    """An empty column still has its list of entries."""
    return value_of(child) or {inner: [] for outer, inner in REPEATED if outer == child.name}


def _scalar(name: str, text: str) -> Any:
    if not text.strip():
        return ""  # an element without children is written over two lines
    if name in BOOLEANS and text in ("true", "false"):
        return text == "true"
    if name in INTEGERS and text.removeprefix("-").isdecimal():
        return int(text)
    return text

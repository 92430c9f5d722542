"""Finesse's XML as text: a tree of names and values becomes lines, one for each element.

The answers of the REST services are indented by two spaces: the 166 bytes of the seed's `SystemInfo?timestamponly` are
exactly that form with currentTimestamp, timezoneOffset and uri. The seed shows the events without indentation, one
element a line. An element without content is written with both tags, as the seed's `<pendingState></pendingState>`.
No character that XML cannot carry leaves here, wherever it came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from poise.protocols.xmpp.xml import escape

REST_INDENT = "  "
EVENT_INDENT = ""


class Node(NamedTuple):
    """An element: with text, or with children."""

    name: str
    """Tag; for an opening tag with attributes see `attributes`."""
    content: str | Sequence[Node]
    attributes: str = ""
    """Ready-made, escaped, with a leading space."""


def leaf(name: str, value: str | int | bool | None) -> Node:
    """An element with a value: booleans as true and false, None as nothing."""
    if value is None:
        return Node(name, "")
    if isinstance(value, bool):
        return Node(name, "true" if value else "false")
    return Node(name, str(value))


def branch(name: str, children: Iterable[Node]) -> Node:
    """An element with children."""
    return Node(name, tuple(children))


def render(node: Node, indent: str = REST_INDENT) -> str:
    """The element and all below it, lines joined by line feeds, without one at the end."""
    lines: list[str] = []
    _write(node, indent, "", lines)
    return "\n".join(lines)


def _write(node: Node, indent: str, margin: str, lines: list[str]) -> None:
    """Hot path: every event of an agent or call is about forty elements."""
    name, content, attributes = node
    if isinstance(content, str):
        text = content if content.isalnum() else escape(content)  # letters and digits stand for themselves
        lines.append(f"{margin}<{name}{attributes}>{text}</{name}>")
        return
    lines.append(f"{margin}<{name}{attributes}>")
    inner = margin + indent
    for child in content:
        _write(child, indent, inner, lines)
    lines.append(f"{margin}</{name}>")


_LATEST = 253_402_300_799.0  # 9999-12-31T23:59:59Z


@lru_cache(4096)  # a moment is told to several nodes, and again with every later change
def timestamp(seconds: float | None) -> str:
    """YYYY-MM-DDThh:mm:ss.SSSZ of seconds since the epoch; empty while unknown (finesse-api.md 2.1)."""
    if seconds is None or not 0 <= seconds <= _LATEST:
        return ""
    whole, milliseconds = divmod(int(seconds * 1000 + 0.5), 1000)
    return f"{datetime.fromtimestamp(min(whole, _LATEST), UTC):%Y-%m-%dT%H:%M:%S}.{milliseconds:03d}Z"

"""Service discovery answers (XEP-0030) and the paging of long ones (XEP-0059). Knows no entity of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from poise.protocols.xmpp.stanzas import DATA_FORM_NS, DISCO_INFO_NS, DISCO_ITEMS_NS, RSM_NS, StanzaRefused, quote
from poise.protocols.xmpp.xml import Element, escape


class Identity(NamedTuple):
    """What an entity is, in the words of the registry of service discovery identities."""

    category: str
    type: str
    name: str = ""


class Item(NamedTuple):
    """An entity or node that can be asked further."""

    jid: str
    node: str = ""
    name: str = ""


def info(identity: Identity, features: Iterable[str], node: str = "", form: bytes = b"") -> bytes:
    """The `<query/>` of a disco#info result; `node` is repeated when the request named one; `form` follows
    (XEP-0128)."""
    name = b' name="%b"' % quote(identity.name) if identity.name else b""
    parts = [
        _query(DISCO_INFO_NS, node),
        b'<identity category="%b" type="%b"%b/>' % (quote(identity.category), quote(identity.type), name),
    ]
    parts += (b'<feature var="%b"/>' % quote(feature) for feature in features)
    return b"".join((*parts, form, b"</query>"))


def items(found: Iterable[Item], node: str = "", paging: bytes = b"") -> bytes:
    """The `<query/>` of a disco#items result."""
    parts = [_query(DISCO_ITEMS_NS, node)]
    for item in found:
        at_node = b' node="%b"' % quote(item.node) if item.node else b""
        name = b' name="%b"' % quote(item.name) if item.name else b""
        parts.append(b'<item jid="%b"%b%b/>' % (quote(item.jid), at_node, name))
    return b"".join((*parts, paging, b"</query>"))


def result_form(form_type: str, fields: Iterable[tuple[str, str]]) -> bytes:
    """A data form of type `result` (XEP-0004)."""
    parts = [
        f'<x xmlns="{DATA_FORM_NS}" type="result">'
        f'<field var="FORM_TYPE" type="hidden"><value>{escape(form_type)}</value></field>'
    ]
    parts += (f'<field var="{var}"><value>{escape(value)}</value></field>' for var, value in fields)
    return "".join((*parts, "</x>")).encode()


def _query(ns: str, node: str) -> bytes:
    at_node = b' node="%b"' % quote(node) if node else b""
    return b'<query xmlns="%b"%b>' % (ns.encode(), at_node)


class Page(NamedTuple):
    """A part of a list: the half-open range, and the `<set/>` that says which part it is."""

    start: int
    stop: int
    paging: bytes


def paging_of(query: Element) -> Element | None:
    """The request for a page inside a query."""
    return query.child("set", RSM_NS)


def page(
    keys: Sequence[str] | range,
    asked: Element | None,
    limit: int,
    *,
    size_of: Callable[[str], int] | None = None,
    bytes_at_most: int = 0,
) -> Page:
    """The part of a list that a `<set/>` asks for; without one the whole list, or its start when it is longer than
    `limit`. A page ends earlier when `size_of` says that it would hold more than `bytes_at_most`. Keys are unique; a
    range stands for keys that are positions. Raises StanzaRefused (item-not-found for a key or index that is not in
    the list)."""
    count = len(keys)
    start, size, backwards = 0, limit, False
    if asked is not None:
        wanted = asked.child("max")
        size = limit if wanted is None else min(limit, number(wanted.text, "max"))
        if size == 0:
            return Page(0, 0, _empty(count))
        after, before, index = asked.child("after"), asked.child("before"), asked.child("index")
        if after is not None and after.text:
            start = _position(keys, after.text) + 1
        elif before is not None:
            stop = _position(keys, before.text) if before.text else count
            start = max(0, stop - size)
            size = stop - start
            backwards = True
        elif index is not None:
            start = number(index.text, "index")
            if start >= count:
                raise StanzaRefused("item-not-found")
    stop = min(count, start + size)
    if size_of is not None and not isinstance(keys, range):
        start, stop = _that_fits(keys, start, stop, backwards, size_of, bytes_at_most)
    if asked is None and stop == count:
        return Page(0, count, b"")
    return Page(start, stop, _set(keys, start, stop)) if start < stop else Page(0, 0, _empty(count))


def _that_fits(
    keys: Sequence[str], start: int, stop: int, backwards: bool, size_of: Callable[[str], int], most: int
) -> tuple[int, int]:
    """The part of a page that is not too big, and at least one entry: its start, or its end when read backwards."""
    room, taken = most, 0
    for position in range(stop - 1, start - 1, -1) if backwards else range(start, stop):
        room -= size_of(keys[position])
        if room < 0 and taken:
            break
        taken += 1
    return (stop - taken, stop) if backwards else (start, start + taken)


def _set(keys: Sequence[str] | range, start: int, stop: int) -> bytes:
    first, last = escape(str(keys[start])), escape(str(keys[stop - 1]))
    return (
        f'<set xmlns="{RSM_NS}"><first index="{start}">{first}</first><last>{last}</last>'
        f"<count>{len(keys)}</count></set>"
    ).encode()


def _empty(count: int) -> bytes:
    return b'<set xmlns="%b"><count>%d</count></set>' % (RSM_NS.encode(), count)


def number(text: str, what: str) -> int:
    """A number of up to nine digits that somebody sent. Raises StanzaRefused."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise StanzaRefused("bad-request", text=f"{what} is a number")
    return int(text)


def _position(keys: Sequence[str] | range, key: str) -> int:
    try:
        return keys.index(number(key, "a position")) if isinstance(keys, range) else keys.index(key)
    except ValueError:
        raise StanzaRefused("item-not-found") from None

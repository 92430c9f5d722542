"""Service discovery answers (XEP-0030) and the paging of long ones (XEP-0059). Knows no entity of its own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def page(keys: Sequence[str], query: Element, limit: int) -> Page:
    """The part of a list that the request's `<set/>` asks for; without one the whole list, or its start when it is
    longer than `limit`. Keys are unique. Raises StanzaRefused (item-not-found for a key or index that is not in the
    list)."""
    asked = query.child("set", RSM_NS)
    count = len(keys)
    if asked is None:
        if count <= limit:
            return Page(0, count, b"")
        return _page(keys, 0, limit)
    wanted = asked.child("max")
    size = limit if wanted is None else min(limit, _number(wanted))
    if size == 0:
        return Page(0, 0, b'<set xmlns="%b"><count>%d</count></set>' % (RSM_NS.encode(), count))
    after, before, index = asked.child("after"), asked.child("before"), asked.child("index")
    start = 0
    if after is not None and after.text:
        start = _position(keys, after.text) + 1
    elif before is not None:
        stop = _position(keys, before.text) if before.text else count
        start = max(0, stop - size)
        size = stop - start
    elif index is not None:
        start = _number(index)
        if start >= count:
            raise StanzaRefused("item-not-found")
    return _page(keys, start, size)


def _page(keys: Sequence[str], start: int, size: int) -> Page:
    count = len(keys)
    stop = min(count, start + size)
    if start >= stop:
        return Page(0, 0, b'<set xmlns="%b"><count>%d</count></set>' % (RSM_NS.encode(), count))
    first, last = escape(keys[start]), escape(keys[stop - 1])
    paging = (
        f'<set xmlns="{RSM_NS}"><first index="{start}">{first}</first><last>{last}</last><count>{count}</count></set>'
    )
    return Page(start, stop, paging.encode())


def _number(element: Element) -> int:
    text = element.text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise StanzaRefused("bad-request", text=f"{element.name} is a number")
    return int(text)


def _position(keys: Sequence[str], key: str) -> int:
    try:
        return keys.index(key)
    except ValueError:
        raise StanzaRefused("item-not-found") from None

"""Stanzas for people: indented, namespaces by their short names, the XML that notifications carry as text unfolded,
secrets masked."""

from __future__ import annotations

from typing import Final

from poise.protocols.xmpp.client.stream import SERVER_LIMITS
from poise.protocols.xmpp.sasl import SASL_NS
from poise.protocols.xmpp.xml import Element, XmlError, escape, escape_attr, parse, to_bytes

MASK: Final = "***"
WIDTH: Final = 110
"""Characters of a line up to which an element without elements inside stands on one line."""
_SHORT: Final = (
    ("http://jabber.org/protocol/", ""),
    ("urn:ietf:params:xml:ns:xmpp-", ""),
    ("http://etherx.jabber.org/", ""),
    ("urn:xmpp:", ""),
)
"""What the short name of a namespace leaves out."""
_UNSAID: Final = "jabber:client"
"""The namespace that is not shown: every stanza's."""
_SECRET_SASL: Final = frozenset(("auth", "response", "challenge", "success"))
_SECRET_FIELDS: Final = frozenset(("password", "digest"))


def short(ns: str) -> str:
    """A namespace's short name: `pubsub#event`, `sasl`, `jabber:iq:roster`."""
    for long, instead in _SHORT:
        if ns.startswith(long):
            return instead + ns[len(long) :]
    return ns


def masked(element: Element) -> Element:
    """The element with every SASL payload and password replaced by `***`."""
    secret = element.name in (_SECRET_SASL if element.ns == SASL_NS else _SECRET_FIELDS)
    if secret:
        children: tuple[Element | str, ...] = (MASK,) if element.children else ()
    else:
        children = tuple(masked(child) if isinstance(child, Element) else child for child in element.children)
        if all(mine is theirs for mine, theirs in zip(children, element.children, strict=True)):
            return element
    return Element(element.name, element.ns, element.attrs, children)


def raw_text(raw: bytes, element: Element | None, show_secrets: bool) -> str:
    """What stood on the wire. A unit that holds a secret is written anew with the secret masked."""
    if element is not None and not show_secrets:
        clean = masked(element)
        if clean is not element:
            raw = to_bytes(clean)
    return raw.decode("utf-8", "backslashreplace")


def pretty(element: Element, *, show_secrets: bool = False) -> str:
    """The element on indented lines."""
    lines: list[str] = []
    _lines(element if show_secrets else masked(element), _UNSAID, 0, lines)
    return "\n".join(lines)


def summary(element: Element) -> str:
    """A stanza in a few words: what it is, who it is from or for, and what it is about."""
    parts = [element.name]
    parts += [element.attrs[name] for name in ("type", "id") if element.attrs.get(name)]
    first = next(element.elements(), None)
    if first is not None:
        parts.append(f"<{first.name} {short(first.ns)}>" if first.ns != _UNSAID else f"<{first.name}>")
    return " ".join(parts)


def embedded(text: str) -> Element | None:
    """The element that a text holds, as Finesse's notifications do; None when it is plain text."""
    text = text.strip()
    if not (text.startswith("<") and text.endswith(">")):
        return None
    try:
        return parse(text.encode(), SERVER_LIMITS)
    except (XmlError, UnicodeEncodeError):
        return None


def _lines(element: Element, ns: str, depth: int, lines: list[str]) -> None:
    indent = "  " * depth
    tag = element.name
    if element.ns != ns:
        tag += f' xmlns="{short(element.ns)}"'
    for key, value in element.attrs.items():
        tag += f' {key.rpartition("}")[2] or key}="{escape_attr(value)}"'
    elements = list(element.elements())
    text = element.text.strip()
    if not elements and not text:
        lines.append(f"{indent}<{tag}/>")
        return
    inside = embedded(text) if not elements else None
    if not elements and inside is None:
        written = escape(text)
        if "\n" not in written and len(indent) + len(tag) + len(written) + len(element.name) + 5 <= WIDTH:
            lines.append(f"{indent}<{tag}>{written}</{element.name}>")
        else:
            lines += [f"{indent}<{tag}>", *(f"{indent}  {line}" for line in written.splitlines())]
            lines.append(f"{indent}</{element.name}>")
        return
    lines.append(f"{indent}<{tag}>")
    if inside is not None:
        _lines(inside, inside.ns, depth + 1, lines)
    else:
        for child in element.children:
            if isinstance(child, Element):
                _lines(child, element.ns, depth + 1, lines)
            elif child.strip():
                lines.append(f"{indent}  {escape(child.strip())}")
    lines.append(f"{indent}</{element.name}>")

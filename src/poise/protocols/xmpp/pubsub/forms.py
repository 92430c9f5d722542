"""Data forms (XEP-0004) as tables of fields: what is read from a submitted one, and how one is shown.

A field says once how its value is written and read; the node's configuration, a subscription's options and the
preconditions of a publication are such tables. Fields that a table does not know are ignored in what somebody submits,
as XEP-0004 section 3.2 wishes; a value that we could not honour is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from poise.protocols.xmpp.stanzas import DATA_FORM_NS, StanzaRefused
from poise.protocols.xmpp.xml import Element, escape, escape_attr

Values = tuple[str, ...]
TEXT_CHARACTERS: Final = 1000
"""Longest title or description; shown in lists of thousands of nodes."""


class Field(NamedTuple):
    """One field of a form."""

    attribute: str
    """Attribute of the value the form stands for; empty for a field with one possible value, `fixed`."""
    kind: str
    """Type of field (XEP-0004 section 3.3)."""
    label: str
    read: Callable[[Values], Any]
    """From what was submitted; raises StanzaRefused."""
    show: Callable[[Any], Values]
    choices: Values = ()
    fixed: Values = ()


Table = Mapping[str, Field]


def submitted(parent: Element, form_type: str) -> dict[str, Values] | None:
    """The values of the form inside an element, by field; None when there is none or it was cancelled. Raises
    StanzaRefused for a form of another type."""
    form = parent.child("x", DATA_FORM_NS)
    if form is None or form.attrs.get("type") == "cancel":
        return None
    if form.attrs.get("type") != "submit":
        raise StanzaRefused("bad-request", text="a form that is sent back has type submit")
    values: dict[str, Values] = {}
    for field in form.elements():
        if field.name == "field":
            texts = tuple(child.text.strip() for child in field.elements() if child.name == "value")
            values[field.attrs.get("var", "")] = texts
    if values.pop("FORM_TYPE", ()) != (form_type,):
        raise StanzaRefused("bad-request", text="FORM_TYPE is missing or another form's")
    return values


def changes(table: Table, values: Mapping[str, Values]) -> dict[str, Any]:
    """New values by attribute. A field without any value changes nothing unless it may hold several. Raises
    StanzaRefused."""
    found: dict[str, Any] = {}
    for var, texts in values.items():
        field = table.get(var)
        if field is None or (not texts and field.kind != "list-multi"):
            continue
        value = field.read(texts)
        if field.attribute:
            found[field.attribute] = value
    return found


def shown(table: Table, value: object) -> dict[str, Values]:
    """What every field of the table holds for this value."""
    return {
        var: field.show(getattr(value, field.attribute)) if field.attribute else field.fixed
        for var, field in table.items()
    }


def form(table: Table, form_type: str, value: object, kind: str = "form") -> bytes:
    """The form to be filled in (`form`), with what is so now; or what is so now alone (`result`)."""
    parts = [f'<x xmlns="{DATA_FORM_NS}" type="{kind}">']
    parts.append(f'<field var="FORM_TYPE" type="hidden"><value>{escape(form_type)}</value></field>')
    for var, texts in shown(table, value).items():
        field = table[var]
        parts.append(f'<field var="{var}" type="{field.kind}" label="{escape_attr(field.label)}">')
        parts += (f'<option label="{choice}"><value>{choice}</value></option>' for choice in field.choices)
        parts += (f"<value>{escape(text)}</value>" for text in texts)
        parts.append("</field>")
    return "".join((*parts, "</x>")).encode()


def packed(table: Table, value: object, default: object) -> str:
    """The fields that differ from the default, as a JSON object for the store."""
    usual = shown(table, default)
    return json.dumps({var: texts for var, texts in shown(table, value).items() if texts != usual[var]}, sort_keys=True)


def unpacked(table: Table, text: str) -> dict[str, Any]:
    """The other way, as values by attribute. Raises ValueError or StanzaRefused for what `packed` never made."""
    stored = json.loads(text)
    if not isinstance(stored, dict) or not all(isinstance(texts, list) for texts in stored.values()):
        raise ValueError("not a JSON object of lists")
    return changes(table, {var: tuple(map(str, texts)) for var, texts in stored.items()})


# What fields hold


def text(values: Values) -> str:
    """A line of text for people."""
    if len(values[0]) > TEXT_CHARACTERS:
        raise StanzaRefused("not-acceptable", text=f"a text has at most {TEXT_CHARACTERS} characters")
    return values[0]


def flag(values: Values) -> bool:
    """A boolean in any of its four spellings (XEP-0004 section 3.3)."""
    if values[0] in ("1", "true"):
        return True
    if values[0] in ("0", "false"):
        return False
    raise StanzaRefused("bad-request", text="a boolean is 0, 1, true or false")


def number(values: Values) -> int:
    """A whole number of up to nine digits."""
    value = values[0]
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    raise StanzaRefused("bad-request", text="a number was expected")


def one(value: str) -> Values:
    """A text as it is shown."""
    return (value,)


def zero_or_one(value: bool) -> Values:
    """A boolean as it is shown."""
    return ("1" if value else "0",)


def decimal(value: int) -> Values:
    """A number as it is shown."""
    return (str(value),)


def text_field(attribute: str, label: str) -> Field:
    """A field of one line of text."""
    return Field(attribute, "text-single", label, text, one)


def flag_field(attribute: str, label: str) -> Field:
    """A field of yes or no."""
    return Field(attribute, "boolean", label, flag, zero_or_one)

"""Sign-in from before SASL: XEP-0078 `jabber:iq:auth`, with the plain password only; Smack 3 with SASL switched off.

The client asks for the fields, is told the same ones whoever it is, and sends name, password and resource in one iq:
that is sign-in and bind at once. Digests are not offered: nobody here knows the password.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from poise.protocols.xmpp.jid import JidError, prepare_resource
from poise.protocols.xmpp.sasl import MAX_FIELD_BYTES, SaslError, account_name
from poise.protocols.xmpp.xml import Element

LEGACY_NS: Final = "jabber:iq:auth"
FIELDS: Final = f'<query xmlns="{LEGACY_NS}"><username/><password/><resource/></query>'.encode()
"""What a client must send; the same for everybody, so that nothing is said about who exists."""


class LegacyError(ValueError):
    """A refusal; `condition` is a stanza error's."""

    def __init__(self, condition: str, text: str) -> None:
        super().__init__(text)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class LegacySignIn:
    """What a client claims; nothing is checked except that it is well-formed."""

    user: str
    password: str = field(repr=False)
    resource: str


def read_legacy(query: Element, domain: str) -> LegacySignIn:
    """The three fields of a `set`. Raises LegacyError."""
    values = {name: _field(query, name) for name in ("username", "password", "resource")}
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise LegacyError("not-acceptable", f"{missing[0]} is missing")
    if any(len(value.encode("utf-8", "surrogatepass")) > MAX_FIELD_BYTES for value in values.values()):
        raise LegacyError("not-acceptable", "a field is too long")
    try:
        user = account_name(values["username"], domain)
        resource = prepare_resource(values["resource"])
    except SaslError:
        raise LegacyError("not-authorized", "") from None
    except JidError as error:
        raise LegacyError("bad-request", str(error)) from None
    return LegacySignIn(user, values["password"], resource)


def _field(query: Element, name: str) -> str:
    child = query.child(name, LEGACY_NS)
    return "" if child is None else child.text if name == "password" else child.text.strip()

"""What the parts of the host share to make stanzas: namespaces, quoting, relaying, refusing, and clean payloads."""

from __future__ import annotations

import re
from typing import Final

from poise.protocols.xmpp.xml import Element, Limits, escape_attr, parse, to_bytes, xml_safe

CLIENT_NS: Final = "jabber:client"
PING_NS: Final = "urn:xmpp:ping"
SESSION_NS: Final = "urn:ietf:params:xml:ns:xmpp-session"
ROSTER_NS: Final = "jabber:iq:roster"
DISCO_INFO_NS: Final = "http://jabber.org/protocol/disco#info"
DISCO_ITEMS_NS: Final = "http://jabber.org/protocol/disco#items"
DATA_FORM_NS: Final = "jabber:x:data"
RSM_NS: Final = "http://jabber.org/protocol/rsm"
VERSION_NS: Final = "jabber:iq:version"
TIME_NS: Final = "urn:xmpp:time"
LAST_NS: Final = "jabber:iq:last"
VCARD_NS: Final = "vcard-temp"
PRIVATE_NS: Final = "jabber:iq:private"
DELAY_NS: Final = "urn:xmpp:delay"
PUBSUB_NS: Final = "http://jabber.org/protocol/pubsub"
PUBSUB_OWNER_NS: Final = "http://jabber.org/protocol/pubsub#owner"
PUBSUB_EVENT_NS: Final = "http://jabber.org/protocol/pubsub#event"
PUBSUB_ERRORS_NS: Final = "http://jabber.org/protocol/pubsub#errors"

_REFERENCE: Final = re.compile("&#(x[0-9A-Fa-f]{1,16}|[0-9]{1,16});")
_C0: Final = bytes(code for code in range(0x20) if code not in b"\t\n\r")


class StanzaRefused(Exception):  # noqa: N818 - a refusal is an answer to the peer, not an error of ours
    """A stanza cannot be carried out; the host answers it with this stanza error.

    `kind` is the error type where it is not the one usual for the condition. `app` names an application condition of
    XEP-0060 (`http://jabber.org/protocol/pubsub#errors`), `feature` the missing feature of its condition
    `unsupported`. `content` is a serialised element that stands before the error.
    """

    def __init__(
        self, condition: str, app: str = "", *, kind: str = "", text: str = "", feature: str = "", content: bytes = b""
    ) -> None:
        super().__init__(condition)
        self.condition = condition
        self.kind = kind
        self.text = text
        self.content = content
        self.app = Element(app, PUBSUB_ERRORS_NS, {"feature": feature} if feature else None) if app else None


def quote(text: str) -> bytes:
    """Text as the bytes of an attribute value, whatever it holds."""
    return escape_attr(text).encode()


def addressed(stanza: Element, sender: str, receiver: str) -> Element:
    """The stanza with its addresses as the server knows them."""
    return Element(stanza.name, stanza.ns, {**stanza.attrs, "from": sender, "to": receiver}, stanza.children)


def relayed(stanza: Element, sender: str, receiver: str) -> bytes:
    """A client's stanza on its way to another: `from` is what the server knows, not what the client says (XEP-0206)."""
    return to_bytes(addressed(stanza, sender, receiver))


def clean_payload(payload: bytes, limit: int) -> bytes:
    """A serialised element that every XML parser accepts, made from one that ought to be.

    Characters that XML forbids, raw or as references, and bytes that are no UTF-8 become U+FFFD: what a telephone
    system or a web client slipped into a name must not stop a notification, nor the parser of everybody who receives
    it. Payloads without any of these, nearly all, are only looked at. Raises ValueError when it is over `limit` bytes
    or, being one of the rare others, cannot be read as XML at all.
    """
    if len(payload) > limit:
        raise ValueError(f"a payload of {len(payload)} bytes; the limit is {limit}")
    if payload.isascii() and b"&#" not in payload and len(payload.translate(None, _C0)) == len(payload):
        return payload
    text = xml_safe(payload.decode("utf-8", "replace"))
    if "&#" not in text:
        return text.encode()
    readable = _REFERENCE.sub(_allowed_reference, text).encode()
    return to_bytes(parse(readable, Limits(size=len(readable))), PUBSUB_EVENT_NS)


def _allowed_reference(reference: re.Match[str]) -> str:
    """The character reference itself, or U+FFFD for one to what XML forbids."""
    number = reference[1]
    code = int(number[1:], 16) if number[0] == "x" else int(number)
    return reference[0] if code < 0x110000 and xml_safe(chr(code)) == chr(code) else "\ufffd"

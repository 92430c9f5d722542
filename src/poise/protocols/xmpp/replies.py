"""What a reply to a stanza has in common, whether it says yes or no: same kind and id, addresses exchanged."""

from __future__ import annotations

from poise.protocols.xmpp.xml import Element, escape_attr


def reply_tag(stanza: Element, kind: str) -> str:
    """Opening of the reply without its final `>`: `type` is `kind`, addresses are exchanged.

    A stanza without `to` was meant for the sender's own account, which answers with its bare JID (RFC 6120 section
    8.1.2.1; JabberWerx throws when `from` is missing).
    """
    attrs = stanza.attrs
    sender = attrs.get("from", "")
    addressee = attrs.get("to") or sender.partition("/")[0]
    parts = [f'<{stanza.name} xmlns="jabber:client" type="{kind}"']
    for name, value in (("id", attrs.get("id", "")), ("from", addressee), ("to", sender)):
        if value:
            parts.append(f' {name}="{escape_attr(value)}"')
    return "".join(parts)


def iq_result(request: Element, payload: bytes = b"") -> bytes:
    """The result of an iq request, with the serialised payload inside."""
    head = reply_tag(request, "result").encode()
    return b"%b>%b</iq>" % (head, payload) if payload else head + b"/>"

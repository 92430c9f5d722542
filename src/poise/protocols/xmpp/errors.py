"""Refusals on the wire: stanza errors, which end nothing, and stream errors, which end the stream (RFC 6120)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from poise.protocols.xmpp.replies import reply_tag
from poise.protocols.xmpp.xml import Element, XmlFault, escape, to_bytes

STANZAS_NS: Final = "urn:ietf:params:xml:ns:xmpp-stanzas"
STREAMS_NS: Final = "urn:ietf:params:xml:ns:xmpp-streams"
STREAM_NS: Final = "http://etherx.jabber.org/streams"

STANZA_CONDITIONS: Final[Mapping[str, str]] = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "redirect": "modify",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    "undefined-condition": "cancel",
    "unexpected-request": "wait",
}
"""Every defined condition with the error type the RFC associates with it (RFC 6120 section 8.3.3)."""

STREAM_CONDITIONS: Final = frozenset(
    (
        "bad-format",
        "bad-namespace-prefix",
        "conflict",
        "connection-timeout",
        "host-gone",
        "host-unknown",
        "improper-addressing",
        "internal-server-error",
        "invalid-from",
        "invalid-namespace",
        "invalid-xml",
        "not-authorized",
        "not-well-formed",
        "policy-violation",
        "remote-connection-failed",
        "reset",
        "resource-constraint",
        "restricted-xml",
        "see-other-host",
        "system-shutdown",
        "undefined-condition",
        "unsupported-encoding",
        "unsupported-feature",
        "unsupported-stanza-type",
        "unsupported-version",
    )
)
"""RFC 6120 section 4.9.3."""

FAULT_ENDINGS: Final[Mapping[XmlFault, tuple[str, str]]] = {
    XmlFault.NOT_WELL_FORMED: ("broken-xml", "not-well-formed"),
    XmlFault.RESTRICTED: ("restricted-xml", "restricted-xml"),
    XmlFault.BAD_ENCODING: ("stream-refused", "unsupported-encoding"),
    XmlFault.TOO_BIG: ("too-big", "policy-violation"),
    XmlFault.TOO_DEEP: ("too-big", "policy-violation"),
    XmlFault.TOO_WIDE: ("too-big", "policy-violation"),
    XmlFault.STRAY_TEXT: ("stream-refused", "bad-format"),
}
"""XML that was refused -> (code in `poise.registry.ENDINGS`, stream error condition)."""


def stanza_error(
    stanza: Element, condition: str, kind: str = "", text: str = "", app: Element | None = None, content: bytes = b""
) -> bytes:
    """The error reply to `stanza`; `kind` is the error type, by default the one associated with the condition; `app` an
    application-specific condition (RFC 6120 section 8.3.4); `content` a serialised element to stand before the
    error."""
    kind = kind or STANZA_CONDITIONS[condition]
    words = f'<text xmlns="{STANZAS_NS}">{escape(text)}</text>' if text else ""
    detail = to_bytes(app, "jabber:client").decode() if app is not None else ""
    return (
        f'{reply_tag(stanza, "error")}>{content.decode()}<error type="{kind}"><{condition} xmlns="{STANZAS_NS}"/>'
        f"{words}{detail}</error></{stanza.name}>"
    ).encode()


def stream_error(condition: str, text: str = "", declare: bool = True) -> bytes:
    """`<stream:error>`, the prefix literally so; `declare=False` where a wrapper has declared the prefix already."""
    assert condition in STREAM_CONDITIONS, condition
    namespace = f' xmlns:stream="{STREAM_NS}"' if declare else ""
    words = f'<text xmlns="{STREAMS_NS}">{escape(text)}</text>' if text else ""
    return f'<stream:error{namespace}><{condition} xmlns="{STREAMS_NS}"/>{words}</stream:error>'.encode()

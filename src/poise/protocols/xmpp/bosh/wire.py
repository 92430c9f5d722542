"""Bodies read and written (XEP-0124 sections 4 to 7 and 17, XEP-0206).

An empty poll, the most frequent request by far, is recognised by one strict pattern and never becomes a tree; every
other body is parsed as XML and checked here, so that the session sees only bodies that make sense. Answers are put
together from bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from poise.protocols.xmpp.bosh.timing import RID_MAX
from poise.protocols.xmpp.errors import STREAM_NS
from poise.protocols.xmpp.xml import LIMITS, Element, Limits, XmlError, XmlFault, escape, parse

HTTPBIND_NS: Final = "http://jabber.org/protocol/httpbind"
XBOSH_NS: Final = "urn:xmpp:xbosh"
"""XEP-0206's namespace."""
SEED_XBOSH_NS: Final = "urn:xmpp:bosh"
"""The namespace that Finesse's own clients write instead of XEP-0206's; the seed document shows it."""
CLIENT_NS: Final = "jabber:client"

HEAD: Final = b"<body xmlns='http://jabber.org/protocol/httpbind'>"
STREAM_HEAD: Final = HEAD[:-1] + b" xmlns:stream='" + STREAM_NS.encode() + b"'>"
TAIL: Final = b"</body>"
EMPTY: Final = HEAD + TAIL
"""The seed's empty answer, 57 bytes; every empty answer without an `ack` is this one object."""
RECOVERABLE: Final = b"<body xmlns='http://jabber.org/protocol/httpbind' type='error'/>"
"""Recoverable binding error (XEP-0124 section 17.3)."""

LEGACY_STATUS: Final[Mapping[str, int]] = {"bad-request": 400, "policy-violation": 403, "item-not-found": 404}
"""HTTP status of a terminal condition for clients that named no `ver` (XEP-0124 section 17.1); 200 where none is
listed."""

_POLL_ATTRIBUTES: Final = (
    r"""rid=(["'])([1-9]\d{0,15}+)\1|sid=(["'])([\w-]{1,64}+)\3|xmlns=(["'])http://jabber\.org/protocol/httpbind(\5)"""
)
_POLL: Final = re.compile(rf"<body(?: +(?:{_POLL_ATTRIBUTES})){{3}}+ *+(?:/>|></body>)", re.ASCII).fullmatch
_POLL_WITH_ACK: Final = re.compile(
    rf"""<body(?: +(?:{_POLL_ATTRIBUTES}|ack=(["'])([1-9]\d{{0,15}}+)\7)){{4}}+ *+(?:/>|></body>)""", re.ASCII
).fullmatch
_NUMBER: Final = re.compile(r"[0-9]{1,16}").fullmatch
_RID: Final = re.compile(r"[1-9][0-9]{0,15}").fullmatch
_START_TAG: Final = re.compile(
    rb"""(?:\xef\xbb\xbf)?\s*(?:<\?xml [^<>?]{0,80}\?>\s*)?<(?:[A-Za-z_][A-Za-z0-9_.-]{0,30}:)?body"""
    rb"""((?:\s+[A-Za-z_][A-Za-z0-9_.:-]*\s*=\s*(?:'[^'<]*'|"[^"<]*"))*)\s*/?>"""
)
_ATTRIBUTE: Final = re.compile(rb"""(?<![A-Za-z0-9_.:-])(sid|rid)\s*=\s*(?:'([^'<]*)'|"([^"<]*)")""")
_START_TAG_MAX_BYTES: Final = 4096
"""How far a start tag is looked for in a body that is not XML; clients' tags have some hundred bytes."""


class BodyError(ValueError):
    """A body that is no BOSH body. The text never repeats what the peer sent."""

    def __init__(
        self,
        condition: str,
        detail: str,
        *,
        ending: str = "bad-request",
        sid: str | None = None,
        rid: int | None = None,
    ) -> None:
        super().__init__(f"{condition}: {detail}")
        self.condition = condition
        """Terminal binding condition for the answer when no session is touched."""
        self.detail = detail
        self.ending = ending
        """Code in `poise.registry.ENDINGS` for the session that sent it."""
        self.sid = sid
        """Session id, when the start tag could be read."""
        self.rid = rid
        """Request id, when it could be read and is valid."""

    @property
    def legacy_status(self) -> int:
        """HTTP status for a client known to have named no `ver`."""
        return LEGACY_STATUS.get(self.condition, 200)

    @property
    def answer(self) -> bytes:
        """The answer when no session is touched."""
        return terminate(self.condition)


class Body(NamedTuple):
    """One request of a client."""

    rid: int
    """Request id, 1 to 2^53 - 1."""
    sid: str | None
    """Session id; None in the request that creates a session."""
    type: str | None
    """`terminate` or anything else, which means nothing."""
    attrs: Mapping[str, str]
    """All attributes, in the notation of `Element.attrs`."""
    children: tuple[Element, ...]
    """Stanzas, in document order; those without a namespace of their own are in `jabber:client`."""

    @property
    def restart(self) -> bool:
        """Whether the stream is to be restarted; matched by namespace, whatever the prefix (XEP-0206)."""
        attrs = self.attrs
        wish = attrs.get("{urn:xmpp:xbosh}restart") or attrs.get("{urn:xmpp:bosh}restart")
        return wish in ("true", "1")

    @property
    def ack(self) -> int | None:
        """The client's acknowledgement; None when absent or no request id."""
        return parse_rid(self.attrs.get("ack", ""))


def match_poll(data: bytes) -> tuple[str, int, int | None] | None:
    """`(sid, rid, ack)` of an empty poll; None when `data` is anything else, and then says nothing about it."""
    if data.count(b"<") > 2:  # a stanza inside: most bodies that are no polls
        return None
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return None
    match = _POLL(text)
    if match is not None:
        rid, sid, xmlns = match.group(2, 4, 6)
        if rid is None or sid is None or xmlns is None:  # three attributes, so one of the others came twice
            return None
        number = int(rid)
        return (sid, number, None) if number <= RID_MAX else None
    match = _POLL_WITH_ACK(text)
    if match is None or None in match.group(2, 4, 6, 8) or int(match[2]) > RID_MAX:
        return None
    return match[4], int(match[2]), parse_rid(match[8])


def parse_rid(text: str) -> int | None:
    """A request id; None for everything else, what `int` would take included (XEP-0124 section 14.1)."""
    if _RID(text) is None:
        return None
    number = int(text)
    return number if number <= RID_MAX else None


def parse_count(text: str) -> int | None:
    """A non-negative integer of at most 16 ASCII digits; None for everything else."""
    return int(text) if _NUMBER(text) is not None else None


def parse_body(data: bytes, limits: Limits = LIMITS) -> Body:
    """A client's request. Raises BodyError."""
    try:
        root = parse(data, limits)
    except XmlError as error:
        sid, rid = _read_start_tag(data)
        raise _refused_xml(error, sid, rid) from None
    if root.name != "body" or root.ns != HTTPBIND_NS:
        raise BodyError("bad-request", "the root is not a BOSH body")
    attrs = root.attrs
    sid = attrs.get("sid")
    rid = parse_rid(attrs.get("rid", ""))
    if rid is None:
        raise BodyError("bad-request", "rid is missing or no request id", sid=sid)
    children: list[Element] = []
    for child in root.children:
        if isinstance(child, Element):
            children.append(_as_client(child) if child.ns == HTTPBIND_NS else child)
        elif child.strip(" \t\r\n"):
            raise BodyError("bad-request", "text directly in the body", sid=sid, rid=rid)
    return Body(rid, sid, attrs.get("type"), attrs, tuple(children))


def wrap(payload: bytes, ack: int | None = None, more: bytes = b"") -> bytes:
    """An ordinary answer. `more` are further attributes, ready, each with a space before it."""
    if ack is None and not more:
        if not payload:
            return EMPTY
        head = STREAM_HEAD if b"<stream:" in payload else HEAD
    else:
        head = STREAM_HEAD[:-1] if b"<stream:" in payload else HEAD[:-1]
        head += b"%b%b>" % (b"" if ack is None else b" ack='%d'" % ack, more)
    return head + payload + TAIL


def terminate(condition: str | None = None, payload: bytes = b"") -> bytes:
    """A terminal answer: binding error `condition` (XEP-0124 section 17.2), or the end of the session without one.
    `payload` may be stanzas, a stream error, the `<uri/>` of see-other-uri or an application's own condition."""
    head = STREAM_HEAD[:-1] if b"<stream:" in payload else HEAD[:-1]
    reason = b" condition='%b'" % condition.encode() if condition else b""
    if not payload:
        return head + b" type='terminate'" + reason + b"/>"
    return head + b" type='terminate'" + reason + b">" + payload + TAIL


def other_uri(uri: str) -> bytes:
    """Payload of `see-other-uri` (XEP-0124 section 17.2)."""
    return f"<uri>{escape(uri)}</uri>".encode()


def unknown_session(openfire_404: bool) -> tuple[int, bytes]:
    """HTTP status and body for a session id nobody has: the same as for a wrong request id, so that nothing can be
    learnt."""
    return (404 if openfire_404 else 200), terminate("item-not-found")


def _as_client(element: Element) -> Element:
    """An element that got the body's namespace only because its author wrote none."""
    children = tuple(
        _as_client(child) if isinstance(child, Element) and child.ns == HTTPBIND_NS else child
        for child in element.children
    )
    return Element(element.name, CLIENT_NS, element.attrs, children)


def _refused_xml(error: XmlError, sid: str | None, rid: int | None) -> BodyError:
    """Which condition and ending a fault of XML means."""
    if error.kind is XmlFault.RESTRICTED:
        return BodyError("bad-request", error.detail, ending="restricted-xml", sid=sid, rid=rid)
    if error.kind in (XmlFault.TOO_BIG, XmlFault.TOO_DEEP, XmlFault.TOO_WIDE):
        return BodyError("policy-violation", error.detail, ending="too-big", sid=sid, rid=rid)
    return BodyError("bad-request", error.detail, sid=sid, rid=rid)


def _read_start_tag(data: bytes) -> tuple[str | None, int | None]:
    """Session and request id of a body that is broken behind its start tag."""
    tag = _START_TAG.match(data[:_START_TAG_MAX_BYTES])
    if tag is None:
        return None, None
    found: dict[bytes, str] = {}
    for name, single, double in _ATTRIBUTE.findall(tag[1]):
        if name in found:
            return None, None
        found[name] = (single or double).decode("latin-1")
    return found.get(b"sid"), parse_rid(found.get(b"rid", ""))

"""The small protocols every client may ask for: version, time, last activity, vCard, private storage."""

from __future__ import annotations

from poise.protocols.xmpp.documents import VCARD, Documents
from poise.protocols.xmpp.moment import Moment, stamp
from poise.protocols.xmpp.stanzas import LAST_NS, PRIVATE_NS, TIME_NS, VCARD_NS, VERSION_NS, StanzaRefused
from poise.protocols.xmpp.xml import Element, escape, to_bytes


def version(number: str) -> bytes:
    """What the server is (XEP-0092); not what it runs on, which is nobody's business."""
    return f'<query xmlns="{VERSION_NS}"><name>Poise</name><version>{escape(number)}</version></query>'.encode()


def time(moment: Moment) -> bytes:
    """The server's time (XEP-0202), in UTC. Raises StanzaRefused while it does not know it."""
    if moment.offset is None:
        raise StanzaRefused("service-unavailable")
    return b'<time xmlns="%b"><tzo>+00:00</tzo><utc>%b</utc></time>' % (TIME_NS.encode(), stamp(moment.wall))


def last(seconds: float) -> bytes:
    """Seconds since something (XEP-0012): a server's start, a user's last presence."""
    return b'<query xmlns="%b" seconds="%d"/>' % (LAST_NS.encode(), max(0, int(seconds)))


def vcard(documents: Documents, bare: str) -> bytes:
    """One's own vCard, empty before one has been set (XEP-0054 section 3.1)."""
    return documents.get(bare, VCARD) or b'<vCard xmlns="%b"/>' % VCARD_NS.encode()


def others_vcard(documents: Documents, bare: str) -> bytes:
    """Another user's vCard; none looks like no user."""
    found = documents.get(bare, VCARD)
    if found is None:
        raise StanzaRefused("service-unavailable")
    return found


def set_vcard(documents: Documents, bare: str, card: Element) -> bytes:
    """Replace one's vCard; an empty one removes it."""
    documents.put(bare, {VCARD: to_bytes(card) if card.children else b""})
    return b""


def private(documents: Documents, bare: str, query: Element) -> bytes:
    """What was stored under the one element that is asked for; itself when nothing was (XEP-0049)."""
    wanted = list(query.elements())
    if len(wanted) != 1:
        raise StanzaRefused("not-acceptable", text="one element at a time is asked for")
    empty = to_bytes(Element(wanted[0].name, wanted[0].ns))
    return _query(documents.get(bare, _name(wanted[0])) or empty)


def set_private(documents: Documents, bare: str, query: Element) -> bytes:
    """Store elements by name and namespace; empty ones are forgotten."""
    given = list(query.elements())
    if not given:
        raise StanzaRefused("not-acceptable", text="nothing to store")
    if any(element.ns in ("", PRIVATE_NS) for element in given):
        raise StanzaRefused("bad-request", text="what is stored has a namespace of its own")
    documents.put(
        bare, {_name(element): to_bytes(element) if element.children or element.attrs else b"" for element in given}
    )
    return b""


def _query(inside: bytes) -> bytes:
    return b'<query xmlns="%b">%b</query>' % (PRIVATE_NS.encode(), inside)


def _name(element: Element) -> str:
    return f"{{{element.ns}}}{element.name}"

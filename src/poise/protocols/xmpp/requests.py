"""Requests (iq, RFC 6120 section 8.2.3): one table of what the server answers, and the way to other clients.

Theory. A request is for the sender's own account (no `to`, or the own bare JID), the domain, the pubsub service, or
the full JID of a client, to which it is passed on. Everything else, whatever the reason, gets service-unavailable: an
account that exists and one that does not look the same from outside, but for a vCard that its owner published. No
request stays without an answer; the answer to one that changed what must survive a restart waits until that is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from poise.protocols.xmpp import disco, roster, small
from poise.protocols.xmpp.addresses import Address, Addresses
from poise.protocols.xmpp.delivery import To
from poise.protocols.xmpp.documents import Documents
from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.pubsub import discovery, verbs
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import (
    DISCO_INFO_NS,
    DISCO_ITEMS_NS,
    LAST_NS,
    PING_NS,
    PRIVATE_NS,
    PUBSUB_NS,
    PUBSUB_OWNER_NS,
    ROSTER_NS,
    SESSION_NS,
    TIME_NS,
    VCARD_NS,
    VERSION_NS,
    StanzaRefused,
    addressed,
    quote,
    relayed,
)
from poise.protocols.xmpp.xml import Element

DOMAIN_FEATURES: Final = (
    DISCO_INFO_NS,
    DISCO_ITEMS_NS,
    PING_NS,
    ROSTER_NS,
    SESSION_NS,
    VERSION_NS,
    TIME_NS,
    LAST_NS,
    VCARD_NS,
    PRIVATE_NS,
    "msgoffline",
)
ACCOUNT_FEATURES: Final = (DISCO_INFO_NS, DISCO_ITEMS_NS, PING_NS, LAST_NS, VCARD_NS)


class Requests:
    """Answers requests and passes on those between clients."""

    def __init__(
        self, addresses: Addresses, shared: Shared, pubsub: PubSub, documents: Documents, version: str
    ) -> None:
        """`version` of the server, as it tells it."""
        self.addresses = addresses
        self.pubsub = pubsub
        self.documents = documents
        self.moment = shared.moment
        self.version = version
        self.since: float | None = None
        """Monotonic seconds when the server first heard of anybody."""
        self._presence = shared.presence
        self._outbox = shared.outbox
        self._journal = shared.journal

    def receive(self, session: Session, iq: Element) -> None:
        """An iq of a session. Raises StanzaRefused."""
        attrs = iq.attrs
        kind = attrs.get("type", "")
        if kind not in ("get", "set"):
            self._response(session, iq, kind)
            return
        children = iq.children
        child = children[0] if len(children) == 1 else None
        if type(child) is not Element:
            child = _only_child(iq)
        iq_id = attrs.get("id")
        if not iq_id:
            raise StanzaRefused("bad-request", text="an iq has an id")
        to = attrs.get("to")
        address = self._whom(session, to)
        if address is None:
            self._forward(session, iq)
            return
        handler = ANSWERS.get((address, kind, child.ns, child.name))
        if handler is None:
            raise StanzaRefused("service-unavailable")
        payload = handler(self, session, iq, child)
        # JabberWerx compares `from` with the `to` it wrote, or with its bare JID when it wrote none: repeated as sent.
        sender = self.addresses.quoted(to) if to else session.account.to
        answer = To(
            session.client,
            b'<iq xmlns="jabber:client" type="result" id="%b" from="%b" to="%b"%b'
            % (quote(iq_id), sender, session.to, b">%b</iq>" % payload if payload else b"/>"),
        )
        journal, followups = self._journal, self.pubsub.followups
        if journal.changes or journal.unstored or followups:
            asked = addressed(iq, session.jid, to or session.account.bare)
            journal.answer(session.client, asked, (answer, *followups))
            followups.clear()
        else:
            self._outbox.append(answer)

    def _whom(self, session: Session, to: str | None) -> Address | None:
        """Which of the server's addresses a request is for; None: somebody's full JID. Raises StanzaRefused."""
        bare = session.account.bare
        if not to or to == bare:
            return Address.ACCOUNT
        known = self.addresses.server(to)
        if known is not None:
            return known
        jid = self.addresses.jid(to)
        if jid.full == bare:
            return Address.ACCOUNT
        if jid.resource:
            return None
        return self.addresses.server(jid.full) or Address.OTHER

    def _forward(self, session: Session, iq: Element) -> None:
        target = self._presence.session(self.addresses.jid(iq.attrs["to"]).full)
        if target is None:
            raise StanzaRefused("service-unavailable")
        self._outbox.append(To(target.client, relayed(iq, session.jid, target.jid)))

    def _response(self, session: Session, iq: Element, kind: str) -> None:
        """A result or error is for another client, or of no interest to anybody."""
        if kind not in ("result", "error"):
            raise StanzaRefused("bad-request", text="an iq is of type get, set, result or error")
        to = iq.attrs.get("to")
        target = self._presence.session(self.addresses.jid(to).full) if to else None
        if target is not None:
            self._outbox.append(To(target.client, relayed(iq, session.jid, target.jid)))


def _only_child(iq: Element) -> Element:
    """The one child element that a request has. Raises StanzaRefused."""
    children = list(iq.elements())
    if len(children) != 1:
        raise StanzaRefused("bad-request", text="a request has exactly one child element")
    return children[0]


def _nothing(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    """Ping (XEP-0199) and session establishment (RFC 3921 section 3): the result itself is the answer."""
    return b""


def _roster(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return roster.roster(requests.addresses.domain)


def _roster_set(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    raise roster.refuse_roster_set()


def _pubsub(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return verbs.answer(requests.pubsub, session, iq.attrs["type"], child)


def _pubsub_info(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return discovery.info(requests.pubsub, child)


def _pubsub_items(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return discovery.items(requests.pubsub, session, child)


def _domain_info(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    _no_node(child)
    return disco.info(disco.Identity("server", "im", "Poise"), DOMAIN_FEATURES)


def _domain_items(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    _no_node(child)
    return disco.items((disco.Item(requests.addresses.pubsub_domain, name="Notifications"),))


def _account_info(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    _no_node(child)
    return disco.info(disco.Identity("account", "registered"), ACCOUNT_FEATURES)


def _account_items(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    _no_node(child)
    return disco.items(())


def _version(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return small.version(requests.version)


def _time(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return small.time(requests.moment)


def _uptime(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    since = requests.since if requests.since is not None else requests.moment.now
    return small.last(requests.moment.now - since)


def _own_last(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return small.last(0.0)  # whoever asks is here


def _vcard(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return small.vcard(requests.documents, session.account.bare)


def _set_vcard(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return small.set_vcard(requests.documents, session.account.bare, child)


def _others_vcard(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return small.others_vcard(requests.documents, requests.addresses.jid(iq.attrs["to"]).full)


def _private(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return small.private(requests.documents, session.account.bare, child)


def _set_private(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    return small.set_private(requests.documents, session.account.bare, child)


def _others(requests: Requests, session: Session, iq: Element, child: Element) -> bytes:
    raise StanzaRefused("forbidden")


def _no_node(query: Element) -> None:
    if query.attrs.get("node"):
        raise StanzaRefused("item-not-found")


Handler = Callable[[Requests, Session, Element, Element], bytes]
"""(requests, sender, request, the request's child) -> payload of the result. Raises StanzaRefused."""

ANSWERS: Final[Mapping[tuple[Address, str, str, str], Handler]] = {
    (Address.ACCOUNT, "get", PING_NS, "ping"): _nothing,
    (Address.ACCOUNT, "set", SESSION_NS, "session"): _nothing,
    (Address.ACCOUNT, "get", ROSTER_NS, "query"): _roster,
    (Address.ACCOUNT, "set", ROSTER_NS, "query"): _roster_set,
    (Address.ACCOUNT, "get", DISCO_INFO_NS, "query"): _account_info,
    (Address.ACCOUNT, "get", DISCO_ITEMS_NS, "query"): _account_items,
    (Address.ACCOUNT, "get", LAST_NS, "query"): _own_last,
    (Address.ACCOUNT, "get", VCARD_NS, "vCard"): _vcard,
    (Address.ACCOUNT, "set", VCARD_NS, "vCard"): _set_vcard,
    (Address.ACCOUNT, "get", PRIVATE_NS, "query"): _private,
    (Address.ACCOUNT, "set", PRIVATE_NS, "query"): _set_private,
    (Address.OTHER, "get", VCARD_NS, "vCard"): _others_vcard,
    (Address.OTHER, "set", VCARD_NS, "vCard"): _others,
    (Address.OTHER, "get", PRIVATE_NS, "query"): _others,
    (Address.OTHER, "set", PRIVATE_NS, "query"): _others,
    (Address.DOMAIN, "get", VERSION_NS, "query"): _version,
    (Address.DOMAIN, "get", TIME_NS, "time"): _time,
    (Address.DOMAIN, "get", LAST_NS, "query"): _uptime,
    (Address.DOMAIN, "get", PING_NS, "ping"): _nothing,
    (Address.DOMAIN, "set", SESSION_NS, "session"): _nothing,
    (Address.DOMAIN, "get", DISCO_INFO_NS, "query"): _domain_info,
    (Address.DOMAIN, "get", DISCO_ITEMS_NS, "query"): _domain_items,
    (Address.PUBSUB, "get", PING_NS, "ping"): _nothing,
    (Address.PUBSUB, "get", DISCO_INFO_NS, "query"): _pubsub_info,
    (Address.PUBSUB, "get", DISCO_ITEMS_NS, "query"): _pubsub_items,
    (Address.PUBSUB, "get", PUBSUB_NS, "pubsub"): _pubsub,
    (Address.PUBSUB, "set", PUBSUB_NS, "pubsub"): _pubsub,
    (Address.PUBSUB, "get", PUBSUB_OWNER_NS, "pubsub"): _pubsub,
    (Address.PUBSUB, "set", PUBSUB_OWNER_NS, "pubsub"): _pubsub,
}
"""(whom, iq type, namespace, element) -> handler."""

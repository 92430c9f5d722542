"""Everything above bound sessions: routes what clients send, in order, and is the service they speak to.

A client is attached once its resource is bound; from then on its stanzas come here, and whatever goes out leaves
through `outbox` in one order. The cores beside this file do the work: presence and its routing, messages, the offline
store, requests, pubsub, discovery, roster. This one wires them, and turns a refusal into an error stanza - in one
place.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from poise.protocols.xmpp.addresses import Addresses
from poise.protocols.xmpp.delivery import Client, Counters, Event, Output, Replace, StoredOffline, To
from poise.protocols.xmpp.errors import stanza_error
from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.jid import JidError, prepare
from poise.protocols.xmpp.messages import Messages
from poise.protocols.xmpp.offline import OfflineStore
from poise.protocols.xmpp.presence import Presence, Session, State
from poise.protocols.xmpp.presence_routing import PresenceRouting
from poise.protocols.xmpp.pubsub.nodes import Node, NodeConfig
from poise.protocols.xmpp.pubsub.rights import AccessModel
from poise.protocols.xmpp.pubsub.service import PubSub, Rules
from poise.protocols.xmpp.requests import Requests
from poise.protocols.xmpp.roster import SERVER_USER
from poise.protocols.xmpp.stanzas import StanzaRefused, addressed, clean_payload, quote
from poise.protocols.xmpp.xml import Element, XmlError, parse, xml_safe
from poise.registry import Closed

_DROPPED = (
    b"<presence",
    b'<iq xmlns="jabber:client" type="result"',
    b'<iq xmlns="jabber:client" type="error"',
)
"""How stanzas start that nobody misses; looked at first because reading one as XML costs twenty times as much."""

__all__ = ["BindRefused", "Host", "HostPolicy", "NodeRefused", "Rules", "SessionView", "UnknownNode"]


class BindRefused(Exception):  # noqa: N818 - an answer to the peer
    """A resource cannot be bound; `condition` is the stanza error condition (RFC 6120 section 7.7.2)."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


class UnknownNode(LookupError):  # noqa: N818
    """The product named a node that it has not created."""


class NodeRefused(ValueError):  # noqa: N818
    """The product asked for a node or subscription that the bounds do not allow."""


class SessionView(NamedTuple):
    """A session as others may see it."""

    user: str
    resource: str
    jid: str
    available: bool
    priority: int


class Host:
    """One XMPP domain and its pubsub service."""

    def __init__(
        self,
        domain: str,
        pubsub_domain: str,
        rules: Rules,
        rng: random.Random,
        policy: HostPolicy = HostPolicy(),  # noqa: B008 - immutable
    ) -> None:
        """`rng` makes message ids, item ids and resources: unique, not secret."""
        self._addresses = addresses = Addresses(domain, pubsub_domain)
        self.domain = addresses.domain
        self.pubsub_domain = addresses.pubsub_domain
        self.policy = policy
        self.outbox: deque[Output] = deque()
        self.events: deque[Event] = deque()
        self.counters = Counters()
        self.wall_offset: float | None = None
        """Wall clock minus monotonic seconds, set by the shell; only stamps offline messages."""
        self._rng = rng
        self._domain_bytes = quote(self.domain)
        self._presence = Presence(policy.resources_per_user, self._presence_changed)
        self._pubsub = PubSub(
            self.pubsub_domain, self._presence, rules, policy, rng, self.outbox, self.events, self.counters
        )
        self._requests = Requests(addresses, self._presence, self._pubsub, self.outbox)
        self._messages = Messages(
            self._presence, OfflineStore(policy), rules.exists, self.outbox, self.events, self.counters
        )
        self._routing = PresenceRouting(
            self.domain, self._presence, policy.directed_per_session, self._hand_out, self.outbox, self.events
        )

    # Sessions

    def attach(self, client: Client, user: str, resource: str | None, now: float) -> str:
        """A client has bound a resource; its full JID, also set as `client.jid`. Without a resource one is made.

        A session that has the resource already is over from now on: its user's other resources hear so, event Replace
        tells the shell, and `detach` of its client will change nothing more. Raises BindRefused.
        """
        try:
            jid = prepare(f"{user}@{self.domain}/{resource or self._new_resource()}")
        except JidError:
            raise BindRefused("bad-request") from None
        older = self._presence.session(jid.full)
        if older is None and not self._presence.room_for(jid.bare):
            raise BindRefused("resource-constraint")
        if older is not None:
            self._routing.end(older, None)
            self.events.append(Replace(older.client))
        client.jid = jid.full
        self._presence.add(client, jid.local, jid.bare, jid.resource, jid.full)
        return jid.full

    def receive(self, client: Client, el: Element, now: float) -> None:
        """A stanza of a client. One that is replaced or detached has nothing to say any more; anything but the three
        kinds of stanza was refused by the stream below."""
        session = self._presence.session(client.jid)
        if session is None or session.client is not client:
            return
        name = el.name
        try:
            if name == "iq":
                self._requests.receive(session, el)
            elif name == "message":
                self._message(session, el, now)
            elif name == "presence":
                self._presence_stanza(session, el)
        except StanzaRefused as refused:
            if el.attrs.get("type") not in ("error", "result"):
                receiver = el.attrs.get("to") or session.account.bare
                asked = addressed(el, session.jid, receiver)
                error = stanza_error(asked, refused.condition, refused.kind, refused.text, refused.app)
                self.outbox.append(To(client, error))

    def detach(self, client: Client, closed: Closed | None, undelivered: Iterable[bytes], now: float) -> None:
        """A client's session has ended, leaving stanzas that it did not collect. The second time changes nothing."""
        session = self._presence.session(client.jid)
        if session is not None and session.client is client:
            self._routing.end(session, closed)
        self.returned(client, undelivered, now)

    def returned(self, client: Client, stanzas: Iterable[bytes], now: float) -> None:
        """Stanzas that a client which is gone will never collect: messages with a body go to another session of the
        user or the offline store, notifications are counted, requests are answered with service-unavailable, the rest
        is dropped (XEP-0206 section 8, XEP-0160)."""
        for stanza in stanzas:
            if stanza.startswith(self._pubsub.lead):
                self._notification_lost(client, stanza)
            elif not stanza.startswith(_DROPPED):
                self._undelivered(stanza, now)

    # The product's side

    def create_node(self, node: str, title: str = "") -> None:
        """A node of the product, whose subscribers the rule chooses; nothing happens when it exists. Raises
        NodeRefused."""
        name = xml_safe(node)
        if name in self._pubsub.nodes:
            return
        config = NodeConfig(title=xml_safe(title), access_model=AccessModel.WHITELIST)
        try:
            self._pubsub.create(name, config, product=True)
        except StanzaRefused as refused:
            raise NodeRefused(f"node {name!r}: {refused.text or refused.condition}") from None

    def delete_node(self, node: str) -> None:
        """Delete a node and tell its subscribers; nothing happens when there is none."""
        found = self._pubsub.nodes.get(xml_safe(node))
        if found is not None:
            self._pubsub.delete(found)

    def subscribe(self, node: str, jid: str) -> None:
        """Subscribe a bare or full JID; again is the same as once. Raises UnknownNode, JidError, NodeRefused."""
        found = self._node(node)
        try:
            self._pubsub.subscribe(found, prepare(jid))
        except StanzaRefused as refused:
            raise NodeRefused(f"subscription of {jid!r} to {found.name!r}: {refused.condition}") from None

    def unsubscribe(self, node: str, jid: str) -> None:
        """End a subscription; nothing happens when there is none. Raises UnknownNode, JidError."""
        self._pubsub.unsubscribe(self._node(node), prepare(jid).full)

    def publish(self, node: str, item_id: str, payload: bytes, now: float) -> int:
        """Notify a node's subscribers; how many clients it goes to. Raises UnknownNode; ValueError for a payload that
        is over the limit or no XML. Characters that XML forbids go out as U+FFFD."""
        found = self._pubsub.nodes.get(node)
        if found is None:
            found = self._node(node)
        clean = clean_payload(payload, self.policy.payload_bytes)
        return self._pubsub.publish(found, item_id or self._pubsub.new_item_id(), clean)

    def announce(self, available: bool, now: float) -> None:
        """The web services are there or not: presence of `finesse@domain` to every available client."""
        self._routing.announce(available)

    # Views

    def sessions(self) -> tuple[SessionView, ...]:
        """All bound sessions, oldest first."""
        return tuple(
            SessionView(
                session.account.user,
                session.resource,
                session.jid,
                session.state is State.AVAILABLE,
                session.priority,
            )
            for session in self._presence.sessions()
        )

    def nodes(self) -> tuple[str, ...]:
        """Names of all nodes, oldest first."""
        return tuple(self._pubsub.nodes)

    def subscriptions(self, node: str) -> tuple[str, ...]:
        """JIDs subscribed to a node, oldest first. Raises UnknownNode."""
        return tuple(self._node(node).subscriptions)

    # Inside

    def _node(self, name: str) -> Node:
        node = self._pubsub.nodes.get(xml_safe(name))
        if node is None:
            raise UnknownNode(name)
        return node

    def _new_resource(self) -> str:
        return f"{self._rng.getrandbits(48):012x}"

    def _presence_changed(self, bare: str) -> None:
        self._pubsub.presence_changed(bare)

    def _hand_out(self, session: Session) -> None:
        self._messages.hand_out(session, self._domain_bytes, self.wall_offset)

    def _message(self, session: Session, message: Element, now: float) -> None:
        to = self._addresses.user(message.attrs.get("to") or session.account.bare)
        if to is None or to.local == SERVER_USER:
            raise StanzaRefused("service-unavailable")
        self._messages.send(message, session.jid, to, now)

    def _presence_stanza(self, session: Session, presence: Element) -> None:
        to = presence.attrs.get("to")
        self._routing.receive(session, presence, self._addresses.jid(to) if to else None)

    def _notification_lost(self, client: Client, stanza: bytes) -> None:
        self.counters.notifications_lost += 1
        bare = client.jid.partition("/")[0]
        account = self._presence.account(bare)
        if account is None or not account.routable:
            self.events.append(StoredOffline(bare, False, stanza))

    def _undelivered(self, stanza: bytes, now: float) -> None:
        try:
            element = parse(stanza)
        except XmlError:
            return  # not a stanza of a client; ours are told apart before
        attrs = element.attrs
        sender, to = attrs.get("from", ""), attrs.get("to", "")
        try:
            if element.name == "message":
                self._messages.come_back(element, prepare(to), now)
            elif element.name == "iq" and attrs.get("type") in ("get", "set"):
                raise StanzaRefused("service-unavailable")
        except StanzaRefused as refused:
            asker = self._presence.session(sender)
            if asker is not None:
                self.outbox.append(To(asker.client, stanza_error(element, refused.condition, refused.kind)))

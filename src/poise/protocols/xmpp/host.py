"""Everything above bound sessions: routes what clients send, in order, and is the service they speak to.

A client is attached once its resource is bound; from then on its stanzas come here, and whatever goes out leaves
through `outbox` in one order. The cores beside this file do the work: presence and its routing, messages, the offline
store, requests, pubsub, discovery, roster, documents. This one wires them, and turns a refusal into an error stanza -
in one place.

What must survive a restart leaves as event `Unstored` once `restore` was called; see `journal`.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from poise import __version__
from poise.protocols.xmpp.addresses import Addresses
from poise.protocols.xmpp.delivery import Client, Counters, Event, Output, Replace, StoredOffline, To
from poise.protocols.xmpp.documents import Documents
from poise.protocols.xmpp.errors import stanza_error
from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.jid import JidError, prepare
from poise.protocols.xmpp.journal import Journal
from poise.protocols.xmpp.messages import Messages
from poise.protocols.xmpp.moment import Moment
from poise.protocols.xmpp.offline import OfflineStore
from poise.protocols.xmpp.presence import Presence, Session, State
from poise.protocols.xmpp.presence_routing import PresenceRouting
from poise.protocols.xmpp.pubsub import approval
from poise.protocols.xmpp.pubsub.nodes import Node
from poise.protocols.xmpp.pubsub.restoring import Restoring
from poise.protocols.xmpp.pubsub.service import PRODUCT_CONFIG, PubSub
from poise.protocols.xmpp.rates import Bucket
from poise.protocols.xmpp.records import DocumentRecord, MessageRecord, Record
from poise.protocols.xmpp.requests import Requests
from poise.protocols.xmpp.roster import SERVER_USER
from poise.protocols.xmpp.shared import Rules, Shared
from poise.protocols.xmpp.stanzas import PING_NS, StanzaRefused, addressed, clean_payload, quote
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
        self._rng = rng
        self._domain_bytes = quote(self.domain)
        self._moment = Moment()
        self._journal = Journal(self.outbox, self.events)
        self._presence = Presence(policy.resources_per_user, self._presence_changed)
        shared = Shared(
            self._presence,
            rules,
            policy,
            rng,
            self.outbox,
            self.events,
            self.counters,
            self._journal,
            self._moment,
        )
        self._offline = OfflineStore(shared)
        self._documents = Documents(shared)
        self._pubsub = PubSub(self.pubsub_domain, self.domain, shared, self._keep_notification)
        self._restoring = Restoring(self._pubsub, shared)
        self._requests = Requests(addresses, shared, self._pubsub, self._documents, __version__)
        self._messages = Messages(shared, self._offline)
        self._routing = PresenceRouting(self.domain, shared, self._pubsub.came, self._hand_out)

    @property
    def wall_offset(self) -> float | None:
        """Wall clock minus monotonic seconds, set by the shell before `restore`; stamps what is kept and tells clients
        the time, drives nothing."""
        return self._moment.offset

    @wall_offset.setter
    def wall_offset(self, offset: float | None) -> None:
        self._moment.offset = offset

    # What must survive a restart

    def restore(self, records: Iterable[Record], now: float) -> int:
        """Put back what was stored, in the order of `records.KEY_FIELDS`, before anything else happens; from now on
        changes leave as `Unstored`, and answers wait for `stored`. Returns how many records could not be put back."""
        self._begin(now)
        failed = 0
        for record in records:
            if isinstance(record, MessageRecord):
                self._offline.restore(record)
            elif isinstance(record, DocumentRecord):
                self._documents.restore(record)
            elif not self._restoring.put_back(record):
                failed += 1
        self._journal.enabled = True
        return failed

    def stored(self, token: int, now: float, durable: bool = True) -> None:
        """Everything up to this token is written; not `durable`: could not be, and whoever waits for it is told so,
        though what it changed is so until the server ends."""
        self._begin(now)
        self._journal.stored(token, durable)

    @property
    def unstored(self) -> Mapping[Client, int]:
        """Clients that sent something which is not durable yet: a binding whose answers acknowledge stanzas holds
        them back until event `Released`."""
        return self._journal.unstored

    @property
    def deadline(self) -> float:
        """When `due` has something to do, in monotonic seconds; inf when nothing waits."""
        return min(self._routing.deadline, self._offline.deadline)

    def due(self, now: float) -> None:
        """Do what has waited: presences above their rate, messages that were handed out or never fetched."""
        self._begin(now)
        self._routing.due(now)
        self._offline.due(now)
        self._journal.seal()

    def close(self, now: float) -> None:
        """The server ends in good order, with all sessions detached: what they took counts as collected."""
        self.due(now + self.policy.handed_out_s)

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
        self._begin(now)
        older = self._presence.session(jid.full)
        if older is None:
            if not self._presence.room_for(jid.bare):
                self.counters.binds_refused += 1
                raise BindRefused("resource-constraint")
            self._presence.add(client, jid.local, jid.bare, jid.resource, jid.full)
        else:
            replacements = older.account.replacements or Bucket()
            if not replacements.take(now, self.policy.replacement_burst, self.policy.replacement_per_s):
                self.counters.binds_refused += 1
                raise BindRefused("resource-constraint")
            self._routing.end(older, None)
            self.events.append(Replace(older.client))
            session = self._presence.add(client, jid.local, jid.bare, jid.resource, jid.full)
            session.account.replacements = replacements  # of the account that ended with its only session
        client.jid = jid.full
        self._journal.seal()
        return jid.full

    def receive(self, client: Client, el: Element, now: float) -> None:
        """A stanza of a client. One that is replaced or detached has nothing to say any more; anything but the three
        kinds of stanza was refused by the stream below."""
        session = self._presence.session(client.jid)
        if session is None or session.client is not client:
            return
        self._moment.now = now
        name = el.name
        try:
            if name == "iq":
                self._requests.receive(session, el)
            elif name == "message":
                self._message(session, el)
            elif name == "presence":
                self._presence_stanza(session, el)
        except StanzaRefused as refused:
            if el.attrs.get("type") not in ("error", "result"):
                receiver = el.attrs.get("to") or session.account.bare
                asked = addressed(el, session.jid, receiver)
                error = stanza_error(asked, refused.condition, refused.kind, refused.text, refused.app, refused.content)
                self._pubsub.followups.clear()
                self._journal.answer(client, asked, (To(client, error),))
        if self._journal.changes:  # by a message or a presence, which have no answer of their own
            self._journal.answer(client, addressed(el, session.jid, el.attrs.get("to") or session.account.bare), ())

    def detach(self, client: Client, closed: Closed | None, undelivered: Iterable[bytes], now: float) -> None:
        """A client's session has ended, leaving stanzas that it did not collect. The second time changes nothing."""
        self._begin(now)
        session = self._presence.session(client.jid)
        if session is not None and session.client is client:
            self._routing.end(session, closed)
        self.returned(client, undelivered, now)

    def returned(self, client: Client, stanzas: Iterable[bytes], now: float) -> None:
        """Stanzas that a client which is gone will never collect: messages with a body go to another session of the
        user or the offline store, notifications are counted, requests are answered with service-unavailable, the rest
        is dropped (XEP-0206 section 8, XEP-0160)."""
        self._begin(now)
        for stanza in stanzas:
            if stanza.startswith(self._pubsub.notifier.lead):
                self._notification_lost(client, stanza)
            elif not stanza.startswith(_DROPPED):
                self._undelivered(stanza)
        self._journal.seal()

    def ping(self, client: Client) -> None:
        """Ask a client whether it is there (XEP-0199); whatever it answers, it is."""
        ping_id = f"ping-{self._rng.getrandbits(32):08x}".encode()
        head = b'<iq xmlns="jabber:client" type="get" id="%b" from="%b" to="%b">'
        inside = b'<ping xmlns="%b"/></iq>' % PING_NS.encode()
        self.outbox.append(To(client, head % (ping_id, self._domain_bytes, quote(client.jid)) + inside))

    # The product's side

    def create_node(self, node: str, title: str = "") -> None:
        """A node of the product, whose subscribers the rule chooses; nothing happens when it exists. Raises
        NodeRefused."""
        name = xml_safe(node)
        existing = self._pubsub.nodes.get(name)
        if existing is not None and existing.product:
            return
        if existing is not None:
            self._pubsub.delete(existing)  # an administrator's node of that name gives way to the product's
        config = replace(PRODUCT_CONFIG, title=xml_safe(title)) if title else PRODUCT_CONFIG  # one for nearly all nodes
        try:
            made = self._pubsub.create(name, config, product=True)
        except StanzaRefused as refused:
            raise NodeRefused(f"node {name!r}: {refused.text or refused.condition}") from None
        self._restoring.node_made(made)
        self._journal.seal()

    def nodes_complete(self, now: float) -> None:
        """The product has made every node it has: what was stored about others is forgotten."""
        self._begin(now)
        self._restoring.all_made()
        self._journal.seal()

    def delete_node(self, node: str) -> None:
        """Delete a node and tell its subscribers; nothing happens when there is none."""
        found = self._pubsub.nodes.get(xml_safe(node))
        if found is not None:
            self._pubsub.delete(found)
            self._journal.seal()

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
        self._journal.seal()

    def review_subscriptions(self, user: str, now: float) -> None:
        """A user's teams or roles have changed: subscriptions that are not allowed any more end, and the user is
        told."""
        self._begin(now)
        self._pubsub.review(prepare(f"{user}@{self.domain}").bare)
        self._journal.seal()

    def forget_user(self, user: str, now: float) -> None:
        """A user is no more: subscriptions, affiliations, messages and documents go. Sessions are the shell's to end
        first."""
        self._begin(now)
        bare = prepare(f"{user}@{self.domain}").bare
        self._pubsub.forget_user(bare)
        self._offline.forget(bare)
        self._documents.forget(bare)
        self._journal.seal()

    def publish(self, node: str, item_id: str, payload: bytes, now: float) -> int:
        """Notify a node's subscribers; how many clients it goes to. Raises UnknownNode; ValueError for a payload that
        is over the limit or no XML, or that the node has no room to keep. Characters that XML forbids go out as
        U+FFFD."""
        self._moment.now = now
        found = self._pubsub.nodes.get(node)
        if found is None:
            found = self._node(node)
        clean = clean_payload(payload, self.policy.payload_bytes)
        try:
            delivered = self._pubsub.publish(found, item_id or self._pubsub.new_item_id(), clean)
        except StanzaRefused as refused:
            raise NodeRefused(f"node {found.name!r}: {refused.text or refused.condition}") from None
        if self._journal.changes:
            self._journal.seal()
        return delivered

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

    def _begin(self, now: float) -> None:
        self._moment.now = now
        if self._requests.since is None:
            self._requests.since = now

    def _presence_changed(self, bare: str, left: bool) -> None:
        self._pubsub.presence_changed(bare, left)

    def _hand_out(self, session: Session) -> None:
        self._messages.hand_out(session, self._domain_bytes)

    def _keep_notification(self, bare: str, stanza: bytes) -> bool:
        return self._offline.put(bare, stanza, stamped=False)

    def _message(self, session: Session, message: Element) -> None:
        to = self._addresses.jid(message.attrs.get("to") or session.account.bare)
        if to.full == self.pubsub_domain:
            approval.receive(self._pubsub, session, message)
        elif not to.local or to.domain != self.domain or to.local == SERVER_USER:
            raise StanzaRefused("service-unavailable")
        else:
            self._messages.send(message, session.jid, to)

    def _presence_stanza(self, session: Session, presence: Element) -> None:
        to = presence.attrs.get("to")
        self._routing.receive(session, presence, self._addresses.jid(to) if to else None)

    def _notification_lost(self, client: Client, stanza: bytes) -> None:
        bare = client.jid.partition("/")[0]
        account = self._presence.account(bare)
        absent = account is None or not account.routable
        kept = absent and self.policy.replay_notifications and self._keep_notification(bare, stanza)
        if not kept:
            self.counters.notifications_lost += 1
        if absent:
            self.events.append(StoredOffline(bare, kept, stanza))

    def _undelivered(self, stanza: bytes) -> None:
        try:
            element = parse(stanza)
        except XmlError:
            return  # not a stanza of a client; ours are told apart before
        attrs = element.attrs
        sender, to = attrs.get("from", ""), attrs.get("to", "")
        try:
            if element.name == "message":
                self._messages.come_back(element, prepare(to))
            elif element.name == "iq" and attrs.get("type") in ("get", "set") and sender != self.domain:
                raise StanzaRefused("service-unavailable")
        except StanzaRefused as refused:
            asker = self._presence.session(sender)
            if asker is not None:
                self.outbox.append(To(asker.client, stanza_error(element, refused.condition, refused.kind)))

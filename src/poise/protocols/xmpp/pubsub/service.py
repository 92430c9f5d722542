"""The pubsub service: nodes, subscriptions, and the way of an item to its subscribers. Typed inputs only, no stanzas
in.

An item is serialised once. What a subscriber's notification starts with (addresses and all but five characters of the
message id) is prepared when the node's receivers are resolved, which happens at the first publication after somebody
came, went, subscribed or unsubscribed; a delivery joins four byte strings.
"""

from __future__ import annotations

import random
import uuid
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass

from poise.protocols.xmpp.delivery import (
    SUFFIXES,
    Client,
    Counters,
    Event,
    Fanout,
    Output,
    Published,
    StoredOffline,
    To,
    suffix,
)
from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.jid import Jid
from poise.protocols.xmpp.presence import Presence
from poise.protocols.xmpp.pubsub.nodes import Node, NodeConfig, Receivers, Subscription
from poise.protocols.xmpp.pubsub.rights import Affiliation, Capability, PublishModel, may
from poise.protocols.xmpp.stanzas import StanzaRefused, quote

_END = b"</items></event></message>"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the host must be told about users."""

    administrators: Container[str]
    """Bare JIDs that own every node and alone may create some."""
    exists: Callable[[str], bool]
    """Whether there is a user of this local part."""
    may_subscribe: Callable[[str, str], bool]
    """Whether the user (local part) may subscribe to this node of the product."""


class PubSub:
    """All nodes of one service."""

    def __init__(
        self,
        jid: str,
        presence: Presence,
        rules: Rules,
        policy: HostPolicy,
        rng: random.Random,
        outbox: deque[Output],
        events: deque[Event],
        counters: Counters,
    ) -> None:
        self.jid = jid
        self.policy = policy
        self.nodes: dict[str, Node] = {}
        self._presence = presence
        self._rules = rules
        self._rng = rng
        self._outbox = outbox
        self._events = events
        self._counters = counters
        self._of_user: dict[str, dict[Subscription, None]] = {}
        self.lead = b'<message xmlns="jabber:client" from="%b" to="' % quote(jid)
        """How every notification starts."""

    # Rights

    def is_administrator(self, bare: str) -> bool:
        """Whether this user owns the service."""
        return bare in self._rules.administrators

    def affiliation(self, node: Node, user: str, bare: str) -> Affiliation:
        """What the user is to the node."""
        if bare in self._rules.administrators:
            return Affiliation.OWNER
        known = node.affiliations.get(bare)
        if known is not None:
            return known
        if node.product and self._rules.may_subscribe(user, node.name):
            return Affiliation.MEMBER
        return Affiliation.NONE

    def demand(self, capability: Capability, node: Node, user: str, bare: str) -> None:
        """Raise StanzaRefused unless the user may do that with the node."""
        affiliation = self.affiliation(node, user, bare)
        config = node.config
        subscribed = config.publish_model is PublishModel.SUBSCRIBERS and any(
            subscription.node is node for subscription in self._of_user.get(bare, ())
        )
        if may(capability, affiliation, config.access_model, config.publish_model, subscribed):
            return
        if affiliation is not Affiliation.OUTCAST and capability in (Capability.SUBSCRIBE, Capability.RETRIEVE):
            raise StanzaRefused("not-allowed", "closed-node")
        raise StanzaRefused("forbidden")

    # Nodes

    def create(self, name: str, config: NodeConfig, creator: str = "", product: bool = False) -> Node:
        """A new node. Raises StanzaRefused for a name that is taken, empty or too long, and when there are too many."""
        if not name or len(name.encode()) > self.policy.node_name_bytes:
            raise StanzaRefused("not-acceptable", text=f"a node name has 1 to {self.policy.node_name_bytes} bytes")
        if name in self.nodes:
            raise StanzaRefused("conflict")
        if len(self.nodes) >= self.policy.nodes:
            raise StanzaRefused("conflict", "max-nodes-exceeded")
        node = self.nodes[name] = Node(name, config, creator, product)
        return node

    def delete(self, node: Node) -> None:
        """Remove the node and tell its subscribers (XEP-0060 section 8.4)."""
        if node.config.notify_delete:
            opening, _, rest = node.opening.partition(b"<items ")
            self._send(node, opening + b"<delete " + rest.removesuffix(b">") + b"/></event></message>")
        for subscription in node.subscriptions.values():
            self._forget(subscription)
        del self.nodes[node.name]

    # Subscriptions

    def subscribe(self, node: Node, jid: Jid) -> Subscription:
        """Subscribe a bare or full JID; again is the same as once. Raises StanzaRefused when there are too many."""
        existing = node.subscriptions.get(jid.full)
        if existing is not None:
            return existing
        if len(node.subscriptions) >= self.policy.subscriptions_per_node:
            raise StanzaRefused("policy-violation", "too-many-subscriptions")
        mine = self._of_user.setdefault(jid.bare, {})
        if len(mine) >= self.policy.subscriptions_per_user:
            self._make_room(mine)
        subscription = Subscription(node, jid.full, jid.bare, jid.resource)
        node.subscriptions[jid.full] = subscription
        mine[subscription] = None
        node.receivers = None
        return subscription

    def unsubscribe(self, node: Node, jid: str) -> bool:
        """End the subscription of exactly this JID; False when there was none."""
        subscription = node.subscriptions.pop(jid, None)
        if subscription is None:
            return False
        self._forget(subscription)
        node.receivers = None
        return True

    def subscriptions_of(self, bare: str) -> tuple[Subscription, ...]:
        """All subscriptions of a user, bare and full, oldest first."""
        return tuple(self._of_user.get(bare, ()))

    def presence_changed(self, bare: str) -> None:
        """Resolve anew, when next needed, the nodes this user subscribes to."""
        for subscription in self._of_user.get(bare, ()):
            subscription.node.receivers = None

    def _make_room(self, mine: dict[Subscription, None]) -> None:
        """Explicit subscriptions outlive their session by design; the oldest of a session that is gone gives way."""
        for subscription in mine:
            if subscription.resource and self._presence.session(subscription.jid) is None:
                self.unsubscribe(subscription.node, subscription.jid)
                return
        raise StanzaRefused("policy-violation", "too-many-subscriptions")

    def _forget(self, subscription: Subscription) -> None:
        mine = self._of_user[subscription.bare]
        del mine[subscription]
        if not mine:
            del self._of_user[subscription.bare]

    # Items

    def publish(self, node: Node, item_id: str, payload: bytes) -> int:
        """Notify the subscribers of an item; `payload` is one serialised element whose namespace is written out, or
        empty for a notification without. Returns to how many clients it goes."""
        counters = self._counters
        counters.published += 1
        config = node.config
        delivered = absent = 0
        if config.deliver_notifications:
            if payload and config.deliver_payloads:
                inside = b'<item id="%b">%b</item>' % (quote(item_id), payload)
            elif item_id:
                inside = b'<item id="%b"/>' % quote(item_id)
            else:
                inside = b""
            delivered, absent = self._send(node, node.opening + inside + _END)
        self._events.append(Published(node.name, item_id, delivered, absent))
        return delivered

    def new_item_id(self) -> str:
        """An id for an item whose publisher gave none: a UUID and a digit, the form the seed's captures show."""
        return f"{uuid.UUID(int=self._rng.getrandbits(128), version=4)}{self._rng.getrandbits(3)}"

    def _send(self, node: Node, tail: bytes) -> tuple[int, int]:
        """Put a notification into the outbox: `tail` is everything after the message id. Returns (delivered,
        absent)."""
        receivers = node.receivers
        if receivers is None:
            receivers = node.receivers = self._resolve(node)
        targets, absent = receivers
        number = self._rng.getrandbits(30) % SUFFIXES
        if len(targets) == 1:
            client, lead = targets[0]
            self._outbox.append(To(client, b"".join((lead, suffix(number), tail))))
        elif targets:
            self._outbox.append(Fanout(targets, tail, number))
        self._counters.delivered += len(targets)
        if absent:
            ending = suffix(number)
            self._counters.notifications_lost += len(absent)
            self._events.extend(StoredOffline(jid, False, lead, ending, tail) for jid, lead in absent)
        return len(targets), len(absent)

    def _resolve(self, node: Node) -> Receivers:
        """Where each subscription leads now. A subscription of a resource that is gone leads nowhere while its user
        is here with another (RFC 6121 section 8.5.3.2.1: never to another resource)."""
        targets: list[tuple[Client, bytes]] = []
        absent: list[tuple[str, bytes]] = []
        infix = b'" id="%b__' % node.quoted
        for subscription in node.subscriptions.values():
            account = self._presence.account(subscription.bare)
            jid = quote(subscription.jid)
            lead = b"%b%b%b%b__" % (self.lead, jid, infix, jid)
            if subscription.resource:
                session = self._presence.session(subscription.jid)
                if session is not None:
                    targets.append((session.client, lead))
                    continue
            elif account is not None and account.routable:
                targets += [(session.client, lead) for session in account.routable]
                continue
            if account is None or not account.routable:
                absent.append((subscription.jid, lead))
        return Receivers(tuple(targets), tuple(absent))

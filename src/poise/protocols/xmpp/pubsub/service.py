"""The pubsub service: nodes, who may do what with them, subscriptions, and what publishing means. Typed inputs only, no
stanzas in.

What must survive a restart is noted in the journal where it changes; `restoring` puts it back.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from poise.protocols.xmpp.delivery import Output, Published
from poise.protocols.xmpp.jid import Jid
from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.pubsub import forms
from poise.protocols.xmpp.pubsub.config import (
    DEFAULT_CONFIG,
    DEFAULT_OPTIONS,
    NODE_CONFIG,
    NODE_FIELDS,
    OPTION_FIELDS,
    LastItem,
    NodeConfig,
    NodeFull,
    SubscriptionOptions,
)
from poise.protocols.xmpp.pubsub.keeping import Items
from poise.protocols.xmpp.pubsub.nodes import Item, Node, Subscription, SubscriptionState
from poise.protocols.xmpp.pubsub.notifier import END, Notifier
from poise.protocols.xmpp.pubsub.rights import AccessModel, Affiliation, Capability, PublishModel, may
from poise.protocols.xmpp.records import (
    AffiliationRecord,
    ItemRecord,
    NodeRecord,
    Removed,
    SubscriptionRecord,
)
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import StanzaRefused, quote

PRODUCT_CONFIG = NodeConfig(access_model=AccessModel.WHITELIST)
"""How every node of the product is configured, but for its title."""


class PubSub:
    """All nodes of one service."""

    def __init__(self, jid: str, domain: str, shared: Shared, keep: Callable[[str, bytes], bool]) -> None:
        """`domain` is the users'; `keep`: see `Notifier`."""
        self.jid = jid
        self._domain = domain
        self.policy = shared.policy
        self.nodes: dict[str, Node] = {}
        self.items = Items(shared)
        self.notifier = Notifier(jid, shared, keep)
        self.followups: list[Output] = []
        """What goes out behind the answer to the request being carried out."""
        self.affiliated: dict[str, dict[Node, None]] = {}
        """Bare JID -> nodes it has an affiliation with."""
        self._presence = shared.presence
        self._rules = shared.rules
        self._rng = shared.rng
        self._outbox = shared.outbox
        self._events = shared.events
        self._counters = shared.counters
        self._journal = shared.journal
        self._moment = shared.moment
        self._of_user: dict[str, dict[Subscription, None]] = {}

    # Rights

    def is_administrator(self, bare: str) -> bool:
        """Whether this user owns the service."""
        return bare in self._rules.administrators

    def is_user(self, jid: Jid) -> bool:
        """Whether this is the JID of somebody who has an account."""
        return jid.domain == self._domain and self._rules.exists(jid.local)

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

    def allows(self, capability: Capability, node: Node, user: str, bare: str) -> bool:
        """Whether the user may do that with the node."""
        config = node.config
        subscribed = (
            config.publish_model is PublishModel.SUBSCRIBERS or config.access_model is AccessModel.AUTHORIZE
        ) and any(
            subscription.node is node and subscription.state is SubscriptionState.SUBSCRIBED
            for subscription in self._of_user.get(bare, ())
        )
        affiliation = self.affiliation(node, user, bare)
        return may(capability, affiliation, config.access_model, config.publish_model, subscribed)

    def demand(self, capability: Capability, node: Node, user: str, bare: str) -> None:
        """Raise StanzaRefused unless the user may do that with the node."""
        if self.allows(capability, node, user, bare):
            return
        affiliation = self.affiliation(node, user, bare)
        if affiliation in (Affiliation.OUTCAST, Affiliation.PUBLISH_ONLY):
            raise StanzaRefused("forbidden")
        if capability is Capability.RETRIEVE and node.config.access_model is AccessModel.AUTHORIZE:
            raise StanzaRefused("not-authorized", "not-subscribed")
        if capability in (Capability.ASK, Capability.SUBSCRIBE, Capability.RETRIEVE):
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
        self._acceptable(config)
        node = self.nodes[name] = Node(name, config, creator, product, self._moment.wall)
        if creator:
            self.affiliated.setdefault(creator, {})[node] = None
        if not product:
            self._note_node(node)
            self._journal.note(AffiliationRecord(name, creator, Affiliation.OWNER.value))
        return node

    def configure(self, node: Node, config: NodeConfig) -> None:
        """Take on another configuration, and all that follows from it for items and subscriptions."""
        if node.product:
            raise StanzaRefused("not-allowed", text="the server configures this node itself")
        self._acceptable(config)
        before = node.config
        if config == before:
            return
        node.configure(config)
        self._note_node(node)
        gone = self.items.trim(node)
        if gone and config.persist_items and config.notify_retract:
            self._tell_retracted(node, gone)
        if config.notify_config:
            form = forms.form(NODE_FIELDS, NODE_CONFIG, config, "result") if config.deliver_payloads else b""
            self.notifier.event(node, b'<configuration node="%b">%b</configuration>' % (node.quoted, form))
        if config.access_model is not before.access_model:
            for subscription in list(node.subscriptions.values()):
                self._review(subscription)

    def delete(self, node: Node) -> None:
        """Remove the node and tell its subscribers (XEP-0060 section 8.4)."""
        if node.config.notify_delete:
            self.notifier.event(node, b'<delete node="%b"/>' % node.quoted)
        for subscription in node.subscriptions.values():
            self._forget(subscription)
        for bare in node.affiliations:
            self._unaffiliate(node, bare)
        self.items.purge(node)
        del self.nodes[node.name]
        for kind in (NodeRecord, AffiliationRecord, SubscriptionRecord, ItemRecord):
            self._journal.note(Removed(kind, (node.name,)))

    def set_affiliation(self, node: Node, bare: str, affiliation: Affiliation) -> bool:
        """Make the user that to the node; False when it cannot be (the last owner, a node of the product)."""
        current = node.affiliations.get(bare, Affiliation.NONE)
        if current is affiliation:
            return True
        if node.product and affiliation not in (Affiliation.NONE, Affiliation.OUTCAST):
            return False  # who may do what with it is the product's rule
        if current is Affiliation.OWNER and self.owners(node) == [bare]:
            return False
        if affiliation is Affiliation.NONE:
            del node.affiliations[bare]
            self._unaffiliate(node, bare)
            self._journal.note(Removed(AffiliationRecord, (node.name, bare)))
        else:
            if current is Affiliation.NONE and len(node.affiliations) >= self.policy.affiliations_per_node:
                return False
            node.affiliations[bare] = affiliation
            self.affiliated.setdefault(bare, {})[node] = None
            self._journal.note(AffiliationRecord(node.name, bare, affiliation.value))
        for subscription in self.subscriptions_of(bare):
            if subscription.node is node:
                self._review(subscription)
        return True

    def forget_user(self, bare: str) -> None:
        """The user is no more. A node that had no other owner stays the administrators'."""
        for subscription in self.subscriptions_of(bare):
            self.unsubscribe(subscription.node, subscription.jid)
        for node in list(self.affiliated.get(bare, ())):
            del node.affiliations[bare]
            self._unaffiliate(node, bare)
            self._journal.note(Removed(AffiliationRecord, (node.name, bare)))

    def owners(self, node: Node) -> list[str]:
        """Bare JIDs that own the node by affiliation."""
        return [bare for bare, affiliation in node.affiliations.items() if affiliation is Affiliation.OWNER]

    # Subscriptions

    def subscribe(
        self,
        node: Node,
        jid: Jid,
        *,
        state: SubscriptionState = SubscriptionState.SUBSCRIBED,
        durable: bool = False,
        options: SubscriptionOptions | None = None,
    ) -> Subscription:
        """Subscribe a bare or full JID; again is the same as once, but may approve, and change options. `durable`: its
        user or an owner wants it. Raises StanzaRefused when there are too many."""
        subscription = node.subscriptions.get(jid.full)
        if subscription is None:
            subscription = self._new(node, jid)
            subscription.state = state
            self._tell_owners(subscription, state.value)
        elif state is SubscriptionState.SUBSCRIBED:
            subscription.state = state
        if options is not None:
            subscription.options = options
        node.receivers = None
        if durable:
            subscription.durable = True
            self._note_subscription(subscription)
        return subscription

    def unsubscribe(self, node: Node, jid: str) -> bool:
        """End the subscription of exactly this JID; False when there was none."""
        subscription = node.subscriptions.pop(jid, None)
        if subscription is None:
            return False
        self._forget(subscription)
        node.receivers = None
        if subscription.durable:
            self._journal.note(Removed(SubscriptionRecord, (node.name, jid)))
        self._tell_owners(subscription, "none")
        return True

    def cancel(self, subscription: Subscription) -> None:
        """End a subscription that its user did not end, and say so."""
        self.unsubscribe(subscription.node, subscription.jid)
        self.notifier.subscription_changed(subscription.node, subscription.jid, "none")

    def approve(self, subscription: Subscription) -> None:
        """A pending subscription is one from now on."""
        subscription.state = SubscriptionState.SUBSCRIBED
        subscription.node.receivers = None
        if subscription.durable:
            self._note_subscription(subscription)
        self.notifier.subscription_changed(subscription.node, subscription.jid, "subscribed")

    def set_options(self, subscription: Subscription, options: SubscriptionOptions) -> None:
        """Change how a subscriber is told of items."""
        subscription.options = options
        subscription.durable = True
        subscription.node.receivers = None
        self._note_subscription(subscription)

    def subscriptions_of(self, bare: str) -> tuple[Subscription, ...]:
        """All subscriptions of a user, bare and full, oldest first."""
        return tuple(self._of_user.get(bare, ()))

    def review(self, bare: str) -> None:
        """The user's rights may have changed: end the subscriptions that are not allowed any more."""
        for subscription in self.subscriptions_of(bare):
            self._review(subscription)

    def send_last_item(self, subscription: Subscription) -> None:
        """Send the newest item behind the answer to the subscription, where the node does so."""
        node = subscription.node
        if node.items and node.config.send_last_published_item is not LastItem.NEVER:
            self.followups += self.notifier.last_item(node, subscription, _newest(node))

    def presence_changed(self, bare: str, left: bool) -> None:
        """Resolve anew, when next needed, the nodes this user subscribes to; subscriptions bound to presence end."""
        over: list[Subscription] = []
        for subscription in self._of_user.get(bare, ()):
            subscription.node.receivers = None
            if left and subscription.options.until_unavailable and not self._available(subscription):
                over.append(subscription)
        for subscription in over:
            self.unsubscribe(subscription.node, subscription.jid)

    def came(self, session: Session) -> None:
        """A session is available for the first time: nodes that do so send their newest item."""
        for subscription in self._of_user.get(session.account.bare, ()):
            node = subscription.node
            if (
                node.items
                and node.config.send_last_published_item is LastItem.ON_SUB_AND_PRESENCE
                and subscription.state is SubscriptionState.SUBSCRIBED
                and subscription.options.deliver
                and subscription.resource in ("", session.resource)
            ):
                self._outbox.extend(self.notifier.last_item(node, subscription, _newest(node), session))

    # Items

    def publish(self, node: Node, item_id: str, payload: bytes, publisher: str = "") -> int:
        """Notify the subscribers of an item, and keep it where the node keeps items; `payload` is one serialised
        element whose namespace is written out, or empty for a notification without. Returns to how many clients it
        goes. Raises StanzaRefused when there is no room for it."""
        counters = self._counters
        config = node.config
        gone = self.items.keep(node, item_id, payload, publisher) if config.persist_items and item_id else None
        counters.published += 1
        delivered = absent = 0
        if config.deliver_notifications:
            if payload and config.deliver_payloads:
                inside = b'<item id="%b">%b</item>' % (quote(item_id), payload)
            elif item_id:
                inside = b'<item id="%b"/>' % quote(item_id)
            else:
                inside = b""
            delivered, absent = self.notifier.send(node, node.opening + inside + END)
        self._events.append(Published(node.name, item_id, delivered, absent))
        if gone and config.notify_retract and config.publish_node_full is NodeFull.RETRACT_OLDEST:
            self._tell_retracted(node, gone)
        return delivered

    def retract(self, node: Node, item_ids: list[str], notify: bool) -> None:
        """Remove items, which the node has."""
        for item_id in item_ids:
            self.items.drop(node, item_id)
        if notify or node.config.notify_retract:
            self._tell_retracted(node, item_ids)

    def purge(self, node: Node) -> None:
        """Remove all items and say so once (XEP-0060 section 8.5)."""
        self.items.purge(node)
        self.notifier.event(node, b'<purge node="%b"/>' % node.quoted)

    def new_item_id(self) -> str:
        """An id for an item whose publisher gave none: a UUID and a digit, the form the seed's captures show."""
        return f"{uuid.UUID(int=self._rng.getrandbits(128), version=4)}{self._rng.getrandbits(3)}"

    # Inside

    def _acceptable(self, config: NodeConfig) -> None:
        if config.max_items is not None and config.max_items > self.policy.items_per_node:
            raise StanzaRefused("not-acceptable", text=f"a node keeps at most {self.policy.items_per_node} items")

    def _new(self, node: Node, jid: Jid) -> Subscription:
        if len(node.subscriptions) >= self.policy.subscriptions_per_node:
            raise StanzaRefused("policy-violation", "too-many-subscriptions")
        mine = self._of_user.setdefault(jid.bare, {})
        if len(mine) >= self.policy.subscriptions_per_user:
            self._make_room(mine)
        subscription = Subscription(node, jid.full, jid.bare, jid.resource)
        node.subscriptions[jid.full] = subscription
        self._of_user.setdefault(jid.bare, mine)[subscription] = None
        return subscription

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

    def _unaffiliate(self, node: Node, bare: str) -> None:
        mine = self.affiliated[bare]
        del mine[node]
        if not mine:
            del self.affiliated[bare]

    def _review(self, subscription: Subscription) -> None:
        """Approve what needs no approval any more, end what is not allowed any more, leave the rest as it is."""
        node, bare = subscription.node, subscription.bare
        user = bare.partition("@")[0]
        if not self.allows(Capability.ASK, node, user, bare):
            self.cancel(subscription)
        elif subscription.state is SubscriptionState.PENDING and self.allows(Capability.SUBSCRIBE, node, user, bare):
            self.approve(subscription)

    def _available(self, subscription: Subscription) -> bool:
        account = self._presence.account(subscription.bare)
        here = account.available if account is not None else ()
        return any(not subscription.resource or session.jid == subscription.jid for session in here)

    def _tell_owners(self, subscription: Subscription, state: str) -> None:
        node = subscription.node
        if node.config.notify_sub:
            self.notifier.to_owners(node, self.owners(node), subscription, state)

    def _tell_retracted(self, node: Node, item_ids: list[str]) -> None:
        inside = b"".join(b'<retract id="%b"/>' % quote(item_id) for item_id in item_ids)
        self.notifier.send(node, node.opening + inside + END)

    def _note_node(self, node: Node) -> None:
        config = forms.packed(NODE_FIELDS, node.config, DEFAULT_CONFIG)
        self._journal.note(NodeRecord(node.name, node.creator, node.created_at, config))

    def _note_subscription(self, subscription: Subscription) -> None:
        if subscription.options.until_unavailable:  # a server that ends takes everybody's presence with it
            self._journal.note(Removed(SubscriptionRecord, (subscription.node.name, subscription.jid)))
            return
        options = forms.packed(OPTION_FIELDS, subscription.options, DEFAULT_OPTIONS)
        record = SubscriptionRecord(subscription.node.name, subscription.jid, subscription.state.value, options)
        self._journal.note(record)


def _newest(node: Node) -> Item:
    return node.items[next(reversed(node.items))]

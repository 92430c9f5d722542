"""A node, its subscriptions and its items: what is known, not what is done with it."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from poise.protocols.xmpp.delivery import Client
from poise.protocols.xmpp.pubsub.config import DEFAULT_OPTIONS, NodeConfig, NotificationType, SubscriptionOptions
from poise.protocols.xmpp.pubsub.rights import Affiliation
from poise.protocols.xmpp.stanzas import PUBSUB_EVENT_NS, quote


class SubscriptionState(Enum):
    """The values are those of the wire; who is not subscribed has no subscription here."""

    SUBSCRIBED = "subscribed"
    PENDING = "pending"


class Subscription:
    """One JID that hears of a node's items."""

    __slots__ = ("bare", "durable", "jid", "node", "options", "resource", "state")

    def __init__(self, node: Node, jid: str, bare: str, resource: str) -> None:
        self.node = node
        self.jid = jid
        self.bare = bare
        self.resource = resource
        """Empty: every available resource of the user with a priority of 0 or more."""
        self.state = SubscriptionState.SUBSCRIBED
        self.options: SubscriptionOptions = DEFAULT_OPTIONS
        self.durable = False
        """Whether its user or an owner asked for it, so that it outlives the server; the product makes its own anew."""


class Item:
    """One item that is kept."""

    __slots__ = ("at", "id", "number", "payload", "publisher")

    def __init__(self, item_id: str, payload: bytes, publisher: str, at: float, number: int) -> None:
        self.id = item_id
        self.payload = payload
        """One serialised element with its namespace; empty for an item without."""
        self.publisher = publisher
        """Bare JID; empty: the product."""
        self.at = at
        """Seconds since the epoch; 0 when not known."""
        self.number = number
        """Rises with every publication of the service."""

    def xml(self, payload: bool = True) -> bytes:
        """The item as it stands in notifications and answers."""
        if payload and self.payload:
            return b'<item id="%b">%b</item>' % (quote(self.id), self.payload)
        return b'<item id="%b"/>' % quote(self.id)


NO_ITEMS: dict[str, Item] = {}
"""The items of every node that has none; never written to, because nodes are many and most keep nothing."""


class Receivers(NamedTuple):
    """Where a node's notifications go, until somebody comes, goes, subscribes or unsubscribes.

    Each entry holds the stanza up to the last five characters of the message id.
    """

    targets: tuple[tuple[Client, bytes], ...]
    absent: tuple[tuple[str, bytes], ...]
    """JIDs of subscribers who are not there."""


class Node:
    """A leaf node."""

    __slots__ = (
        "affiliations",
        "config",
        "created_at",
        "creator",
        "item_bytes",
        "items",
        "name",
        "opening",
        "product",
        "quoted",
        "receivers",
        "subscriptions",
    )

    def __init__(self, name: str, config: NodeConfig, creator: str, product: bool, created_at: float = 0.0) -> None:
        self.name = name
        self.quoted = quote(name)
        """The name as the bytes of an attribute."""
        self.creator = creator
        """Bare JID of who created it; empty for the product's own."""
        self.product = product
        """Whether the product's rule says who may subscribe."""
        self.created_at = created_at
        """Seconds since the epoch; 0 when not known."""
        self.affiliations: dict[str, Affiliation] = {creator: Affiliation.OWNER} if creator else {}
        """By bare JID; everybody else has none."""
        self.subscriptions: dict[str, Subscription] = {}
        """By JID, in the order of subscribing, which is the order of delivery."""
        self.items: dict[str, Item] = NO_ITEMS
        """By id, oldest publication first."""
        self.item_bytes = 0
        """Size of what is kept."""
        self.receivers: Receivers | None = None
        """Resolved subscriptions; None: to be resolved at the next publication."""
        self.config = config
        self.opening = b""
        """What follows the message id in every notification of items."""
        self.configure(config)

    def configure(self, config: NodeConfig) -> None:
        """Take on a configuration and make ready what follows from it."""
        self.config = config
        self.receivers = None
        self.opening = b'%b<items node="%b">' % (self.event, self.quoted)

    @property
    def event(self) -> bytes:
        """What follows the message id in everything a subscriber is told."""
        headline = b' type="headline"' if self.config.notification_type is NotificationType.HEADLINE else b""
        return b'"%b><event xmlns="%b">' % (headline, PUBSUB_EVENT_NS.encode())

"""A node, its subscriptions, and the form that configures it (XEP-0060 sections 8.2 and 16.4.4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from poise.protocols.xmpp.delivery import Client
from poise.protocols.xmpp.pubsub.rights import AccessModel, Affiliation, PublishModel
from poise.protocols.xmpp.stanzas import DATA_FORM_NS, PUBSUB_EVENT_NS, StanzaRefused, quote
from poise.protocols.xmpp.xml import Element

NODE_CONFIG: Final = "http://jabber.org/protocol/pubsub#node_config"


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What an owner can choose; the names are those of the form's fields."""

    title: str = ""
    access_model: AccessModel = AccessModel.OPEN
    publish_model: PublishModel = PublishModel.PUBLISHERS
    deliver_notifications: bool = True
    deliver_payloads: bool = True
    notify_delete: bool = True
    max_payload_size: int | None = None
    """Bytes; None: the service's own limit, which also bounds this one."""


class Subscription:
    """One JID that hears of a node's items."""

    __slots__ = ("bare", "jid", "node", "resource")

    def __init__(self, node: Node, jid: str, bare: str, resource: str) -> None:
        self.node = node
        self.jid = jid
        self.bare = bare
        self.resource = resource
        """Empty: every available resource of the user with a priority of 0 or more."""


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
        "creator",
        "name",
        "opening",
        "product",
        "quoted",
        "receivers",
        "subscriptions",
    )

    def __init__(self, name: str, config: NodeConfig, creator: str, product: bool) -> None:
        self.name = name
        self.quoted = quote(name)
        """The name as the bytes of an attribute."""
        self.config = config
        self.creator = creator
        """Bare JID of who created it; empty for the product's own."""
        self.product = product
        """Whether the product's rule says who may subscribe."""
        self.affiliations: dict[str, Affiliation] = {creator: Affiliation.OWNER} if creator else {}
        """By bare JID; everybody else has none."""
        self.subscriptions: dict[str, Subscription] = {}
        """By JID, in the order of subscribing, which is the order of delivery."""
        self.receivers: Receivers | None = None
        """Resolved subscriptions; None: to be resolved at the next publication."""
        self.opening = b'"><event xmlns="%b"><items node="%b">' % (PUBSUB_EVENT_NS.encode(), self.quoted)
        """What follows the message id in every notification."""


class Field(NamedTuple):
    """How one field of the form is read."""

    attribute: str
    """Attribute of NodeConfig; empty where no choice makes a difference on nodes that keep no items."""
    read: Callable[[str], Any]


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    if value in ("1", "true"):
        return True
    if value in ("0", "false"):
        return False
    raise StanzaRefused("bad-request", text="a boolean is 0, 1, true or false")


def _number(value: str) -> int:
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return int(value)
    raise StanzaRefused("bad-request", text="a number was expected")


def _count(value: str) -> int:
    return 0 if value == "max" else _number(value)


def _access(value: str) -> AccessModel:
    try:
        return AccessModel(value)
    except ValueError:
        raise StanzaRefused("not-acceptable", "unsupported-access-model") from None


def _publish(value: str) -> PublishModel:
    try:
        return PublishModel(value)
    except ValueError:
        raise StanzaRefused("not-acceptable", text="publish_model is publishers, subscribers or open") from None


def _not_kept(value: str) -> None:
    if _flag(value):
        raise StanzaRefused("not-acceptable", text="items are delivered, not kept: persist_items must be 0")


def _last(value: str) -> None:
    if value not in ("never", "on_sub", "on_sub_and_presence"):
        raise StanzaRefused("not-acceptable", text="unknown value of send_last_published_item")


def _leaf(value: str) -> None:
    if value != "leaf":
        raise StanzaRefused("feature-not-implemented", "unsupported", feature="collections")


FIELDS: Final[Mapping[str, Field]] = {
    "pubsub#title": Field("title", _text),
    "pubsub#access_model": Field("access_model", _access),
    "pubsub#publish_model": Field("publish_model", _publish),
    "pubsub#deliver_notifications": Field("deliver_notifications", _flag),
    "pubsub#deliver_payloads": Field("deliver_payloads", _flag),
    "pubsub#notify_delete": Field("notify_delete", _flag),
    "pubsub#max_payload_size": Field("max_payload_size", _number),
    "pubsub#persist_items": Field("", _not_kept),
    "pubsub#send_last_published_item": Field("", _last),
    "pubsub#node_type": Field("", _leaf),
    "pubsub#max_items": Field("", _count),
    "pubsub#notify_config": Field("", _flag),
    "pubsub#notify_retract": Field("", _flag),
    "pubsub#notify_sub": Field("", _flag),
    "pubsub#presence_based_delivery": Field("", _flag),
    "pubsub#purge_offline": Field("", _flag),
}
"""Fields we read; others are ignored, as XEP-0004 section 3.2 wishes. A value that we could not honour is refused."""


def configured(base: NodeConfig, configure: Element) -> NodeConfig:
    """The configuration after a `<configure/>` with a submitted form; fields that it leaves out stay. Raises
    StanzaRefused."""
    form = configure.child("x", DATA_FORM_NS)
    if form is None or form.attrs.get("type") == "cancel":
        return base
    if form.attrs.get("type") != "submit":
        raise StanzaRefused("bad-request", text="a form to configure with has type submit")
    changes: dict[str, Any] = {}
    form_type = ""
    for field in form.elements():
        if field.name != "field":
            continue
        var = field.attrs.get("var", "")
        child = field.child("value")
        value = child.text.strip() if child is not None else ""
        if var == "FORM_TYPE":
            form_type = value
        elif var in FIELDS and child is not None:
            known = FIELDS[var]
            read = known.read(value)
            if known.attribute:
                changes[known.attribute] = read
    if form_type != NODE_CONFIG:
        raise StanzaRefused("bad-request", text="FORM_TYPE is missing or another form's")
    return replace(base, **changes)

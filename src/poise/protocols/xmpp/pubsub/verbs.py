"""The requests of XEP-0060 as one table: what is asked for -> who answers, and which feature that lets us announce.

A handler takes a request and gives the payload of the iq result, or raises StanzaRefused. What the protocol knows and
this service does not do stands in a second table with the name of the missing feature, so that a client is told what
to avoid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from poise.protocols.xmpp.jid import JidError, prepare
from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.pubsub.nodes import Node, NodeConfig, Subscription, configured
from poise.protocols.xmpp.pubsub.rights import Capability
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.stanzas import PUBSUB_EVENT_NS, PUBSUB_NS, PUBSUB_OWNER_NS, StanzaRefused, quote
from poise.protocols.xmpp.xml import Element, to_bytes


class Request(NamedTuple):
    """One verb somebody sent."""

    sender: Session
    verb: Element
    companions: tuple[Element, ...]
    """What stood beside it in `<pubsub/>`."""


def answer(service: PubSub, sender: Session, iq_type: str, wrapper: Element) -> bytes:
    """Carry out what is inside `<pubsub/>`; the payload of the result. Raises StanzaRefused."""
    elements = [child for child in wrapper.children if type(child) is Element]
    if not elements:
        raise StanzaRefused("bad-request", text="nothing is asked for")
    verb = elements[0]
    known = VERBS.get((iq_type, verb.ns, verb.name))
    if known is None or verb.ns != wrapper.ns:
        raise _unknown(verb)
    if len(elements) == 1:
        return known.handler(service, Request(sender, verb, ()))
    for companion in elements[1:]:
        if companion.name not in known.companions:
            raise _unknown(companion)
    return known.handler(service, Request(sender, verb, tuple(elements[1:])))


def _unknown(element: Element) -> StanzaRefused:
    feature = NOT_IMPLEMENTED.get((element.ns, element.name))
    if feature is None:
        return StanzaRefused("bad-request", text="not a request of XEP-0060")
    return StanzaRefused("feature-not-implemented", "unsupported", feature=feature)


def _named(service: PubSub, verb: Element) -> Node:
    """The node a verb is about."""
    name = verb.attrs.get("node")
    if not name:
        raise StanzaRefused("bad-request", "nodeid-required")
    node = service.nodes.get(name)
    if node is None:
        raise StanzaRefused("item-not-found")
    return node


def _create(service: PubSub, request: Request) -> bytes:
    name = request.verb.attrs.get("node")
    account = request.sender.account
    if not service.is_administrator(account.bare):
        raise StanzaRefused("forbidden")
    if not name:
        raise StanzaRefused("not-acceptable", "nodeid-required")
    config = NodeConfig()
    for companion in request.companions:
        if "node" in companion.attrs:
            raise StanzaRefused("bad-request", text="configure beside create names no node")
        config = configured(config, companion)
    service.create(name, config, creator=account.bare)
    return b""


def _delete(service: PubSub, request: Request) -> bytes:
    node = _named(service, request.verb)
    account = request.sender.account
    service.demand(Capability.DELETE, node, account.user, account.bare)
    service.delete(node)
    return b""


def _publish(service: PubSub, request: Request) -> bytes:
    verb = request.verb
    node = _named(service, verb)
    account = request.sender.account
    service.demand(Capability.PUBLISH, node, account.user, account.bare)
    items = [child for child in verb.children if type(child) is Element]
    if not node.config.deliver_payloads:
        if items:
            raise StanzaRefused("bad-request", "item-forbidden")
        service.publish(node, "", b"")
        return b""
    if not items:
        raise StanzaRefused("bad-request", "item-required")
    item = items[0]
    if len(items) > 1 or item.name != "item":
        raise StanzaRefused("bad-request", "invalid-payload")
    payloads = [child for child in item.children if type(child) is Element]
    if not payloads:
        raise StanzaRefused("bad-request", "payload-required")
    if len(payloads) > 1:
        raise StanzaRefused("bad-request", "invalid-payload")
    payload = to_bytes(payloads[0], PUBSUB_EVENT_NS)
    limit = node.config.max_payload_size
    if len(payload) > service.policy.payload_bytes or (limit is not None and len(payload) > limit):
        raise StanzaRefused("not-acceptable", "payload-too-big")
    item_id = item.attrs.get("id") or service.new_item_id()
    if len(item_id) > service.policy.item_id_bytes or len(item_id.encode()) > service.policy.item_id_bytes:
        raise StanzaRefused("not-acceptable", text=f"an item id has at most {service.policy.item_id_bytes} bytes")
    service.publish(node, item_id, payload)
    return b'<pubsub xmlns="%b"><publish node="%b"><item id="%b"/></publish></pubsub>' % (
        _PUBSUB,
        node.quoted,
        quote(item_id),
    )


def _subscribe(service: PubSub, request: Request) -> bytes:
    node = _named(service, request.verb)
    account = request.sender.account
    try:
        jid = prepare(request.verb.attrs.get("jid", ""))
    except JidError:
        raise StanzaRefused("bad-request", "invalid-jid") from None
    if jid.bare != account.bare:
        raise StanzaRefused("bad-request", "invalid-jid")
    service.demand(Capability.SUBSCRIBE, node, account.user, account.bare)
    return b'<pubsub xmlns="%b">%b</pubsub>' % (_PUBSUB, _entry(service.subscribe(node, jid)))


def _unsubscribe(service: PubSub, request: Request) -> bytes:
    # A `subid` is not looked at: a JID has at most one subscription to a node here, so none was ever given out.
    node = _named(service, request.verb)
    try:
        jid = prepare(request.verb.attrs.get("jid", ""))
    except JidError:
        raise StanzaRefused("bad-request", "invalid-jid") from None
    if jid.bare != request.sender.account.bare:
        raise StanzaRefused("forbidden")
    if not service.unsubscribe(node, jid.full):
        raise StanzaRefused("unexpected-request", "not-subscribed", kind="cancel")
    return b""


def _subscriptions(service: PubSub, request: Request) -> bytes:
    mine = service.subscriptions_of(request.sender.account.bare)
    at_node = b""
    if request.verb.attrs.get("node"):
        node = _named(service, request.verb)
        mine = tuple(subscription for subscription in mine if subscription.node is node)
        at_node = b' node="%b"' % node.quoted
    entries = b"".join(map(_entry, mine))
    return b'<pubsub xmlns="%b"><subscriptions%b>%b</subscriptions></pubsub>' % (_PUBSUB, at_node, entries)


def _entry(subscription: Subscription) -> bytes:
    return b'<subscription node="%b" jid="%b" subscription="subscribed"/>' % (
        subscription.node.quoted,
        quote(subscription.jid),
    )


def _items(service: PubSub, request: Request) -> bytes:
    node = _named(service, request.verb)
    account = request.sender.account
    service.demand(Capability.RETRIEVE, node, account.user, account.bare)
    raise StanzaRefused("feature-not-implemented", "unsupported", feature="persistent-items")


_PUBSUB: Final = PUBSUB_NS.encode()


class Verb(NamedTuple):
    """How a request is answered."""

    handler: Callable[[PubSub, Request], bytes]
    features: tuple[str, ...] = ()
    """Names announced by disco#info, after `http://jabber.org/protocol/pubsub#`."""
    companions: frozenset[str] = frozenset()
    """Elements allowed beside the verb."""


VERBS: Final[Mapping[tuple[str, str, str], Verb]] = {
    ("set", PUBSUB_NS, "create"): Verb(_create, ("create-nodes", "create-and-configure"), frozenset(("configure",))),
    ("set", PUBSUB_NS, "publish"): Verb(_publish, ("publish", "item-ids")),
    ("set", PUBSUB_NS, "subscribe"): Verb(_subscribe, ("subscribe",)),
    ("set", PUBSUB_NS, "unsubscribe"): Verb(_unsubscribe),
    ("get", PUBSUB_NS, "subscriptions"): Verb(_subscriptions, ("retrieve-subscriptions",)),
    ("get", PUBSUB_NS, "items"): Verb(_items, (), frozenset(("set",))),
    ("set", PUBSUB_OWNER_NS, "delete"): Verb(_delete, ("delete-nodes",)),
}
"""(iq type, namespace, element) -> verb."""

NOT_IMPLEMENTED: Final[Mapping[tuple[str, str], str]] = {
    (PUBSUB_NS, "affiliations"): "retrieve-affiliations",
    (PUBSUB_NS, "default"): "retrieve-default-sub",
    (PUBSUB_NS, "options"): "subscription-options",
    (PUBSUB_NS, "publish-options"): "publish-options",
    (PUBSUB_NS, "purge"): "purge-nodes",  # the wrong namespace, but the one JabberWerx uses
    (PUBSUB_NS, "retract"): "retract-items",
    (PUBSUB_OWNER_NS, "affiliations"): "modify-affiliations",
    (PUBSUB_OWNER_NS, "configure"): "config-node",
    (PUBSUB_OWNER_NS, "default"): "retrieve-default",
    (PUBSUB_OWNER_NS, "purge"): "purge-nodes",
    (PUBSUB_OWNER_NS, "subscriptions"): "manage-subscriptions",
}
"""(namespace, element) of XEP-0060 that nothing above answers -> the feature that would."""

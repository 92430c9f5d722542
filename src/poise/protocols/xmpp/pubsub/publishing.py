"""What publishers and readers of items ask for: publish, retract, purge, and the items themselves."""

from __future__ import annotations

from poise.protocols.xmpp import disco
from poise.protocols.xmpp.pubsub.config import check_preconditions
from poise.protocols.xmpp.pubsub.forms import flag
from poise.protocols.xmpp.pubsub.nodes import Node
from poise.protocols.xmpp.pubsub.requests import Request, companion, elements, permitted, user_answer
from poise.protocols.xmpp.pubsub.rights import Capability
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.stanzas import StanzaRefused, quote
from poise.protocols.xmpp.xml import Element, to_bytes


def publish(service: PubSub, request: Request) -> bytes:
    """One item on its way; several at once are refused rather than published in part."""
    node = permitted(service, request, Capability.PUBLISH)
    options = companion(request, "publish-options")
    if options is not None:
        check_preconditions(node.config, options)
    item = _item(node, request.verb)
    publisher = request.sender.account.bare
    if item is None:
        service.publish(node, "", b"", publisher)
        return b""
    payload = _payload(service, node, item)
    item_id = item.attrs.get("id") or service.new_item_id()
    if len(item_id) > service.policy.item_id_bytes or len(item_id.encode()) > service.policy.item_id_bytes:
        raise StanzaRefused("not-acceptable", text=f"an item id has at most {service.policy.item_id_bytes} bytes")
    service.publish(node, item_id, payload, publisher)
    return user_answer(b'<publish node="%b"><item id="%b"/></publish>' % (node.quoted, quote(item_id)))


def _item(node: Node, verb: Element) -> Element | None:
    """The item that the kind of node asks for; None for a node that takes none (XEP-0060 section 7.1.3.6)."""
    found = [child for child in verb.children if type(child) is Element]
    config = node.config
    if not found:
        if config.persist_items or config.deliver_payloads:
            raise StanzaRefused("bad-request", "item-required")
        return None
    if not config.deliver_payloads and not config.persist_items:
        raise StanzaRefused("bad-request", "item-forbidden")
    if len(found) > 1 or found[0].name != "item":
        raise StanzaRefused("bad-request", "invalid-payload")
    return found[0]


def _payload(service: PubSub, node: Node, item: Element) -> bytes:
    payloads = [child for child in item.children if type(child) is Element]
    config = node.config
    if len(payloads) > 1:
        raise StanzaRefused("bad-request", "invalid-payload")
    if not payloads:
        if config.deliver_payloads:
            raise StanzaRefused("bad-request", "payload-required")
        return b""
    payload = to_bytes(payloads[0])
    limit = config.max_payload_size
    if len(payload) > service.policy.payload_bytes or (limit is not None and len(payload) > limit):
        raise StanzaRefused("not-acceptable", "payload-too-big")
    return payload


def retract(service: PubSub, request: Request) -> bytes:
    """Remove items: all that are named, or none of them."""
    node = permitted(service, request, Capability.RETRACT_OWN)
    account = request.sender.account
    item_ids = list(dict.fromkeys(item.attrs.get("id", "") for item in elements(request.verb, "item", "item-required")))
    if "" in item_ids:
        raise StanzaRefused("bad-request", "item-required")
    _keeps_items(node)
    any_item = service.allows(Capability.RETRACT, node, account.user, account.bare)
    for item_id in item_ids:
        item = node.items.get(item_id)
        if item is None:
            raise StanzaRefused("item-not-found")
        if not any_item and item.publisher != account.bare:
            raise StanzaRefused("forbidden")
    notify = request.verb.attrs.get("notify")
    service.retract(node, item_ids, flag((notify,)) if notify is not None else False)
    return b""


def purge(service: PubSub, request: Request) -> bytes:
    """Remove all items. JabberWerx asks for it in the users' namespace; whoever may do it is understood."""
    node = permitted(service, request, Capability.PURGE)
    _keeps_items(node)
    service.purge(node)
    return b""


def items(service: PubSub, request: Request) -> bytes:
    """What a node keeps: all, the newest so many, or those named; in the order of publication, a page at a time when
    it is much (XEP-0060 section 6.5)."""
    node = permitted(service, request, Capability.RETRIEVE)
    _keeps_items(node)
    wanted = [child.attrs.get("id", "") for child in request.verb.elements() if child.name == "item"]
    keys = [item_id for item_id in dict.fromkeys(wanted) if item_id in node.items] if wanted else list(node.items)
    most = request.verb.attrs.get("max_items")
    if most is not None:
        keys = keys[-disco.number(most, "max_items") :] if disco.number(most, "max_items") else []
    page = disco.page(
        keys,
        companion(request, "set"),
        service.policy.items_per_answer,
        size_of=lambda item_id: len(node.items[item_id].payload) + len(item_id),
        bytes_at_most=service.policy.answer_bytes,
    )
    inside = b"".join(node.items[item_id].xml() for item_id in keys[page.start : page.stop])
    return user_answer(b'<items node="%b">%b</items>%b' % (node.quoted, inside, page.paging))


def _keeps_items(node: Node) -> None:
    if not node.config.persist_items:
        raise StanzaRefused("feature-not-implemented", "unsupported", feature="persistent-items")

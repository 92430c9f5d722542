"""What the pubsub service says of itself and its nodes (XEP-0060 section 5). Everybody may list every node."""

from __future__ import annotations

from typing import Final

from poise.protocols.xmpp import disco
from poise.protocols.xmpp.moment import stamp
from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.pubsub.nodes import Node
from poise.protocols.xmpp.pubsub.rights import Capability
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.pubsub.verbs import FEATURES
from poise.protocols.xmpp.stanzas import DISCO_INFO_NS, DISCO_ITEMS_NS, PING_NS, PUBSUB_NS, RSM_NS, StanzaRefused
from poise.protocols.xmpp.xml import Element

SERVICE_FEATURES: Final = (
    DISCO_INFO_NS,
    DISCO_ITEMS_NS,
    RSM_NS,
    PING_NS,
    PUBSUB_NS,
    *(f"{PUBSUB_NS}#{name}" for name in FEATURES),
)
NODE_FEATURES: Final = (DISCO_INFO_NS, DISCO_ITEMS_NS, RSM_NS, PUBSUB_NS)
META_DATA: Final = f"{PUBSUB_NS}#meta-data"


def info(service: PubSub, query: Element) -> bytes:
    """Answer disco#info of the service or one of its nodes."""
    name = query.attrs.get("node", "")
    if not name:
        return disco.info(disco.Identity("pubsub", "service", "Notifications"), SERVICE_FEATURES)
    form = disco.result_form(META_DATA, _meta_data(_find(service, name)))
    return disco.info(disco.Identity("pubsub", "leaf"), NODE_FEATURES, name, form)


def _meta_data(node: Node) -> list[tuple[str, str]]:
    config = node.config
    fields = [
        ("pubsub#type", config.type or PUBSUB_NS),
        ("pubsub#title", config.title),
        ("pubsub#access_model", config.access_model.value),
        ("pubsub#publish_model", config.publish_model.value),
        ("pubsub#num_subscribers", str(len(node.subscriptions))),
    ]
    if config.description:
        fields.append(("pubsub#description", config.description))
    if node.created_at:
        fields.append(("pubsub#creation_date", stamp(node.created_at).decode()))
    if node.creator:
        fields.append(("pubsub#creator", node.creator))
    return fields


def items(service: PubSub, sender: Session, query: Element) -> bytes:
    """Answer disco#items of the service (its nodes) or of a node (the items it keeps, to those who may see them)."""
    name = query.attrs.get("node", "")
    if name:
        return _items_of(service, _find(service, name), sender, query)
    names = tuple(service.nodes)
    page = disco.page(names, disco.paging_of(query), service.policy.disco_page_items)
    found = (disco.Item(service.jid, node, service.nodes[node].config.title) for node in names[page.start : page.stop])
    return disco.items(found, paging=page.paging)


def _items_of(service: PubSub, node: Node, sender: Session, query: Element) -> bytes:
    account = sender.account
    seen = service.allows(Capability.RETRIEVE, node, account.user, account.bare)
    names = tuple(node.items) if seen else ()
    page = disco.page(names, disco.paging_of(query), service.policy.disco_page_items)
    found = (disco.Item(service.jid, name=item_id) for item_id in names[page.start : page.stop])
    return disco.items(found, node.name, page.paging)


def _find(service: PubSub, name: str) -> Node:
    node = service.nodes.get(name)
    if node is None:
        raise StanzaRefused("item-not-found")
    return node

"""What the pubsub service says of itself and its nodes (XEP-0060 section 5). Everybody may list every node."""

from __future__ import annotations

from typing import Final

from poise.protocols.xmpp import disco
from poise.protocols.xmpp.pubsub.nodes import Node
from poise.protocols.xmpp.pubsub.rights import AccessModel
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.pubsub.verbs import VERBS
from poise.protocols.xmpp.stanzas import DISCO_INFO_NS, DISCO_ITEMS_NS, PING_NS, PUBSUB_NS, RSM_NS, StanzaRefused
from poise.protocols.xmpp.xml import Element

SERVICE_FEATURES: Final = (
    DISCO_INFO_NS,
    DISCO_ITEMS_NS,
    RSM_NS,
    PING_NS,
    PUBSUB_NS,
    *(
        f"{PUBSUB_NS}#{name}"
        for name in (
            *(feature for verb in VERBS.values() for feature in verb.features),
            *(f"access-{model.value}" for model in AccessModel),
            "meta-data",
        )
    ),
)
"""Drawn from the table of verbs: announced is what is answered."""
NODE_FEATURES: Final = (DISCO_INFO_NS, DISCO_ITEMS_NS, PUBSUB_NS)
META_DATA: Final = f"{PUBSUB_NS}#meta-data"


def info(service: PubSub, query: Element) -> bytes:
    """Answer disco#info of the service or one of its nodes."""
    name = query.attrs.get("node", "")
    if not name:
        return disco.info(disco.Identity("pubsub", "service", "Notifications"), SERVICE_FEATURES)
    node = _find(service, name)
    fields = [
        ("pubsub#type", PUBSUB_NS),
        ("pubsub#title", node.config.title),
        ("pubsub#access_model", node.config.access_model.value),
        ("pubsub#publish_model", node.config.publish_model.value),
        ("pubsub#num_subscribers", str(len(node.subscriptions))),
    ]
    if node.creator:
        fields.append(("pubsub#creator", node.creator))
    form = disco.result_form(META_DATA, fields)
    return disco.info(disco.Identity("pubsub", "leaf"), NODE_FEATURES, name, form)


def items(service: PubSub, query: Element) -> bytes:
    """Answer disco#items of the service (its nodes) or of a node (its items, of which none is kept)."""
    name = query.attrs.get("node", "")
    if name:
        _find(service, name)
        return disco.items((), name)
    names = tuple(service.nodes)
    page = disco.page(names, query, service.policy.disco_page_items)
    found = (disco.Item(service.jid, node, service.nodes[node].config.title) for node in names[page.start : page.stop])
    return disco.items(found, paging=page.paging)


def _find(service: PubSub, name: str) -> Node:
    node = service.nodes.get(name)
    if node is None:
        raise StanzaRefused("item-not-found")
    return node

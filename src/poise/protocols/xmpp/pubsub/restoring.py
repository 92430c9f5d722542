"""Puts stored records back, and keeps those whose node is not there yet.

Nodes of the product come into being after the start, when the telephone system has told who there is; what was stored
about them (explicit subscriptions, outcasts) waits until then, and is dropped when the product says that it has made
all its nodes, or when its rule does not allow a subscription any more.
"""

from __future__ import annotations

from dataclasses import replace

from poise.protocols.xmpp.jid import prepare
from poise.protocols.xmpp.pubsub import forms
from poise.protocols.xmpp.pubsub.config import DEFAULT_CONFIG, DEFAULT_OPTIONS, NODE_FIELDS, OPTION_FIELDS
from poise.protocols.xmpp.pubsub.nodes import Node, SubscriptionState
from poise.protocols.xmpp.pubsub.rights import Affiliation
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.records import (
    AffiliationRecord,
    ItemRecord,
    NodeRecord,
    Removed,
    SubscriptionRecord,
    key_of,
)
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import StanzaRefused

PubSubRecord = NodeRecord | AffiliationRecord | SubscriptionRecord | ItemRecord


class Restoring:
    """The pubsub part of what was stored."""

    def __init__(self, service: PubSub, shared: Shared) -> None:
        self._service = service
        self._journal = shared.journal
        self._waiting: dict[str, list[PubSubRecord]] = {}

    def put_back(self, record: PubSubRecord) -> bool:
        """One record; False when it cannot be put back because it was written by another version or by hand."""
        if not isinstance(record, NodeRecord) and record.node not in self._service.nodes:
            self._waiting.setdefault(record.node, []).append(record)
            return True
        try:
            if isinstance(record, NodeRecord):
                self._node(record)
            else:
                self._about(self._service.nodes[record.node], record)
        except (StanzaRefused, ValueError):
            return False
        return True

    def node_made(self, node: Node) -> None:
        """The product has made a node: what waited for it is put back, and its rule asked about it."""
        for record in self._waiting.pop(node.name, ()):
            if not isinstance(record, ItemRecord):
                self.put_back(record)
        for bare in {subscription.bare for subscription in node.subscriptions.values()}:
            self._service.review(bare)

    def all_made(self) -> None:
        """The product has made all its nodes: what still waits is about nodes that are no more."""
        for records in self._waiting.values():
            for record in records:
                self._journal.note(Removed(type(record), key_of(record)))
        self._waiting.clear()

    def _node(self, record: NodeRecord) -> None:
        config = replace(DEFAULT_CONFIG, **forms.unpacked(NODE_FIELDS, record.config))
        node = self._service.create(record.node, config)
        node.creator, node.created_at = record.creator, record.created_at

    def _about(self, node: Node, record: AffiliationRecord | SubscriptionRecord | ItemRecord) -> None:
        if isinstance(record, AffiliationRecord):
            node.affiliations[record.jid] = Affiliation(record.affiliation)
            self._service.affiliated.setdefault(record.jid, {})[node] = None
        elif isinstance(record, ItemRecord):
            self._service.items.restore(node, record)
        else:
            options = replace(DEFAULT_OPTIONS, **forms.unpacked(OPTION_FIELDS, record.options))
            state = SubscriptionState(record.state)
            self._service.subscribe(node, prepare(record.jid), state=state, options=options).durable = True

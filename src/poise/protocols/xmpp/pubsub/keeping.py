"""The items that nodes keep, bounded by the node's configuration, by the service for each node, and for all nodes."""

from __future__ import annotations

from poise.protocols.xmpp.pubsub.config import NodeFull
from poise.protocols.xmpp.pubsub.nodes import NO_ITEMS, Item, Node
from poise.protocols.xmpp.records import ItemRecord, Removed
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import StanzaRefused

_OVERHEAD_BYTES = 300
"""What an item costs besides its texts."""


class Items:
    """Keeps and drops items, and notes what must be stored."""

    def __init__(self, shared: Shared) -> None:
        self._policy = shared.policy
        self._journal = shared.journal
        self._moment = shared.moment
        self._number = 0
        self.total_bytes = 0

    def keep(self, node: Node, item_id: str, payload: bytes, publisher: str) -> list[str]:
        """Keep an item as the node's newest; the ids of those that had to go for it. Raises StanzaRefused when the
        node or the service is full."""
        config, limit = node.config, self._limit(node)
        if limit == 0:
            return []
        item = Item(item_id, payload, publisher, self._moment.wall, self._number + 1)
        size = _size(item)
        replaced = node.items.get(item_id)
        room = _size(replaced) if replaced is not None else 0
        reject = config.publish_node_full is NodeFull.REJECT
        count = len(node.items) - (replaced is not None)
        if size > self._policy.item_bytes_per_node:
            raise StanzaRefused("not-acceptable", "payload-too-big")
        if reject and (count >= limit or node.item_bytes - room + size > self._policy.item_bytes_per_node):
            raise StanzaRefused("conflict", "node-full")
        gone: list[str] = []
        freed = room
        for oldest in list(node.items.values()):
            if count < limit and node.item_bytes - freed + size <= self._policy.item_bytes_per_node:
                break
            if oldest is not replaced:
                gone.append(oldest.id)
                freed += _size(oldest)
                count -= 1
        if self.total_bytes - freed + size > self._policy.item_bytes_total:
            raise StanzaRefused("resource-constraint", text="the service keeps as many items as it can")
        if replaced is not None:
            self._forget(node, replaced)
        for old in gone:
            self.drop(node, old)
        self._number += 1
        self._add(node, item)
        self._journal.note(ItemRecord(node.name, item.id, item.number, item.publisher, item.at, item.payload))
        return gone

    def restore(self, node: Node, record: ItemRecord) -> None:
        """Put back what was stored; records come in the order of their numbers."""
        self._number = max(self._number, record.number)
        self._add(node, Item(record.item_id, record.payload, record.publisher, record.at, record.number))

    def drop(self, node: Node, item_id: str) -> None:
        """Remove one item."""
        self._forget(node, node.items[item_id])
        self._journal.note(Removed(ItemRecord, (node.name, item_id)))

    def purge(self, node: Node) -> None:
        """Remove all."""
        if node.items:
            self._journal.note(Removed(ItemRecord, (node.name,)))
        self.total_bytes -= node.item_bytes
        node.item_bytes = 0
        node.items = NO_ITEMS

    def trim(self, node: Node) -> list[str]:
        """After a change of configuration: drop what the node may keep no more, oldest first; which were dropped."""
        if not node.config.persist_items:
            gone = list(node.items)
            self.purge(node)
            return gone
        gone = list(node.items)[: max(0, len(node.items) - self._limit(node))]
        for item_id in gone:
            self.drop(node, item_id)
        return gone

    def _limit(self, node: Node) -> int:
        most = self._policy.items_per_node
        chosen = node.config.max_items
        return most if chosen is None else min(chosen, most)

    def _add(self, node: Node, item: Item) -> None:
        size = _size(item)
        if node.items is NO_ITEMS:
            node.items = {}
        node.items[item.id] = item
        node.item_bytes += size
        self.total_bytes += size

    def _forget(self, node: Node, item: Item) -> None:
        size = _size(item)
        del node.items[item.id]
        node.item_bytes -= size
        self.total_bytes -= size


def _size(item: Item) -> int:
    return len(item.payload) + len(item.id) + _OVERHEAD_BYTES

"""What the host must not forget: the values a store keeps, how they change, and what is read back at the start.

Each record is a row of a table whose key is its first fields (`KEY_FIELDS`); a record with the same key replaces the
older one. Nothing here says where or how they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple


class NodeRecord(NamedTuple):
    """A node that an administrator created; nodes of the product are made anew at every start."""

    node: str
    creator: str
    """Bare JID."""
    created_at: float
    """Seconds since the epoch; 0 when that was not known."""
    config: str
    """JSON object: field of the configuration form -> values, for fields that differ from the defaults."""


class AffiliationRecord(NamedTuple):
    """What one user is to a node; no record: none."""

    node: str
    jid: str
    """Bare JID."""
    affiliation: str


class SubscriptionRecord(NamedTuple):
    """A subscription that its user asked for or an owner made; those the product makes are made anew."""

    node: str
    jid: str
    """Bare or full."""
    state: str
    """`subscribed` or `pending`."""
    options: str
    """JSON object: field of the options form -> values, for fields that differ from the defaults."""


class ItemRecord(NamedTuple):
    """An item of a node that keeps its items."""

    node: str
    item_id: str
    number: int
    """Rises with every publication of the service: the order of items."""
    publisher: str
    """Bare JID; empty for the product."""
    at: float
    """Seconds since the epoch; 0 when that was not known."""
    payload: bytes
    """One serialised element; empty for an item without."""


class MessageRecord(NamedTuple):
    """A message for somebody who is not here."""

    user: str
    """Bare JID."""
    number: int
    """Rises with every message: their order."""
    at: float
    """Seconds since the epoch; 0 when that was not known."""
    stamped: bool
    """Whether it carries a delay stamp already."""
    stanza: bytes


class DocumentRecord(NamedTuple):
    """A document a user keeps at the server: the vCard (XEP-0054) or an element of private storage (XEP-0049)."""

    user: str
    """Bare JID."""
    name: str
    """`vcard`, or `{namespace}element` of private storage."""
    xml: bytes


Record = NodeRecord | AffiliationRecord | SubscriptionRecord | ItemRecord | MessageRecord | DocumentRecord

KEY_FIELDS: Final[Mapping[type[Record], int]] = {
    NodeRecord: 1,
    AffiliationRecord: 2,
    SubscriptionRecord: 2,
    ItemRecord: 2,
    MessageRecord: 2,
    DocumentRecord: 2,
}
"""Kind of record -> how many of its first fields are its key. The order is the one records are read back in: what
others hang on comes first."""


class Removed(NamedTuple):
    """All records of a kind whose key begins with these values are gone."""

    kind: type[Record]
    key: tuple[str | int, ...]


Change = Record | Removed


def key_of(record: Record) -> tuple[str | int, ...]:
    """What tells a record from others of its kind."""
    return tuple(field for field in record[: KEY_FIELDS[type(record)]] if isinstance(field, str | int))

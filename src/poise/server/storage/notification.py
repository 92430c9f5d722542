"""The notification service's records in the database: read all at the start, written a batch at a time.

A batch is one transaction and means what its changes mean one after the other. Changes of the same kind that follow one
another become one statement, so that a burst costs a few.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

import sqlalchemy as sa

from poise.protocols.xmpp.records import (
    KEY_FIELDS,
    AffiliationRecord,
    Change,
    DocumentRecord,
    ItemRecord,
    MessageRecord,
    NodeRecord,
    Record,
    Removed,
    SubscriptionRecord,
    key_of,
)
from poise.server.storage.store import ROWS_PER_STATEMENT, Store
from poise.server.storage.tables import (
    offline_messages,
    pubsub_affiliations,
    pubsub_items,
    pubsub_nodes,
    pubsub_subscriptions,
    user_documents,
)

TABLES: Final[Mapping[type[Record], sa.Table]] = {
    NodeRecord: pubsub_nodes,
    AffiliationRecord: pubsub_affiliations,
    SubscriptionRecord: pubsub_subscriptions,
    ItemRecord: pubsub_items,
    MessageRecord: offline_messages,
    DocumentRecord: user_documents,
}
"""Kind of record -> its table, whose columns are the record's fields in their order."""


class NotificationRecords:
    """Reads and writes on the store's own thread."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def load(self) -> list[Record]:
        """Everything, in the order `Host.restore` wants it. Raises StoreError."""
        return await self._store.run(_load)

    async def write(self, changes: Sequence[Change]) -> None:
        """Make changes durable, all or none. Raises StoreError."""
        await self._store.run(lambda connection: _write(connection, changes))


def _load(connection: sa.Connection) -> list[Record]:
    found: list[Record] = []
    for kind in KEY_FIELDS:
        table = TABLES[kind]
        # what has a number is read in its order, the rest in that of its key, which is the same on every start
        order = [table.c.number] if "number" in table.c else list(table.primary_key.columns)
        rows = connection.execute(sa.select(table).order_by(*order))
        found += (kind(*row) for row in rows)
    return found


def _write(connection: sa.Connection, changes: Iterable[Change]) -> None:
    for (removal, kind, length), run in groupby(changes, _sort_of):
        table = TABLES[kind]
        if removal:
            keys = [change.key for change in run if isinstance(change, Removed)]
        else:
            # a record that is put twice in one run is there as it was put last
            rows = {key_of(change): change for change in run if not isinstance(change, Removed)}
            keys = list(rows)
        for chunk in _chunks(keys):
            connection.execute(_delete(table, length), [_parameters(key) for key in chunk])
        if not removal:
            for chunk in _chunks(list(rows.values())):
                connection.execute(sa.insert(table), [record._asdict() for record in chunk])


def _sort_of(change: Change) -> tuple[bool, type[Record], int]:
    if isinstance(change, Removed):
        return True, change.kind, len(change.key)
    return False, type(change), KEY_FIELDS[type(change)]


def _delete(table: sa.Table, length: int) -> sa.Delete:
    """Deletes the rows whose key begins with as many values."""
    columns = list(table.primary_key.columns)[:length]
    return sa.delete(table).where(*(column == sa.bindparam(f"key{n}") for n, column in enumerate(columns)))


def _parameters(key: tuple[str | int, ...]) -> dict[str, Any]:
    return {f"key{number}": value for number, value in enumerate(key)}


def _chunks(rows: list[Any]) -> Iterator[list[Any]]:
    return (rows[start : start + ROWS_PER_STATEMENT] for start in range(0, len(rows), ROWS_PER_STATEMENT))

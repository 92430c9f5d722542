"""The notification service's records on a real SQLite file: what is written is read back, batch by batch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from poise.protocols.xmpp.records import (
    AffiliationRecord,
    Change,
    DocumentRecord,
    ItemRecord,
    MessageRecord,
    NodeRecord,
    Removed,
    SubscriptionRecord,
)
from poise.server.storage.notification import TABLES, NotificationRecords
from poise.server.storage.store import Store, StoreError, sqlite_url
from tests.unit.protocols.xmpp.shelf import Shelf

NODE = NodeRecord("n", "admin@localhost", 1_700_000_000.5, '{"pubsub#title": ["T"]}')
OWNER = AffiliationRecord("n", "admin@localhost", "owner")
SUBSCRIPTION = SubscriptionRecord("n", "1001@localhost/desktop", "subscribed", "{}")
ITEM = ItemRecord("n", "i", 1, "admin@localhost", 1_700_000_000.25, b"<a xmlns='b'>\xc3\xa9\x00</a>")
MESSAGE = MessageRecord("1001@localhost", 1, 0.0, False, b"<message/>")
CARD = DocumentRecord("1001@localhost", "vcard", b"<vCard/>")


def play(folder: Path, story: Callable[[NotificationRecords, Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await Store.open(sqlite_url(folder / "poise.db"))
        try:
            await story(NotificationRecords(store), store)
        finally:
            await store.close()

    asyncio.run(run())


def test_every_kind_of_record_has_a_table_with_its_fields_in_order() -> None:
    for kind, table in TABLES.items():
        assert tuple(table.c.keys()) == kind._fields


def test_records_survive_a_restart_in_the_order_a_host_wants_them(tmp_path: Path) -> None:
    later = ITEM._replace(item_id="a", number=2)

    async def first(records: NotificationRecords, store: Store) -> None:
        assert await records.load() == []
        await records.write([CARD, MESSAGE, later, ITEM, SUBSCRIPTION, OWNER, NODE])

    async def second(records: NotificationRecords, store: Store) -> None:
        assert await records.load() == [NODE, OWNER, SUBSCRIPTION, ITEM, later, MESSAGE, CARD]

    play(tmp_path, first)
    play(tmp_path, second)


def test_a_batch_means_what_its_changes_mean_one_after_the_other(tmp_path: Path) -> None:
    async def story(records: NotificationRecords, store: Store) -> None:
        newer = ITEM._replace(number=2, payload=b"<b/>")
        other = ITEM._replace(item_id="j", number=3)
        await records.write([ITEM, newer, Removed(ItemRecord, ("n", "i")), newer, other])
        assert await records.load() == [newer, other]
        await records.write([Removed(ItemRecord, ("n",)), Removed(ItemRecord, ("m", "i")), ITEM])
        assert await records.load() == [ITEM]

    play(tmp_path, story)


def test_a_key_that_begins_like_another_is_another(tmp_path: Path) -> None:
    async def story(records: NotificationRecords, store: Store) -> None:
        await records.write([OWNER, OWNER._replace(node="nn"), OWNER._replace(node="%")])
        await records.write([Removed(AffiliationRecord, ("%",)), Removed(AffiliationRecord, ("n",))])
        assert await records.load() == [OWNER._replace(node="nn")]

    play(tmp_path, story)


def test_a_batch_is_all_or_nothing(tmp_path: Path) -> None:
    async def story(records: NotificationRecords, store: Store) -> None:
        await store.run(lambda connection: connection.execute(sa.text("DROP TABLE user_documents")))
        with pytest.raises(StoreError):
            await records.write([NODE, CARD])
        await store.run(lambda connection: TABLES[DocumentRecord].create(connection))
        assert await records.load() == []

    play(tmp_path, story)


def test_very_many_changes_go_in_at_once(tmp_path: Path) -> None:
    async def story(records: NotificationRecords, store: Store) -> None:
        messages = [MESSAGE._replace(number=number) for number in range(1, 2001)]
        await records.write(messages)
        assert await records.load() == messages
        await records.write([Removed(MessageRecord, (MESSAGE.user, number)) for number in range(2, 2001)])
        assert await records.load() == [MESSAGE]

    play(tmp_path, story)


TEXT = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
NAMES = st.sampled_from(("n", "N", "n ", "'; DROP TABLE pubsub_nodes; --", "%", "_", "é", "\U0001f600")) | TEXT
CHANGES = st.one_of(
    st.builds(NodeRecord, NAMES, TEXT, st.floats(0, 2e9), TEXT),
    st.builds(AffiliationRecord, NAMES, NAMES, st.sampled_from(("owner", "member"))),
    st.builds(ItemRecord, NAMES, NAMES, st.integers(0, 2**60), TEXT, st.floats(0, 2e9), st.binary(max_size=9)),
    st.builds(DocumentRecord, NAMES, NAMES, st.binary(max_size=9)),
    st.builds(lambda name: Removed(NodeRecord, (name,)), NAMES),
    st.builds(lambda name: Removed(AffiliationRecord, (name,)), NAMES),
    st.builds(lambda name, item: Removed(ItemRecord, (name, item)), NAMES, NAMES),
    st.builds(lambda name: Removed(DocumentRecord, (name,)), NAMES),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(CHANGES, max_size=12), max_size=3))
def test_whatever_is_written_the_database_knows_what_a_dictionary_would(
    tmp_path: Path, batches: list[list[Change]]
) -> None:
    async def story(records: NotificationRecords, store: Store) -> None:
        for table in TABLES.values():
            await store.run(lambda connection, table=table: connection.execute(sa.delete(table)))  # type: ignore[misc]
        shelf = Shelf()
        for batch in batches:
            await records.write(batch)
            for change in batch:
                shelf.apply(change)
        assert sorted(map(repr, await records.load())) == sorted(map(repr, shelf.records()))

    play(tmp_path, story)

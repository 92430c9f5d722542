"""Configuration objects on both engines: transactions that check and write, and the reason codes of older databases."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.configuration.table import CONTACT, PHONE_BOOK, REASON_CODE, ROWS, WRAP_UP_REASON
from poise.server.storage import store as store_module
from poise.server.storage.configuration import Configuration
from poise.server.storage.migrations.versions.v0004_configuration import KINDS
from poise.server.storage.records import ReasonCodeRecord
from poise.server.storage.store import Store, StoreError
from tests.support.databases import url_of

pytestmark = pytest.mark.usefixtures("on_every_engine")
LUNCH = {"category": "NOT_READY", "code": 12, "label": "Lunch", "forAll": True}
SALE = {"label": "Sale", "forAll": True}


def play(folder: Path, story: Callable[[Configuration], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await Store.open(url_of(folder))
        try:
            await story(Configuration(store))
        finally:
            await store.close()

    asyncio.run(run())


def test_every_row_of_the_table_has_its_counter() -> None:
    assert set(KINDS) == {row.name for row in ROWS}


def test_objects_survive_a_restart_with_numbers_that_are_never_given_twice(tmp_path: Path) -> None:
    async def first(configuration: Configuration) -> None:
        made = await configuration.make(REASON_CODE, LUNCH)
        assert (made.number, made.version) == (1, 1)
        await configuration.remove(REASON_CODE, 1)

    async def second(configuration: Configuration) -> None:
        assert await configuration.all(REASON_CODE) == []
        assert (await configuration.make(REASON_CODE, LUNCH)).number == 2

    play(tmp_path, first)
    play(tmp_path, second)


def test_a_change_that_is_refused_leaves_nothing_behind(tmp_path: Path) -> None:
    async def story(configuration: Configuration) -> None:
        await configuration.make(REASON_CODE, LUNCH)
        other = await configuration.make(REASON_CODE, {**LUNCH, "code": 13, "label": "Tea"})
        with pytest.raises(ApiException) as refused:
            await configuration.change(REASON_CODE, other.number, {"label": "lunch"})
        assert refused.value.code is Code.FINESSE_API_ERROR
        assert (await configuration.one(REASON_CODE, other.number)).document["label"] == "Tea"
        await configuration.make(REASON_CODE, {**LUNCH, "code": 14, "label": "Nap"})  # its old name was not lost
        with pytest.raises(ApiException):
            await configuration.make(REASON_CODE, {**LUNCH, "code": 15, "label": "TEA"})

    play(tmp_path, story)


def test_of_two_processes_with_the_same_name_one_is_refused(tmp_path: Path) -> None:
    async def story(configuration: Configuration) -> None:
        other = await Store.open(url_of(tmp_path))
        try:
            makers = [configuration, Configuration(other)] * 5
            done = await asyncio.gather(*(one.make(WRAP_UP_REASON, SALE) for one in makers), return_exceptions=True)
        finally:
            await other.close()
        refused = [one for one in done if isinstance(one, ApiException)]
        assert len(refused) == 9, done
        assert {one.code for one in refused} == {Code.FINESSE_API_ERROR}
        assert len(await configuration.all(WRAP_UP_REASON)) == 1

    play(tmp_path, story)


def test_of_two_processes_that_saw_the_same_version_one_is_refused(tmp_path: Path) -> None:
    async def story(configuration: Configuration) -> None:
        other = await Store.open(url_of(tmp_path))
        try:
            made = await configuration.make(REASON_CODE, LUNCH)
            changes = [
                one.change(REASON_CODE, made.number, {"label": f"Label {n}"}, seen=made.version)
                for n, one in enumerate([configuration, Configuration(other)] * 3)
            ]
            done = await asyncio.gather(*changes, return_exceptions=True)
        finally:
            await other.close()
        refused = [one for one in done if isinstance(one, ApiException)]
        assert len(refused) == 5, done
        assert {one.code for one in refused} == {Code.CHANGED_MEANWHILE}
        assert (await configuration.one(REASON_CODE, made.number)).version == 2

    play(tmp_path, story)


def test_limits_hold_for_two_processes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(configuration: Configuration) -> None:
        other = await Store.open(url_of(tmp_path))
        try:
            makers = [configuration, Configuration(other)] * 6
            books = [{"name": f"Book {n}", "type": "GLOBAL"} for n in range(12)]
            work = (one.make(PHONE_BOOK, book) for one, book in zip(makers, books, strict=True))
            done = await asyncio.gather(*work, return_exceptions=True)
        finally:
            await other.close()
        assert len([one for one in done if isinstance(one, ApiException)]) == 2
        assert len(await configuration.all(PHONE_BOOK)) == PHONE_BOOK.limits["GLOBAL"]

    play(tmp_path, story)


def test_an_import_that_is_too_large_for_the_system_leaves_the_book_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CONTACT.limits, "*", 5)

    async def story(configuration: Configuration) -> None:
        one = (await configuration.make(PHONE_BOOK, {"name": "One", "type": "GLOBAL"})).number
        two = (await configuration.make(PHONE_BOOK, {"name": "Two", "type": "GLOBAL"})).number
        await configuration.replace_contacts(one, [{"phoneNumber": str(n)} for n in range(3)])
        with pytest.raises(ApiException) as refused:
            await configuration.replace_contacts(two, [{"phoneNumber": str(n)} for n in range(3)])
        assert refused.value.code is Code.MAXIMUM_EXCEEDED
        assert await configuration.replace_contacts(one, [{"phoneNumber": str(n)} for n in range(5)]) == 3
        assert len(await configuration.all(CONTACT, one)) == 5
        assert await configuration.all(CONTACT, two) == []

    play(tmp_path, story)


def test_what_is_deleted_is_no_longer_assigned(tmp_path: Path) -> None:
    async def story(configuration: Configuration) -> None:
        made = await configuration.make(REASON_CODE, {**LUNCH, "forAll": False})
        await configuration.assign(7, REASON_CODE, [made.number])
        (record,) = await configuration.reason_codes()
        assert record == ReasonCodeRecord(1, "NOT_READY", 12, "Lunch", False, frozenset({7}))
        await configuration.remove(REASON_CODE, made.number)
        assert await configuration.assigned(7, REASON_CODE) == []
        assert await configuration.reason_codes() == []

    play(tmp_path, story)


def test_reason_codes_are_put_in_order_and_replaced_by_their_ids(tmp_path: Path) -> None:
    lunch = ReasonCodeRecord(1, "NOT_READY", 12, "Lunch", True)
    shift = ReasonCodeRecord(2, "LOGOUT", 22, "End of shift", False)

    async def story(configuration: Configuration) -> None:
        await configuration.put_reason_codes([shift, lunch])
        await configuration.put_reason_codes([ReasonCodeRecord(1, "NOT_READY", 12, "Dinner", True)])
        assert [one.label for one in await configuration.reason_codes()] == ["Dinner", "End of shift"]
        assert (await configuration.make(REASON_CODE, LUNCH | {"code": 13})).number == 3
        with pytest.raises(ApiException):
            await configuration.put_reason_codes([ReasonCodeRecord(9, "NOT_READY", 12, "Again", True)])

    play(tmp_path, story)


def test_reason_codes_of_an_older_database_keep_their_ids_and_both_of_a_label_stay(tmp_path: Path) -> None:
    engine = sa.create_engine(url_of(tmp_path))
    config = Config()
    config.set_main_option("script_location", str(Path(store_module.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(
            sa.text(
                "INSERT INTO reason_codes (id, category, code, label, for_all)"
                " VALUES (4, 'NOT_READY', 12, 'Lunch', true), (7, 'NOT_READY', 13, 'LUNCH', false)"
            )
        )
    engine.dispose()

    async def story(configuration: Configuration) -> None:
        assert await configuration.reason_codes() == [
            ReasonCodeRecord(4, "NOT_READY", 12, "Lunch", True),
            ReasonCodeRecord(7, "NOT_READY", 13, "LUNCH", False),
        ]
        assert (await configuration.make(REASON_CODE, LUNCH | {"code": 14, "label": "Tea"})).number == 8

    play(tmp_path, story)


def test_a_database_that_is_gone_is_told_without_values(tmp_path: Path) -> None:
    async def story(configuration: Configuration) -> None:
        await configuration.store.run(lambda connection: connection.exec_driver_sql("DROP TABLE config_objects"))
        with pytest.raises(StoreError, match=r"the database refused: (Operational|Programming)Error"):
            await configuration.make(REASON_CODE, LUNCH)

    play(tmp_path, story)

"""Bulk import of accounts, and the demo's data."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import argon2
import pytest

from poise.server.storage.configuration import Configuration
from poise.server.storage.importing import DEMO_REASON_CODES, import_accounts, seed_demo
from poise.server.storage.records import Account, Role
from poise.server.storage.store import Store, sqlite_url

PHC = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret")
GOOD = {"login_id": "1001", "login_name": "agent1", "password_hash": PHC, "roles": "agent"}


def play(folder: Path, story: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await Store.open(sqlite_url(folder / "poise.db"))
        try:
            await story(store)
        finally:
            await store.close()

    asyncio.run(run())


def numbered(*rows: Mapping[str, str]) -> list[tuple[int, Mapping[str, str]]]:
    return list(enumerate(rows, 2))


def test_a_row_may_carry_a_hash_or_a_password_and_the_name_defaults_to_the_id(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        plain = {"login_id": "1101", "password": "1101", "roles": "agent, supervisor"}
        report = await import_accounts(store, numbered(GOOD, plain))
        assert (report.accepted, report.problems) == (2, [])
        assert await store.find_account("1001") == Account("1001", "agent1", PHC, frozenset({Role.AGENT}))
        found = await store.find_account("1101")
        assert found is not None
        assert (found.login_name, found.roles) == ("1101", frozenset({Role.AGENT, Role.SUPERVISOR}))
        assert argon2.PasswordHasher().verify(found.password_hash, "1101")
        assert argon2.extract_parameters(found.password_hash).memory_cost == 19456

    play(tmp_path, story)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        report = await import_accounts(store, numbered(GOOD), dry_run=True)
        assert (report.accepted, report.problems) == (1, [])
        assert await store.account_names() == {}

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"login_id": ""}, "login_id needs"),
        ({"login_id": "a@b"}, "login_id needs"),
        ({"login_id": "a\nb"}, "login_id needs"),
        ({"login_id": "1" * 65}, "login_id needs"),
        ({"login_id": "Agent"}, "lower case"),
        ({"login_name": "x" * 65}, "login_name may have"),
        ({"login_name": "a\x00"}, "login_name may have"),
        ({"roles": ""}, "roles needs"),
        ({"roles": "agent boss"}, "roles needs"),
        ({"password": "both"}, "either password or password_hash"),
        ({"password_hash": ""}, "either password or password_hash"),
        ({"password_hash": "secret"}, "not a PHC string"),
        ({"password_hash": PHC.replace("argon2id", "argon2i")}, "not argon2id"),
        ({"password_hash": PHC.replace("m=8", "m=4194304")}, "too much work"),
        ({"shoe_size": "43"}, "column shoe_size"),
    ],
)
def test_a_bad_row_is_named_by_its_line_and_nothing_is_written(
    tmp_path: Path, change: dict[str, str], complaint: str
) -> None:
    async def story(store: Store) -> None:
        other = {**GOOD, "login_id": "1002", "login_name": "agent2"}
        report = await import_accounts(store, numbered(other, {**GOOD, **change}))
        assert report.accepted == 1
        assert [line for line, _ in report.problems] == [3]
        assert complaint in report.problems[0][1]
        assert await store.account_names() == {}

    play(tmp_path, story)


def test_a_name_used_twice_in_the_file_or_by_someone_else_is_refused(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        report = await import_accounts(store, numbered(GOOD, {**GOOD, "login_id": "1002", "login_name": "AGENT1"}))
        assert report.problems == [(3, "agent1 was already given on line 2")]
        assert not (await import_accounts(store, numbered(GOOD))).problems
        assert not (await import_accounts(store, numbered(GOOD))).problems  # again: replaced
        report = await import_accounts(store, numbered({**GOOD, "login_id": "1002"}))
        assert report.problems == [(2, "login_name agent1 belongs to 1001")]

    play(tmp_path, story)


def test_the_demo_has_its_people_and_one_reason_code_of_each_category(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await seed_demo(store)
        names = await store.account_names()
        assert sorted(names.values()) == [*(str(n) for n in range(1001, 1007)), "1101", "1102", "admin"]
        assert names["agent3"] == "1003"
        assert await Configuration(store).reason_codes() == list(DEMO_REASON_CODES)
        admin = await store.find_account("admin")
        assert admin is not None
        assert admin.roles == {Role.ADMINISTRATOR}

    play(tmp_path, story)


def test_the_demo_is_not_written_over_existing_accounts(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        await import_accounts(store, numbered(GOOD))
        await seed_demo(store)
        assert await store.account_names() == {"agent1": "1001"}

    play(tmp_path, story)

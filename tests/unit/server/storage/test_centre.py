"""A whole centre from one file: all or nothing, by line, and the same file twice changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.finesse.configuration.table import CONTACT, DESKTOP_CONFIG, PHONE_BOOK, ROWS, WORKFLOW, WRAP_UP_REASON
from poise.server.storage.centre import SECTIONS, import_centre
from poise.server.storage.centre_file import CentreFileError, read
from poise.server.storage.configuration import Configuration
from poise.server.storage.store import Store
from tests.support.databases import url_of

PHC = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret")
CENTRE = f"""\
# A small centre
users:
  - login_id: "1001"
    login_name: agent1
    password_hash: {PHC}
    roles: [agent]
  - {{login_id: admin, password_hash: "{PHC}", roles: administrator}}
ReasonCodes:
  - {{category: NOT_READY, code: 12, label: Lunch, forAll: true}}
  - category: LOGOUT
    code: 22
    label: End of shift
    forAll: false
    teams: [1, 2]
WrapUpReasons:
  - {{label: "No", forAll: true}}
PhoneBooks:
  - name: Offices
    type: GLOBAL
    contacts:
      - {{firstName: Front, lastName: Desk, phoneNumber: "+4930123"}}
      - {{phoneNumber: "0049"}}
Workflows:
  - name: On ring
    TriggerSet: {{type: SYSTEM, name: CALL_ARRIVES}}
    workflowActions: [{{name: Pop, uri: /finesse/api/WorkflowAction/1}}]
WorkflowActions:
  - {{name: Pop, type: BROWSER_POP, handledBy: OTHER, params: [{{name: path, value: "https://crm.example.com"}}]}}
DesktopConfig:
  forceWrapUp: false
"""


def play(folder: Path, story: Callable[[Store], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await Store.open(url_of(folder))
        try:
            await story(store)
        finally:
            await store.close()

    asyncio.run(run())


@pytest.mark.usefixtures("on_every_engine")
def test_a_centre_is_made_and_made_again_without_a_change(tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        configuration = Configuration(store)
        report = await import_centre(store, read(CENTRE.encode()))
        assert report.problems == []
        assert report.counts == {
            "users": 2,
            "ReasonCodes": 2,
            "WrapUpReasons": 1,
            "PhoneBooks": 1,
            "Workflows": 1,
            "WorkflowActions": 1,
            "DesktopConfig": 1,
        }
        assert await store.account_names() == {"agent1": "1001", "admin": "admin"}
        assert [one.teams for one in await configuration.reason_codes()] == [frozenset(), frozenset({1, 2})]
        assert len(await configuration.all(CONTACT, 1)) == 2
        assert (await configuration.one(DESKTOP_CONFIG, 1)).document["forceWrapUp"] is False
        assert (await configuration.all(WRAP_UP_REASON))[0].document["label"] == "No", (
            "not YAML's idea of a truth value"
        )
        again = await import_centre(store, read(CENTRE.encode()))
        assert again.problems == []
        changed = [uri for uri, before, after in again.changes if before != after and before is not None]
        assert changed == []
        assert len(await configuration.all(WORKFLOW)) == len(await configuration.all(PHONE_BOOK)) == 1

    play(tmp_path, story)


@pytest.mark.usefixtures("on_every_engine")
def test_a_dry_run_finds_what_a_run_would_find_and_writes_nothing(tmp_path: Path) -> None:
    twice = CENTRE.replace(
        "WrapUpReasons:", "  - {category: NOT_READY, code: 13, label: LUNCH, forAll: true}\nWrapUpReasons:"
    )

    async def story(store: Store) -> None:
        assert (await import_centre(store, read(CENTRE.encode()), dry_run=True)).problems == []
        report = await import_centre(store, read(twice.encode()), dry_run=True)
        assert [line for line, _ in report.problems] == [15]
        assert "Finesse API Error: duplicate" in report.problems[0][1]
        assert await store.account_names() == {}
        assert await Configuration(store).reason_codes() == []

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("old", "new", "line", "problem"),
    [
        ("code: 12", "code: many", 9, "Invalid Input: code: a whole number is needed"),
        ("label: Lunch", "colour: red", 9, "Invalid Input: colour is not one of category, code, label, forAll"),
        ("code: 22", "", 10, "Parameter Missing: code"),
        ("teams: [1, 2]", "teams: [x]", 10, "teams: x is no id of a team"),
        ('phoneNumber: "0049"', "lastName: Nobody", 18, "Parameter Missing: phoneNumber"),
        ("roles: administrator", "roles: boss", 7, "roles needs one or more of"),
        ("WrapUpReasons:", "WrapUps:", 16, "WrapUps is not one of users, ReasonCodes"),
        ("WorkflowAction/1", "WorkflowAction/9", 24, "does not exist"),
        ("params: [{name: path", "params: {name: path", 28, "params is a list"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_nothing_is_written(
    tmp_path: Path, old: str, new: str, line: int, problem: str
) -> None:
    text = CENTRE.replace(old, new, 1)
    if "params: {" in text:
        text = text.replace('.com"}]}', '.com"}}')

    async def story(store: Store) -> None:
        report = await import_centre(store, read(text.encode()))
        assert report.problems[-1][0] == line, report.problems  # a workflow misses the action that was refused, too
        assert problem in report.problems[-1][1]
        assert await store.account_names() == {}
        assert await Configuration(store).all(PHONE_BOOK) == []

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: &x [1]\nb: [*x]", "line 2: aliases and tags"),
        ("a: !!python/object:os.system {}", "line 1: aliases and tags"),
        ("- 1", "line 1: the file must consist of sections"),
        ("users:\n  - 1", "line 2: a row of users"),
        ("users:\n  - {a: 1,\n", "line 3: not YAML"),
        ("users:\n - {a: 1, a: 2}", "line 2: a is given twice"),
        ("\xff", "not UTF-8"),
        ("a: " + "[" * 5000, "nested too deeply"),
        ("\tx: 1", "line 1: not YAML"),
    ],
)
def test_what_is_no_file_of_a_centre_is_told_with_its_line(text: str, problem: str) -> None:
    data = b"\xff" if text == "\xff" else text.encode()
    with pytest.raises(CentreFileError, match=f"^{problem}"):
        read(data)


@given(st.one_of(st.binary(max_size=200), st.text(alphabet="a:-[]{}\n \t\"'&*!|>#%@", max_size=60).map(str.encode)))
def test_whatever_the_file_holds_it_is_read_or_refused(data: bytes) -> None:
    try:
        read(data)
    except CentreFileError:
        pass


def test_every_kind_of_object_has_a_section_but_contacts_and_layouts_of_teams() -> None:
    assert {row.name for row in SECTIONS.values()} == {row.name for row in ROWS} - {"Contact", "TeamLayoutConfig"}

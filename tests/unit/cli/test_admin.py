"""`poise admin import`: accounts from a CSV file."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import argon2
import pytest
from typer.testing import CliRunner

from poise.cli.admin import app
from poise.server.storage.store import DATABASE, Store, sqlite_url

PHC = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret")
HEADING = "login_id,login_name,password_hash,roles\n"


def names(data: Path) -> dict[str, str]:
    async def read() -> dict[str, str]:
        store = await Store.open(sqlite_url(data / DATABASE))
        try:
            return await store.account_names()
        finally:
            await store.close()

    return asyncio.run(read())


def run(folder: Path, text: str | bytes, *options: str) -> tuple[int, str]:
    file = folder / "people.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    result = CliRunner().invoke(app, ["import", str(file), "--data", str(folder / "data"), *options])
    return result.exit_code, result.output


def test_good_rows_are_imported(tmp_path: Path) -> None:
    text = "\ufeff" + HEADING + f'1001,agent1,"{PHC}",agent\n1101,"Supervisor, first","{PHC}",agent supervisor\n'
    assert run(tmp_path, text) == (0, "2 accounts imported.\n")
    assert names(tmp_path / "data") == {"agent1": "1001", "supervisor, first": "1101"}


def test_a_dry_run_checks_and_makes_nothing(tmp_path: Path) -> None:
    assert run(tmp_path, HEADING + f'1001,agent1,"{PHC}",agent\n', "--dry-run")[0] == 0
    assert not (tmp_path / "data").exists()


def test_bad_rows_are_reported_by_line_and_nothing_is_written(tmp_path: Path) -> None:
    text = HEADING + f'1001,agent1,"{PHC}",agent\nA B,x,"{PHC}",agent\n1003,agent3,"{PHC}",agent,extra\n'
    code, output = run(tmp_path, text)
    assert code == 1
    assert "people.csv:3: login_id needs" in output
    assert "people.csv:4: column more columns than the heading" in output
    assert "2 bad rows, 1 good; nothing was written." in output
    assert names(tmp_path / "data") == {}


def test_programs_read_counts_and_problems_as_json(tmp_path: Path) -> None:
    code, output = run(tmp_path, HEADING + f'1001,agent1,"{PHC}",agent\n', "--json")
    assert (code, json.loads(output)) == (0, {"accepted": 1, "written": True, "problems": []})
    code, output = run(tmp_path, HEADING + f'1002,agent2,"{PHC}",boss\n', "--json")
    told = json.loads(output)
    assert (code, told["accepted"], told["written"], told["problems"][0]["line"]) == (1, 0, False, 2)


@pytest.mark.parametrize(
    "text",
    ["", "1001,agent1\n", b"\xff\xfe\x00", HEADING + '"1001\n'],
    ids=["empty", "no heading", "UTF-16", "open quote"],
)
def test_a_file_that_is_no_such_list_is_wrong_use(tmp_path: Path, text: str | bytes) -> None:
    assert run(tmp_path, text)[0] == 2


def test_a_missing_file_is_wrong_use(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["import", str(tmp_path / "none.csv"), "--data", str(tmp_path)])
    assert result.exit_code == 2
    assert "cannot be read" in result.output

"""`poise admin` with whole centres: import of YAML, backup, restore, and who is locked out of a running server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from poise.cli import running
from poise.cli.admin import app
from tests.unit.server.storage.test_centre import CENTRE


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def test_a_centre_is_checked_imported_and_written_down(tmp_path: Path) -> None:
    file, data = tmp_path / "centre.yaml", tmp_path / "data"
    file.write_text(CENTRE)
    code, output = run("import", file, "--data", data, "--dry-run")
    assert (code, output.endswith("good; nothing was written.\n")) == (0, True)
    assert not data.exists()
    code, output = run("import", file, "--data", data)
    assert code == 0
    assert output.startswith("2 users, 1 WorkflowActions, 2 ReasonCodes")
    audit = (data / "logs/desktop/audit-log/command-line.log").read_text()
    assert "IMPORT: /finesse/api/ReasonCode/1:" in audit
    assert "argon2" not in audit
    told = json.loads(run("import", file, "--data", data, "--json")[1])
    assert (told["written"], told["accepted"]["users"]) == (True, 2)


def test_bad_rows_and_files_are_told_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "centre.yml"
    file.write_text(CENTRE.replace("code: 12", "code: 0"))
    code, output = run("import", file, "--data", tmp_path / "data")
    assert code == 1
    assert f"{file}:9: Invalid Input: code: 1 to 65535 are allowed" in output.replace("\n", "")
    file.write_text("a: *b")
    assert run("import", file, "--data", tmp_path / "data")[0] == 2
    assert run("import", tmp_path / "none.yaml", "--data", tmp_path / "data")[0] == 2


def test_a_backup_is_restored_and_what_was_there_is_kept(tmp_path: Path) -> None:
    file, data, backup = tmp_path / "centre.yaml", tmp_path / "data", tmp_path / "poise.backup.gz"
    file.write_text(CENTRE)
    assert run("backup", backup, "--data", data)[0] == 2
    run("import", file, "--data", data)
    code, output = run("backup", backup, "--data", data)
    assert (code, "rows written to" in output) == (0, True)
    code, output = run("restore", backup, "--data", data)
    assert (code, "add --replace" in output) == (2, True)
    assert run("restore", backup, "--data", data, "--replace")[0] == 0
    assert (data / "poise.db.replaced").exists()
    assert not (data / "poise.db.restoring").exists()
    assert run("restore", backup, "--data", tmp_path / "new")[0] == 0
    again = json.loads(run("import", file, "--data", tmp_path / "new", "--dry-run", "--json")[1])
    assert again["problems"] == []


def test_nothing_is_restored_under_a_running_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "runs", lambda data: True)
    code, output = run("restore", tmp_path / "b.gz", "--data", tmp_path)
    assert (code, "running: stop it first" in output) == (2, True)


def test_a_folder_without_a_server_has_none_running(tmp_path: Path) -> None:
    assert not running.runs(tmp_path)
    (tmp_path / "poise.pid").write_text("2147483000\n")
    assert not running.runs(tmp_path)


def test_lockouts_need_a_server_that_can_be_reached() -> None:
    code, output = run("lockouts", "--url", "https://127.0.0.1:1", "--password", "admin", "--insecure", "--json")
    assert (code, "error" in json.loads(output)) == (1, True)

"""`poise utils`: the appliance's verbs switch debug.log in the running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from poise.cli.utils import app
from tests.unit.cli.demo_server import Demo

Switched = Callable[[int], list[bool]]
FINESSE = ["finesse", "notification", "logging"]
UCCX = ["uccx", "notification-service", "log"]

ENABLED = """\
Checking that the Cisco Finesse Notification Service is started...

The Cisco Finesse Notification Service is started.

Cisco Finesse Notification Service logging is now enabled.

WARNING! Cisco Finesse Notification Service logging can affect system performance and should be disabled when \
logging is not required.

Note: Logging can be disabled automatically if you restart the Cisco Finesse Notification Service
"""
UCCX_ENABLED = """\
WARNING! Enabling Cisco Unified CCX Notification Service logging can affect system performance and should be \
disabled when logging is not required.

Do you want to proceed (yes/no)? yes
Cisco Unified CCX Notification Service logging enabled successfully.

NOTE: Logging can be disabled automatically if Cisco Unified CCX Notification Service is restarted.
"""


def run(*words: str, answer: str = "") -> tuple[int, str, str]:
    result = CliRunner().invoke(app, list(words), input=answer)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def switched(running: Demo) -> Switched:
    """How the server was switched during this test, so many times."""
    mark = running.mark()
    return lambda count: [event["enabled"] for event in running.trace("debug_log_switched", count, mark)]


def test_the_words_of_finesse_switch_it_on_and_off(running: Demo, switched: Switched) -> None:
    assert run(*FINESSE, "enable", "--data", str(running.data)) == (0, ENABLED, "")
    assert switched(1) == [True]
    code, output, _ = run(*FINESSE, "disable", "--data", str(running.data))
    assert code == 0
    assert output.endswith("Cisco Finesse Notification Service logging is now disabled.\n")
    assert switched(2) == [True, False]


def test_the_words_of_uccx_ask_first(running: Demo, switched: Switched) -> None:
    code, output, _ = run(*UCCX, "enable", "--data", str(running.data), answer="yes\n")
    assert (code, output) == (0, UCCX_ENABLED)
    assert switched(1) == [True]
    code, output, _ = run(*UCCX, "disable", "--data", str(running.data))
    assert (code, output) == (0, "Cisco Unified CCX Notification Service logging disabled successfully.\n")
    assert switched(2) == [True, False]


@pytest.mark.parametrize("answer", ["no\n", "\n", "", "maybe\n"])
def test_any_answer_but_yes_changes_nothing(running: Demo, switched: Switched, answer: str) -> None:
    code, _, error = run(*UCCX, "enable", "--data", str(running.data), answer=answer)
    assert code == 1
    assert "Nothing was changed." in error
    run(*UCCX, "disable", "--data", str(running.data))
    assert switched(1) == [False]


def test_scripts_say_yes_beforehand_and_read_json(running: Demo, switched: Switched) -> None:
    code, output, _ = run(*UCCX, "enable", "--yes", "--json", "--data", str(running.data))
    facts = json.loads(output)
    assert (code, facts["debug"], facts["pid"]) == (0, True, running.process.pid)
    assert facts["log"] == str(running.openfire / "debug.log")
    assert switched(1) == [True]
    run(*UCCX, "disable", "--data", str(running.data))
    assert switched(2) == [True, False]


def test_json_without_yes_is_wrong_use(running: Demo) -> None:
    code, _, error = run(*UCCX, "enable", "--json", "--data", str(running.data))
    assert code == 2
    assert "add --yes" in error


@pytest.mark.parametrize(
    "words", [[*FINESSE, "enable"], [*FINESSE, "disable"], [*UCCX, "enable", "--yes"], [*UCCX, "disable"]]
)
def test_without_a_server_it_says_so(tmp_path: Path, words: list[str]) -> None:
    code, _, error = run(*words, "--data", str(tmp_path))
    assert code == 1
    assert error == (
        f"No server runs on {tmp_path}: there is no poise.pid in it. "
        "Name its data folder with --data, or start one with `poise serve`.\n"
    )
    code, output, _ = run(*words, "--json", "--data", str(tmp_path))
    assert code == 1
    assert "No server runs" in json.loads(output)["error"]


def test_the_data_folder_may_come_from_the_servers_own_file(tmp_path: Path, running: Demo, switched: Switched) -> None:
    file = tmp_path / "poise.toml"
    file.write_text(f"[server]\ndata = {str(running.data)!r}\n")
    assert run(*FINESSE, "disable", "--config", str(file))[0] == 0
    assert switched(1) == [False]


def test_a_settings_file_that_cannot_be_used_is_wrong_use(tmp_path: Path) -> None:
    assert run(*FINESSE, "enable", "--config", str(tmp_path / "none.toml"))[0] == 2

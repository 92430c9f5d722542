"""`poise`, `poise version` and `poise config`."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from poise import __version__
from poise.cli.main import app
from poise.server import certificates
from poise.server.config import KEYS, MASK


def run(*words: str, **environment: str) -> tuple[int, str, str]:
    result = CliRunner(env=environment).invoke(app, list(words))
    return result.exit_code, result.stdout, result.stderr


def test_the_version_is_told_to_people_and_to_programs() -> None:
    assert run("version") == (0, f"poise {__version__}\n", "")
    assert json.loads(run("version", "--json")[1]) == {"poise": __version__, "python": sys.version.split()[0]}


def test_without_a_command_the_help_is_shown() -> None:
    _, output, error = run()
    assert "serve" in output + error
    assert "explain" in output + error


def test_commands_that_start_no_server_do_not_load_it() -> None:
    asks = "import sys, poise.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True).stdout.split()
    assert "poise.cli.serve" in loaded
    assert {"sqlalchemy", "alembic", "starlette", "cryptography", "uvloop"}.isdisjoint(loaded)


@pytest.mark.parametrize("words", [["serv"], ["explain", "--jsn"], ["config"], ["config", "show", "extra"]])
def test_wrong_use_has_exit_code_2_and_no_traceback(words: list[str]) -> None:
    code, output, error = run(*words)
    assert code == 2
    assert "Usage" in output + error
    assert "Traceback" not in error


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for word, child in getattr(command, "commands", {}).items():
        yield from _commands(child, (*path, word))


@pytest.mark.parametrize("path", list(_commands(typer.main.get_command(app))), ids=" ".join)
def test_every_command_and_option_has_a_help_text(path: tuple[str, ...]) -> None:
    command: Any = typer.main.get_command(app)
    for word in path:
        command = command.commands[word]
    assert run(*path, "--help")[0] == 0
    assert command.help
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{' '.join(path)} {parameter.name}"


def test_config_show_prints_every_setting_with_its_value() -> None:
    shown = json.loads(run("config", "show", "--json", "--set", "contact.load=1")[1])
    assert {f"{section}.{name}" for section, values in shown.items() for name in values} == set(KEYS)
    assert shown["contact"]["load"] == 1


def test_config_show_prints_a_settings_file_that_can_be_used(tmp_path: Path) -> None:
    given = ["--set", "bosh.allowed_origins=https://a.example.com,https://b.example.com", "--set", "log.debug=true"]
    code, output, _ = run("config", "show", *given, POISE_CTI_CLIENT_PASSWORD="not to be seen")
    assert code == 0
    assert [key.environment for key in KEYS.values() if key.environment not in output] == []
    assert "not to be seen" not in output
    file = tmp_path / "poise.toml"
    file.write_text(output, encoding="utf-8")
    assert run("config", "show", "--json", "--config", str(file))[1] == run("config", "show", "--json", *given)[1]


def test_config_show_reads_the_environment_and_masks_secrets() -> None:
    _, output, _ = run(
        "config", "show", "--json", POISE_CTI_CLIENT_PASSWORD="not to be seen", POISE_BOSH_WAIT_MAX_S="45"
    )
    shown = json.loads(output)
    assert shown["cti"]["client_password"] == MASK
    assert shown["bosh"]["wait_max_s"] == 45
    assert "not to be seen" not in output


def test_config_show_with_settings_that_cannot_be_read_is_wrong_use() -> None:
    code, output, error = run("config", "show", "--set", "bosh.wait=1")
    assert (code, output) == (2, "")
    assert "Did you mean" in error


def test_config_check_says_that_settings_are_good(tmp_path: Path) -> None:
    file = tmp_path / "poise.toml"
    file.write_text('[cti]\nside_a = "cti1.example.com:42027"\nside_b = "[2001:db8::1]:43027"\n')
    assert run("config", "check", "--config", str(file)) == (0, "The settings are good.\n", "")
    assert json.loads(run("config", "check", "--config", str(file), "--json")[1]) == {"good": True}


def test_config_check_tries_a_certificate(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, ["localhost"], datetime.datetime.now(datetime.UTC))
    given = ["--set", f"tls.certificate={files.certificate}", "--set", f"tls.key={files.key}"]
    assert run("config", "check", *given)[0] == 0
    files.key.write_text("no key")
    code, _, error = run("config", "check", *given)
    assert code == 1
    assert "cannot be used together" in error


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("cti.side_a=nowhere", "cti.side_a: 'nowhere' is not HOST:PORT"),
        ("cti.version=12", "is not one of 13, "),
        ("ports.https=70000", "out of range"),
        ("contact.deployment=PBX", "UCCE, UCCX"),
        ("nonsense", "section.key=value"),
        ("tls.certificate=missing.pem", "tls.certificate and tls.key belong together"),
    ],
)
def test_config_check_says_what_is_wrong_with_exit_code_1(assignment: str, says: str) -> None:
    code, output, error = run("config", "check", "--set", assignment)
    assert (code, output) == (1, "")
    assert says in error
    code, output, _ = run("config", "check", "--json", "--set", assignment)
    told = json.loads(output)
    assert (code, told["good"]) == (1, False)
    assert says in told["error"]

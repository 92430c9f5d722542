"""`poise analyze` as a support engineer types it: a folder, no options; exit codes; languages; files it cannot read."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from poise.cli.main import app
from tests.unit.diagnosis.evidence_kit import SAMPLES, closing, epoch, openfire, tick, unavailable, webservices

SILENT = openfire(epoch(0), tick(0, 0), tick(30, 5000), tick(60, 35000), tick(90, 65000), closing(90))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Mixed evidence: a log in an archive, another beside it, and things that are none."""
    with zipfile.ZipFile(tmp_path / "server.zip", "w") as archive:
        archive.writestr("desktop/logs/openfire/debug.log", SILENT)
    (tmp_path / "Desktop-webservices.log").write_text(webservices(unavailable(90)))
    (tmp_path / "photo.bin").write_bytes(bytes(range(256)) * 40)
    (tmp_path / "empty.log").touch()
    return tmp_path


def analyze(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["analyze", *map(str, arguments)])


def test_from_a_folder_of_mixed_files_to_an_answer_without_options(folder: Path) -> None:
    result = analyze(folder)
    assert result.exit_code == 1
    assert "The client stopped polling" in result.output
    assert "binary, of no form known here" in result.output


def test_json_has_everything_that_is_shown(folder: Path) -> None:
    told = json.loads(analyze(folder, "--json").stdout)
    (disconnect,) = told["disconnects"]
    assert (disconnect["agent"], disconnect["findings"][0]["cause"]) == ("1001", "C1")
    assert {file["form"] for file in told["files"]} == {"Openfire log", "web services log", ""}


def test_the_seeds_own_files_tell_the_seeds_own_story() -> None:
    result = analyze(*sorted(SAMPLES.glob("*-finesse-2017.log")), "--json")
    (disconnect,) = [d for d in json.loads(result.stdout)["disconnects"] if d["agent"] == "1001003"]
    assert (disconnect["findings"][0]["cause"], disconnect["reason_code"]) == ("C1", 255)
    assert any("10.0 s" in note for note in disconnect["notes"])


def test_nothing_found_is_exit_code_0(tmp_path: Path) -> None:
    (tmp_path / "debug.log").write_text(openfire(epoch(0), *(tick(at, 0) for at in range(0, 600, 30))))
    result = analyze(tmp_path)
    assert (result.exit_code, "No disconnect found" in result.output) == (0, True)


@pytest.mark.parametrize(("language", "word"), [("pt-BR", "Resumo"), ("es", "Resumen")])
def test_it_speaks_the_readers_language(folder: Path, language: str, word: str) -> None:
    assert word in analyze(folder, "--language", language).output


@pytest.mark.parametrize("wrong", [("--language", "xx"), ("--zone", "India")])
def test_wrong_use_is_exit_code_2(folder: Path, wrong: tuple[str, str]) -> None:
    assert analyze(folder, *wrong).exit_code == 2


def test_every_report_is_written_and_masked(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("out")
    names = {"--html": "r.html", "--markdown": "r.md", "--chrome-trace": "r.json"}
    options = [part for option, name in names.items() for part in (option, str(out / name))]
    assert analyze(folder, "--redact", *options).exit_code == 1
    for name in names.values():
        text = (out / name).read_text("utf-8")
        assert text
        assert "1001@" not in text

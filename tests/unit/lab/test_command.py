"""`poise lab` as a person starts it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from poise.cli.lab import app

COMMAND = [sys.executable, "-c", "from poise.cli.lab import app; app()"]


def start(*options: str, stdin: int = subprocess.DEVNULL) -> tuple[subprocess.Popen[str], dict[str, object]]:
    process = subprocess.Popen(
        [*COMMAND, "--port", "0", "--json", *options], stdout=subprocess.PIPE, stdin=stdin, text=True
    )
    assert process.stdout is not None
    return process, json.loads(process.stdout.readline())


def test_it_listens_where_it_says_and_stops_on_sigterm_with_exit_code_0() -> None:
    process, ready = start("--deployment", "UCCX")
    with process:
        assert ready["deployment"] == "UCCX"
        with socket.create_connection(("127.0.0.1", int(str(ready["port"]))), timeout=10) as connection:
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert connection.recv(100) == b""


def test_it_stops_with_its_parent_when_asked_to() -> None:
    process, _ = start("--stop-with-stdin", stdin=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize("option", ["--port", "--port-b", "--control-port"])
def test_a_taken_port_is_named_with_exit_code_1(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ports = ["--port", "0", option, str(port)]
        result = subprocess.run([*COMMAND, *ports], capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 1
    assert "cannot listen on 127.0.0.1" in result.stderr
    assert str(port) in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--load", "2"], "LOAD is 0 or 1"),
        (["--deployment", "PBX"], "PBX"),
        (["--seed-data", "no-such-file.json"], "no-such-file.json"),
    ],
)
def test_wrong_use_has_exit_code_2_and_says_why(options: list[str], says: str) -> None:
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 2
    assert says in result.output


def test_the_demos_data_can_be_printed_and_used_as_seed_data(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["seed-data"])
    assert result.exit_code == 0
    file = tmp_path / "lab.json"
    file.write_text(result.output.replace("Support", "Service"))
    process, _ = start("--seed-data", os.fspath(file))
    with process:
        process.terminate()
        assert process.wait(10) == 0


def test_a_scenario_is_checked_and_its_mistakes_told_by_line(tmp_path: Path) -> None:
    file = tmp_path / "story.txt"
    file.write_text("0 agent 1001 signs-in\n5 caller 5551234 dials 8010\n")
    good = CliRunner().invoke(app, ["check", os.fspath(file)])
    assert (good.exit_code, good.output) == (0, "2 steps, the last after 5 s.\n")
    file.write_text("0 agent 1001 sings\n\n0 fault flood\n")
    for words in (["check", os.fspath(file)], ["--scenario", os.fspath(file)]):
        bad = CliRunner().invoke(app, words)
        assert bad.exit_code == 2
        assert f"{file}:1: agents cannot" in bad.output
        assert f"{file}:3: " in bad.output


def test_a_running_lab_is_told_what_to_do(tmp_path: Path) -> None:
    process, ready = start("--control-port", "0", "--port-b", "0", "--calls-per-minute", "1", "--shuffle")
    with process:
        port = str(ready["controlPort"])
        runner = CliRunner()
        for words in (["fault", "clock-drift", "60"], ["fault", "fail-over"], ["call", "8010"]):
            result = runner.invoke(app, [*words, "--control-port", port])
            assert result.exit_code == 0, result.output
        story = tmp_path / "story.txt"
        story.write_text("0 agent 1001 signs-in")
        assert runner.invoke(app, ["play", os.fspath(story), "--control-port", port]).output == "1 steps\n"
        status = json.loads(runner.invoke(app, ["status", "--control-port", port]).output)
        assert status["side"] == "B"
        wrong = runner.invoke(app, ["fault", "flood", "--control-port", port])
        assert wrong.exit_code == 2
        assert "is no fault" in wrong.output
        process.terminate()
        assert process.wait(10) == 0


def test_without_a_running_lab_a_fault_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = CliRunner().invoke(app, ["fault", "freeze", "--control-port", str(port)])
    assert result.exit_code == 1
    assert "No lab answers" in result.output

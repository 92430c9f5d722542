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


def test_a_taken_port_is_named_with_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run(
            [*COMMAND, "--port", str(port)], capture_output=True, text=True, timeout=30, check=False
        )
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
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

"""Finding the running server: nobody else's process is ever signalled."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from poise.cli.running import NotRunningError, send
from poise.server.settings import PID_FILE


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process that SIGUSR1 would end."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        yield process


def test_a_process_that_does_not_expect_the_signal_does_not_get_it(
    tmp_path: Path, bystander: subprocess.Popen[bytes]
) -> None:
    (tmp_path / PID_FILE).write_text(f"{bystander.pid}\n")
    with pytest.raises(NotRunningError, match="left behind by one that crashed"):
        send(tmp_path, signal.SIGUSR1)
    assert bystander.stdin is not None
    bystander.stdin.close()
    assert bystander.wait(10) == 0


def test_a_process_that_expects_the_signal_gets_it(tmp_path: Path) -> None:
    waits = (
        "import signal; signal.signal(signal.SIGUSR1, lambda *_: exit(7)); print('ready', flush=True); signal.pause()"
    )
    with subprocess.Popen([sys.executable, "-c", waits], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        (tmp_path / PID_FILE).write_text(f"{process.pid}\n")
        assert send(tmp_path, signal.SIGUSR1) == process.pid
        assert process.wait(10) == 7


def test_a_process_that_is_gone_is_named(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(10)
    (tmp_path / PID_FILE).write_text(f"{process.pid}\n")
    with pytest.raises(NotRunningError, match=f"Process {process.pid}.*not a running Poise server"):
        send(tmp_path, signal.SIGUSR1)


def test_without_a_pid_file_the_message_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(NotRunningError, match=f"No server runs on {tmp_path}"):
        send(tmp_path, signal.SIGUSR1)


@pytest.mark.parametrize("text", [b"", b"poise", b"-1", b"0", b"1", b"\xff\xfe", b"99999999999999999999"])
def test_a_file_that_holds_no_process_id_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / PID_FILE).write_bytes(text)
    with pytest.raises(NotRunningError, match="does not hold a process id"):
        send(tmp_path, signal.SIGUSR1)


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / PID_FILE).mkdir()
    with pytest.raises(NotRunningError, match="cannot be read"):
        send(tmp_path, signal.SIGUSR1)


def test_where_the_kernel_cannot_be_asked_the_file_is_believed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(10)
    (tmp_path / PID_FILE).write_text(f"{process.pid}\n")
    with pytest.raises(NotRunningError, match="has just ended"):
        send(tmp_path, signal.SIGUSR1, proc=tmp_path / "no-proc")

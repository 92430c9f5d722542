"""One server a data folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from poise.server.holding import FolderInUseError, Holding
from poise.server.settings import PID_FILE

HOLDER = """
import sys
from pathlib import Path
from poise.server.holding import Holding
held = Holding(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_the_file_names_the_process_and_goes_with_it(tmp_path: Path) -> None:
    held = Holding(tmp_path)
    assert (tmp_path / PID_FILE).read_text() == f"{os.getpid()}\n"
    held.release()
    assert not (tmp_path / PID_FILE).exists()


def test_a_second_server_is_told_which_process_holds_the_folder_and_leaves_the_file_alone(tmp_path: Path) -> None:
    held = Holding(tmp_path)
    with pytest.raises(FolderInUseError, match=rf"{tmp_path} .*\(process {os.getpid()}\).*--data"):
        Holding(tmp_path)
    assert (tmp_path / PID_FILE).read_text() == f"{os.getpid()}\n"
    held.release()
    Holding(tmp_path).release()


def test_a_killed_server_leaves_nothing_to_clear_away(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(FolderInUseError, match=f"process {other.pid}"):
            Holding(tmp_path)
        other.kill()
        other.wait()
    assert (tmp_path / PID_FILE).exists()
    held = Holding(tmp_path)
    assert (tmp_path / PID_FILE).read_text() == f"{os.getpid()}\n"
    held.release()


def test_a_longer_number_left_behind_by_a_crash_is_replaced_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / PID_FILE).write_text("4194303 and more than a number\n")
    held = Holding(tmp_path)
    assert (tmp_path / PID_FILE).read_text() == f"{os.getpid()}\n"
    held.release()

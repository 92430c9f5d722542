"""The log thread: order, rotation, and what happens when the disk does not follow."""

from __future__ import annotations

import io
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pytest

from poise.server.serviceability.writer import LogFile, LogWriter, Naming, Numbered, Stamped


@pytest.fixture
def writer() -> Iterator[LogWriter]:
    log_writer = LogWriter(max_bytes=1000)
    yield log_writer
    log_writer.close()


def notice(count: int) -> str:
    return f"{count} lines missing\n"


def log(writer: LogWriter, folder: Path, naming: Naming | None = None, max_bytes: int = 10_000) -> LogFile:
    return writer.file(folder, naming or Numbered("a.log", 2), max_bytes=max_bytes, notice=notice)


class Gate:
    """A naming whose file opens only when the test allows it, or never."""

    def __init__(self, folder: Path) -> None:
        self.gate = threading.Event()
        self.broken = False
        self.path = folder / "gated.log"

    def open(self, folder: Path) -> BinaryIO:
        self.gate.wait(timeout=30)
        if self.broken:
            raise OSError(28, "No space left on device")
        return self.path.open("ab", buffering=0)

    def rotate(self, folder: Path) -> None:
        raise AssertionError("not in these tests")


def test_lines_arrive_in_order_in_a_folder_that_is_made_for_them(writer: LogWriter, tmp_path: Path) -> None:
    file = log(writer, tmp_path / "new" / "folder")
    for n in range(10):
        file.write(f"line {n} é\n")
    writer.flush()
    assert (tmp_path / "new" / "folder" / "a.log").read_text("utf-8").splitlines() == [f"line {n} é" for n in range(10)]


def test_an_existing_file_is_continued(writer: LogWriter, tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("before\n")
    log(writer, tmp_path).write("after\n")
    writer.flush()
    assert (tmp_path / "a.log").read_text() == "before\nafter\n"


def test_closing_writes_what_is_queued(tmp_path: Path) -> None:
    writer = LogWriter()
    file = log(writer, tmp_path, max_bytes=1_000_000)
    for n in range(5000):
        file.write(f"{n}\n")
    writer.close()
    assert len((tmp_path / "a.log").read_text().splitlines()) == 5000


def test_full_files_are_numbered_and_the_oldest_goes(writer: LogWriter, tmp_path: Path) -> None:
    file = log(writer, tmp_path, max_bytes=10)
    for letter in "abcde":
        file.write(f"{letter * 7}\n")
        writer.flush()
    found = {path.name: path.read_text()[0] for path in tmp_path.iterdir()}
    assert found == {"a.log": "e", "a.log-1": "d", "a.log-2": "c"}


def test_stamped_files_begin_anew_and_the_oldest_go(writer: LogWriter, tmp_path: Path) -> None:
    stamps = iter(["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04"])
    (tmp_path / "other.log").write_text("not ours")
    file = log(writer, tmp_path, Stamped("Desktop", 2, lambda: next(stamps)), max_bytes=10)
    for letter in "abcd":
        file.write(f"{letter * 7}\n")
        writer.flush()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "Desktop.2026-01-03.log",
        "Desktop.2026-01-04.log",
        "other.log",
    ]


def test_when_the_queue_is_full_lines_are_dropped_counted_and_the_file_says_so(
    writer: LogWriter, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    file = log(writer, tmp_path, gate)
    for _ in range(30):
        file.write("x" * 49 + "\n")
    assert file.dropped == 10
    gate.gate.set()
    writer.flush()
    file.write("and on\n")
    writer.flush()
    lines = gate.path.read_text().splitlines()
    assert "10 lines missing" in lines
    assert lines.count("x" * 49) == 20
    assert lines[-1] == "and on"
    assert writer.dropped == 10


def test_a_disk_that_refuses_costs_lines_and_nothing_else(writer: LogWriter, tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    gate.gate.set()
    gate.broken = True
    file, healthy = log(writer, tmp_path, gate), log(writer, tmp_path)
    file.write("lost\n")
    healthy.write("kept\n")
    writer.flush()
    assert file.dropped == 1
    assert (tmp_path / "a.log").read_text() == "kept\n"
    gate.broken = False
    file.write("later\n")
    writer.flush()
    assert gate.path.read_text() == "1 lines missing\nlater\n"


def test_a_short_write_is_continued() -> None:
    class Slow(io.BytesIO):
        def write(self, data: object) -> int:
            assert isinstance(data, memoryview)
            return super().write(data[:3])

    stream = Slow()
    LogFile._write_all(stream, b"0123456789")
    assert stream.getvalue() == b"0123456789"


def test_logs_are_for_the_servers_user_and_group(writer: LogWriter, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        log(writer, tmp_path / "logs").write("line\n")
        writer.flush()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "logs" / "a.log").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o750


def test_there_is_trouble_from_the_first_lost_line_until_the_file_can_tell_of_it(
    writer: LogWriter, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    gate.gate.set()
    gate.broken = True
    file = log(writer, tmp_path, gate)
    assert writer.trouble == ""
    file.write("lost\n")
    writer.flush()
    assert writer.trouble == "1 log lines could not be written"
    gate.broken = False
    file.write("later\n")
    writer.flush()
    assert writer.trouble == ""


def test_a_log_thread_that_has_ended_is_trouble() -> None:
    writer = LogWriter()
    writer.close()
    assert writer.trouble == "The thread that writes logs has ended"

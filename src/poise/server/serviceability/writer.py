"""Log files, written by one thread from one bounded queue: the event loop never waits for disk.

When the bound is reached, or the disk refuses, lines are dropped and counted; the file itself says so as soon as it can
be written again. Rotation is bounded in size and number.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from poise.server.modes import log_opener, make_folder

QUEUE_BYTES_MAX = 32 * 1024 * 1024
"""Characters waiting to be written, over all files: about ten seconds of 10,000 lines each. A disk that stands still
for longer costs lines, not memory."""
LINGER_S = 0.05
"""Seconds a first line waits for company. A thread woken for each line costs the event loop more than the line itself
(measured: a quarter of a session's set-up); longer, and a crash would take more of the last lines with it."""
BATCH_MAX = 2000
"""Lines taken from the queue before they are written: one system call a file and batch."""


class Naming(Protocol):
    """Where a log's lines go, and what becomes of full files. Used on the writer's thread only."""

    def open(self, folder: Path) -> BinaryIO:
        """The file to append to."""

    def rotate(self, folder: Path) -> None:
        """Make room for a new file after the present one is full."""


def _append(path: Path) -> BinaryIO:
    return open(path, "ab", buffering=0, opener=log_opener)


@dataclass(frozen=True, slots=True)
class Numbered:
    """`debug.log`, then `debug.log-1` (newest) up to `-keep`, as Openfire has it."""

    name: str
    keep: int

    def open(self, folder: Path) -> BinaryIO:
        """Append to the file of that name."""
        return _append(folder / self.name)

    def rotate(self, folder: Path) -> None:
        """Push every file one number up; the last one goes."""
        for number in range(self.keep, 0, -1):
            source = folder / (self.name if number == 1 else f"{self.name}-{number - 1}")
            if source.exists():
                os.replace(source, folder / f"{self.name}-{number}")
        (folder / self.name).unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Stamped:
    """`<prefix>.<time of opening>.log`, the newest `keep` of them, as the web services have it."""

    prefix: str
    keep: int
    stamp: Callable[[], str]

    def open(self, folder: Path) -> BinaryIO:
        """Begin a file named after this moment, after removing the oldest ones."""
        files = sorted(folder.glob(f"{self.prefix}.*.log"))
        for file in files[: max(0, len(files) - self.keep + 1)]:
            file.unlink(missing_ok=True)
        return _append(folder / f"{self.prefix}.{self.stamp()}.log")

    def rotate(self, folder: Path) -> None:
        """Nothing: the next file has a name of its own."""


class LogFile:
    """One log: `write` on the event loop, everything else on the writer's thread."""

    def __init__(
        self, writer: LogWriter, folder: Path, naming: Naming, *, max_bytes: int, notice: Callable[[int], str]
    ) -> None:
        """`notice` makes, in this log's own grammar, the line that says how many lines are missing."""
        self._writer = writer
        self._folder = folder
        self._naming = naming
        self._max_bytes = max_bytes
        self._notice = notice
        self._stream: BinaryIO | None = None
        self._size = 0
        self._told = 0
        self._failed = 0
        self._refused = 0

    @property
    def dropped(self) -> int:
        """Lines that were not written, for whatever reason."""
        return self._refused + self._failed

    @property
    def behind(self) -> int:
        """Lines that are missing and of which the file could not tell yet: its disk still refuses."""
        return self.dropped - self._told

    def write(self, text: str) -> None:
        """Queue complete lines, newline at the end included. Never blocks, never raises."""
        if not self._writer.put(self, text):
            self._refused += 1

    def append(self, texts: list[str]) -> None:
        """Write lines now; on the writer's thread."""
        missing = self.dropped
        if missing > self._told:
            texts = [self._notice(missing - self._told), *texts]
        data = "".join(texts).encode("utf-8", "backslashreplace")
        try:
            if self._stream is None:
                make_folder(self._folder)
                self._stream = self._naming.open(self._folder)
                self._size = os.fstat(self._stream.fileno()).st_size
            if self._size and self._size + len(data) > self._max_bytes:
                self.close()
                self._naming.rotate(self._folder)
                self._stream = self._naming.open(self._folder)
                self._size = 0
            self._write_all(self._stream, data)
        except OSError:
            self._failed += len(texts)
            self.close()
        else:
            self._told = missing
            self._size += len(data)

    @staticmethod
    def _write_all(stream: BinaryIO, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[stream.write(view) :]

    def close(self) -> None:
        """Close the file; the next line opens it again. On the writer's thread, or after it has ended."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                stream.close()
            except OSError:  # a full network disk may say so only here; the lines are counted by the next write
                pass


class LogWriter:
    """The thread and its queue."""

    def __init__(self, max_bytes: int = QUEUE_BYTES_MAX) -> None:
        self._max_bytes = max_bytes
        self._lines: deque[tuple[LogFile, str] | threading.Event | None] = deque()
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._awake = False  # whether the thread is certain to look at `_lines` again: once woken is enough
        self._queued = 0  # written by the event loop only
        self._done = 0  # written by the thread only: two counters need no lock
        self._hurry = threading.Event()
        self._files: list[LogFile] = []
        self._thread = threading.Thread(target=self._run, name="poise-logs", daemon=True)
        self._thread.start()

    def file(self, folder: Path, naming: Naming, *, max_bytes: int, notice: Callable[[int], str]) -> LogFile:
        """A log that is written by this thread."""
        file = LogFile(self, folder, naming, max_bytes=max_bytes, notice=notice)
        self._files.append(file)
        return file

    @property
    def dropped(self) -> int:
        """Lines of all files that were not written."""
        return sum(file.dropped for file in self._files)

    @property
    def trouble(self) -> str:
        """Why logs are not complete at present, for /readyz; empty when they are."""
        if not self._thread.is_alive():
            return "The thread that writes logs has ended"
        behind = sum(file.behind for file in self._files)
        return f"{behind} log lines could not be written" if behind else ""

    def put(self, file: LogFile, text: str) -> bool:
        """Queue lines of one file; False when the bound is reached."""
        if self._queued - self._done + len(text) > self._max_bytes:
            return False
        self._queued += len(text)
        self._add((file, text))
        return True

    def _add(self, item: tuple[LogFile, str] | threading.Event | None) -> None:
        # appending to a deque costs a tenth of a queue's put, so the queue carries only the first line of a batch
        self._lines.append(item)
        if not self._awake:
            self._awake = True
            self._wake.put(None)

    def flush(self) -> None:
        """Wait until everything queued so far is written. Not for the event loop's thread while it serves."""
        reached = threading.Event()
        self._add(reached)
        self._hurry.set()
        reached.wait()

    def close(self) -> None:
        """Write what is queued, close the files, end the thread."""
        self._add(None)
        self._hurry.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wake.get()
            self._hurry.wait(LINGER_S)
            self._hurry.clear()
            self._awake = False  # before the lines are taken: one that comes later wakes this thread again
            while lines := self._lines:
                batch = [lines.popleft() for _ in range(min(len(lines), BATCH_MAX))]  # nobody else takes any
                if not self._work(batch):
                    return

    def _work(self, batch: list[tuple[LogFile, str] | threading.Event | None]) -> bool:
        """Write a batch, grouped by file; False when the end was among it."""
        lines: dict[LogFile, list[str]] = {}
        for item in batch:
            if isinstance(item, tuple):
                lines.setdefault(item[0], []).append(item[1])
                continue
            self._write(lines)
            if item is None:
                for file in self._files:
                    file.close()
                return False
            item.set()
        self._write(lines)
        return True

    def _write(self, lines: dict[LogFile, list[str]]) -> None:
        for file, texts in lines.items():
            file.append(texts)
            self._done += sum(map(len, texts))
        lines.clear()

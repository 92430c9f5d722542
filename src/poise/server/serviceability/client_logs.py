"""Clients' logs as files in `clientlogs` of the activelog: one file a log, bounded by agent, by number and in all.

What is stored is what was sent; nothing here opens, runs or believes it. A name is made from the agent's id and the
moment alone. Everything that takes time happens on a thread of its own, one log after the other; who has too many
waiting is refused before the server reads what he sends.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from poise.finesse.api_errors import ApiException, Code
from poise.finesse.client_logs import LOG_MAX, client_log_text
from poise.server.modes import log_opener, make_folder

FOLDER_BYTES_MAX = 100 * 1024 * 1024
"""Bytes of all logs; the oldest go first. Finesse administration guide."""
FOLDER_FILES_MAX = 25_000
"""The same for files."""
AGENT_BYTES_MAX = 10 * 1024 * 1024
"""Bytes of one agent's logs; ours: one client in a loop must not push out everybody else's."""
AGENT_FILES_MAX = 250
"""The same for files."""
WAITING_PER_AGENT = 2
"""Logs of one agent that are received or stored at once; a desktop sends one and waits for its event."""
WAITING_MAX = 16
"""The same for all agents: 48 MB at most."""
UNPACKED_MAX = 64 * 1024 * 1024
"""Bytes that a compressed log may hold. A text packs 20 to 1, so an honest one has 30 MB."""
ENTRIES_MAX = 100
"""Files in one compressed log."""
NAME_ID_MAX = 12
"""Characters of the agent's id in a file name. Finesse guide, ClientLog."""

_PIECE = 256 * 1024
_NAME = re.compile(r"ClientLog\.(?P<agent>[\w.-]+)\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}(?:-\d+)?\.(?:log|zip)")
_UNFIT = re.compile(r"[^A-Za-z0-9_-]")


class _File(NamedTuple):
    name: str
    agent: str
    size: int


class ClientLogs:
    """Owns the folder. `keep_text` and `keep_zip` on the event loop; the rest on its own thread."""

    def __init__(self, folder: Path, wall: Callable[[], float]) -> None:
        """`wall`: seconds since the epoch."""
        self._folder = folder
        self._wall = wall
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="poise-clientlogs")
        self._waiting: Counter[str] = Counter()
        self._files: dict[str, _File] | None = None  # oldest first; None: not looked yet
        self._bytes = 0

    @contextmanager
    def slot(self, agent_id: str) -> Iterator[None]:
        """Room for one log of an agent, from before it is read until it is stored. Raises ApiException."""
        if self._waiting[agent_id] >= WAITING_PER_AGENT or self._waiting.total() >= WAITING_MAX:
            raise ApiException(Code.MAXIMUM_EXCEEDED, agent_id)
        self._waiting[agent_id] += 1
        try:
            yield
        finally:
            self._waiting[agent_id] -= 1
            if not self._waiting[agent_id]:
                del self._waiting[agent_id]

    async def keep_text(self, agent_id: str, body: bytes) -> str:
        """Store the log in the body of POST ClientLog; the name of its file. Raises ApiException."""
        return await self._run(lambda: self._save(agent_id, client_log_text(body).encode(), "log"))

    async def keep_zip(self, agent_id: str, data: bytes) -> str:
        """Store a compressed log as it was sent; the name of its file. Raises ApiException."""

        def work() -> str:
            check_zip(data)
            return self._save(agent_id, data, "zip")

        return await self._run(work)

    def close(self) -> None:
        """Finish what is being stored. Blocks."""
        self._thread.shutdown()

    async def _run(self, work: Callable[[], str]) -> str:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    # ---- on the thread

    def _save(self, agent_id: str, data: bytes, suffix: str) -> str:
        agent = _UNFIT.sub("_", agent_id)[:NAME_ID_MAX]
        try:
            files = self._look()
            self._make_room(files, agent, len(data))
            name = self._write(agent, data, suffix)
        except OSError as error:
            raise ApiException(Code.OPERATION_FAILURE, error.strerror or "") from error
        files[name] = _File(name, agent, len(data))
        self._bytes += len(data)
        return name

    def _look(self) -> dict[str, _File]:
        """What is there already, oldest first; files that are not ours are neither counted nor removed."""
        if self._files is None:
            make_folder(self._folder)
            found: list[tuple[float, _File]] = []
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    match = _NAME.fullmatch(entry.name)
                    if match is not None and entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        found.append((status.st_mtime, _File(entry.name, match["agent"], status.st_size)))
            found.sort()
            self._files = {file.name: file for _, file in found}
            self._bytes = sum(file.size for file in self._files.values())
        return self._files

    def _make_room(self, files: dict[str, _File], agent: str, size: int) -> None:
        own = [file for file in files.values() if file.agent == agent]
        own_bytes = sum(file.size for file in own)
        for file in own:
            if len(own) < AGENT_FILES_MAX and own_bytes + size <= AGENT_BYTES_MAX:
                break
            own = own[1:]
            own_bytes -= file.size
            self._remove(files, file)
        while files and (len(files) >= FOLDER_FILES_MAX or self._bytes + size > FOLDER_BYTES_MAX):
            self._remove(files, next(iter(files.values())))

    def _remove(self, files: dict[str, _File], file: _File) -> None:
        (self._folder / file.name).unlink(missing_ok=True)
        del files[file.name]
        self._bytes -= file.size

    def _write(self, agent: str, data: bytes, suffix: str) -> str:
        """A new file, whole or not at all, never through a link that somebody put there."""
        now = datetime.fromtimestamp(self._wall(), UTC)
        stem = f"ClientLog.{agent}.{now:%Y-%m-%dT%H-%M-%S}.{now.microsecond // 1000:03d}"
        number = 0
        while True:
            name = f"{stem}-{number}.{suffix}" if number else f"{stem}.{suffix}"
            try:
                stream = open(self._folder / name, "xb", opener=log_opener)  # noqa: SIM115 - closed below
            except FileExistsError:
                number += 1
                continue
            try:
                with stream:
                    stream.write(data)
            except OSError:
                (self._folder / name).unlink(missing_ok=True)
                raise
            return name


def check_zip(data: bytes) -> None:
    """Is that a zip archive that whoever opens it will survive? Names in it are never used. Raises ApiException."""
    if len(data) > LOG_MAX:
        raise ApiException(Code.TOO_LARGE)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if not 0 < len(entries) <= ENTRIES_MAX:
                raise ApiException(Code.INVALID_INPUT, f"an archive of 1 to {ENTRIES_MAX} files is expected")
            left = UNPACKED_MAX
            for entry in entries:
                if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & 1:
                    raise ApiException(Code.INVALID_INPUT, "only deflate without encryption is taken")
                with archive.open(entry) as stream:
                    while piece := stream.read(_PIECE):  # what an archive says about its size is not believed
                        left -= len(piece)
                        if left < 0:
                            raise ApiException(Code.TOO_LARGE, f"more than {UNPACKED_MAX} bytes when unpacked")
    except ApiException:
        raise
    except Exception as error:  # zipfile lets a dozen kinds out for damaged archives
        raise ApiException(Code.INVALID_INPUT, "the archive is damaged") from error

"""Finds the running server of a data folder and signals it.

`poise serve` names its process in DATA/poise.pid. A file left behind by a crash may name a process that is somebody
else's by now, and SIGUSR1 ends a process that does not expect it: so we ask the kernel whether it is caught there.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from poise.server.settings import PID_FILE


class NotRunningError(Exception):
    """There is no server to signal; the text says why and what to do."""


def send(data: Path, number: signal.Signals, proc: Path = Path("/proc")) -> int:
    """Signal the server of that data folder; its process id. Raises NotRunningError."""
    pid = _pid(data / PID_FILE)
    if not _catches(pid, number, proc):
        raise NotRunningError(
            f"Process {pid}, named in {data / PID_FILE}, is not a running Poise server; the file was left behind by "
            "one that crashed. Start it with `poise serve`."
        )
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        raise NotRunningError(f"Process {pid} has just ended. Start the server with `poise serve`.") from None
    except PermissionError:
        raise NotRunningError(
            f"The server (process {pid}) belongs to another user. Run this command as that user or as root."
        ) from None
    return pid


def runs(data: Path, proc: Path = Path("/proc")) -> bool:
    """Whether a server runs on that data folder."""
    try:
        return _catches(_pid(data / PID_FILE), signal.SIGUSR1, proc)
    except NotRunningError:
        return False


def _pid(file: Path) -> int:
    try:
        text = file.read_bytes().strip()
    except FileNotFoundError:
        raise NotRunningError(
            f"No server runs on {file.parent}: there is no {file.name} in it. "
            "Name its data folder with --data, or start one with `poise serve`."
        ) from None
    except OSError as error:
        raise NotRunningError(f"{file} cannot be read ({error.strerror}). Run this as the server's user.") from None
    if not (text.isdigit() and 1 < int(text) < 2**31):
        raise NotRunningError(f"{file} does not hold a process id. Remove it if no server runs there.")
    return int(text)


def _catches(pid: int, number: signal.Signals, proc: Path) -> bool:
    """Whether the process exists and handles the signal; where the kernel has no such page, only the former."""
    if not (proc / "self" / "status").exists():
        return True
    try:
        lines = (proc / str(pid) / "status").read_text().splitlines()
    except OSError:
        return False
    masks = [line.split()[1] for line in lines if line.startswith("SigCgt:")]
    return bool(masks) and bool(int(masks[0], 16) >> (number - 1) & 1)

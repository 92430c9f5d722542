"""One server a data folder: the file that names the running server is locked for as long as it runs.

Theory. Two servers on one folder would write into the same logs, answer for the same agents and take each other's
name from the folder. The kernel's lock on the open file ends with the process, however it ends, so a crash leaves
nothing to clear away, and a number in the file that is somebody else's process by now does no harm.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from poise.server.settings import PID_FILE

ATTEMPTS = 10
"""How often the file is opened anew when the server that goes away removes it between our opening and locking it."""


class FolderInUseError(Exception):
    """Another server runs on the data folder; the text says which and what to do."""


class Holding:
    """The data folder is ours until `release`. It is unlocked by the kernel when the process ends."""

    def __init__(self, data: Path) -> None:
        """Raises FolderInUseError, and OSError when the file cannot be made."""
        self._file = data / PID_FILE
        self._descriptor = _locked(self._file)
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n".encode("ascii"), 0)

    def release(self) -> None:
        """Remove the file, then let go of it: nobody may lock a file that is about to go."""
        self._file.unlink(missing_ok=True)
        os.close(self._descriptor)


def _locked(file: Path) -> int:
    for _ in range(ATTEMPTS):
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is(file, descriptor):
                return descriptor
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise FolderInUseError(_in_use(file.parent, holder)) from None
        except OSError:
            os.close(descriptor)
            raise
        os.close(descriptor)
    raise FolderInUseError(_in_use(file.parent, ""))


def _is(file: Path, descriptor: int) -> bool:
    """Whether the path still leads to the file that is open."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(file))
    except FileNotFoundError:
        return False


def _in_use(data: Path, holder: str) -> str:
    who = f"process {holder}" if holder.isdigit() else "another process"
    return f"{data} is the data folder of a running server ({who}). Stop it, or choose another folder with --data."

"""Who on this machine may read what the server writes: secrets its own user alone, logs its group too, others nothing.

Modes are only ever taken away from: who has tightened something further, or runs with a stricter umask, is left alone.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

FOLDER = 0o750
"""The data folder and the log folders: the group may read logs, so it must be let in."""
SECRET = 0o600
"""The database: password hashes stand in it."""
LOG = 0o640
"""Log files: they name people, addresses and what they did; tools that collect them run in the server's group."""


def tighten(path: Path, mode: int) -> None:
    """Take away what `mode` does not allow, where the file is there and ours. Never raises: a mode that cannot be
    changed is no reason not to start."""
    try:
        found = path.lstat()
        shared = stat.S_ISDIR(found.st_mode) and found.st_mode & stat.S_ISVTX  # /tmp and the like are nobody's own
        if found.st_uid != os.geteuid() or stat.S_ISLNK(found.st_mode) or shared:
            return
        if found.st_mode & 0o777 & ~mode:
            path.chmod(found.st_mode & mode)
    except OSError:
        return


def make_folder(path: Path) -> None:
    """Make a folder of ours with those above it, or tighten it. Raises OSError."""
    if path.is_dir():
        tighten(path, FOLDER)
    else:
        path.mkdir(FOLDER, parents=True, exist_ok=True)


def log_opener(path: str, flags: int) -> int:
    """For `open(opener=...)`: a new log has the mode of logs."""
    return os.open(path, flags, LOG)

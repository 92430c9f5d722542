"""Who holds a TCP port, so that "address already in use" becomes a sentence a person can act on.

Linux only; elsewhere it says less.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp (proc(5))."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that listens on a port."""

    pid: int
    command: str


def is_free(host: str, port: int) -> bool:
    """Whether a listener could bind to the port now. Port 0 always can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def holder(port: int, proc: Path = Path("/proc")) -> Holder | None:
    """The process listening on a port, or None when it cannot be told (another user's process, no /proc)."""
    inodes = set()
    for table in ("net/tcp", "net/tcp6"):
        try:
            rows = (proc / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == _LISTEN and int(columns[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{columns[9]}]")
    if not inodes:
        return None
    for folder in proc.glob("[0-9]*"):
        if inodes & set(_open_files(folder)):
            return Holder(int(folder.name), _command(folder))
    return None


def _open_files(folder: Path) -> Iterator[str]:
    """What a process has open; files it closes meanwhile, and processes of other users, are passed over."""
    try:
        descriptors = list((folder / "fd").iterdir())
    except OSError:
        return
    for descriptor in descriptors:
        try:
            yield str(descriptor.readlink())
        except OSError:
            continue


def _command(folder: Path) -> str:
    try:
        words = (folder / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "?"
    return b" ".join(words).decode("utf-8", "replace").strip()[:120] or "?"


def taken(name: str, port: int) -> str:
    """One sentence about a port that cannot be bound, and what to do."""
    who = holder(port)
    by = f"process {who.pid} ({who.command})" if who else "another process (its name cannot be read from here)"
    return f"Port {port} ({name}) is taken by {by}. Stop it, or choose another with --set ports.{name}=PORT."

"""Who holds a TCP port, so that "address already in use" becomes a sentence a person can act on.

Linux only; elsewhere it says less.
"""

from __future__ import annotations

import errno
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


def bind_error(host: str, port: int) -> OSError | None:
    """Why a listener could not bind to the port now; None when it could. Port 0 stands for any free one."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        return error
    return None


def trouble(host: str, setting: str, port: int) -> str:
    """A sentence about a listener that cannot be opened, with the remedy; empty when it can. `setting`: the port's."""
    error = bind_error(host, port)
    if error is None:
        return ""
    if error.errno == errno.EADDRINUSE:
        return taken(setting, port)
    if error.errno in (errno.EACCES, errno.EPERM):
        name = setting.removeprefix("ports.")
        return (
            f"Port {port} ({name}) may not be opened by this user. Allow it (CAP_NET_BIND_SERVICE), or choose one from "
            f"1024 on with --set {setting}=PORT."
        )
    remedy = "with --host" if setting.startswith("ports.") else f"with --set {setting}=HOST:PORT"
    return f"{host} is not an address of this machine ({error.strerror or error}). Name one {remedy}."


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


def taken(setting: str, port: int) -> str:
    """One sentence about a port that another process listens on, and what to do."""
    who = holder(port)
    by = f"process {who.pid} ({who.command})" if who else "another process (its name cannot be read from here)"
    form = "PORT" if setting.startswith("ports.") else "HOST:PORT"
    return (
        f"Port {port} ({setting.removeprefix('ports.')}) is taken by {by}. "
        f"Stop it, or choose another with --set {setting}={form}."
    )

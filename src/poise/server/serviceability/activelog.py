"""The activelog tree: which folders there are under the data directory and what each one holds."""

from __future__ import annotations

from pathlib import Path

from poise.server.modes import LOG, make_folder, tighten

FOLDERS = ("openfire", "openfireservice", "webservices", "clientlogs", "audit-log")
"""Folders of `logs/desktop`, named as `file get activelog desktop` finds them."""


class Activelog:
    """Paths of the log folders."""

    def __init__(self, data: Path) -> None:
        self.root = data / "logs"
        self.desktop = self.root / "desktop"
        self.openfire = self.desktop / "openfire"
        """Notification service: debug.log, info.log, warn.log, error.log."""
        self.openfireservice = self.desktop / "openfireservice"
        """Starts and stops of the notification service."""
        self.webservices = self.desktop / "webservices"
        """Desktop-webservices logs."""
        self.clientlogs = self.desktop / "clientlogs"
        """Client logs sent by Send Error Report."""
        self.audit = self.desktop / "audit-log"
        """What administrators changed."""
        self.poise = self.root / "poise"
        """Our own trace."""

    def create(self) -> None:
        """Make every folder, and take from those and from logs that are there what others may not have. Raises
        OSError."""
        for folder in (self.root, self.desktop, *(self.desktop / name for name in FOLDERS), self.poise):
            make_folder(folder)
            for path in folder.iterdir():
                if path.is_file():
                    tighten(path, LOG)

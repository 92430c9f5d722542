"""The activelog tree: which folders there are under the data directory and what each one holds."""

from __future__ import annotations

from pathlib import Path

FOLDERS = ("openfire", "openfireservice", "webservices", "clientlogs")
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
        self.poise = self.root / "poise"
        """Our own trace."""

    def create(self) -> None:
        """Make every folder. Raises OSError."""
        for name in FOLDERS:
            (self.desktop / name).mkdir(parents=True, exist_ok=True)
        self.poise.mkdir(parents=True, exist_ok=True)

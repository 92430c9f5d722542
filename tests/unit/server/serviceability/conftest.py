"""Logs on a manual clock in a fixed zone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from poise.server.clock import ManualClock
from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.metrics import Metrics
from poise.server.serviceability.openfire import OpenfireLog
from poise.server.serviceability.trace import Trace
from poise.server.serviceability.webservices_log import WebservicesLog
from poise.server.serviceability.writer import LogWriter


class Logs:
    """Everything serviceability writes, at 2017-06-17 00:16:04.630 +0530."""

    def __init__(self, data: Path) -> None:
        zone = timezone(timedelta(hours=5, minutes=30))
        self.clock = ManualClock(wall=1497638764.630)
        self.writer = LogWriter()
        self.activelog = Activelog(data)
        self.metrics = Metrics()
        self.trace = Trace(self.writer, self.activelog, self.clock)
        common = (self.writer, self.activelog, self.clock, self.trace, self.metrics)
        self.openfire = OpenfireLog(*common, zone=zone)
        self.webservices = WebservicesLog(*common, host="10.1.2.3", zone=zone)

    def text(self, pattern: str) -> str:
        """Content of the one file under logs/ that matches."""
        self.writer.flush()
        (path,) = self.activelog.root.glob(pattern)
        return path.read_text("utf-8")

    def events(self) -> list[dict[str, Any]]:
        """The trace."""
        return [json.loads(line) for line in self.text("poise/trace.jsonl").splitlines()]


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Logs]:
    stage = Logs(tmp_path)
    yield stage
    stage.writer.close()

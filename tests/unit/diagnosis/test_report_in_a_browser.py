"""The HTML report as a browser shows it: nothing is asked of the network, every link of the ladder has its line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from poise.diagnosis.report import html
from poise.diagnosis.wording import Words
from tests.unit.diagnosis.evidence_kit import EMPTY, START, analysed, closing, drift, epoch, har, openfire, tick
from tests.unit.diagnosis.evidence_kit import client as client_log

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    silent = openfire(epoch(0), tick(0, 0), tick(30, 5000), tick(60, 35000), tick(90, 65000), closing(90))
    hostile = (5, "/finesse/api/User/1001 <script>document.title='taken'</script><img src=http://127.0.0.1:9/x>")
    files: dict[str, str | bytes] = {
        "debug.log": silent,
        "client.log": client_log(hostile, drift(0), drift(60, 9), (80, "Connection status: <b>disconnected")),
        "agent.har": har((-300, 30000, 200, EMPTY), (-238, 30000, 200, EMPTY), (-148, 30000, 200, EMPTY)),
    }
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html.render(analysed(files), Words("en"), START), "utf-8")
    return path


def chromium(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert BROWSER is not None
    command = [BROWSER, "--headless", "--disable-gpu", f"--user-data-dir={folder}", "--enable-logging=stderr"]
    command += ["--no-sandbox"] if os.geteuid() == 0 else []
    return subprocess.run([*command, *options], capture_output=True, text=True, timeout=120)


def test_a_browser_shows_all_of_it_and_runs_nothing(page: Path, tmp_path: Path) -> None:
    done = chromium(tmp_path, "--dump-dom", page.as_uri())
    shown = done.stdout
    assert "<title>Poise" in shown, "no text of a log may become a script"
    assert shown.count("<article") == 1
    assert "Agent 1001" in shown
    links = set(re.findall(r'href="#([^"]+)"', shown))
    anchors = set(re.findall(r'id="([^"]+)"', shown))
    assert links
    assert links <= anchors, links - anchors
    assert not re.search(r"<script|<img|<link", shown)
    assert "CONSOLE" not in done.stderr, done.stderr


def test_a_picture_of_it_can_be_taken(page: Path, tmp_path: Path) -> None:
    picture = tmp_path / "report.png"
    chromium(tmp_path / "profile", "--window-size=1000,1200", f"--screenshot={picture}", page.as_uri())
    data = picture.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert len(data) > 20_000, "an empty page has less"

"""Draws docs/pictures/analyze-report.png: the HTML report of `poise analyze`, as Chromium shows it.

    python tools/analyze_picture.py [FILE.png]

The evidence is made here (a hidden tab whose timers run once a minute), so that the picture holds nobody's data.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "pictures" / "analyze-report.png"
START = datetime(2026, 3, 2, 9, tzinfo=UTC).timestamp()
EMPTY = "<body xmlns='http://jabber.org/protocol/httpbind'></body>"
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36"
)
SIZE = "1180,1500"


def stamp(at: float) -> str:
    """As the notification service writes it."""
    return f"{datetime.fromtimestamp(START + at, UTC):%Y.%m.%d %H:%M:%S}"


def debug_log() -> str:
    """The reaper's view: one session falls silent, another one stays."""
    lines = [f"{stamp(0)} time={round(START * 1000)},JID=1002@fin1/desktop,msgs_sent=1"]
    for at, idle in ((0, 0), (30, 5000), (60, 35000), (90, 65000)):
        lines.append(f"{stamp(at)} Session (id=f382a015) was last active {idle} ms ago: 1001@fin1/desktop")
        lines.append(f"{stamp(at)} Session (id=b71c4e90) was last active 0 ms ago: 1002@fin1/desktop")
    lines.append(f"{stamp(90)} Closing idle session (id=f382a015): 1001@fin1/desktop")
    lines.append("after inactivity for more than threshold value of 60")
    return "\n".join(lines) + "\n"


def webservices_log() -> str:
    """Presence is gone, and a minute later the agent."""
    rows = (
        (90, "Smack Listener Processor (1)", "PRESENCE_NOTIFICATION", "%[agent_id=1001][presence_type=unavailable]: x"),
        (120, "pool-8-thread-1", "AGENT_PRESENCE_MONITOR", "%[agent_id=1001]: still waits"),
        (150, "CoreImpl-worker12", "PRESENCE DRIVEN LOGOUT", "%[agent_id=1001]: forced logout"),
        (150, "CTIMessageEventExecutor-0", "DECODED_MESSAGE_FROM_CTI_SERVER", "%[cti_message=CTIAgentStateEvent "
         "[agentState=1 (LOGOUT), eventReasonCode=255, agentID=1001]]: Decoded Message"),
    )  # fmt: skip
    made = []
    for number, (at, thread, mnemonic, text) in enumerate(rows, 1042):
        when = datetime.fromtimestamp(START + at + 0.63, UTC)
        made.append(
            f"{number:010d}: fin1: {when:%b %d %Y %H:%M:%S}.{when.microsecond // 1000:03d} +0000: "
            f"%CCBU_{thread}-6-{mnemonic}: {text}\n"
        )
    return "".join(made)


def client_log() -> str:
    """Drift and round trips of the same quarter of an hour."""
    rows = [BROWSER + "\n"]
    for minute in range(-6, 4):
        when = datetime.fromtimestamp(START + minute * 60, UTC)
        drift, trip = 5 + minute % 3, 14 + (minute * 7) % 11
        rows.append(
            f"{when:%Y-%m-%dT%H:%M:%S}.586 +00:00: : fin1: --- : Header : /finesse/api/User/1001 Client: x, Server: y, "
            f"Drift: {drift} ms, Network Latency (round trip): {trip} ms\n"
        )
    return "".join(rows)


def har() -> str:
    """The polls: answered at once, and asked for again a minute later."""
    entries = []
    for at, took, status in (
        (-300, 30000, 200),
        (-238, 30000, 200),
        (-148, 30000, 200),
        (-58, 30000, 200),
        (122, 3, 404),
    ):
        entries.append(
            {
                "startedDateTime": datetime.fromtimestamp(START + at, UTC).isoformat(),
                "time": took,
                "request": {
                    "method": "POST",
                    "url": "https://fin1:7443/http-bind/",
                    "headers": [],
                    "postData": {"text": "<body rid='7001' sid='f382a015'/>"},
                },
                "response": {"status": status, "content": {"text": EMPTY if status == 200 else "", "size": 57}},
            }
        )
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


def screenshot(page: Path, picture: Path) -> None:
    """Chromium's picture of a page."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise SystemExit("needs Chromium (Debian package chromium)")
    command = [program, "--headless", "--disable-gpu", "--hide-scrollbars", "--force-color-profile=srgb"]
    command += [f"--window-size={SIZE}", f"--screenshot={picture}", page.as_uri()]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.insert(1, "--no-sandbox")
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603


def evidence(folder: Path) -> None:
    """Write the four files."""
    (folder / "debug.log").write_text(debug_log())
    (folder / "Desktop-webservices.log").write_text(webservices_log())
    (folder / "client.log").write_text(client_log())
    (folder / "agent1001.har").write_text(har())


def main() -> None:
    """Draw it."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "evidence").mkdir()
        evidence(folder / "evidence")
        page = folder / "report.html"
        command = [sys.executable, "-m", "poise.cli.main", "analyze", str(folder / "evidence"), "--html", str(page)]
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL)  # noqa: S603
        target.parent.mkdir(parents=True, exist_ok=True)
        screenshot(page, target)
    print(target)  # noqa: T201


if __name__ == "__main__":
    main()

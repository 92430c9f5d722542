"""The tutorial and the README are typed in, line by line, and do what they say. Only ports and times are shorter."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.demo_server import Demo, demo, environment

ROOT = Path(__file__).resolve().parents[3]
SHORT = {
    "bosh.idle_limit_s": "6",
    "bosh.reaper_interval_s": "0.5",
    "presence.grace_s": "1",
    "presence.monitor_s": "0.4",
}
"""The clockwork of the silence, in seconds that a test can spare; the default times are proven in docs/proof."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Demo]:
    with demo(tmp_path / "data", *(f"--set={key}={value}" for key, value in SHORT.items())) as running:
        yield running


def typed(page: str, server: Demo) -> str:
    """What a person sees who types every bash block of a page in the folder of the data."""
    blocks = re.findall(r"^```bash\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    ports = server.facts["ports"]
    script = "\n".join(blocks).replace(":8445/", f":{ports['https']}/").replace(":7443/", f":{ports['notification']}/")
    script = script.replace(".venv/bin/poise", f"{sys.executable} -m poise.cli.main")
    script = re.sub(r"sleep \d", "sleep 0.1", script)
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail"],
        input=script,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=server.data.parent,
        env=environment(),
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return html.unescape(done.stdout)


def test_the_first_five_minutes(server: Demo) -> None:
    seen = typed("docs/tutorial/first-five-minutes.md", server)
    told = iter(seen.splitlines(keepends=True))

    def comes(pattern: str) -> str:
        for line in told:
            if re.search(pattern, line):
                return line
        raise AssertionError(f"{pattern} does not come in its turn:\n{seen}")

    comes("202 Accepted")
    comes("<state>NOT_READY</state>")
    comes("logging is now enabled")
    comes("<mechanism>PLAIN</mechanism>")
    comes("<success ")
    comes("<jid>1001@localhost/desktop</jid>")
    comes('id="/finesse/api/User/1001__1001@localhost__')
    comes("<state>READY</state>")
    comes("PRESENCE DRIVEN LOGOUT")
    comes(r"Session \(id=\S+\) was last active \d+ ms ago: 1001@localhost/desktop")
    comes(r"Closing idle session \(id=\S+\): 1001@localhost/desktop")
    comes("after inactivity for more than threshold value of 6")
    comes(r"AGENT_PRESENCE: .*UNAVAILABLE")
    comes("AGENT_PRESENCE_MONITOR")
    comes("PRESENCE DRIVEN LOGOUT")
    comes("reason code: 255")
    comes("<state>NOT_READY</state>")
    comes("<code>50002</code>")
    comes("50002 .reason code, UCCE.")
    comes("logging is now disabled")


def test_the_three_lines_of_the_readme(running: Demo) -> None:
    seen = typed("README.md", running)
    assert "<state>READY</state>" in seen

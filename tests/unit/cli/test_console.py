"""`poise console` beside a demo."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from poise.cli.main import app
from tests.unit.cli.consoles import PLACES, Console, words
from tests.unit.cli.demo_server import POISE, Demo, environment

AGENTS = [*range(1001, 1007), 1101, 1102]


def run(demo: Demo, way: str, *more: str, user: str = "1006", password: str = "1006") -> tuple[int, str, str]:
    done = subprocess.run(
        [*POISE, *words(demo, user, way, *more)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=60,
        check=False,
        env=environment(POISE_PASSWORD=password),
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("way", PLACES)
def test_the_seeds_listing_gives_all_nodes_of_the_demo(running: Demo, way: str) -> None:
    code, output, error = run(running, way, "--do", "nodes", "--json")
    assert (code, error) == (0, "")
    [nodes] = [event["nodes"] for event in map(json.loads, output.splitlines()) if event.get("event") == "answered"]
    assert len(nodes) == len(set(nodes)) == 82
    wanted = {f"/finesse/api/User/{agent}{more}" for agent in AGENTS for more in ("", "/Dialogs", "/ClientLog")}
    wanted |= {"/finesse/api/SystemInfo", "/finesse/api/Team/1/Users", "/finesse/api/User/1001/Queue/10"}
    assert wanted <= set(nodes)


def test_people_read_the_same_as_indented_text(running: Demo) -> None:
    code, output, _ = run(running, "xmpp", "--do", "nodes", "--do", "ping")
    assert code == 0
    assert '<starttls xmlns="tls"/>' in output
    assert '<item jid="pubsub.localhost" node="/finesse/api/SystemInfo"/>' in output
    assert "nodes: 82 nodes." in output
    assert output.index("nodes: 82") < output.index("ping: done.")
    assert "***" in output


def test_a_script_stays_for_as_long_as_it_is_told(running: Demo) -> None:
    code, output, _ = run(running, "wss", "--for", "300ms", "--json")
    assert code == 0
    assert json.loads(output.splitlines()[-1])["code"] == "left"


def test_commands_come_from_standard_input_as_well(running: Demo) -> None:
    with Console(running, "1006", "https") as console:
        console.event("signed-in")
        console.enter("subscribe /finesse/api/User/1006")
        assert console.event("answered") | {"time": ""} == {
            "time": "",
            "event": "answered",
            "command": "subscribe /finesse/api/User/1006",
            "error": "",
        }
        assert console.end() == 0


def test_failures_have_an_exit_code_and_a_sentence(running: Demo) -> None:
    code, output, _ = run(running, "wss", "--do", "ping", password="wrong")
    assert (code, "does not accept" in output) == (1, True)
    code, output, _ = run(running, "wss", "--do", "items /no/such/node")
    assert (code, "refused, item-not-found" in output) == (1, True)
    code, output, _ = run(running, "wss", "--do", "nods")
    assert (code, "no command" in output) == (2, True)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["localhost"], "USER@DOMAIN"),
        (["1001@localhost", "--connect", "ftp://x"], "no address"),
        (["1001@localhost", "--for", "soon"], "no duration"),
        (["1001@localhost", "--mechanism", "DIGEST-MD5"], "SCRAM-SHA-256"),
        (["1001@localhost", "--data", "nowhere"], "ca.pem"),
        (["1001@localhost", "--password", ""], "--password-stdin"),
    ],
)
def test_wrong_use_is_told(given: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    more = [] if "--password" in given else ["--password", "x"]
    result = CliRunner().invoke(app, ["console", *given, *more, "--do", "ping"])
    assert result.exit_code == 2
    assert says in result.stdout + result.stderr

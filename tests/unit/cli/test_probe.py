"""`poise probe` against a running server, and against what goes wrong; its report goes into `poise analyze`."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from poise.diagnosis import reading
from poise.diagnosis.events import Kind
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget
from poise.tools.probe_machine import Sampler
from tests.unit.cli.demo_server import POISE, Demo, demo, environment, free_port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with demo(tmp_path_factory.mktemp("probe") / "data") as running:
        yield running


def probed(*options: str) -> tuple[int, str]:
    done = subprocess.run(
        [*POISE, "probe", "localhost", "--no-route", *options], capture_output=True, text=True, env=environment()
    )
    return done.returncode, done.stdout + done.stderr


def ports(server: Demo) -> tuple[str, ...]:
    listening = server.facts["ports"]
    return f"--https={listening['https']}", f"--notification={listening['notification']}"


def checks(text: str) -> dict[str, dict[str, Any]]:
    return {check["name"].split(" ")[0]: check for check in json.loads(text)["checks"]}


def test_a_good_server_is_good_and_a_poll_is_held_as_long_as_asked(server: Demo, tmp_path: Path) -> None:
    report = tmp_path / "probe.json"
    account = ("--user=1001", "--password=1001", f"--data={server.data}", "--wait=2")
    code, text = probed(*ports(server), *account, "--json", f"--output={report}")
    told = checks(text)
    assert {name: check["good"] for name, check in told.items() if name not in ("processor", "memory")} == {
        "name": True,
        "proxy": True,
        "certificate": True,
        "clock": True,
        "long": True,
    }, text
    assert 1.9 <= told["long"]["facts"]["seconds"] < 6
    assert abs(told["clock"]["facts"]["drift_ms"]) < 2_000
    assert json.loads(report.read_text())["poise_probe"] == 1
    assert code in (0, 1)  # a busy machine is told as such
    evidence = Evidence()
    reading.read(evidence, "probe.json", io.BufferedReader(io.BytesIO(report.read_bytes())), Budget())
    assert [(e.agent, e.word) for e in evidence.timeline([Kind.POLL])] == [("1001", "empty")]
    assert [e.kind for e in evidence.timeline([Kind.DRIFT])] == [Kind.DRIFT]


def test_an_authority_that_this_computer_does_not_trust_is_told(server: Demo) -> None:
    code, text = probed(*ports(server), "--wait=1")
    assert code == 1
    assert "is not trusted by this computer" in text


def test_a_wrong_password_is_told_as_the_polls_reason(server: Demo) -> None:
    code, text = probed(
        *ports(server), f"--data={server.data}", "--user=1001", "--password=wrong", "--wait=1", "--json"
    )
    assert (code, checks(text)["long"]["good"]) == (1, False)
    assert "refused" in checks(text)["long"]["sentence"]


def test_ports_where_nobody_listens_do_not_end_the_other_checks() -> None:
    code, text = probed(f"--https={free_port()}", f"--notification={free_port()}", "--wait=1", "--json")
    told = checks(text)
    assert (code, told["name"]["good"], told["certificate"]["good"], told["long"]["good"]) == (1, True, False, False)
    assert "refused the connection" in told["long"]["sentence"]


@pytest.mark.parametrize("host", ["https://fin1/desktop", "-oProxyCommand=x"])
def test_what_is_no_name_of_a_server_is_wrong_use(host: str) -> None:
    done = subprocess.run([*POISE, "probe", "--", host], capture_output=True, text=True, env=environment())
    assert done.returncode == 2


def test_a_computer_that_slept_is_noticed_by_either_clock() -> None:
    sampler = Sampler()
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    sampler.look(2.0, 2.0, now)
    sampler.look(302.0, 2.0, now)
    sampler.look(2.0, 62.0, now)
    assert [pause["seconds"] for pause in sampler.pauses] == [300.0, 60.0]
    assert {name: good for name, good, _, _ in sampler.checks()}["sleep"] is False

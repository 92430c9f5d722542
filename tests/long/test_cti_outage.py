"""The CTI server dies, or freezes, under a running contact centre: how soon it is told, and how soon it is over.

Real processes, real time. The server writes nothing here; what counts is what a desktop is told and when.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from poise.lab.data import DEMO
from tests.e2e.desk import Desk
from tests.e2e.process import Lab, Server, free_port, serve_beside
from tests.e2e.stage import copy_of

SYSTEM_INFO = "/finesse/api/SystemInfo"
AGENTS = [person.agent_id for person in DEMO.people if not person.supervises]
CLOSED_S, FROZEN_S, RECOVERY_S = 1.0, 21.0, 10.0


@contextmanager
def centre(prepared: Path, folder: Path) -> Iterator[tuple[Lab, Server, int, list[Desk]]]:
    """A CTI server, a server, and every agent at a desktop."""
    copy_of(prepared, folder / "data")
    port = free_port()
    with Lab(folder, "--port", str(port)) as lab, serve_beside(lab, folder, {}) as server:
        desks = [server.desk(agent).come() for agent in AGENTS]
        for desk in desks:
            desk.log_in()
            desk.patience_s = 2 * FROZEN_S
        yield lab, server, port, desks


def load(desks: list[Desk]) -> None:
    """Requests whose answers nobody waits for."""
    for desk in desks:
        assert desk.rest.put("READY").status == 202


def told(desk: Desk, status: str, since: float) -> float:
    """Seconds from a moment until a desktop is told the service's state."""
    desk.update(SYSTEM_INFO, status=status)
    return time.monotonic() - since


def truth(server: Server, states: dict[str, str]) -> None:
    """REST says of everybody what the CTI server holds."""
    assert {agent: server.rest(agent).state_of(agent) for agent in states} == states


def test_a_killed_cti_server_is_told_within_a_second_and_its_return_within_ten(prepared: Path, tmp_path: Path) -> None:
    with centre(prepared, tmp_path) as (lab, server, port, desks):
        load(desks)
        began = time.monotonic()
        lab.signal(signal.SIGKILL)
        assert told(desks[0], "OUT_OF_SERVICE", began) < CLOSED_S
        assert server.rest("1001").put("NOT_READY").status == 503
        folder = tmp_path / "again"
        folder.mkdir()
        with Lab(folder, "--port", str(port)):
            began = time.monotonic()
            assert told(desks[0], "IN_SERVICE", began) < RECOVERY_S
            truth(server, dict.fromkeys(AGENTS, "LOGOUT"))  # the new CTI server knows of nobody


@pytest.mark.long
def test_a_frozen_cti_server_is_told_within_21_seconds_and_nobody_is_wrong_when_it_thaws(
    prepared: Path, tmp_path: Path
) -> None:
    with centre(prepared, tmp_path) as (lab, server, _, desks):
        load(desks)
        for desk in desks:
            desk.user_update("READY")
        began = time.monotonic()
        lab.signal(signal.SIGSTOP)
        try:
            assert told(desks[0], "OUT_OF_SERVICE", began) < FROZEN_S
        finally:
            lab.signal(signal.SIGCONT)
        assert told(desks[0], "IN_SERVICE", time.monotonic()) < RECOVERY_S
        truth(server, dict.fromkeys(AGENTS, "READY"))

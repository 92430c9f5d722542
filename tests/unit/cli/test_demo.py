"""The demo's telephony: a child that cannot live is started again after ever longer rests, and stops when told."""

from __future__ import annotations

import queue
import socket
from pathlib import Path

import pytest

from poise.cli.demo import Telephony, simulated_cti_server
from poise.cli.serve import chosen
from poise.server.settings import Settings
from tests.unit.cli.demo_server import PATIENCE_S, free_port


def settings(port: int) -> Settings:
    return chosen(True, None, None, None, None, [f"cti.side_a=127.0.0.1:{port}"])


def test_a_child_that_cannot_start_is_tried_again_after_longer_rests_and_trouble_says_so(
    capfd: pytest.CaptureFixture[str],
) -> None:
    told: queue.Queue[tuple[bool, str]] = queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        telephony = Telephony(settings(taken.getsockname()[1]))
        telephony.on_change = lambda alive, text: told.put((alive, text))
        telephony.start()
        for rest in ("0.5", "1"):
            alive, text = told.get(timeout=PATIENCE_S)
            assert not alive
            assert "ended with exit code 1" in text
            assert f"started again in {rest} s" in text
            assert telephony.trouble == text
            assert f"run 'poise lab --host 127.0.0.1 --port {taken.getsockname()[1]} --deployment " in text
            assert text.count("--load 0'") == 1, "whoever types it gets the same telephone system"
        telephony.stop()
    error = capfd.readouterr().err
    assert "cannot listen on 127.0.0.1" in error, "the child says why"
    assert "started again in 1 s" in error


def test_a_child_that_lives_ends_with_its_context_and_no_word_is_said(capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with simulated_cti_server(settings(port)) as telephony:
        assert telephony.trouble == ""
        socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
        pid = telephony._child.pid if telephony._child is not None else 0
        assert Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{pid}").exists()
    assert capfd.readouterr().err == ""

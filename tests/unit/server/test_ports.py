"""A taken port is named with the process that holds it."""

import errno
import os
import socket
from pathlib import Path

import pytest

from poise.server.ports import bind_error, holder, trouble


def _listener() -> socket.socket:
    held = socket.socket()
    held.bind(("127.0.0.1", 0))
    held.listen()
    return held


def test_a_listening_port_names_this_process() -> None:
    with _listener() as held:
        port = held.getsockname()[1]
        who = holder(port)
        assert who is not None
        assert who.pid == os.getpid()
        assert "py" in who.command
        assert bind_error("127.0.0.1", port) is not None
        sentence = trouble("127.0.0.1", "ports.https", port)
        assert f"Port {port} (https)" in sentence
        assert f"process {os.getpid()}" in sentence
        assert "--set ports.https=PORT" in sentence


def test_a_port_nobody_listens_on_has_no_holder_and_is_free() -> None:
    with _listener() as held:
        port = held.getsockname()[1]
    assert holder(port) is None
    assert bind_error("127.0.0.1", port) is None


def test_without_proc_the_sentence_still_says_what_to_do(tmp_path: Path) -> None:
    assert holder(1, proc=tmp_path) is None


@pytest.mark.parametrize("host", ["192.0.2.7", "nowhere.invalid"])
def test_an_address_that_is_not_ours_is_not_called_a_taken_port(host: str) -> None:
    sentence = trouble(host, "ports.https", 0)
    assert sentence.startswith(f"{host} is not an address of this machine")
    assert sentence.endswith("--host.")
    assert trouble(host, "cti.side_a", 0).endswith("--set cti.side_a=HOST:PORT.")


def test_a_port_that_this_user_may_not_open_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("poise.server.ports.bind_error", lambda host, port: PermissionError(errno.EACCES, "no"))
    assert trouble("127.0.0.1", "ports.https", 443).startswith("Port 443 (https) may not be opened by this user.")

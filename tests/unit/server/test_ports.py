"""A taken port is named with the process that holds it."""

import os
import socket
from pathlib import Path

from poise.server.ports import holder, is_free, taken


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
        assert not is_free("127.0.0.1", port)
        sentence = taken("https", port)
        assert f"Port {port} (https)" in sentence
        assert f"process {os.getpid()}" in sentence
        assert "--set ports.https=PORT" in sentence


def test_a_port_nobody_listens_on_has_no_holder_and_is_free() -> None:
    with _listener() as held:
        port = held.getsockname()[1]
    assert holder(port) is None
    assert is_free("127.0.0.1", port)


def test_without_proc_the_sentence_still_says_what_to_do(tmp_path: Path) -> None:
    assert holder(1, proc=tmp_path) is None

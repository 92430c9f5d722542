"""Whom the tools trust, and what they say when they do not."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from poise.tools.trust import Trust, choose, trouble


def test_the_named_file_then_the_data_folder_then_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ca = tmp_path / "here" / "tls" / "ca.pem"
    assert choose(None, None, False) == Trust()
    with pytest.raises(FileNotFoundError, match=r"tls/ca\.pem"):
        choose(None, tmp_path / "here", False)
    ca.parent.mkdir(parents=True)
    ca.write_text("x")
    assert choose(None, tmp_path / "here", False) == Trust(ca)
    assert choose(Path("mine.pem"), tmp_path / "here", False) == Trust(Path("mine.pem"))
    assert choose(Path("mine.pem"), None, True) == Trust(insecure=True)
    (tmp_path / "data" / "tls").mkdir(parents=True)
    (tmp_path / "data" / "tls" / "ca.pem").write_text("x")
    assert choose(None, None, False) == Trust(Path("data/tls/ca.pem"))


def test_only_insecure_checks_nothing() -> None:
    assert Trust().context().verify_mode is ssl.CERT_REQUIRED
    assert Trust().context().check_hostname
    assert Trust(insecure=True).context("http/1.1").verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConnectionRefusedError(111, "Connection refused"), "nothing listens there"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 1)"), "nothing listens there"),
        (TimeoutError(), "did not answer in time"),
        (socket.gaierror(-2, "Name or service not known"), "no host of that name"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "No TLS"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_every_trouble_is_told_with_the_place(error: OSError, says: str) -> None:
    sentence = trouble(error, "finesse1.example.com:8445")
    assert says in sentence
    assert "finesse1.example.com:8445" in sentence

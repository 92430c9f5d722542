"""The console beside servers of others: Prosody and ejabberd, where they are installed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from poise.protocols.xmpp.client.outputs import Account, Terms
from poise.tools.console.address import read_address
from poise.tools.console.console import Settings
from poise.tools.trust import Trust
from tests.conformance.target_peers import PEERS
from tests.conformance.targets import DOMAIN, Profile, Server
from tests.unit.tools.console.running import carried_out

pytestmark = pytest.mark.long
PROGRAMS = {"prosody": "prosody", "ejabberd": "erl"}


@pytest.fixture(scope="module", params=PEERS)
def peer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of them."""
    if shutil.which(PROGRAMS[request.param]) is None:
        pytest.skip(f"{request.param} is not installed: run tools/install-peers.sh as root")
    folder: Path = tmp_path_factory.mktemp(request.param)
    server = PEERS[request.param]().start(Profile(), folder)
    yield server
    server.stop()


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1"])
@pytest.mark.parametrize("way", ["xmpp", "http", "https"])
def test_the_console_signs_in_and_asks(peer: Server, way: str, mechanism: str) -> None:
    port = {"xmpp": peer.tcp_port, "http": peer.port, "https": peer.tls_port}[way]
    terms = Terms(secure=way == "https", plain_in_clear=True, mechanisms=(mechanism,))
    where = Settings(
        read_address(f"{way}://127.0.0.1:{port}/http-bind", DOMAIN),
        Account("1001", DOMAIN, "1001", "console"),
        Trust(insecure=True),
        terms,
    )
    code, events = carried_out(where, "ping", "roster", f"info {DOMAIN}", "items /none")
    answers = {event["command"]: event["error"] for event in events if event.get("event") == "answered"}
    assert answers["ping"] == answers["roster"] == answers[f"info {DOMAIN}"] == ""
    assert answers["items /none"] != ""
    assert code == 1
    assert [event["jid"] for event in events if event.get("event") == "signed-in"] == [f"1001@{DOMAIN}/console"]
    assert events[-1]["code"] == "left"

"""Where the server offers SCRAM beside PLAIN, the clients that know it sign in as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.clients.conftest import StartClient
from tests.clients.table import CLIENTS, SLIXMPP, STANZA, STROPHE, XMPPJS, Binding, ClientKind
from tests.e2e.process import Server, demo

LIBRARIES = {*(f"Strophe {version}" for version in (min(STROPHE), max(STROPHE))), STANZA, XMPPJS, SLIXMPP}
"""Each with SCRAM of its own; Strophe's first and last."""
BINDINGS = (Binding.BOSH, Binding.STARTTLS)
KINDS = [kind for kind in CLIENTS if kind.name in LIBRARIES and kind.binding in BINDINGS]


@pytest.fixture(scope="module")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demo with SCRAM; what it needs is kept from a sign-in by password."""
    with demo(tmp_path_factory.mktemp("demo"), settings={"xmpp.scram": "true"}) as server:
        assert server.rest("1001").state_of("1001") == "LOGOUT"
        yield server


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.title)
def test_a_client_signs_in_where_scram_is_offered(kind: ClientKind, start_client: StartClient) -> None:
    client = start_client(kind, "1001")
    client.signed_in()
    assert client.leave() == 0

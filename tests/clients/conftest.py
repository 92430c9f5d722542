"""The demo as its users start it, and clients beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.client import CLIENTS, Client, install
from tests.clients.cutting import CuttingProxy
from tests.conformance.wire import OPEN
from tests.e2e.process import Server, demo

StartClient = Callable[..., Client]


@pytest.fixture(scope="session")
def packages() -> None:
    """Node's packages, from the lock file."""
    install()


@pytest.fixture(scope="module")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`poise serve --demo` on free ports."""
    with demo(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture
def cutting(running_demo: Server) -> Iterator[CuttingProxy]:
    """A network to the notification port that can be cut."""
    proxy = CuttingProxy(running_demo.facts["ports"]["notification"])
    yield proxy
    proxy.close()


@pytest.fixture(params=list(CLIENTS.values()), ids=list(CLIENTS))
def start_client(
    request: pytest.FixtureRequest, packages: None, running_demo: Server, tmp_path: Path
) -> Iterator[StartClient]:
    """Starts the client of this case: `start_client("1001")`; its password equals the name."""
    with ExitStack() as stack:

        def start(user: str, *how: str, port: int | None = None, resource: str = "desk") -> Client:
            where = port or running_demo.facts["ports"]["notification"]
            url = f"https://localhost:{where}/http-bind/"
            ca = Path(running_demo.facts["ca"])
            jid = f"{user}@localhost/{resource}"
            return stack.enter_context(Client(request.param, url, jid, ca, tmp_path, *(how or (user,))))

        yield start


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Close the REST connections a test left open."""
    yield
    while OPEN:
        OPEN.pop().close()

"""The demo as its users start it, and what the clients need to run beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients.client import Client
from tests.clients.cutting import CuttingProxy
from tests.clients.packages import built_programs, node_packages, python_packages
from tests.clients.table import ClientKind, Start
from tests.conformance.c2s.dialogue import OPEN as STREAMS
from tests.conformance.wire import OPEN
from tests.e2e.process import Server, demo

StartClient = Callable[..., Client]


@pytest.fixture(scope="session")
def node() -> None:
    """Node's packages."""
    node_packages()


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter with the Python clients."""
    return python_packages()


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the compiled programs."""
    return built_programs()


@pytest.fixture(scope="module")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`poise serve --demo` on free ports."""
    with demo(tmp_path_factory.mktemp("demo")) as server:
        yield server


@pytest.fixture
def network(running_demo: Server) -> Iterator[Callable[[str], CuttingProxy]]:
    """Networks to a listener that can be cut."""
    with ExitStack() as stack:

        def to(listener: str) -> CuttingProxy:
            proxy = CuttingProxy(running_demo.facts["ports"][listener])
            stack.callback(proxy.close)
            return proxy

        yield to


@pytest.fixture
def start_client(running_demo: Server, node: None, python: Path, built: Path, tmp_path: Path) -> Iterator[StartClient]:
    """Starts clients: `start_client(kind, "1001")`; the password equals the name, the resource is `desk`."""
    with ExitStack() as stack:

        def start(kind: ClientKind, user: str, *how: str, port: int = 0, resource: str = "desk") -> Client:
            """`how` is another password, or `--attach`, sid and rid of the page before."""
            where = port or running_demo.facts["ports"][kind.binding.listener]
            password, *more = how or (user,)
            ca, jid = Path(running_demo.facts["ca"]), f"{user}@localhost/{resource}"
            command = kind.command(Start(kind.binding, where, ca, jid, password, python, built))
            return stack.enter_context(Client([*command, *more], ca, tmp_path))

        yield start


@pytest.fixture
def agent(running_demo: Server) -> Iterator[Callable[[str], str]]:
    """Names the agent a test uses; at its end the agent is signed out, however the test went."""
    used: list[str] = []
    yield lambda user: used.append(user) or user  # type: ignore[func-returns-value]
    for user in used:
        rest = running_demo.rest(user)
        if rest.state_of(user) == "READY":
            rest.put("NOT_READY")
        if rest.state_of(user) != "LOGOUT":
            rest.put("LOGOUT")


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Close the connections a test left open."""
    yield
    while OPEN:
        OPEN.pop().close()
    while STREAMS:
        STREAMS.pop().close()

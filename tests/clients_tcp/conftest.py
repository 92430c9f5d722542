"""The demo as its users start it, and what the clients need to run."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients_tcp.libraries import LIBRARIES, LibraryClient
from tests.conformance.c2s.dialogue import OPEN as STREAMS
from tests.conformance.wire import OPEN
from tests.e2e.process import Server, demo

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "clients_tcp"


@pytest.fixture(scope="session")
def packages() -> None:
    """Node's packages, from the lock file."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    npm = shutil.which("npm")
    assert npm is not None, "the client tests need Node 20 or newer with npm"
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional"]
    subprocess.run(command, cwd=HERE, check=True, capture_output=True)
    installed.touch()


@pytest.fixture(scope="session")
def python() -> Path:
    """A Python with the Python clients, made once for these requirements and kept in .cache."""
    requirements = HERE / "requirements.txt"
    mark = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder = CACHE / mark
    interpreter = folder / "bin" / "python"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test runs may want it at once
        if not (folder / "complete").exists():
            venv.create(folder, with_pip=True, clear=True)
            command = [str(interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*command, "--requirement", str(requirements)], check=True)
            (folder / "complete").touch()
    return interpreter


@pytest.fixture(scope="module")
def running_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`poise serve --demo` on free ports."""
    with demo(tmp_path_factory.mktemp("demo"), settings={"xmpp.scram": "true"}) as server:
        yield server


StartLibrary = Callable[..., LibraryClient]


@pytest.fixture(params=list(LIBRARIES))
def library(
    request: pytest.FixtureRequest, packages: None, python: Path, running_demo: Server, tmp_path: Path
) -> Iterator[StartLibrary]:
    """Starts the client of this case; its password equals the name."""
    with ExitStack() as stack:

        def start(user: str, password: str | None = None) -> LibraryClient:
            command = LIBRARIES[request.param](running_demo, python, user, password or user)
            ca = {"NODE_EXTRA_CA_CERTS": running_demo.facts["ca"]}
            return stack.enter_context(LibraryClient(command, tmp_path / "client.err", ca))

        yield start


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Close the connections a test left open."""
    yield
    while OPEN:
        OPEN.pop().close()
    while STREAMS:
        STREAMS.pop().close()

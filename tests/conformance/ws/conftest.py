"""Servers per profile, the expectation file made strict, and the report at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.checklist import Expectations
from tests.conformance.ws.checklist import expectations, ids_of, requirements
from tests.conformance.ws.targets import Profile, Server, start_server
from tests.support.websocket import OPEN_SOCKETS

HERE = Path(__file__).parent
OUTCOMES = pytest.StashKey[dict[str, str]]()
_WORDS = {"failed": "FAILED", "differs": "differs", "skipped": "n/a", "passed": "ok"}


def _target(config: pytest.Config) -> str:
    return str(config.getoption("--target", default="poise"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expected differences must fail, inapplicable tests are left out, each for its written reason."""
    target, beliefs = _target(config), expectations()
    for item in items:
        if item.path.parent != HERE:
            continue
        reason = Expectations.lookup(beliefs.not_applicable, item.name, target)
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"not applicable to {target}: {reason}"))
        reason = Expectations.lookup(beliefs.differs, item.name, target)
        if reason:
            item.add_marker(pytest.mark.xfail(reason=f"{target} differs: {reason}", strict=True, raises=AssertionError))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember how each test ended."""
    report = yield
    if item.path.parent == HERE and ids_of(item.name):
        outcomes = item.config.stash.setdefault(OUTCOMES, {})
        if report.when == "call" or report.outcome != "passed":  # type: ignore[attr-defined]
            expected = getattr(report, "wasxfail", None) is not None
            outcomes[item.name] = "differs" if expected else report.outcome  # type: ignore[attr-defined]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table requirement -> outcome."""
    outcomes = config.stash.get(OUTCOMES, {})
    if not outcomes:
        return
    terminalreporter.section(f"XMPP over WebSocket on {_target(config)}")
    for requirement in requirements():
        ended = [result for name, result in outcomes.items() if requirement.id in ids_of(name)]
        counts = [f"{word} {n}" for kind, word in _WORDS.items() if (n := ended.count(kind))]
        if counts:
            terminalreporter.write_line(
                f"{requirement.id:5} {requirement.level:9} {', '.join(counts):24} {requirement.text}"
            )


Serve = Callable[[Profile], Server]


@pytest.fixture(scope="module")
def serve(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A server for a profile, shared by the module; one that died is replaced."""
    running: dict[Profile, Server] = {}
    target = _target(request.config)

    def get(profile: Profile) -> Server:
        server = running.get(profile)
        if server is None or not server.alive():
            running[profile] = server = start_server(target, profile, tmp_path_factory.mktemp(target))
        return server

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def server(serve: Serve) -> Server:
    """The usual one."""
    return serve(Profile())


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A server for this test alone."""
    started: list[Server] = []
    target = _target(request.config)

    def start(profile: Profile) -> Server:
        started.append(start_server(target, profile, tmp_path_factory.mktemp(target)))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(autouse=True)
def hang_up_websockets() -> Iterator[None]:
    """Close the connections a test left open."""
    yield
    while OPEN_SOCKETS:
        OPEN_SOCKETS.pop().close()

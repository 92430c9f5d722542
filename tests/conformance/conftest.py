"""`--target`, servers per profile, the expectation file made strict, and the report at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conformance.c2s.dialogue import OPEN as STREAMS
from tests.conformance.checklist import HERE, TARGETS, Expectations, expectations, groups
from tests.conformance.dialogue import Contact
from tests.conformance.report import print_outcomes, record
from tests.conformance.targets import BOSH, TCP, WEBSOCKET, Profile, Serve, Server, Target, make_target
from tests.conformance.wire import OPEN
from tests.support.websocket import OPEN_SOCKETS

OUTCOMES = pytest.StashKey[dict[tuple[str, str], str]]()
USUAL = {"c2s": TCP, "ws": WEBSOCKET}
"""Group -> the profile of its fixture `server`, where it is not that of BOSH."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which server is tested."""
    parser.addoption("--target", choices=TARGETS, default="poise", help="server under conformance test")
    parser.addoption("--record", action="store_true", help="write the counts into tests/conformance/runs.toml")


def _target_name(config: pytest.Config) -> str:
    return str(config.getoption("--target", default="poise"))


def group_of(path: Path) -> str | None:
    """The group whose folder a test module stands in."""
    folder = path.parent
    return folder.name if folder.parent == HERE and folder.name in groups() else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expected differences must fail, inapplicable tests are left out, each for its written reason."""
    target = _target_name(config)
    for item in items:
        group = group_of(item.path)
        if group is None:
            continue
        known = expectations(group)
        reason = Expectations.lookup(known.not_applicable, item.name, target)
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"not applicable to {target}: {reason}"))
        reason = Expectations.lookup(known.differs, item.name, target)
        if reason:
            item.add_marker(pytest.mark.xfail(reason=f"{target} differs: {reason}", strict=True, raises=AssertionError))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember how each conformance test ended."""
    report = yield
    group = group_of(item.path)
    if group is not None:
        outcomes = item.config.stash.setdefault(OUTCOMES, {})
        if report.when == "call" or report.outcome != "passed":  # type: ignore[attr-defined]
            expected = getattr(report, "wasxfail", None) is not None
            outcomes[group, item.name] = "differs" if expected else report.outcome  # type: ignore[attr-defined]
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table requirement -> outcome."""
    outcomes = config.stash.get(OUTCOMES, {})
    if outcomes:
        print_outcomes(terminalreporter, outcomes, _target_name(config))
        if config.getoption("--record", default=False):
            record(outcomes, _target_name(config))


class Pool:
    """Running servers, one per profile. Peers live for the whole run, Poise for one module."""

    def __init__(self, target: Target, folder: Callable[[], Path]) -> None:
        self.target = target
        self._folder = folder
        self._running: dict[Profile, Server] = {}

    def get(self, profile: Profile) -> Server:
        """The server of that profile; one that died is an error of the test that killed it, and is replaced."""
        server = self._running.get(profile)
        if server is None or not server.alive():
            self._running[profile] = server = self.target.start(profile, self._folder())
        return server

    def fresh(self, profile: Profile) -> Server:
        """A server that nobody else uses, for tests that stop it."""
        return self.target.start(profile, self._folder())

    def end_module(self) -> None:
        """Stop what is cheap to start again."""
        if self.target.restart_each_module:
            self.stop()

    def stop(self) -> None:
        """Stop all."""
        for server in self._running.values():
            server.stop()
        self._running.clear()


@pytest.fixture(scope="session")
def pool(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """All servers of this run."""
    target = make_target(_target_name(request.config))
    servers = Pool(target, lambda: tmp_path_factory.mktemp(target.name))
    yield servers
    servers.stop()


@pytest.fixture(scope="module")
def module_pool(pool: Pool) -> Iterator[Pool]:
    """The pool, relieved of cheap servers after each module."""
    yield pool
    pool.end_module()


@pytest.fixture
def serve(module_pool: Pool) -> Serve:
    """A server for a profile of the test's own."""
    return module_pool.get


@pytest.fixture
def fresh(pool: Pool) -> Iterator[Serve]:
    """A server for this test alone."""
    started: list[Server] = []

    def start(profile: Profile) -> Server:
        started.append(pool.fresh(profile))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def server(module_pool: Pool, request: pytest.FixtureRequest) -> Server:
    """The usual server of the test's group."""
    return module_pool.get(USUAL.get(group_of(request.path) or "", BOSH))


@pytest.fixture
def strict(module_pool: Pool) -> Server:
    """TLS is required on TCP."""
    return module_pool.get(replace(TCP, tls_required=True))


@pytest.fixture
def contact(server: Server) -> Contact:
    """User 1002 over TCP."""
    return Contact(server)


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Close the connections a test left open."""
    yield
    for opened in (OPEN, STREAMS, OPEN_SOCKETS):
        while opened:
            opened.pop().close()

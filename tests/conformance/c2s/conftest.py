"""Servers per profile, the expectation file made strict, and the report at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.c2s.checklist import expectations, ids_of, requirements
from tests.conformance.c2s.dialogue import OPEN
from tests.conformance.c2s.targets import Profile, Server, start_server
from tests.conformance.checklist import Expectations

HERE = Path(__file__).parent
OUTCOMES = pytest.StashKey[dict[str, str]]()
_WORDS = {"failed": "FAILED", "differs": "differs", "skipped": "n/a", "passed": "ok"}


def _target(config: pytest.Config) -> str:
    return str(config.getoption("--target", default="poise"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Expected differences must fail, inapplicable tests are left out, each for its written reason."""
    target = _target(config)
    known = expectations()
    for item in items:
        if item.path.parent != HERE:
            continue
        reason = Expectations.lookup(known.not_applicable, item.name, target)
        if reason:
            item.add_marker(pytest.mark.skip(reason=f"not applicable to {target}: {reason}"))
        reason = Expectations.lookup(known.differs, item.name, target)
        if reason:
            item.add_marker(pytest.mark.xfail(reason=f"{target} differs: {reason}", strict=True, raises=AssertionError))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember how each test ended."""
    report = yield
    if item.path.parent == HERE:
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
    terminalreporter.section(f"XMPP over TCP on {_target(config)}")
    for requirement in requirements():
        ended = [result for name, result in outcomes.items() if requirement.id in ids_of(name)]
        counts = [f"{word} {n}" for kind, word in _WORDS.items() if (n := ended.count(kind))]
        if counts:
            terminalreporter.write_line(
                f"{requirement.id:5} {requirement.level:6} {', '.join(counts):24} {requirement.text}"
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
    """TLS on offer, PLAIN in the clear allowed, SCRAM."""
    return serve(Profile())


@pytest.fixture
def strict(serve: Serve) -> Server:
    """TLS required."""
    return serve(Profile(tls_required=True))


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
def hang_up_streams() -> Iterator[None]:
    """Close the connections a test left open."""
    yield
    while OPEN:
        OPEN.pop().close()

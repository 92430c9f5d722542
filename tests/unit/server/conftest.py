"""Tests that run on every database engine: `pytestmark = pytest.mark.usefixtures("on_every_engine")`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import ENGINES, Engine


@pytest.fixture(params=ENGINES)
def on_every_engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs once on each engine."""
    Engine.name = request.param
    yield request.param
    Engine.name = ENGINES[0]


@pytest.fixture(scope="session", autouse=True)
def _postgres_ends() -> Iterator[None]:
    yield
    if Engine.postgres is not None:
        Engine.postgres.stop()
        Engine.postgres = None

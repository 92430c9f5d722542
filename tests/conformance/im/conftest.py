"""A stage for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.people import People
from tests.conformance.targets import Server


@pytest.fixture
def people(server: Server) -> Iterator[People]:
    """With the usual server; whatever waits for anybody afterwards is fetched and forgotten."""
    stage = People(server)
    yield stage
    for user in ("1001", "1002", "1003"):
        stage.join(user, "last", priority=127)
    stage.go()

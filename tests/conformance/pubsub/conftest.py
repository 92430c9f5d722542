"""A scene for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conformance.pubsub.story import Scene
from tests.conformance.targets import Server


@pytest.fixture
def scene(server: Server) -> Iterator[Scene]:
    """With the usual server."""
    stage = Scene(server)
    yield stage
    stage.go()

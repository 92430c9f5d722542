"""Hang up what a test left open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.server.notification.bosh_client import OPEN


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Close the sockets of blocking clients."""
    yield
    while OPEN:
        OPEN.pop().close()

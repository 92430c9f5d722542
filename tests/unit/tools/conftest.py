"""What the tests of the CTI tools need: tshark, and a live session with the simulated CTI server."""

from __future__ import annotations

import pytest

from tests.support.needs import need


@pytest.fixture(scope="session")
def tshark() -> str:
    """Path of tshark."""
    return need("tshark")

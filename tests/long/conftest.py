"""What real-time proofs start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.wire import OPEN
from tests.e2e.stage import prepare


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo's accounts and a certificate, made once."""
    return prepare(tmp_path_factory.mktemp("prepared") / "data")


@pytest.fixture(autouse=True)
def _no_connection_stays_open() -> Iterator[None]:
    yield
    for wire in OPEN:
        wire.close()
    OPEN.clear()

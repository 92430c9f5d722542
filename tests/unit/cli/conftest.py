"""One demo for all tests of the command line that need a running server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.cli.demo_server import Demo, demo


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demo; tests leave its debug.log switched off."""
    with demo(tmp_path_factory.mktemp("demo") / "data") as server:
        yield server

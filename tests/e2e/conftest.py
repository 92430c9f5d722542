"""Prepared data folders, and stages on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from poise.lab.data import DEMO, LabData
from tests.conformance.wire import OPEN
from tests.e2e.stage import Stage, copy_of, prepare

OpenStage = Callable[..., Stage]


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo's accounts and a certificate, made once."""
    return prepare(tmp_path_factory.mktemp("prepared") / "data")


@pytest.fixture
def data(prepared: Path, tmp_path: Path) -> Path:
    """A copy of the prepared folder for one test."""
    return copy_of(prepared, tmp_path / "data")


@pytest.fixture
def open_stage(data: Path) -> Iterator[OpenStage]:
    """Opens the test's stage, with settings by dotted key."""
    with ExitStack() as stack:

        def opened(values: dict[str, Any] | None = None, people: LabData = DEMO) -> Stage:
            return stack.enter_context(Stage(data, values, people=people))

        yield opened


@pytest.fixture
def stage(open_stage: OpenStage) -> Stage:
    """A UCCE centre with LOAD 0, all times the seed's."""
    return open_stage()


@pytest.fixture(autouse=True)
def _no_connection_stays_open() -> Iterator[None]:
    yield
    for wire in OPEN:
        wire.close()
    OPEN.clear()

"""The choice of the event loop."""

from __future__ import annotations

import asyncio
import builtins
import gc
from typing import Any

import pytest

from poise.server.notification.loop import GC_THRESHOLDS, run


@pytest.fixture(autouse=True)
def thresholds() -> Any:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


async def which() -> str:
    return type(asyncio.get_running_loop()).__module__


def test_the_server_runs_on_uvloop_with_few_collections() -> None:
    assert run(which()).startswith("uvloop")
    assert gc.get_threshold() == GC_THRESHOLDS


def test_without_uvloop_it_runs_on_asyncios_own_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without_uvloop(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "uvloop":
            raise ImportError(name)
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_uvloop)
    assert run(which()).startswith("asyncio")

"""The garbage collector once the server is up."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from poise.server import collector


@pytest.fixture
def settled() -> Iterator[None]:
    thresholds = gc.get_threshold()
    collector.settle()
    yield
    gc.callbacks.remove(collector._after)
    gc.set_threshold(*thresholds)
    gc.unfreeze()


class Thing:
    """Something that may know itself."""

    def __init__(self) -> None:
        self.me: Thing | None = None


@pytest.mark.usefixtures("settled")
def test_what_was_there_at_the_start_is_not_looked_at_again() -> None:
    before = gc.get_freeze_count()
    assert before > 10_000
    assert len(gc.get_objects()) < before / 10


@pytest.mark.usefixtures("settled")
def test_sessions_that_have_come_to_stay_are_looked_at_once() -> None:
    sessions = [Thing() for _ in range(50_000)]
    gc.collect()
    assert gc.get_freeze_count() > 50_000
    assert len(gc.get_objects()) < 10_000
    assert len(sessions) == 50_000


@pytest.mark.usefixtures("settled")
def test_what_the_count_of_references_frees_is_freed_though_it_is_old() -> None:
    thing = Thing()
    gc.collect()
    gone = weakref.ref(thing)
    del thing
    assert gone() is None


@pytest.mark.usefixtures("settled")
def test_young_cycles_are_still_found() -> None:
    thing = Thing()
    thing.me = thing
    gone = weakref.ref(thing)
    del thing
    gc.collect()
    assert gone() is None

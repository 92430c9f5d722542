"""The timer wheel against a clock moved by hand."""

from __future__ import annotations

from math import inf

import pytest

from poise.server.clock import ManualClock
from poise.server.notification import wheel as wheel_module
from poise.server.notification.wheel import SLOTS_PER_S, Wheel


class Item:
    """Something with a deadline that remembers when it was called."""

    def __init__(self, deadline: float, repeat_s: float = inf) -> None:
        self.deadline = deadline
        self.armed = inf
        self.repeat_s = repeat_s
        self.calls: list[float] = []

    def due(self, now: float) -> None:
        self.calls.append(now)
        self.deadline = now + self.repeat_s


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now=1000.0)


@pytest.fixture
def wheel(clock: ManualClock) -> Wheel:
    return Wheel(clock)


def test_an_item_is_called_when_its_deadline_comes_and_not_before(clock: ManualClock, wheel: Wheel) -> None:
    item = Item(1030.0)
    wheel.watch(item)
    clock.advance(29.99)
    assert item.calls == []
    clock.advance(0.01)
    assert item.calls == [1030.0]


def test_a_deadline_between_two_slots_is_served_late_by_less_than_a_slot(clock: ManualClock, wheel: Wheel) -> None:
    item = Item(1000.01)
    wheel.watch(item)
    clock.advance(1.0)
    assert 1000.01 <= item.calls[0] < 1000.01 + 1 / SLOTS_PER_S


def test_a_deadline_moved_later_costs_no_second_entry(clock: ManualClock, wheel: Wheel) -> None:
    item = Item(1030.0)
    wheel.watch(item)
    for _ in range(1000):
        clock.advance(0.5)
        item.deadline = clock.now() + 30
        wheel.watch(item)
    assert sum(len(items) for items in wheel._slots.values()) == 1
    clock.advance(30)
    assert item.calls == [1530.0]


def test_a_deadline_moved_earlier_is_kept(clock: ManualClock, wheel: Wheel) -> None:
    item = Item(1090.0)
    wheel.watch(item)
    item.deadline = 1010.0
    wheel.watch(item)
    clock.advance(10)
    assert item.calls == [1010.0]
    clock.advance(200)
    assert item.calls == [1010.0]


def test_a_deadline_taken_away_is_not_served(clock: ManualClock, wheel: Wheel) -> None:
    item = Item(1010.0)
    wheel.watch(item)
    item.deadline = inf
    clock.advance(60)
    assert item.calls == []


def test_an_item_that_sets_itself_a_new_deadline_is_called_again(clock: ManualClock, wheel: Wheel) -> None:
    item = Item(1030.0, repeat_s=30.0)
    wheel.watch(item)
    clock.advance(120)
    assert item.calls == [1030.0, 1060.0, 1090.0, 1120.0]


def test_an_item_that_stays_due_is_called_once_a_slot_and_holds_nobody_up(clock: ManualClock, wheel: Wheel) -> None:
    stuck = Item(1001.0, repeat_s=-1.0)
    other = Item(1002.0)
    wheel.watch(stuck)
    wheel.watch(other)
    clock.advance(2)
    assert len(stuck.calls) == SLOTS_PER_S + 1
    assert other.calls == [1002.0]


def test_earlier_slots_are_not_forgotten_when_a_later_one_is_filled_during_a_turn(
    clock: ManualClock, wheel: Wheel
) -> None:
    first, second = Item(1001.0, repeat_s=50.0), Item(1005.0)
    wheel.watch(first)
    wheel.watch(second)
    clock.advance(5)
    assert second.calls == [1005.0]


def test_many_items_due_at_once_are_served_in_slices(
    clock: ManualClock, wheel: Wheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(1_000_000))
    monkeypatch.setattr(wheel_module, "perf_counter", lambda: next(ticks) * 0.001)
    items = [Item(1001.0) for _ in range(100)]
    for item in items:
        wheel.watch(item)
    turns = 0
    original = wheel._turn

    def counted() -> None:
        nonlocal turns
        turns += 1
        original()

    monkeypatch.setattr(wheel, "_turn", counted)
    wheel._call(16016, 1001.0)
    clock.advance(1)
    assert all(item.calls == [1001.0] for item in items)
    assert 20 <= turns <= 26


def test_a_stopped_wheel_calls_nobody(clock: ManualClock, wheel: Wheel) -> None:
    item = Item(1001.0)
    wheel.watch(item)
    wheel.stop()
    wheel.watch(Item(1002.0))
    clock.advance(10)
    assert item.calls == []


def test_an_item_that_stops_the_wheel_is_the_last_one_called(clock: ManualClock, wheel: Wheel) -> None:
    class Stopper(Item):
        def due(self, now: float) -> None:
            super().due(now)
            wheel.stop()

    first, second = Stopper(1001.0), Item(1002.0)
    wheel.watch(first)
    wheel.watch(second)
    clock.advance(5)
    assert (first.calls, second.calls) == ([1001.0], [])

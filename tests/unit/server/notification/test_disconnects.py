"""The endings of the last day: bounded, in wall time, by user."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.registry import ENDINGS, Closed
from poise.server.clock import ManualClock
from poise.server.notification import disconnects
from poise.server.notification.disconnects import KEEP_S, PER_USER, Disconnects, tell_all


def closed(clock: ManualClock, code: str = "idle") -> Closed:
    now = clock.now()
    return Closed(ENDINGS[code], now - 64, now - 61, now, 60.0, "nothing for 61 s")


def test_an_ending_is_remembered_in_wall_time_with_the_interval_of_last_contact() -> None:
    clock = ManualClock()
    memory = Disconnects(clock)
    memory.ended("1001@localhost/desktop", "bosh", closed(clock))
    wall = clock.wall()
    clock.advance(100)
    (entry,) = memory.of("1001")
    assert (entry.resource, entry.transport, entry.ending.code, entry.timer_s) == ("desktop", "bosh", "idle", 60.0)
    assert (entry.heard_after, entry.heard_before, entry.at) == (wall - 64, wall - 61, wall)
    assert memory.of("1002") == []


def test_after_a_day_it_is_forgotten() -> None:
    clock = ManualClock()
    memory = Disconnects(clock)
    memory.ended("1001@localhost/a", "bosh", closed(clock))
    clock.advance(KEEP_S)
    memory.ended("1001@localhost/b", "bosh", closed(clock))
    assert [entry.resource for entry in memory.of("1001")] == ["a", "b"]
    clock.advance(1)
    assert [entry.resource for entry in memory.of("1001")] == ["b"]
    clock.advance(KEEP_S)
    assert memory.of("1001") == []


def test_a_client_that_comes_and_goes_keeps_its_newest_endings_and_costs_nobody_else_his(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(disconnects, "ENTRIES_MAX", PER_USER + 1)
    clock = ManualClock()
    memory = Disconnects(clock)
    memory.ended("1002@localhost/x", "tcp", closed(clock))
    for number in range(PER_USER + 5):
        memory.ended(f"1001@localhost/{number}", "websocket", closed(clock, "socket-lost"))
    assert [entry.resource for entry in memory.of("1001")] == [str(n) for n in range(5, PER_USER + 5)]
    assert len(memory.of("1002")) == 1
    memory.ended("1003@localhost/x", "tcp", closed(clock))
    assert [len(memory.of(user)) for user in ("1001", "1002", "1003")] == [PER_USER, 0, 1]
    memory.ended("1003@localhost/y", "tcp", closed(clock))
    assert [len(memory.of(user)) for user in ("1001", "1003")] == [PER_USER - 1, 2]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10)), max_size=60), st.integers(1, 4), st.integers(1, 8))
def test_the_bounds_hold_and_the_newest_ending_is_always_there(
    happens: list[tuple[int, int]], per_user: int, in_all: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disconnects, "PER_USER", per_user)
        patch.setattr(disconnects, "ENTRIES_MAX", in_all)
        clock = ManualClock()
        memory = Disconnects(clock)
        for number, (user, hours) in enumerate(happens):
            clock.advance(hours * 3600)
            memory.ended(f"{user}@localhost/{number}", "bosh", closed(clock))
            known = [memory.of(str(name)) for name in range(4)]
            assert memory.of(str(user))[-1].resource == str(number)
            assert max(map(len, known)) <= per_user
            assert sum(map(len, known)) <= in_all
            assert all(entry.at >= clock.wall() - KEEP_S for entries in known for entry in entries)
            assert all(entries == sorted(entries, key=lambda entry: entry.at) for entries in known)


def test_a_listener_that_fails_keeps_nobody_from_hearing() -> None:
    heard, failures = list[str](), list[Exception]()

    def fails(_jid: str, _transport: str, _closed: Closed) -> None:
        raise RuntimeError("broken on purpose")

    listeners = (fails, lambda jid, _transport, _closed: heard.append(jid))
    tell_all(listeners, "1001@localhost/a", "bosh", closed(ManualClock()), failures.append)
    assert heard == ["1001@localhost/a"]
    assert [str(failure) for failure in failures] == ["broken on purpose"]

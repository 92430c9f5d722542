"""Stories of clients that do too much of what others must hear of (SEC30, SEC31)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poise.protocols.xmpp.delivery import Alarm, PresenceChanged, Replace
from poise.protocols.xmpp.host import BindRefused, HostPolicy
from poise.protocols.xmpp.rates import Bucket
from tests.unit.protocols.xmpp.host_story import Recorder, Stage, condition

SLOW = HostPolicy(presence_burst=3, presence_per_s=1.0)


def flap(stage: Stage, client: Recorder, priority: int, status: str = "") -> None:
    inside = f"<priority>{priority}</priority><status>{status}</status>"
    stage.send(client, f"<presence xmlns='jabber:client'>{inside}</presence>")


def statuses(client: Recorder) -> list[str]:
    found = [stanza.child("status") for stanza in client.take() if stanza.name == "presence"]
    return [status.text for status in found if status is not None]


def test_SEC31_a_flapping_priority_costs_others_little_and_its_last_word_counts() -> None:
    stage = Stage(SLOW)
    client, other = stage.join("1001"), stage.join("1001", "phone", 5)
    other.raw.clear()
    for number in range(1000):
        flap(stage, client, number % 2, str(number))
    assert statuses(other) == ["0", "1", "2"]
    assert stage.host.deadline == stage.now + 1.0
    assert [event.at for event in stage.events(Alarm)] == [stage.now + 1.0]
    stage.host.due(stage.now + 0.5)
    stage.deliver()
    assert statuses(other) == []
    stage.now += 1.0
    stage.host.due(stage.now)
    stage.deliver()
    assert statuses(other) == ["999"]
    assert stage.host.counters.presences_merged == 996
    assert stage.host.deadline == float("inf")


def test_SEC31_coming_and_going_a_thousand_times_makes_few_events() -> None:
    stage = Stage(SLOW)
    client = stage.bind("1001")
    for number in range(999):
        kind = " type='unavailable'" if number % 2 else ""
        stage.send(client, f"<presence xmlns='jabber:client'{kind}/>")
        stage.now += 0.001
    assert [event.available for event in stage.events(PresenceChanged)] == [True, False, True, False]
    stage.now += 1.0
    stage.host.due(stage.now)
    assert [event.available for event in stage.events(PresenceChanged)] == [True]


def test_SEC31_who_keeps_quiet_for_a_while_may_speak_again() -> None:
    stage = Stage(SLOW)
    client, other = stage.join("1001"), stage.join("1001", "phone")
    for number in range(20):
        other.raw.clear()
        stage.now += 1.0
        flap(stage, client, 0, str(number))
        assert statuses(other) == [str(number)]


def test_SEC31_a_presence_in_waiting_is_never_told_after_the_session_has_ended() -> None:
    stage = Stage(SLOW)
    client, other = stage.join("1001"), stage.join("1001", "phone")
    for number in range(5):
        flap(stage, client, 0, str(number))
    stage.leave(client)
    other.raw.clear()
    assert stage.host.deadline == float("inf")
    stage.host.due(stage.now + 10)
    stage.deliver()
    assert other.take() == []


def test_SEC31_what_comes_while_one_waits_waits_behind_it() -> None:
    stage = Stage(SLOW)
    client, other = stage.join("1001"), stage.join("1001", "phone")
    for number in range(4):
        flap(stage, client, 0, str(number))
    stage.now += 5.0  # the shell is late: its turn has come, and a newer presence arrives first
    flap(stage, client, 0, "newest")
    other.raw.clear()
    stage.host.due(stage.now)
    stage.deliver()
    assert statuses(other) == ["newest"]


def test_SEC31_nonsense_is_refused_at_once_even_above_the_rate() -> None:
    stage = Stage(SLOW)
    client = stage.join("1001")
    for number in range(4):
        flap(stage, client, 0, str(number))
    client.raw.clear()
    flap(stage, client, 200)
    assert condition(client.only()) == ("modify", "bad-request")


def test_SEC31_directed_presence_and_messages_do_not_wait() -> None:
    stage = Stage(SLOW)
    client, friend = stage.join("1001"), stage.join("1002")
    for number in range(10):
        flap(stage, client, 0, str(number))
    stage.send(client, f"<presence xmlns='jabber:client' to='{friend.jid}'/>")
    assert friend.only().name == "presence"


def test_SEC30_two_clients_that_throw_each_other_out_are_slowed_down() -> None:
    stage = Stage(HostPolicy(replacement_burst=3, replacement_per_s=0.5))
    refusals = []
    for _ in range(500):
        try:
            stage.join("1001")
        except BindRefused as refusal:
            refusals.append(refusal.condition)
        stage.now += 0.01
    assert (len(stage.events(Replace)), refusals) == (5, ["resource-constraint"] * 494)
    assert stage.host.counters.binds_refused == 494
    assert len(stage.host.sessions()) == 1
    assert stage.host.attach(Recorder(), "1001", "other", stage.now) == "1001@localhost/other"
    assert stage.host.attach(Recorder(), "1002", "desktop", stage.now) == "1002@localhost/desktop"
    stage.now += 2.0
    stage.join("1001")


def test_SEC30_a_user_with_several_sessions_has_one_allowance() -> None:
    stage = Stage(HostPolicy(replacement_burst=2, replacement_per_s=0.1))
    for resource in ("a", "b"):
        stage.join("1001", resource)
    stage.join("1001", "a")
    stage.join("1001", "b")
    with pytest.raises(BindRefused):
        stage.join("1001", "a")


@given(st.lists(st.floats(0, 3), max_size=60), st.integers(1, 5), st.floats(0.1, 5))
def test_a_bucket_never_gives_more_than_it_holds_and_gains(waits: list[float], full: int, per_s: float) -> None:
    bucket, now, taken = Bucket(), 100.0, 0
    for wait in waits:
        now += wait
        if bucket.take(now, full, per_s):
            taken += 1
        else:
            ready = bucket.ready_at(now, full, per_s)
            assert now < ready <= now + 1 / per_s + 1e-6
    assert taken <= full + sum(waits) * per_s + 1e-6
    assert taken >= min(len(waits), full)

"""The outbox is drained in order, in slices, and gives back what found nobody."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import pytest

from poise.protocols.xmpp.delivery import Client, Fanout, Output, To
from poise.server.notification import outbox as outbox_module
from poise.server.notification.outbox import OutboxPump


class Somebody:
    """A session that remembers what it got."""

    def __init__(self, name: str) -> None:
        self.jid = name
        self.gone = False
        self.got: list[bytes] = []
        self.together: list[int] = []
        self.on_delivery: Callable[[], None] = lambda: None

    def deliver(self, stanza: bytes, now: float) -> None:
        self.got.append(stanza)
        self.on_delivery()

    def deliver_all(self, stanzas: list[bytes], now: float) -> None:
        self.got += stanzas
        self.together.append(len(stanzas))
        self.on_delivery()


class Loop:
    """call_soon, run by hand."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.calls.append(callback)

    def turn(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Stage:
    """An outbox with its pump; each delivery takes a millisecond of the slice."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.outbox: deque[Output] = deque()
        self.loop = Loop()
        self.returned: list[tuple[Client, list[bytes]]] = []
        self.slices = 0
        ticks = iter(range(10_000_000))
        monkeypatch.setattr(outbox_module, "perf_counter", lambda: next(ticks) * 0.001)
        self.pump = OutboxPump(
            self.outbox,
            now=lambda: 1000.0,
            call_soon=self.loop.call_soon,
            returned=lambda client, stanzas, now: self.returned.append((client, stanzas)),
            slice_done=self._slice_done,
        )

    def _slice_done(self) -> None:
        self.slices += 1


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


def fanout(clients: list[Somebody], name: bytes) -> Fanout:
    return Fanout(tuple((client, name + b" ") for client in clients), b"", 0)


def test_stanzas_leave_at_once_and_in_order(stage: Stage) -> None:
    client = Somebody("a")
    stage.outbox += [To(client, b"1"), To(client, b"2"), To(client, b"3")]
    assert stage.pump.pump() is True
    assert client.got == [b"1", b"2", b"3"]
    assert stage.pump.pump() is False


def test_a_long_fan_out_is_cut_into_slices_of_four_milliseconds(stage: Stage) -> None:
    clients = [Somebody(str(number)) for number in range(100)]
    stage.outbox.append(fanout(clients, b"news"))
    stage.pump.pump()
    assert sum(len(client.got) for client in clients) == 4
    turns = 0
    while stage.loop.calls:
        stage.loop.turn()
        turns += 1
    assert all(len(client.got) == 1 for client in clients)
    assert 20 <= turns <= 30
    assert stage.slices == turns


def test_what_is_added_during_a_fan_out_arrives_behind_it_at_everybody(stage: Stage) -> None:
    clients = [Somebody(str(number)) for number in range(50)]
    stage.outbox.append(fanout(clients, b"first"))
    stage.pump.pump()
    stage.outbox.append(To(clients[-1], b"later"))
    assert stage.pump.pump() is False
    stage.outbox.append(fanout(clients, b"second"))
    while stage.loop.calls:
        stage.loop.turn()
    assert [got.split()[0][:6] for got in clients[-1].got] == [b"first", b"later", b"second"]
    assert all(len(client.got) == 2 for client in clients[:-1])


def test_a_delivery_that_gives_out_more_does_not_run_inside_itself(stage: Stage) -> None:
    client = Somebody("a")

    def reply() -> None:
        client.on_delivery = lambda: None
        stage.outbox.append(To(client, b"reply"))
        assert stage.pump.pump() is False

    client.on_delivery = reply
    stage.outbox += [To(client, b"1"), To(client, b"2")]
    stage.pump.pump()
    assert client.got == [b"1", b"2", b"reply"]


def test_what_is_for_somebody_who_has_gone_is_given_back(stage: Stage) -> None:
    here, gone = Somebody("here"), Somebody("gone")
    gone.gone = True
    stage.outbox += [To(gone, b"1"), fanout([gone, here], b"news")]
    stage.pump.pump()
    assert [client for client, _ in stage.returned] == [gone, gone]
    assert stage.returned[0][1] == [b"1"]
    assert len(here.got) == 1


def test_a_service_that_stops_flushes_everything_at_once(stage: Stage) -> None:
    clients = [Somebody(str(number)) for number in range(100)]
    stage.outbox.append(fanout(clients, b"news"))
    stage.pump.pump()
    stage.pump.flush()
    assert all(len(client.got) == 1 for client in clients)
    stage.loop.turn()
    assert all(len(client.got) == 1 for client in clients)


def test_neighbours_for_one_client_are_handed_over_together_and_never_across_another(stage: Stage) -> None:
    one, two = Somebody("1001"), Somebody("1002")
    for client, stanza in ((one, b"a"), (one, b"b"), (two, b"c"), (one, b"d")):
        stage.outbox.append(To(client, stanza))
    stage.pump.pump()
    assert (one.got, one.together) == ([b"a", b"b", b"d"], [2])
    assert (two.got, two.together) == ([b"c"], [])


def test_what_is_handed_over_together_is_bounded(stage: Stage) -> None:
    one = Somebody("1001")
    stage.outbox.extend(To(one, b"x") for _ in range(outbox_module.TOGETHER_MAX + 1))
    stage.pump.pump()
    assert len(one.got) == outbox_module.TOGETHER_MAX + 1
    assert one.together == [outbox_module.TOGETHER_MAX]

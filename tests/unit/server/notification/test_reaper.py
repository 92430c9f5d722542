"""Silence, as the seed's log shows it, and what does not count as silence."""

from __future__ import annotations

import pytest

from poise.server.notification import reaper as reaper_module
from tests.support.server import DOMAIN, Server, start
from tests.unit.server.notification.bosh_client import NOTIFICATION, BoshClient, Connection
from tests.unit.server.notification.recorder import Recorder
from tests.unit.server.notification.test_tcp import Stream

EMPTY = "<body xmlns='http://jabber.org/protocol/httpbind'></body>"
NODE = "/finesse/api/User/1001"
TOLD_AT_THE_END = ["statistics", "session_closed", "session_ended"]
TOLD = ("idle_tick", "statistics", "closing_idle", "session_closed", "session_ended", "store_offline")


def test_a_client_that_dies_leaves_the_seeds_lines_in_the_seeds_order() -> None:
    log = Recorder()
    presence: list[tuple[str, bool, int, float]] = []
    with start(log=log) as server:
        client = BoshClient(server).settled()
        server.do(lambda service: service.create_node(NODE))
        server.do(lambda service: service.subscribe(NODE, f"1001@{DOMAIN}"))
        server.do(
            lambda service: service.on_presence(
                lambda event: presence.append((event.user, event.available, event.remaining, service.hub.now() - 1000))
            )
        )
        server.pass_time(16.77)  # the poll began here; the reaper ticks at 30, 60, 90 ...
        server.pass_time(13.23)
        client.connection.close()
        server.settle()
        for _ in range(3):
            server.pass_time(30)
        server.publish(NODE, NOTIFICATION)
    assert [tick["idle_ms"] for tick in log.all("idle_tick")] == [0, 30000, 60000, 90000]
    assert {tick["jid"] for tick in log.all("idle_tick")} == {client.jid}
    assert log.names(*TOLD)[-5:] == ["closing_idle", "statistics", "session_closed", "session_ended", "store_offline"]
    assert log.only("closing_idle") == {"sid": client.sid, "jid": client.jid, "threshold_s": 60}
    assert log.only("session_closed")["jid"] == client.jid
    closed = log.only("session_ended")["closed"]
    assert (closed.ending.code, closed.timer_s, closed.at) == ("idle", 60, 1120.0)
    assert (closed.heard_after, closed.heard_before) == (1000.0, 1030.0)
    assert f'to="1001@{DOMAIN}"'.encode() in log.only("store_offline")["stanza"]
    assert presence == [("1001", False, 0, 120.0)]


def test_a_client_that_vanishes_without_a_word_is_idle_from_the_end_of_its_wait() -> None:
    log = Recorder()
    with start(log=log) as server:
        BoshClient(server).settled()  # its connection stays open and nobody reads it
        for _ in range(4):
            server.pass_time(30)
    assert [tick["idle_ms"] for tick in log.all("idle_tick")] == [0, 30000, 60000, 90000]
    assert log.only("session_ended")["closed"].heard_before == 1030.0


def test_statistics_are_told_once_a_tick_for_every_signed_in_session() -> None:
    log = Recorder()
    with start(log=log) as server:
        client = BoshClient(server).settled()
        BoshClient(server, "1002").create()
        server.pass_time(30)
        [told] = log.all("statistics")
    assert told["jid"] == client.jid
    assert told["epoch_ms"] == 1_700_000_030_000
    assert (told["msgs_received"], told["msgs_sent"]) == (1, 2)
    assert len(log.all("idle_tick")) == 2


def test_statistics_are_told_for_every_binding_at_each_tick_and_at_the_end() -> None:
    log = Recorder()
    with start(log=log, tcp_idle_s=1000.0) as server:
        stream = Stream(server, "1002").sign_in()
        stream.until("<presence")
        server.pass_time(30)
        assert [(told["jid"], told["msgs_received"]) for told in log.all("statistics")] == [(f"1002@{DOMAIN}/r", 1)]
        server.do(lambda service: service.kill(f"1002@{DOMAIN}/r", by="admin"))
    assert log.names("statistics", "session_closed", "session_ended") == ["statistics", *TOLD_AT_THE_END]
    assert log.only("session_ended")["closed"].evidence == "by admin"
    assert len(log.all("idle_tick")) == 0


def test_ticks_come_every_thirty_seconds_or_as_set() -> None:
    log = Recorder()
    with start(log=log, reaper_period_s=5.0) as server:
        BoshClient(server).settled()
        server.pass_time(29)
        assert len(log.all("idle_tick")) == 5


def test_without_debug_the_closing_is_told_and_the_ticks_are_not() -> None:
    log = Recorder(debug=False)
    with start(log=log) as server:
        client = BoshClient(server).settled()
        client.connection.close()
        server.settle()
        for _ in range(4):
            server.pass_time(30)
    assert log.names(*TOLD) == ["closing_idle", "session_closed", "session_ended"]


def test_a_session_that_polls_is_never_reaped() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        for _ in range(10):
            server.pass_time(30)
            assert client.connection.read().body == EMPTY
            client.poll()
            server.settle()
        assert server.do(lambda service: len(service.bosh.sessions)) == 1


def test_a_pause_is_as_long_as_the_client_asked() -> None:
    log = Recorder()
    with start(log=log) as server:
        client = BoshClient(server).settled()
        client.send(attrs=" pause='120'")
        assert [client.connection.read().body for _ in range(2)] == [EMPTY, EMPTY]
        server.pass_time(119)
        assert not log.names("session_ended")
        server.pass_time(30)
    assert log.only("session_ended")["closed"].ending.code in ("paused-too-long", "idle")


def test_a_tick_over_many_sessions_is_cut_into_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(1_000_000))
    log = Recorder()
    with start(log=log) as server:
        for _ in range(20):
            BoshClient(server).create()
        monkeypatch.setattr(reaper_module, "perf_counter", lambda: next(ticks) * 0.001)
        server.pass_time(30)
        assert len(log.all("idle_tick")) < 20
        server.pass_time(1)
        assert len(log.all("idle_tick")) == 20


def test_a_fault_at_one_session_does_not_end_the_tick() -> None:
    log = Recorder()
    with start(log=log) as server:
        broken = BoshClient(server, "1001").settled()
        BoshClient(server, "1002").settled()

        def break_it(running: Server) -> None:
            def fail(now: float) -> float:
                raise RuntimeError("on purpose")

            client = running.service.bosh.sessions[broken.sid]
            client.__class__ = type(
                "Broken", (client.__class__,), {"__slots__": (), "idle_s": lambda self, now: fail(now)}
            )

        break_it(server)
        server.pass_time(30)
        assert log.only("session_ended")["closed"].ending.code == "fault"
        assert len(log.all("idle_tick")) == 1


class TestStalls:
    """Time in which the server itself did not run is charged to nobody."""

    def test_a_stall_is_told_once_and_nobody_is_closed_for_it(self) -> None:
        log = Recorder()
        stalls: list[float] = []
        with start(log=log) as server:
            server.do(lambda service: service.on_stall(stalls.append))
            client = BoshClient(server).settled()
            client.connection.close()
            server.pass_time(20)
            server.stall(600)
            server.pass_time(30)
            assert not log.names("closing_idle")
            assert 600 <= log.only("stalled")["seconds"] <= 601
            assert stalls == [log.only("stalled")["seconds"]]
            again = Connection(server)
            again.send(client.body(client.rid))
            server.pass_time(30)
            assert again.read().body == EMPTY

    def test_after_a_stall_the_clock_goes_on_where_it_stood(self) -> None:
        log = Recorder()
        with start(log=log) as server:
            client = BoshClient(server).settled()
            client.connection.close()
            server.pass_time(29)
            server.stall(600)
            assert len(log.all("idle_tick")) == 1
            for _ in range(2):
                server.pass_time(30)
            assert not log.names("closing_idle")
            server.pass_time(30)
            assert log.only("closing_idle")["jid"] == client.jid
            assert len(log.all("idle_tick")) == 4

    def test_a_client_heard_while_the_server_caught_up_is_watched_from_then_on(self) -> None:
        log = Recorder()
        with start(log=log) as server:
            client = BoshClient(server).settled()
            server.stall(3600)
            assert client.connection.read().body == EMPTY
            for _ in range(4):
                server.pass_time(30)
            assert log.only("closing_idle")["jid"] == client.jid

    @pytest.mark.parametrize("running_s", [0.1, 0.3, 0.52, 0.74, 0.99])
    def test_a_short_delay_is_no_stall_and_a_longer_one_is_seen_whenever_it_begins(self, running_s: float) -> None:
        log = Recorder()
        with start(log=log) as server:
            BoshClient(server).settled()
            server.pass_time(running_s)
            server.stall(4.5)
            assert not log.names("stalled")
            server.pass_time(running_s)
            server.stall(5.05)
            assert log.only("stalled")["seconds"] >= 5.05

    def test_a_sign_in_under_way_is_forgiven_too(self) -> None:
        log = Recorder()
        with start(log=log) as server:
            client = BoshClient(server)
            client.create()
            server.stall(600)
            assert not log.names("session_ended")
            assert "<success" in client.auth().body

    def test_a_connection_in_the_middle_of_a_request_is_forgiven_too(self) -> None:
        with start() as server:
            client = BoshClient(server)
            client.create()
            body = client.body(client.rid + 1, "<iq type='get' id='1' xmlns='jabber:client'/>")
            head = f"POST /http-bind/ HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            client.connection.socket.sendall(head.encode() + body[:10].encode())
            server.settle()
            server.stall(600)
            client.connection.socket.sendall(body[10:].encode())
            assert "not-authorized" in client.connection.read().body

"""Silent clients over TCP: pinged, believed for a while, given up as soon as a dead BOSH client; and orderly ends."""

from __future__ import annotations

import re
import socket
import struct
from math import inf

from poise.server.notification.timing import IDLE_S, LINGER_S
from tests.support.server import DOMAIN, start
from tests.unit.server.notification.recorder import Recorder
from tests.unit.server.notification.test_tcp import Stream

PING = re.compile(
    r'<iq xmlns="jabber:client" type="get" id="([^"]+)" from="localhost" to="1001@localhost/r">'
    r'<ping xmlns="urn:xmpp:ping"/>'
)


def test_a_client_that_answers_the_ping_stays_however_long_it_says_nothing_else() -> None:
    with start() as server:
        stream = Stream(server, "1001").sign_in()
        for _ in range(5):
            server.pass_time(IDLE_S / 2 + 0.1)
            ping = PING.search(stream.until("</iq>"))
            assert ping is not None
            stream.send(f"<iq type='result' id='{ping[1]}' to='{DOMAIN}'/>")
            server.settle()
        assert len(server.do(lambda service: service.tcp.clients)) == 1


def test_any_byte_is_a_sign_of_life_and_who_pings_is_not_pinged() -> None:
    with start() as server:
        stream = Stream(server, "1001").sign_in()
        for _ in range(20):
            server.pass_time(20)
            stream.send(" ")
        stream.send("</stream:stream>")
        assert "urn:xmpp:ping" not in stream.rest()


def test_a_dead_client_is_given_up_after_the_idle_time_and_not_before() -> None:
    log = Recorder()
    presence: list[bool] = []
    with start(log=log) as server:
        server.do(lambda service: service.on_presence(lambda event: presence.append(event.available)))
        stream = Stream(server, "1001").sign_in()
        server.pass_time(IDLE_S - 1)
        assert presence == [True]
        server.pass_time(1.1)
        text = stream.rest()
        assert "<ping" in text
        assert text.endswith(
            '<connection-timeout xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error></stream:stream>'
        )
        closed = log.only("session_ended")["closed"]
        assert (closed.ending.code, closed.timer_s) == ("idle", IDLE_S)
        assert (closed.heard_after, closed.heard_before) == (1000.0, 1000.0)
        assert presence == [True, False]


def test_the_idle_time_is_a_setting_and_may_be_endless() -> None:
    with start(tcp_idle_s=10.0) as server:
        stream = Stream(server, "1001").sign_in()
        server.pass_time(10.1)
        assert "<connection-timeout" in stream.rest()
    with start(tcp_idle_s=inf) as server:
        stream = Stream(server, "1001").sign_in()
        server.pass_time(100_000)
        stream.send("</stream:stream>")
        assert "urn:xmpp:ping" not in stream.rest()


def test_time_in_which_the_server_did_not_run_counts_for_nobody() -> None:
    with start() as server:
        stream = Stream(server, "1001").sign_in()
        server.pass_time(IDLE_S / 2 + 1)
        stream.until("<ping")
        server.stall(300)
        server.pass_time(IDLE_S / 2 - 3)
        assert len(server.do(lambda service: service.tcp.clients)) == 1
        server.pass_time(5)
        assert "<connection-timeout" in stream.rest()


def test_a_client_that_we_do_not_listen_to_is_not_called_silent() -> None:
    with start() as server:
        stream = Stream(server, "1001").sign_in()
        server.do(lambda service: next(iter(service.tcp.clients))._transport.pause_reading())  # type: ignore[union-attr]
        server.pass_time(IDLE_S * 3)
        server.do(lambda service: next(iter(service.tcp.clients))._transport.resume_reading())  # type: ignore[union-attr]
        stream.send("</stream:stream>")
        assert "urn:xmpp:ping" not in stream.rest()


def test_the_last_words_reach_a_client_that_is_still_sending() -> None:
    for _ in range(5):
        with start() as server:
            stream = Stream(server, "1001").sign_in()
            stream.send("<message>" + "x" * 600_000)  # twice the limit: half of it is unread when the stream ends
            assert stream.rest().endswith("</stream:error></stream:stream>")
            assert "<policy-violation" in stream.text


def test_a_connection_whose_stream_is_over_is_let_go_soon_even_if_the_client_never_closes() -> None:
    with start() as server:
        stream = Stream(server, "1001").sign_in()
        stream.send("<message></iq>")
        assert stream.rest().endswith("</stream:stream>")
        stream.send("<more/>" * 100)  # nobody listens, nobody minds
        server.settle()
        assert len(server.do(lambda service: service.tcp.leaving)) == 1
        server.pass_time(LINGER_S + 0.1)
        assert len(server.do(lambda service: service.tcp.leaving)) == 0


def test_a_client_that_closes_only_its_own_side_is_gone() -> None:
    log = Recorder()
    with start(log=log) as server:
        stream = Stream(server, "1001").sign_in()
        stream.socket.shutdown(socket.SHUT_WR)
        stream.rest()
        while not log.names("session_ended"):
            server.settle()
        assert log.only("session_ended")["closed"].ending.code == "socket-lost"


def test_a_reset_is_a_lost_socket() -> None:
    log = Recorder()
    with start(log=log) as server:
        stream = Stream(server, "1001").sign_in()
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.socket.close()
        while not log.names("session_ended"):
            server.settle()
        assert log.only("session_ended")["closed"].evidence == "reset"

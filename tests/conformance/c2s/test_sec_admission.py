"""Connections that never sign in are bounded and freed."""

from __future__ import annotations

from dataclasses import replace

from tests.conformance.c2s.dialogue import Stream, header, plain
from tests.conformance.targets import TCP, Serve
from tests.conformance.wire import NoAnswer


def test_SEC17_half_open_connections_of_one_address_are_bounded(serve: Serve) -> None:
    server = serve(replace(TCP, half_open_max=20))
    signed_in = Stream(server).sign_in()
    for _ in range(20):
        Stream(server).open()
    refused = Stream(server)
    refused.say(header())
    try:
        assert refused.refused() == "policy-violation"
    except NoAnswer:
        raise AssertionError("any number of connections is let in") from None
    assert signed_in.alive()
    server.pass_time(server.sign_in_s + 1)
    assert Stream(server).sign_in().alive()


def test_SEC17_failed_sign_ins_do_not_keep_a_connection_open(serve: Serve) -> None:
    server = serve(replace(TCP, half_open_max=20))
    stream = Stream(server)
    stream.features()
    for _ in range(3):
        stream.say(plain("1001", "wrong"))
        stream.failure()
        server.pass_time(server.sign_in_s / 3)
        stream.say(" ")
    server.pass_time(1.5)
    assert stream.refused(timeout=3) == "connection-timeout"

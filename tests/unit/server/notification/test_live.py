"""What operators see of sessions: silence as an interval, what is held and what waits, presence in one word."""

from __future__ import annotations

import pytest

from poise.server.notification.client import Load
from poise.server.notification.live import LiveSession
from tests.support.server import DOMAIN, Server, start
from tests.unit.server.notification.bosh_client import NOTIFICATION, BoshClient
from tests.unit.server.notification.test_tcp import Stream

NODE = "/finesse/api/User/1001"


def seen(server: Server) -> LiveSession:
    [session] = server.do(lambda service: service.sessions())
    return session


def test_a_held_request_says_only_that_the_client_was_there_when_it_came() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        server.pass_time(10)
        session = seen(server)
        assert (session.jid, session.load, session.idle_s) == (client.jid, Load(1, 0, 0), 0)
        assert (session.heard_after_s, session.heard_before_s) == (10, 0)
        client.connection.close()
        server.settle()
        server.pass_time(5)
        assert (seen(server).heard_after_s, seen(server).heard_before_s) == (15, 5)


def test_what_waits_for_a_client_that_does_not_poll_is_counted() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        server.do(lambda service: service.create_node(NODE))
        server.do(lambda service: service.subscribe(NODE, f"1001@{DOMAIN}"))
        client.connection.close()
        server.settle()
        for _ in range(2):
            server.publish(NODE, NOTIFICATION)
        load = seen(server).load
        assert (load.held, load.stanzas) == (0, 2)
        assert load.octets > 2 * len(NOTIFICATION)


def test_a_stream_was_last_heard_when_its_last_byte_came() -> None:
    with start(tcp_idle_s=1000.0) as server:
        stream = Stream(server, "1002").sign_in()
        stream.until("<presence")
        server.pass_time(7)
        session = seen(server)
        assert (session.transport, session.load) == ("tcp", Load(0, 0, 0))
        assert (session.heard_after_s, session.heard_before_s) == (7, 7)
        assert session.received == 1


@pytest.mark.parametrize(
    ("presence", "shown"),
    [
        ("<presence><show> dnd </show></presence>", "dnd"),
        ("<presence><show>asleep</show></presence>", "available"),
        ("<presence type='unavailable'/>", "unavailable"),
    ],
)
def test_presence_in_one_word(presence: str, shown: str) -> None:
    with start(tcp_idle_s=1000.0) as server:
        stream = Stream(server, "1002").sign_in()
        stream.until("<presence")
        assert seen(server).presence == "available"
        stream.send(f"{presence}<iq type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>")
        stream.until('id="last"')
        assert seen(server).presence == shown


def test_a_page_is_ordered_by_jid_and_filtered_by_user() -> None:
    with start(tcp_idle_s=1000.0) as server:
        streams = [Stream(server, user).sign_in() for user in ("1003", "1001", "1002")]
        for stream in streams:
            stream.until("<presence")
        fresh = Stream(server, "1004")
        server.settle()

        def page(user: str, start: int, count: int) -> tuple[int, list[str]]:
            total, sessions = server.do(lambda service: service.page(user, start, count))
            return total, [session.jid for session in sessions]

        jids = ["", *(f"{user}@{DOMAIN}/r" for user in ("1001", "1002", "1003"))]
        assert page("", 0, 10) == (4, jids)
        assert page("", 1, 2) == (4, jids[1:3])
        assert page("", 9, 2) == (4, [])
        assert page("1002", 0, 10) == (1, [jids[2]])
        del fresh

"""The service as a whole: ports, an orderly stop, what operators see."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest

from poise.protocols.xmpp.host import Rules, UnknownNode
from poise.server.clock import LoopClock
from poise.server.notification.hub import Hub
from poise.server.notification.log import NoLog
from poise.server.notification.loop import run
from poise.server.notification.service import Listen, NotificationService, NotificationSettings
from tests.support.server import DOMAIN, MemoryAccounts, start
from tests.unit.server.notification.bosh_client import BoshClient, Connection
from tests.unit.server.notification.recorder import Recorder
from tests.unit.server.notification.test_tcp import Stream

PING = "<iq type='get' id='p' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"


def test_a_stopping_service_tells_everybody_within_a_second() -> None:
    log = Recorder()
    presence: list[object] = []
    with start(log=log) as server:
        desktops = [BoshClient(server, user).settled() for user in ("1001", "1002", "1003")]
        stream = Stream(server, "1004").sign_in()
        stream.until("<presence")
        idle = Connection(server)
        server.do(lambda service: service.on_presence(presence.append))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1.0
        for desktop in desktops:
            assert "condition='system-shutdown'" in desktop.connection.read().body
            assert desktop.connection.closed()
        assert "<system-shutdown" in stream.rest()
        assert idle.closed()
    assert log.names("started", "stopped") == ["started", "stopped"]
    assert {values["closed"].ending.code for values in log.all("session_ended")} == {"shutdown"}
    assert presence == []


def test_an_idle_session_hears_of_the_shutdown_no_more_and_new_ones_are_refused() -> None:
    with start() as server:
        client = BoshClient(server)
        client.create()

        async def refuse() -> None:
            server.service.hub.stopping = True

        server.call(refuse)
        assert "condition='system-shutdown'" in BoshClient(server).create().body
        assert "<system-shutdown" in Stream(server).rest()

        async def go_on() -> None:
            server.service.hub.stopping = False

        server.call(go_on)


def test_a_client_that_does_not_read_does_not_hold_up_the_stop() -> None:
    with start() as server:
        stream = Stream(server, "1001").sign_in()
        node = "/finesse/api/User/1001"
        server.do(lambda service: service.create_node(node))
        server.do(lambda service: service.subscribe(node, f"1001@{DOMAIN}"))
        payload = b"<notification xmlns='http://jabber.org/protocol/pubsub'>" + b"x" * 200_000 + b"</notification>"
        for _ in range(15):
            server.do(lambda service: service.publish(node, "", payload))
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1.5
        stream.socket.close()


def test_stopping_twice_is_stopping_once() -> None:
    log = Recorder()
    with start(log=log) as server:

        async def stop_twice() -> None:
            await server.service.stop()
            await server.service.stop()

        server.call(stop_twice)
    assert log.names("stopped") == ["stopped"]


def test_a_taken_port_is_an_error_and_leaves_no_port_open() -> None:
    async def story() -> None:
        accounts = MemoryAccounts({})
        service = NotificationService(
            NotificationSettings(DOMAIN),
            Rules(frozenset(), accounts.exists, lambda user, node: True),
            accounts,
            LoopClock(asyncio.get_running_loop()),
            NoLog(),
        )
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OSError, match=r"ddress already in use"):
                await service.start([Listen("one", "127.0.0.1", 0), Listen("two", "127.0.0.1", port)])
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", service.ports["one"]))
        await service.stop()

    run(story())


def test_operators_see_sessions_without_their_keys() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        stream = Stream(server, "1002").sign_in()
        stream.until("<presence")
        server.pass_time(10)
        sessions = server.do(lambda service: service.sessions())
        bosh, tcp = sorted(sessions, key=lambda session: session.transport)
        assert (bosh.jid, bosh.address, bosh.idle_s, bosh.age_s) == (client.jid, "127.0.0.1", 0.0, 10.0)
        assert client.sid not in bosh.id
        assert client.sid.startswith(bosh.id.rstrip("…"))
        assert (tcp.jid, tcp.idle_s) == (f"1002@{DOMAIN}/r", 10.0)


def test_metrics_count_what_happened() -> None:
    with start() as server:
        BoshClient(server).settled()
        bad = Connection(server)
        bad.socket.sendall(b"nonsense\r\n\r\n")
        bad.socket.recv(1000)
        values = server.do(lambda service: {metric.name: metric.read() for metric in service.metrics()})
        assert values["poise_bosh_sessions"] == 1
        assert values["poise_bosh_requests_total"] >= 6
        assert values["poise_http_refused_total"] == 1
        assert values["poise_unauthenticated"] == 0
        assert all(name.startswith("poise_") for name in values)


def test_an_operator_ends_a_session() -> None:
    log = Recorder()
    with start(log=log) as server:
        client = BoshClient(server).settled()
        assert server.do(lambda service: service.kill("1009@localhost/none")) is False
        assert server.do(lambda service: service.kill(client.jid)) is True
        assert "<policy-violation" in client.connection.read().body
    assert log.only("session_ended")["closed"].ending.code == "killed"


def test_the_servers_own_user_is_announced_to_desktops() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        server.do(lambda service: service.announce(False))
        body = client.connection.read().body
        assert 'type="unavailable"' in body
        assert f'from="finesse@{DOMAIN}' in body


def test_nodes_and_subscriptions_are_the_products_to_make() -> None:
    with start() as server:
        node = "/finesse/api/Team/1/Users"
        with pytest.raises(UnknownNode):
            server.do(lambda service: service.publish(node, "", b"<notification xmlns='x'/>"))
        server.do(lambda service: service.create_node(node, "a title"))
        server.do(lambda service: service.subscribe(node, f"1101@{DOMAIN}"))
        assert server.do(lambda service: service.host.subscriptions(node)) == (f"1101@{DOMAIN}",)
        server.do(lambda service: service.unsubscribe(node, f"1101@{DOMAIN}"))
        server.do(lambda service: service.delete_node(node))
        assert server.do(lambda service: service.host.nodes()) == ()


def test_a_listener_of_the_product_that_fails_harms_no_client() -> None:
    log = Recorder()
    with start(log=log) as server:

        def fail(event: object) -> None:
            raise RuntimeError("a fault above")

        heard: list[object] = []
        server.do(lambda service: service.on_presence(fail))
        server.do(lambda service: service.on_presence(heard.append))
        client = BoshClient(server).settled()
        client.send(PING)
        client.connection.read()
        assert len(heard) == 1
        assert str(log.only("fault")["error"]) == "a fault above"


def test_a_session_that_cannot_even_be_ended_takes_nobody_with_it() -> None:
    log = Recorder()
    with start(log=log) as server:
        client, other = BoshClient(server).settled(), BoshClient(server, "1002").settled()

        def break_it(service: NotificationService) -> None:
            broken = service.bosh.sessions[client.sid]
            hub: Hub = service.hub

            def fail(*_: object, **__: object) -> None:
                raise RuntimeError("cannot end")

            broken.__class__ = type("Broken", (broken.__class__,), {"__slots__": (), "end": fail})
            hub.fault(broken, ValueError("first"), hub.now())
            assert broken.gone

        server.do(break_it)
        assert [str(values["error"]) for values in log.all("fault")] == ["first", "cannot end"]
        server.pass_time(30)
        assert other.connection.read().status == 200


def test_a_verdict_for_a_session_that_has_gone_is_ignored() -> None:
    log = Recorder()
    with start(log=log) as server:
        verdict: asyncio.Future[None]
        original = server.accounts.check

        async def slow(user: str, password: str, address: str):  # type: ignore[no-untyped-def]
            await verdict
            return await original(user, password, address)

        async def prepare() -> None:
            nonlocal verdict
            verdict = asyncio.get_running_loop().create_future()
            server.accounts.check = slow  # type: ignore[method-assign]

        server.call(prepare)
        client = BoshClient(server)
        client.create()
        client.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>ADEwMDEAMTAwMQ==</auth>")
        server.pass_time(61)
        assert "<connection-timeout" in client.connection.read().body or log.names("session_ended")

        async def answer() -> None:
            verdict.set_result(None)

        server.call(answer)
        server.settle()
        assert not log.names("fault")
        assert not server.failures


def test_a_check_under_way_does_not_hold_up_the_stop() -> None:
    with start() as server:

        async def never(user: str, password: str, address: str):  # type: ignore[no-untyped-def]
            await asyncio.Event().wait()

        server.accounts.check = never  # type: ignore[method-assign]
        client = BoshClient(server)
        client.create()
        client.send("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>ADEwMDEAMTAwMQ==</auth>")
        server.settle()
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 1.0
        with contextlib.suppress(EOFError):
            assert "system-shutdown" in client.connection.read().body


def test_an_application_on_the_same_port_and_over_tls() -> None:
    from tests.unit.server.notification.test_asgi import application

    with start(app=application(), tls=True) as server:
        for tls in (False, True):
            connection = Connection(server, tls=tls)
            connection.send("hello", "/echo")
            assert connection.read().body == "hello"
            connection.socket.sendall(b"GET /where/x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.read().body.startswith("https" if tls else "http")


def test_a_step_of_the_wall_clock_moves_stamps_and_no_deadline() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        sender = BoshClient(server, "1002").settled()

        async def step() -> None:
            server.clock.step_wall(86_400.0)

        server.call(step)
        server.pass_time(29)
        assert client.connection.silent()
        sender.send(f"<message to='1003@{DOMAIN}' xmlns='jabber:client'><body>hello</body></message>")
        server.pass_time(1)
        assert client.connection.read().status == 200
        late = BoshClient(server, "1003")
        late.create()
        late.auth()
        late.bind()
        body = late.ask("<presence xmlns='jabber:client'/>").body
        assert 'stamp="2023-11-15T22:13:' in body


def test_the_end_of_a_signed_in_session_is_told_with_its_testimony_and_a_stop_tells_nothing() -> None:
    ended: list[tuple[str, str, str]] = []
    with start() as server:
        server.do(
            lambda service: service.on_end(
                lambda jid, binding, closed: ended.append((jid, binding, closed.ending.code))
            )
        )
        Stream(server, "1001").sign_in()
        Stream(server, "1002").sign_in()
        (jid,) = [session.jid for session in server.do(lambda service: service.sessions()) if "1001@" in session.jid]
        assert sorted(server.do(lambda service: service.connected()))[0] == jid
        server.do(lambda service: service.kill(jid, "admin"))
        assert ended == [(jid, "tcp", "killed")]
        server.stop()
    assert len(ended) == 1

"""XMPP over TCP: one publisher and one listener on raw sockets."""

from __future__ import annotations

import base64
import socket

import pytest

from poise.server.notification import tcp as tcp_module
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.service import NotificationService
from poise.server.notification.timing import SIGN_IN_S
from tests.support.server import DOMAIN, PUBLISHER, Server, start
from tests.unit.server.notification.bosh_client import OPEN, BoshClient
from tests.unit.server.notification.recorder import Recorder

HEADER = (
    f"<stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
NODE = "/finesse/api/User/1001"


class Stream:
    """A stream on a blocking socket; `until` waits for text, with a limit."""

    def __init__(self, server: Server, user: str = PUBLISHER) -> None:
        self.socket = socket.create_connection((server.host, server.tcp_port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        OPEN.append(self.socket)
        self.user = user
        self.text = ""

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def until(self, text: str) -> str:
        """Everything up to and with `text`."""
        while text not in self.text:
            data = self.socket.recv(65536)
            assert data, f"closed after {self.text!r}"
            self.text += data.decode()
        got, found, self.text = self.text.partition(text)
        return got + found

    def rest(self) -> str:
        """Everything until the server closes."""
        try:
            while data := self.socket.recv(65536):
                self.text += data.decode()
        except ConnectionResetError:
            pass
        return self.text

    def sign_in(self, password: str = "") -> Stream:
        self.send(HEADER)
        assert "PLAIN" in self.until("</stream:features>")
        secret = base64.b64encode(f"\0{self.user}\0{password or self.user}".encode()).decode()
        self.send(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>")
        self.until("<success")
        self.until(">")
        self.send(HEADER)
        self.until("</stream:features>")
        self.send(
            "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>"
        )
        assert f"{self.user}@{DOMAIN}/r" in self.until("</iq>")
        self.send("<presence/>")
        return self


def publish(number: int = 0) -> str:
    return (
        f"<iq type='set' id='p{number}' to='pubsub.{DOMAIN}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
        f"<publish node='{NODE}'><item><notification xmlns='http://jabber.org/protocol/pubsub'>number {number}"
        "</notification></item></publish></pubsub></iq>"
    )


def test_a_publisher_creates_a_node_and_a_desktop_on_bosh_gets_the_item() -> None:
    with start() as server:
        publisher = Stream(server).sign_in()
        create = f"<create node='{NODE}'/>"
        publisher.send(
            f"<iq type='set' id='c' to='pubsub.{DOMAIN}'><pubsub xmlns='http://jabber.org/protocol/pubsub'>{create}"
            "</pubsub></iq>"
        )
        assert 'type="result"' in publisher.until('id="c"') + publisher.until(">")
        desktop = BoshClient(server).settled()
        server.do(lambda service: service.subscribe(NODE, f"1001@{DOMAIN}"))
        publisher.send(publish(7))
        assert "number 7" in desktop.connection.read().body
        publisher.send("</stream:stream>")
        assert publisher.rest().endswith("</stream:stream>")


def test_a_listener_on_tcp_gets_a_long_fan_out_in_order() -> None:
    with start() as server:
        listener = Stream(server, "1001").sign_in()
        server.do(lambda service: service.create_node(NODE))
        server.do(lambda service: service.subscribe(NODE, f"1001@{DOMAIN}"))
        publisher = Stream(server).sign_in()
        publisher.send("".join(publish(number) for number in range(500)))
        text = listener.until("number 499<")
        assert [f"number {number}<" in text for number in range(500)] == [True] * 500
        assert text.index("number 17<") < text.index("number 18<")


def test_a_stream_in_single_bytes_and_all_in_one_packet_is_the_same() -> None:
    secret = base64.b64encode(b"\x001001\x001001").decode()
    everything = (
        HEADER
        + f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{secret}</auth>"
        + HEADER
        + "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>"
    )
    with start() as server:
        at_once, in_bytes = Stream(server, "1001"), Stream(server, "1002")
        at_once.send(everything)
        assert "1001@localhost/r" in at_once.until("</jid>")
        for byte in everything.replace(secret, base64.b64encode(b"\x001002\x001002").decode()):
            in_bytes.send(byte)
        assert "1002@localhost/r" in in_bytes.until("</jid>")


def test_without_tls_no_password_is_asked_for_unless_policy_allows_it() -> None:
    with start(plain_in_clear=False) as server:
        stream = Stream(server)
        stream.send(HEADER)
        assert "PLAIN" not in stream.until("<stream:features/>")


def test_broken_xml_ends_the_stream_with_its_error_and_nobody_elses() -> None:
    log = Recorder()
    with start(log=log) as server:
        other = Stream(server, "1002").sign_in()
        stream = Stream(server, "1001").sign_in()
        stream.send("<message><body></message>")
        assert "<not-well-formed" in stream.rest()
        assert log.only("session_ended")["closed"].ending.code == "broken-xml"
        other.send("<iq type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert 'type="result"' in other.until('id="x"') + other.until(">")


def test_a_connection_that_breaks_is_a_lost_socket_and_presence_ends() -> None:
    log = Recorder()
    presence: list[tuple[bool, int]] = []
    with start(log=log) as server:
        server.do(
            lambda service: service.on_presence(lambda event: presence.append((event.available, event.remaining)))
        )
        stream = Stream(server, "1001").sign_in()
        stream.until("<presence")
        server.pass_time(5)
        stream.socket.close()
        while not log.names("session_ended"):
            server.settle()
        closed = log.only("session_ended")["closed"]
        assert (closed.ending.code, closed.heard_after) == ("socket-lost", 1000.0)
        assert presence == [(True, 1), (False, 0)]


def test_a_stream_that_never_signs_in_ends_at_an_absolute_deadline() -> None:
    log = Recorder()
    with start(log=log) as server:
        silent, talking = Stream(server), Stream(server)
        talking.send(HEADER)
        talking.until("</stream:features>")
        for _ in range(5):
            server.pass_time(SIGN_IN_S / 6)
            talking.send(" ")
        server.pass_time(SIGN_IN_S / 6)
        assert "<connection-timeout" in talking.rest()
        assert "<connection-timeout" in silent.rest()
        assert {values["closed"].ending.code for values in log.all("session_ended")} == {"auth-timeout"}


def test_a_client_that_never_reads_is_cut_off_with_its_queue_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp_module, "OUTPUT_MAX_BYTES", 100_000)
    log = Recorder()
    with start(log=log) as server:
        slow, other = Stream(server, "1001").sign_in(), BoshClient(server, "1002").settled()
        server.do(lambda service: service.create_node(NODE))
        for user in ("1001", "1002"):
            server.do(lambda service, user=user: service.subscribe(NODE, f"{user}@{DOMAIN}"))  # type: ignore[misc]
        payload = b"<notification xmlns='http://jabber.org/protocol/pubsub'>" + b"x" * 100_000 + b"</notification>"
        for _ in range(300):
            server.do(lambda service: service.publish(NODE, "", payload))
            if log.names("session_ended"):
                break
            other.poll()
            other.connection.read()
        ended = log.all("session_ended")[0]
        assert (ended["jid"], ended["closed"].ending.code) == (f"1001@{DOMAIN}/r", "queue-full")
        slow.rest()


def test_too_many_streams_are_turned_away_with_a_reason() -> None:
    with start(admission=AdmissionPolicy(unauthenticated_max=1)) as server:
        first = Stream(server)
        first.send(HEADER)
        first.until("</stream:features>")
        assert "<policy-violation" in Stream(server).rest()
        first.socket.close()
        while server.do(lambda service: service.hub.admission.unauthenticated):
            server.settle()
        third = Stream(server)
        third.send(HEADER)
        third.until("</stream:features>")


def test_the_same_resource_again_replaces_the_older_stream_with_conflict() -> None:
    with start() as server:
        older = Stream(server, "1001").sign_in()
        newer = Stream(server, "1001").sign_in()
        assert "<conflict" in older.rest()
        newer.send("<iq type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert 'type="result"' in newer.until('id="x"') + newer.until(">")


def test_an_exception_in_one_stream_ends_that_stream_alone() -> None:
    log = Recorder()
    with start(log=log) as server:
        other = Stream(server, "1002").sign_in()
        stream = Stream(server, "1001").sign_in()
        with server.broken_stanzas():
            stream.send("<iq type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>")
            assert "<internal-server-error" in stream.rest()
        assert log.only("fault")["jid"] == f"1001@{DOMAIN}/r"
        other.send("<iq type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert 'type="result"' in other.until('id="x"') + other.until(">")


def test_last_words_that_nobody_reads_do_not_hold_the_connection_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with start() as server:
        stream = Stream(server, "1001").sign_in()
        server.do(lambda service: service.create_node(NODE))
        server.do(lambda service: service.subscribe(NODE, f"1001@{DOMAIN}"))
        payload = b"<notification xmlns='http://jabber.org/protocol/pubsub'>" + b"x" * 200_000 + b"</notification>"
        while not server.do(
            lambda service: any(
                client._transport is not None and client._transport.get_write_buffer_size()
                for client in service.tcp.clients
            )
        ):
            server.do(lambda service: service.publish(NODE, "", payload))
        server.do(lambda service: service.kill(f"1001@{DOMAIN}/r"))
        assert server.do(lambda service: len(service.tcp.leaving)) == 1
        server.pass_time(21)
        assert server.do(lambda service: len(service.tcp.leaving)) == 0
        stream.socket.close()


def test_the_system_looks_after_connections_whose_peer_is_gone_without_a_word() -> None:
    def kept_alive(service: NotificationService) -> tuple[int, int]:
        (client,) = service.tcp.clients
        assert client._transport is not None
        accepted = client._transport.get_extra_info("socket")
        return (
            accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
        )

    with start() as server:
        Stream(server).sign_in()
        assert server.do(kept_alive) == (1, 60)

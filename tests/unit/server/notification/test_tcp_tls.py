"""TLS on XMPP over TCP: changing to it, everything that can go wrong on the way, and TLS from the first byte."""

from __future__ import annotations

import asyncio
import base64
import datetime
import socket
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from poise.protocols.xmpp.c2s import C2SPolicy
from poise.protocols.xmpp.host import Rules
from poise.server import certificates
from poise.server.clock import LoopClock, ManualClock
from poise.server.notification.loop import run as run_on_uvloop
from poise.server.notification.service import Kind, Listen, NotificationService, NotificationSettings
from poise.server.notification.timing import HANDSHAKE_S
from tests.support.server import DOMAIN, USERS, MemoryAccounts, Server, start
from tests.unit.server.notification.bosh_client import OPEN
from tests.unit.server.notification.recorder import Recorder
from tests.unit.server.notification.test_tcp import HEADER, NODE, Stream

STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
PROCEED = '<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'
PING = "<iq type='get' id='x'><ping xmlns='urn:xmpp:ping'/></iq>"
AUTH = (
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
    + base64.b64encode(b"\x001001\x001001").decode()
    + "</auth>"
)


def trusting() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def presented(files: certificates.Files) -> bytes:
    """The server's own certificate, the first of its chain."""
    own, end, _ = files.certificate.read_text().partition("-----END CERTIFICATE-----")
    return ssl.PEM_cert_to_DER_cert(own + end)


class TlsStream(Stream):
    """A stream that changes to TLS, or begins with it."""

    def begin(self) -> TlsStream:
        """Up to `<proceed/>`."""
        self.send(HEADER)
        assert "<starttls" in self.until("</stream:features>")
        self.send(STARTTLS)
        assert self.until(PROCEED) == PROCEED
        assert self.text == ""
        return self

    def secure(self, context: ssl.SSLContext | None = None) -> TlsStream:
        OPEN.remove(self.socket)
        self.socket = (context or trusting()).wrap_socket(self.socket, server_hostname=DOMAIN)
        OPEN.append(self.socket)
        return self

    @classmethod
    def direct(cls, server: Server, context: ssl.SSLContext | None = None) -> TlsStream:
        stream = cls.__new__(cls)
        stream.socket = socket.create_connection((server.host, server.xmpps_port), timeout=10)
        OPEN.append(stream.socket)
        stream.user, stream.text = "1001", ""
        return stream.secure(context)

    @property
    def tls(self) -> ssl.SSLSocket:
        assert isinstance(self.socket, ssl.SSLSocket)
        return self.socket


@pytest.mark.parametrize("plain_in_clear", [False, True])
def test_a_client_changes_to_tls_signs_in_and_gets_its_events(plain_in_clear: bool) -> None:
    with start(tls=True, plain_in_clear=plain_in_clear) as server:
        stream = TlsStream(server, "1001").begin().secure()
        stream.send(HEADER)
        features = stream.until("</stream:features>")
        assert "starttls" not in features
        assert "PLAIN" in features
        stream.send(HEADER)  # not yet signed in: a header inside the stream is an error, as ever
        assert "<not-well-formed" in stream.rest()
        desktop = TlsStream(server, "1001").begin().secure()
        desktop.sign_in()
        server.do(lambda service: service.create_node(NODE))
        server.do(lambda service: service.subscribe(NODE, f"1001@{DOMAIN}"))
        server.publish(NODE, b"<notification>over TLS</notification>")
        assert "over TLS" in desktop.until("</message>")
        desktop.send("</stream:stream>")
        assert desktop.rest().endswith("</stream:stream>")
        assert server.failures == []


def test_what_may_be_offered_before_tls_is_policy() -> None:
    for plain_in_clear in (False, True):
        with start(tls=True, plain_in_clear=plain_in_clear) as server:
            stream = Stream(server)
            stream.send(HEADER)
            features = stream.until("</stream:features>")
            assert ("<required/>" not in features, "PLAIN" in features) == (plain_in_clear, plain_in_clear)


@pytest.mark.parametrize("behind", ["<iq/>", " ", PING, "<" * 20_000, AUTH + HEADER])
def test_data_behind_starttls_ends_the_connection_and_is_never_read(behind: str) -> None:
    log = Recorder()
    with start(tls=True, log=log) as server:
        stream = TlsStream(server, "1001")
        stream.send(HEADER)
        stream.until("</stream:features>")
        stream.send(STARTTLS + behind)
        answer = stream.rest()
        assert "<policy-violation" in answer or "<undefined-condition" in answer
        assert "<success" not in answer
        assert log.only("session_ended")["closed"].ending.code == "stream-refused"
        assert log.names("session_bound", "sign_in_failed") == []


def test_data_in_the_clear_before_the_handshake_breaks_the_handshake() -> None:
    log = Recorder()
    with start(tls=True, log=log) as server:
        stream = TlsStream(server, "1001").begin()
        stream.send(AUTH)
        assert stream.rest() == ""
        while not log.names("session_ended"):
            server.settle()
        closed = log.only("session_ended")["closed"]
        assert closed.ending.code == "tls-failed"
        assert log.names("sign_in_failed", "session_bound") == []
        assert server.failures == []


def test_a_handshake_that_never_comes_has_its_own_short_deadline() -> None:
    log = Recorder()
    with start(tls=True, log=log) as server:
        stream = TlsStream(server, "1001").begin()
        server.pass_time(HANDSHAKE_S + 1)
        assert stream.rest() == ""
        closed = log.only("session_ended")["closed"]
        assert (closed.ending.code, closed.timer_s) == ("tls-failed", HANDSHAKE_S)
        assert server.do(lambda service: service.hub.admission.unauthenticated) == 0


def test_a_client_that_goes_away_amid_the_handshake_is_forgotten() -> None:
    log = Recorder()
    with start(tls=True, log=log) as server:
        stream = TlsStream(server, "1001").begin()
        stream.socket.close()
        while not log.names("session_ended"):
            server.settle()
        assert log.only("session_ended")["closed"].ending.code == "tls-failed"
        assert server.do(lambda service: (len(service.tcp.clients), len(service.tcp.leaving))) == (0, 0)


def test_a_server_that_stops_amid_a_handshake_says_nothing_in_the_clear() -> None:
    server = start(tls=True)
    stream = TlsStream(server, "1001").begin()
    server.stop()
    assert stream.rest() == ""
    assert server.failures == []


def test_what_comes_in_one_packet_with_the_end_of_the_handshake_is_not_lost() -> None:
    with start(tls=True) as server:
        for _ in range(5):
            stream = TlsStream(server, "1001").begin()
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = trusting().wrap_bio(incoming, outgoing, server_hostname=DOMAIN)
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    stream.socket.sendall(outgoing.read())
                    incoming.write(stream.socket.recv(65536))
            tls.write(f"{HEADER}{AUTH}{HEADER}".encode())
            stream.socket.sendall(outgoing.read())
            text = ""
            while "xmpp-bind" not in text:
                incoming.write(stream.socket.recv(65536))
                try:
                    while data := tls.read(65536):
                        text += data.decode()
                except ssl.SSLWantReadError:
                    pass


def test_tls_from_the_first_byte_speaks_xmpp_client_by_alpn_and_offers_no_starttls() -> None:
    with start(tls=True, plain_in_clear=False) as server:
        context = trusting()
        context.set_alpn_protocols(["xmpp-client"])
        stream = TlsStream.direct(server, context)
        assert stream.tls.selected_alpn_protocol() == "xmpp-client"
        assert stream.tls.version() in ("TLSv1.2", "TLSv1.3")
        assert stream.tls.compression() is None
        stream.send(HEADER)
        features = stream.until("</stream:features>")
        assert "starttls" not in features
        assert "PLAIN" in features
        stream.send(STARTTLS)
        assert '<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>' in stream.rest()


def test_the_end_of_a_stream_in_tls_is_an_end_of_tls_too() -> None:
    with start(tls=True) as server:
        stream = TlsStream.direct(server)
        stream.sign_in()
        stream.send("</stream:stream>")
        assert stream.rest().endswith("</stream:stream>")  # recv would raise SSLEOFError without close_notify
        killed = TlsStream.direct(server)
        killed.sign_in()
        server.do(lambda service: service.kill(f"1001@{DOMAIN}/r"))
        assert killed.rest().endswith("</stream:error></stream:stream>")


def test_a_certificate_read_again_is_shown_to_the_next_client_on_both_ports(tmp_path: Path) -> None:
    with start(tls=True) as server:
        before = TlsStream.direct(server)
        now = datetime.datetime.now(datetime.UTC)
        files = certificates.ensure(tmp_path, [DOMAIN], now)
        server.do(lambda _: certificates.load(server.xmpp_tls, files))
        wanted = presented(files)
        assert before.tls.getpeercert(True) != wanted
        assert TlsStream.direct(server).tls.getpeercert(True) == wanted
        assert TlsStream(server, "1001").begin().secure().tls.getpeercert(True) == wanted
        before.sign_in()  # who was there already stays


def test_bad_certificate_files_change_nothing(tmp_path: Path) -> None:
    now = datetime.datetime.now(datetime.UTC)
    one, two = (certificates.ensure(tmp_path / name, [DOMAIN], now) for name in ("one", "two"))
    context = certificates.context(one, "xmpp-client")
    with pytest.raises(certificates.CertificateError):
        certificates.load(context, certificates.Files(two.certificate, one.key, None))
    with start(tls=True) as server:
        server.do(lambda _: certificates.load(server.xmpp_tls, one))
        wanted = presented(one)
        with pytest.raises(certificates.CertificateError):
            server.do(lambda _: certificates.load(server.xmpp_tls, certificates.Files(two.certificate, one.key, None)))
        assert TlsStream.direct(server).tls.getpeercert(True) == wanted


@pytest.mark.parametrize("run", [asyncio.run, run_on_uvloop], ids=["asyncio", "uvloop"])
def test_starttls_works_on_both_event_loops(run: Callable[[Coroutine[Any, Any, None]], None], tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, [DOMAIN], datetime.datetime.now(datetime.UTC))

    def client(port: int) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        with plain:
            plain.sendall((HEADER + STARTTLS).encode())
            text = b""
            while PROCEED.encode() not in text:
                text += plain.recv(65536)
            context = ssl.create_default_context(cafile=str(files.ca))
            with context.wrap_socket(plain, server_hostname=DOMAIN) as tls:
                tls.sendall((HEADER + AUTH + HEADER).encode())
                answer = b""
                while b"xmpp-bind" not in answer:
                    data = tls.recv(65536)
                    assert data, answer
                    answer += data
                assert b"<success" in answer

    async def main() -> None:
        accounts = MemoryAccounts(USERS)
        rules = Rules(frozenset(), accounts.exists, lambda user, node: True)
        clock = LoopClock(asyncio.get_running_loop())
        service = NotificationService(NotificationSettings(DOMAIN), rules, accounts, clock, Recorder())
        context = certificates.context(files, "xmpp-client")
        await service.start([Listen("xmpp", "127.0.0.1", 0, Kind.XMPP, starttls=context)])
        try:
            await asyncio.get_running_loop().run_in_executor(None, client, service.ports["xmpp"])
        finally:
            await service.stop()

    run(main())


def test_a_handshake_that_never_comes_leaves_nothing_behind_on_asyncios_own_loop(tmp_path: Path) -> None:
    files = certificates.ensure(tmp_path, [DOMAIN], datetime.datetime.now(datetime.UTC))

    async def main() -> None:
        loop, clock, log = asyncio.get_running_loop(), ManualClock(), Recorder()
        accounts = MemoryAccounts(USERS)
        rules = Rules(frozenset(), accounts.exists, lambda user, node: True)
        service = NotificationService(NotificationSettings(DOMAIN), rules, accounts, clock, log)
        context = certificates.context(files, "xmpp-client")
        await service.start([Listen("xmpp", "127.0.0.1", 0, Kind.XMPP, starttls=context)])
        reader, writer = await asyncio.open_connection("127.0.0.1", service.ports["xmpp"])
        writer.write((HEADER + STARTTLS).encode())
        await asyncio.wait_for(reader.readuntil(PROCEED.encode()), 10)
        clock.advance(HANDSHAKE_S + 1)
        assert await asyncio.wait_for(reader.read(), 10) == b""
        for _ in range(5):
            turn: asyncio.Future[None] = loop.create_future()
            loop.call_soon(turn.set_result, None)
            await turn
        assert log.only("session_ended")["closed"].ending.code == "tls-failed"
        assert (len(service.tcp.clients), len(service.tcp.leaving)) == (0, 0)
        writer.close()
        await service.stop()

    asyncio.run(main())


class NotingTransport(asyncio.Transport):
    """Notes what it is told, in order; nothing of it can change to TLS."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return "abort" in self.told

    def is_reading(self) -> bool:
        return "pause" not in self.told

    def pause_reading(self) -> None:
        self.told.append("pause")

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.told.append("proceed" if bytes(data) == PROCEED.encode() else "words")

    def abort(self) -> None:
        self.told.append("abort")


def test_reading_stops_before_proceed_is_said(tmp_path: Path) -> None:
    async def main() -> None:
        accounts = MemoryAccounts(USERS)
        rules = Rules(frozenset(), accounts.exists, lambda user, node: True)
        service = NotificationService(NotificationSettings(DOMAIN), rules, accounts, ManualClock(), Recorder())
        files = certificates.ensure(tmp_path, [DOMAIN], datetime.datetime.now(datetime.UTC))
        policy = C2SPolicy(secure=False, starttls=True)
        client = service.tcp.factory(policy, certificates.context(files, "xmpp-client"))()
        transport = NotingTransport()
        client.connection_made(transport)
        client.data_received((HEADER + STARTTLS).encode())
        assert transport.told[-2:] == ["pause", "proceed"]
        await service.hub.stop_tasks()

    asyncio.run(main())

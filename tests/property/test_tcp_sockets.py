"""Clients that break off, spoil or flood the change to TLS at any place: nobody else notices, and all is freed."""

from __future__ import annotations

import random
import socket
import ssl
import struct

import pytest

from poise.server.notification.timing import SIGN_IN_S
from tests.support.server import Server, start
from tests.unit.server.notification.bosh_client import OPEN
from tests.unit.server.notification.recorder import Recorder
from tests.unit.server.notification.test_tcp import HEADER, Stream
from tests.unit.server.notification.test_tcp_tls import AUTH, PING, STARTTLS, trusting

GAMES = 150
RESET = struct.pack("ii", 1, 0)


class Player:
    """One client that does whatever comes to its mind."""

    def __init__(self, server: Server, dice: random.Random) -> None:
        self.dice = dice
        self.direct = dice.random() < 0.3
        port = server.xmpps_port if self.direct else server.tcp_port
        self.socket = socket.create_connection((server.host, port), timeout=10)
        OPEN.append(self.socket)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = trusting().wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def play(self) -> None:
        """A few moves, each of which may be the last."""
        if not self.direct:
            self.send((HEADER + STARTTLS).encode())
        for _ in range(self.dice.randint(0, 5)):
            self.dice.choice((self.garble, self.shake, self.shake, self.talk, self.read))()
        self.dice.choice((self.socket.close, self.reset, self.half_close, lambda: None))()

    def send(self, data: bytes) -> None:
        """In one to three pieces."""
        cuts = sorted(self.dice.randint(0, len(data)) for _ in range(self.dice.randint(0, 2)))
        for start_, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
            try:
                self.socket.sendall(data[start_:end])
            except OSError:
                return

    def garble(self) -> None:
        """Bytes that are no TLS, or a record that promises more."""
        self.send(
            self.dice.choice((self.dice.randbytes(self.dice.randint(1, 300)), b"\x16\x03\x01\x40\x00", AUTH.encode()))
        )

    def shake(self) -> None:
        """Another step of a handshake, perhaps with a byte changed."""
        try:
            self.tls.do_handshake()
        except ssl.SSLError:
            pass
        data = bytearray(self.outgoing.read())
        if data and self.dice.random() < 0.3:
            data[self.dice.randrange(len(data))] ^= 1 << self.dice.randrange(8)
        self.send(bytes(data))
        self.read()

    def talk(self) -> None:
        """XMPP, through TLS if there is any."""
        text = self.dice.choice(
            (HEADER, AUTH, HEADER + AUTH + HEADER, PING, STARTTLS, "</stream:stream>", "<")
        ).encode()
        try:
            self.tls.write(text)
            self.send(self.outgoing.read())
        except ssl.SSLError:
            self.send(text)

    def read(self) -> None:
        """What has come so far."""
        self.socket.settimeout(0.02)
        try:
            self.incoming.write(self.socket.recv(65536))
        except (OSError, ssl.SSLError):
            pass

    def reset(self) -> None:
        """As a process that was killed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.socket.close()

    def half_close(self) -> None:
        """Say that nothing more will come."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass


@pytest.mark.parametrize("seed", range(3))
def test_whatever_clients_do_about_tls_the_others_go_on_and_all_is_freed(seed: int) -> None:
    log = Recorder(debug=False)
    with start(tls=True, log=log) as server:
        good = Stream(server, "1002").sign_in()
        dice = random.Random(seed)
        for number in range(GAMES):
            Player(server, dice).play()
            if number % 25 == 0:
                good.send(f"<iq type='get' id='g{number}'><ping xmlns='urn:xmpp:ping'/></iq>")
                assert 'type="result"' in good.until(f'id="g{number}"') + good.until(">")
        server.pass_time(SIGN_IN_S / 2)
        good.send(" ")
        server.pass_time(SIGN_IN_S / 2 + 1)
        good.send("<iq type='get' id='last'><ping xmlns='urn:xmpp:ping'/></iq>")
        assert 'type="result"' in good.until('id="last"') + good.until(">")
        for connection in OPEN[:]:
            if connection is not good.socket:
                OPEN.remove(connection)
                connection.close()
        while server.do(lambda service: len(service.tcp.clients) + len(service.tcp.leaving)) > 1:
            server.pass_time(1)
            good.send(" ")
        assert server.do(lambda service: service.hub.admission.unauthenticated) == 0
        assert log.names("fault") == []
        assert server.failures == []

"""Packet captures made of stories: TCP segment by segment, and TLS whose keys are known."""

from __future__ import annotations

import ssl
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.unit.diagnosis.evidence_kit import START

CLIENT, SERVER = "10.9.1.7", "10.1.1.1"
SYN, ACK, FIN, RST, PSH = 2, 16, 1, 4, 8


class Capture:
    """One TCP connection in a capture, written as the story goes."""

    def __init__(self, port: int = 7443, client_port: int = 50_000) -> None:
        self.file = BytesIO(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        self.file.seek(0, 2)
        self._ports = (client_port, port)
        self._sequence = {True: 1000, False: 5000}

    def again(self, client_port: int) -> None:
        """A new connection of the same client."""
        self._ports = (client_port, self._ports[1])
        self._sequence = {True: 1000, False: 5000}

    def opened(self, at: float) -> None:
        """Three-way handshake."""
        self.packet(at, SYN, client=True)
        self.packet(at, SYN | ACK, client=False)
        self.packet(at, ACK, client=True)

    def data(self, at: float, data: bytes, *, client: bool, acknowledged: bool = True) -> None:
        """Bytes of one side, and the other's acknowledgement."""
        for start in range(0, len(data), 1400):
            self.packet(at, PSH | ACK, data[start : start + 1400], client=client)
        if acknowledged:
            self.packet(at, ACK, client=not client)

    def again_unheard(self, times: Iterable[float], data: bytes) -> None:
        """The client's last bytes again and again."""
        self._sequence[True] -= len(data)
        for at in times:
            self.packet(at, PSH | ACK, data, client=True)
            self._sequence[True] -= len(data)
        self._sequence[True] += len(data)

    def packet(self, at: float, flags: int, data: bytes = b"", *, client: bool, ttl: int = 64) -> None:
        """One segment."""
        source, target = (CLIENT, SERVER) if client else (SERVER, CLIENT)
        ports = self._ports if client else self._ports[::-1]
        acknowledged = self._sequence[not client] if flags & ACK else 0
        tcp = struct.pack(">HHIIBBHHH", *ports, self._sequence[client], acknowledged, 0x50, flags, 65535, 0, 0)
        addresses = bytes(int(part) for host in (source, target) for part in host.split("."))
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp) + len(data), 0, 0x4000, ttl, 6, 0) + addresses
        frame = b"\2\0\0\0\0\2\2\0\0\0\0\1\x08\0" + ip + tcp + data
        seconds, micros = divmod(round((START + at) * 1_000_000), 1_000_000)
        self.file.write(struct.pack("<IIII", seconds, micros, len(frame), len(frame)) + frame)
        self._sequence[client] += len(data) + bool(flags & (SYN | FIN))

    def bytes(self) -> bytes:
        """The file."""
        return self.file.getvalue()


class Secured:
    """TLS over a capture; the keys go to a file as browsers write them."""

    def __init__(self, capture: Capture, folder: Path, issuer: str = "fin1") -> None:
        self._capture = capture
        self.keys = folder / "keys.log"
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.maximum_version = ssl.TLSVersion.TLSv1_2
        certificate = folder / "fin1.pem"
        certificate.write_bytes(_certificate(issuer))
        server.load_cert_chain(certificate)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.check_hostname = False
        client.verify_mode = ssl.CERT_NONE
        client.keylog_filename = str(self.keys)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._client = client.wrap_bio(self._in, self._out)
        self._server = server.wrap_bio(self._out, self._in, server_side=True)

    def opened(self, at: float) -> None:
        """Both handshakes."""
        self._capture.opened(at)
        done = {True: False, False: False}
        while not all(done.values()):
            for client in (True, False):
                try:
                    (self._client if client else self._server).do_handshake()
                    done[client] = True
                except ssl.SSLWantReadError:
                    pass
                self._carry(at, client=client)

    def say(self, at: float, data: bytes, *, client: bool) -> None:
        """Plain bytes of one side; they are sealed on the way."""
        (self._client if client else self._server).write(data)
        self._carry(at, client=client)
        (self._server if client else self._client).read(len(data) + 1)

    def _carry(self, at: float, *, client: bool) -> None:
        bio = self._out if client else self._in
        data = bio.read()
        if data:
            self._capture.data(at, data, client=client)
            bio.write(data)


def poll(rid: int, sid: str = "aabbccdd") -> bytes:
    """A long poll as a browser sends it."""
    body = f"<body rid='{rid}' sid='{sid}' xmlns='http://jabber.org/protocol/httpbind'/>"
    head = f"POST /http-bind/ HTTP/1.1\r\nHost: fin1:7443\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Content-Type: text/xml\r\n\r\n{body}".encode()


def answer(body: str = "<body xmlns='http://jabber.org/protocol/httpbind'></body>", status: str = "200 OK") -> bytes:
    """Its answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}".encode()


def _certificate(issuer: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("fin1", issuer))
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder(by, name, key.public_key(), 1, begin, begin + timedelta(days=365))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

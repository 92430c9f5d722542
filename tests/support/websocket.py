"""A WebSocket client on a raw socket, its frames made by hand: what is wrong on purpose must be sendable.

`WebSocket` knows RFC 6455 only as far as tests need it; `XmppSocket` speaks RFC 7395 on top. Reads have a time limit.
"""

from __future__ import annotations

import base64
import select
import socket
import struct
import time
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

PATIENCE_S = 10.0
"""Seconds until a read is given up; only a broken server uses them up."""
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The answer to KEY (both are RFC 6455's own example)."""
FRAMING = "urn:ietf:params:xml:ns:xmpp-framing"
STREAM = "http://etherx.jabber.org/streams"
CLIENT = "jabber:client"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
OPEN_SOCKETS: list[socket.socket] = []
"""Whatever a test has opened; a fixture closes it."""


class Silence(AssertionError):  # noqa: N818 - a verdict on the server
    """Nothing came, or the end came, where a frame was due."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as it came."""

    opcode: int
    payload: bytes
    fin: bool = True
    rsv: int = 0
    masked: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to the handshake."""

    status: int
    headers: dict[str, str]
    """Lower-case name -> value; repeated ones joined by a comma."""
    body: bytes


def frame(
    payload: bytes | str = b"",
    opcode: int = TEXT,
    *,
    fin: bool = True,
    rsv: int = 0,
    mask: bytes | None = b"\x01\x02\x03\x04",
    length: int | None = None,
) -> bytes:
    """The bytes of one frame; `mask` None sends it unmasked, `length` lies about its length."""
    data = payload.encode() if isinstance(payload, str) else payload
    size = len(data) if length is None else length
    first, masked = (0x80 if fin else 0) | rsv << 4 | opcode, 0x80 if mask is not None else 0
    if size < 126:
        head = struct.pack("!BB", first, masked | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first, masked | 126, size)
    else:
        head = struct.pack("!BBQ", first, masked | 127, size)
    if mask is None:
        return head + data
    stream = (mask * (len(data) // 4 + 1))[: len(data)]
    return head + mask + (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")


def deflated(message: bytes, level: int = 6) -> bytes:
    """A message as permessage-deflate carries it (RFC 7692 section 7.2.1)."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -15)
    return (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def inflated(payload: bytes) -> bytes:
    """And back."""
    return zlib.decompress(payload + b"\0\0\xff\xff\x03\x00", -15)


def upgrade_request(path: str, **headers: str | None) -> bytes:
    """The bytes of a handshake. Keywords (`_` for `-`) replace the usual headers of that name; None leaves one out."""
    usual: dict[str, str | None] = {
        "Host": "localhost",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": KEY,
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "xmpp",
    }
    names = {name.lower(): name for name in usual}
    for name, value in headers.items():
        name = name.replace("_", "-")
        usual[names.get(name.lower(), name)] = value
    lines = [f"{name}: {value}" for name, value in usual.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


class WebSocket:
    """One connection."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.buffer = b""
        self.patience_s = PATIENCE_S
        """Seconds until a read is given up."""
        OPEN_SOCKETS.append(sock)

    def send(self, data: bytes) -> None:
        """Bytes as they are. A server that has hung up shows when it is read."""
        try:
            self.socket.sendall(data)
        except OSError:
            pass

    def upgrade(self, path: str = "/ws", **headers: str | None) -> Answer:
        """Ask for a WebSocket."""
        self.send(upgrade_request(path, **headers))
        return self.answer()

    def answer(self) -> Answer:
        """The next HTTP answer."""
        while b"\r\n\r\n" not in self.buffer:
            self._more("in the answer to the handshake")
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            name = name.lower()
            headers[name] = f"{headers[name]}, {value.strip()}" if name in headers else value.strip()
        length = int(headers.get("content-length", "0"))
        while len(self.buffer) < length:
            self._more("in the body of an answer")
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return Answer(int(lines[0].split()[1]), headers, body)

    def frame(self, *passed_over: int) -> Frame:
        """The next frame; those of some kinds are passed over, for no longer than any wait."""
        deadline = time.monotonic() + self.patience_s
        while True:
            found = self._take()
            if found is None:
                self._more("where a frame was due", deadline)
            elif found.opcode not in passed_over:
                return found

    def _take(self) -> Frame | None:
        data = self.buffer
        if len(data) < 2:
            return None
        length, start = data[1] & 0x7F, 2
        if length == 126:
            start = 4
            if len(data) < start:
                return None
            length = int.from_bytes(data[2:4], "big")
        elif length == 127:
            start = 10
            if len(data) < start:
                return None
            length = int.from_bytes(data[2:10], "big")
        if len(data) < start + length:
            return None
        self.buffer = data[start + length :]
        first = data[0]
        return Frame(
            first & 0xF, data[start : start + length], bool(first & 0x80), first >> 4 & 7, bool(data[1] & 0x80)
        )

    def message(self) -> bytes:
        """The next whole text message; pings and pongs on the way are passed over."""
        parts: list[bytes] = []
        compressed = False
        while True:
            got = self.frame(PING, PONG)
            assert got.opcode in (TEXT, CONT), f"a message was due, {got} came"
            compressed = compressed or bool(got.rsv & 4)
            parts.append(got.payload)
            if got.fin:
                whole = b"".join(parts)
                return inflated(whole) if compressed else whole

    def close_code(self) -> int | None:
        """The code of the close frame that must come next (None: it has none); it is answered, and the server hangs
        up."""
        got = self.frame(PING, PONG)
        assert got.opcode == CLOSE, f"a close frame was due, {got} came"
        self.send(frame(got.payload[:2], CLOSE))
        assert self.rest() == b""
        return int.from_bytes(got.payload[:2], "big") if got.payload else None

    def rest(self) -> bytes:
        """Everything until the server hangs up."""
        while True:
            try:
                self._more("")
            except Silence as why:
                if "closed" not in str(why):
                    raise
                rest, self.buffer = self.buffer, b""
                return rest

    def silent(self) -> bool:
        """Whether nothing has come; only meaningful once the server has settled."""
        readable, _, _ = select.select([self.socket], [], [], 0)
        return not self.buffer and not readable

    def kill(self) -> None:
        """Break the connection, as a lost network does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _more(self, where: str, deadline: float | None = None) -> None:
        left = self.patience_s if deadline is None else deadline - time.monotonic()
        self.socket.settimeout(max(0.01, left))
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            raise Silence(f"silence {where}; so far {self.buffer[:80]!r}") from None
        except OSError as error:
            raise Silence(f"closed {where}: {error}") from None
        if not data:
            raise Silence(f"closed {where}; so far {self.buffer[:80]!r}")
        self.buffer += data


class XmppSocket(WebSocket):
    """XMPP on it."""

    def __init__(self, sock: socket.socket, domain: str = "localhost") -> None:
        super().__init__(sock)
        self.domain = domain
        self.jid = ""

    def say(self, *messages: str) -> None:
        """Send text messages, each in a frame."""
        self.send(b"".join(frame(message) for message in messages))

    def hear(self) -> ET.Element:
        """The next message, which must be one whole XML element by itself."""
        data = self.message()
        assert data[:1] == b"<", data
        try:
            return ET.fromstring(data)
        except ET.ParseError as error:
            raise AssertionError(f"no whole element ({error}): {data!r}") from None

    def until(self, tag: str, **attributes: str) -> ET.Element:
        """The next element of that Clark name with these attributes; others are passed over."""
        while True:
            element = self.hear()
            if element.tag == tag and all(element.get(name) == value for name, value in attributes.items()):
                return element

    def open(self, **attributes: str | None) -> ET.Element:
        """Send `<open/>` and take the server's, leaving what follows it."""
        self.say(opening(**({"to": self.domain} | attributes)))
        got = self.hear()
        assert got.tag == f"{{{FRAMING}}}open", ET.tostring(got)
        return got

    def features(self) -> ET.Element:
        """The features, which must come next."""
        got = self.hear()
        assert got.tag == f"{{{STREAM}}}features", ET.tostring(got)
        return got

    def authenticate(self, user: str, password: str | None = None, authzid: str = "") -> None:
        """From `<open/>` to the features after sign-in."""
        self.open()
        self.features()
        self.say(plain(user, password, authzid))
        self.until(f"{{{SASL}}}success")
        self.open()
        self.features()

    def sign_in(self, user: str = "1001", resource: str = "desk", *, presence: bool = False) -> XmppSocket:
        """From `<open/>` to a bound resource; with `presence`, until its own has come back."""
        self.authenticate(user)
        self.say(bind(resource))
        result = self.until(f"{{{CLIENT}}}iq", id="bind1")
        self.jid = result.findtext(f"{{{BIND}}}bind/{{{BIND}}}jid") or ""
        assert self.jid, ET.tostring(result)
        if presence:
            self.say(f"<presence xmlns='{CLIENT}'/>")
            self.until(f"{{{CLIENT}}}presence", **{"from": self.jid})
        return self


def opening(**attributes: str | None) -> str:
    """`<open/>`; None leaves an attribute out, `xml_lang` is xml:lang."""
    usual: dict[str, str | None] = {"xmlns": FRAMING, "to": "localhost", "version": "1.0"}
    pairs: Iterable[tuple[str, str | None]] = (usual | attributes).items()
    words = "".join(f" {name.replace('_', ':')}='{value}'" for name, value in pairs if value is not None)
    return f"<open{words}/>"


def plain(user: str, password: str | None = None, authzid: str = "") -> str:
    """`<auth/>` for SASL PLAIN; the password equals the name unless given."""
    secret = f"{authzid}\0{user}\0{user if password is None else password}"
    return f"<auth xmlns='{SASL}' mechanism='PLAIN'>{base64.b64encode(secret.encode()).decode()}</auth>"


def bind(resource: str) -> str:
    """The bind request, with id bind1."""
    return (
        f"<iq xmlns='{CLIENT}' type='set' id='bind1'><bind xmlns='{BIND}'><resource>{resource}</resource></bind></iq>"
    )


GOODBYE = f"<close xmlns='{FRAMING}'/>"
PING_IQ = f"<iq xmlns='{CLIENT}' type='get' id='ping1'><ping xmlns='urn:xmpp:ping'/></iq>"

"""A client that does nothing by itself: raw bytes out, elements of the server's stream in, its end with the reason."""

from __future__ import annotations

import base64
import re
import select
import socket
import ssl
import struct
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from tests.conformance.targets import DOMAIN, Server, client_tls
from tests.conformance.wire import ANSWER_S, NoAnswer

CLIENT = "jabber:client"
STREAM = "http://etherx.jabber.org/streams"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
TLS = "urn:ietf:params:xml:ns:xmpp-tls"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
FEATURES = f"{{{STREAM}}}features"
IQ, MESSAGE, PRESENCE = (f"{{{CLIENT}}}{name}" for name in ("iq", "message", "presence"))
STARTTLS = f"<starttls xmlns='{TLS}'/>"
END = "</stream:stream>"

OPEN: list[Stream] = []
"""Connections of the running test; a fixture closes what the test left open."""
_ERROR = re.compile(rb"<stream:error[^>]*>.*?<([a-z-]+)[^>]* xmlns=['\"]urn:ietf:params:xml:ns:xmpp-streams['\"]", re.S)


def header(to: str | None = DOMAIN, version: str | None = "1.0", **attributes: str) -> str:
    """H(...): the checklist's defaults; None leaves one out. `xml_lang` is xml:lang, `from_` is from."""
    wanted: dict[str, str | None] = {"to": to, "version": version, "xmlns": CLIENT, "xmlns_stream": STREAM}
    wanted |= attributes
    text = "".join(
        f" {name.rstrip('_').replace('_', ':', 1)}='{value}'" for name, value in wanted.items() if value is not None
    )
    return f"<stream:stream{text}>"


def plain(user: str, password: str | None = None, authzid: str = "") -> str:
    """`<auth/>` for SASL PLAIN."""
    return sasl("auth", f"{authzid}\0{user}\0{user if password is None else password}".encode(), mechanism="PLAIN")


def sasl(name: str, data: bytes | str = b"", **attributes: str) -> str:
    """A SASL element; `data` as text is sent as it stands."""
    text = data if isinstance(data, str) else base64.b64encode(data).decode()
    more = "".join(f" {key}='{value}'" for key, value in attributes.items())
    return f"<{name} xmlns='{SASL}'{more}>{text}</{name}>"


def bind(resource: str | None = "desk", id_: str = "bind1") -> str:
    """The bind request; `resource` unescaped."""
    inner = "" if resource is None else f"<resource>{resource}</resource>"
    return f"<iq type='set' id='{id_}'><bind xmlns='{BIND}'>{inner}</bind></iq>"


def ping(id_: str, **attributes: str) -> str:
    """A request that everybody answers."""
    more = "".join(f" {key.rstrip('_')}='{value}'" for key, value in attributes.items())
    return f"<iq type='get' id='{id_}'{more}><ping xmlns='urn:xmpp:ping'/></iq>"


class Stream:
    """One connection."""

    def __init__(self, server: Server, port: int | None = None) -> None:
        self.server = server
        self.socket: socket.socket = socket.create_connection((server.host, port or server.tcp_port), timeout=ANSWER_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.raw = b""
        """Everything since the last header was sent."""
        self.header: dict[str, str] = {}
        """Attributes of the server's last header."""
        self.jid = ""
        self.ended = False
        """Whether the server has said its end tag."""
        self._heard: list[ET.Element] = []
        self._fresh()
        OPEN.append(self)

    # -- out -----------------------------------------------------------------------------------------------------------

    def say(self, text: str | bytes) -> None:
        """Bytes as they are. A server that has hung up shows when the answer is read."""
        try:
            self.socket.sendall(text.encode() if isinstance(text, str) else text)
        except OSError:
            pass

    def open(self, head: str | bytes | None = None) -> Stream:
        """Send a header and take the server's."""
        self._fresh()
        self.say(header() if head is None else head)
        self._wait(lambda: bool(self.header), "no header")
        return self

    def features(self) -> ET.Element:
        """Send the usual header; the features that follow."""
        return self.open().hear(FEATURES)

    def secure(self) -> Stream:
        """STARTTLS up to the end of the handshake."""
        self.say(STARTTLS)
        self.hear(f"{{{TLS}}}proceed")
        return self.handshake()

    def handshake(self, context: ssl.SSLContext | None = None) -> Stream:
        """TLS on this connection."""
        self.socket = (context or client_tls()).wrap_socket(self.socket, server_hostname=DOMAIN)
        return self

    def authenticate(self, user: str = "1001") -> Stream:
        """Up to the features after sign-in."""
        if not self.header:
            self.features()
        self.say(plain(user))
        self.hear(f"{{{SASL}}}success")
        self.features()
        return self

    def sign_in(self, user: str = "1001", resource: str = "desk") -> Stream:
        """From nothing to a bound resource (without presence)."""
        self.authenticate(user)
        self.say(bind(resource))
        jid = self.hear(IQ).find(f"{{{BIND}}}bind/{{{BIND}}}jid")
        assert jid is not None
        assert jid.text
        self.jid = jid.text
        return self

    def come(self) -> Stream:
        """Initial presence, seen back."""
        self.say("<presence/>")
        self.hear(PRESENCE, from_=self.jid)
        return self

    # -- in ------------------------------------------------------------------------------------------------------------

    def hear(self, tag: str, timeout: float = ANSWER_S, **attributes: str) -> ET.Element:
        """The next element of that Clark name and these attributes (`from_`, `id_`, `type_`); others are kept."""
        found: list[ET.Element] = []

        def there() -> bool:
            for element in self._heard:
                if element.tag == tag and all(element.get(k.rstrip("_")) == v for k, v in attributes.items()):
                    self._heard.remove(element)
                    found.append(element)
                    return True
            return False

        self._wait(there, f"no {tag} {attributes}", timeout)
        return found[0]

    def answer(self, id_: str) -> ET.Element:
        """The iq answer with that id."""
        return self.hear(IQ, id_=id_)

    def failure(self) -> str:
        """Condition of the next SASL failure."""
        return next(iter(self.hear(f"{{{SASL}}}failure"))).tag.partition("}")[2]

    def alive(self) -> bool:
        """Whether the server still answers on this signed-in stream."""
        self.say(ping("alive"))
        try:
            return self.answer("alive").get("type") in ("result", "error")
        except NoAnswer:
            return False

    def rest(self, timeout: float = ANSWER_S) -> bytes:
        """All bytes since the last header was sent, until the server closes."""
        deadline = time.monotonic() + timeout
        while self._read(deadline - time.monotonic()):
            pass
        return self.raw

    def refused(self, timeout: float = ANSWER_S) -> str:
        """The condition of the stream error with which the server ends the stream and closes."""
        data = self.rest(timeout)
        found = _ERROR.search(data)
        assert found is not None, f"closed without a stream error: {data!r}"
        assert data.endswith(END.encode()), data
        assert b"<stream:stream" in data or self.header, data
        return found[1].decode()

    def overheard(self) -> list[ET.Element]:
        """Everything not yet asked for, once the server has worked off what was sent."""
        self.server.settle()
        while select.select([self.socket], [], [], 0)[0] and self._read(ANSWER_S):
            pass
        heard, self._heard = self._heard, []
        return heard

    def await_some(self) -> list[ET.Element]:
        """Everything not yet asked for, at least one element."""
        self._wait(lambda: bool(self._heard), "nothing")
        heard, self._heard = self._heard, []
        return heard

    def close(self) -> None:
        """Close in good order."""
        self.socket.close()

    def kill(self) -> None:
        """Break the connection, as a killed process or a lost network does (RST)."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _fresh(self) -> None:
        self._parser: ET.XMLPullParser[Any] = ET.XMLPullParser(("start", "end"))
        self._depth = 0
        self._root: ET.Element | None = None
        self.header = {}
        self.raw = b""

    def _wait(self, there: Callable[[], bool], what: str, timeout: float = ANSWER_S) -> None:
        deadline = time.monotonic() + timeout
        while not there():
            if not self._read(deadline - time.monotonic()):
                raise NoAnswer(f"{what}: closed after {self.raw[-300:]!r}")

    def _read(self, timeout: float) -> bool:
        self.socket.settimeout(max(0.01, timeout))
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            raise NoAnswer(f"silence after {self.raw[-300:]!r}") from None
        except OSError:
            return False
        self.raw += data
        try:
            self._parser.feed(data)
            for event in self._parser.read_events():
                self._see(*event)
        except ET.ParseError as error:
            raise AssertionError(f"the server's stream is no XML ({error}): {self.raw[-300:]!r}") from None
        return bool(data)

    def _see(self, kind: Any, element: Any = None) -> None:
        if kind == "start":
            self._depth += 1
            if self._depth == 1:
                self._root = element
                self.header = dict(element.attrib)
            return
        self._depth -= 1
        if self._depth == 0:
            self.ended = True
        elif self._depth == 1:
            assert self._root is not None
            self._root.remove(element)
            self._heard.append(element)


def stanza_error(element: ET.Element) -> str:
    """The condition of an error answer."""
    assert element.get("type") == "error", ET.tostring(element)
    for error in element:
        if error.tag.partition("}")[2] == "error":
            for condition in error:
                if condition.tag.startswith(f"{{{STANZAS}}}") and not condition.tag.endswith("}text"):
                    return condition.tag.partition("}")[2]
    raise AssertionError(f"no condition in {ET.tostring(element)!r}")

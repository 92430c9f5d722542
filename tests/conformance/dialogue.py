"""The checklist's notation as Python: C (creation), B (request n), T (terminate), EMPTY, PING, login().

`Session` is a client that does nothing by itself: a test says which request goes out when, on which connection.
`Contact` is the other party, over plain TCP, so that it has no BOSH timers of its own.
"""

from __future__ import annotations

import base64
import itertools
import select
import xml.etree.ElementTree as ET
from typing import Any

from tests.conformance.targets import DOMAIN, Server, client_tls
from tests.conformance.wire import ANSWER_S, HTTPBIND, Headers, NoAnswer, Reply, Wire

BODY = f"{{{HTTPBIND}}}body"
CLIENT = "jabber:client"
STREAM = "http://etherx.jabber.org/streams"
STREAM_ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "urn:ietf:params:xml:ns:xmpp-bind"
XBOSH = "urn:xmpp:xbosh"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

PING = "<iq type='get' id='ping1' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"
"""To the own account; every server answers it."""
QUIET = "<message to='1006@localhost' type='headline' xmlns='jabber:client'><body>x</body></message>"
"""A stanza that nobody answers: a headline to an account without a session."""

Attribute = str | int | None
_rids = itertools.count(1_000_001, 1_000)


def message(to: str, text: str, **attributes: str) -> str:
    """A chat message that carries `text`, already escaped."""
    more = _attributes(attributes)
    return f"<message to='{to}' type='chat'{more} xmlns='jabber:client'><body>{text}</body></message>"


def plain(user: str, password: str | None = None, authzid: str = "") -> str:
    """`<auth/>` for SASL PLAIN."""
    token = base64.b64encode(f"{authzid}\0{user}\0{user if password is None else password}".encode()).decode()
    return f"<auth xmlns='{SASL}' mechanism='PLAIN'>{token}</auth>"


def bind(resource: str) -> str:
    """The bind request."""
    return (
        f"<iq type='set' id='bind1' xmlns='jabber:client'><bind xmlns='{BIND}'>"
        f"<resource>{resource}</resource></bind></iq>"
    )


def _attributes(values: dict[str, Attribute] | dict[str, str]) -> str:
    """` name='value'` pairs, unescaped: bad values are the point. `xml_lang` is xml:lang, `from_` is from."""

    def name(key: str) -> str:
        for prefix in ("xml", "xmpp"):
            if key.startswith(prefix + "_"):
                return f"{prefix}:{key[len(prefix) + 1 :]}"
        return key.rstrip("_")

    return "".join(f" {name(key)}='{value}'" for key, value in values.items() if value is not None)


def wrap(*payload: str, **attributes: Attribute) -> bytes:
    """One `<body/>` with these attributes and children."""
    inner = "".join(payload)
    start = f"<body xmlns='{HTTPBIND}'{_attributes(attributes)}"
    return (f"{start}>{inner}</body>" if inner else f"{start}/>").encode()


class Pending:
    """A request that has been sent and may be held."""

    def __init__(self, server: Server, wire: Wire, session: Session) -> None:
        self._server = server
        self._open = session.open
        self._open.append(self)
        self.wire = wire

    def held(self) -> bool:
        """Whether the server, having seen the request, keeps it unanswered."""
        self._server.settle()
        return self.wire.silent(0)

    def reply(self, timeout: float = ANSWER_S) -> Reply:
        """The answer, which must be due within so many seconds of the server's time."""
        try:
            return self.wire.reply(timeout if self._server.real_time else ANSWER_S)
        finally:
            self._open.remove(self)
            self.wire.close()

    def kill(self) -> None:
        """Break the connection under the request."""
        self._open.remove(self)
        self.wire.kill()


class Session:
    """One BOSH session as the client sees it. `base` is the rid of the last request done; B(n) has rid base+n."""

    def __init__(self, server: Server, *, tls: bool = False, rid: int | None = None) -> None:
        self.server = server
        self.tls = tls
        self.base = next(_rids) if rid is None else rid
        self.sid: str | None = None
        self.jid = ""
        self.user = ""
        self.lang: Attribute = "en"
        self.open: list[Pending] = []

    def connect(self) -> Wire:
        """A new connection to the endpoint's listener."""
        server = self.server
        return Wire(server.host, server.tls_port, client_tls()) if self.tls else Wire(server.host, server.port)

    def C(self, *payload: str, **attributes: Attribute) -> bytes:
        """A creation request; attributes replace the checklist's defaults, None leaves one out."""
        usual: dict[str, Attribute] = {"to": DOMAIN, "rid": self.base, "ver": "1.11", "wait": 4, "hold": 1}
        usual |= {"xml_lang": "en", "xmpp_version": "1.0", "xmlns_xmpp": None}
        merged = usual | attributes
        merged.pop("xmlns_xmpp")
        return wrap(*payload, **merged).replace(b"<body ", b"<body xmlns:xmpp='urn:xmpp:xbosh' ", 1)

    def B(self, n: int, *payload: str, **attributes: Attribute) -> bytes:
        """Request n after the last one that is done."""
        body = wrap(*payload, **({"rid": self.base + n, "sid": self.sid} | attributes))
        return body.replace(b"<body ", b"<body xmlns:xmpp='urn:xmpp:xbosh' ", 1) if b" xmpp:" in body else body

    def send(self, body: bytes, headers: Headers = (), path: str | None = None) -> Pending:
        """Post any bytes on a new connection."""
        wire = self.connect()
        wire.post(body, path or self.server.path, headers)
        return Pending(self.server, wire, self)

    def post(self, body: bytes, headers: Headers = (), path: str | None = None) -> Reply:
        """Post any bytes and take the answer, which must be due."""
        return self.send(body, headers, path).reply()

    def ask(self, n: int, *payload: str, **attributes: Attribute) -> Pending:
        """Send B(n, ...)."""
        return self.send(self.B(n, *payload, **attributes))

    def create(self, *payload: str, **attributes: Attribute) -> Reply:
        """C(...) that must give a session."""
        self.lang = attributes.get("xml_lang", self.lang)
        reply = self.post(self.C(*payload, **attributes))
        self.sid = reply.sid
        return reply

    def next(self, *payload: str, **attributes: Attribute) -> Reply:
        """The next request in order, whose answer must be due; moves `base` on."""
        reply = self.ask(1, *payload, **attributes).reply()
        self.base += 1
        return reply

    def until(self, tag: str, *payload: str, **attributes: Attribute) -> ET.Element:
        """Send a payload and poll until a child with that Clark name has come."""
        reply = self.next(*payload, **attributes)
        for _ in range(4):
            for stanza in reply.stanzas:
                if stanza.tag == tag:
                    return stanza
            assert reply.root.get("type") is None, f"wanted {tag}, got {reply.body!r}"
            reply = self.next()
        raise NoAnswer(f"no {tag} in four answers")

    def authenticate(self, user: str = "1001") -> None:
        """SASL PLAIN and the stream restart."""
        self.user = user
        self.until(f"{{{SASL}}}success", plain(user))
        self.until(f"{{{STREAM}}}features", xmpp_restart="true", to=DOMAIN, xml_lang=self.lang)

    def sign_in(self, user: str = "1001", resource: str = "desk", **creation: Attribute) -> Session:
        """From nothing to a bound resource (without presence)."""
        if self.sid is None:
            self.create(**creation)
        self.authenticate(user)
        result = self.until(f"{{{CLIENT}}}iq", bind(resource))
        jid = result.find(f"{{{BIND}}}bind/{{{BIND}}}jid")
        assert jid is not None, ET.tostring(result)
        assert jid.text
        self.jid = jid.text
        return self

    @property
    def bare(self) -> str:
        """The account's JID."""
        return self.jid.partition("/")[0]


def login(server: Server, user: str = "1001", resource: str = "desk", **creation: Attribute) -> Session:
    """C, SASL PLAIN, restart, bind."""
    return Session(server).sign_in(user, resource, **creation)


class Contact:
    """Somebody else, signed in over TCP, who sends and sees stanzas."""

    def __init__(self, server: Server, user: str = "1002", resource: str = "contact") -> None:
        self._wire = Wire(server.host, server.tcp_port)
        self._seen: list[ET.Element] = []
        self._open()
        self.hear(f"{{{STREAM}}}features")
        self.say(plain(user))
        self.hear(f"{{{SASL}}}success")
        self._open()
        self.hear(f"{{{STREAM}}}features")
        self.say(bind(resource))
        self.hear(f"{{{CLIENT}}}iq")
        self.jid = f"{user}@{DOMAIN}/{resource}"

    def _open(self) -> None:
        self._parser: Any = ET.XMLPullParser(("start", "end"))
        self._depth = 0
        header = f"<?xml version='1.0'?><stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' "
        self._wire.write(f"{header}xmlns:stream='{STREAM}'>".encode())

    def say(self, stanza: str) -> None:
        """Send."""
        self._wire.write(stanza.encode())

    def greet(self, session: Session) -> None:
        """See a session of the same account become available, and let it see both."""
        seen = {p.get("from") for p in session.next("<presence/>").stanzas}
        for _ in range(4):
            if seen >= {session.jid, self.jid}:
                break
            seen |= {p.get("from") for p in session.next().stanzas}
        self.hear(f"{{{CLIENT}}}presence", from_=session.jid)

    def come(self) -> Contact:
        """Send initial presence and wait for its own copy, so that it is surely known."""
        self.say("<presence/>")
        self.hear(f"{{{CLIENT}}}presence", from_=self.jid)
        return self

    def hear(
        self, tag: str, timeout: float = ANSWER_S, *, from_: str | None = None, type_: str | None = None
    ) -> ET.Element:
        """The next stanza of that Clark name (and sender, and type); others are kept for later."""
        while True:
            for stanza in self._seen:
                if stanza.tag == tag and from_ in (None, stanza.get("from")) and type_ in (None, stanza.get("type")):
                    self._seen.remove(stanza)
                    return stanza
            self._read(timeout)

    def overheard(self, server: Server) -> list[ET.Element]:
        """All stanzas not yet asked for, once the server has surely delivered what it had to."""
        server.settle()
        while not self._wire.silent(0):
            self._read(ANSWER_S)
        seen, self._seen = self._seen, []
        return seen

    def _read(self, timeout: float) -> None:
        self._wire.socket.settimeout(timeout)
        try:
            data = self._wire.socket.recv(65536)
        except TimeoutError:
            raise NoAnswer("the contact waited in vain") from None
        if not data:
            raise NoAnswer("the contact's stream was closed")
        self._parser.feed(data)
        for kind, element in self._parser.read_events():
            self._depth += 1 if kind == "start" else -1
            if kind == "end" and self._depth == 1:
                self._seen.append(element)

    def close(self) -> None:
        """Hang up."""
        self._wire.close()


def check_terminated(reply: Reply, *conditions: str | None) -> None:
    """T(cond): HTTP 200 and `<body type='terminate'/>`, with one of these conditions (None: without)."""
    assert reply.status == 200, reply
    root = reply.root
    assert root.tag == BODY, reply.body
    assert root.get("type") == "terminate", reply.body
    assert root.get("condition") in (conditions or (None,)), reply.body


def check_stream_error(reply: Reply, *conditions: str) -> None:
    """T(remote-stream-error) with a `<stream:error/>` of one of these conditions."""
    check_terminated(reply, "remote-stream-error")
    errors = [stanza for stanza in reply.stanzas if stanza.tag == f"{{{STREAM}}}error"]
    assert errors, reply.body
    assert {f"{{{STREAM_ERRORS}}}{name}" for name in conditions} & {child.tag for child in errors[0]}, reply.body


def check_empty(reply: Reply) -> None:
    """EMPTY: HTTP 200, `<body/>` without children, type and condition."""
    assert reply.status == 200, reply
    root = reply.root
    assert root.tag == BODY, reply.body
    assert len(root) == 0, reply.body
    assert root.get("type") is None, reply.body


def check_session_lives(session: Session, n: int = 1) -> None:
    """The session answers a ping sent with request n, on whichever of its open requests."""
    session.ask(n, PING)
    seen: list[bytes] = []
    while session.open:
        ready = select.select([pending.wire.socket for pending in session.open], [], [], ANSWER_S)[0]
        assert ready, f"no answer to a ping; before: {seen}"
        for pending in [pending for pending in session.open if pending.wire.socket in ready]:
            try:
                reply = pending.reply()
            except NoAnswer:
                continue
            seen.append(reply.body)
            if any(stanza.get("id") == "ping1" for stanza in reply.stanzas):
                return
    raise NoAnswer(f"a ping was answered with {seen}")


def texts(reply: Reply) -> list[str]:
    """The texts of the messages in an answer, in order."""
    return [m.findtext(f"{{{CLIENT}}}body", "") for m in reply.stanzas if m.tag == f"{{{CLIENT}}}message"]

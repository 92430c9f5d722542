"""The client's streams against the server's, both without sockets: whatever the packets, the order of answers and the
connections that break, a sign-in comes to its end and every stanza arrives once, in order, in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from poise.protocols.xmpp.bosh import Answer, BoshPolicy, BoshSession, Effect, Payload, Restart, parse_body
from poise.protocols.xmpp.bosh import Ended as SessionEnded
from poise.protocols.xmpp.c2s import (
    C2S,
    Bind,
    C2SPolicy,
    CheckPassword,
    CheckProof,
    FindVerifier,
    Send,
    Stanza,
    StartTls,
    StreamError,
)
from poise.protocols.xmpp.client.bosh import BoshClientStream
from poise.protocols.xmpp.client.outputs import Account, Ended, Failure, Frame, Kind, Output, Post, Secure, Terms, Write
from poise.protocols.xmpp.client.tcp import TcpClientStream
from poise.protocols.xmpp.client.websocket import WebSocketClientStream
from poise.protocols.xmpp.framing import FramedStream
from poise.protocols.xmpp.scram import derive
from poise.protocols.xmpp.stream import Finished, TcpStream
from poise.protocols.xmpp.xml import Element, escape, to_bytes, xml_safe

NOW = 1000.0
JID = "1001@localhost/desktop"
FIRST_RID = 77
PASSWORD = "pass, w=ört"
TEXTS = st.lists(st.text(max_size=30), max_size=6)
MECHANISMS = st.sampled_from([("SCRAM-SHA-256",), ("SCRAM-SHA-1",), ("PLAIN",), ("SCRAM-SHA-256", "PLAIN")])


def account(password: str = PASSWORD) -> Account:
    return Account("1001", "localhost", password, "desktop")


def message(text: str, number: int) -> bytes:
    return f'<message xmlns="jabber:client" id="{number}"><body>{escape(text)}</body></message>'.encode()


class Peer:
    """The server above its stream: who may come in, and what he sent."""

    def __init__(self) -> None:
        self.heard: list[Element] = []

    def answer(self, asked: object, stream: TcpStream | FramedStream) -> Sequence[object]:
        """What comes of the answer to a question of the stream."""
        if isinstance(asked, CheckPassword):
            return stream.password_checked(asked.password == PASSWORD, NOW)
        if isinstance(asked, FindVerifier):
            verifier = derive(PASSWORD, asked.digest, b"salt", 50)
            return stream.verifier_found(verifier, "nonce-of-the-server", NOW)
        if isinstance(asked, CheckProof):
            return stream.password_checked(asked.proven, NOW)
        if isinstance(asked, Bind):
            return stream.bound(f"1001@localhost/{asked.resource}", NOW)
        if isinstance(asked, Stanza):
            self.heard.append(asked.element)
        return ()

    @property
    def texts(self) -> list[str]:
        """Bodies of the messages that came."""
        return [body.text for element in self.heard if (body := element.child("body")) is not None]


def texts_of(outputs: Sequence[Output]) -> list[str]:
    """Bodies of the messages that the client heard."""
    elements = [
        frame.element
        for frame in outputs
        if isinstance(frame, Frame) and not frame.outgoing and frame.kind is Kind.STANZA and frame.element is not None
    ]
    return [body.text for element in elements if (body := element.child("body")) is not None]


def clean(texts: Sequence[str]) -> list[str]:
    """As they come out of XML: what it forbids replaced."""
    return [xml_safe(text) for text in texts]


# ---- streams over one connection


class Line:
    """Client and server on one connection; `cut` says how the bytes are cut into packets."""

    def __init__(self, client: TcpClientStream | WebSocketClientStream, policy: C2SPolicy, cut: Sequence[int]) -> None:
        numbers = count(1)
        core = C2S("localhost", policy)
        self.client = client
        self.server: TcpStream | FramedStream = (
            TcpStream(core, lambda: f"s{next(numbers)}")
            if isinstance(client, TcpClientStream)
            else FramedStream(core, lambda: f"s{next(numbers)}")
        )
        self.peer = Peer()
        self.told: list[Output] = []
        self._cut = list(cut)
        self._do(client.open())

    def _packets(self, data: bytes) -> list[bytes]:
        if isinstance(self.client, WebSocketClientStream) or not self._cut:
            return [data]
        packets = []
        while data:
            size = self._cut[len(data) % len(self._cut)]
            packets.append(data[:size])
            data = data[size:]
        return packets

    def _do(self, outputs: Sequence[Output]) -> None:
        """Carry out what the client asks for, and all that comes of it."""
        self.told += outputs
        for output in outputs:
            if isinstance(output, Write):
                for packet in self._packets(output.data):
                    self._serve(self.server.receive(packet, NOW))
            elif isinstance(output, Secure):
                self._do(self.client.secured() if isinstance(self.client, TcpClientStream) else [])

    def _serve(self, outputs: Sequence[object]) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self.say(output.data)
            elif isinstance(output, StartTls):
                assert isinstance(self.server, TcpStream)
                self.server.secured()
                self.say(output.proceed)
            elif not isinstance(output, Finished):
                self._serve(self.peer.answer(output, self.server))

    def say(self, data: bytes) -> None:
        """Bytes of the server."""
        for packet in self._packets(data):
            self._do(self.client.receive(packet))

    def send(self, stanza: bytes) -> None:
        """A stanza of the client."""
        self._do(self.client.send(stanza))


def line(over: str, mechanisms: tuple[str, ...], cut: Sequence[int], password: str = PASSWORD) -> Line:
    secure = over != "starttls"
    terms = Terms(secure=secure, can_secure=not secure, mechanisms=mechanisms)
    policy = C2SPolicy(secure=secure, starttls=not secure, scram=True)
    kind = WebSocketClientStream if over == "websocket" else TcpClientStream
    return Line(kind(account(password), terms, "nonce-of-the-client"), policy, cut)


@pytest.mark.parametrize("over", ["tls", "starttls", "websocket"])
@settings(max_examples=60, deadline=None)
@given(mechanisms=MECHANISMS, cut=st.lists(st.integers(1, 50), max_size=4), up=TEXTS, down=TEXTS)
def test_a_sign_in_succeeds_and_stanzas_go_both_ways(
    over: str, mechanisms: tuple[str, ...], cut: list[int], up: list[str], down: list[str]
) -> None:
    both = line(over, mechanisms, cut)
    assert both.client.ready
    assert both.client.jid == JID
    for number, text in enumerate(up):
        both.send(message(text, number))
    for number, text in enumerate(down):
        both.say(message(text, number))
    assert both.peer.texts == clean(up)
    assert texts_of(both.told) == clean(down)
    raws = [frame.raw for frame in both.told if isinstance(frame, Frame) and not frame.outgoing]
    assert raws[len(raws) - len(down) :] == [message(text, number) for number, text in enumerate(down)]


@pytest.mark.parametrize("over", ["tls", "starttls", "websocket"])
@settings(max_examples=20, deadline=None)
@given(mechanisms=MECHANISMS, wrong=st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20))
def test_a_wrong_password_is_told_as_one(over: str, mechanisms: tuple[str, ...], wrong: str) -> None:
    both = line(over, mechanisms, [], wrong)
    [end] = [output for output in both.told if isinstance(output, Ended)]
    assert end.failure is Failure.PASSWORD


# ---- BOSH


class Web:
    """Client and server over HTTP: requests and answers arrive in any order, and some answers never do."""

    def __init__(self, draw: st.DataObject) -> None:
        self.client = BoshClientStream(account(), Terms(secure=True), "nonce", FIRST_RID)
        self.core = C2S("localhost", C2SPolicy(secure=True))
        self.session: BoshSession | None = None
        self.peer = Peer()
        self.told: list[Output] = []
        self.over = False
        self._draw = draw
        self._channels = count(1)
        self._losses = 4
        self._lost: set[int] = set()
        self._posted: list[Post] = []
        self._rids: dict[int, int] = {}
        self._answers: list[Answer] = []
        self.do(self.client.open())

    def do(self, outputs: Sequence[Output]) -> None:
        """What the client asks for."""
        self.told += outputs
        self._posted += [output for output in outputs if isinstance(output, Post)]

    def settle(self) -> None:
        """Until nothing is under way but what is held."""
        while self._posted or self._answers:
            choice = self._draw.draw(st.integers(0, len(self._posted) + len(self._answers) - 1))
            if choice < len(self._posted):
                self._arrive(self._posted.pop(choice))
            else:
                self._come_back(self._answers.pop(choice - len(self._posted)))

    def _arrive(self, post: Post) -> None:
        channel = next(self._channels)
        self._rids[channel] = post.rid
        body = parse_body(post.data)
        if self.session is None:
            self.session, effects = BoshSession.create(
                body,
                sid="sid",
                stream_id="s",
                domain="localhost",
                secure=True,
                policy=BoshPolicy(),
                now=NOW,
                channel=channel,
                features=self.core.features(),
            )
            self.effects(effects)
        else:
            self.effects(self.session.request(body, channel, NOW))

    def _come_back(self, answer: Answer) -> None:
        assert isinstance(answer.channel, int)
        rid = self._rids[answer.channel]
        asks_for_session = rid == FIRST_RID  # lost, it is asked for anew: another session, and this one dies of silence
        if self._losses and not asks_for_session and rid not in self._lost and self._draw.draw(st.booleans()):
            self._losses -= 1
            self._lost.add(rid)
            self.do(self.client.failed(rid))
        else:
            self.do(self.client.answered(rid, answer.status, answer.body))

    def effects(self, effects: Sequence[Effect]) -> None:
        """What the server's session asks for."""
        assert self.session is not None
        for effect in effects:
            if isinstance(effect, Answer):
                self._answers.append(effect)
            elif isinstance(effect, Restart):
                self._serve(self.core.restart(effect.to))
            elif isinstance(effect, Payload):
                for child in effect.children:
                    self._serve(self.core.receive(child, NOW))
            elif isinstance(effect, SessionEnded):
                self.over = True

    def _serve(self, outputs: Sequence[object]) -> None:
        assert self.session is not None
        for output in outputs:
            if isinstance(output, Send):
                self.effects(self.session.send(output.data, NOW))
            elif isinstance(output, CheckPassword):
                self._serve(self.core.password_checked(output.password == PASSWORD))
            elif isinstance(output, Bind):
                self._serve(self.core.bound(f"1001@localhost/{output.resource}"))
            elif isinstance(output, Stanza):
                self.peer.heard.append(output.element)
            else:
                assert not isinstance(output, StreamError), output


@settings(max_examples=150, deadline=None)
@given(data=st.data(), up=TEXTS, down=TEXTS)
def test_bosh_brings_every_stanza_once_and_in_order(data: st.DataObject, up: list[str], down: list[str]) -> None:
    web = Web(data)
    web.settle()
    assert web.client.jid == JID
    for number, text in enumerate(up):
        web.do(web.client.send(message(text, number)))
        if data.draw(st.booleans()):
            web.settle()
    assert web.session is not None
    for number, text in enumerate(down):
        web.effects(web.session.send(message(text, number), NOW))
        if data.draw(st.booleans()):
            web.settle()
    web.settle()
    assert web.peer.texts == clean(up)
    assert texts_of(web.told) == clean(down)
    web.do(web.client.close())
    web.settle()
    assert web.over
    [end] = [output for output in web.told if isinstance(output, Ended)]
    assert end.failure is None


# ---- whatever a server says

NAMES = st.sampled_from(
    ["message", "iq", "success", "features", "failure", "challenge", "body", "open", "close", "error"]
)
SPACES = st.sampled_from(
    [
        "jabber:client",
        "http://etherx.jabber.org/streams",
        "urn:ietf:params:xml:ns:xmpp-sasl",
        "urn:ietf:params:xml:ns:xmpp-tls",
        "urn:ietf:params:xml:ns:xmpp-framing",
        "http://jabber.org/protocol/httpbind",
    ]
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(["type", "id", "sid", "requests", "from"]),
    st.sampled_from(["", "result", "bind", "terminate", "2"]),
)
ELEMENTS = st.recursive(
    st.builds(lambda n, s, a: Element(n, s, a), NAMES, SPACES, ATTRIBUTES),
    lambda inner: st.builds(
        lambda n, s, a, c: Element(n, s, a, tuple(c)), NAMES, SPACES, ATTRIBUTES, st.lists(inner, max_size=3)
    ),
    max_leaves=5,
)
SAID = st.lists(st.binary(max_size=40) | ELEMENTS.map(to_bytes), max_size=8)


@settings(max_examples=200, deadline=None)
@given(said=SAID, header=st.booleans())
def test_whatever_a_server_says_the_client_ends_once_or_goes_on(said: list[bytes], header: bool) -> None:
    tcp = TcpClientStream(account(), Terms(secure=True), "nonce")
    socket = WebSocketClientStream(account(), Terms(secure=True), "nonce")
    bosh = BoshClientStream(account(), Terms(secure=True), "nonce", 5)
    tcp.open(), socket.open(), bosh.open()
    opening = b"<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    told: dict[str, list[Output]] = {"tcp": list(tcp.receive(opening if header else b"")), "socket": [], "bosh": []}
    for number, data in enumerate(said):
        told["tcp"] += tcp.receive(data)
        told["socket"] += socket.receive(data)
        told["bosh"] += bosh.answered(5 + number, 200, data)
    for outputs in told.values():
        ends = [output for output in outputs if isinstance(output, Ended)]
        assert len(ends) <= 1
        assert not ends or outputs[-1] is ends[0]

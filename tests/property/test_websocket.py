"""WebSocket under Hypothesis: messages cut into fragments and packets anyhow give the same stanzas; any bytes at all
harm their sender only; any message to the stream comes to an orderly end."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.protocols.xmpp.c2s import C2S, Bind, C2SPolicy, CheckPassword, Send, Stanza
from poise.protocols.xmpp.framing import FRAMING_NS, FramedStream, FrameOutput
from poise.protocols.xmpp.host import Host, Rules
from poise.protocols.xmpp.stream import Finished
from poise.protocols.xmpp.xml import escape, parse, to_bytes
from poise.registry import ENDINGS
from poise.server.clock import ManualClock
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.exchange import BoshExchange
from poise.server.notification.http import HttpConnection
from poise.server.notification.http_site import HttpPort, HttpSite
from poise.server.notification.hub import Hub
from poise.server.notification.log import NoLog
from poise.server.notification.websocket import WebSocketPolicy, WebSocketService
from tests.support.server import MemoryAccounts
from tests.support.websocket import (
    CLIENT,
    CLOSE,
    CONT,
    GOODBYE,
    PING,
    PING_IQ,
    PONG,
    bind,
    deflated,
    frame,
    opening,
    plain,
    upgrade_request,
)

SIGN_IN = [opening(), plain("1001"), opening(), bind("desk")]
LIMIT = 5_000
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60)


def message(body: str, attributes: str = "") -> bytes:
    return f"<message xmlns='{CLIENT}' {attributes}><body>{body}</body></message>".encode("utf-8", "replace")


class Pipe(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol: asyncio.Protocol
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.written += data

    def get_write_buffer_size(self) -> int:
        return 0

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self.protocol = protocol

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    abort = close

    def is_reading(self) -> bool:
        return True

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """There is nothing to pause."""

    resume_reading = pause_reading


class Faults(NoLog):
    """A log that keeps what went wrong inside."""

    def __init__(self) -> None:
        self.faults: list[BaseException] = []
        self.endings: list[str] = []

    def fault(self, *, sid: str, jid: str, error: BaseException) -> None:
        self.faults.append(error)

    def session_ended(self, **values: object) -> None:
        closed = values["closed"]
        self.endings.append(closed.ending.code)  # type: ignore[attr-defined]


class Rig:
    """One service without sockets, on one connection after the other."""

    def __init__(self) -> None:
        self.accounts = accounts = MemoryAccounts({"1001": "1001"})
        clock = ManualClock()
        self.log = Faults()
        rules = Rules(frozenset(), accounts.exists, lambda user, node: True)
        host = Host("localhost", "pubsub.localhost", rules, random.Random(7))
        self.hub = Hub(host, accounts, clock, self.log, AdmissionPolicy())
        service = WebSocketService(self.hub, WebSocketPolicy(message_max_bytes=LIMIT), C2SPolicy(secure=True))
        self.site = HttpSite(clock, self.hub.wheel, NoBosh())
        self.site.websockets = service
        self.service = service

    def connect(self, *, deflate: bool = False) -> Pipe:
        pipe = Pipe()
        pipe.protocol = HttpConnection(self.site, HttpPort("http", secure=True, bosh=False, app=None, websocket=True))
        pipe.protocol.connection_made(pipe)
        extensions = "permessage-deflate" if deflate else None
        pipe.protocol.data_received(upgrade_request("/ws", Sec_WebSocket_Extensions=extensions))
        assert pipe.written.startswith(b"HTTP/1.1 101 ")
        pipe.written = b""
        return pipe


class NoBosh:
    """Never asked."""

    def request(self, body: bytes, exchange: BoshExchange, now: float) -> None:
        raise AssertionError("a POST to /http-bind")

    def lost(self, exchange: BoshExchange, now: float) -> None:
        raise AssertionError("a POST to /http-bind")


async def new_rig() -> Rig:
    """A rig whose first password check takes no turn of the loop."""
    rig = Rig()
    await rig.accounts.check("1001", "1001", "")
    return rig


async def turns() -> None:
    loop = asyncio.get_running_loop()
    for _ in range(30):
        turn = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn


def cut(data: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted({place % (len(data) + 1) for place in at}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


def echoes(written: bytes) -> list[str]:
    """Texts of the messages among frames that the server wrote, none of them compressed."""
    texts = []
    while written:
        length, start = written[1], 2
        if length == 126:
            length, start = int.from_bytes(written[2:4], "big"), 4
        payload, written = written[start : start + length], written[start + length :]
        if payload.startswith(b"<message"):
            texts.append(parse(payload).child("body").text)  # type: ignore[union-attr]
    return texts


@settings(max_examples=60, deadline=None)
@given(
    texts=st.lists(TEXTS, min_size=1, max_size=4),
    fragments=st.lists(st.integers(0, 2000), max_size=8),
    packets=st.lists(st.integers(0, 5000), max_size=12),
    pings=st.booleans(),
    compressed=st.booleans(),
)
def test_any_fragments_in_any_packets_give_the_same_stanzas_in_order(
    texts: list[str], fragments: list[int], packets: list[int], pings: bool, compressed: bool
) -> None:
    async def story() -> None:
        rig = await new_rig()
        pipe = rig.connect(deflate=compressed)
        data = b"".join(map(frame, SIGN_IN))
        for text in texts:
            body = (
                f"<message xmlns='{CLIENT}' to='1001@localhost/desk' type='chat'><body>{escape(text)}</body></message>"
            )
            whole = deflated(body.encode()) if compressed else body.encode()
            pieces = cut(whole, fragments)
            for number, piece in enumerate(pieces):
                data += frame(
                    piece,
                    CONT if number else 1,
                    fin=number == len(pieces) - 1,
                    rsv=4 if compressed and not number else 0,
                )
                data += frame(b"p", PING) if pings else b""
        for packet in cut(data, packets):
            if packet:
                pipe.protocol.data_received(packet)
        await turns()
        assert rig.log.faults == []
        assert echoes(pipe.written) == [parse(f"<b>{escape(text)}</b>".encode()).text for text in texts]

    asyncio.run(story())


SAID = [text.encode() for text in (*SIGN_IN, PING_IQ, GOODBYE, " ", "", "<a/>", f"<presence xmlns='{CLIENT}'/>")]
FRAGMENTS = st.one_of(
    st.builds(
        frame,
        st.one_of(
            st.binary(max_size=200), st.sampled_from([text.encode() for text in (*SIGN_IN, PING_IQ, GOODBYE, " ")])
        ),
        st.sampled_from([0, 1, 1, 1, 2, 3, CLOSE, PING, PONG, 15]),
        fin=st.booleans(),
        rsv=st.sampled_from([0, 0, 0, 4, 1]),
        mask=st.sampled_from([b"abcd", b"\0\0\0\0", None]),
    ),
    st.binary(max_size=40),
    st.builds(lambda body: frame(deflated(body), rsv=4), st.binary(max_size=300)),
    st.just(frame(deflated(b"<a>" + b"A" * 100_000), rsv=4)),
)


@settings(max_examples=150, deadline=None)
@given(
    signed_in=st.booleans(),
    deflate=st.booleans(),
    parts=st.lists(FRAGMENTS, max_size=8),
    packets=st.lists(st.integers(0, 3000), max_size=6),
)
def test_any_bytes_harm_their_sender_only_and_end_one_session_once(
    signed_in: bool, deflate: bool, parts: list[bytes], packets: list[int]
) -> None:
    async def story() -> None:
        rig = await new_rig()
        good, bad = rig.connect(), rig.connect(deflate=deflate)
        for text in SIGN_IN:
            good.protocol.data_received(frame(text))
            if signed_in:
                bad.protocol.data_received(frame(text.replace(">desk<", ">bad<")))
        for packet in cut(b"".join(parts), packets):
            if packet and not bad.closed:
                bad.protocol.data_received(packet)
        await turns()
        good.written = b""
        good.protocol.data_received(frame(PING_IQ))
        await turns()
        assert b"ping1" in good.written
        bad.protocol.connection_lost(None)
        await turns()
        assert rig.log.faults == []
        assert len(rig.log.endings) == 1
        assert len(rig.service.clients) == 1
        assert len(rig.site.connections) == 1

    asyncio.run(story())


MESSAGES = st.one_of(st.sampled_from(SAID), st.binary(max_size=60), st.text(max_size=60).map(message))


@settings(max_examples=200, deadline=None)
@given(st.lists(MESSAGES, max_size=12), st.booleans(), st.booleans())
def test_any_messages_get_whole_elements_and_one_orderly_end(
    messages: list[bytes], good_password: bool, prompt: bool
) -> None:
    numbers: Iterator[int] = itertools.count()
    stream = FramedStream(C2S("localhost", C2SPolicy(secure=True)), lambda: str(next(numbers)))
    heard: list[FrameOutput] = []
    asked: list[FrameOutput] = []

    def take(outputs: list[FrameOutput]) -> None:
        for output in outputs:
            heard.append(output)
            if isinstance(output, CheckPassword | Bind):
                asked.append(output)

    def answer() -> None:
        while asked:
            question = asked.pop()
            if isinstance(question, CheckPassword):
                take(stream.password_checked(good_password, 0.0))
            else:
                take(stream.bound("1001@localhost/desk", 0.0))

    for said in messages:
        take(stream.receive(said, 0.0))
        if prompt:
            answer()
    answer()
    for output in heard:
        if isinstance(output, Send):
            element = parse(output.data)
            assert parse(to_bytes(element)) == element
        elif isinstance(output, Stanza):
            assert output.element.attrs["from"] == "1001@localhost/desk"
    ends = [number for number, output in enumerate(heard) if isinstance(output, Finished)]
    if ends:
        assert ends == [len(heard) - 1]
        last = heard[-1]
        assert isinstance(last, Finished)
        assert last.ending_code in ENDINGS
        close = heard[-2]
        assert isinstance(close, Send)
        assert parse(close.data).ns == FRAMING_NS
        assert stream.finished
        assert stream.end("shutdown") == []
    else:
        assert [parse(last).name for last in stream.end("shutdown")][-2:] == ["error", "close"]

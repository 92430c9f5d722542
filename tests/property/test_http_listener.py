"""The HTTP listener against any bytes in any pieces, on a transport without a socket."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.server.clock import ManualClock
from poise.server.notification.exchange import BoshExchange
from poise.server.notification.http import HttpConnection
from poise.server.notification.http_site import HttpPort, HttpSite
from poise.server.notification.timing import HttpLimits
from poise.server.notification.wheel import Wheel


class MemoryTransport(asyncio.Transport):
    """Keeps what is written; closes when told."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.written = b""
        self.closed = False
        self.reading = True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed, "written after the end"
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


class Echo:
    """Answers each body with itself, at once or, for `hold`, when the next request comes."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.held: BoshExchange | None = None

    def request(self, body: bytes, exchange: BoshExchange, now: float) -> None:
        self.bodies.append(body)
        held, self.held = self.held, None
        if body.startswith(b"hold"):
            self.held = exchange
        else:
            exchange.answer(b"<" + body + b">")
        if held is not None:
            held.answer(b"<held>")

    def lost(self, exchange: BoshExchange, now: float) -> None:
        self.held = None


def listen(pieces: list[bytes]) -> tuple[list[bytes], bytes, bool, list[BaseException]]:
    """Feed the pieces; bodies seen, bytes answered, whether it closed, faults of ours."""
    clock = ManualClock()
    echo = Echo()
    faults: list[BaseException] = []
    site = HttpSite(
        clock,
        Wheel(clock),
        echo,
        limits=HttpLimits(header_bytes=2000, bosh_body_bytes=2000, pipelined=1000),
        app_failed=faults.append,
    )
    connection = HttpConnection(site, HttpPort("test", secure=False, bosh=True, app=None))
    transport = MemoryTransport()
    connection.connection_made(transport)
    for piece in pieces:
        connection.data_received(piece)
    clock.advance(200)
    connection.connection_lost(None)
    assert site.connections == set()
    return echo.bodies, transport.written, transport.closed, faults


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


HELD = (
    b"POST /http-bind HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhold",
    b"POST /http-bind HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nhold",
)
bodies = st.binary(max_size=60).map(lambda data: b":" + data.replace(b"HTTP", b""))
requests = st.one_of(
    st.builds(
        lambda body: b"POST /http-bind/ HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body), bodies
    ),
    st.builds(
        lambda body: (
            b"POST /http-bind HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            + (b"%x\r\n%b\r\n" % (len(body), body) if body else b"")
            + b"0\r\n\r\n"
        ),
        bodies,
    ),
    st.sampled_from(HELD),
    st.just(b"GET /http-bind/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    st.just(b"OPTIONS /http-bind/ HTTP/1.1\r\nHost: x\r\n\r\n"),
    st.just(b"GET /elsewhere HTTP/1.1\r\nHost: x\r\n\r\n"),
    st.just(b"\r\n"),
)


@given(st.lists(requests, max_size=8), st.lists(st.integers(min_value=0), max_size=12))
def test_however_a_stream_of_requests_is_cut_the_answers_are_the_same(stream: list[bytes], places: list[int]) -> None:
    data = b"".join(stream)
    whole = listen([data])
    assert listen(cut(data, places)) == whole
    assert listen(stream) == whole
    assert whole[3] == []
    answered = stream[: _held_from(stream)]
    assert whole[1].count(b"HTTP/1.1 ") == sum(b"HTTP/1.1\r\n" in request for request in answered)


def _held_from(stream: list[bytes]) -> int:
    """Where in the stream the answers end: at a request that is still held, behind which the others wait."""
    posts = [index for index, request in enumerate(stream) if request.startswith(b"POST")]
    return posts[-1] if posts and stream[posts[-1]] in HELD else len(stream)


@given(
    st.lists(st.one_of(requests, st.binary(max_size=80)), max_size=6), st.lists(st.integers(min_value=0), max_size=6)
)
@settings(max_examples=300)
def test_any_bytes_are_answered_or_refused_and_never_a_fault(stream: list[bytes], places: list[int]) -> None:
    data = b"".join(stream)
    whole = listen([data])
    assert whole[3] == []
    cut_up = listen(cut(data, places))
    assert (cut_up[0], cut_up[3]) == (whole[0], [])


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=300))
@settings(max_examples=300)
def test_a_request_with_bytes_put_in_anywhere_is_never_read_as_two(noise: bytes, place: int) -> None:
    request = b"POST /http-bind/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    at = place % len(request)
    seen, _, _, faults = listen([request[:at] + noise + request[at:]])
    assert faults == []
    if b"POST" not in noise:
        assert len(seen) <= 1

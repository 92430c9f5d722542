"""The HTTP listener as clients meet it (xmpp.md 1.A, 6.2): raw bytes over real sockets, time moved by hand."""

from __future__ import annotations

import asyncio
import socket

import pytest

from poise.server.notification.http_answer import Cors
from poise.server.notification.timing import HttpLimits
from tests.unit.server.notification.http_rig import EMPTY, Rig, post, story


@story
async def test_a_post_is_answered_200_ok_with_its_length_and_nothing_that_may_be_stored() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"now:" + EMPTY)
        answer = await client.answer()
        assert answer.status_line == b"HTTP/1.1 200 OK"
        assert answer.body == EMPTY
        assert answer.headers["content-type"] == "text/xml; charset=utf-8"
        assert answer.headers["content-length"] == "57"
        assert answer.headers["cache-control"] == "no-store"
        assert set(answer.headers) == {"content-type", "content-length", "cache-control", "date"}


@story
@pytest.mark.parametrize("path", ["/http-bind", "/http-bind/", "/http-bind/?x=1", "/http-bind?"])
async def test_the_endpoint_is_found_with_and_without_a_slash(path: str) -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"now:found", path)
        assert (await client.answer()).body == b"found"


@story
async def test_a_request_behind_a_held_one_is_read_at_once_and_answers_leave_in_order() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"first")
        client.post(b"second")
        await rig.bosh.until(lambda: rig.bosh.bodies == [b"first", b"second"])
        first, second = rig.bosh.held
        second.answer(b"answer to second")
        client.post(b"now:third")
        await rig.bosh.until(lambda: len(rig.bosh.bodies) == 3)
        first.answer(b"answer to first")
        bodies = [(await client.answer()).body for _ in range(3)]
        assert bodies == [b"answer to first", b"answer to second", b"third"]


@story
async def test_requests_in_one_packet_are_all_read() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(post(b"now:a") + post(b"now:b") + post(b"now:c"))
        assert [(await client.answer()).body for _ in range(3)] == [b"a", b"b", b"c"]


@story
async def test_a_request_in_single_bytes_is_read() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in post(b"now:slow"):
            client.send(bytes([byte]))
            await client.writer.drain()
        assert (await client.answer()).body == b"slow"


@story
async def test_a_chunked_request_is_read() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(
            b"POST /http-bind HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
            b"4\r\nnow:\r\n6;why=not\r\nchunks\r\n0\r\nX-Trailer: y\r\n\r\n"
        )
        assert (await client.answer()).body == b"chunks"
        client.post(b"now:next")
        assert (await client.answer()).body == b"next"


@story
async def test_http_1_0_is_answered_and_closed() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(b"POST /http-bind HTTP/1.0\r\nContent-Length: 5\r\n\r\nnow:x")
        answer = await client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"x", "close")
        assert await client.rest() == b""


@story
async def test_http_1_0_stays_open_when_asked_to() -> None:
    async with Rig() as rig:
        client = await rig.client()
        for _ in range(2):
            client.send(b"POST /http-bind HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nnow:x")
            answer = await client.answer()
            assert (answer.body, answer.headers["connection"]) == (b"x", "keep-alive")


@story
async def test_connection_close_is_honoured_after_the_answer() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"now:bye", "/http-bind", "Connection: close")
        answer = await client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"bye", "close")
        assert await client.rest() == b""


@story
async def test_a_client_that_waits_for_100_continue_gets_it() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(b"POST /http-bind HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n")
        assert await client.line() == b"HTTP/1.1 100 Continue\r\n"
        assert await client.line() == b"\r\n"
        client.send(b"now:go")
        assert (await client.answer()).body == b"go"


@story
async def test_100_continue_never_overtakes_an_answer_that_is_held() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"held")
        client.send(b"POST /http-bind HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\nnow:go")
        await rig.bosh.until(lambda: len(rig.bosh.bodies) == 2)
        rig.bosh.held[0].answer(b"first")
        assert (await client.answer()).body == b"first"
        assert (await client.answer()).body == b"go"


@story
async def test_get_shows_a_landing_page_and_head_its_head() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(b"GET /http-bind/ HTTP/1.1\r\nHost: x\r\n\r\n")
        page = await client.answer()
        assert (page.status, page.headers["cache-control"]) == (200, "no-store")
        assert page.headers["content-type"].startswith("text/html")
        assert b"BOSH" in page.body
        client.send(b"HEAD /http-bind/ HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await client.answer(head=True)
        assert (head.status, head.headers) == (200, page.headers)
        client.post(b"now:in step")
        assert (await client.answer()).body == b"in step"
        assert rig.bosh.bodies == [b"now:in step"]


@story
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_refused_with_the_list_of_allowed_ones(method: str) -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(f"{method} /http-bind/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx".encode())
        answer = await client.answer()
        assert (answer.status, answer.headers["allow"]) == (405, "POST, GET, HEAD, OPTIONS")
        client.post(b"now:in step")
        assert (await client.answer()).body == b"in step"


@story
async def test_without_configured_origins_no_cors_header_is_sent() -> None:
    async with Rig() as rig:
        client = await rig.client()
        for request in (
            b"OPTIONS /http-bind/ HTTP/1.1\r\nHost: x\r\nOrigin: https://a.test\r\n\r\n",
            post(b"now:x", "/http-bind/", "Origin: https://a.test"),
        ):
            client.send(request)
            answer = await client.answer()
            assert not [name for name in answer.headers if name.startswith("access-control")]


@story
async def test_an_allowed_origin_is_echoed_on_preflight_answer_and_error_and_no_other_is() -> None:
    async with Rig(cors=Cors(["https://app.test"])) as rig:
        for origin, echoed in (
            ("https://app.test", "https://app.test"),
            ("https://evil-app.test", None),
            ("https://app.test.evil", None),
            ("http://app.test", None),
            ("null", None),
        ):
            client = await rig.client()
            client.send(f"OPTIONS /http-bind/ HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n\r\n".encode())
            preflight = await client.answer()
            assert (preflight.status, preflight.body) == (204, b"")
            client.post(b"now:x", "/http-bind/", f"Origin: {origin}")
            answer = await client.answer()
            client.send(f"PUT /http-bind/ HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\n\r\n".encode())
            for got in (preflight, answer, await client.answer()):
                assert got.headers.get("access-control-allow-origin") == echoed
                assert got.headers["vary"] == "Origin"
                assert "access-control-allow-credentials" not in got.headers
            if echoed:
                assert "POST" in preflight.headers["access-control-allow-methods"]
                assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
                assert int(preflight.headers["access-control-max-age"]) > 0


@story
async def test_a_star_allows_every_origin_and_never_credentials() -> None:
    async with Rig(cors=Cors(["*"])) as rig:
        client = await rig.client()
        client.post(b"now:x", "/http-bind/", "Origin: https://anywhere.test")
        answer = await client.answer()
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers


@story
async def test_an_unknown_content_encoding_is_ignored_as_libpurple_needs() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"now:x", "/http-bind/", "Content-Encoding: text/xml; charset=utf-8")
        assert (await client.answer()).body == b"x"


HEAD = b"POST /http-bind/ HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = {
    "length and coding": HEAD + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    "two lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nnow:x",
    "two equal lengths": HEAD + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nnow:x",
    "a list of lengths": HEAD + b"Content-Length: 5, 5\r\n\r\nnow:x",
    "negative length": HEAD + b"Content-Length: -5\r\n\r\nnow:x",
    "signed length": HEAD + b"Content-Length: +5\r\n\r\nnow:x",
    "hexadecimal length": HEAD + b"Content-Length: 0x5\r\n\r\nnow:x",
    "empty length": HEAD + b"Content-Length:\r\n\r\n",
    "endless length": HEAD + b"Content-Length: " + b"9" * 40 + b"\r\n\r\n",
    "folded header": HEAD + b"X-A: a\r\n b\r\nContent-Length: 5\r\n\r\nnow:x",
    "bare line feeds": b"POST /http-bind/ HTTP/1.1\nHost: x\nContent-Length: 5\n\nnow:x",
    "one bare line feed": HEAD + b"X-A: a\nContent-Length: 5\r\n\r\nnow:x",
    "a bare carriage return": HEAD + b"X-A: a\rb\r\nContent-Length: 5\r\n\r\nnow:x",
    "space before the colon": HEAD + b"Content-Length : 5\r\n\r\nnow:x",
    "unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding behind a control character": HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "two codings": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "a coding twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "a coding in HTTP/1.0": b"POST /http-bind/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bare carriage return in a chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\rnow:x\r\n0\r\n\r\n",
    "chunk size of many digits": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n",
    "length in a trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
    "NUL in a header": HEAD + b"X-A: a\x00b\r\n\r\n",
    "no Host": b"POST /http-bind/ HTTP/1.1\r\nContent-Length: 5\r\n\r\nnow:x",
    "two Hosts": HEAD + b"host: y\r\nContent-Length: 5\r\n\r\nnow:x",
    "HTTP/0.9": b"GET /http-bind/\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "XMPP to an HTTP port": b"<stream:stream to='localhost'>",
    "a header of 40 kB": HEAD + b"X-A: " + b"a" * 40_000 + b"\r\n\r\n",
    "many headers of 40 kB": HEAD + b"X-A: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 800 + b"\r\n",
    "many short headers": HEAD + b"A: b\r\n" * 200 + b"\r\n",
    "a target of 40 kB": b"POST /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "an endless header": HEAD + b"X-A: " + b"a" * 300_000,
}


@story
@pytest.mark.parametrize("name", SMUGGLED)
async def test_what_two_parsers_could_read_in_two_ways_is_refused_and_the_connection_closed(name: str) -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(SMUGGLED[name])
        answer = await client.answer()
        assert answer.status == 400
        assert answer.headers["connection"] == "close"
        assert await client.rest() == b""
        assert rig.bosh.bodies == []


@story
async def test_a_refusal_waits_for_the_answers_before_it() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(post(b"held") + b"nonsense\r\n\r\n")
        await rig.bosh.until(lambda: len(rig.bosh.held) == 1)
        rig.bosh.held[0].answer(b"first")
        assert (await client.answer()).body == b"first"
        assert (await client.answer()).status == 400
        assert await client.rest() == b""


@story
async def test_nothing_after_a_refused_request_is_read() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(b"nonsense\r\n\r\n")
        client.send(post(b"now:smuggled") * 3)
        assert (await client.answer()).status == 400
        assert await client.rest() == b""
        assert rig.bosh.bodies == []


@story
async def test_a_body_declared_too_long_is_refused_before_it_is_sent() -> None:
    async with Rig(limits=HttpLimits(bosh_body_bytes=1000)) as rig:
        client = await rig.client()
        client.send(HEAD + b"Content-Length: 1001\r\n\r\n")
        assert (await client.answer()).status == 413
        assert await client.rest() == b""


@story
async def test_an_endless_chunked_body_is_refused_at_the_limit() -> None:
    async with Rig(limits=HttpLimits(bosh_body_bytes=1000)) as rig:
        client = await rig.client()
        client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"64\r\n" + b"a" * 100 + b"\r\n")
        client.send((b"64\r\n" + b"a" * 100 + b"\r\n") * 20)
        assert (await client.answer()).status == 413
        assert await client.rest() == b""


@story
async def test_endless_chunk_framing_is_refused_although_the_body_stays_small() -> None:
    async with Rig(limits=HttpLimits(bosh_body_bytes=1000)) as rig:
        client = await rig.client()
        client.send(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 600_000)
        assert (await client.answer()).status == 413
        assert await client.rest() == b""


@story
async def test_headers_that_trickle_are_cut_off_at_an_absolute_deadline() -> None:
    async with Rig() as rig:
        client = await rig.client()
        slow = HEAD + b"Content-Length: 5\r\n"
        client.send(slow[:1])
        for byte in slow[1:11]:
            await rig.client()  # a turn of the loop that proves the others are served
            rig.clock.advance(0.9)
            client.send(bytes([byte]))
        await asyncio.wait_for(_turns(rig), 10)
        rig.clock.advance(11)
        assert (await client.answer()).status == 408
        assert await client.rest() == b""
        assert rig.site.counters.late >= 1


async def _turns(rig: Rig) -> None:
    """Let everything that was sent arrive: a request on a fresh connection is answered after it."""
    client = await rig.client()
    client.post(b"now:turn")
    await client.answer()


@story
async def test_a_body_that_trickles_is_cut_off_at_an_absolute_deadline() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(HEAD + b"Content-Length: 100\r\n\r\nnow:")
        await _turns(rig)
        for _ in range(3):
            rig.clock.advance(9)
            client.send(b"x")
            await _turns(rig)
        rig.clock.advance(9)
        assert (await client.answer()).status == 408
        assert await client.rest() == b""


@story
async def test_a_connection_that_never_sends_is_closed() -> None:
    async with Rig() as rig:
        client = await rig.client()
        await _turns(rig)
        rig.clock.advance(10.1)
        assert await client.rest() == b""


@story
async def test_an_idle_connection_is_closed_after_the_keep_alive_time_and_a_held_one_is_not() -> None:
    async with Rig() as rig:
        idle, holding = await rig.client(), await rig.client()
        idle.post(b"now:x")
        await idle.answer()
        holding.post(b"held")
        await rig.bosh.until(lambda: len(rig.bosh.held) == 1)
        rig.clock.advance(76)
        assert await idle.rest() == b""
        rig.bosh.held[0].answer(EMPTY)
        assert (await holding.answer()).body == EMPTY


@story
async def test_a_client_that_does_not_read_is_aborted_after_a_while_and_its_requests_are_not_read() -> None:
    async with Rig() as rig:
        slow = await rig.client()
        big = b"now:" + b"x" * 900_000
        for _ in range(30):
            slow.post(big)
        while not any(connection.output_paused for connection in rig.site.connections):
            await _turns(rig)
        seen = len(rig.bosh.bodies)
        assert seen < 30 + 30
        rig.clock.advance(21)
        while rig.site.counters.slow_readers == 0:
            await _turns(rig)
        assert rig.site.counters.slow_readers == 1


@story
async def test_a_client_that_closes_while_its_request_is_held_is_reported_lost() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"held")
        await rig.bosh.until(lambda: len(rig.bosh.held) == 1)
        client.writer.close()
        await rig.bosh.until(lambda: rig.bosh.gone == rig.bosh.held)
        rig.bosh.held[0].answer(b"too late")
        assert rig.bosh.held[0].answered
        assert rig.site.connections == set()


@story
async def test_a_request_dropped_by_the_service_closes_its_connection_without_an_answer() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"drop")
        assert await client.rest() == b""


@story
async def test_a_fault_of_ours_costs_one_connection() -> None:
    async with Rig() as rig:
        other, client = await rig.client(), await rig.client()
        client.post(b"fault")
        assert await client.rest() == b""
        assert isinstance(rig.failures[0], RuntimeError)
        other.post(b"now:alive")
        assert (await other.answer()).body == b"alive"


@story
async def test_an_address_with_too_many_connections_gets_no_more_until_one_is_closed() -> None:
    async with Rig(limits=HttpLimits(connections_per_address=2)) as rig:
        first, second = await rig.client(), await rig.client()
        for client in (first, second):
            client.post(b"now:x")
            await client.answer()
        assert await (await rig.client()).rest() == b""
        assert rig.site.counters.too_many == 1
        first.post(b"held")
        await rig.bosh.until(lambda: len(rig.bosh.held) == 1)
        first.writer.close()
        await rig.bosh.until(lambda: len(rig.bosh.gone) == 1)
        fourth = await rig.client()
        fourth.post(b"now:in")
        assert (await fourth.answer()).body == b"in"


@story
async def test_a_connection_with_many_unanswered_requests_is_not_read_further() -> None:
    async with Rig(limits=HttpLimits(pipelined=4)) as rig:
        client = await rig.client()
        for number in range(4):
            client.post(b"held %d" % number)
            await rig.bosh.until(lambda: len(rig.bosh.held) == number + 1)  # noqa: B023
        for number in range(4, 12):
            client.post(b"held %d" % number)
        await _turns(rig)
        assert len(rig.bosh.held) == 4
        rig.bosh.held[0].answer(b"room")
        await rig.bosh.until(lambda: len(rig.bosh.held) == 12)
        assert (await client.answer()).body == b"room"


@story
async def test_more_unanswered_requests_in_one_packet_than_any_client_sends_are_refused() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(post(b"held") * 200)
        await rig.bosh.until(lambda: len(rig.bosh.held) == 128)
        for exchange in list(rig.bosh.held):
            exchange.answer(b"x")
        assert [(await client.answer()).status for _ in range(129)] == [200] * 128 + [400]
        assert await client.rest() == b""


@story
async def test_very_many_upgrades_in_one_packet_are_as_harmless_as_other_requests() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(post(b"now:x", "/http-bind/", "Connection: Upgrade", "Upgrade: h2c") * 3000)
        for _ in range(3000):
            assert (await client.answer()).body == b"x"


@story
async def test_an_upgrade_that_is_not_spoken_is_an_ordinary_request() -> None:
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c")
    chunked = b"Transfer-Encoding: chunked\r\n\r\n5\r\nnow:c\r\n0\r\n\r\n"
    async with Rig() as rig:
        client = await rig.client()
        client.send(post(b"now:a", "/http-bind/", *upgrade) + post(b"now:b"))
        client.send("\r\n".join(("POST /http-bind HTTP/1.1", "Host: x", *upgrade, "")).encode() + chunked)
        client.send("\r\n".join(("GET /http-bind HTTP/1.1", "Host: x", *upgrade, "", "")).encode())
        client.post(b"now:d")
        got = [(await client.answer()).body for _ in range(5)]
        assert got[:3] + got[4:] == [b"a", b"b", b"c", b"d"]


@story
async def test_an_idle_connection_holds_no_parser() -> None:
    async with Rig() as rig:
        client = await rig.client()
        for _ in range(3):
            client.post(b"held")
        await rig.bosh.until(lambda: len(rig.bosh.held) == 3)
        (connection,) = rig.site.connections
        assert connection._reader is None


@story
async def test_a_legacy_status_carries_its_body_all_the_same() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"held")
        await rig.bosh.until(lambda: len(rig.bosh.held) == 1)
        rig.bosh.held[0].answer(b"<body/>", status=404)
        answer = await client.answer()
        assert (answer.status_line, answer.body) == (b"HTTP/1.1 404 Not Found", b"<body/>")


@story
async def test_a_content_type_with_a_line_break_is_never_written() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"held")
        await rig.bosh.until(lambda: len(rig.bosh.held) == 1)
        with pytest.raises(ValueError, match="line break"):
            rig.bosh.held[0].answer(b"x", "text/xml\r\nX-Evil: 1")


@story
async def test_a_head_read_before_is_recognised_and_means_the_same() -> None:
    async with Rig(cors=Cors(["https://app.test"])) as rig:
        client = await rig.client()
        client.post(b"now:a", "/http-bind/", "Origin: https://app.test")
        first = await client.answer()
        (head,) = rig.site.known_heads
        assert head.endswith(b"\r\n\r\n")
        client.post(b"now:b", "/http-bind/", "Origin: https://app.test")
        second = await client.answer()
        assert (second.body, second.headers) == (b"b", first.headers)
        client.post(b"now:c", "/http-bind/", "Origin: https://other.test")
        assert "access-control-allow-origin" not in (await client.answer()).headers
        client.send(post(b"now:d", "/http-bind/", "Origin: https://app.test") * 2)
        assert [(await client.answer()).body for _ in range(2)] == [b"d", b"d"]


@story
async def test_a_known_head_with_a_body_in_two_packets_is_read_the_long_way() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.post(b"now:a")
        await client.answer()
        whole = post(b"now:b")
        client.send(whole[:-2])
        await _turns(rig)
        client.send(whole[-2:])
        assert (await client.answer()).body == b"b"


@story
async def test_heads_that_ask_for_more_than_their_body_are_not_remembered() -> None:
    async with Rig() as rig:
        for header in ("Connection: close", "Expect: 100-continue", "Transfer-Encoding: chunked"):
            client = await rig.client()
            if header.startswith("Transfer"):
                client.send(HEAD + header.encode() + b"\r\n\r\n5\r\nnow:x\r\n0\r\n\r\n")
            else:
                client.post(b"now:x", "/http-bind/", header)
            assert b"HTTP/1.1" in await client.line()
        assert rig.site.known_heads == {}


@story
async def test_heads_are_forgotten_when_a_client_sends_ever_new_ones() -> None:
    async with Rig() as rig:
        client = await rig.client()
        for number in range(1100):
            client.post(b"now:x", "/http-bind/", f"X-Number: {number}")
            await client.answer()
        assert len(rig.site.known_heads) < 1024

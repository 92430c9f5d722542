"""Applications behind the listener: ASGI 3 on the connections that also carry BOSH."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from poise.server.notification.timing import HttpLimits
from tests.unit.server.notification.http_rig import EMPTY, Rig, post, story


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body(), headers={"X-Path": request.url.path, "Server": "leaky"})


async def where(request: Request) -> Response:
    scope = request.scope
    return PlainTextResponse(
        f"{scope['scheme']} {scope['http_version']} {scope['path']} {scope['query_string'].decode()} "
        f"{scope['client'][0]} {request.headers.get('x-name')}"
    )


async def stream(request: Request) -> Response:
    async def pieces() -> Any:
        for number in range(3):
            yield f"piece {number};".encode()

    return StreamingResponse(pieces())


async def fail(request: Request) -> Response:
    raise RuntimeError("a fault of the application")


async def half(request: Request) -> Response:
    async def pieces() -> Any:
        yield b"the beginning"
        raise RuntimeError("a fault in the middle")

    return StreamingResponse(pieces())


async def nothing(request: Request) -> Response:
    return Response(status_code=204)


async def split(request: Request) -> Response:
    response = PlainTextResponse("x")
    response.raw_headers.append((b"x-evil", b"a\r\nSet-Cookie: b"))
    return response


async def away(request: Request) -> Response:
    return RedirectResponse("/elsewhere")


def application() -> Starlette:
    return Starlette(
        routes=[
            Route("/echo", echo, methods=["POST"]),
            Route("/where/{rest:path}", where),
            Route("/stream", stream),
            Route("/fail", fail),
            Route("/half", half),
            Route("/nothing", nothing),
            Route("/split", split),
            Route("/away", away),
        ]
    )


def get(path: str, *headers: str, version: str = "1.1") -> bytes:
    return "\r\n".join([f"GET {path} HTTP/{version}", "Host: localhost", *headers, "", ""]).encode()


@story
async def test_an_application_gets_the_body_and_its_answer_has_a_length_and_no_server_name() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.post(b"some body", "/echo")
        answer = await client.answer()
        assert (answer.status, answer.body, answer.headers["x-path"]) == (200, b"some body", "/echo")
        assert "server" not in answer.headers
        assert "transfer-encoding" not in answer.headers


@story
async def test_an_application_is_told_where_the_request_went_and_who_asked() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(get("/where/a%20b/%C3%A9?q=1&r=%20", "X-Name:  padded  "))
        assert (await client.answer()).body.decode() == "http 1.1 /where/a b/é q=1&r=%20 127.0.0.1 padded"
        client.send(get("http://localhost/where/absolute?x"))
        assert (await client.answer()).body.decode().startswith("http 1.1 /where/absolute x")


@story
async def test_rest_and_a_held_poll_share_one_connection_and_answers_keep_their_order() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.post(b"held")
        client.post(b"rest", "/echo")
        client.post(b"now:" + EMPTY)
        await rig.bosh.until(lambda: len(rig.bosh.bodies) == 2)
        rig.bosh.held[0].answer(b"released")
        assert [(await client.answer()).body for _ in range(3)] == [b"released", b"rest", EMPTY]


@story
async def test_a_streamed_answer_of_unknown_length_is_chunked_for_1_1_and_ends_with_the_connection_for_1_0() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(get("/stream"))
        answer = await client.answer()
        assert (answer.headers["transfer-encoding"], answer.body) == ("chunked", b"piece 0;piece 1;piece 2;")
        client.send(get("/stream", version="1.0"))
        answer = await client.answer()
        assert "transfer-encoding" not in answer.headers
        assert await client.rest() == b"piece 0;piece 1;piece 2;"


@story
async def test_head_gets_the_head_of_get() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(get("/where/x").replace(b"GET", b"HEAD"))
        head = await client.answer(head=True)
        assert int(head.headers["content-length"]) > 0
        client.send(get("/nothing"))
        answer = await client.answer()
        assert (answer.status, answer.body, "content-length" in answer.headers) == (204, b"", False)


@story
async def test_a_fault_of_the_application_is_a_500_and_told_to_the_operator() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(get("/fail"))
        assert (await client.answer()).status == 500
        assert [str(error) for error in rig.failures] == ["a fault of the application"]
        other = await rig.client()
        other.send(get("/where/x"))
        assert (await other.answer()).status == 200


@story
async def test_a_fault_in_the_middle_of_an_answer_breaks_the_connection_so_that_nobody_takes_it_for_whole() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(get("/half"))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError, ValueError)):
            await client.answer()
        assert await client.rest() == b""
        assert [str(error) for error in rig.failures] == ["a fault in the middle"]


@story
async def test_a_line_break_in_a_response_header_is_a_fault_and_never_on_the_wire() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(get("/split"))
        answer = await client.answer()
        assert (answer.status, "set-cookie" in answer.headers) == (500, False)


@story
async def test_connection_close_is_honoured() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(get("/where/x", "Connection: close"))
        assert (await client.answer()).headers["connection"] == "close"
        assert await client.rest() == b""


@story
async def test_a_client_that_closes_its_sending_side_still_gets_its_answer() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(get("/where/x"))
        client.writer.write_eof()
        assert (await client.answer()).status == 200
        assert await client.rest() == b""


@story
async def test_a_request_body_over_the_limit_is_a_413() -> None:
    async with Rig(application(), limits=HttpLimits(app_body_bytes=1000)) as rig:
        client = await rig.client()
        client.post(b"x" * 1001, "/echo")
        assert (await client.answer()).status == 413
        assert await client.rest() == b""
        chunked = await rig.client()
        chunked.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunked.send((b"64\r\n" + b"a" * 100 + b"\r\n") * 11)
        assert (await chunked.answer()).status == 413
        assert await chunked.rest() == b""


@story
async def test_a_port_without_an_application_answers_404() -> None:
    async with Rig() as rig:
        client = await rig.client()
        client.send(get("/anything"))
        assert (await client.answer()).status == 404
        client.post(b"now:still in step")
        assert (await client.answer()).body == b"still in step"


class Scripted:
    """An application that does what the test says, step by step."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.read = asyncio.Event()
        self.may_read = asyncio.Event()
        self.done = asyncio.Event()
        self.error: BaseException | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.may_read.wait()
        try:
            while True:
                message = await receive()
                self.messages.append(message)
                self.read.set()
                if message["type"] == "http.disconnect" or not message["more_body"]:
                    break
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"ok"})
            self.messages.append(await receive())
        except OSError as error:
            self.error = error
        finally:
            self.done.set()


@story
async def test_a_body_the_application_does_not_read_stops_the_client_and_not_the_memory() -> None:
    app = Scripted()
    async with Rig(app, limits=HttpLimits(app_body_bytes=50_000_000, app_buffer_bytes=10_000)) as rig:
        client = await rig.client()
        client.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 20000000\r\n\r\n")
        client.send(b"y" * 20_000_000)
        other = await rig.client()
        for _ in range(20):
            other.post(b"now:turn")
            await other.answer()
        (exchange,) = [connection.first for connection in rig.site.connections if connection.first is not None]
        assert exchange._size < 2_000_000  # type: ignore[attr-defined]
        app.may_read.set()
        assert (await client.answer()).body == b"ok"
        assert sum(len(message.get("body", b"")) for message in app.messages) == 20_000_000


@story
async def test_an_application_hears_that_its_client_has_gone() -> None:
    app = Scripted()
    async with Rig(app) as rig:
        client = await rig.client()
        client.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
        app.may_read.set()
        await asyncio.wait_for(app.read.wait(), 10)
        client.writer.transport.abort()
        await asyncio.wait_for(app.done.wait(), 10)
        assert app.messages[-1] == {"type": "http.disconnect"}
        assert isinstance(app.error, OSError)
        assert rig.failures == []


@story
async def test_an_answer_before_the_whole_body_was_read_closes_the_connection() -> None:
    async def hasty(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async with Rig(hasty) as rig:
        client = await rig.client()
        client.send(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        answer = await client.answer()
        assert (answer.body, answer.headers["connection"]) == (b"ok", "close")
        assert await client.rest() == b""


@story
@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"type": "http.response.body", "body": b"x"}],
        [{"type": "http.response.start", "status": 200, "headers": []}] * 2,
        [{"type": "http.response.strange"}],
    ],
)
async def test_an_application_that_breaks_the_protocol_is_a_500(messages: list[Any]) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send(message)

    async with Rig(broken) as rig:
        client = await rig.client()
        client.send(get("/"))
        assert (await client.answer()).status == 500
        assert len(rig.failures) == 1


@story
async def test_a_slow_reader_of_a_long_answer_holds_up_the_application_and_nobody_else() -> None:
    sent = 0

    async def flood(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(100):
            await send({"type": "http.response.body", "body": b"z" * 100_000, "more_body": True})
            sent += 1
        await send({"type": "http.response.body"})

    async with Rig(flood) as rig:
        slow, other = await rig.client(), await rig.client()
        slow.send(get("/", version="1.0"))
        for _ in range(200):
            other.post(b"now:turn")
            await other.answer()
        assert 0 < sent < 100
        got = 0
        while data := await asyncio.wait_for(slow.reader.read(1_000_000), 10):
            got += data.count(b"z")
        assert (got, sent) == (10_000_000, 100)


@story
async def test_a_pipelined_answer_waits_for_its_turn_and_then_comes_whole() -> None:
    async with Rig(application()) as rig:
        client = await rig.client()
        client.send(post(b"one", "/echo") + get("/stream") + get("/fail") + get("/where/x"))
        answers = [await client.answer() for _ in range(4)]
        assert [answer.status for answer in answers] == [200, 200, 500, 200]
        assert [answer.body for answer in answers[:2]] == [b"one", b"piece 0;piece 1;piece 2;"]

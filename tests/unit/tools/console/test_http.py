"""The HTTP connection under BOSH: kept open where it may be, and what the other end can do to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from poise.tools.console.address import Address
from poise.tools.console.http import Connection, HttpError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"


class Web:
    """Answers each request with the next of these bytes; None closes the connection instead, b"..." may end with it."""

    def __init__(self, *answers: bytes | None) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.requests.append(head + await reader.readexactly(length))
                answer = self._answers.pop(0)
                if answer is None:
                    break
                closes = b"close" in answer or answer.endswith(b"\0")
                writer.write(answer.rstrip(b"\0"))
                await writer.drain()
                if closes:
                    break
        except asyncio.IncompleteReadError:
            pass
        finally:
            writer.close()
            await writer.wait_closed()


def play(web: Web, story: Callable[[Connection], Awaitable[None]]) -> None:
    async def run() -> None:
        server = await asyncio.start_server(web.serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        connection = Connection(Address("http", "127.0.0.1", port, "/http-bind/"), None, "text/xml; charset=utf-8")
        try:
            await story(connection)
        finally:
            await connection.close()
            server.close()
            await server.wait_closed()

    asyncio.run(run())


def test_one_connection_carries_one_request_after_the_other() -> None:
    web = Web(OK, b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n2\r\n!!\r\n0\r\n\r\n", OK)

    async def story(connection: Connection) -> None:
        assert await connection.post(b"<body/>") == (200, b"body")
        assert await connection.post(b"<body/>") == (404, b"not!!")
        assert await connection.post("<ä/>".encode()) == (200, b"body")

    play(web, story)
    assert web.connections == 1
    head, _, body = web.requests[2].partition(b"\r\n\r\n")
    assert body == "<ä/>".encode()
    assert head.startswith(b"POST /http-bind/ HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"Content-Type: text/xml; charset=utf-8" in head


def test_a_connection_that_is_closed_behind_an_answer_is_opened_anew() -> None:
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx"
    web = Web(closing, OK)

    async def story(connection: Connection) -> None:
        assert await connection.post(b"<body/>") == (200, b"x")
        assert await connection.post(b"<body/>") == (200, b"body")

    play(web, story)
    assert web.connections == 2


def test_a_body_may_end_with_the_connection() -> None:
    async def story(connection: Connection) -> None:
        assert await connection.post(b"<body/>") == (200, b"all of it")

    play(Web(b"HTTP/1.0 200 OK\r\n\r\nall of it\0"), story)


def test_a_kept_connection_that_was_closed_meanwhile_is_told_as_such_and_the_next_request_opens_one() -> None:
    web = Web(OK, None, OK)

    async def story(connection: Connection) -> None:
        await connection.post(b"<body/>")
        with pytest.raises(ConnectionError):
            await connection.post(b"<body/>")
        assert await connection.post(b"<body/>") == (200, b"body")

    play(web, story)
    assert web.connections == 2


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "closed before"),
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf\0", "closed before"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "no HTTP"),
    ],
)
def test_what_is_no_whole_answer_is_told(answer: bytes | None, says: str) -> None:
    async def story(connection: Connection) -> None:
        with pytest.raises(HttpError, match=says):
            await connection.post(b"<body/>")

    play(Web(answer), story)

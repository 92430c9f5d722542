"""One HTTP/1.1 connection that is kept open and carries one request after the other: what BOSH needs, and no more."""

from __future__ import annotations

import asyncio
import ssl
from typing import Final

import httptools

from poise.tools.console.address import Address

ANSWER_MAX: Final = 64 * 1024 * 1024
"""Bytes of one answer; more is no BOSH body."""

FAREWELL_S: Final = 1.0
"""Seconds a closed TLS connection waits for the other end's own close_notify; many never send one."""


class HttpError(OSError):
    """The other end speaks no HTTP, or broke off."""


class _Answer:
    """One answer, as the parser tells of it."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.done = False
        self.headed = False
        """Whether its headers are complete."""
        self.keep = False
        """Whether the connection stays open behind it; the parser knows it only while the answer ends."""
        self.parser = httptools.HttpResponseParser(self)

    def on_headers_complete(self) -> None:
        self.headed = True

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.done = True
        self.keep = self.parser.should_keep_alive()


class Connection:
    """To one address; opened with the first request, and again when it was closed meanwhile."""

    def __init__(self, address: Address, tls: ssl.SSLContext | None, content_type: str) -> None:
        self._address = address
        self._tls = tls
        self._content_type = content_type
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def post(self, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError; the connection is closed then."""
        fresh = self._streams is None
        if self._streams is None:
            self._streams = await asyncio.open_connection(
                self._address.host,
                self._address.port,
                ssl=self._tls,
                server_hostname=self._address.host if self._tls is not None else None,
                ssl_shutdown_timeout=FAREWELL_S if self._tls is not None else None,
            )
        head = (
            f"POST {self._address.path} HTTP/1.1\r\nHost: {self._address.place}\r\n"
            f"Content-Type: {self._content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        reader, writer = self._streams
        try:
            writer.write(head.encode() + body)
            await writer.drain()
            return await self._read(reader)
        except BaseException as error:
            await self.close()
            if isinstance(error, HttpError) and not fresh and error.errno is None:
                raise ConnectionResetError("the kept connection was closed") from None
            raise

    async def _read(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        answer = _Answer()
        while not answer.done:
            data = await reader.read(65536)
            if not data:
                if answer.headed and not answer.parser.should_keep_alive():
                    break  # a body that ends with the connection
                raise HttpError("closed before the answer was whole")
            try:
                answer.parser.feed_data(data)
            except httptools.HttpParserError as error:
                raise HttpError(f"the answer is no HTTP ({error})") from None
            if len(answer.body) > ANSWER_MAX:
                raise HttpError("an answer beyond all bounds")
        if not answer.keep:
            await self.close()
        return answer.parser.get_status_code(), bytes(answer.body)

    async def close(self) -> None:
        """Close; harmless when it is."""
        streams, self._streams = self._streams, None
        if streams is not None:
            streams[1].close()
            try:
                await streams[1].wait_closed()
            except (OSError, asyncio.CancelledError):
                pass

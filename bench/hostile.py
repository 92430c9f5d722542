"""Hostile clients for the bench: so many sockets that read slowly, write slowly or flood, from one process.

None of them knows a password. A third opens sessions and leaves the answers unread, a third sends a request or a stream
header byte by byte, a third floods with requests that are refused. The floods together keep to a rate, so that the
process stays a small part of the load driver's core and the figures are the server's. Whoever is thrown out comes
back. Prints `ready` when all sockets were opened once, then runs until its input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from itertools import cycle

FLOOD_PER_S = 1000
"""Hostile requests a second, over all floods."""
BYTE_EVERY_S = 2.0
"""Pause between two bytes of a slow writer."""
AT_ONCE = 50
"""Connections being opened at a time: the server's backlog is not what is measured."""

_BODY = (
    b"<body content='text/xml; charset=utf-8' hold='1' rid='%d' to='localhost' ver='1.10' wait='30' "
    b"xmlns='http://jabber.org/protocol/httpbind'/>"
)
_FLOODS = (
    b"<body rid='1' sid='nobody' xmlns='http://jabber.org/protocol/httpbind'/>",
    b"<body rid='1' sid='nobody' xmlns='http://jabber.org/protocol/httpbind'>" + b"<a>" * 200,
    b"<!DOCTYPE a [<!ENTITY b 'c'>]><body/>",
    b"\0" * 500,
    b"<body " + b"x" * 20_000,
)


class Hostile:
    """All of them."""

    def __init__(self, host: str, port: int, tcp_port: int, path: str, sockets: int) -> None:
        self._host = host
        self._ports = (port, tcp_port)
        self._path = path.encode()
        self._sockets = sockets
        self._opening = asyncio.Semaphore(AT_ONCE)
        self._opened = 0
        self._turn = asyncio.Condition()
        self.ready = asyncio.Event()
        """Set when every socket was open once."""

    async def run(self) -> None:
        """Misbehave until cancelled."""
        kinds = cycle((self._slow_reader, self._slow_writer, self._flood))
        await asyncio.gather(*(self._for_ever(next(kinds), number) for number in range(self._sockets)))

    async def _for_ever(self, misbehave: object, number: int) -> None:
        first = True
        while True:
            try:
                async with self._opening:
                    port = self._ports[number % 2 if misbehave == self._slow_writer else 0]
                    reader, writer = await asyncio.open_connection(self._host, port, limit=4096)
            except OSError:
                await asyncio.sleep(1)
                continue
            if first:
                first = False
                self._opened += 1
                if self._opened == self._sockets:
                    self.ready.set()
            try:
                await misbehave(reader, writer, number)  # type: ignore[operator]
            except (OSError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.transport.abort()
            await asyncio.sleep(self._sockets / FLOOD_PER_S)

    async def _slow_reader(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        """Asks for sessions and landing pages in one go and reads a few bytes a second."""
        reader_transport = writer.transport
        assert isinstance(reader_transport, asyncio.ReadTransport)
        reader_transport.pause_reading()
        for n in range(20):
            writer.write(self._post(_BODY % (number * 1000 + n + 1)))
        await asyncio.sleep(20)

    async def _slow_writer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        data = self._post(_BODY % 1) if number % 2 == 0 else b"<stream:stream to='localhost' version='1.0' xmlns="
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(BYTE_EVERY_S)

    async def _flood(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> None:
        """One bad request after another, until the server has had enough of this connection."""
        floods = self._sockets // 3 + 1
        for body in cycle(_FLOODS):
            writer.write(self._post(body))
            await writer.drain()
            if not await reader.read(4096):
                return
            await asyncio.sleep(floods / FLOOD_PER_S)

    def _post(self, body: bytes) -> bytes:
        return b"POST %b HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (self._path, len(body), body)


async def main() -> None:
    """Read the options, be hostile until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--tcpport", type=int, required=True)
    parser.add_argument("--path", default="/http-bind")
    parser.add_argument("--sockets", type=int, default=2000)
    options = parser.parse_args()
    hostile = Hostile(options.host, options.port, options.tcpport, options.path, options.sockets)
    running = asyncio.create_task(hostile.run())
    await hostile.ready.wait()
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    running.cancel()


if __name__ == "__main__":
    asyncio.run(main())

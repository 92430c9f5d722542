"""The way between one desktop and the server: a relay inside the client's process.

The sockets to the server are real; what the relay does to bytes on them (hold back, lose, answer in the server's place)
happens in the scene's time, which a relay in another process could not know.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from tests.conformance.wire import ANSWER_S, OPEN, Wire

GATEWAY_PAGE = (
    "<html>\r\n<head><title>504 Gateway Time-out</title></head>\r\n<body>\r\n<center><h1>504 Gateway Time-out</h1>"
    "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(slots=True)
class Way:
    """How one kind of traffic (polls or REST) fares."""

    round_trip_s: Callable[[], float] = lambda: 0.015
    dropped: bool = False
    """Nothing passes in either direction, and nobody is told."""
    answers_lost: bool = False
    """Requests pass, answers do not."""
    reset: bool = False
    """Connections are refused at once."""
    tunnel_status: int = 0
    """A proxy answers CONNECT with this; 0: no proxy, or it lets pass."""
    gateway_s: float = 0.0
    """A proxy gives a request up after so long and answers with a page of its own; 0: no such proxy."""


class SourcedWire(Wire):
    """A connection that comes from one of the loopback addresses."""

    def __init__(self, source: str, port: int, tls: ssl.SSLContext | None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_S, source_address=(source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")
        self._buffer = b""
        self._sent_at = 0.0
        OPEN.append(self)

    def arrived(self) -> bool:
        """Whether bytes of an answer, or the end, have come; TLS's own records (session tickets) are none."""
        if self._buffer:
            return True
        if self.silent(0):
            return False
        self.socket.setblocking(False)
        try:
            data = self.socket.recv(65536)
        except (ssl.SSLWantReadError, BlockingIOError):
            return False
        except OSError:
            return True
        finally:
            self.socket.setblocking(True)
        self._buffer += data
        return True

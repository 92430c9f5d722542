"""A network that can be cut: bytes pass between a client and a server until somebody breaks the connections."""

from __future__ import annotations

import selectors
import socket
import struct
import threading


class CuttingProxy:
    """Passes TCP connections on to a port, in a thread of its own."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._wake, self._woken = socket.socketpair()
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._pairs: dict[socket.socket, socket.socket] = {}
        self.lost = 0
        """Bytes of the answer that was lost."""
        self._far: set[socket.socket] = set()
        self._losing = False
        self._orders: list[str] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cutting-proxy", daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """Break every connection, on both sides, as a network that goes away does; new ones pass again."""
        self._order("cut")

    def lose_next_answer(self) -> None:
        """Break, on both sides, the connection on which the server speaks next; what it said is lost."""
        self._order("lose")

    def close(self) -> None:
        """End it."""
        self._order("close")
        self._thread.join(5)
        for end in (self._listener, self._wake, self._woken):
            end.close()
        self._selector.close()

    def _order(self, order: str) -> None:
        self._done.clear()
        self._orders.append(order)
        self._wake.send(b"x")
        assert self._done.wait(5), "the proxy did not obey"

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                end = key.fileobj
                assert isinstance(end, socket.socket)
                if end is self._listener:
                    self._accept()
                elif end is self._woken:
                    self._woken.recv(16)
                    while self._orders:
                        order = self._orders.pop(0)
                        self._losing = order == "lose"
                        for one in list(self._pairs) if order != "lose" else ():
                            self._break(one)
                        self._done.set()
                        if order == "close":
                            return
                elif end in self._pairs:
                    self._pass(end)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        far = socket.create_connection(self._target)
        self._far.add(far)
        for one, other in ((near, far), (far, near)):
            self._pairs[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass(self, end: socket.socket) -> None:
        try:
            data = end.recv(65536)
            if self._losing and end in self._far:
                self.lost, self._losing, data = len(data), False, b""
            self._pairs[end].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._break(end)

    def _break(self, end: socket.socket) -> None:
        other = self._pairs.pop(end, None)
        if other is None:
            return
        del self._pairs[other]
        self._far -= {end, other}
        for one in (end, other):
            self._selector.unregister(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()

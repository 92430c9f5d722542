"""A client's stream over BOSH (XEP-0124, XEP-0206): request ids, held requests, answers in order. No HTTP.

Theory. One request waits at the server as long as there is nothing to say; what is to be said goes in a further one, as
many as the server allows. Answers may come in any order, since each request has a connection of its own; they are read
in the order of the request ids. A request whose connection broke is sent again, the same bytes: the server answers it
again. After TRIES_MAX the session is given up.
"""

from __future__ import annotations

from collections import deque
from typing import Final
from xml.parsers import expat

from poise.protocols.xmpp.bosh.wire import HTTPBIND_NS, XBOSH_NS
from poise.protocols.xmpp.client.outputs import Account, Failure, Frame, Kind, Output, Post, Terms
from poise.protocols.xmpp.client.stream import SERVER_LIMITS, ClientStream
from poise.protocols.xmpp.stanzas import CLIENT_NS
from poise.protocols.xmpp.xml import Element, XmlError, escape_attr, parse

WAIT_S: Final = 30
"""Seconds a request may be held; what the desktop asks for."""
HOLD: Final = 1
TRIES_MAX: Final = 3
"""Times one request is sent, if its connections break."""
CONTENT_TYPE: Final = "text/xml; charset=utf-8"

_FIRST_RID_BITS: Final = 32
_MEANINGS: Final = {
    400: "HTTP status 400 (bad request)",
    403: "HTTP status 403 (policy violation, or not allowed here)",
    404: "HTTP status 404 (no such session, or no BOSH service at this address)",
}


class BoshClientStream(ClientStream):
    """One session: `open`, then `answered` or `failed` for each Post."""

    def __init__(self, account: Account, terms: Terms, nonce: str, first_rid: int) -> None:
        """`first_rid`: unpredictable, at most 32 bits (XEP-0124 section 14.1)."""
        super().__init__(account, terms, nonce)
        assert 0 < first_rid < 2**_FIRST_RID_BITS
        self._rid = first_rid - 1
        self._next = first_rid
        """The answer to be read next."""
        self._sid = ""
        self._requests = 1
        self._open: dict[int, tuple[bytes, int]] = {}
        """Requests under way: their bytes, and how often they were sent."""
        self._early: dict[int, tuple[int, bytes]] = {}
        """Answers that came before their turn."""
        self._queue: deque[bytes] = deque()
        self._leaving = False

    def open(self) -> list[Output]:
        """Ask for a session."""
        outputs: list[Output] = []
        domain = escape_attr(self.account.domain)
        attributes = (
            f" to='{domain}' wait='{WAIT_S}' hold='{HOLD}' ver='1.11' xml:lang='en' content='{CONTENT_TYPE}'"
            f" xmpp:version='1.0' xmlns:xmpp='{XBOSH_NS}'"
        )
        self._request(attributes, [], outputs)
        return outputs

    def answered(self, rid: int, status: int, body: bytes) -> list[Output]:
        """The answer to a request."""
        outputs: list[Output] = []
        if self.ended or rid not in self._open:
            return outputs
        del self._open[rid]
        self._early[rid] = status, body
        while self._next in self._early and not self.ended:  # refusals too: an earlier answer may say why
            self._read(*self._early.pop(self._next), outputs)
            self._next += 1
        self._go_on(outputs)
        return outputs

    def failed(self, rid: int) -> list[Output]:
        """The connection of a request broke before its answer was there."""
        outputs: list[Output] = []
        if self.ended or rid not in self._open:
            return outputs
        data, tries = self._open[rid]
        if tries >= TRIES_MAX or self._leaving:
            self._lose(None if self._leaving else Failure.UNREACHABLE, "no answer", outputs)
        else:
            self._open[rid] = data, tries + 1
            outputs.append(Post(rid, data))
        return outputs

    def close(self) -> list[Output]:
        """Leave in good order; Ended follows with the server's answer."""
        outputs: list[Output] = []
        if not self.ended and not self._leaving:
            self._leaving = True
            if not self._sid:
                self._lose(None, "we left", outputs)
            else:
                self._request(" type='terminate'", self._queue, outputs)
                self._queue.clear()
        return outputs

    # -- inside --------------------------------------------------------------------------------------------------------

    def _write(self, data: bytes, outputs: list[Output]) -> None:
        self._queue.append(data)
        self._go_on(outputs)

    def _begin(self, outputs: list[Output]) -> None:
        domain = escape_attr(self.account.domain)
        restart = f" to='{domain}' xml:lang='en' xmpp:restart='true' xmlns:xmpp='{XBOSH_NS}'"
        self._request(restart, [], outputs)

    def _farewell(self, outputs: list[Output]) -> None:
        if self._sid and not self._leaving:
            self._leaving = True
            self._request(" type='terminate'", [], outputs)

    def _lose(self, failure: Failure | None, detail: str, outputs: list[Output]) -> None:
        """The session is over on the other side: nothing more can be said."""
        self._leaving = True
        self._give_up(failure, detail, outputs)

    def _go_on(self, outputs: list[Output]) -> None:
        """Say what is to be said if a request is free for it; see that one is always under way."""
        if self.ended or self._leaving or not self._sid:
            return
        if self._queue and len(self._open) < self._requests:
            stanzas = list(self._queue)
            self._queue.clear()
            self._request("", stanzas, outputs)
        elif not self._open:
            self._request("", [], outputs)

    def _request(self, attributes: str, stanzas: list[bytes] | deque[bytes], outputs: list[Output]) -> None:
        self._rid += 1
        sid = f" sid='{escape_attr(self._sid)}'" if self._sid else ""
        head = f"<body rid='{self._rid}'{sid} xmlns='{HTTPBIND_NS}'{attributes}"
        envelope = f"{head}/>".encode()
        content = b"".join(stanzas)
        data = f"{head}>".encode() + content + b"</body>" if content else envelope
        self._open[self._rid] = data, 1
        outputs += (Frame(True, Kind.WRAPPER, envelope, parse(envelope)), Post(self._rid, data))

    def _read(self, status: int, body: bytes, outputs: list[Output]) -> None:
        if status != 200:
            text = _MEANINGS.get(status, f"HTTP status {status}")
            self._lose(Failure.STREAM_ERROR if self._sid else Failure.NOT_XMPP, text, outputs)
            return
        try:
            root = parse(body, SERVER_LIMITS)
        except XmlError as error:
            self._lose(Failure.NOT_XMPP, error.detail, outputs)
            return
        if (root.name, root.ns) != ("body", HTTPBIND_NS):
            self._lose(Failure.NOT_XMPP, "the answer is no BOSH body", outputs)
            return
        raws = pieces(body)
        envelope = body[: raws[0][0]].rstrip() if raws else body
        outputs.append(Frame(False, Kind.WRAPPER, envelope, Element(root.name, root.ns, root.attrs)))
        left = self._leaving
        over = root.attrs.get("type") in ("terminate", "terminal")
        self._leaving = self._leaving or over  # then nothing more can be said
        if not self._sid:
            self._agree(root)
        for child, (start, end) in zip(root.elements(), raws, strict=True):
            element = _as_client(child) if child.ns == HTTPBIND_NS else child
            self._hear(element, body[start:end].strip(), outputs)
            if self.ended:
                return
        if over:
            condition = root.attrs.get("condition", "")
            if left:  # whatever the other open requests are answered with
                self._lose(None, "we left", outputs)
            else:
                failure = Failure.STREAM_ERROR if condition else None
                self._lose(failure, condition or "the server ended the session", outputs)
        elif not self._sid:
            self._lose(Failure.NOT_XMPP, "the answer names no session", outputs)

    def _agree(self, creation: Element) -> None:
        self._sid = creation.attrs.get("sid", "")
        requests = creation.attrs.get("requests", str(HOLD + 1))
        self._requests = max(1, min(int(requests), 10)) if requests.isascii() and requests.isdigit() else HOLD + 1


def pieces(body: bytes) -> list[tuple[int, int]]:
    """Where each child of a well-formed body begins and ends."""
    parser = expat.ParserCreate("utf-8")
    depth = 0
    starts: list[int] = []
    end = len(body)

    def start(_name: str, _attrs: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth == 2:
            starts.append(parser.CurrentByteIndex)

    def stop(_name: str) -> None:
        nonlocal depth, end
        depth -= 1
        if depth == 0:
            end = parser.CurrentByteIndex

    parser.StartElementHandler = start
    parser.EndElementHandler = stop
    parser.Parse(body, True)
    return list(zip(starts, [*starts[1:], end], strict=bool(starts)))


def _as_client(element: Element) -> Element:
    """An element that got the body's namespace only because its author wrote none."""
    children = tuple(
        _as_client(child) if isinstance(child, Element) and child.ns == HTTPBIND_NS else child
        for child in element.children
    )
    return Element(element.name, CLIENT_NS, element.attrs, children)

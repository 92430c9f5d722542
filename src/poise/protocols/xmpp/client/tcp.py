"""A client's stream over TCP (RFC 6120 section 4): header out, elements in, STARTTLS. No sockets."""

from __future__ import annotations

import re
from typing import Final

from poise.protocols.xmpp.client.outputs import Account, Failure, Frame, Kind, Output, Terms, Write
from poise.protocols.xmpp.client.stream import SERVER_LIMITS, ClientStream
from poise.protocols.xmpp.errors import STREAM_NS
from poise.protocols.xmpp.stanzas import CLIENT_NS
from poise.protocols.xmpp.xml import Element, XmlError, escape_attr
from poise.protocols.xmpp.xml_stream import StreamClosed, StreamEvent, StreamOpened, StreamParser

_CLOSE: Final = b"</stream:stream>"
_PIECE: Final = re.compile(rb"[^>]*>|[^>]+")
"""Bytes up to a possible end of a tag: fed one by one, each event ends exactly with its piece, and so its raw text is
known."""


class TcpClientStream(ClientStream):
    """One TCP connection: `open`, then `receive` what comes; after Secure, `secured` once TLS stands."""

    def __init__(self, account: Account, terms: Terms, nonce: str) -> None:
        """`nonce`: fresh and unpredictable."""
        super().__init__(account, terms, nonce)
        self._parser = StreamParser(SERVER_LIMITS)
        self._raw = bytearray()
        """What came since the last event."""
        self._heard = False
        self._closed = False

    def open(self) -> list[Output]:
        """Begin."""
        outputs: list[Output] = []
        self._begin(outputs)
        return outputs

    def secured(self) -> list[Output]:
        """TLS stands: begin anew behind it."""
        self.sign_in.secured()
        return self.open()

    def receive(self, data: bytes) -> list[Output]:
        """Bytes of the server, split in any way."""
        outputs: list[Output] = []
        self._heard = self._heard or bool(data)
        for piece in _PIECE.findall(data):
            if self.ended:
                break
            self._raw += piece
            for event in self._parser.feed(piece):
                raw = bytes(self._raw.strip())
                self._raw.clear()
                if not self.ended:  # a root without content is opened and closed at once
                    self._event(event, raw, outputs)
        if self._raw.isspace():
            self._raw.clear()  # white space that keeps the connection alive
        return outputs

    def lost(self) -> list[Output]:
        """The connection is gone."""
        outputs: list[Output] = []
        self._closed = True
        if self._heard:
            self._give_up(Failure.UNREACHABLE, "it was closed without an end of stream", outputs)
        else:
            self._give_up(Failure.NOT_XMPP, "closed without a word; a port of TLS from the first byte does so", outputs)
        return outputs

    def close(self) -> list[Output]:
        """Leave in good order: Ended follows at once; what the server says after it is not waited for."""
        outputs: list[Output] = []
        self._give_up(None, "we left", outputs)
        return outputs

    # -- inside --------------------------------------------------------------------------------------------------------

    def _event(self, event: StreamEvent, raw: bytes, outputs: list[Output]) -> None:
        if isinstance(event, Element):
            self._hear(event, raw, outputs)
        elif isinstance(event, StreamOpened):
            outputs.append(Frame(False, Kind.STREAM, raw, None))
            if (event.name, event.ns) != ("stream", STREAM_NS):
                self._give_up(Failure.NOT_XMPP, "the answer is no XMPP stream", outputs)
        elif isinstance(event, StreamClosed):
            outputs.append(Frame(False, Kind.STREAM, raw, None))
            self._give_up(None, "the server closed the stream", outputs)
        else:
            assert isinstance(event, XmlError)
            self._give_up(Failure.NOT_XMPP, event.detail, outputs)

    def _begin(self, outputs: list[Output]) -> None:
        self._parser = StreamParser(SERVER_LIMITS)
        header = (
            f'<?xml version="1.0"?><stream:stream to="{escape_attr(self.account.domain)}" version="1.0" '
            f'xml:lang="en" xmlns="{CLIENT_NS}" xmlns:stream="{STREAM_NS}">'
        ).encode()
        outputs += (Frame(True, Kind.STREAM, header, None), Write(header))

    def _write(self, data: bytes, outputs: list[Output]) -> None:
        outputs.append(Write(data))

    def _farewell(self, outputs: list[Output]) -> None:
        if not self._closed:
            outputs += (Frame(True, Kind.STREAM, _CLOSE, None), Write(_CLOSE))

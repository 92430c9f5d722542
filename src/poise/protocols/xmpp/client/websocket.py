"""A client's stream over WebSocket, above the frames (RFC 7395): text messages in and out. No sockets."""

from __future__ import annotations

from typing import Final

from poise.protocols.xmpp.client.outputs import Account, Failure, Frame, Kind, Output, Terms, Write
from poise.protocols.xmpp.client.stream import SERVER_LIMITS, ClientStream, parse_element
from poise.protocols.xmpp.framing import CLOSE, FRAMING_NS
from poise.protocols.xmpp.xml import XmlError, escape_attr, parse

SUBPROTOCOL: Final = "xmpp"


class WebSocketClientStream(ClientStream):
    """One WebSocket: `open`, then `receive` each text message. Each Write is one text message."""

    def __init__(self, account: Account, terms: Terms, nonce: str) -> None:
        """`nonce`: fresh and unpredictable."""
        super().__init__(account, terms, nonce)
        self._closed = False

    def open(self) -> list[Output]:
        """Begin."""
        outputs: list[Output] = []
        self._begin(outputs)
        return outputs

    def receive(self, message: bytes) -> list[Output]:
        """One text message of the server."""
        outputs: list[Output] = []
        if self.ended or not message.strip():
            return outputs
        try:
            element = parse(message, SERVER_LIMITS)
        except XmlError as error:
            try:
                element = parse_element(message)  # servers that do not declare the prefix `stream` in each message
            except XmlError:
                self._give_up(Failure.NOT_XMPP, error.detail, outputs)
                return outputs
        if element.ns != FRAMING_NS:
            self._hear(element, message, outputs)
            return outputs
        outputs.append(Frame(False, Kind.STREAM, message, element))
        if element.name == "close":
            elsewhere = element.attrs.get("see-other-uri", "")
            failure = Failure.STREAM_ERROR if elsewhere else None
            detail = f"see-other-uri {elsewhere}" if elsewhere else "the server closed the stream"
            self._give_up(failure, detail, outputs)
        return outputs

    def lost(self) -> list[Output]:
        """The connection is gone."""
        outputs: list[Output] = []
        self._closed = True
        self._give_up(Failure.UNREACHABLE, "it was closed without an end of stream", outputs)
        return outputs

    def close(self) -> list[Output]:
        """Leave in good order."""
        outputs: list[Output] = []
        self._give_up(None, "we left", outputs)
        return outputs

    # -- inside --------------------------------------------------------------------------------------------------------

    def _begin(self, outputs: list[Output]) -> None:
        head = f'<open xmlns="{FRAMING_NS}" to="{escape_attr(self.account.domain)}" version="1.0" xml:lang="en"/>'
        self._say(head.encode(), parse(head.encode()), outputs)

    def _write(self, data: bytes, outputs: list[Output]) -> None:
        outputs.append(Write(data))

    def _farewell(self, outputs: list[Output]) -> None:
        if not self._closed:
            outputs += (Frame(True, Kind.STREAM, CLOSE, parse(CLOSE)), Write(CLOSE))

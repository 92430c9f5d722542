"""What the CTI client tells the web services log. The room `serviceability` writes it in the seed's form."""

from __future__ import annotations

from typing import Protocol

from poise.protocols.cti.messages import Message


class CtiLog(Protocol):
    """A place where CTI traffic is told. Heartbeats are not told.

    The texts of the seed are made by `poise.protocols.cti.seedform`: `request_text(message)` for MESSAGE_TO_CTI_SERVER
    and `decoded_text(message, sequence_id=..., received_ms=..., dispatch_ms=..., deployment="CCE")` for
    DECODED_MESSAGE_FROM_CTI_SERVER.
    """

    def message_to_cti_server(self, message: Message) -> None:
        """A request was handed to the socket."""

    def decoded_message_from_cti_server(self, message: Message, received_ms: int, dispatch_ms: int) -> None:
        """An event or confirmation was read at `received_ms` and dispatched at `dispatch_ms` (ms since the epoch)."""

    def cti_link_up(self, side: str, address: str) -> None:
        """The link to side "A" or "B" is open and synchronised: the CTI server's truth is known."""

    def cti_link_down(self, side: str, address: str, reason: str) -> None:
        """The link, or an attempt to open it, ended; `reason` is one sentence without secrets."""

    def cti_link_trouble(self, text: str) -> None:
        """Something odd that did not end the link, such as a message that could not be decoded."""

"""What the client's streams have in common, whatever carries them: sign-in, stanzas out, what is told of both ways."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Final

from poise.protocols.xmpp.client.outputs import Account, Ended, Failure, Frame, Kind, Output, Ready, Secure, Terms
from poise.protocols.xmpp.client.sign_in import Done, GoSecure, Restart, Say, SignIn
from poise.protocols.xmpp.client.states import State
from poise.protocols.xmpp.errors import STREAM_NS
from poise.protocols.xmpp.stanzas import CLIENT_NS
from poise.protocols.xmpp.xml import Element, Limits, XmlError, XmlFault, parse

SERVER_LIMITS: Final = Limits(size=16 * 1024 * 1024, token=1024 * 1024, depth=256, nodes=1_000_000)
"""Bounds on what a server may send: a listing of all nodes of a large centre has some megabytes."""
_HEAD: Final = f'<w xmlns="{CLIENT_NS}" xmlns:stream="{STREAM_NS}">'.encode()
_NAME: Final = re.compile(rb"<[^\s/>]+")
STANZAS: Final = ("message", "presence", "iq")


class ClientStream(ABC):
    """One connection. Subclasses carry it: they write, begin the stream anew, and end it."""

    def __init__(self, account: Account, terms: Terms, nonce: str) -> None:
        """`nonce`: fresh and unpredictable."""
        self.account = account
        self.sign_in = SignIn(account, terms, nonce)
        self.ended = False
        """Whether the stream is over: nothing more is heard, nothing may be sent."""

    @property
    def ready(self) -> bool:
        """Whether stanzas may be sent."""
        return self.sign_in.state is State.READY and not self.ended

    @property
    def jid(self) -> str:
        """Our full JID; empty before bind."""
        return self.sign_in.jid

    def send(self, stanza: bytes) -> list[Output]:
        """A whole element, as UTF-8. One that names no namespace gets the one of stanzas. Nothing happens once the
        stream is over. Raises XmlError for what is no element: it would break the stream."""
        element = parse_element(stanza)
        if element.ns == CLIENT_NS and b"xmlns" not in stanza.partition(b">")[0]:
            stanza = _NAME.sub(rb'\g<0> xmlns="%b"' % CLIENT_NS.encode(), stanza, count=1)  # WebSocket needs it
        outputs: list[Output] = []
        if not self.ended:
            self._say(stanza, element, outputs)
        return outputs

    # -- for the bindings ----------------------------------------------------------------------------------------------

    @abstractmethod
    def _write(self, data: bytes, outputs: list[Output]) -> None:
        """A whole element for the server."""

    @abstractmethod
    def _begin(self, outputs: list[Output]) -> None:
        """Begin the stream, or begin it anew."""

    @abstractmethod
    def _farewell(self, outputs: list[Output]) -> None:
        """The last words, if any may be said."""

    def _say(self, data: bytes, element: Element, outputs: list[Output]) -> None:
        outputs.append(Frame(True, kind_of(element), data, element))
        self._write(data, outputs)

    def _hear(self, element: Element, raw: bytes, outputs: list[Output]) -> None:
        """An element of the server."""
        outputs.append(Frame(False, kind_of(element), raw, element))
        for step in self.sign_in.receive(element):
            if isinstance(step, Say):
                self._say(step.data, parse_element(step.data), outputs)
            elif isinstance(step, GoSecure):
                outputs.append(Secure())
            elif isinstance(step, Restart):
                self._begin(outputs)
            elif isinstance(step, Done):
                outputs.append(Ready(step.jid))
            else:
                self._give_up(step.failure, step.detail, outputs)

    def _give_up(self, failure: Failure | None, detail: str, outputs: list[Output]) -> None:
        if self.ended:
            return
        self._farewell(outputs)
        self.ended = True
        self.sign_in.close()
        outputs.append(Ended(failure, detail))


def kind_of(element: Element) -> Kind:
    """What a top element is."""
    return Kind.STANZA if element.name in STANZAS and element.ns == CLIENT_NS else Kind.STREAM


def parse_element(data: bytes) -> Element:
    """One element as it stands in a client's stream: what has no namespace of its own is in `jabber:client`, and the
    prefix `stream` may be used. Raises XmlError."""
    root = parse(_HEAD + data + b"</w>", SERVER_LIMITS)
    children = list(root.elements())
    if len(children) != 1 or root.text.strip():
        raise XmlError(XmlFault.NOT_WELL_FORMED, "not one element")
    return children[0]

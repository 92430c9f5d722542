"""Changes on their way to disk, and answers that wait until they are there.

Theory. Whoever changes something that must survive a restart notes it here. When the input that caused it has been
handled, its notes leave together as one event `Unstored` with a token, and the answer to the input waits for that
token. So do all later answers to the same client: they would tell it that the earlier stanza was taken care of (a pong
behind a message over TCP; over BOSH the binding holds its answers back as long as the client is in `unstored`). The
shell says `stored(token)`, which covers every token up to that one, because a store writes in order.

Before the journal is enabled nothing is noted and nothing waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from poise.protocols.xmpp.delivery import Client, Event, Output, Released, To, Unstored
from poise.protocols.xmpp.errors import stanza_error
from poise.protocols.xmpp.records import Change
from poise.protocols.xmpp.xml import Element


class _Waiting(NamedTuple):
    token: int
    client: Client
    request: Element
    """Addressed as the error stanza that answers it when it could not be stored must be."""
    outputs: tuple[Output, ...]


class Journal:
    """The notes of one host."""

    def __init__(self, outbox: deque[Output], events: deque[Event]) -> None:
        self.enabled = False
        self.changes: list[Change] = []
        """Notes of the input being handled."""
        self.unstored: dict[Client, int] = {}
        """Clients that sent something not yet durable -> how many of their answers wait."""
        self._outbox = outbox
        self._events = events
        self._token = 0
        self._waiting: deque[_Waiting] = deque()

    def note(self, change: Change) -> None:
        """Something has changed that must survive a restart."""
        if self.enabled:
            self.changes.append(change)

    def answer(self, client: Client, request: Element, outputs: Iterable[Output]) -> None:
        """Give out what answers a client's stanza: now, or when what it changed is durable. `request` is addressed
        from the client to whom it asked."""
        if not self.changes and client not in self.unstored:
            self._outbox.extend(outputs)
            return
        self._issue()
        asked = Element(request.name, request.ns, request.attrs)  # without what it carried, which may be much
        self._waiting.append(_Waiting(self._token, client, asked, tuple(outputs)))
        self.unstored[client] = self.unstored.get(client, 0) + 1

    def seal(self) -> None:
        """An input of the product has been handled: nobody waits, but the changes are to be stored."""
        if self.changes:
            self._issue()

    def stored(self, token: int, durable: bool) -> None:
        """Everything up to this token is durable; or, not `durable`, could not be written: who waits is told."""
        waiting = self._waiting
        while waiting and waiting[0].token <= token:
            _, client, request, outputs = waiting.popleft()
            if durable:
                self._outbox.extend(outputs)
            else:
                text = "the server could not store it"
                error = stanza_error(request, "internal-server-error", "wait", text)
                self._outbox.append(To(client, error))
            left = self.unstored[client] - 1
            if left:
                self.unstored[client] = left
            else:
                del self.unstored[client]
                self._events.append(Released(client))

    def _issue(self) -> None:
        """Hand the notes to the shell under a new token; without notes the latest one stands for them."""
        if self.changes:
            self._token += 1
            self._events.append(Unstored(self._token, tuple(self.changes)))
            self.changes.clear()

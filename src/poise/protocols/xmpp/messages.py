"""Where a message goes (RFC 6121 section 8.5): one table of treatments by kind of address and type.

Theory. A message to a bare JID goes to the most available resource, not to all: then it is in exactly one place, and
when that session turns out to be dead the message can go to the next or into the store, never twice and never
nowhere. A headline goes to all and is never stored. A message to a resource that is not there may reach another
resource only when it is chat. What has no body (chat states, receipts) is not worth storing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

from poise.protocols.xmpp.delivery import StoredOffline, To
from poise.protocols.xmpp.jid import Jid
from poise.protocols.xmpp.offline import OfflineStore
from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import DELAY_NS, StanzaRefused, relayed
from poise.protocols.xmpp.xml import Element, to_bytes


class Treatment(Enum):
    """What is done with a message that has no session of exactly its address."""

    BEST = "to the most available resource, or kept"
    EVERY = "to every resource, or dropped"
    BOUNCE = "answered with an error"
    DROP = "dropped"


TREATMENTS: Final[Mapping[tuple[bool, str], Treatment]] = {
    (False, "normal"): Treatment.BEST,
    (False, "chat"): Treatment.BEST,
    (False, "headline"): Treatment.EVERY,
    (False, "groupchat"): Treatment.BOUNCE,
    (False, "error"): Treatment.DROP,
    (True, "normal"): Treatment.BOUNCE,
    (True, "chat"): Treatment.BEST,
    (True, "headline"): Treatment.DROP,
    (True, "groupchat"): Treatment.BOUNCE,
    (True, "error"): Treatment.DROP,
}
"""(addressed to a resource, type) -> treatment. RFC 6121 section 8.5.4 is the same table with choices left open."""


def type_of(message: Element) -> str:
    """The message's type; an unknown one counts as normal (RFC 6121 section 5.2.2)."""
    kind = message.attrs.get("type", "normal")
    return kind if (False, kind) in TREATMENTS else "normal"


def has_body(message: Element) -> bool:
    """Whether it holds words for a person."""
    body = message.child("body", message.ns)
    return body is not None and bool(body.children)


class Messages:
    """Routes messages between users."""

    def __init__(self, shared: Shared, offline: OfflineStore) -> None:
        self._presence = shared.presence
        self._offline = offline
        self._exists = shared.rules.exists
        self._outbox = shared.outbox
        self._events = shared.events
        self._counters = shared.counters

    def send(self, message: Element, sender: str, to: Jid) -> None:
        """Route a client's message to a user of this domain. Raises StanzaRefused."""
        stanza = relayed(message, sender, message.attrs.get("to") or to.bare)
        if to.resource:
            session = self._presence.session(to.full)
            if session is not None:
                self._outbox.append(To(session.client, stanza))
                return
        self._treat(message, stanza, to)

    def come_back(self, message: Element, to: Jid) -> bool:
        """Route again a message that a session ended without having collected; whether it still goes somewhere.

        It had a session to go to then, so what to do now is decided as if it had been addressed to the user. Raises
        StanzaRefused when its sender must be told.
        """
        if type_of(message) not in ("normal", "chat") or not has_body(message):
            return False
        self._best(message, to_bytes(message), to)
        return True

    def hand_out(self, session: Session, domain: bytes) -> None:
        """Give a session that has become available what was kept for its user."""
        for stanza in self._offline.take(session.account.bare, domain):
            self._outbox.append(To(session.client, stanza))
            self._counters.messages_handed_out += 1

    def _treat(self, message: Element, stanza: bytes, to: Jid) -> None:
        kind = type_of(message)
        treatment = TREATMENTS[bool(to.resource), kind]
        if treatment is Treatment.BEST:
            self._best(message, stanza, to)
        elif treatment is Treatment.EVERY:
            account = self._presence.account(to.bare)
            if account is not None:
                self._outbox.extend(To(session.client, stanza) for session in account.routable)
        elif treatment is Treatment.BOUNCE:
            self._bounce()

    def _best(self, message: Element, stanza: bytes, to: Jid) -> None:
        account = self._presence.account(to.bare)
        session = account.best() if account is not None else None
        if session is not None:
            self._outbox.append(To(session.client, stanza))
            return
        if not self._exists(to.local):
            self._bounce()
        if not has_body(message):
            return
        if not self._offline.put(to.bare, stanza, message.child("delay", DELAY_NS) is not None):
            self._bounce()
        self._counters.messages_stored += 1
        self._events.append(StoredOffline(to.bare, True, stanza))

    def _bounce(self) -> None:
        self._counters.messages_bounced += 1
        raise StanzaRefused("service-unavailable")

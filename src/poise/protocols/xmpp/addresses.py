"""The addresses that are the server's own, and what to say about the others."""

from __future__ import annotations

from enum import Enum

from poise.protocols.xmpp.jid import Jid, JidError, prepare
from poise.protocols.xmpp.stanzas import StanzaRefused, quote


class Address(Enum):
    """Whom a request to the server is for."""

    ACCOUNT = "the sender's own account"
    DOMAIN = "the server"
    PUBSUB = "the pubsub service"
    OTHER = "another user's account, or none"


class Addresses:
    """The domain and its pubsub service."""

    def __init__(self, domain: str, pubsub_domain: str) -> None:
        """Raises JidError for what is no domain name."""
        self.domain = prepare(domain).full
        self.pubsub_domain = prepare(pubsub_domain).full
        self._own = {self.domain: Address.DOMAIN, self.pubsub_domain: Address.PUBSUB}
        self._quoted = {text: quote(text) for text in self._own}

    def server(self, text: str) -> Address | None:
        """Which of the server's addresses this text is as it stands."""
        return self._own.get(text)

    def quoted(self, text: str) -> bytes:
        """An address as the bytes of an attribute; the server's own ones are ready."""
        return self._quoted.get(text) or quote(text)

    def jid(self, text: str) -> Jid:
        """An address in this domain or of the pubsub service; there is no federation. Raises StanzaRefused."""
        try:
            jid = prepare(text)
        except JidError as error:
            raise StanzaRefused("jid-malformed", text=str(error)) from None
        if jid.domain not in self._own:
            raise StanzaRefused("remote-server-not-found")
        return jid

    def user(self, text: str) -> Jid | None:
        """A user's bare or full JID; None for an address of the server itself. Raises StanzaRefused."""
        jid = self.jid(text)
        return jid if jid.local and jid.domain == self.domain else None

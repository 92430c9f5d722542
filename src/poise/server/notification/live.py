"""A session as operators may see it: enough to find the one in trouble, too little to take it over."""

from __future__ import annotations

from typing import NamedTuple

from poise.protocols.xmpp.xml import parse
from poise.server.notification.client import ClientSession, Load

SHOWN = ("away", "chat", "dnd", "xa")
"""Values of `<show/>` (RFC 6121 section 4.7.2.1)."""


class LiveSession(NamedTuple):
    """One session now."""

    id: str
    """The start of its sid: enough to tell sessions apart, too little to take one over."""
    transport: str
    """`bosh`, `tcp` or `websocket`."""
    jid: str
    """Full JID; empty before bind."""
    address: str
    age_s: float
    idle_s: float
    heard_after_s: float
    """Seconds ago: the client was certainly there then."""
    heard_before_s: float
    """Seconds ago: nothing came from the client since. Last contact lies between the two."""
    load: Load
    """What is held and waits."""
    presence: str
    """`available`, `away`, `chat`, `dnd`, `xa`, `unavailable`; empty before the first one."""
    sent: int
    """Stanzas for the client so far."""
    received: int
    """Stanzas of the client so far."""


def live(client: ClientSession, now: float) -> LiveSession:
    """The picture of a session."""
    after, before = client.heard(now)
    return LiveSession(
        f"{client.name[:4]}…",
        client.transport,
        client.jid,
        client.address,
        now - client.created_at,
        client.idle_s(now),
        now - after,
        now - before,
        client.load,
        _shown(client.presence),
        client.sent,
        client.received,
    )


def _shown(presence: bytes) -> str:
    """A presence in one word."""
    if not presence:
        return ""
    element = parse(presence)
    if element.attrs.get("type") is not None:
        return "unavailable"
    show = element.child("show")
    word = show.text.strip() if show is not None else ""
    return word if word in SHOWN else "available"

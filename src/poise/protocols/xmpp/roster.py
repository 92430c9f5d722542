"""The roster of every user: one entry, the server's own user, whose presence says that the web services are there.

Agents see each other's state through pubsub nodes, never through presence, so rosters are the server's and the same
for all (RFC 6121 section 2; Finesse guide: clients watch the presence of the XMPP user `finesse`).
"""

from __future__ import annotations

from poise.protocols.xmpp.stanzas import ROSTER_NS, StanzaRefused, quote

SERVER_USER = "finesse"
"""Local part of the server's own user. Clients look for exactly this name."""


def roster(domain: str) -> bytes:
    """The `<query/>` that answers a roster get. `both`: each sees the other's presence."""
    jid = quote(f"{SERVER_USER}@{domain}")
    return b'<query xmlns="%b"><item jid="%b" name="%b" subscription="both"/></query>' % (
        ROSTER_NS.encode(),
        jid,
        SERVER_USER.encode(),
    )


def refuse_roster_set() -> StanzaRefused:
    """Why nobody changes a roster here."""
    return StanzaRefused("not-allowed", text="rosters are managed by the server")

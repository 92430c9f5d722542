"""The roster, by itself."""

from __future__ import annotations

from poise.protocols.xmpp.roster import roster
from poise.protocols.xmpp.xml import Element, parse


def test_the_roster_names_the_server_user_of_the_domain() -> None:
    item = Element("item", "jabber:iq:roster", {"jid": "finesse@a.example", "name": "finesse", "subscription": "both"})
    assert parse(roster("a.example")) == Element("query", "jabber:iq:roster", {}, (item,))

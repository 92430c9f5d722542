"""The requests that people make of an XMPP server, ready to send. Ids come from outside."""

from __future__ import annotations

from poise.protocols.xmpp.stanzas import (
    CLIENT_NS,
    DISCO_INFO_NS,
    DISCO_ITEMS_NS,
    PING_NS,
    PUBSUB_NS,
    ROSTER_NS,
    VERSION_NS,
)
from poise.protocols.xmpp.xml import escape, escape_attr


def iq(kind: str, iq_id: str, payload: str, to: str = "") -> bytes:
    """A request; `kind` is `get` or `set`, an empty `to` the own account."""
    return (
        f'<iq xmlns="{CLIENT_NS}" type="{kind}" id="{escape_attr(iq_id)}"{_attribute("to", to)}>{payload}</iq>'.encode()
    )


def items_of(iq_id: str, jid: str, node: str = "") -> bytes:
    """What an entity has: of a pubsub service its nodes, the query the seed shows (XEP-0030 section 4)."""
    return iq("get", iq_id, f'<query xmlns="{DISCO_ITEMS_NS}"{_attribute("node", node)}/>', jid)


def info_of(iq_id: str, jid: str, node: str = "") -> bytes:
    """What an entity is and can do (XEP-0030 section 3)."""
    return iq("get", iq_id, f'<query xmlns="{DISCO_INFO_NS}"{_attribute("node", node)}/>', jid)


def subscriptions(iq_id: str, service: str, node: str = "") -> bytes:
    """The own subscriptions at a pubsub service (XEP-0060 section 5.6)."""
    return iq("get", iq_id, _pubsub(f"<subscriptions{_attribute('node', node)}/>"), service)


def subscribe(iq_id: str, service: str, node: str, jid: str) -> bytes:
    """Subscribe a JID (XEP-0060 section 6.1)."""
    return iq("set", iq_id, _pubsub(f'<subscribe node="{escape_attr(node)}" jid="{escape_attr(jid)}"/>'), service)


def unsubscribe(iq_id: str, service: str, node: str, jid: str, subid: str = "") -> bytes:
    """End a subscription (XEP-0060 section 6.2)."""
    which = f'node="{escape_attr(node)}" jid="{escape_attr(jid)}"{_attribute("subid", subid)}'
    return iq("set", iq_id, _pubsub(f"<unsubscribe {which}/>"), service)


def items(iq_id: str, service: str, node: str, most: int = 0) -> bytes:
    """Published items, the newest `most` or all (XEP-0060 section 6.5)."""
    limit = f' max_items="{most}"' if most else ""
    return iq("get", iq_id, _pubsub(f'<items node="{escape_attr(node)}"{limit}/>'), service)


def publish(iq_id: str, service: str, node: str, payload: str, item_id: str = "") -> bytes:
    """Publish an item; `payload` is one XML element (XEP-0060 section 7.1)."""
    item = f"<item{_attribute('id', item_id)}>{payload}</item>"
    return iq("set", iq_id, _pubsub(f'<publish node="{escape_attr(node)}">{item}</publish>'), service)


def ping(iq_id: str, jid: str) -> bytes:
    """Whether somebody is there (XEP-0199)."""
    return iq("get", iq_id, f'<ping xmlns="{PING_NS}"/>', jid)


def version(iq_id: str, jid: str) -> bytes:
    """Name and version of the software (XEP-0092)."""
    return iq("get", iq_id, f'<query xmlns="{VERSION_NS}"/>', jid)


def roster(iq_id: str) -> bytes:
    """The own roster (RFC 6121 section 2.1.3)."""
    return iq("get", iq_id, f'<query xmlns="{ROSTER_NS}"/>')


def presence(show: str = "", to: str = "") -> bytes:
    """Presence: available, one of away, chat, dnd and xa, or `unavailable` (RFC 6121 section 4.7)."""
    kind = ' type="unavailable"' if show == "unavailable" else ""
    inside = f"<show>{escape(show)}</show>" if show not in ("", "available", "unavailable") else ""
    head = f'<presence xmlns="{CLIENT_NS}"{kind}{_attribute("to", to)}'
    return (f"{head}>{inside}</presence>" if inside else f"{head}/>").encode()


def message(message_id: str, to: str, text: str) -> bytes:
    """A chat message (RFC 6121 section 5.2)."""
    head = f'<message xmlns="{CLIENT_NS}" type="chat" id="{escape_attr(message_id)}" to="{escape_attr(to)}">'
    return f"{head}<body>{escape(text)}</body></message>".encode()


def _pubsub(inside: str) -> str:
    return f'<pubsub xmlns="{PUBSUB_NS}">{inside}</pubsub>'


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escape_attr(value)}"' if value else ""

"""What the handlers of pubsub requests have in common: the request itself, and how its parts are found and refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from poise.protocols.xmpp.jid import Jid, JidError, prepare
from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.pubsub.nodes import Node
from poise.protocols.xmpp.pubsub.rights import Capability
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.stanzas import PUBSUB_NS, PUBSUB_OWNER_NS, StanzaRefused
from poise.protocols.xmpp.xml import Element


class Request(NamedTuple):
    """One verb somebody sent."""

    sender: Session
    verb: Element
    companions: tuple[Element, ...]
    """What stood beside it in `<pubsub/>`."""


class Verb(NamedTuple):
    """How a request is answered."""

    handler: Callable[[PubSub, Request], bytes]
    features: tuple[str, ...] = ()
    """Names announced by disco#info, after `http://jabber.org/protocol/pubsub#`."""
    companions: frozenset[str] = frozenset()
    """Elements allowed beside the verb."""


def named(service: PubSub, verb: Element) -> Node:
    """The node a verb is about."""
    name = verb.attrs.get("node")
    if not name:
        raise StanzaRefused("bad-request", "nodeid-required")
    node = service.nodes.get(name)
    if node is None:
        raise StanzaRefused("item-not-found")
    return node


def permitted(service: PubSub, request: Request, capability: Capability) -> Node:
    """The node a verb is about, if the sender may do that with it."""
    node = named(service, request.verb)
    account = request.sender.account
    service.demand(capability, node, account.user, account.bare)
    return node


def subscriber(verb: Element) -> Jid:
    """The JID a verb is about."""
    try:
        return prepare(verb.attrs.get("jid", ""))
    except JidError:
        raise StanzaRefused("bad-request", "invalid-jid") from None


def companion(request: Request, name: str) -> Element | None:
    """What stands beside the verb under that name."""
    return next((element for element in request.companions if element.name == name), None)


def user_answer(inside: bytes) -> bytes:
    """The payload of a result in the users' namespace."""
    return b'<pubsub xmlns="%b">%b</pubsub>' % (_USER, inside)


def owner_answer(inside: bytes) -> bytes:
    """The payload of a result in the owners' namespace."""
    return b'<pubsub xmlns="%b">%b</pubsub>' % (_OWNER, inside)


def elements(verb: Element, name: str, app: str) -> list[Element]:
    """The verb's children, all of that name. Raises StanzaRefused with that condition of XEP-0060 otherwise."""
    found = [child for child in verb.children if type(child) is Element]
    if not found or any(child.name != name for child in found):
        raise StanzaRefused("bad-request", app)
    return found


def joined(parts: Iterable[bytes]) -> bytes:
    """Many entries as one."""
    return b"".join(parts)


_USER: Final = PUBSUB_NS.encode()
_OWNER: Final = PUBSUB_OWNER_NS.encode()

"""What owners ask for: nodes made, configured and deleted, and who is what to them (XEP-0060 section 8)."""

from __future__ import annotations

from poise.protocols.xmpp import disco
from poise.protocols.xmpp.jid import Jid, JidError, prepare
from poise.protocols.xmpp.pubsub import forms
from poise.protocols.xmpp.pubsub.config import DEFAULT_CONFIG, NODE_CONFIG, NODE_FIELDS, configured
from poise.protocols.xmpp.pubsub.nodes import Node, SubscriptionState
from poise.protocols.xmpp.pubsub.requests import (
    Request,
    companion,
    elements,
    joined,
    owner_answer,
    permitted,
)
from poise.protocols.xmpp.pubsub.rights import Affiliation, Capability
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.stanzas import StanzaRefused, quote
from poise.protocols.xmpp.xml import Element


def create(service: PubSub, request: Request) -> bytes:
    """A new node, with the configuration that stands beside it."""
    name = request.verb.attrs.get("node")
    account = request.sender.account
    if not service.is_administrator(account.bare):
        raise StanzaRefused("forbidden")
    if not name:
        raise StanzaRefused("not-acceptable", "nodeid-required")
    config = DEFAULT_CONFIG
    for beside in request.companions:
        if "node" in beside.attrs:
            raise StanzaRefused("bad-request", text="configure beside create names no node")
        config = configured(config, beside)
    service.create(name, config, creator=account.bare)
    return b""


def configuration(service: PubSub, request: Request) -> bytes:
    """The form of a node's configuration."""
    node = permitted(service, request, Capability.CONFIGURE)
    form = forms.form(NODE_FIELDS, NODE_CONFIG, node.config)
    return owner_answer(b'<configure node="%b">%b</configure>' % (node.quoted, form))


def configure(service: PubSub, request: Request) -> bytes:
    """Change a node's configuration; a cancelled form changes nothing."""
    node = permitted(service, request, Capability.CONFIGURE)
    service.configure(node, configured(node.config, request.verb))
    return b""


def default_configuration(service: PubSub, request: Request) -> bytes:
    """The form of the configuration that a new node has."""
    form = forms.form(NODE_FIELDS, NODE_CONFIG, DEFAULT_CONFIG)
    return owner_answer(b"<default>%b</default>" % form)


def delete(service: PubSub, request: Request) -> bytes:
    """Remove a node with all it has."""
    service.delete(permitted(service, request, Capability.DELETE))
    return b""


def affiliations(service: PubSub, request: Request) -> bytes:
    """Who is what to a node; those who are nothing are not listed."""
    node = permitted(service, request, Capability.MANAGE)
    known = tuple(node.affiliations)
    page = disco.page(known, companion(request, "set"), service.policy.disco_page_items)
    entries = joined(_affiliation(node, bare) for bare in known[page.start : page.stop])
    return owner_answer(b'<affiliations node="%b">%b</affiliations>%b' % (node.quoted, entries, page.paging))


def set_affiliations(service: PubSub, request: Request) -> bytes:
    """Change what users are to a node. Entries that cannot be are given back as they were; the others count."""
    node = permitted(service, request, Capability.MANAGE)
    wanted: dict[str, tuple[Affiliation, str]] = {}
    for entry in elements(request.verb, "affiliation", ""):
        try:
            affiliation = Affiliation(entry.attrs.get("affiliation", ""))
        except ValueError:
            raise StanzaRefused("bad-request", text="no such affiliation") from None
        jid = _user(service, entry)
        key = jid.bare if jid is not None else entry.attrs.get("jid", "")
        if key in wanted:
            raise StanzaRefused("bad-request", text="one entry for one user")
        wanted[key] = (affiliation, jid.bare if jid is not None else "")
    failed = [key for key, (what, bare) in wanted.items() if not bare or not service.set_affiliation(node, bare, what)]
    if failed:
        entries = joined(_affiliation(node, key) for key in failed)
        raise _not_all(b'<affiliations node="%b">%b</affiliations>' % (node.quoted, entries))
    return b""


def subscriptions(service: PubSub, request: Request) -> bytes:
    """Who hears of a node, and who waits to."""
    node = permitted(service, request, Capability.MANAGE)
    known = tuple(node.subscriptions)
    page = disco.page(known, companion(request, "set"), service.policy.disco_page_items)
    entries = joined(_subscription(node, jid) for jid in known[page.start : page.stop])
    return owner_answer(b'<subscriptions node="%b">%b</subscriptions>%b' % (node.quoted, entries, page.paging))


def set_subscriptions(service: PubSub, request: Request) -> bytes:
    """Subscribe users, approve or end subscriptions. Entries that cannot be are given back as they were; the others
    count, and whoever is concerned is told."""
    node = permitted(service, request, Capability.MANAGE)
    wanted: dict[str, tuple[str, Jid | None]] = {}
    for entry in elements(request.verb, "subscription", ""):
        jid = _user(service, entry)
        key = jid.full if jid is not None else entry.attrs.get("jid", "")
        if key in wanted:
            raise StanzaRefused("bad-request", text="one entry for one subscriber")
        wanted[key] = (entry.attrs.get("subscription", ""), jid)
    failed = [
        key for key, (state, jid) in wanted.items() if jid is None or not _set_subscription(service, node, jid, state)
    ]
    if failed:
        entries = joined(_subscription(node, key) for key in failed)
        raise _not_all(b'<subscriptions node="%b">%b</subscriptions>' % (node.quoted, entries))
    return b""


def _set_subscription(service: PubSub, node: Node, jid: Jid, state: str) -> bool:
    known = node.subscriptions.get(jid.full)
    if state == "none":
        if known is not None:
            service.cancel(known)
        return True
    if state != SubscriptionState.SUBSCRIBED.value:
        return False
    if known is not None:
        if known.state is SubscriptionState.PENDING:
            service.approve(known)
        return True
    if not service.allows(Capability.ASK, node, jid.local, jid.bare):
        return False  # the next review would end it again
    try:
        service.subscribe(node, jid, durable=True)
    except StanzaRefused:
        return False
    service.notifier.subscription_changed(node, jid.full, state)
    return True


def _user(service: PubSub, entry: Element) -> Jid | None:
    """The user an entry names; None for what is none of ours."""
    try:
        jid = prepare(entry.attrs.get("jid", ""))
    except JidError:
        return None
    ours = jid.local and service.is_user(jid)
    return jid if ours else None


def _affiliation(node: Node, bare: str) -> bytes:
    affiliation = node.affiliations.get(bare, Affiliation.NONE).value.encode()
    return b'<affiliation jid="%b" affiliation="%b"/>' % (quote(bare), affiliation)


def _subscription(node: Node, jid: str) -> bytes:
    known = node.subscriptions.get(jid)
    state = known.state.value.encode() if known is not None else b"none"
    return b'<subscription jid="%b" subscription="%b"/>' % (quote(jid), state)


def _not_all(entries: bytes) -> StanzaRefused:
    return StanzaRefused("not-acceptable", content=owner_answer(entries))

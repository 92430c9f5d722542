"""What subscribers ask for: to subscribe and how, to unsubscribe, and what they are already."""

from __future__ import annotations

from poise.protocols.xmpp import disco
from poise.protocols.xmpp.pubsub import approval, forms
from poise.protocols.xmpp.pubsub.config import (
    DEFAULT_OPTIONS,
    OPTION_FIELDS,
    SUBSCRIBE_OPTIONS,
    with_options,
)
from poise.protocols.xmpp.pubsub.nodes import Subscription, SubscriptionState
from poise.protocols.xmpp.pubsub.requests import (
    Request,
    companion,
    joined,
    named,
    permitted,
    subscriber,
    user_answer,
)
from poise.protocols.xmpp.pubsub.rights import Capability
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.stanzas import StanzaRefused, quote


def subscribe(service: PubSub, request: Request) -> bytes:
    """Subscribe one's own bare JID or one of one's resources; where an owner must approve, ask."""
    named(service, request.verb)
    account = request.sender.account
    jid = subscriber(request.verb)
    if jid.bare != account.bare:
        raise StanzaRefused("bad-request", "invalid-jid")
    node = permitted(service, request, Capability.ASK)
    known = node.subscriptions.get(jid.full)
    if known is not None and known.state is SubscriptionState.PENDING:
        raise StanzaRefused("not-authorized", "pending-subscription")
    wanted = companion(request, "options")
    options = None
    if wanted is not None:
        options = with_options(known.options if known is not None else DEFAULT_OPTIONS, wanted)
    allowed = known is not None or service.allows(Capability.SUBSCRIBE, node, account.user, account.bare)
    state = SubscriptionState.SUBSCRIBED if allowed else SubscriptionState.PENDING
    subscription = service.subscribe(node, jid, state=state, durable=True, options=options)
    if not allowed:
        approval.ask(service, subscription)
    elif known is None:
        service.send_last_item(subscription)
    return user_answer(entry(subscription))


def unsubscribe(service: PubSub, request: Request) -> bytes:
    """End a subscription. A `subid` is not looked at: a JID has at most one subscription to a node here, so none was
    ever given out."""
    node = named(service, request.verb)
    jid = subscriber(request.verb)
    if jid.bare != request.sender.account.bare:
        raise StanzaRefused("forbidden")
    if not service.unsubscribe(node, jid.full):
        raise StanzaRefused("unexpected-request", "not-subscribed", kind="cancel")
    return b""


def subscriptions(service: PubSub, request: Request) -> bytes:
    """All one's subscriptions, of every resource, or those to one node."""
    mine = service.subscriptions_of(request.sender.account.bare)
    at_node = b""
    if request.verb.attrs.get("node"):
        node = named(service, request.verb)
        mine = tuple(subscription for subscription in mine if subscription.node is node)
        at_node = b' node="%b"' % node.quoted
    page = disco.page(range(len(mine)), companion(request, "set"), service.policy.disco_page_items)
    entries = joined(map(entry, mine[page.start : page.stop]))
    return user_answer(b"<subscriptions%b>%b</subscriptions>%b" % (at_node, entries, page.paging))


def affiliations(service: PubSub, request: Request) -> bytes:
    """What one is to nodes by name; what administrators and the product's rule make of one is not listed."""
    bare = request.sender.account.bare
    mine = tuple(service.affiliated.get(bare, ()))
    at_node = b""
    if request.verb.attrs.get("node"):
        node = named(service, request.verb)
        mine = tuple(other for other in mine if other is node)
        at_node = b' node="%b"' % node.quoted
    page = disco.page(range(len(mine)), companion(request, "set"), service.policy.disco_page_items)
    entries = joined(
        b'<affiliation node="%b" affiliation="%b"/>' % (node.quoted, node.affiliations[bare].value.encode())
        for node in mine[page.start : page.stop]
    )
    return user_answer(b"<affiliations%b>%b</affiliations>%b" % (at_node, entries, page.paging))


def options(service: PubSub, request: Request) -> bytes:
    """The form of a subscription's options."""
    subscription = _own(service, request)
    form = forms.form(OPTION_FIELDS, SUBSCRIBE_OPTIONS, subscription.options)
    inside = b'<options node="%b" jid="%b">%b</options>'
    return user_answer(inside % (subscription.node.quoted, quote(subscription.jid), form))


def set_options(service: PubSub, request: Request) -> bytes:
    """Change a subscription's options."""
    subscription = _own(service, request)
    service.set_options(subscription, with_options(subscription.options, request.verb))
    return b""


def default_options(service: PubSub, request: Request) -> bytes:
    """The form of the options a new subscription has, at every node alike."""
    at_node = b""
    if request.verb.attrs.get("node"):
        at_node = b' node="%b"' % named(service, request.verb).quoted
    form = forms.form(OPTION_FIELDS, SUBSCRIBE_OPTIONS, DEFAULT_OPTIONS)
    return user_answer(b"<default%b>%b</default>" % (at_node, form))


def entry(subscription: Subscription) -> bytes:
    """A subscription as it stands in answers to its user."""
    return b'<subscription node="%b" jid="%b" subscription="%b"/>' % (
        subscription.node.quoted,
        quote(subscription.jid),
        subscription.state.value.encode(),
    )


def _own(service: PubSub, request: Request) -> Subscription:
    """The subscription of the sender that the request names."""
    node = named(service, request.verb)
    if not request.verb.attrs.get("jid"):
        raise StanzaRefused("bad-request", "jid-required")
    jid = subscriber(request.verb)
    if jid.bare != request.sender.account.bare:
        raise StanzaRefused("forbidden")
    subscription = node.subscriptions.get(jid.full)
    if subscription is None:
        raise StanzaRefused("unexpected-request", "not-subscribed", kind="modify")
    return subscription

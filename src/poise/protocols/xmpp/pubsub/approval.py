"""Subscriptions that an owner must approve, and what else reaches the service by message (XEP-0060 sections 8.6, 12.4).

Owners are asked with a form; the answer is a form too. What is no answer to anything is dropped: it is a message, not a
request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from poise.protocols.xmpp.jid import JidError, prepare
from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.pubsub import forms
from poise.protocols.xmpp.pubsub.forms import Values
from poise.protocols.xmpp.pubsub.nodes import Node, Subscription, SubscriptionState
from poise.protocols.xmpp.pubsub.rights import Capability
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.stanzas import DATA_FORM_NS, PUBSUB_NS, StanzaRefused
from poise.protocols.xmpp.xml import Element, escape

AUTHORIZATION: Final = f"{PUBSUB_NS}#subscribe_authorization"
_GONE: Final = frozenset(("gone", "item-not-found"))
"""Stanza errors that say that an address is no more (XEP-0060 section 12.4)."""


def ask(service: PubSub, subscription: Subscription) -> None:
    """Send every owner the form."""
    node = subscription.node
    inside = (
        f'<x xmlns="{DATA_FORM_NS}" type="form"><title>Subscription request</title>'
        "<instructions>Say whether this address may subscribe to the node.</instructions>"
        f'<field var="FORM_TYPE" type="hidden"><value>{AUTHORIZATION}</value></field>'
        f'<field var="pubsub#node" type="text-single" label="Node"><value>{escape(node.name)}</value></field>'
        '<field var="pubsub#subscriber_jid" type="jid-single" label="Address">'
        f"<value>{escape(subscription.jid)}</value></field>"
        '<field var="pubsub#allow" type="boolean" label="May it subscribe?"><value>false</value></field></x>'
    ).encode()
    for owner in service.owners(node):
        service.notifier.message(node, owner, inside)


def receive(service: PubSub, sender: Session, message: Element) -> None:
    """A message to the service: an owner's answer, or an error that came back for a notification. Raises
    StanzaRefused for everything else."""
    if message.attrs.get("type") == "error":
        _bounced(service, sender, message)
        return
    values = forms.submitted(message, AUTHORIZATION)
    if values is None:
        if message.child("x", DATA_FORM_NS) is None:
            raise StanzaRefused("service-unavailable")
        return  # cancelled: the subscription stays pending
    node, subscription = _asked_about(service, values)
    account = sender.account
    service.demand(Capability.MANAGE, node, account.user, account.bare)
    if subscription is None or subscription.state is not SubscriptionState.PENDING:
        return  # another owner was quicker, or the subscriber thought better of it
    if forms.flag(values.get("pubsub#allow") or ("0",)):
        service.approve(subscription)
    else:
        service.cancel(subscription)


def _asked_about(service: PubSub, values: Mapping[str, Values]) -> tuple[Node, Subscription | None]:
    node = service.nodes.get("".join(values.get("pubsub#node", ())))
    if node is None:
        raise StanzaRefused("item-not-found")
    try:
        jid = prepare("".join(values.get("pubsub#subscriber_jid", ())))
    except JidError:
        raise StanzaRefused("bad-request", "invalid-jid") from None
    return node, node.subscriptions.get(jid.full)


def _bounced(service: PubSub, sender: Session, message: Element) -> None:
    """A client says that the address a notification went to is no more; only its own user's can be meant."""
    error = message.child("error")
    if error is None or not any(child.name in _GONE for child in error.elements()):
        return
    name, _, rest = message.attrs.get("id", "").partition("__")
    jid = rest.rpartition("__")[0]
    node = service.nodes.get(name)
    subscription = node.subscriptions.get(jid) if node is not None else None
    if subscription is not None and subscription.bare == sender.account.bare:
        service.unsubscribe(subscription.node, subscription.jid)

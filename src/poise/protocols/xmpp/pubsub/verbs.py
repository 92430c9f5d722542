"""The requests of XEP-0060 as one table: what is asked for -> who answers, and which features that lets us announce.

A handler takes a request and gives the payload of the iq result, or raises StanzaRefused. What the protocol knows and
this service does not do stands in a second table with the name of the missing feature, so that a client is told what
to avoid.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from poise.protocols.xmpp.presence import Session
from poise.protocols.xmpp.pubsub import owning, publishing, subscribing
from poise.protocols.xmpp.pubsub.requests import Request, Verb
from poise.protocols.xmpp.pubsub.rights import AccessModel
from poise.protocols.xmpp.pubsub.service import PubSub
from poise.protocols.xmpp.stanzas import PUBSUB_NS, PUBSUB_OWNER_NS, StanzaRefused
from poise.protocols.xmpp.xml import Element


def answer(service: PubSub, sender: Session, iq_type: str, wrapper: Element) -> bytes:
    """Carry out what is inside `<pubsub/>`; the payload of the result. Raises StanzaRefused."""
    elements = [child for child in wrapper.children if type(child) is Element]
    if not elements:
        raise StanzaRefused("bad-request", text="nothing is asked for")
    verb = elements[0]
    known = VERBS.get((iq_type, verb.ns, verb.name))
    if known is None or verb.ns != wrapper.ns:
        raise _unknown(verb)
    if len(elements) == 1:
        return known.handler(service, Request(sender, verb, ()))
    for companion in elements[1:]:
        if companion.name not in known.companions:
            raise _unknown(companion)
    return known.handler(service, Request(sender, verb, tuple(elements[1:])))


def _unknown(element: Element) -> StanzaRefused:
    feature = NOT_IMPLEMENTED.get((element.ns, element.name))
    if feature is None:
        return StanzaRefused("bad-request", text="not a request of XEP-0060")
    return StanzaRefused("feature-not-implemented", "unsupported", feature=feature)


_PAGED: Final = frozenset(("set",))

VERBS: Final[Mapping[tuple[str, str, str], Verb]] = {
    ("set", PUBSUB_NS, "create"): Verb(
        owning.create, ("create-nodes", "create-and-configure"), frozenset(("configure",))
    ),
    ("set", PUBSUB_NS, "publish"): Verb(
        publishing.publish, ("publish", "item-ids", "publish-options"), frozenset(("publish-options",))
    ),
    ("set", PUBSUB_NS, "retract"): Verb(publishing.retract, ("retract-items", "delete-items")),
    ("set", PUBSUB_NS, "purge"): Verb(publishing.purge),
    ("get", PUBSUB_NS, "items"): Verb(
        publishing.items, ("persistent-items", "multi-items", "retrieve-items", "rsm"), _PAGED
    ),
    ("set", PUBSUB_NS, "subscribe"): Verb(
        subscribing.subscribe, ("subscribe", "subscription-notifications"), frozenset(("options",))
    ),
    ("set", PUBSUB_NS, "unsubscribe"): Verb(subscribing.unsubscribe),
    ("get", PUBSUB_NS, "subscriptions"): Verb(subscribing.subscriptions, ("retrieve-subscriptions",), _PAGED),
    ("get", PUBSUB_NS, "affiliations"): Verb(subscribing.affiliations, ("retrieve-affiliations",), _PAGED),
    ("get", PUBSUB_NS, "options"): Verb(subscribing.options, ("subscription-options",)),
    ("set", PUBSUB_NS, "options"): Verb(subscribing.set_options),
    ("get", PUBSUB_NS, "default"): Verb(subscribing.default_options, ("retrieve-default-sub",)),
    ("get", PUBSUB_OWNER_NS, "configure"): Verb(owning.configuration, ("config-node", "config-node-max")),
    ("set", PUBSUB_OWNER_NS, "configure"): Verb(owning.configure, ("publish-node-full", "presence-notifications")),
    ("get", PUBSUB_OWNER_NS, "default"): Verb(owning.default_configuration, ("retrieve-default",)),
    ("set", PUBSUB_OWNER_NS, "delete"): Verb(owning.delete, ("delete-nodes",)),
    ("set", PUBSUB_OWNER_NS, "purge"): Verb(publishing.purge, ("purge-nodes",)),
    ("get", PUBSUB_OWNER_NS, "affiliations"): Verb(owning.affiliations, (), _PAGED),
    ("set", PUBSUB_OWNER_NS, "affiliations"): Verb(
        owning.set_affiliations,
        (
            "modify-affiliations",
            "member-affiliation",
            "publisher-affiliation",
            "publish-only-affiliation",
            "outcast-affiliation",
        ),
    ),
    ("get", PUBSUB_OWNER_NS, "subscriptions"): Verb(owning.subscriptions, ("manage-subscriptions",), _PAGED),
    ("set", PUBSUB_OWNER_NS, "subscriptions"): Verb(owning.set_subscriptions),
}
"""(iq type, namespace, element) -> verb."""

FEATURES: Final = (
    *(feature for verb in VERBS.values() for feature in verb.features),
    *(f"access-{model.value}" for model in AccessModel),
    "meta-data",
)
"""Drawn from the table: announced is what is answered."""

NOT_IMPLEMENTED: Final[Mapping[tuple[str, str], str]] = {
    (PUBSUB_NS, "collection"): "collections",
    (PUBSUB_OWNER_NS, "redirect"): "delete-nodes-redirect",
}
"""(namespace, element) of XEP-0060 and its relatives that nothing above answers -> the feature that would."""

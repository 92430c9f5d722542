"""What an owner may choose about a node (XEP-0060 section 16.4.4) and a subscriber about a subscription (16.4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final, TypeVar

from poise.protocols.xmpp.pubsub import forms
from poise.protocols.xmpp.pubsub.forms import Field, Values, flag_field, text_field
from poise.protocols.xmpp.pubsub.rights import AccessModel, PublishModel
from poise.protocols.xmpp.stanzas import PUBSUB_NS, StanzaRefused
from poise.protocols.xmpp.xml import Element

NODE_CONFIG: Final = f"{PUBSUB_NS}#node_config"
PUBLISH_OPTIONS: Final = f"{PUBSUB_NS}#publish-options"
SUBSCRIBE_OPTIONS: Final = f"{PUBSUB_NS}#subscribe_options"


class LastItem(Enum):
    """When a subscriber is sent the newest item."""

    NEVER = "never"
    ON_SUB = "on_sub"
    ON_SUB_AND_PRESENCE = "on_sub_and_presence"


class NodeFull(Enum):
    """What a publication does to a node that keeps as many items as it may."""

    RETRACT_OLDEST = "retract-oldest"
    """The oldest goes; subscribers hear of it when the node tells of retractions."""
    DISCARD_OLDEST = "discard-oldest"
    """The oldest goes in silence."""
    REJECT = "reject"


class NotificationType(Enum):
    """Type of the messages a node sends."""

    NORMAL = "normal"
    """No `type` attribute, which means the same (RFC 6121 section 5.2.2) and is the form clients of old have met."""
    HEADLINE = "headline"


@dataclass(frozen=True, slots=True)
class NodeConfig:
    """What an owner can choose."""

    title: str = ""
    description: str = ""
    type: str = ""
    """Namespace of the payloads, for people."""
    access_model: AccessModel = AccessModel.OPEN
    publish_model: PublishModel = PublishModel.PUBLISHERS
    deliver_notifications: bool = True
    deliver_payloads: bool = True
    presence_based_delivery: bool = False
    """Only available resources of priority 0 or more are told, and nobody else's notification is counted or kept."""
    notification_type: NotificationType = NotificationType.NORMAL
    persist_items: bool = False
    max_items: int | None = None
    """None: as many as the service lets a node keep."""
    publish_node_full: NodeFull = NodeFull.RETRACT_OLDEST
    max_payload_size: int | None = None
    """Bytes; None: the service's own limit, which also bounds this one."""
    send_last_published_item: LastItem = LastItem.NEVER
    notify_config: bool = False
    notify_delete: bool = True
    notify_retract: bool = False
    notify_sub: bool = False
    """Whether owners hear of subscribers who come and go."""


@dataclass(frozen=True, slots=True)
class SubscriptionOptions:
    """What a subscriber can choose."""

    deliver: bool = True
    show_values: frozenset[str] = frozenset(("away", "chat", "dnd", "online", "xa"))
    """States of availability in which a resource hears of items."""
    until_unavailable: bool = False
    """The subscription ends when its resource, or the user's last one, becomes unavailable."""


_T = TypeVar("_T", bound=Enum)


def _choice(attribute: str, label: str, kind: type[_T], refused: str = "") -> Field:
    """A field of one of the values of an enumeration; `refused` is the condition of XEP-0060 for any other."""

    def read(values: Values) -> _T:
        try:
            return kind(values[0])
        except ValueError:
            choices = ", ".join(member.value for member in kind)
            raise StanzaRefused("not-acceptable", refused, text=f"{attribute} is one of {choices}") from None

    return Field(attribute, "list-single", label, read, _value, tuple(member.value for member in kind))


def _value(member: Enum) -> Values:
    return (member.value,)


def _bounded(values: Values) -> int | None:
    return None if values[0] == "max" else forms.number(values)


def _limit(value: int | None) -> Values:
    return ("max",) if value is None else (str(value),)


def _leaf(values: Values) -> None:
    if values[0] != "leaf":
        raise StanzaRefused("feature-not-implemented", "unsupported", feature="collections")


_SHOWS: Final = ("away", "chat", "dnd", "online", "xa")


def _show_values(values: Values) -> frozenset[str]:
    if not values or not set(values) <= set(_SHOWS):
        raise StanzaRefused("bad-request", "invalid-options", text="show-values is one or more of " + ", ".join(_SHOWS))
    return frozenset(values)


def _expire(values: Values) -> bool:
    if values[0] == "presence":
        return True
    if values[0] == "":
        return False
    raise StanzaRefused("not-acceptable", text="a subscription ends with presence or with unsubscribing, not by date")


def _expires(value: bool) -> Values:
    return ("presence",) if value else ("",)


NODE_FIELDS: Final[Mapping[str, Field]] = {
    "pubsub#title": text_field("title", "Name of the node for people"),
    "pubsub#description": text_field("description", "What the node is about"),
    "pubsub#type": text_field("type", "Namespace of the payloads"),
    "pubsub#node_type": Field("", "list-single", "Kind of node", _leaf, forms.one, ("leaf",), ("leaf",)),
    "pubsub#access_model": _choice(
        "access_model", "Who may subscribe and retrieve items", AccessModel, "unsupported-access-model"
    ),
    "pubsub#publish_model": _choice("publish_model", "Who may publish", PublishModel),
    "pubsub#deliver_notifications": flag_field("deliver_notifications", "Tell subscribers of items"),
    "pubsub#deliver_payloads": flag_field("deliver_payloads", "Put the payload into what subscribers are told"),
    "pubsub#presence_based_delivery": flag_field("presence_based_delivery", "Tell available users only"),
    "pubsub#notification_type": _choice("notification_type", "Type of the messages", NotificationType),
    "pubsub#persist_items": flag_field("persist_items", "Keep items"),
    "pubsub#max_items": Field("max_items", "text-single", "How many items are kept", _bounded, _limit),
    "pubsub#publish_node_full": _choice("publish_node_full", "What happens when that many are kept", NodeFull),
    "pubsub#max_payload_size": Field("max_payload_size", "text-single", "Most bytes of a payload", _bounded, _limit),
    "pubsub#send_last_published_item": _choice(
        "send_last_published_item", "When a subscriber is sent the newest item", LastItem
    ),
    "pubsub#notify_config": flag_field("notify_config", "Tell subscribers of a new configuration"),
    "pubsub#notify_delete": flag_field("notify_delete", "Tell subscribers of the end of the node"),
    "pubsub#notify_retract": flag_field("notify_retract", "Tell subscribers of items that go"),
    "pubsub#notify_sub": flag_field("notify_sub", "Tell owners of subscribers who come and go"),
}

OPTION_FIELDS: Final[Mapping[str, Field]] = {
    "pubsub#deliver": flag_field("deliver", "Hear of items"),
    "pubsub#show-values": Field(
        "show_values",
        "list-multi",
        "In which states of availability",
        _show_values,
        lambda value: tuple(sorted(value)),
        _SHOWS,
    ),
    "pubsub#expire": Field(
        "until_unavailable", "text-single", "Until when: empty or the word presence", _expire, _expires
    ),
}

DEFAULT_CONFIG: Final = NodeConfig()
DEFAULT_OPTIONS: Final = SubscriptionOptions()


def configured(base: NodeConfig, configure: Element) -> NodeConfig:
    """The configuration after a `<configure/>`; fields that its form leaves out stay. Raises StanzaRefused."""
    values = forms.submitted(configure, NODE_CONFIG)
    return base if values is None else replace(base, **forms.changes(NODE_FIELDS, values))


def with_options(base: SubscriptionOptions, options: Element) -> SubscriptionOptions:
    """The options after an `<options/>`; fields that its form leaves out stay. Raises StanzaRefused."""
    values = forms.submitted(options, SUBSCRIBE_OPTIONS)
    return base if values is None else replace(base, **forms.changes(OPTION_FIELDS, values))


def check_preconditions(config: NodeConfig, options: Element) -> None:
    """Compare `<publish-options/>` with the node's configuration (XEP-0060 section 7.1.5). Raises StanzaRefused."""
    values = forms.submitted(options, PUBLISH_OPTIONS)
    if values is None:
        raise StanzaRefused("bad-request", text="publish-options hold a form")
    for var, texts in values.items():
        field = NODE_FIELDS.get(var)
        if field is None or not texts:
            raise StanzaRefused("bad-request", text="a precondition that this service does not know")
        try:
            wanted = field.read(texts)
        except StanzaRefused:
            raise StanzaRefused("conflict", "precondition-not-met") from None
        if field.attribute and wanted != getattr(config, field.attribute):
            raise StanzaRefused("conflict", "precondition-not-met")

"""Who may do what with a node: one table of capabilities (XEP-0060 section 4.1).

Theory. A user has one affiliation with a node, and the affiliation has capabilities. The node's access model and
publish model hand a few more to everybody who is neither an outcast nor kept to publishing, some of them only to
subscribers. An administrator of the service is an owner everywhere. A node of the product has the access model
`whitelist`, and its list is the product's rule: an agent's own nodes, a supervisor's teams.

The access models `presence` and `roster` would ask who may see whose presence. Rosters here are the server's and the
same for all, so these models could only mean `open`, and are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Affiliation(Enum):
    """What a user is to a node; the values are those of the wire."""

    OWNER = "owner"
    PUBLISHER = "publisher"
    PUBLISH_ONLY = "publish-only"
    MEMBER = "member"
    NONE = "none"
    OUTCAST = "outcast"


class AccessModel(Enum):
    """Who may subscribe and retrieve."""

    OPEN = "open"
    WHITELIST = "whitelist"
    AUTHORIZE = "authorize"


class PublishModel(Enum):
    """Who may publish."""

    PUBLISHERS = "publishers"
    SUBSCRIBERS = "subscribers"
    OPEN = "open"


class Capability(Enum):
    """What can be done with a node."""

    ASK = "ask to subscribe"
    SUBSCRIBE = "subscribe"
    RETRIEVE = "retrieve items"
    PUBLISH = "publish"
    RETRACT_OWN = "retract items one has published"
    RETRACT = "retract any item"
    PURGE = "remove all items"
    CONFIGURE = "configure"
    MANAGE = "manage subscriptions and affiliations"
    DELETE = "delete"


_ALL: Final = frozenset(Capability)
_READ: Final = frozenset((Capability.ASK, Capability.SUBSCRIBE, Capability.RETRIEVE))
_PUBLISH: Final = frozenset((Capability.PUBLISH, Capability.RETRACT_OWN))
_NOTHING: Final[frozenset[Capability]] = frozenset()

RIGHTS: Final[Mapping[Affiliation, frozenset[Capability]]] = {
    Affiliation.OWNER: _ALL,
    Affiliation.PUBLISHER: _READ | _PUBLISH | {Capability.RETRACT, Capability.PURGE},
    Affiliation.PUBLISH_ONLY: _PUBLISH,
    Affiliation.MEMBER: _READ,
    Affiliation.NONE: _NOTHING,
    Affiliation.OUTCAST: _NOTHING,
}
ADDED_BY_ACCESS: Final[Mapping[AccessModel, frozenset[Capability]]] = {
    AccessModel.OPEN: _READ,
    AccessModel.WHITELIST: _NOTHING,
    AccessModel.AUTHORIZE: frozenset((Capability.ASK,)),
}
ADDED_TO_SUBSCRIBERS_BY_ACCESS: Final[Mapping[AccessModel, frozenset[Capability]]] = {
    AccessModel.OPEN: _NOTHING,
    AccessModel.WHITELIST: _NOTHING,
    AccessModel.AUTHORIZE: _READ,
}
ADDED_TO_SUBSCRIBERS: Final[Mapping[PublishModel, frozenset[Capability]]] = {
    PublishModel.PUBLISHERS: _NOTHING,
    PublishModel.SUBSCRIBERS: _PUBLISH,
    PublishModel.OPEN: _NOTHING,
}
ADDED_TO_ALL: Final[Mapping[PublishModel, frozenset[Capability]]] = {
    PublishModel.PUBLISHERS: _NOTHING,
    PublishModel.SUBSCRIBERS: _NOTHING,
    PublishModel.OPEN: _PUBLISH,
}


def may(
    capability: Capability, affiliation: Affiliation, access: AccessModel, publish: PublishModel, subscribed: bool
) -> bool:
    """Whether somebody with this affiliation may do that on a node with these models; `subscribed`: approved, not
    pending."""
    if capability in RIGHTS[affiliation]:
        return True
    if affiliation is Affiliation.OUTCAST:
        return False
    if affiliation is not Affiliation.PUBLISH_ONLY and (
        capability in ADDED_BY_ACCESS[access] or (subscribed and capability in ADDED_TO_SUBSCRIBERS_BY_ACCESS[access])
    ):
        return True
    return capability in ADDED_TO_ALL[publish] or (subscribed and capability in ADDED_TO_SUBSCRIBERS[publish])

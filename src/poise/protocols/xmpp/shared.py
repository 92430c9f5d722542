"""What every part of the host works with, handed to each as one value."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Container
from dataclasses import dataclass

from poise.protocols.xmpp.delivery import Counters, Event, Output
from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.journal import Journal
from poise.protocols.xmpp.moment import Moment
from poise.protocols.xmpp.presence import Presence


@dataclass(frozen=True, slots=True)
class Rules:
    """What the host must be told about users."""

    administrators: Container[str]
    """Bare JIDs that own every node and alone may create some."""
    exists: Callable[[str], bool]
    """Whether there is a user of this local part."""
    may_subscribe: Callable[[str, str], bool]
    """Whether the user (local part) may subscribe to this node of the product."""


@dataclass(frozen=True, slots=True)
class Shared:
    """One host's common ground."""

    presence: Presence
    rules: Rules
    policy: HostPolicy
    rng: random.Random
    outbox: deque[Output]
    events: deque[Event]
    counters: Counters
    journal: Journal
    moment: Moment

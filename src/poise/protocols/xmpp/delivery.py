"""What the host gives out: stanzas for clients in order, and events for the rooms above.

Everything outbound passes through one `outbox`, so a notification published while another is still being fanned out
arrives behind it at every subscriber. A fan-out is one entry however many subscribers it has: the payload is bytes
already and a delivery only splices what differs, the `to` and `id` of the message.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from poise.protocols.xmpp.records import Change
from poise.registry import Closed

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ONES = [char.encode() for char in _ALPHABET]
_PAIRS = [(first + second).encode() for first in _ALPHABET for second in _ALPHABET]
_PAIR = len(_PAIRS)
SUFFIXES = len(_ONES) * _PAIR * _PAIR
"""How many message id suffixes of five letters and digits there are (62 to the fifth)."""


class Client(Protocol):
    """A bound session's binding, opaque to the host except for the JID that the host gives it."""

    jid: str


class To(NamedTuple):
    """One stanza for one client."""

    client: Client
    stanza: bytes


def suffix(number: int) -> bytes:
    """The five letters and digits that stand for `number` (0 <= number < SUFFIXES)."""
    rest, low = divmod(number, _PAIR)
    high, middle = divmod(rest, _PAIR)
    return _ONES[high] + _PAIRS[middle] + _PAIRS[low]


class Fanout:
    """One publication on its way to many clients; iterating makes each stanza when its turn comes.

    The receivers are those of the moment of publishing, whatever happens until the last is served. Suffixes of the
    message ids count up from a random start made once per publication: a counter in base 62 costs a tenth of five
    random draws, and ids need only be unique, not unguessable.
    """

    __slots__ = ("_number", "_tail", "_targets")

    def __init__(self, targets: tuple[tuple[Client, bytes], ...], tail: bytes, number: int) -> None:
        """Fan out to `targets`, pairs of a client and everything of its stanza up to the suffix; `tail` follows it."""
        self._targets = targets
        self._tail = tail
        self._number = number

    def __len__(self) -> int:
        return len(self._targets)

    def __iter__(self) -> Iterator[tuple[Client, bytes]]:
        tail = self._tail
        join = b"".join
        rest, low = divmod(self._number, _PAIR)
        high = suffix(self._number)[:3]
        for client, lead in self._targets:
            yield client, join((lead, high, _PAIRS[low], tail))
            low += 1
            if low == _PAIR:
                low = 0
                rest = (rest + 1) % (SUFFIXES // _PAIR)
                high = suffix(rest * _PAIR)[:3]


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """A resource became available or unavailable; changes of an available resource's status are not reported."""

    user: str
    """Local part of the user's JID."""
    resource: str
    """The resource that came or went."""
    available: bool
    """True: it came; False: it went."""
    remaining: int
    """Available resources the user has now; only `available=False` with 0 means that the user is gone."""
    closed: Closed | None = None
    """How the session ended, when its end was the reason."""


class Replace(NamedTuple):
    """A newer session took this client's resource: the shell ends it with the ending code "replaced"."""

    client: Client


class StoredOffline:
    """A message found no session of its user: kept for later when it has a body, else only counted and never
    replayed."""

    __slots__ = ("_parts", "kept", "to")

    def __init__(self, to: str, kept: bool, *parts: bytes) -> None:
        self.to = to
        """JID the message was for."""
        self.kept = kept
        """True: in the offline store; False: a notification, gone."""
        self._parts = parts

    @property
    def stanza(self) -> bytes:
        """The whole message; joined only when somebody wants to read it, since most are never looked at."""
        return b"".join(self._parts)

    def __repr__(self) -> str:
        return f"StoredOffline(to={self.to!r}, kept={self.kept!r}, stanza={self.stanza!r})"


class Published(NamedTuple):
    """An item was published."""

    node: str
    item_id: str
    delivered: int
    """Clients it goes to."""
    absent: int
    """Subscriptions whose user had no available resource."""


class Unstored(NamedTuple):
    """Changes that must survive a restart: the shell writes them, in order, and says `Host.stored(token)`."""

    token: int
    """Rises; saying that one is stored says so of all before it."""
    changes: tuple[Change, ...]


class Released(NamedTuple):
    """Nothing this client sent waits for the store any more: its binding may give out answers it held back."""

    client: Client


class Alarm(NamedTuple):
    """`Host.deadline` has come nearer: the shell sees to it that `due` is called in time."""

    at: float
    """Monotonic seconds."""


Output = To | Fanout
Event = PresenceChanged | Replace | StoredOffline | Published | Unstored | Released | Alarm


@dataclass(slots=True)
class Counters:
    """Running totals of the host, for metrics; never reset."""

    published: int = 0
    """Items published."""
    delivered: int = 0
    """Notifications handed to the outbox."""
    notifications_lost: int = 0
    """Notifications that reached nobody: absent subscribers and what ended sessions had not collected."""
    messages_stored: int = 0
    """Messages put into the offline store."""
    messages_handed_out: int = 0
    """Messages handed out of it."""
    messages_bounced: int = 0
    """Messages answered with an error."""
    messages_expired: int = 0
    """Messages that nobody fetched in time."""
    presences_merged: int = 0
    """Presences that a later one of the same session overtook while it was over its rate."""
    binds_refused: int = 0
    """Sessions not let in because their user replaces sessions too quickly or has too many."""

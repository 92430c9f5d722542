"""Messages for users who are not here, until they are (XEP-0160): those with a body, and notifications only where the
policy wants them replayed.

Theory. What is handed out is not forgotten at once: a session may die with it. Until HANDED_OUT_S have passed it stays
in the durable store, though not here; if the session gives it back meanwhile it is kept anew. So a server that is
killed hands a message out twice rather than never.
"""

from __future__ import annotations

from collections import deque
from math import inf
from typing import NamedTuple

from poise.protocols.xmpp.delivery import Alarm
from poise.protocols.xmpp.moment import stamp
from poise.protocols.xmpp.records import MessageRecord, Removed
from poise.protocols.xmpp.shared import Shared
from poise.protocols.xmpp.stanzas import DELAY_NS

_CLOSE = b"</message>"
_SWEEP_S = 3600.0
"""Seconds between two looks for messages that nobody fetched in time: an hour more or less does not matter to what is
kept for weeks."""


class Kept(NamedTuple):
    """One message in the store."""

    number: int
    stanza: bytes
    at: float
    """Monotonic seconds when it was stored; before the server started when it was restored."""
    stamped: bool
    """It carries the delay stamp of an earlier store already."""


class _HandedOut(NamedTuple):
    until: float
    bare: str
    number: int


class OfflineStore:
    """A bounded list of messages for each absent user, in the order of their arrival."""

    def __init__(self, shared: Shared) -> None:
        self._policy = shared.policy
        self._journal = shared.journal
        self._moment = shared.moment
        self._counters = shared.counters
        self._events = shared.events
        self._kept: dict[str, list[Kept]] = {}
        self._sizes: dict[str, int] = {}
        self._total = 0
        self._number = 0
        self._sweep_at = inf
        self._handed_out: deque[_HandedOut] = deque()

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    @property
    def deadline(self) -> float:
        """When `due` has something to do, in monotonic seconds."""
        return min(self._sweep_at, self._handed_out[0].until if self._handed_out else inf)

    def put(self, bare: str, stanza: bytes, stamped: bool) -> bool:
        """Keep a serialised message for the user; False when there is no room for it."""
        policy, moment = self._policy, self._moment
        self._expire(bare)
        size = len(stanza)
        if self._sizes.get(bare, 0) + size > policy.offline_bytes_per_user:
            return False
        if self._total + size > policy.offline_bytes_total:
            return False
        if len(self._kept.get(bare, ())) >= policy.offline_messages_per_user:
            return False
        self._number += 1
        self._add(bare, Kept(self._number, stanza, moment.now, stamped))
        self._journal.note(MessageRecord(bare, self._number, moment.wall, stamped, stanza))
        return True

    def take(self, bare: str, domain: bytes) -> list[bytes]:
        """All the user's messages, stamped with when they were stored (XEP-0203) where wall time is known."""
        self._expire(bare)
        kept = self._forget(bare)
        if kept and self._journal.enabled:
            until = self._moment.now + self._policy.handed_out_s
            self._handed_out.extend(_HandedOut(until, bare, message.number) for message in kept)
            self._events.append(Alarm(until))
        offset = self._moment.offset
        return [
            message.stanza if message.stamped or offset is None else _stamp(message, domain, offset) for message in kept
        ]

    def due(self, now: float) -> None:
        """Let go of what was handed out long enough ago, and of what nobody fetched in time."""
        handed_out = self._handed_out
        while handed_out and handed_out[0].until <= now:
            _, bare, number = handed_out.popleft()
            self._journal.note(Removed(MessageRecord, (bare, number)))
        if self._sweep_at <= now:
            self._sweep_at = inf
            for bare in list(self._kept):
                self._expire(bare)
            if self._kept:
                self._sweep_at = now + _SWEEP_S

    def forget(self, bare: str) -> None:
        """The user is no more."""
        self._forget(bare)
        self._journal.note(Removed(MessageRecord, (bare,)))

    def restore(self, record: MessageRecord) -> None:
        """Put back what was stored; records come in the order of their numbers."""
        moment = self._moment
        self._number = max(self._number, record.number)
        at = record.at - moment.offset if record.at and moment.offset is not None else moment.now
        self._add(record.user, Kept(record.number, record.stanza, at, record.stamped))

    def _add(self, bare: str, message: Kept) -> None:
        size = len(message.stanza)
        self._kept.setdefault(bare, []).append(message)
        self._sizes[bare] = self._sizes.get(bare, 0) + size
        self._total += size
        if self._sweep_at == inf:
            self._sweep_at = self._moment.now + _SWEEP_S
            self._events.append(Alarm(self._sweep_at))

    def _forget(self, bare: str) -> list[Kept]:
        kept = self._kept.pop(bare, None)
        if kept is None:
            return []
        self._total -= self._sizes.pop(bare)
        return kept

    def _expire(self, bare: str) -> None:
        """Drop the user's messages that have waited too long; they are the first ones."""
        kept = self._kept.get(bare)
        oldest = self._moment.now - self._policy.offline_keep_s
        if kept is None or kept[0].at > oldest:
            return
        left = [message for message in self._forget(bare) if message.at > oldest]
        for message in kept[: len(kept) - len(left)]:
            self._counters.messages_expired += 1
            self._journal.note(Removed(MessageRecord, (bare, message.number)))
        for message in left:
            self._add(bare, message)


def _stamp(message: Kept, domain: bytes, wall_offset: float) -> bytes:
    when = stamp(message.at + wall_offset)
    delay = b'<delay xmlns="%b" from="%b" stamp="%b"/>' % (DELAY_NS.encode(), domain, when)
    return message.stanza.removesuffix(_CLOSE) + delay + _CLOSE

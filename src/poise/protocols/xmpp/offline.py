"""Messages with a body for users who are not here, until they are (XEP-0160). Notifications never come here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.stanzas import DELAY_NS

_CLOSE = b"</message>"


class Kept(NamedTuple):
    """One message in the store."""

    stanza: bytes
    at: float
    """Monotonic seconds when it was stored."""
    stamped: bool
    """It carries the delay stamp of an earlier store already."""


class OfflineStore:
    """A bounded list of messages for each absent user, in the order of their arrival."""

    def __init__(self, policy: HostPolicy) -> None:
        self._policy = policy
        self._kept: dict[str, list[Kept]] = {}
        self._sizes: dict[str, int] = {}
        self._total = 0

    def __len__(self) -> int:
        return sum(map(len, self._kept.values()))

    def put(self, bare: str, stanza: bytes, now: float, stamped: bool) -> bool:
        """Keep a serialised message for the user; False when there is no room for it."""
        policy = self._policy
        size = len(stanza)
        mine = self._sizes.get(bare, 0) + size
        if mine > policy.offline_bytes_per_user or self._total + size > policy.offline_bytes_total:
            return False
        kept = self._kept.setdefault(bare, [])
        if len(kept) >= policy.offline_messages_per_user:
            return False
        kept.append(Kept(stanza, now, stamped))
        self._sizes[bare] = mine
        self._total += size
        return True

    def take(self, bare: str, domain: bytes, wall_offset: float | None) -> list[bytes]:
        """All the user's messages, stamped with when they were stored (XEP-0203) where wall time is known; the store
        forgets them."""
        kept = self._kept.pop(bare, None)
        if not kept:
            return []
        self._total -= self._sizes.pop(bare)
        return [
            message.stanza if message.stamped or wall_offset is None else _stamp(message, domain, wall_offset)
            for message in kept
        ]


def _stamp(message: Kept, domain: bytes, wall_offset: float) -> bytes:
    when = datetime.fromtimestamp(message.at + wall_offset, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    delay = b'<delay xmlns="%b" from="%b" stamp="%b"/>' % (DELAY_NS.encode(), domain, when)
    return message.stanza.removesuffix(_CLOSE) + delay + _CLOSE

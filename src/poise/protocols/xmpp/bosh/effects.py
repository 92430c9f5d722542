"""What a BOSH session asks its shell to do: small values, to be carried out in order. Answers come first, so that
the shell may call `send` while it carries out a payload: what it causes is answered behind what was already
decided."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from poise.protocols.xmpp.xml import Element
from poise.registry import Closed


@dataclass(slots=True)
class Answer:
    """Answer the request that came on `channel`; the channel is finished with it."""

    channel: Hashable
    """The shell's own name for the open HTTP request."""
    body: bytes
    """The whole response body."""
    final: bool = False
    """The session is over with this answer."""
    status: int = 200
    """HTTP status; other than 200 only for clients that named no `ver` (XEP-0124 section 17.1)."""


@dataclass(slots=True)
class Payload:
    """Stanzas from the client, in the order of its request ids and of the document."""

    children: tuple[Element, ...]
    """Children of the body; those without a namespace of their own are in `jabber:client`."""


@dataclass(slots=True)
class Restart:
    """The client restarts its stream (XEP-0206): hand the new features to `send`, they are answered at
    once."""

    to: str | None
    """The domain it names, if any; another one than before must be refused."""


@dataclass(slots=True)
class Overactive:
    """The client is more active than agreed, and policy says to only say so. Given for the 1st, 2nd, 4th, 8th ...
    time."""

    evidence: str
    """What was seen."""
    count: int
    """How often so far."""


@dataclass(slots=True)
class Ended:
    """The session is over; forget its id. Given exactly once, always last."""

    closed: Closed
    """The testimony."""
    undelivered: list[bytes]
    """Stanzas that were never part of an answer, oldest first."""
    unconfirmed: list[bytes]
    """Stanzas whose answer was sent, but after it no new request came: the client may or may not have them."""


Effect = Answer | Payload | Restart | Overactive | Ended

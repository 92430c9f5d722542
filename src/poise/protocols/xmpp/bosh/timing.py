"""The numbers of BOSH, once: unit in the name, where each comes from, what breaks if it is changed.

The diagnosis rules and the documentation read the same constants. `BoshPolicy` is every knob of a session.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

WAIT_DEFAULT_S: Final = 60
"""Wait granted to a client that names none (Openfire; XEP-0124 section 7 leaves it to the server)."""

WAIT_MAX_S: Final = 60
"""Longest wait granted. Finesse clients ask for 30, Strophe for 60. Above 60, proxies with a read time-out of one
minute cut held requests, and a dead client is noticed later by the same amount."""

HOLD_MAX: Final = 1
"""Most requests held at a time. `requests` is one more, so browsers keep connections free for REST calls."""

INACTIVITY_S: Final = 60
"""Longest time without a held request (seed document: "after inactivity for more than threshold value of 60").
Lower than 60 kills hidden browser tabs, whose timers run once a minute; the forced logout of an agent comes later
when it is raised."""

REAPER_PERIOD_S: Final = 30
"""How often idle sessions are looked for (Openfire's cleanup check; the ticks in the seed's log). With INACTIVITY_S
this gives the 60 to 90 seconds after the last answer that every runbook knows."""

POLLING_S: Final = 5
"""Shortest time between two empty requests that ask for nothing (Openfire; XEP-0124 sections 11 and 12)."""

MAXPAUSE_S: Final = 300
"""Longest pause a client may announce (Openfire). The agent of a client that pauses and dies is signed out this
much later."""

ANSWER_MAX_BYTES: Final = 1_000_000
"""Stanza bytes in one response; more wait for the next request. Larger ones block browsers while they parse."""

ANSWER_MAX_STANZAS: Final = 500
"""Stanzas in one response, for the same reason."""

QUEUE_MAX_BYTES: Final = 4_000_000
"""Bytes kept for a client that does not collect; then the session ends. Ten thousand dead clients must fit in
memory."""

QUEUE_MAX_STANZAS: Final = 2_000
"""Stanzas kept for a client that does not collect: ten events a second for the longest silence that is not yet an
ending."""

REPEATS_MAX: Final = 10
"""Repetitions of one request within REPEATS_PERIOD_S. JabberWerx makes 3, Strophe and stanza 5; a client in a loop,
thousands."""

REPEATS_PERIOD_S: Final = 60
"""After this time repetitions are counted anew, so that a client in a bad network may go on for hours."""

RID_MAX: Final = 9_007_199_254_740_991
"""2^53 - 1, the largest request id (XEP-0124 section 14.1): what ECMAScript counts without loss."""

VERSION: Final = (1, 11)
"""The version of XEP-0124 spoken here, as integers: 1.11 is higher than 1.9."""


class Inactivity(Enum):
    """Who ends a session that is silent."""

    REAPED = "reaped"
    """A tick of the shell every REAPER_PERIOD_S asks `idle_s(now) > idle_limit_s`, as in the seed."""
    EXACT = "exact"
    """The session's own deadline, as in XEP-0124 section 10."""


class Overactivity(Enum):
    """What is done about a client that polls or posts more than agreed (XEP-0124 sections 11 and 12)."""

    TERMINATE = "terminate"
    LOG = "log"
    """Only said, by effect `Overactive`; Openfire's switch `ignoreOveractivity`."""


@dataclass(frozen=True, slots=True)
class BoshPolicy:
    """Every knob of a BOSH session."""

    wait_default_s: int = WAIT_DEFAULT_S
    """Wait for a client that names none, seconds."""
    wait_max_s: int = WAIT_MAX_S
    """Longest wait, seconds; 0 makes every session a polling session."""
    hold_max: int = HOLD_MAX
    """Most requests held at a time; 0 makes every session a polling session."""
    inactivity_s: int | None = INACTIVITY_S
    """Longest silence, seconds; None: not advertised and without limit. Polling sessions get twice `polling_s`
    more."""
    inactivity: Inactivity = Inactivity.REAPED
    """Who watches it."""
    polling_s: int | None = POLLING_S
    """Shortest interval of empty requests, seconds; None: not advertised and without limit."""
    overactivity: Overactivity = Overactivity.TERMINATE
    """What happens to a client above it."""
    maxpause_s: int | None = MAXPAUSE_S
    """Longest pause, seconds; None: not advertised, and a client's `pause` is ignored."""
    answer_max_bytes: int = ANSWER_MAX_BYTES
    """Stanza bytes in one response; a single larger stanza still travels, alone."""
    answer_max_stanzas: int = ANSWER_MAX_STANZAS
    """Stanzas in one response."""
    queue_max_bytes: int = QUEUE_MAX_BYTES
    """Bytes waiting for a request."""
    queue_max_stanzas: int = QUEUE_MAX_STANZAS
    """Stanzas waiting for a request."""
    repeats_max: int = REPEATS_MAX
    """Repetitions within `repeats_period_s` without a new request in between."""
    repeats_period_s: float = REPEATS_PERIOD_S
    """Seconds after which repetitions are counted anew."""
    allow_creation_payload: bool = False
    """Whether stanzas may travel in the request that creates the session."""
    compat_openfire_404: bool = False
    """Whether an unknown session id is answered with HTTP 404, as Openfire does, instead of 200."""
    former_domains: frozenset[str] = frozenset()
    """Domains once served here, in lower case: answered `host-gone` instead of `host-unknown`."""
    redirect_uri: str | None = None
    """Where clients that arrive without TLS are sent (`see-other-uri`); None: they are served."""

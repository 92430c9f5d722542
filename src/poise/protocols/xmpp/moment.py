"""When it is: the monotonic time of the input being handled, and what the wall clock says then.

One value shared by the parts of the host, so that not every call has to pass it on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(slots=True)
class Moment:
    """The present, as far as the host was told."""

    now: float = 0.0
    """Monotonic seconds of the latest input."""
    offset: float | None = None
    """Wall clock minus monotonic seconds; None: the wall clock is not known."""

    @property
    def wall(self) -> float:
        """Seconds since the epoch; 0 when not known."""
        return self.now + self.offset if self.offset is not None else 0.0


def stamp(wall: float) -> bytes:
    """A time as XMPP writes it (XEP-0082), to the second."""
    return datetime.fromtimestamp(wall, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").encode()

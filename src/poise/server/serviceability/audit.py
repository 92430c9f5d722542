"""The audit log: every administrative change, by whom, from where, and what it was before and after.

`<UTC time>: <user>: <address>: <method>: <uri>: {"before": ..., "after": ...}`, one change a line. Only what differs is
told of a change. Secrets are masked before they come here (finesse-api.md 8.2, audit-log).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.lines import iso_stamp, one_line
from poise.server.serviceability.writer import LogWriter, Numbered

MAX_BYTES = 100 * 1024 * 1024
"""Size at which a new file begins (finesse-api.md 8.2)."""
FILE = "audit.log"
KEEP = 9
"""Files kept beside the one in use: 1 GB together (finesse-api.md 8.2)."""
VALUE_MAX = 2048
"""Characters of one text that are told, such as of a layout."""


class Wall(Protocol):
    """A clock on the wall."""

    def wall(self) -> float:
        """Seconds since the epoch."""


class AuditLog:
    """Written by the log writer's thread; may be called from the event loop."""

    def __init__(self, writer: LogWriter, activelog: Activelog, clock: Wall, name: str = FILE) -> None:
        self._clock = clock
        naming = Numbered(name, KEEP)
        self._file = writer.file(activelog.audit, naming, max_bytes=MAX_BYTES, notice=self._missing)

    def changed(
        self,
        *,
        user: str,
        address: str,
        method: str,
        uri: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Somebody changed something."""
        if before is not None and after is not None:
            names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
            before = {name: before[name] for name in names if name in before}
            after = {name: after[name] for name in names if name in after}
        told = json.dumps({"before": _cut(before), "after": _cut(after)}, ensure_ascii=False)
        stamp = iso_stamp(self._clock.wall())
        self._file.write(one_line(f"{stamp}: {user}: {address or '-'}: {method}: {uri}: {told}") + "\n")

    def _missing(self, count: int) -> str:
        return f"{iso_stamp(self._clock.wall())}: -: -: -: -: {count} lines were not written\n"


def _cut(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= VALUE_MAX else f"{value[:VALUE_MAX]}... ({len(value)} characters)"
    if isinstance(value, Mapping):
        return {name: _cut(one) for name, one in value.items()}
    return [_cut(one) for one in value] if isinstance(value, list) else value

"""The structured trace: one JSON object a line, for tools; the seed's logs beside it are for people.

Keys: `time` (UTC, milliseconds), `kind` (noun_verb), `sid` (only its end: the whole one would open the session), `jid`,
then the fields of the kind. Kinds and fields are named where they are written, in `openfire` and `webservices_log`.
"""

from __future__ import annotations

from json.encoder import encode_basestring_ascii
from math import isfinite

from poise.server.clock import Clock
from poise.server.serviceability.activelog import Activelog
from poise.server.serviceability.lines import LINE_MAX, iso_stamp, iso_stamper
from poise.server.serviceability.writer import LogWriter, Numbered

MAX_BYTES = 50 * 1024 * 1024
"""Size at which the trace is rotated."""
KEEP = 5
"""Rotated traces kept."""
SID_TAIL = 4
"""Characters of a sid that are shown: enough to follow a session in one file, too little to enter it."""

Value = str | int | float | bool | None
_WORDS = {None: "null", True: "true", False: "false"}


def sid_tail(sid: str) -> str:
    """The end of a sid."""
    return f"..{sid[-SID_TAIL:]}" if sid else ""


class Trace:
    """Writes trace events; `enabled` may be switched at run time."""

    def __init__(self, writer: LogWriter, activelog: Activelog, clock: Clock, *, enabled: bool = True) -> None:
        self._clock = clock
        self.enabled = enabled
        self._stamp = iso_stamper()
        self._file = writer.file(
            activelog.poise, Numbered("trace.jsonl", KEEP), max_bytes=MAX_BYTES, notice=self._dropped
        )

    def event(self, kind: str, *, sid: str = "", jid: str = "", **fields: Value) -> None:
        """Write one event."""
        if self.enabled:
            self._file.write(self._line(self._stamp(self._clock.wall()), kind, sid, jid, fields))

    @staticmethod
    def _line(stamp: str, kind: str, sid: str, jid: str, fields: dict[str, Value]) -> str:
        # ASCII: controls, line breaks and lone surrogates are escaped. Written out because json.dumps builds an encoder
        # for every call, and a sign-in has eight events
        parts = [f'{{"time": "{stamp}", "kind": "{kind}"']
        if sid:
            parts.append(f'"sid": {encode_basestring_ascii(sid_tail(sid))}')
        if jid:
            parts.append(f'"jid": {encode_basestring_ascii(jid)}')
        for name, value in fields.items():
            if isinstance(value, str):
                text = encode_basestring_ascii(value[:LINE_MAX])
            elif value is None or isinstance(value, bool):
                text = _WORDS[value]
            else:
                text = repr(value) if isfinite(value) else "null"
            parts.append(f'"{name}": {text}')
        return ", ".join(parts) + "}\n"

    def _dropped(self, count: int) -> str:
        # on the writer's thread: a stamp of its own
        return self._line(iso_stamp(self._clock.wall()), "log_lines_dropped", "", "", {"count": count})

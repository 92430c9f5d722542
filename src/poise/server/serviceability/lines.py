"""How a line is made safe and stamped: one physical line, the seed's two ways of writing the time."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

LINE_MAX = 64 * 1024
"""Longest text of one line in characters; the rest is counted, not written. A body at its size limit still fits."""

# C0 and C1 controls, DEL, line and paragraph separators, and what would turn the reading direction of a terminal
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def one_line(text: str) -> str:
    """`text` as one physical line: control characters and line breaks escaped, over-long text cut with a note."""
    if len(text) > LINE_MAX:
        text = f"{text[:LINE_MAX]}...({len(text) - LINE_MAX} more)"
    return text if text.isprintable() else _UNSAFE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _NAMED.get(char) or (f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}")


def local(wall: float, zone: tzinfo | None) -> datetime:
    """Wall time in `zone`, or in the machine's own zone as it was at that moment."""
    return datetime.fromtimestamp(wall, UTC).astimezone(zone)


def openfire_stamp(moment: datetime) -> str:
    """`2017.06.17 00:15:04`: local time without a zone, whole seconds."""
    return f"{moment:%Y.%m.%d %H:%M:%S}"


def ccbu_stamp(moment: datetime) -> str:
    """`Jun 17 2017 00:16:04.630 +0530`: English month whatever the machine's language."""
    milliseconds = moment.microsecond // 1000
    day = f"{_MONTHS[moment.month - 1]} {moment.day:02d} {moment.year:04d}"
    return f"{day} {moment:%H:%M:%S}.{milliseconds:03d} {moment:%z}"


def file_stamp(moment: datetime) -> str:
    """`2017-06-17T00-00-00.000`, as in the names of the web services logs."""
    return f"{moment:%Y-%m-%dT%H-%M-%S}.{moment.microsecond // 1000:03d}"


class Stamper:
    """Stamps of one form, made once a millisecond, most of it once a second. For one thread only."""

    def __init__(self, make: Callable[[float], tuple[str, str]]) -> None:
        """`make` gives, for a whole second, what stands before and after the milliseconds."""
        self._make = make
        self._second = -1
        self._around = ("", "")
        self._millisecond = -1
        self._stamp = ""

    def __call__(self, wall: float) -> str:
        """The stamp of that moment."""
        millisecond = int(wall * 1e6 + 0.5) // 1000
        if millisecond != self._millisecond:  # what one request causes is mostly told within the same
            self._millisecond = millisecond
            second, rest = divmod(millisecond, 1000)
            if second != self._second:
                self._second, self._around = second, self._make(float(second))
            before, after = self._around
            self._stamp = f"{before}{rest:03d}{after}"
        return self._stamp


def iso_stamper() -> Stamper:
    """Stamps like `iso_stamp`."""
    return Stamper(lambda second: (iso_stamp(second)[:-4], "Z"))


def ccbu_stamper(zone: tzinfo | None) -> Stamper:
    """Stamps like `ccbu_stamp`."""

    def around(second: float) -> tuple[str, str]:
        before, dot, after = ccbu_stamp(local(second, zone)).partition(".")
        return before + dot, after[3:]

    return Stamper(around)


def iso_stamp(wall: float) -> str:
    """`2017-06-16T18:46:04.630Z`: UTC with milliseconds."""
    return f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"

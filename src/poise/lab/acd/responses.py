"""What an agent tells the dialler of a customer's call by the ECC variable BAResponse: the outcome, and a callback.

Words as the desktop writes them: a classification (`Voice`, `Ans Machine` ...), `Callback MMDDYYYY hh:mm` and, perhaps
alone, `P#number`, or `Callback Cancel`. Source: finesse-api.md 3.3.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

_CALLBACK = re.compile(r"(?:Callback (\d{8} \d\d:\d\d))? ?(?:P#(\+?[0-9*#]{1,20}))?")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of the record."""

    again: bool
    """Whether the customer is called again."""
    at: float = 0.0
    """Wall time from which on; 0: when the dialler likes."""
    number: str = ""
    """Another number to call; empty: the same."""


_DONE, _AGAIN = Outcome(False), Outcome(True)
CLASSIFICATIONS: Mapping[str, Outcome] = {
    "Voice": _DONE,
    "Fax": _AGAIN,
    "Ans Machine": _AGAIN,
    "Busy": _AGAIN,
    "Invalid": _DONE,
    "DNC": _DONE,
    "Callback Cancel": _DONE,
}
"""BAResponse -> outcome, where it is one of few words."""


def outcome(response: str) -> Outcome | None:
    """What a response means, None when it means nothing."""
    known = CLASSIFICATIONS.get(response)
    if known is not None or not response:
        return known
    match = _CALLBACK.fullmatch(response)
    if match is None:
        return None
    stamp, number = match[1], match[2] or ""
    try:
        at = datetime.strptime(stamp, "%m%d%Y %H:%M").replace(tzinfo=UTC).timestamp() if stamp else 0.0
    except ValueError:
        return None
    return Outcome(True, at, number)

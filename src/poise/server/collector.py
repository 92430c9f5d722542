"""The garbage collector's habits: it never looks at the same old objects twice.

What the server no longer needs goes by reference counting; sessions leave no cycles (a test holds them to it). A full
collection would find nothing, and hold the event loop for 100 ms with 10,000 sessions. Measured in
docs/explanation/garbage-collection.md.
"""

from __future__ import annotations

import gc
from typing import Any

THRESHOLDS = (700, 10, 1)
"""CPython's own, but for the last: with it an old-generation collection sees at most about 15,000 objects, 5 to 8 ms,
during the worst onrush of sign-ins. A larger one makes that pause longer; a smaller one makes more of them."""


def settle() -> None:
    """The server is up, and runs until the process ends: keep what there is, and whatever else survives, out of all
    later collections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
    gc.callbacks.append(_after)


def _after(phase: str, info: dict[str, Any]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()  # a splice of lists: 2 microseconds, however many objects

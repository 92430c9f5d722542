"""Which event loop the server runs on, and how its garbage is collected; measured in docs/adr/0002-http-listener.md."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")

GC_THRESHOLDS = (5_000, 10, 50)
"""Net growth in containers until a young collection, young ones until a middle one, middle ones until a full one.

Sessions and connections are freed by reference counts; the collector is there for the cycles of exceptions and
applications. A full collection looks at every live object: about 100 ms with 10,000 sessions, in which nobody is
served. A server whose sessions come and go evenly does not grow, so with these numbers it hardly ever collects; 2,500
new sessions (50,000 containers) cost one pause of 15 to 20 ms. Higher ones let garbage cycles pile up; Python's own
(700, 10, 10) run full collections while agents sign in."""


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run the server: on uvloop where it is installed (not on Windows), else on asyncio's own loop."""
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        import uvloop
    except ImportError:
        return asyncio.run(main)
    return uvloop.run(main)

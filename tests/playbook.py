"""A story about one core, told line by line: what goes in, how time goes on, and what must come out.

A core is anything with a `deadline` and a `due(now)`. Inputs and expectations alternate: nothing goes in, and no time
goes by, while something that came out is unread; so every output is named by the story, in its place. A mismatch
shows the whole story so far and a diff; a story that stops with outputs unread fails in `finish`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, Protocol, TypeVar

Output = TypeVar("Output")
Output_co = TypeVar("Output_co", covariant=True)


class Core(Protocol[Output_co]):
    """What a playbook can drive."""

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinity for never."""

    def due(self, now: float) -> Sequence[Output_co]:
        """Do what is due at `now`."""


class Playbook(Generic[Output]):
    """One story. `START` is far from 0, so that nobody mistakes a moment for a length."""

    START = 1000.0
    MOST_DEADLINES = 10_000

    def __init__(self, core: Core[Output], now: float = START) -> None:
        self.core = core
        self.now = now
        self._story: list[str] = []
        self._unread: list[Output] = []

    def put(self, line: str, act: Callable[[float], Sequence[Output] | None]) -> None:
        """An input: `act` gives it to the core. `line` is its name in the story."""
        self._must_be_read(f"before {line!r}")
        self._story.append(f"{self.now - self.START:9.3f} >> {line}")
        self._unread += act(self.now) or ()

    def wait(self, seconds: float) -> None:
        """Time goes by; every deadline on the way is met at its own moment."""
        self._must_be_read(f"before waiting {seconds} s")
        self._story.append(f"{self.now - self.START:9.3f} .. {seconds} s go by")
        until = self.now + seconds
        for _ in range(self.MOST_DEADLINES):
            if self.core.deadline > until:
                break
            self.now = max(self.now, self.core.deadline)
            self._unread += self.core.due(self.now)
        else:
            self._fail("the core's deadline does not move on")
        self.now = until

    def expect(self, *expected: object) -> None:
        """Exactly these outputs have come, in this order."""
        if self._unread == list(expected):
            self._story += (f"{'':9} << {output!r}" for output in self._unread)
            self._unread = []
            return
        want = [repr(output) for output in expected]
        have = [repr(output) for output in self._unread]
        self._fail("expected (-) and come out (+):\n" + "\n".join(difflib.ndiff(want, have)))

    def nothing(self) -> None:
        """Nothing has come out."""
        self.expect()

    def finish(self) -> None:
        """The story ends here: everything must have been read."""
        self._must_be_read("at the end of the story")

    def __enter__(self) -> Playbook[Output]:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        if error is None:
            self.finish()

    def _must_be_read(self, when: str) -> None:
        if self._unread:
            self._fail(f"unread {when}:\n" + "\n".join(f"+ {output!r}" for output in self._unread))

    def _fail(self, why: str) -> None:
        story = "\n".join(self._story)
        self._unread = []
        raise AssertionError(f"{why}\n\nthe story so far, seconds from its start:\n{story}")

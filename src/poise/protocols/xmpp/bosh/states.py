"""The states of one BOSH session, as a table.

Theory. A client's requests are numbered, and the numbers form one run: first those already answered, then those
held open, then, perhaps after a hole, those that came too early. So a session is always in exactly one of four
states, told apart by which clock is running, and the clock that runs out decides what happens. HOLDING: requests
are open and none is missing; the clock is the oldest one's `wait`, and when it runs out that request gets an empty
answer. GAP: a request came whose predecessor is missing; it waits, open and unread, and if the hole is not filled
the session cannot go on. IDLE: nothing is open, it is the client's turn, and the clock is `inactivity`. PAUSED:
nothing is open because the client said so; the clock is the pause it asked for. CLOSED is for ever. What is done
with a request depends only on its place in the run: the next one is read, an answered one gets the same answer
again, an open one is taken over by its repetition, and everything else lies outside the window and ends the
session.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class State(Enum):
    """Which clock is running."""

    __hash__ = (
        object.__hash__
    )  # keys of the tables: a member is one object, and the enum's own hash is ten times dearer

    HOLDING = "holding"
    GAP = "gap"
    IDLE = "idle"
    PAUSED = "paused"
    CLOSED = "closed"


class Event(Enum):
    """What the session found after an input."""

    __hash__ = object.__hash__

    HELD = "a request is open, none is missing"
    MISSED = "a request is open, an earlier one is missing"
    ANSWERED = "nothing is open any more"
    PAUSED = "the client announced a pause"
    ENDED = "the session ended"


class Place(Enum):
    """Where a request id lies in the run."""

    __hash__ = object.__hash__

    NEXT = "the one after the last read"
    EARLY = "inside the window, its predecessor missing"
    EARLY_AGAIN = "a repetition of one that came early"
    HELD_AGAIN = "a repetition of one that is held"
    ANSWERED_AGAIN = "a repetition of one whose answer is kept"
    OUTSIDE = "too old or too far ahead"


_OPEN: Final = {
    Event.HELD: State.HOLDING,
    Event.MISSED: State.GAP,
    Event.PAUSED: State.PAUSED,
    Event.ANSWERED: State.IDLE,
    Event.ENDED: State.CLOSED,
}

TRANSITIONS: Final[Mapping[State, Mapping[Event, State]]] = {
    State.HOLDING: _OPEN,
    State.GAP: _OPEN,
    State.IDLE: _OPEN,
    State.PAUSED: _OPEN,
    State.CLOSED: {},
}
"""Every transition there is. Nothing leads out of CLOSED."""

EXPIRY: Final[Mapping[State, str]] = {
    State.GAP: "gap-not-filled",
    State.IDLE: "idle",
    State.PAUSED: "paused-too-long",
}
"""The ending, by its code in `poise.registry`, when the state's clock runs out. HOLDING does not end: it answers."""

"""What a simulated contact centre is told to do by itself: times in seconds, and what outside numbers do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Reaction(Enum):
    """What happens when an outside number is called."""

    ANSWERS = "answers"
    BUSY = "busy"
    RINGS = "rings"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Number:
    """How an outside number behaves."""

    reaction: Reaction = Reaction.ANSWERS
    after_s: float = 3.0
    """Seconds until it answers."""
    talks_s: float | None = None
    """Seconds after which the one who answered hangs up; None: never by itself."""


@dataclass(frozen=True, slots=True)
class AcdSettings:
    """Times and habits of the centre."""

    ring_s: float = 20.0
    """Seconds a call from a queue rings at an agent before it goes on (RONA)."""
    wrap_up_s: float = 10.0
    """Seconds of wrap-up after a call from a queue or campaign; 0: none."""
    ring_limit_s: float = 60.0
    """Seconds any other call rings before it fails."""
    tone_s: float = 10.0
    """Seconds an agent hears the tone of a call that failed before the telephone hangs up by itself."""
    preview_s: float = 30.0
    """Seconds an agent may look at a preview call."""
    dialling_s: float = 20.0
    """Seconds a campaign's call to a customer may take."""
    patience_s: float = 600.0
    """Longest time in seconds outside parties wait in a queue, whatever else is said of them."""
    left_alone_s: float = 30.0
    """Seconds two outside parties talk on after the agent has left them."""
    numbers: Mapping[str, Number] = field(default_factory=dict)
    """Outside numbers that do not behave as all others."""

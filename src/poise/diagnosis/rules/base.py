"""What a rule gives, and how rules are listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from poise.diagnosis.causes import Confidence
from poise.diagnosis.events import Event
from poise.diagnosis.incidents import Incident
from poise.diagnosis.site import Site


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule's answer."""

    cause: str
    confidence: Confidence
    proof: tuple[Event, ...]
    """The lines that show it, the most telling first."""
    facts: Mapping[str, object] = field(default_factory=dict)
    """Values for the text of the catalogue."""


Rule = Callable[[Incident, Site], Hit | None]
CERTAIN, LIKELY, POSSIBLE = Confidence.CERTAIN, Confidence.LIKELY, Confidence.POSSIBLE


def hit(cause: str, confidence: Confidence, *proof: Event | None, **facts: object) -> Hit:
    """A hit with the proof that is there."""
    return Hit(cause, confidence, tuple(event for event in proof if event is not None)[:12], facts)

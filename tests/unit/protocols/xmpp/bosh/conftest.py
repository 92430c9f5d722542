"""`tell` begins a story; a story that is not told to its end fails."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from poise.protocols.xmpp.bosh import BoshPolicy
from tests.unit.protocols.xmpp.bosh.stories import EXACT, Story


class Teller:
    """Begins stories and sees to it that they are finished."""

    def __init__(self) -> None:
        self.told: list[Story] = []

    def __call__(self, policy: BoshPolicy = EXACT, **attrs: str | None) -> Story:
        story = Story(policy, **attrs)
        self.told.append(story)
        return story


@pytest.fixture
def tell() -> Iterator[Teller]:
    """A function that begins a story: `tell(policy, hold="2")`."""
    teller = Teller()
    yield teller
    for story in teller.told:
        story.finish()

"""Which device a dialled number means."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from poise.lab.acd.agents import Acd
from poise.lab.acd.codes import Device
from poise.lab.acd.events import queue_number
from poise.lab.acd.settings import Number, Reaction
from poise.lab.data import SkillGroup

OUTSIDE_DIGITS = 5
"""Digits from which on an unknown number is one of the outside world."""
_BY_PREFIX = (("999", Reaction.UNKNOWN), ("998", Reaction.BUSY), ("997", Reaction.RINGS))


class Destination(NamedTuple):
    """What was dialled."""

    number: str
    kind: Device
    group: SkillGroup | None = None
    outside: Number | None = None

    @property
    def device(self) -> tuple[str, Device]:
        """Number and kind together."""
        return self.number, self.kind


class DialPlan:
    """Agents' telephones first, then queues, then the outside world."""

    def __init__(self, acd: Acd, groups: tuple[SkillGroup, ...], numbers: Mapping[str, Number]) -> None:
        self._acd = acd
        self.queues = {queue_number(group): group for group in groups}
        self.numbers = dict(numbers)
        """Outside numbers with a behaviour of their own; may be added to."""

    def find(self, number: str) -> Destination:
        """What a number means; a number that does not exist is an outside one whose reaction says so."""
        if self._acd.has_telephone(number):
            return Destination(number, Device.AGENT)
        group = self.queues.get(number)
        if group is not None:
            return Destination(number, Device.ROUTE_POINT, group)
        special = self.numbers.get(number)
        if special is not None:
            return Destination(number, Device.EXTERNAL, outside=special)
        digits = number.removeprefix("+")
        if not (digits.isascii() and digits.isdigit()) or (len(digits) < OUTSIDE_DIGITS and digits == number):
            return Destination(number, Device.EXTERNAL, outside=Number(Reaction.UNKNOWN))
        for prefix, reaction in _BY_PREFIX:
            if digits.startswith(prefix):
                return Destination(number, Device.EXTERNAL, outside=Number(reaction))
        return Destination(number, Device.EXTERNAL, outside=Number())

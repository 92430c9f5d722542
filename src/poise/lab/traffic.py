"""Calls that come and go by themselves, for the demo: gently, and only while somebody is READY. No I/O, no clock."""

from __future__ import annotations

import random

from poise.lab.acd.events import queue_number
from poise.lab.acd.model import CallData
from poise.lab.acd.outside import Caller
from poise.lab.data import SkillGroup
from poise.lab.hands import Hands
from poise.lab.server import LabServer

GAP_SPREAD = (0.1, 1.9)
"""Shortest and longest gap between two calls, as parts of the mean: no bursts, and as many calls as were asked for."""
LATE_S = 1.0
"""Seconds of calls that are made up for after a stall."""
SETTLED_S = 10.0
"""Seconds an agent has been READY before a call comes: whoever has just sat down is left in peace."""
_REASONS = ("invoice", "delivery", "contract", "return", "question")


class Traffic:
    """`per_minute` calls a minute on average over all queues, the first after a whole mean gap."""

    def __init__(self, server: LabServer, per_minute: float, seed: int, now: float) -> None:
        self._server = server
        self._hands = Hands(server)
        self._gap_s = 60.0 / per_minute
        self._chance = random.Random(seed)  # noqa: S311 - play, not secrecy
        self.calls = 0
        self._due = now + self._gap_s
        server.centre.switch.agenda.at(self._due, self._next)

    def _next(self, now: float) -> None:
        """From the moment the call was due, so that being late costs no calls; what a long stall missed is left out."""
        self._due = max(self._due, now - LATE_S) + self._gap_s * self._chance.uniform(*GAP_SPREAD)
        self._server.centre.switch.agenda.at(self._due, self._next)
        chance, groups = self._chance, self._server.settings.data.skill_groups
        group = next((group for group in chance.sample(groups, len(groups)) if self._staffed(group, now)), None)
        if group is None:
            return
        self.calls += 1
        variables = (chance.choice(_REASONS), f"A{chance.randrange(10_000):04d}", *("",) * 8)
        data = CallData(variables=variables, ecc=(("user.segment", chance.choice(("gold", "silver", "new"))),))
        number = f"555{chance.randrange(10_000):04d}"
        caller = Caller(number, queue_number(group), data, chance.uniform(60, 120), chance.uniform(40, 180))
        self._hands.call_in(caller, now)

    def _staffed(self, group: SkillGroup, now: float) -> bool:
        agent = self._server.centre.queues.free_agent(group)
        return agent is not None and agent.since <= now - SETTLED_S

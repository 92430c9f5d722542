"""Calls that come and go by themselves, for the demo: gently, and only while somebody is READY. No I/O, no clock."""

from __future__ import annotations

import random

from poise.lab.acd.events import queue_number
from poise.lab.acd.model import CallData
from poise.lab.acd.outside import Caller
from poise.lab.hands import Hands
from poise.lab.server import LabServer

SHORTEST_GAP_S = 1.0
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
        server.centre.switch.agenda.at(now + self._gap_s, self._next)

    def _next(self, now: float) -> None:
        gap_s = min(max(self._chance.expovariate(1 / self._gap_s), SHORTEST_GAP_S), 3 * self._gap_s)
        self._server.centre.switch.agenda.at(now + gap_s, self._next)
        queues = self._server.centre.queues
        groups = [
            group
            for group in self._server.settings.data.skill_groups
            if (agent := queues.free_agent(group)) is not None and agent.since <= now - SETTLED_S
        ]
        if not groups:
            return
        group, chance = self._chance.choice(groups), self._chance
        self.calls += 1
        variables = (chance.choice(_REASONS), f"A{chance.randrange(10_000):04d}", *("",) * 8)
        data = CallData(variables=variables, ecc=(("user.segment", chance.choice(("gold", "silver", "new"))),))
        number = f"555{chance.randrange(10_000):04d}"
        caller = Caller(number, queue_number(group), data, chance.uniform(60, 120), chance.uniform(40, 180))
        self._hands.call_in(caller, now)

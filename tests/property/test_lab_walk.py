"""Long random walks through the built-in ACD: people do sensible things with their telephones, and the laws hold."""

from __future__ import annotations

import random

import pytest

from poise.lab.acd.dialler import Campaign, Mode, Record
from poise.lab.acd.outside import Caller
from poise.lab.data import DEMO
from poise.lab.rules import Deployment
from tests.property.test_lab_acd import AGENTS, VERSIONS, AcdMachine
from tests.unit.lab.acd.walker import possibilities

STEPS = 500
NUMBERS = [*AGENTS, *AGENTS, "8010", "8012", "5551234", "99955555", "99855555", "99755555"]


@pytest.mark.parametrize("seed", range(6))
def test_a_long_walk_keeps_every_law(seed: int) -> None:
    chance = random.Random(seed)
    machine = AcdMachine()
    deployment = Deployment.UCCX if seed % 4 == 3 else Deployment.UCCE
    machine.begin(deployment, VERSIONS[seed % 4], seed if seed % 2 else None, 5.0 * (seed % 3))
    floor = machine.floor
    for _ in range(STEPS):
        device, kind = chance.choice(AGENTS), chance.random()
        acts = possibilities(floor, device, chance.choice(NUMBERS))
        if kind < 0.72 and acts:
            chance.choice(acts)()
        elif kind < 0.78:
            machine.set_state(device, chance.choice([0, 2, 3, 3, 3]), 0)
        elif kind < 0.82:
            caller = Caller(
                "5550000", chance.choice(["8010", "8011", "8012", device]), talks_s=chance.choice([40, None])
            )
            floor.centre.outside.call_in(caller, floor.now)
            floor.tell()
        elif kind < 0.84:
            campaign = Campaign("Spring", DEMO.skill_groups[2], chance.choice(list(Mode)))
            floor.centre.dialler.add(campaign, Record("5557777", talks_s=20))
            floor.tell()
        else:
            floor.pass_time(chance.choice([1, 2, 5, 11]))
        machine.laws_hold()
    machine.teardown()

"""A whole day in a simulated contact centre, in as little time as it takes to compute. No I/O, no clock.

`Day` is the simulated CTI server with robots for agents and a list of callers and campaigns for the day. Whoever drives
it connects clients to `day.server` - a product's own link, in bytes - and lets time pass:

    day = Day(300, 2000, seed=4)
    session = day.server.connected(day.now)
    while day.step(send):          # send(LabOutput): what the server has for its clients
        ...                        # the client's own timers up to day.now

Everything comes from the seed; the same day happens every time.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from poise.lab.acd.dialler import Campaign, Mode, Record
from poise.lab.acd.events import queue_number
from poise.lab.acd.model import CallData
from poise.lab.acd.outside import Caller
from poise.lab.acd.settings import AcdSettings
from poise.lab.data import LabData, Person, SkillGroup, Team
from poise.lab.robots import Habits, Robots
from poise.lab.rules import Deployment
from poise.lab.server import LabOutput, LabServer, LabSettings

TEAM_SIZE = 15
FIRST_AGENT = 2001
FIRST_SUPERVISOR = 1801
OUTBOUND_PART = 0.1
"""Part of the calls that campaigns make."""


def large_centre(agents: int) -> LabData:
    """Teams of TEAM_SIZE with a supervisor each, a queue for each team and one for all."""
    count = -(-agents // TEAM_SIZE)
    teams = tuple(Team(number, f"Team {number}") for number in range(1, count + 1))
    people = [
        Person(str(n), f"agent{n}", "Agent", str(n), str(n), 1 + (n - FIRST_AGENT) // TEAM_SIZE)
        for n in range(FIRST_AGENT, FIRST_AGENT + agents)
    ]
    people += [
        Person(str(n), f"supervisor{n}", "Supervisor", str(n), str(n), team.team_id, (team.team_id,))
        for n, team in enumerate(teams, FIRST_SUPERVISOR)
    ]
    groups = tuple(SkillGroup(100 + team.team_id, f"Queue {team.team_id}", (team.team_id,)) for team in teams)
    everybody = SkillGroup(100, "General", tuple(team.team_id for team in teams))
    return LabData(tuple(people), teams, (everybody, *groups))


class Day:
    """One day, from time 0 on. `now` is monotonic seconds and only moves in `step`; who drives `server` by other
    means does without both."""

    def __init__(
        self,
        agents: int,
        calls: int,
        seed: int,
        deployment: Deployment = Deployment.UCCE,
        shuffle: int | None = None,
        lasts_s: float = 8 * 3600.0,
        settings: LabSettings | None = None,
    ) -> None:
        self.now = 0.0
        self.ends_at = lasts_s
        base = LabSettings(acd=AcdSettings()) if settings is None else settings
        self.server = LabServer(replace(base, data=large_centre(agents), deployment=deployment, shuffle=shuffle))
        self.robots = Robots(self.server, seed, Habits())
        self.placed = 0
        self._chance = random.Random(seed)  # noqa: S311 - play, not secrecy
        self._agenda = self.server.centre.switch.agenda
        self._plan(calls)

    def _plan(self, calls: int) -> None:
        data, chance = self.server.settings.data, self._chance
        for person in data.people:
            at = self.now + chance.uniform(0, 60)
            self._agenda.at(at, lambda now, who=person: self._begins(who, now))  # type: ignore[misc]
        last = self.ends_at - 1200  # whatever was begun is over before the day is
        for number in range(calls):
            when = chance.uniform(self.now + 120, last)
            outbound = chance.random() < OUTBOUND_PART
            self._agenda.at(when, self._customer(number) if outbound else self._caller(number))
        self._agenda.at(self.ends_at - 120, self._evening)

    def _begins(self, person: Person, now: float) -> None:
        self.robots.take_over(person.agent_id, now, ready=not person.supervises)

    def _caller(self, number: int) -> Callable[[float], None]:
        chance = self._chance
        group = chance.choice(self.server.settings.data.skill_groups)
        data = CallData(variables=(f"call {number}", *("",) * 9), ecc=(("user.number", str(number)),))
        caller = Caller(f"555{number:05d}", queue_number(group), data, chance.uniform(20, 120), chance.uniform(30, 150))

        def calls(now: float) -> None:
            self.placed += 1
            self.robots.hands.call_in(caller, now)

        return calls

    def _customer(self, number: int) -> Callable[[float], None]:
        chance = self._chance
        groups = self.server.settings.data.skill_groups
        campaign = Campaign("Day", groups[0], chance.choice(list(Mode)))
        prefix = chance.choice(["5556", "5556", "5556", "9985", "9975"])
        record = Record(f"{prefix}{number:04d}", f"A{number}", talks_s=chance.uniform(20, 60))

        def waits(now: float) -> None:
            self.placed += 1
            self.server.centre.dialler.add(campaign, record)
            self.server.happened_inside(now)

        return waits

    def _evening(self, now: float) -> None:
        self.robots.dismiss()

    @property
    def over(self) -> bool:
        """Whether the day has passed."""
        return self.now >= self.ends_at

    def step(self, send: Callable[[LabOutput], None], until: float = float("inf")) -> bool:
        """Let time pass to the next thing that happens (or `until`), and let it happen; False when the day is over."""
        self.now = min(max(self.now, self.server.deadline), until, self.ends_at)
        for output in self.server.due(self.now):
            send(output)
        return not self.over

"""Robots: agents who work by themselves, so that a whole day runs without people. No I/O, no clock.

A robot signs in, is READY, answers, does with each call one of the call flows of `FLOWS`, and becomes READY again.
Everything random comes from one seed. A robot only ever does what a person at the telephone could do.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from poise.lab.acd.codes import Lcs, LineType, Supervise
from poise.lab.acd.events import AgentTold, CallTold, queue_number
from poise.lab.acd.model import Leg
from poise.lab.hands import Hands
from poise.lab.server import LabServer
from poise.protocols.cti.constants import AgentState, Direction

RETURNS_AFTER_S = 20.0
"""Seconds after which a robot that has become NOT_READY is READY again."""
LONGEST_CALL_S = 240.0
"""Seconds after which a robot hangs up whatever it still has."""
BUSY_NUMBER = "9985550"
OUTSIDE_NUMBER = "5557000"


@dataclass(frozen=True, slots=True)
class Habits:
    """What robots are like."""

    answers_after_s: tuple[float, float] = (1.0, 6.0)
    misses: float = 0.02
    """Part of the calls a robot lets ring."""
    works: bool = True
    """Whether call flows are played; else the other side ends each call."""


_Act = Callable[["Robots", str, float], str]


def _other(robots: Robots, device: str, now: float) -> str:
    return robots.hands.consult(device, robots.colleague(device), now)


def _supervised(action: Supervise) -> _Act:
    def act(robots: Robots, device: str, now: float) -> str:
        supervisor = robots.supervisor(device)
        return robots.hands.supervise(supervisor, device, action, now) if supervisor else "no supervisor is free"

    return act


def _supervisor_ends(robots: Robots, device: str, now: float) -> str:
    supervisor = robots.supervisor_of(device)
    return robots.hands.hang_up(supervisor, now) if supervisor else ""


_HANGS_UP: _Act = lambda r, d, now: r.hands.hang_up(d, now)  # noqa: E731
_TRANSFER: _Act = lambda r, d, now: r.hands.two(d, "TRANSFER", now)  # noqa: E731
FLOWS: Mapping[str, tuple[tuple[float, _Act], ...]] = {
    "talk": ((25, _HANGS_UP),),
    "listen": (),
    "hold": (
        (5, lambda r, d, now: r.hands.hold(d, now)),
        (8, lambda r, d, now: r.hands.retrieve(d, now)),
        (15, _HANGS_UP),
    ),
    "consult transfer": ((5, _other), (12, _TRANSFER)),
    "transfer while ringing": ((5, _other), (0.5, _TRANSFER)),
    "conference": ((5, _other), (12, lambda r, d, now: r.hands.two(d, "CONFERENCE", now)), (20, _HANGS_UP)),
    "alternate": (
        (5, _other),
        (12, lambda r, d, now: r.hands.two(d, "ALTERNATE", now)),
        (4, lambda r, d, now: r.hands.two(d, "ALTERNATE", now)),
        (4, lambda r, d, now: r.hands.two(d, "RECONNECT", now)),
        (8, _HANGS_UP),
    ),
    "busy consult": (
        (5, lambda r, d, now: r.hands.consult(d, BUSY_NUMBER, now)),
        (4, lambda r, d, now: r.hands.two(d, "RECONNECT", now)),
        (8, _HANGS_UP),
    ),
    "blind transfer": ((6, lambda r, d, now: r.hands.blind(d, r.colleague(d), now)),),
    "blind transfer to a queue": ((6, lambda r, d, now: r.hands.blind(d, r.queue(), now)),),
    "consult to a queue": ((6, lambda r, d, now: r.hands.consult(d, r.queue(), now)), (20, _TRANSFER)),
    "transfer outside": ((6, lambda r, d, now: r.hands.consult(d, OUTSIDE_NUMBER, now)), (8, _TRANSFER)),
    "data": (
        (2, lambda r, d, now: r.hands.set_data(d, (("var3", "seen"), ("user.step", "2")), now)),
        (3, lambda r, d, now: r.hands.dtmf(d, "12#", now)),
        (1, lambda r, d, now: r.hands.record(d, now, on=True)),
        (6, lambda r, d, now: r.hands.record(d, now, on=False)),
        (4, _HANGS_UP),
        (1, lambda r, d, now: r.hands.set_data(d, (("wrapup", "done"),), now)),
    ),
    "monitor": ((4, _supervised(Supervise.MONITOR)), (10, _supervisor_ends), (10, _HANGS_UP)),
    "barge": (
        (4, _supervised(Supervise.MONITOR)),
        (5, _supervised(Supervise.BARGE)),
        (8, _supervisor_ends),
        (8, _HANGS_UP),
    ),
    "intercept": (
        (4, _supervised(Supervise.MONITOR)),
        (5, _supervised(Supervise.BARGE)),
        (5, _supervised(Supervise.INTERCEPT)),
    ),
}
"""Call flow -> steps: seconds after the one before, and what the robot does."""
_WEIGHTS = {"talk": 8, "listen": 8, "hold": 3}


class Robots:
    """All robots of a server."""

    hands: Hands

    def __init__(self, server: LabServer, seed: int, habits: Habits | None = None) -> None:
        self.hands = Hands(server)
        self.habits = Habits() if habits is None else habits
        self.flows: Counter[str] = Counter()
        """How often each flow was begun."""
        self.refused: Counter[str] = Counter()
        self._server = server
        self._agenda = server.centre.switch.agenda
        self._chance = random.Random(seed)  # noqa: S311 - play, not secrecy
        self._robots: dict[str, str] = {}  # telephone -> agent
        self._flow_of: dict[str, str] = {}  # telephone -> flow it is in
        self._watched_by: dict[str, str] = {}  # telephone -> supervisor's telephone
        server.watch = self._told

    def take_over(self, agent_id: str, now: float, *, ready: bool = True) -> str:
        """An agent is a robot from now on."""
        server = self._server
        agent = server.acd.agent(agent_id)
        assert agent is not None
        problem = "" if agent.extension else self.hands.sign_in(agent_id, agent.person.extension, now)
        if problem:
            return problem
        self._robots[self.hands.extension(agent_id)] = agent_id
        return self.hands.state(agent_id, AgentState.AVAILABLE, now) if ready else ""

    def dismiss(self) -> None:
        """The robots do nothing more by themselves than to end what they are in."""
        self._robots.clear()

    def colleague(self, device: str) -> str:
        """The telephone of another robot that has no call, if there is one."""
        at, acd = self._server.centre.switch.at, self._server.acd
        free = [
            other
            for other in self._robots
            if other != device
            and not at(other)
            and (now := acd.at_extension(other)) is not None
            and now.state in (AgentState.AVAILABLE, AgentState.NOT_READY)
            and not now.person.supervises
        ]
        return self._chance.choice(free) if free else BUSY_NUMBER

    def queue(self) -> str:
        """Some queue's number."""
        return queue_number(self._chance.choice(self._server.settings.data.skill_groups))

    def supervisor(self, device: str) -> str:
        """The telephone of the supervisor who watches this one, or of one who is free to."""
        watching = self._watched_by.get(device)
        if watching is not None:
            return watching
        acd, at = self._server.acd, self._server.centre.switch.at
        for person in self._server.settings.data.people:
            agent = acd.agent(person.agent_id)
            if agent is None or not person.supervises or agent.extension in ("", device):
                continue
            if agent.state is AgentState.NOT_READY and not at(agent.extension):
                self._watched_by[device] = agent.extension
                return agent.extension
        return ""

    def supervisor_of(self, device: str) -> str:
        """The telephone of the supervisor who watches this one; with that the watch is over."""
        return self._watched_by.pop(device, "")

    # What robots notice

    def _told(self, told: CallTold | AgentTold) -> None:
        if isinstance(told, AgentTold):
            self._state(told)
            return
        name = told.message.name
        device = told.message.text("CONNECTION_DEVID") or ""
        if device not in self._robots:
            return
        leg = self._server.centre.switch.find(told.call_id, device)
        if leg is None:
            return
        if name == "CALL_DELIVERED_EVENT" and leg.state is Lcs.ALERTING:
            self._rings(leg)
        elif name == "CALL_ESTABLISHED_EVENT" and leg.state is Lcs.CONNECT and leg.answered:
            self._talks(leg)

    def _state(self, told: AgentTold) -> None:
        agent = told.agent
        if self._robots.get(agent.extension) != agent.person.agent_id:
            return
        if not self._server.centre.switch.at(agent.extension):
            self._flow_of.pop(agent.extension, None)
        if agent.state is AgentState.NOT_READY and not agent.person.supervises:
            when = agent.since + RETURNS_AFTER_S
            self._agenda.at(when, partial(self._returns, agent.person.agent_id, agent.since))

    def _returns(self, agent_id: str, since: float, now: float) -> None:
        agent = self._server.acd.agent(agent_id)
        if agent is None or agent.since != since or agent.state is not AgentState.NOT_READY:
            return
        if agent.extension in self._robots and not self._server.centre.switch.at(agent.extension):
            self.hands.state(agent_id, AgentState.AVAILABLE, now)
        else:
            self._agenda.at(now + RETURNS_AFTER_S, partial(self._returns, agent_id, since))

    def _rings(self, leg: Leg) -> None:
        if leg.line is LineType.INBOUND_ACD and self._chance.random() < self.habits.misses:
            return
        after_s = self._chance.uniform(*self.habits.answers_after_s)
        self._agenda.at(leg.since + after_s, partial(self._answers, leg))

    def _answers(self, leg: Leg, now: float) -> None:
        if leg.state is not Lcs.ALERTING:
            return
        if leg.direction is Direction.OUTBOUND_PREVIEW:
            response = "Accept" if self._chance.random() < 0.8 else "Reject"
            self.hands.set_data(leg.device, (("BAResponse", response),), now)
        else:
            self.hands.ask(
                now, "ANSWER_CALL_REQ", (("CONNECTION_DEVID", leg.device),), ConnectionCallID=leg.call.call_id
            )

    def _talks(self, leg: Leg) -> None:
        self._agenda.at(leg.since + LONGEST_CALL_S, partial(self._ends, leg))
        if leg.device in self._flow_of:
            return
        names = list(FLOWS) if self.habits.works and leg.line is LineType.INBOUND_ACD else ["listen"]
        name = self._chance.choices(names, [_WEIGHTS.get(each, 1) for each in names])[0]
        self._flow_of[leg.device] = name
        self.flows[name] += 1
        self._next(leg.device, name, 0, leg.since)

    def _next(self, device: str, name: str, at: int, now: float) -> None:
        if at >= len(FLOWS[name]):
            return
        after_s = FLOWS[name][at][0] * self._chance.uniform(0.8, 1.2)
        self._agenda.at(now + after_s, partial(self._step, device, name, at))

    def _step(self, device: str, name: str, at: int, now: float) -> None:
        if self._flow_of.get(device) != name:
            return
        if FLOWS[name][at][1](self, device, now):
            self.refused[name] += 1
        self._next(device, name, at + 1, now)

    def _ends(self, leg: Leg, now: float) -> None:
        """The call has lasted long enough."""
        if not leg.gone and leg.state is not Lcs.ALERTING:
            floats = (("CONNECTION_DEVID", leg.device),)
            self.hands.ask(now, "CLEAR_CONNECTION_REQ", floats, ConnectionCallID=leg.call.call_id)

"""Plays a scenario in the centre: each step at its time. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from poise.lab.acd.codes import Supervise
from poise.lab.acd.dialler import Campaign, Mode, Record
from poise.lab.acd.model import CallData
from poise.lab.acd.outside import Caller
from poise.lab.callrequests import new_data
from poise.lab.hands import Hands, data_floats
from poise.lab.robots import Robots
from poise.lab.scenario import Step, outside_number, seconds
from poise.lab.server import LabServer
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import Message

_Act = Callable[[Hands, Step, str, float], str]
_SUPERVISE = {
    "monitors": Supervise.MONITOR,
    "whispers": Supervise.WHISPER,
    "barges": Supervise.BARGE,
    "intercepts": Supervise.INTERCEPT,
    "leaves": Supervise.CLEAR,
}


def _reason(step: Step) -> int:
    return int(step.arguments[0]) if step.arguments else 0


def _supervise(action: Supervise) -> _Act:
    return lambda hands, step, device, now: hands.supervise(device, hands.extension(step.arguments[0]), action, now)


def _transfers(hands: Hands, step: Step, device: str, now: float) -> str:
    if step.arguments:
        return hands.blind(device, step.arguments[0], now)
    return hands.two(device, "TRANSFER", now)


AGENT_ACTS: Mapping[str, _Act] = {
    "signs-out": lambda h, step, _, now: h.state(step.who, AgentState.LOGOUT, now, _reason(step)),
    "ready": lambda h, step, _, now: h.state(step.who, AgentState.AVAILABLE, now),
    "not-ready": lambda h, step, _, now: h.state(step.who, AgentState.NOT_READY, now, _reason(step)),
    "work": lambda h, step, _, now: h.state(step.who, AgentState.WORK_NOT_READY, now),
    "dials": lambda h, step, device, now: h.dial(device, step.arguments[0], now, step.data),
    "answers": lambda h, _, device, now: h.answer(device, now),
    "deflects": lambda h, step, device, now: h.deflect(device, step.arguments[0], now),
    "holds": lambda h, _, device, now: h.hold(device, now),
    "retrieves": lambda h, _, device, now: h.retrieve(device, now),
    "hangs-up": lambda h, _, device, now: h.hang_up(device, now),
    "consults": lambda h, step, device, now: h.consult(device, step.arguments[0], now),
    "transfers": _transfers,
    "conferences": lambda h, _, device, now: h.two(device, "CONFERENCE", now),
    "alternates": lambda h, _, device, now: h.two(device, "ALTERNATE", now),
    "reconnects": lambda h, _, device, now: h.two(device, "RECONNECT", now),
    "presses": lambda h, step, device, now: h.dtmf(device, step.arguments[0], now),
    "sets": lambda h, step, device, now: h.set_data(device, step.data, now),
    "records": lambda h, _, device, now: h.record(device, now, on=True),
    "stops-recording": lambda h, _, device, now: h.record(device, now, on=False),
    **{verb: _supervise(action) for verb, action in _SUPERVISE.items()},
}
"""Verb -> what is done; `signs-in` and `robot` are apart."""


class Player:
    """Plays steps. `report` is told of every step: "" when it was done, or why it was not."""

    def __init__(
        self,
        server: LabServer,
        robots: Robots,
        fault: Callable[[str, tuple[float, ...], float], str],
        report: Callable[[Step, str], None],
    ) -> None:
        self._server = server
        self._hands = Hands(server)
        self._robots = robots
        self._fault = fault
        self._report = report

    def play(self, steps: tuple[Step, ...], now: float) -> None:
        """Put every step on the agenda; time 0 is now."""
        for step in steps:
            self._server.centre.switch.agenda.at(now + step.at_s, partial(self._do, step))

    def _do(self, step: Step, now: float) -> None:
        self._report(step, self._done(step, now))

    def _done(self, step: Step, now: float) -> str:
        if step.kind == "agent":
            return self._agent(step, now)
        if step.kind == "caller":
            return self._hands.call_in(self._caller(step), now)
        if step.kind == "customer":
            return self._customer(step, now)
        if step.kind == "number":
            self._server.centre.plan.numbers[step.who] = outside_number(step)
            return ""
        signs = tuple(-seconds(text[1:]) if text.startswith("-") else seconds(text) for text in step.arguments)
        return self._fault(step.who, signs, now)

    def _agent(self, step: Step, now: float) -> str:
        person = next(person for person in self._server.settings.data.people if person.agent_id == step.who)
        if step.verb == "robot":
            return self._robots.take_over(step.who, now)
        if step.verb == "signs-in":
            return self._hands.sign_in(step.who, step.arguments[0] if step.arguments else person.extension, now)
        device = self._hands.extension(step.who)
        if not device:
            return "is not signed in"
        return AGENT_ACTS[step.verb](self._hands, step, device, now)

    @staticmethod
    def _data(step: Step) -> CallData:
        data = new_data(Message("SET_CALL_DATA_REQ", {}, data_floats(step.data)), CallData())
        assert not isinstance(data, int)
        return data

    def _caller(self, step: Step) -> Caller:
        options = step.options
        talks = options.get("talks")
        return Caller(
            step.who,
            step.arguments[0],
            self._data(step),
            seconds(options.get("patience", "120")),
            None if talks is None else seconds(talks),
        )

    def _customer(self, step: Step, now: float) -> str:
        options = step.options
        groups = {str(group.number): group for group in self._server.settings.data.skill_groups}
        campaign = Campaign(options["campaign"], groups[options["queue"]], Mode(options["mode"]))
        record = Record(
            step.who,
            options.get("account", ""),
            options.get("called", ""),
            self._data(step),
            seconds(options["talks"]) if "talks" in options else None,
        )
        self._server.centre.dialler.add(campaign, record)
        self._server.happened_inside(now)
        return ""

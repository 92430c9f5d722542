"""The whole simulated contact centre: agents, telephones, queues, callers, campaigns, supervisors. No I/O, no clock.

Requests go to the rooms (`phones`, `joining`, `supervision`, ...); after each of them, and after `due`, whatever has
become possible happens (`settle`), and `taken` gives what is to be told, in order.
"""

from __future__ import annotations

from poise.lab.acd.agents import Acd, StateRequest
from poise.lab.acd.dialler import Dialler
from poise.lab.acd.dialplan import DialPlan
from poise.lab.acd.events import Events, Told
from poise.lab.acd.joining import Joining
from poise.lab.acd.model import Call, CallData
from poise.lab.acd.outside import Outside
from poise.lab.acd.phones import Phones
from poise.lab.acd.queues import Queues
from poise.lab.acd.settings import AcdSettings
from poise.lab.acd.statistics import Statistics
from poise.lab.acd.supervision import Supervision
from poise.lab.acd.switch import Switch
from poise.lab.data import LabData
from poise.lab.rules import Refuse

STORM_RING_S = 1.0
"""Seconds a call rings in a storm of calls that nobody answers."""


class Centre:
    """Everything behind the simulated CTI server."""

    def __init__(self, data: LabData, acd: Acd, settings: AcdSettings, events: Events) -> None:
        self.data = data
        self.acd = acd
        self.settings = settings
        self.switch = Switch(acd, settings, events)
        self.plan = DialPlan(acd, data.skill_groups, settings.numbers)
        self.queues = Queues(self.switch)
        self.phones = Phones(self.switch, self.plan, self.queues)
        self.joining = Joining(self.switch, self.plan, self.phones, self.queues)
        self.supervision = Supervision(self.switch, self.phones, self.joining, data)
        self.outside = Outside(self.switch, self.plan, self.phones)
        self.dialler = Dialler(self.switch, self.plan, self.queues)
        self.statistics = Statistics(data, acd, self.switch, self.queues)
        self.telephony = True
        """False while the provider of telephony is lost: no call is brought to anybody."""

    @property
    def deadline(self) -> float:
        """When `due` must be called; infinite when nothing is due."""
        return float("-inf") if self.switch.routable else self.switch.agenda.deadline

    def due(self, now: float) -> None:
        """Time passed."""
        while (action := self.switch.agenda.pop(now)) is not None:
            action(now)
            self.settle(now)
        self.settle(now)

    def settle(self, now: float) -> None:
        """Let happen what has become possible."""
        while self.switch.routable:
            self.queues.route(now)
            if not self.switch.routable:
                self.dialler.route(now)

    def taken(self) -> list[Told]:
        """What is to be told since the last time."""
        told, self.switch.told = self.switch.told, []
        return told

    def set_state(self, request: StateRequest, now: float) -> Refuse | None:
        """An agent's state is asked for."""
        result = self.acd.request(request, now)
        if isinstance(result, Refuse):
            return result
        self.switch.publish(result, now)
        agent = self.acd.agent(request.agent_id)
        if agent is not None and self.switch.at(agent.extension):
            self.switch.settle(agent.extension, now)
        self.switch.routable = True
        return None

    def set_data(self, call: Call, data: CallData, now: float) -> None:
        """What travels with a call is changed; an agent answers a preview so."""
        before = call.data.ecc_value("BAResponse")
        self.phones.set_data(call, data)
        response = data.ecc_value("BAResponse")
        if response is not None and response != before:
            self.dialler.responded(call, response, now)

    def set_telephony(self, up: bool) -> None:
        """The provider of telephony goes or comes back."""
        self.telephony = self.queues.open = up
        self.switch.routable = True

    def ring_no_answer_storm(self, seconds: float, now: float) -> None:
        """For so long calls from queues ring one second only: whoever gets one misses it."""
        self.queues.ring_no_answer_after(STORM_RING_S)
        self.switch.agenda.at(now + seconds, lambda _: self.queues.ring_no_answer_after(None))

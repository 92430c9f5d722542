"""Whatever agents ask and callers do, desktops that only listen, REST and the telephones of the built-in ACD agree."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from poise.contact.call_data import DataChange
from poise.contact.dialog_requests import DialogWish
from poise.contact.dialog_rules import MAKES_A_DIALOG
from poise.contact.dialog_states import LIVE, Action, PartyState
from poise.contact.dialogs import CallVariable
from poise.contact.requests import StateWish
from poise.contact.states import Actor, AgentState, Deployment
from poise.finesse.api_errors import ApiException
from poise.finesse.dialogs import dialog_xml
from poise.lab.acd.codes import CallType, Device, Lcs
from poise.lab.acd.dialler import Campaign, Mode, Record
from poise.lab.acd.outside import Caller
from poise.lab.acd.settings import AcdSettings
from poise.lab.data import DEMO
from tests.unit.server.agents.desktops import Desktops, canonical
from tests.unit.server.agents.laboratory import Laboratory

AGENTS = ("1001", "1002", "1004", "1101")
devices = st.sampled_from(AGENTS)
numbers = st.sampled_from([*AGENTS, "8010", "8012", "5551234", "99955555", "99855555", "99755555", "12"])
WORDS = {
    PartyState.ACTIVE: (Lcs.CONNECT,),
    PartyState.HELD: (Lcs.HOLD,),
    PartyState.ALERTING: (Lcs.ALERTING,),
    PartyState.INITIATED: (Lcs.CONNECT,),
    PartyState.INITIATING: (Lcs.INITIATE,),
    PartyState.FAILED: (Lcs.FAIL,),
}
UNLIKE = (CallType.RESERVATION_PREVIEW, CallType.RESERVATION_PREVIEW_DIRECT, CallType.RESERVATION_PREDICTIVE)
"""Reservations: shown as an offer, or to nobody, whatever the connection is."""


class DialogsMachine(RuleBasedStateMachine):
    """Random desktops, callers and faults."""

    @initialize(
        deployment=st.sampled_from(list(Deployment)),
        version=st.sampled_from([15, 20, 24]),
        shuffle=st.sampled_from([None, 1, 2]),
        wrap_up=st.sampled_from([0.0, 5.0]),
    )
    def begin(self, deployment: Deployment, version: int, shuffle: int | None, wrap_up: float) -> None:
        acd = AcdSettings(ring_s=10, wrap_up_s=wrap_up, ring_limit_s=30, preview_s=15)
        self.lab = Laboratory(deployment, version=version, shuffle=shuffle, acd=acd)
        self.lab.in_service()
        self.lab.signs_in(*AGENTS)
        self.desktops = Desktops(AGENTS)
        self.asked = 0

    def ask(self, wish: DialogWish) -> None:
        self.asked += 1
        try:
            self.lab.service.dialogs.put(wish, f"r{self.asked}")
        except ApiException:  # refused at once, whatever for: nothing may have changed
            self.everyone_agrees()

    @rule(agent=devices, action=st.sampled_from(Action), to=numbers, pick=st.integers(0, 3), fits=st.booleans())
    def acts(self, agent: str, action: Action, to: str, pick: int, fits: bool) -> None:
        """An agent clicks, mostly on what is offered."""
        dialogs = self.lab.service.dialogs.of_agent(agent)
        number = ""
        if action not in MAKES_A_DIALOG:
            if not dialogs:
                return
            dialog = dialogs[pick % len(dialogs)]
            number = dialog.dialog_id
            party = dialog.participant(agent)
            if fits and party is not None and party.actions:
                action = party.actions[pick % len(party.actions)]
        data = DataChange((CallVariable("callVariable3", to),)) if action is Action.UPDATE_CALL_DATA else DataChange()
        time = "2026-12-24T10:00"
        self.ask(DialogWish(action, agent, number, to, "", data, "12#", "VOICE", time, ""))

    @rule(agent=devices)
    def answers(self, agent: str) -> None:
        for dialog in self.lab.service.dialogs.of_agent(agent):
            party = dialog.participant(agent)
            if party is not None and Action.ANSWER in party.actions:
                self.ask(DialogWish(Action.ANSWER, agent, dialog.dialog_id))
                return

    @rule(agent=devices, state=st.sampled_from([AgentState.READY, AgentState.READY, AgentState.NOT_READY]))
    def changes_state(self, agent: str, state: AgentState) -> None:
        try:
            self.lab.service.change_state(agent, StateWish(state, Actor.SELF), "")
        except ApiException:  # refused at once, whatever for: nothing may have changed
            self.everyone_agrees()

    @rule(dials=st.sampled_from(["8010", "8011", "1001"]), patience=st.sampled_from([5, 60]))
    def caller(self, dials: str, patience: float) -> None:
        caller = Caller("5550000", dials, patience_s=patience, talks_s=None)
        self.lab.lab.centre.outside.call_in(caller, self.lab.clock.now())
        self.lab.tell()

    @rule(mode=st.sampled_from(list(Mode)), number=st.sampled_from(["5551234", "99855555"]))
    def campaign(self, mode: Mode, number: str) -> None:
        self.lab.lab.centre.dialler.add(Campaign("Spring", DEMO.skill_groups[2], mode), Record(number, talks_s=20))
        self.lab.tell()

    @rule(seconds=st.sampled_from([1, 4, 12, 40]))
    def wait(self, seconds: float) -> None:
        self.lab.pass_time(seconds)

    @rule(dials=st.sampled_from(["8010", "8012"]), outage=st.sampled_from([0.5, 12, 70]))
    def link_breaks(self, dials: str, outage: float) -> None:
        """Calls go on while nobody listens."""
        self.lab.cut()
        self.caller(dials, 5)
        self.lab.pass_time(outage)
        self.lab.reachable = True
        self.lab.pass_time(60)
        assert self.lab.service.in_service

    @invariant()
    def everyone_agrees(self) -> None:
        self.desktops.hear(self.lab.publisher.take())
        assert not [line for line in self.lab.log.lines if line[0] in ("failed", "fault")]
        for agent in AGENTS:
            dialogs = self.lab.service.dialogs.of_agent(agent)
            read = {dialog.dialog_id: canonical(ET.fromstring(dialog_xml(dialog))) for dialog in dialogs}
            assert read == self.desktops.dialogs[agent], agent
            self._true(agent)

    def _true(self, agent: str) -> None:
        legs = {leg.call.call_id: leg for leg in self.lab.lab.centre.switch.at(agent) if not leg.gone}
        for dialog in self.lab.service.dialogs.of_agent(agent):
            party = dialog.participant(agent)
            assert party is not None
            call_type = dialog.properties.call_type
            if party.state not in LIVE or "PREVIEW" in call_type or "MONITOR" in call_type:
                continue
            leg = legs.get(int(dialog.dialog_id))
            assert leg is not None, (agent, dialog)
            assert leg.state in WORDS[party.state], (agent, dialog, leg.state)
            others = {other.device for other in leg.call.legs if other.kind in (Device.AGENT, Device.EXTERNAL)}
            shown = {p.address for p in dialog.participants if p.state in LIVE}
            assert shown <= others, (agent, dialog, others)
        signed_in = self.lab.service.agents[agent].signed_in
        for number, leg in legs.items():
            if signed_in and leg.call.call_type not in UNLIKE:
                assert self.lab.service.dialogs.find(str(number)) is not None, (agent, number)

    def teardown(self) -> None:
        """In the end everybody hangs up, and nothing is left."""
        if not hasattr(self, "lab"):
            return
        for _ in range(3):
            for agent in AGENTS:
                for dialog in self.lab.service.dialogs.of_agent(agent):
                    self.ask(DialogWish(Action.DROP, agent, dialog.dialog_id))
                self.changes_state(agent, AgentState.NOT_READY)
            self.lab.pass_time(400)
        self.everyone_agrees()
        for agent in AGENTS:
            assert self.desktops.dialogs[agent] == {}, (agent, self.desktops.shows(agent))
        assert not self.lab.service.dialogs._model.dialogs


TestDialogs = DialogsMachine.TestCase
TestDialogs.settings = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

"""A whole day of a contact centre behind the product: events, REST and telephones agree all day, and at its end."""

from __future__ import annotations

import asyncio
import xml.etree.ElementTree as ET
from math import inf

import pytest

from poise.contact.dialog_states import LIVE
from poise.contact.states import Deployment, from_cti
from poise.finesse.dialogs import dialog_xml
from poise.lab.acd.codes import Lcs
from poise.lab.day import Day
from poise.lab.robots import FLOWS
from poise.lab.rules import Deployment as LabDeployment
from tests.unit.server.agents.desktops import Desktops, canonical
from tests.unit.server.agents.laboratory import Laboratory
from tests.unit.server.webservices.stage import Rest

LOOK_EVERY = 400
"""Steps of the day between two looks at everybody."""
BREAK_EVERY = 450
"""Steps of the day between two losses of the link."""
STATES = {
    Lcs.CONNECT: {"ACTIVE", "INITIATED"},
    Lcs.HOLD: {"HELD"},
    Lcs.ALERTING: {"ALERTING"},
    Lcs.INITIATE: {"INITIATING"},
    Lcs.FAIL: {"FAILED"},
}


class Story:
    """The day, the product, and a desktop for everybody that only listens."""

    def __init__(self, day: Day, deployment: Deployment, *, breaks: bool = False, version: int = 24) -> None:
        """`breaks`: the link is lost again and again, for a few events or many."""
        self.day = day
        self.breaks = breaks
        self.outages = 0
        self.lab = Laboratory(deployment, lab=day.server, now=day.now, version=version)
        self.lab.in_service()
        self.desktops = Desktops(self.lab.service.agents)
        self.lab.publisher.told.clear()
        self.calls: set[str] = set()
        self.looks = 0

    def tell(self, until: float = inf) -> None:
        going, steps = True, 0
        while going and self.day.now < until:
            going = self.day.step(lambda output: self.lab.heard([output]), self.lab.link.deadline)
            self.lab.clock.advance(self.day.now - self.lab.clock.now())
            if self.lab.link.deadline <= self.day.now:
                self.lab.do(self.lab.link.due(self.day.now))
            self.desktops.hear(self.lab.publisher.take())
            self.calls.update(self.lab.service.dialogs._model.dialogs)
            steps += 1
            if self.breaks:
                self._break(steps)
            if steps % LOOK_EVERY == 0 and self.lab.service.in_service:
                self.look()
        self.look()

    def _break(self, steps: int) -> None:
        if steps % BREAK_EVERY == 0:
            self.outages += 1
            self.lab.cut()
        elif steps % BREAK_EVERY == self.outages % 7 * 30:
            self.lab.reachable = True

    def look(self) -> None:
        """What everybody knows from events is what they would read, and what the telephones do."""
        self.looks += 1
        for agent_id, agent in self.lab.service.agents.items():
            dialogs = self.lab.service.dialogs.of_agent(agent_id)
            read = {d.dialog_id: canonical(ET.fromstring(dialog_xml(d))) for d in dialogs}
            assert read == self.desktops.dialogs[agent_id]
            truth = self.day.server.acd.agent(agent_id)
            assert truth is not None
            state = from_cti(truth.state)
            assert state is not None
            assert agent.state.value.startswith(state.value), (agent_id, agent.state, truth.state)
            legs = {str(leg.call.call_id): leg for leg in self.day.server.centre.switch.at(agent_id) if not leg.gone}
            for dialog in dialogs:
                party = dialog.participant(agent_id)
                assert party is not None
                special = "PREVIEW" in dialog.properties.call_type or "MONITOR" in dialog.properties.call_type
                if party.state in LIVE and not special:
                    assert party.state.value in STATES[legs[dialog.dialog_id].state], (agent_id, dialog)

    async def ask_rest(self) -> int:
        """REST, asked as clients ask, says of everybody what the CTI server and the desktops know: how many dialogs."""
        rest = Rest(self.lab.deployment, self.lab)
        found = 0
        try:
            for agent_id in self.lab.service.agents:
                user = ET.fromstring((await rest.get(f"/finesse/api/User/{agent_id}", "admin")).body)
                truth = self.day.server.acd.agent(agent_id)
                assert truth is not None
                state = from_cti(truth.state)
                assert state is not None
                assert (user.findtext("state") or "").startswith(state.value), agent_id
                assert user.findtext("extension") == truth.extension
                reply = await rest.get(f"/finesse/api/User/{agent_id}/Dialogs", "admin")
                read = {d.findtext("id") or "": canonical(d) for d in ET.fromstring(reply.body)}
                assert read == self.desktops.dialogs[agent_id], agent_id
                found += len(read)
        finally:
            await rest.accounts.close()
        return found

    def ended_well(self) -> None:
        assert self.day.server.centre.switch.calls == {}
        assert not any(self.desktops.dialogs.values())
        assert not self.lab.service.dialogs._model.dialogs
        assert not [line for line in self.lab.log.lines if line[0] in ("failed", "fault")]
        assert self.lab.odd == []


@pytest.mark.parametrize(("deployment", "shuffle"), [(Deployment.UCCE, None), (Deployment.UCCX, 3)])
def test_everyone_agrees_all_day(deployment: Deployment, shuffle: int | None) -> None:
    day = Day(60, 400, 7, LabDeployment(deployment.value), shuffle, lasts_s=3 * 3600)
    story = Story(day, deployment)
    story.tell()
    story.ended_well()
    assert story.looks > 5
    assert len(story.calls) > 300


def test_a_day_on_which_the_link_breaks_again_and_again() -> None:
    day = Day(60, 400, 11, lasts_s=3 * 3600)
    story = Story(day, Deployment.UCCE, breaks=True)
    story.tell()
    story.ended_well()
    assert story.outages > 10
    assert story.looks > 10
    assert len(story.calls) > 200


def test_three_hundred_agents_and_two_thousand_calls() -> None:
    day = Day(300, 2000, 4)
    story = Story(day, Deployment.UCCE)
    story.tell()
    story.ended_well()
    assert set(day.robots.flows) == set(FLOWS), "a call flow did not happen"
    assert len(story.calls) > 1500
    assert asyncio.run(story.ask_rest()) == 0


@pytest.mark.parametrize(("deployment", "version"), [(Deployment.UCCE, 24), (Deployment.UCCX, 18)])
def test_rest_agrees_in_the_middle_of_the_day(deployment: Deployment, version: int) -> None:
    day = Day(60, 400, 5, LabDeployment(deployment.value), lasts_s=3 * 3600)
    story = Story(day, deployment, version=version)
    asked: list[int] = []
    for at in (2000.0, 5000.0, 8000.0):
        story.tell(until=at)
        asked.append(asyncio.run(story.ask_rest()))
    assert sum(asked) > 0

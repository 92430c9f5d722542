"""A scripted day: the product, the desktops that only listen, and the built-in ACD agree about everybody at the end."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from poise.contact.states import Deployment
from poise.finesse.dialogs import dialog_xml
from poise.lab.day import Day
from poise.lab.rules import Deployment as LabDeployment
from tests.unit.server.agents.desktops import Desktops, canonical
from tests.unit.server.agents.laboratory import Laboratory

STEP_S = 60.0
LOOKS_EVERY = 30
"""Steps between two looks at everybody."""
START_S = 1000.0
"""Monotonic seconds at which the clock that is moved by hand begins."""
STATES = {"AVAILABLE": "READY", "WORK_NOT_READY": "WORK"}
"""Names that differ between CTI and Finesse."""


class StoryOfADay:
    """The product in front of a day's CTI server."""

    def __init__(self, day: Day, deployment: Deployment, version: int) -> None:
        self.day = day
        self.lab = Laboratory(deployment, version=version)
        self.lab.lab = day.server
        self.agents = [person.agent_id for person in day.server.settings.data.people]
        self.desktops = Desktops(self.agents)

    def tell(self) -> None:
        self.lab.in_service()
        assert self.lab.clock.now() == START_S
        busiest = steps = 0
        while self.lab.clock.now() < self.day.ends_at:
            self.lab.pass_time(STEP_S)
            self.desktops.hear(self.lab.publisher.take())
            steps += 1
            if steps % LOOKS_EVERY == 0:
                busiest = max(busiest, self.everybody_agrees())
        assert busiest > 0, "nobody was ever seen on a call"
        assert self.everybody_agrees() == 0

    def everybody_agrees(self) -> int:
        """The ACD, REST and who only listens say the same; how many dialogs there are."""
        assert self.lab.odd == []
        assert not [line for line in self.lab.log.lines if line[0] in ("failed", "fault")]
        acd = self.day.server.acd
        for agent_id in self.agents:
            now, known = acd.agent(agent_id), self.lab.service.agents[agent_id]
            assert now is not None
            assert known.state.value.startswith(STATES.get(now.state.name, now.state.name)), agent_id
            dialogs = self.lab.service.dialogs.of_agent(agent_id)
            read = {dialog.dialog_id: canonical(ET.fromstring(dialog_xml(dialog))) for dialog in dialogs}
            assert read == self.desktops.dialogs[agent_id], agent_id
        return sum(map(len, self.desktops.dialogs.values()))


@pytest.mark.parametrize(
    ("agents", "calls", "hours", "deployment", "version", "shuffle"),
    [
        (300, 2000, 8, Deployment.UCCE, 24, None),
        (30, 200, 3, Deployment.UCCE, 15, 5),
        (30, 200, 3, Deployment.UCCX, 20, 6),
    ],
)
def test_after_a_day_everybody_agrees(
    agents: int, calls: int, hours: float, deployment: Deployment, version: int, shuffle: int | None
) -> None:
    length = hours * 3600
    day = Day(agents, calls, 4, LabDeployment(deployment.value), shuffle, lasts_s=length, starts_at=START_S)
    story = StoryOfADay(day, deployment, version)
    story.tell()
    assert day.placed == calls
    assert day.server.centre.switch.calls == {}

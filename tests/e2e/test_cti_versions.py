"""The whole product over each protocol version it is tested in: a working day in small."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import OpenStage

QUEUE = "/finesse/api/Queue/10"


@pytest.mark.parametrize("version", [15, 18, 20, 24])
def test_an_agent_signs_in_takes_a_call_and_signs_out_over_every_version(open_stage: OpenStage, version: int) -> None:
    stage = open_stage({"cti.version": version})
    assert stage.rest("1001").get("SystemInfo").root.findtext(".//ctiVersion") == str(version)
    desk = stage.agent("1001")
    assert stage.state_at_the_cti_server("1001")[0] == "AVAILABLE"
    stage.call_comes("1001")
    desk.user_update("TALKING")
    stage.call_ends("1001")
    desk.user_update("READY")
    desk.go("NOT_READY")
    desk.go("LOGOUT")
    assert stage.state_at_the_cti_server("1001")[0] == "LOGOUT"


def test_the_figures_of_a_queue_come_to_who_asked_for_them_at_most_every_ten_seconds(open_stage: OpenStage) -> None:
    stage = open_stage({})
    desk = stage.agent("1001", "NOT_READY")
    assert desk.subscribe(QUEUE).get("type") == "result"
    stage.pass_time(10)
    desk.heard()
    desk.go("READY")
    stage.pass_time(9)
    assert [update for update in desk.updates() if update.node == QUEUE] == []
    stage.pass_time(2)
    told = desk.update(QUEUE, agentsReady="1")
    assert told.value("agentsNotReady") == "0"
    stage.pass_time(30)
    assert [update for update in desk.updates() if update.node == QUEUE] == [], "nothing has changed"

"""Silence: a client that says nothing any more loses its session, then its presence, and then its agent's state.

Every time is the seed's own: reaper 30 s, idle limit 60 s, grace 60 s. `docs/explanation/silence.md` tells the same
story with real time.
"""

from __future__ import annotations

import re

import pytest

from tests.e2e.conftest import OpenStage
from tests.e2e.desk import Desk
from tests.e2e.stage import Stage, in_order
from tests.e2e.testimony import read_testimony

TEAM = "/finesse/api/Team/1/Users"
JID = "1001@localhost/desktop"

UCCE = {"contact.deployment": "UCCE", "contact.load": 0}
UCCE_LOAD_1 = {"contact.deployment": "UCCE", "contact.load": 1}
UCCX = {"contact.deployment": "UCCX"}

FORCED = (
    "MESSAGE_TO_CTI_SERVER: .*agentstate : 1, workmode : 0, reason code: 255, forceflag :1, "
    "agentcapacity: 1, agenttext: 1001, agentid: 1001"
)
"""The seed's line of a forced logout."""


def closing_time(stage: Stage) -> float:
    """Let time pass until a desktop that has just died loses its session; how long that took in seconds."""
    for seconds in range(1, 130):
        stage.pass_time(1)
        if f"A session is closed for {JID}" in stage.log("info.log"):
            return float(seconds)
    raise AssertionError("the silent session was never closed")


def forced_logouts(stage: Stage) -> list[str]:
    """The forced logouts that were sent."""
    return re.findall("^.*forceflag :1.*$", stage.log("webservices"), re.MULTILINE)


@pytest.mark.parametrize(
    ("settings", "state", "reason", "decoded"),
    [
        (UCCX, "LOGOUT", 255, r"agentState=1 \(LOGOUT\), eventReasonCode=255"),
        (UCCE, "NOT_READY", 50002, r"agentState=2 \(NOT_READY\), eventReasonCode=50002"),
        (UCCE_LOAD_1, "LOGOUT", 50002, r"agentState=1 \(LOGOUT\), eventReasonCode=50002"),
    ],
    ids=["UCCX", "UCCE-LOAD-0", "UCCE-LOAD-1"],
)
def test_a_killed_desktop_ends_as_the_deployment_wants_and_every_log_tells_it_as_the_seed_does(
    open_stage: OpenStage, settings: dict[str, object], state: str, reason: int, decoded: str
) -> None:
    stage = open_stage(settings)
    watcher = stage.watcher()
    desk = stage.agent("1001")
    stage.pass_time(40)  # a while of empty polls, and a tick of the reaper that finds the session active
    watcher.heard()

    desk.die()
    stage.pass_time(185)

    assert watcher.update(TEAM, loginId="1001").state == state, "the first thing told about him since"
    assert stage.state_at_the_cti_server("1001") == (state, reason)
    assert stage.rest("1101").state_of("1001") == state

    stage.log("webservices")  # everything is written
    told = read_testimony(stage.data, desk.sid, "1001", decoded)
    assert told.idle_ms[0] == 0, "found active once"
    told.check()
    assert len(forced_logouts(stage)) == 1


def test_a_dead_desktop_is_noticed_within_120_seconds(stage: Stage) -> None:
    """What is left of the poll's 30 s, the idle limit of 60 s, and at most 30 s until the reaper looks."""
    desk = stage.agent("1001")
    stage.pass_time(17)
    desk.die()
    assert 60 <= closing_time(stage) <= 121


def test_a_desktop_without_a_poll_is_no_better_than_a_dead_one(stage: Stage) -> None:
    """Its connection stands, its machine sleeps: the held poll is answered, and no new one comes."""
    desk = stage.agent("1001")
    desk.alive = False  # it neither reads nor polls; its connection stays open
    stage.pass_time(125)
    assert f"A session is closed for {JID}" in stage.log("info.log")
    stage.pass_time(62)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)


def test_closing_the_desktop_properly_starts_the_grace_at_once(stage: Stage) -> None:
    desk = stage.agent("1001")
    desk.leave()
    stage.pass_time(59)
    assert not forced_logouts(stage)
    stage.pass_time(2)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)
    assert "Closing idle session" not in stage.log("info.log")


def test_who_comes_back_in_time_keeps_his_state(stage: Stage) -> None:
    desk = stage.agent("1001")
    desk.die()
    closing_time(stage)
    stage.pass_time(55)
    back = stage.desk("1001").come()
    stage.pass_time(120)
    assert stage.state_at_the_cti_server("1001") == ("AVAILABLE", 0)
    assert back.rest.state_of("1001") == "READY"
    assert not forced_logouts(stage)
    in_order(
        stage.log("webservices"),
        "AGENT_PRESENCE: .*UNAVAILABLE",
        "PRESENCE_NOTIFICATION_RECIEVED: .*=available",
        "AGENT_PRESENCE: .*cancelled: presence is back",
    )


def test_who_signs_in_again_through_rest_alone_is_no_phantom(stage: Stage) -> None:
    """REST works, the session does not come back: calls would ring at a screen that shows none."""
    desk = stage.agent("1001")
    desk.leave()
    stage.pass_time(50)
    assert desk.rest.put("LOGIN", extension="1001").status == 202  # he is there already: nothing to ask for
    stage.pass_time(55)
    assert stage.state_at_the_cti_server("1001") == ("AVAILABLE", 0), "a whole grace from then on"
    stage.pass_time(7)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)
    in_order(
        stage.log("webservices"),
        "AGENT_PRESENCE: .*UNAVAILABLE",
        "AGENT_PRESENCE_MONITOR: .*waits: the agent signed in again, the time to come back begins anew",
        "PRESENCE DRIVEN LOGOUT",
    )


def test_a_browser_refresh_is_no_silence(stage: Stage) -> None:
    """The new page takes the same resource before the old session is given up."""
    old = stage.agent("1001")
    old.die()
    new = stage.desk("1001").come()
    stage.pass_time(250)
    assert stage.state_at_the_cti_server("1001") == ("AVAILABLE", 0)
    assert new.ended == ""
    assert not forced_logouts(stage)


def test_of_two_resources_only_the_last_one_counts(stage: Stage) -> None:
    desktop = stage.agent("1001")
    telephone = stage.desk("1001", resource="mobile").come()
    desktop.die()
    stage.pass_time(250)
    assert stage.state_at_the_cti_server("1001") == ("AVAILABLE", 0)
    assert "AGENT_PRESENCE: " not in stage.log("webservices").split("presence_type=unavailable")[1]

    telephone.die()
    stage.pass_time(185)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)
    assert len(forced_logouts(stage)) == 1


def test_an_agent_who_never_had_a_session_is_left_alone(stage: Stage) -> None:
    watcher = stage.watcher()
    rest = stage.rest("1002")
    assert rest.put("LOGIN", extension="1002").status == 202
    watcher.update(TEAM, loginId="1002", state="NOT_READY")
    assert rest.put("READY").status == 202
    watcher.update(TEAM, loginId="1002", state="READY")
    stage.signs_in_by_telephone("1003")
    stage.pass_time(300)
    assert stage.state_at_the_cti_server("1002") == ("AVAILABLE", 0)
    assert stage.state_at_the_cti_server("1003")[0] == "NOT_READY"
    assert not forced_logouts(stage)


def test_who_is_signed_out_already_is_not_signed_out_again(stage: Stage) -> None:
    desk = stage.agent("1001", "NOT_READY")
    desk.go("LOGOUT")
    desk.die()
    stage.pass_time(250)
    assert not forced_logouts(stage)
    assert stage.state_at_the_cti_server("1001")[0] == "LOGOUT"


def test_a_call_is_not_taken_from_under_an_agent_with_load_0(stage: Stage) -> None:
    desk = stage.agent("1001")
    stage.call_comes("1001")
    desk.user_update("TALKING")
    desk.die()
    stage.pass_time(250)
    assert stage.state_at_the_cti_server("1001")[0] == "TALKING"
    assert not forced_logouts(stage)
    stage.call_ends("1001")
    stage.pass_time(1)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)
    in_order(
        stage.log("webservices"),
        "AGENT_PRESENCE_MONITOR: .*waits: the agent is on a call",
        "PRESENCE DRIVEN LOGOUT",
        FORCED,
        "DECODED_MESSAGE_FROM_CTI_SERVER",
    )


def test_with_load_1_the_agent_is_signed_out_while_the_call_goes_on(open_stage: OpenStage) -> None:
    stage = open_stage(UCCE_LOAD_1)
    desk = stage.agent("1001")
    stage.call_comes("1001")
    desk.user_update("TALKING")
    desk.die()
    stage.pass_time(185)
    assert stage.state_at_the_cti_server("1001") == ("LOGOUT", 50002)


def test_on_uccx_the_call_goes_on_and_the_agent_is_signed_out_when_it_ends(open_stage: OpenStage) -> None:
    stage = open_stage(UCCX)
    desk = stage.agent("1001")
    stage.call_comes("1001")
    desk.user_update("TALKING")
    desk.die()
    stage.pass_time(185)
    assert len(forced_logouts(stage)) == 1
    assert stage.state_at_the_cti_server("1001")[0] == "TALKING"
    stage.call_ends("1001")
    assert stage.state_at_the_cti_server("1001") == ("LOGOUT", 255)


def test_a_logout_that_the_cti_server_swallows_is_sent_again(stage: Stage) -> None:
    desk = stage.agent("1001")
    desk.leave()
    stage.lab.server.answers_requests = False
    stage.pass_time(65)
    assert len(forced_logouts(stage)) == 1
    assert stage.state_at_the_cti_server("1001") == ("AVAILABLE", 0)
    stage.lab.server.answers_requests = True
    stage.pass_time(31)
    assert len(forced_logouts(stage)) == 2
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002), "nobody stays READY at an empty chair"
    stage.pass_time(100)
    assert len(forced_logouts(stage)) == 2


def dies_and_then_the_cti_server_goes(stage: Stage) -> Desk:
    """A desktop dies; the CTI server is away when the grace is over."""
    desk = stage.agent("1001")
    desk.die()
    closing_time(stage)
    stage.pass_time(20)
    stage.cti_server_stops()
    stage.pass_time(60)
    assert not forced_logouts(stage)
    in_order(stage.log("webservices"), "AGENT_PRESENCE_MONITOR: .*waits: the CTI link is down")
    return desk


def test_a_logout_that_finds_no_cti_server_is_sent_when_it_is_back(stage: Stage) -> None:
    dies_and_then_the_cti_server_goes(stage)
    assert stage.state_at_the_cti_server("1001") == ("AVAILABLE", 0)
    stage.cti_server_returns()
    stage.pass_time(1)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)
    assert len(forced_logouts(stage)) == 1
    in_order(stage.log("webservices"), "CTI_CONNECTION_ESTABLISHED", "PRESENCE DRIVEN LOGOUT", FORCED)


def test_a_logout_that_finds_no_cti_server_is_called_off_when_the_agent_is_back_first(stage: Stage) -> None:
    dies_and_then_the_cti_server_goes(stage)
    stage.desk("1001").come()
    stage.cti_server_returns()
    stage.pass_time(120)
    assert stage.state_at_the_cti_server("1001") == ("AVAILABLE", 0)
    assert not forced_logouts(stage)


def test_time_in_which_the_server_stood_still_is_charged_to_nobody(stage: Stage) -> None:
    alive = stage.agent("1002")
    dead = stage.agent("1001")
    dead.die()
    stage.pass_time(50)  # his poll has run out, he has been silent for 20 s
    stage.stall(300)
    stage.settle()
    assert "The server did not run for" in stage.log("warn.log")
    assert closing_time(stage) >= 40, "the 20 s before count, the 300 s do not"
    stage.pass_time(62)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)
    assert stage.state_at_the_cti_server("1002") == ("AVAILABLE", 0)
    assert alive.rest.state_of("1002") == "READY"


def test_a_stall_during_the_grace_lengthens_it(stage: Stage) -> None:
    desk = stage.agent("1001")
    desk.leave()
    stage.pass_time(30)
    stage.stall(100)
    stage.pass_time(25)
    assert not forced_logouts(stage), "only 55 s of his grace have been time in which he could have come back"
    stage.pass_time(10)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)


def test_a_wall_clock_that_jumps_signs_nobody_out(stage: Stage) -> None:
    stage.agent("1001")
    stage.pass_time(10)
    stage.clock.step_wall(86_400)
    stage.pass_time(100)
    stage.clock.step_wall(-2 * 86_400)
    stage.pass_time(100)
    assert stage.state_at_the_cti_server("1001") == ("AVAILABLE", 0)
    assert not forced_logouts(stage)


def test_after_a_restart_who_does_not_come_back_gets_the_grace_and_who_does_is_left_alone(stage: Stage) -> None:
    first, second = stage.agent("1001"), stage.agent("1002")
    gone = stage.agent("1003")
    gone.go("NOT_READY")
    gone.leave()
    stage.pass_time(65)  # forced out before the restart: not remembered
    before = len(forced_logouts(stage))
    stage.signs_in_by_telephone("1004")

    stage.restart()
    stage.pass_time(30)
    assert [first.ended, second.ended] == ["system-shutdown", "system-shutdown"]
    assert "OUT_OF_SERVICE" not in stage.log("webservices"), "to stop is no outage that anybody must be told about"
    stage.desk("1002").come()
    stage.pass_time(85)
    assert len(forced_logouts(stage)) == before, "60 s to come back and 60 s of grace are not over"
    stage.pass_time(10)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)
    stage.pass_time(100)
    assert stage.state_at_the_cti_server("1002") == ("AVAILABLE", 0)
    assert stage.state_at_the_cti_server("1004")[0] == "NOT_READY", "he never had a session"
    assert len(forced_logouts(stage)) == before + 1


def test_a_shorter_idle_limit_and_grace_are_settings(open_stage: OpenStage) -> None:
    stage = open_stage(
        {"bosh.idle_limit_s": 20, "bosh.reaper_interval_s": 5.0, "presence.grace_s": 10.0, "presence.monitor_s": 4.0}
    )
    desk = stage.agent("1001")
    desk.die()
    assert 20 <= closing_time(stage) <= 30 + 20 + 6
    stage.pass_time(11)
    assert stage.state_at_the_cti_server("1001") == ("NOT_READY", 50002)
    assert stage.log("webservices").count("AGENT_PRESENCE_MONITOR") == 2
    assert "threshold value of 20" in stage.log("info.log")

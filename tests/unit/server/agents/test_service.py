"""Requests, events and service states between REST, the CTI link and the notification service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from poise.contact.queue_figures import NO_STATISTICS
from poise.contact.reasons import Category, ReasonBook, ReasonCode
from poise.contact.snapshots import AgentChanged, Change
from poise.contact.states import AgentState, Deployment
from poise.finesse.api_errors import ApiException, Code
from poise.finesse.publications import Publication, publications
from poise.finesse.users import UserContext
from poise.protocols.cti.config import AgentConfig, ConfigReceived, TeamConfig
from poise.protocols.cti.constants import AgentState as Cti
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import LinkDown, LinkUp, Outcome, StatisticsReceived
from poise.server.agents import publishing
from poise.server.agents.publishing import SLICE_STEPS
from poise.server.agents.request_lines import WAITING_MAX
from tests.unit.server.agents.stage import CONFIG, SIDE, SYSTEM_INFO, TEAM, UPPER, USER, Stage


@pytest.fixture
def stage() -> Stage:
    return Stage()


# ---- service states


def test_service_opens_when_the_link_is_up_and_the_nodes_are_laid_out(stage: Stage) -> None:
    stage.service.start(())
    stage.configure()
    assert not stage.service.in_service
    assert stage.service.trouble == "The CTI link is down"
    stage.service.cti_output(LinkUp(SIDE, 20))
    assert not stage.service.in_service
    stage.clock.advance(0)
    assert stage.service.in_service
    assert stage.service.trouble == ""
    told = stage.publisher.take()
    assert (told[0].node, told[0].value("status")) == (SYSTEM_INFO, "IN_SERVICE")
    assert {line.node for line in told[1:]} == {*(f"/finesse/api/User/{n}" for n in (1001, 1002, 1101)), TEAM}


def test_every_kind_of_node_exists_and_users_hear_their_own(stage: Stage) -> None:
    stage.in_service()
    names = set(stage.publisher.host.nodes())
    assert names >= {
        SYSTEM_INFO,
        USER,
        f"{USER}/Dialogs",
        f"{USER}/ClientLog",
        f"{USER}/Media",
        f"{USER}/Queue/10",
        "/finesse/api/Queue/10",
        TEAM,
    }
    subscribed = set(stage.publisher.host.subscriptions(USER))
    assert subscribed == {"1001@localhost"}
    assert set(stage.publisher.host.subscriptions(SYSTEM_INFO)) == {
        "1001@localhost",
        "1002@localhost",
        "1101@localhost",
    }


def test_a_lost_link_closes_service_with_one_last_event_and_nothing_more(stage: Stage) -> None:
    stage.signed_in()
    stage.link_down("reset by peer")
    (told,) = stage.publisher.take()
    assert (told.node, told.value("status")) == (SYSTEM_INFO, "OUT_OF_SERVICE")
    assert told.value("statusReason") == "The CTI link is down: reset by peer"
    assert stage.log.lines[-1] == ("service", False, "The CTI link is down: reset by peer")
    stage.event(Cti.NOT_READY)
    stage.configure()
    stage.clock.advance(1)
    assert stage.publisher.take() == []
    with pytest.raises(ApiException) as refused:
        stage.wish(AgentState.READY)
    assert refused.value.code is Code.OUT_OF_SERVICE
    stage.service.cti_output(LinkDown("still"))
    assert stage.publisher.take() == []


def test_when_service_returns_every_state_is_told_anew(stage: Stage) -> None:
    stage.signed_in()
    stage.link_down()
    stage.publisher.take()
    stage.event(Cti.NOT_READY)  # it changed during the outage
    stage.link_up()
    told = stage.publisher.take()
    assert told[0].value("status") == "IN_SERVICE"
    assert {(line.node, line.value("state")) for line in told} >= {
        (USER, "NOT_READY"),
        ("/finesse/api/User/1002", "LOGOUT"),
        (TEAM, "NOT_READY"),
    }


def figures(stage: Stage, **counters: int) -> None:
    """The CTI server answers for queue 10."""
    message = Message("QUERY_SKILL_GROUP_STATISTICS_CONF", {"SkillGroupNumber": 10, **counters})
    stage.service.cti_output(StatisticsReceived(10, message))
    stage.clock.advance(0)


def test_new_figures_of_a_queue_are_told_on_both_of_its_nodes_and_unchanged_ones_are_not(stage: Stage) -> None:
    stage.in_service()
    figures(stage, AgentsReady=2, RouterCallsQNow=1, LongestRouterCallQNow=5)
    told = stage.publisher.take()
    assert {line.node for line in told} >= {"/finesse/api/Queue/10", f"{USER}/Queue/10"}
    assert {(line.value("agentsReady"), line.value("callsInQueue")) for line in told} == {("2", "1")}
    assert stage.service.queue_statistics(10).agents_ready == 2
    figures(stage, AgentsReady=2, RouterCallsQNow=1, LongestRouterCallQNow=5)
    assert stage.publisher.take() == []


def test_figures_that_came_before_service_opened_are_told_when_it_opens_and_forgotten_with_the_link(
    stage: Stage,
) -> None:
    stage.service.start(())
    stage.configure()
    stage.service.cti_output(LinkUp(SIDE, 20))
    figures(stage, AgentsReady=3)
    assert ("/finesse/api/Queue/10", "3") in {(t.node, t.value("agentsReady")) for t in stage.publisher.take()}
    stage.link_down()
    assert stage.service.queue_statistics(10) == NO_STATISTICS


def test_figures_of_a_queue_nobody_configured_tell_nobody(stage: Stage) -> None:
    stage.in_service()
    stage.service.cti_output(StatisticsReceived(4711, Message("QUERY_SKILL_GROUP_STATISTICS_CONF", {})))
    stage.clock.advance(0)
    assert stage.publisher.take() == []


def test_a_link_that_breaks_again_at_once_does_not_open_service(stage: Stage) -> None:
    stage.service.start(())
    stage.configure()
    stage.service.cti_output(LinkUp(SIDE, 20))
    stage.service.cti_output(LinkDown("reset"))
    stage.clock.advance(1)
    assert not stage.service.in_service
    assert stage.publisher.take() == []


def test_the_status_names_what_settings_and_link_say(stage: Stage) -> None:
    stage.in_service()
    status = stage.service.status()
    assert (status.in_service, status.heartbeat_ok, status.cti_version, status.domain) == (True, True, 20, "localhost")
    stage.link_down()
    status = stage.service.status()
    assert (status.in_service, status.heartbeat_ok) == (False, False)


def test_many_agents_are_laid_out_in_slices_and_events_wait_behind_them(stage: Stage) -> None:
    many = replace(CONFIG, agents=tuple(AgentConfig(str(n), f"a{n}", "A", "B") for n in range(1001, 1401)))
    stage.service.start(())
    stage.configure(many)
    stage.service.cti_output(LinkUp(SIDE, 20))
    for _ in range(400 * 40 // SLICE_STEPS):
        stage.clock.advance(0)
    assert stage.service.in_service
    told = stage.publisher.take()
    assert len([line for line in told if line.node.startswith("/finesse/api/User/")]) == 400


# ---- configuration changes at run time


def test_a_new_agent_gets_nodes_before_the_first_event_about_her(stage: Stage) -> None:
    stage.in_service()
    new = AgentConfig("1003", "agent3", "Agent", "Three")
    stage.configure(replace(CONFIG, agents=(*CONFIG.agents, new)))
    stage.event(Cti.NOT_READY, "1003")
    stage.clock.advance(0)
    told = [line for line in stage.publisher.take() if line.node == "/finesse/api/User/1003"]
    assert [line.value("event") for line in told] == ["POST", "PUT"]
    assert ("failed",) not in [line[:1] for line in stage.log.lines]


def test_an_agent_who_is_gone_is_told_and_her_nodes_are_deleted(stage: Stage) -> None:
    stage.in_service()
    stage.configure(replace(CONFIG, agents=CONFIG.agents[1:]))
    stage.clock.advance(0)
    told = [line for line in stage.publisher.take() if line.value("event") == "DELETE"]
    assert [line.node for line in told] == [USER, TEAM]
    assert USER not in set(stage.publisher.host.nodes())
    assert f"{USER}/Queue/10" not in set(stage.publisher.host.nodes())


def test_an_id_that_makes_no_jid_costs_nobody_else_anything(stage: Stage) -> None:
    stage.service.start(())
    stage.configure(replace(CONFIG, agents=(AgentConfig("a@b", "odd", "O", "D"), *CONFIG.agents)))
    stage.link_up()
    assert stage.service.in_service
    assert {line.node for line in stage.publisher.take()} >= {USER, "/finesse/api/User/1101"}
    assert any(line[0] == "failed" for line in stage.log.lines)


def test_login_names_name_agents_on_ucce_only() -> None:
    ucce, uccx = Stage(), Stage(Deployment.UCCX)
    for stage in (ucce, uccx):
        stage.in_service()
    agent = ucce.service.by_login_name("aGENT2")
    assert agent is not None
    assert agent.agent_id == "1002"
    assert ucce.service.by_login_name("nobody") is None
    assert uccx.service.by_login_name("agent2") is None


def test_an_agent_whose_events_cannot_be_written_costs_nobody_else_an_event(stage: Stage) -> None:
    stage.in_service()
    stage.publisher.broken_for = USER
    odd = AgentConfig("1003", "agent3", "Agent", "Three")
    stage.configure(replace(CONFIG, agents=(*CONFIG.agents, odd)))
    stage.event(Cti.NOT_READY)
    stage.event(Cti.NOT_READY, "1002")
    stage.clock.advance(0)
    assert ("failed", USER, "RuntimeError: broken on purpose") in stage.log.lines
    told = [(line.node, line.value("event")) for line in stage.publisher.take()]
    assert ("/finesse/api/User/1003", "POST") in told
    assert ("/finesse/api/User/1002", "PUT") in told
    stage.event(Cti.AVAILABLE, "1002")
    assert stage.publisher.take()[0].value("state") == "READY", "and events go on"


def test_a_fault_in_one_change_is_reported_and_stops_no_other(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also with work waiting, and also in work that is not made of changes."""

    def faulty(changes: Iterable[Change], context: UserContext) -> Iterator[Publication]:
        for change in changes:
            if isinstance(change, AgentChanged) and change.after.agent_id == "1001":
                raise TypeError("a bad change")
            yield from publications((change,), context)

    def fails() -> Iterator[None]:
        yield
        raise TypeError("bad work")

    stage.in_service()
    monkeypatch.setattr(publishing, "publications", faulty)
    stage.event(Cti.NOT_READY)
    stage.event(Cti.NOT_READY, "1002")
    assert [line.node for line in stage.publisher.take()] == ["/finesse/api/User/1002", TEAM]
    stage.service._publishing.then(fails())
    stage.event(Cti.AVAILABLE)
    stage.event(Cti.AVAILABLE, "1002")
    stage.clock.advance(0)
    assert [line.node for line in stage.publisher.take()] == ["/finesse/api/User/1002", TEAM]
    faults = [line for line in stage.log.lines if line[0] == "fault"]
    assert faults == [
        ("fault", "publishing of AgentChanged", "a bad change"),
        ("fault", "publishing", "bad work"),
        ("fault", "publishing of AgentChanged", "a bad change"),
    ]


def test_no_older_state_is_told_after_a_newer_one_when_service_returns(stage: Stage) -> None:
    """Everybody's state is said anew, in slices; what changes meanwhile comes behind it, in its order."""
    many = replace(
        CONFIG, agents=(*(AgentConfig(str(n), f"a{n}", "A", "B") for n in range(2001, 2401)), *CONFIG.agents)
    )
    stage.service.start(())
    stage.configure(many)
    stage.event(Cti.NOT_READY)
    stage.service.cti_output(LinkUp(SIDE, 20))
    while not stage.service.in_service:
        stage.clock.advance(0)
    for state in (Cti.AVAILABLE, Cti.NOT_READY, Cti.AVAILABLE):
        stage.event(state)
    for _ in range(400 * 40 // SLICE_STEPS):
        stage.clock.advance(0)
    states = [line.value("state") for line in stage.publisher.take() if line.node == USER]
    assert states == ["NOT_READY", "READY", "NOT_READY", "READY"]


# ---- subscriptions that are not allowed any more


def hears(stage: Stage, node: str) -> set[str]:
    """Who is subscribed to a node."""
    return set(stage.publisher.host.subscriptions(node))


def test_a_supervisor_who_loses_a_team_loses_its_events_and_those_of_its_members(stage: Stage) -> None:
    stage.in_service()
    for node in (TEAM, USER):
        stage.publisher.subscribe(node, "1101@localhost/desktop")
    stage.configure(replace(CONFIG, teams=(TeamConfig(1, "Sales", ("1001", "1002"), ()),)))
    stage.clock.advance(0)
    assert hears(stage, TEAM) == set()
    assert hears(stage, USER) == {"1001@localhost"}
    assert "1101@localhost" in hears(stage, "/finesse/api/User/1101"), "his own stay"


def test_an_agent_who_changes_teams_is_not_heard_by_the_old_supervisor_any_more(stage: Stage) -> None:
    stage.in_service()
    stage.publisher.subscribe(USER, "1101@localhost/desktop")
    stage.publisher.subscribe("/finesse/api/User/1002", "1101@localhost/desktop")
    teams = (TeamConfig(1, "Sales", ("1002",), ("1101",)), TeamConfig(2, "Support", ("1001",), ()))
    stage.configure(replace(CONFIG, teams=teams))
    stage.clock.advance(0)
    assert hears(stage, USER) == {"1001@localhost"}
    assert "1101@localhost/desktop" in hears(stage, "/finesse/api/User/1002")


def test_what_is_told_of_the_change_itself_does_not_reach_who_lost_the_team(stage: Stage) -> None:
    stage.in_service()
    stage.publisher.subscribe(USER, "1101@localhost/desktop")
    reviewed_when_told: list[bool] = []
    publish = stage.publisher.publish

    def watched(node: str, item_id: str, payload: bytes) -> int:
        if node == USER:
            reviewed_when_told.append("1101@localhost/desktop" not in hears(stage, USER))
        return publish(node, item_id, payload)

    stage.publisher.publish = watched  # type: ignore[method-assign]
    stage.configure(replace(CONFIG, teams=(TeamConfig(2, "Support", ("1001",), ()),)))
    stage.clock.advance(0)
    assert reviewed_when_told == [True]


def test_the_notification_service_is_told_when_every_node_is_made_and_not_for_an_empty_configuration(
    stage: Stage,
) -> None:
    stage.service.start(())
    stage.clock.advance(0)
    assert stage.publisher.complete == 0
    stage.configure(ConfigReceived((), (), ()))
    stage.clock.advance(0)
    assert stage.publisher.complete == 0
    stage.configure()
    stage.clock.advance(0)
    assert stage.publisher.complete == 1


# ---- the case of ids


def test_an_agent_id_in_upper_case_is_found_in_any_case_and_shown_as_the_cti_server_writes_it(stage: Stage) -> None:
    stage.in_service()
    stage.configure(UPPER)
    stage.clock.advance(0)
    for spelling in ("AGENT7", "agent7", "Agent7"):
        found = stage.service.agent(spelling)
        assert found is not None
        assert found.agent_id == "AGENT7"
    assert stage.service.agent("agent8") is None
    node = "/finesse/api/User/AGENT7"
    assert hears(stage, node) == {"agent7@localhost"}
    assert stage.service.may_subscribe("agent7", node)
    assert not stage.service.may_subscribe("1001", node)
    stage.event(Cti.NOT_READY, "AGENT7")
    told = [line for line in stage.publisher.take() if line.node == node and line.value("event") == "PUT"]
    assert [line.value("loginId") for line in told] == ["AGENT7"]


def test_the_silence_of_an_agent_with_an_upper_case_id_ends_in_his_own_logout(stage: Stage) -> None:
    stage.service.presence("agent7", "desktop", True, 1)  # before anybody knows who is an agent
    stage.in_service()
    stage.configure(UPPER)
    stage.event(Cti.NOT_READY, "AGENT7")
    stage.event(Cti.AVAILABLE, "AGENT7")
    stage.service.presence("agent7", "desktop", False, 0)
    stage.clock.advance(60)
    assert stage.asked() == [("AGENT7", "LOGOUT", 255, 1)]
    assert stage.store.present["agent7"]


def test_of_two_ids_that_differ_in_case_only_the_exact_spelling_decides(stage: Stage) -> None:
    twins = (AgentConfig("Twin", "t1", "A", "B"), AgentConfig("twin", "t2", "A", "B"))
    stage.in_service()
    stage.configure(replace(CONFIG, agents=(*CONFIG.agents, *twins)))
    assert [agent.agent_id for s in ("Twin", "twin", "TWIN") if (agent := stage.service.agent(s))] == [
        "Twin",
        "twin",
        "Twin",
    ]


# ---- requests


def test_a_state_change_goes_to_the_cti_server_and_comes_back_as_events_with_its_request_id(stage: Stage) -> None:
    stage.in_service()
    stage.wish(AgentState.LOGIN, "r-1")
    assert stage.asked() == [("1001", "LOGIN", 0, 0)]
    assert stage.publisher.take() == []
    stage.answer()
    stage.event(Cti.NOT_READY)
    told = stage.publisher.take()
    assert [(line.node, line.value("state"), line.value("requestId")) for line in told] == [
        (USER, "NOT_READY", "r-1"),
        (TEAM, "NOT_READY", "r-1"),
    ]
    stage.event(Cti.NOT_READY)
    assert stage.publisher.take() == []  # nothing new


def test_a_refusal_of_the_cti_server_is_an_error_event(stage: Stage) -> None:
    stage.in_service()
    stage.wish(AgentState.READY, "r-2")  # without LOGIN: 202, then 257
    stage.answer(Outcome.REFUSED, 257)
    (told,) = stage.publisher.take()
    assert told.node == USER
    assert told.value("errorData") == "257"
    assert told.value("errorMessage") == "CF_INVALID_PASSWORD_SPECIFIED"
    assert told.value("errorType") == "Invalid State"
    assert told.value("requestId") == "r-2"


def test_a_wish_that_cannot_come_true_is_refused_at_once(stage: Stage) -> None:
    stage.signed_in()
    with pytest.raises(ApiException) as refused:
        stage.wish(AgentState.LOGOUT)  # UCCE: from NOT_READY only
    assert refused.value.code is Code.INVALID_STATE
    assert stage.asked() == []


def test_signing_in_again_at_the_same_telephone_is_answered_with_the_present_state(stage: Stage) -> None:
    stage.signed_in()
    stage.wish(AgentState.LOGIN, "r-3")
    assert stage.asked() == []
    told = stage.publisher.take()
    assert [(line.value("state"), line.value("requestId")) for line in told if line.node == USER] == [("READY", "r-3")]


def test_the_requests_of_one_agent_are_sent_one_after_the_other(stage: Stage) -> None:
    stage.signed_in()
    stage.wish(AgentState.NOT_READY)
    stage.wish(AgentState.READY)
    stage.wish(AgentState.NOT_READY)
    assert [asked[1] for asked in stage.asked()] == ["NOT_READY"]
    stage.answer()
    assert [asked[1] for asked in stage.asked()] == ["READY"]
    stage.answer(Outcome.TIMED_OUT)
    assert [asked[1] for asked in stage.asked()] == ["NOT_READY"]
    stage.answer()
    stage.wish(AgentState.READY)
    assert [asked[1] for asked in stage.asked()] == ["READY"]


def test_other_agents_do_not_wait_in_that_line(stage: Stage) -> None:
    stage.signed_in()
    stage.wish(AgentState.NOT_READY)
    stage.wish(AgentState.LOGIN, agent_id="1002")
    assert [asked[0] for asked in stage.asked()] == ["1001", "1002"]


def test_a_waiting_wish_that_became_impossible_is_told_as_an_event(stage: Stage) -> None:
    stage.signed_in()
    stage.wish(AgentState.NOT_READY)
    stage.wish(AgentState.LOGOUT, "r-4")  # possible after the first one
    stage.answer(Outcome.REFUSED, 33)  # which is refused
    told = [line for line in stage.publisher.take() if line.value("requestId") == "r-4"]
    assert [line.value("errorType") for line in told] == ["Invalid State"]
    assert stage.asked() == []


def test_a_line_has_an_end(stage: Stage) -> None:
    stage.signed_in()
    for _ in range(1 + WAITING_MAX):
        stage.wish(AgentState.NOT_READY)
    with pytest.raises(ApiException) as refused:
        stage.wish(AgentState.NOT_READY)
    assert refused.value.code is Code.MAXIMUM_EXCEEDED


def test_what_waits_when_the_link_breaks_is_not_sent_later(stage: Stage) -> None:
    stage.signed_in()
    stage.wish(AgentState.NOT_READY)
    stage.service.cti_output(LinkDown("reset"))
    stage.answer(Outcome.LINK_LOST)
    stage.link_up()
    assert stage.asked() == []
    stage.wish(AgentState.NOT_READY)
    assert len(stage.asked()) == 1


def test_reason_codes_can_be_replaced_and_are_named_in_events(stage: Stage) -> None:
    stage.signed_in()
    stage.service.reasons = ReasonBook(Deployment.UCCE, [ReasonCode(1, Category.NOT_READY, 12, "Lunch")])
    stage.event(Cti.NOT_READY, reason=12)
    told = stage.publisher.take()[0]
    assert (told.value("label"), told.value("reasonCodeId")) == ("Lunch", "1")


def test_characters_that_xml_forbids_never_leave(stage: Stage) -> None:
    stage.service.start(())
    odd = AgentConfig("1001", "agent1", "A\x00\x0b\ufffe", "<&>\ud800")
    stage.configure(ConfigReceived((odd,), (), ()))
    stage.link_up()
    text = next(line.text for line in stage.publisher.take() if line.node == USER)
    assert not set(text) & set("\x00\x0b\ufffe\ud800")


def test_subscriptions_are_allowed_by_the_table_of_permissions(stage: Stage) -> None:
    stage.in_service()
    assert stage.service.may_subscribe("1001", USER)
    assert not stage.service.may_subscribe("1001", TEAM)
    assert stage.service.may_subscribe("1101", TEAM)
    assert stage.service.may_subscribe("admin", TEAM, administrator=True)

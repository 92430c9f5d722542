"""The agent model: statements of the CTI server in, changes out, in whatever order they come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poise.contact.agents import EARLY_MAX, AgentModel
from poise.contact.requests import CtiRequest, StateWish
from poise.contact.snapshots import AgentAdded, AgentChanged, AgentRemoved, MobileAgent, TeamName
from poise.contact.states import AgentState, Deployment
from poise.protocols.cti import constants as cti
from poise.protocols.cti.config import TeamConfig
from poise.protocols.cti.messages import Message
from tests.unit.contact.centre import CONFIG, NOW, event, model, signed_in

S = cti.AgentState


def test_the_configuration_says_who_there_is_and_where_they_belong() -> None:
    agents = model()
    ada, sue = agents.agents["1001"], agents.agents["1101"]
    assert (ada.login_name, ada.first_name, ada.last_name) == ("agent1", "Ada", "One")
    assert ada.team == TeamName(1, "Sales")
    assert ada.roles == ("Agent",)
    assert ada.queues == (10, 12)
    assert sue.roles == ("Agent", "Supervisor")
    assert sue.supervised == (TeamName(1, "Sales"),)
    assert agents.queues[10].agents == {"1001", "1002"}
    assert agents.teams[1].members == ("1001", "1002")


def test_an_agent_nothing_was_reported_about_is_signed_out_since_an_unknown_time() -> None:
    ada = model().agents["1001"]
    assert (ada.state, ada.state_changed_at, ada.extension) == (AgentState.LOGOUT, None, "")
    assert not ada.signed_in


def test_a_state_event_changes_the_picture_once_however_often_it_is_repeated() -> None:
    agents = model()
    before = agents.agents["1001"]
    (change,) = agents.apply(event("1001", S.NOT_READY, duration=3), NOW)
    assert isinstance(change, AgentChanged)
    assert change.before is before
    assert change.after is agents.agents["1001"]
    assert change.after.state is AgentState.NOT_READY
    assert change.after.state_changed_at == NOW - 3
    assert change.after.extension == "7001"
    for skill_group in (10, 12):  # one event for each skill group, a little later
        copy = event("1001", S.NOT_READY, duration=4)
        copy = replace(copy, fields={**copy.fields, "SkillGroupNumber": skill_group, "SkillGroupState": S.BUSY_OTHER})
        assert agents.apply(copy, NOW + 0.2) == []


def test_login_is_transient_and_what_follows_is_the_news() -> None:
    agents = model()
    assert agents.apply(event("1001", S.LOGIN), NOW) == []
    (change,) = agents.apply(event("1001", S.NOT_READY, extension=None), NOW)
    assert isinstance(change, AgentChanged)
    assert change.after.extension == "7001", "the extension of the LOGIN event"


def test_login_that_comes_late_does_not_undo_what_came_before() -> None:
    agents = model()
    signed_in(agents)
    assert agents.apply(event("1001", S.LOGIN), NOW) == []
    assert agents.agents["1001"].state is AgentState.NOT_READY


def test_a_signed_out_agent_has_no_extension_and_a_reason() -> None:
    agents = model()
    signed_in(agents)
    (change,) = agents.apply(event("1001", S.LOGOUT, reason=255), NOW)
    assert isinstance(change, AgentChanged)
    assert (change.after.extension, change.after.reason_code) == ("", 255)


def test_another_reason_is_a_change_with_a_time_of_its_own() -> None:
    agents = model()
    agents.apply(event("1001", S.NOT_READY, reason=10), NOW)
    (change,) = agents.apply(event("1001", S.NOT_READY, reason=11), NOW + 60)
    assert isinstance(change, AgentChanged)
    assert (change.after.reason_code, change.after.state_changed_at) == (11, NOW + 60)


def test_a_pending_state_is_kept_until_the_call_ends() -> None:
    agents = model()
    signed_in(agents, state=S.TALKING)
    (change,) = agents.apply(event("1001", S.TALKING, NEXT_AGENT_STATE=S.NOT_READY), NOW)
    assert isinstance(change, AgentChanged)
    assert change.after.pending_state is AgentState.NOT_READY
    agents.apply(event("1001", S.HOLD), NOW)
    assert agents.agents["1001"].pending_state is AgentState.NOT_READY
    agents.apply(event("1001", S.WORK_NOT_READY, NEXT_AGENT_STATE=S.NOT_READY), NOW)
    assert agents.agents["1001"].pending_state is None


@pytest.mark.parametrize(
    ("direction", "state"),
    [(1, AgentState.RESERVED), (5, AgentState.RESERVED_OUTBOUND), (6, AgentState.RESERVED_OUTBOUND_PREVIEW)],
)
def test_the_direction_tells_reservations_apart(direction: int, state: AgentState) -> None:
    agents = model()
    agents.apply(event("1001", S.RESERVED, DIRECTION=direction), NOW)
    assert agents.agents["1001"].state is state


@pytest.mark.parametrize("duration", [cti.NULL32, 0, 4_000_000_000])
def test_a_duration_the_cti_server_does_not_know_means_now(duration: int) -> None:
    agents = model()
    agents.apply(event("1001", S.AVAILABLE, duration=duration), NOW)
    assert agents.agents["1001"].state_changed_at == NOW


def test_the_floating_duration_serves_where_the_fixed_one_is_null() -> None:
    agents = model()
    agents.apply(event("1001", S.AVAILABLE, duration=cti.NULL32, DURATION=90), NOW)
    assert agents.agents["1001"].state_changed_at == NOW - 90


def test_other_media_and_skill_group_states_say_nothing_about_the_voice_channel() -> None:
    agents = model()
    assert agents.apply(event("1001", S.AVAILABLE, mrd=5001), NOW) == []
    assert agents.apply(event("1001", S.BUSY_OTHER), NOW) == []
    assert agents.apply(Message("HEARTBEAT_CONF"), NOW) == []
    assert agents.apply(Message("AGENT_STATE_EVENT", {"AgentState": 3}), NOW) == []


def test_ids_of_uccx_travel_in_their_own_field() -> None:
    agents = model(Deployment.UCCX)
    message = event("", S.AVAILABLE)
    message = replace(message, floats=(("AGENT_ID_LONG", "1001"),))
    assert agents.apply(message, NOW)


def test_a_statement_about_an_agent_who_is_not_configured_yet_waits_for_the_configuration() -> None:
    agents = AgentModel(Deployment.UCCE)
    assert agents.apply(event("1001", S.NOT_READY, reason=10), NOW) == []
    assert agents.apply(event("1001", S.AVAILABLE), NOW + 1) == []
    changes = agents.configure(CONFIG)
    assert [c.agent.agent_id for c in changes if isinstance(c, AgentAdded)] == ["1001", "1002", "1004", "1101"]
    assert agents.agents["1001"].state is AgentState.READY
    assert agents.agents["1001"].state_changed_at == NOW + 1
    assert agents.configure(CONFIG) == []


def test_statements_about_strangers_are_bounded() -> None:
    agents = AgentModel(Deployment.UCCE)
    for number in range(EARLY_MAX + 50):
        agents.apply(event(str(number), S.AVAILABLE), NOW)
    assert len(agents._early) == EARLY_MAX
    assert "0" not in agents._early


def test_the_answer_to_a_query_keeps_what_it_does_not_say() -> None:
    agents = model()
    agents.apply(event("1001", S.NOT_READY, reason=10), NOW)
    answer = Message("QUERY_AGENT_STATE_CONF", {"AgentState": S.NOT_READY, "MRDID": 1}, (("AGENT_ID", "1001"),))
    assert agents.apply(answer, NOW + 60) == []
    assert agents.agents["1001"].reason_code == 10


def test_the_answer_to_a_query_corrects_a_state_that_changed_unseen() -> None:
    agents = model()
    agents.apply(event("1001", S.NOT_READY, reason=10), NOW)
    answer = Message(
        "QUERY_AGENT_STATE_CONF", {"AgentState": S.AVAILABLE}, (("AGENT_ID", "1001"), ("AGENT_EXTENSION", "7002"))
    )
    (change,) = agents.apply(answer, NOW + 60)
    assert isinstance(change, AgentChanged)
    assert (change.after.state, change.after.reason_code, change.after.extension) == (AgentState.READY, None, "7002")
    assert change.after.state_changed_at == NOW + 60


def test_an_agent_found_signed_out_was_so_since_an_unknown_time() -> None:
    agents = model()
    signed_in(agents)
    answer = Message("QUERY_AGENT_STATE_CONF", {"AgentState": S.LOGOUT}, (("AGENT_ID", "1001"),))
    (change,) = agents.apply(answer, NOW + 60)
    assert isinstance(change, AgentChanged)
    assert change.after.state_changed_at is None
    assert agents.apply(answer, NOW + 90) == []


def test_a_query_does_not_forget_what_kind_of_reservation_it_is() -> None:
    agents = model()
    agents.apply(event("1001", S.RESERVED, DIRECTION=6), NOW)
    answer = Message("QUERY_AGENT_STATE_CONF", {"AgentState": S.RESERVED}, (("AGENT_ID", "1001"),))
    assert agents.apply(answer, NOW) == []


def test_team_events_carry_the_states_of_the_members() -> None:
    agents = model()
    message = Message(
        "AGENT_TEAM_CONFIG_EVENT",
        {"TeamID": 1, "NumberOfAgents": 3, "ConfigOperation": 1},
        (
            ("AGENT_TEAM_NAME", "Sales"),
            ("ATC_AGENT_ID", "1001"),
            ("AGENT_FLAGS", 0),
            ("ATC_AGENT_STATE", S.AVAILABLE),
            ("ATC_STATE_DURATION", 30),
            ("ATC_AGENT_ID", "1002"),
            ("ATC_AGENT_STATE", S.LOGOUT),
            ("ATC_AGENT_ID", "1101"),
        ),
    )
    (change,) = agents.apply(message, NOW)
    assert isinstance(change, AgentChanged)
    assert (change.after.state, change.after.state_changed_at) == (AgentState.READY, NOW - 30)
    assert agents.agents["1002"].state_changed_at is None, "signed out, and nobody said since when"


def test_an_agent_who_moves_to_another_team_changes_and_keeps_the_state() -> None:
    agents = model()
    signed_in(agents)
    moved = replace(
        CONFIG, teams=(TeamConfig(1, "Sales", ("1002",), ("1101",)), TeamConfig(2, "Support", ("1004", "1001")))
    )
    (change,) = agents.configure(moved)
    assert isinstance(change, AgentChanged)
    assert change.after.team == TeamName(2, "Support")
    assert change.after.state is AgentState.NOT_READY


def test_an_agent_who_is_deleted_is_removed_with_the_last_picture() -> None:
    agents = model()
    signed_in(agents)
    (change,) = agents.configure(replace(CONFIG, agents=CONFIG.agents[1:]))
    assert isinstance(change, AgentRemoved)
    assert change.agent.state is AgentState.NOT_READY
    assert "1001" not in agents.agents


def test_the_views_cannot_be_written_to() -> None:
    agents = model()
    with pytest.raises(TypeError):
        agents.agents["1001"] = agents.agents["1002"]  # type: ignore[index]


def test_mobile_data_is_shown_while_signed_in_here_and_dropped_with_the_logout() -> None:
    agents = model()
    mobile = MobileAgent("CALL_BY_CALL", "4085551234")
    request = agents.request("1001", StateWish(AgentState.LOGIN, extension="7001", mobile=mobile), "r1")
    assert isinstance(request, CtiRequest)
    agents.sent(request)
    agents.apply(event("1001", S.NOT_READY, extension="7001;4085551234"), NOW)
    assert agents.agents["1001"].mobile == mobile
    assert agents.agents["1001"].extension == "7001"
    agents.apply(event("1001", S.LOGOUT), NOW)
    assert agents.agents["1001"].mobile is None

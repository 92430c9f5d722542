"""The life of a CTI link, told against a hand-driven server."""

from __future__ import annotations

from itertools import pairwise

import pytest

from poise.protocols.cti import timing
from poise.protocols.cti.codec import CtiError, Framer, encode
from poise.protocols.cti.config import ConfigReceived
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.link import Link
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import (
    AttemptEnded,
    Close,
    Connect,
    LinkDown,
    LinkUp,
    Log,
    Outcome,
    Output,
    Received,
    RequestEnded,
    SendBytes,
    StatisticsReceived,
)
from poise.protocols.cti.polling import Polling
from poise.protocols.cti.settings import LinkSettings, versions_from
from poise.protocols.cti.states import TRANSITIONS, LinkInput, LinkState
from tests.unit.protocols.cti.peer import KEYS, A, B, Scene, agent_record, only, sent

LOGOUT = Message("SET_AGENT_STATE_REQ", {"AgentState": 1, "EventReasonCode": 255}, (("AGENT_ID", "1001"),))


def test_open_names_the_version_the_client_and_all_events() -> None:
    scene = Scene()
    assert scene.link.start(scene.now) == [Connect(A)]
    (opening,) = only(scene.link.connected(scene.now), SendBytes)
    assert Framer(20).feed(opening.data)[0] == Message(
        "OPEN_REQ", {**opening.message.fields, "Reserved1": 0, "Reserved2": 0, "Reserved3": 0}, opening.message.floats
    )
    assert opening.message.fields["VersionNumber"] == 20
    assert opening.message.fields["ServicesRequested"] & 0x10
    assert opening.message.text("CLIENT_SIGNATURE") == "Finesse"


def test_the_link_is_up_only_after_configuration_and_every_agents_state() -> None:
    scene = Scene()
    assert sent(scene.opened()) == ["CONFIG_REQUEST_KEY_EVENT"]
    assert sent(scene.says("CONFIG_KEY_EVENT", {}, KEYS)) == ["CONFIG_REQUEST_EVENT"]
    scene.says("CONFIG_BEGIN_EVENT", {"ConfigType": 1, "ConfigInformation": 6})
    assert not only(
        scene.says("CONFIG_AGENT_EVENT", {"NumRecords": 2}, agent_record("1001") + agent_record("1002")), ConfigReceived
    )
    outputs = scene.says("CONFIG_END_EVENT")
    (config,) = only(outputs, ConfigReceived)
    assert [agent.agent_id for agent in config.agents] == ["1001", "1002"]
    first, second = only(outputs, SendBytes)
    assert [query.message.agent_id for query in (first, second)] == ["1001", "1002"]
    one = scene.says("QUERY_AGENT_STATE_CONF", {"InvokeID": second.message.fields["InvokeID"], "AgentState": 3})
    (answer,) = only(one, Received)
    assert (answer.message.agent_id, answer.message.fields["AgentState"]) == ("1002", AgentState.AVAILABLE)
    assert not only(one, LinkUp)
    last = scene.says("CONTROL_FAILURE_CONF", {"InvokeID": first.message.fields["InvokeID"], "FailureCode": 256})
    assert only(last, Received)[0].message.fields["AgentState"] == AgentState.LOGOUT
    assert last[-1] == LinkUp(A, 20)
    assert scene.link.state is LinkState.UP


def test_an_agent_whose_state_cannot_be_learnt_is_unknown_not_what_it_was() -> None:
    scene = Scene()
    scene.opened()
    scene.configured("1001")
    outputs: list[object] = []
    for _ in range(2):
        scene.says("HEARTBEAT_CONF", {"InvokeID": 0})
        outputs += scene.passes(timing.REQUEST_TIMEOUT_S / 2)
    received = [output.message for output in outputs if isinstance(output, Received)]
    assert [(m.agent_id, m.fields["AgentState"]) for m in received] == [("1001", AgentState.UNKNOWN)]
    assert LinkUp(A, 20) in outputs


def test_a_busy_refusal_of_a_query_says_unknown() -> None:
    scene = Scene()
    scene.opened()
    (query,) = only(scene.configured("1001"), SendBytes)
    outputs = scene.says("CONTROL_FAILURE_CONF", {"InvokeID": query.message.fields["InvokeID"], "FailureCode": 32})
    assert only(outputs, Received)[0].message.fields["AgentState"] == AgentState.UNKNOWN


def test_only_some_queries_are_in_flight_at_once() -> None:
    scene = Scene()
    scene.opened()
    scene.says("CONFIG_KEY_EVENT", {}, KEYS)
    scene.says("CONFIG_BEGIN_EVENT", {"ConfigType": 1})
    for number in range(timing.MAX_QUERIES + 5):
        scene.says("CONFIG_AGENT_EVENT", {"NumRecords": 1}, agent_record(str(2000 + number)))
    queries = only(scene.says("CONFIG_END_EVENT"), SendBytes)
    assert len(queries) == timing.MAX_QUERIES
    more = scene.says("QUERY_AGENT_STATE_CONF", {"InvokeID": queries[0].message.fields["InvokeID"], "AgentState": 1})
    assert len(only(more, SendBytes)) == 1


def test_events_that_arrive_while_synchronising_are_passed_on_in_order() -> None:
    scene = Scene()
    scene.opened()
    scene.configured("1001")
    outputs = scene.says("AGENT_STATE_EVENT", {"AgentState": 3}, (("AGENT_ID", "1001"),))
    assert [output.message.name for output in only(outputs, Received)] == ["AGENT_STATE_EVENT"]


def test_an_unchanged_configuration_is_not_downloaded_again() -> None:
    scene = Scene((A,))
    scene.up("1001")
    scene.link.disconnected(scene.now, "gone")
    scene.passes(timing.RETRY_FIRST_S)
    scene.link.connected(scene.now)
    scene.says("OPEN_CONF", {"PeripheralOnline": 1})
    outputs = scene.says("CONFIG_KEY_EVENT", {}, KEYS)
    assert sent(outputs) == ["QUERY_AGENT_STATE_REQ"]
    (config,) = only(outputs, ConfigReceived)
    assert [agent.agent_id for agent in config.agents] == ["1001"]


@pytest.mark.parametrize("conf", [{"PeripheralOnline": 0}, {"PGStatus": 4}])
def test_an_offline_peripheral_is_waited_for(conf: dict[str, int]) -> None:
    scene = Scene()
    assert sent(scene.opened(**conf)) == []
    assert scene.link.state is LinkState.OFFLINE
    assert sent(scene.passes(timing.HEARTBEAT_S)) == ["HEARTBEAT_REQ"]
    assert sent(scene.says("SYSTEM_EVENT", {"SystemEventID": 3, "SystemEventArg1": 4999})) == []
    assert sent(scene.says("SYSTEM_EVENT", {"SystemEventID": 3, "SystemEventArg1": 5000})) == [
        "CONFIG_REQUEST_KEY_EVENT"
    ]


def test_a_peripheral_that_goes_offline_takes_the_link_down_and_requests_with_it() -> None:
    scene = Scene()
    scene.up("1001")
    scene.link.request(LOGOUT, scene.now, context="mine")
    outputs = scene.says("SYSTEM_EVENT", {"SystemEventID": 4, "SystemEventArg1": 5000})
    assert only(outputs, RequestEnded)[0].outcome is Outcome.LINK_LOST
    assert only(outputs, LinkDown) == [LinkDown("SYSTEM_EVENT PERIPHERAL_OFFLINE")]
    assert not only(outputs, Close)
    assert sent(scene.passes(timing.HEARTBEAT_S)) == ["HEARTBEAT_REQ"]
    scene.says("HEARTBEAT_CONF")
    assert sent(scene.says("SYSTEM_EVENT", {"SystemEventID": 3, "SystemEventArg1": 5000})) == [
        "CONFIG_REQUEST_KEY_EVENT"
    ]


def test_three_unanswered_heartbeats_end_the_link() -> None:
    scene = Scene()
    scene.up("1001")
    assert sent(scene.passes(3 * timing.HEARTBEAT_S)) == ["HEARTBEAT_REQ"] * 3
    outputs = scene.passes(timing.HEARTBEAT_S)
    assert only(outputs, LinkDown) == [LinkDown("3 heartbeats were not answered")]
    assert Close("3 heartbeats were not answered") in outputs
    assert Connect(B) in outputs


def test_an_answered_heartbeat_starts_the_count_anew() -> None:
    scene = Scene()
    scene.up("1001")
    scene.passes(2 * timing.HEARTBEAT_S)
    scene.says("HEARTBEAT_CONF")
    assert sent(scene.passes(3 * timing.HEARTBEAT_S)) == ["HEARTBEAT_REQ"] * 3
    assert scene.link.state is LinkState.UP
    assert only(scene.passes(timing.HEARTBEAT_S), LinkDown)


def test_another_peripheral_that_goes_offline_is_not_ours() -> None:
    scene = Scene()
    scene.up("1001")
    outputs = scene.says("SYSTEM_EVENT", {"SystemEventID": 4, "SystemEventArg1": 4999})
    assert [output.message.name for output in only(outputs, Received)] == ["SYSTEM_EVENT"]
    assert scene.link.state is LinkState.UP


def test_a_link_lost_while_synchronising_synchronises_again() -> None:
    scene = Scene((A,))
    scene.opened()
    scene.configured("1001")
    assert not only(scene.link.disconnected(scene.now, "cut"), RequestEnded), "nobody asked for these queries"
    scene.passes(timing.RETRY_FIRST_S)
    scene.link.connected(scene.now)
    scene.says("OPEN_CONF", {"PeripheralOnline": 1})
    (query,) = only(scene.says("CONFIG_KEY_EVENT", {}, KEYS), SendBytes)
    outputs = scene.says("QUERY_AGENT_STATE_CONF", {"InvokeID": query.message.fields["InvokeID"], "AgentState": 2})
    assert LinkUp(A, 20) in outputs


def test_whether_heartbeats_are_answered_can_be_seen_before_the_link_is_lost() -> None:
    scene = Scene()
    assert not scene.link.heartbeat_answered
    scene.up("1001")
    scene.passes(timing.HEARTBEAT_S)
    assert scene.link.heartbeat_answered
    scene.passes(timing.HEARTBEAT_S)
    assert not scene.link.heartbeat_answered
    scene.says("HEARTBEAT_CONF")
    assert scene.link.heartbeat_answered


def test_answered_heartbeats_keep_the_link() -> None:
    scene = Scene()
    scene.up("1001")
    for _ in range(20):
        assert sent(scene.passes(timing.HEARTBEAT_S)) == ["HEARTBEAT_REQ"]
        scene.says("HEARTBEAT_CONF")
    assert scene.link.state is LinkState.UP


def test_a_long_stop_of_our_own_process_counts_as_one_missed_heartbeat() -> None:
    scene = Scene()
    scene.up("1001")
    scene.now += 600
    assert sent(scene.link.due(scene.now)) == ["HEARTBEAT_REQ"]
    assert scene.link.state is LinkState.UP


def test_sides_alternate_and_the_rest_between_rounds_grows_to_its_limit() -> None:
    scene = Scene()
    outputs = scene.link.start(scene.now)
    tried: list[tuple[str, float]] = []
    for _ in range(12):
        (connect,) = only(outputs, Connect)
        tried.append((connect.side.name, scene.now))
        ended = scene.link.disconnected(scene.now, "refused")
        assert only(ended, AttemptEnded) == [AttemptEnded(connect.side, "refused")]
        scene.now = scene.link.deadline
        outputs = scene.link.due(scene.now)
    assert [side for side, _ in tried] == ["A", "B"] * 6
    rests = [after - before for (_, before), (_, after) in pairwise(tried)]
    assert rests == [0, 1, 0, 2, 0, 4, 0, 4, 0, 4, 0]


def test_a_link_that_was_stable_starts_over_with_short_rests() -> None:
    scene = Scene((A,))
    scene.link.start(scene.now)
    for _ in range(5):
        scene.link.disconnected(scene.now, "refused")
        scene.passes(timing.RETRY_MAX_S)
    scene.link.connected(scene.now)
    scene.says("OPEN_CONF", {"PeripheralOnline": 1})
    scene.configured()
    for _ in range(8):
        scene.passes(timing.HEARTBEAT_S)
        scene.says("HEARTBEAT_CONF")
    scene.link.disconnected(scene.now, "cut")
    assert scene.link.deadline == scene.now + timing.RETRY_FIRST_S


def test_a_link_that_breaks_at_once_keeps_its_back_off() -> None:
    scene = Scene((A,))
    for _ in range(3):
        scene.link.start(scene.now)
        scene.link.connected(scene.now)
        scene.says("OPEN_CONF", {"PeripheralOnline": 1})
        scene.configured()
        assert scene.link.state is LinkState.UP
        scene.link.disconnected(scene.now, "cut")
        rest = scene.link.deadline - scene.now
        scene.passes(rest)
    assert rest == 4 * timing.RETRY_FIRST_S


def test_a_refused_version_is_followed_by_the_next_one_on_the_same_side() -> None:
    scene = Scene(versions=(20, 18))
    scene.link.start(scene.now)
    scene.link.connected(scene.now)
    outputs = scene.says("FAILURE_CONF", {"InvokeID": 1, "Status": 1})
    assert only(outputs, Close) == [Close("protocol version 20 was refused")]
    assert scene.passes(0) == [Connect(A)]
    (opening,) = only(scene.link.connected(scene.now), SendBytes)
    assert opening.message.fields["VersionNumber"] == 18
    outputs = scene.says("FAILURE_CONF", {"InvokeID": 2, "Status": 1})
    assert only(outputs, AttemptEnded) == [AttemptEnded(A, "OPEN_REQ was refused with status 1")]
    assert scene.passes(0) == [Connect(B)]
    assert scene.link.version == 20


@pytest.mark.parametrize("status", [15, 92, 107, 110])
def test_a_standby_or_a_server_in_maintenance_is_left_for_the_other_side_at_once(status: int) -> None:
    scene = Scene(versions=(24, 20))
    scene.link.start(scene.now)
    scene.link.connected(scene.now)
    (ended,) = only(scene.says("FAILURE_CONF", {"InvokeID": 1, "Status": status}), AttemptEnded)
    assert ended.side == A
    assert ended.reason.startswith("OPEN_REQ was refused with E_CTI_")
    assert scene.passes(0) == [Connect(B)]
    assert scene.link.version == 24, "the refusal was not about the version"


def test_a_server_that_becomes_the_standby_takes_the_link_down_and_the_other_side_is_tried() -> None:
    scene = Scene(versions=(24,))
    scene.up("1001")
    outputs = scene.says("FAILURE_EVENT", {"Status": 92})
    assert only(outputs, LinkDown) == [LinkDown("the CTI server is the standby of its pair")]
    assert Connect(B) in outputs + scene.passes(0)


def test_uccx_is_told_agent_ids_in_the_long_field() -> None:
    scene = Scene(long_agent_ids=True)
    scene.opened()
    (query,) = only(scene.configured("1001"), SendBytes)
    (written,) = Framer(20).feed(query.data)
    assert isinstance(written, Message)
    assert (written.text("AGENT_ID"), written.text("AGENT_ID_LONG"), written.agent_id) == (None, "1001", "1001")


def test_calls_of_everybody_signed_in_are_asked_for_once_before_the_link_is_up() -> None:
    scene = Scene()
    scene.opened()
    queries = only(scene.configured("1001", "1002", "1003"), SendBytes)
    answers: list[Output] = []
    for query, state in zip(queries, (4, 4, 1), strict=True):
        where = (("AGENT_EXTENSION", f"9{query.message.agent_id}"),) if state != 1 else ()
        answers += scene.answers(query, "QUERY_AGENT_STATE_CONF", {"AgentState": state}, where)
    devices = only(answers, SendBytes)
    assert [device.message.text("CONNECTION_DEVID") for device in devices] == ["91001", "91002"], "1003 is signed out"
    call = (("CALL_CONN_CALLID", 77), ("CALL_CONN_DEVID_TYPE", 0), ("CALL_CONN_DEVID", "c77"), ("CALL_STATE", 3))
    outputs = [o for device in devices for o in scene.answers(device, "SNAPSHOT_DEVICE_CONF", {"NumCalls": 1}, call)]
    (asked,) = only(outputs, SendBytes)
    assert asked.message.name == "SNAPSHOT_CALL_REQ"
    assert asked.message.fields["ConnectionCallID"] == 77
    assert asked.message.text("CONNECTION_DEVID") == "c77"
    assert not only(outputs, LinkUp)
    last = scene.answers(asked, "SNAPSHOT_CALL_CONF", {"CallType": 1}, (("CALL_CONN_CALLID", 77),))
    assert [received.message.name for received in only(last, Received)] == ["SNAPSHOT_CALL_CONF"]
    assert last[-1] == LinkUp(A, 20)
    assert not only(answers + outputs + last, RequestEnded), "nobody asked for these"


@pytest.mark.parametrize("refusal", [("FAILURE_CONF", {"Status": 12}), ("FAILURE_CONF", {"Status": 48})])
def test_a_server_without_snapshots_is_asked_once_and_the_link_comes_up(refusal: tuple[str, dict[str, int]]) -> None:
    scene = Scene()
    scene.opened()
    queries = only(scene.configured("1001", "1002"), SendBytes)
    (device,) = only(
        scene.answers(queries[0], "QUERY_AGENT_STATE_CONF", {"AgentState": 3}, (("AGENT_INSTRUMENT", "91001"),)),
        SendBytes,
    )
    outputs = scene.answers(device, *refusal)
    assert only(outputs, Log)
    last = scene.answers(queries[1], "QUERY_AGENT_STATE_CONF", {"AgentState": 3}, (("AGENT_INSTRUMENT", "91002"),))
    assert not only(last, SendBytes)
    assert last[-1] == LinkUp(A, 20)


def test_statistics_of_every_queue_are_asked_for_in_rounds_and_are_nobodys_request() -> None:
    scene = Scene(statistics_s=1.0)
    scene.up("1001")
    (asked,) = only(scene.passes(0), SendBytes)
    assert asked.message.name == "QUERY_SKILL_GROUP_STATISTICS_REQ"
    assert asked.message.fields["SkillGroupNumber"] == 10
    outputs = scene.answers(asked, "QUERY_SKILL_GROUP_STATISTICS_CONF", {"AgentsReady": 3})
    (figures,) = only(outputs, StatisticsReceived)
    assert (figures.skill_group, figures.message.fields["AgentsReady"]) == (10, 3)
    assert not only(outputs, RequestEnded)
    scene.passes(timing.HEARTBEAT_S)
    scene.says("HEARTBEAT_CONF")
    assert "QUERY_SKILL_GROUP_STATISTICS_REQ" not in sent(scene.passes(timing.STATISTICS_LEAST_S - 5.1))
    scene.says("HEARTBEAT_CONF")
    assert "QUERY_SKILL_GROUP_STATISTICS_REQ" in sent(scene.passes(0.2)), "never more often than every 10 s"


def test_a_round_that_is_still_going_on_is_not_joined_by_the_next() -> None:
    polling = Polling(10.0)
    polling.begin(0.0)
    polling.due((10, 11), 0.0)
    first = polling.take()
    assert first is not None
    polling.due((10, 11), 10.0)
    assert polling.take() is not None
    assert polling.take() is None, "two queues are asked for, not four"
    polling.due((10, 11), 20.0)
    assert polling.take() is None, "neither is answered"
    for _ in range(2):
        polling.ended(RequestEnded(1, first, None, Outcome.TIMED_OUT))
    polling.due((10, 11), 30.0)
    assert polling.take() is not None


def test_a_server_without_statistics_is_not_asked_again_in_this_session() -> None:
    scene = Scene(statistics_s=10.0)
    scene.up("1001")
    (asked,) = only(scene.passes(0), SendBytes)
    assert only(scene.answers(asked, "FAILURE_CONF", {"Status": 12}), Log)
    for _ in range(10):
        assert "QUERY_SKILL_GROUP_STATISTICS_REQ" not in sent(scene.passes(4.0))
        scene.says("HEARTBEAT_CONF")


def test_a_server_that_does_not_answer_open_is_given_up() -> None:
    scene = Scene()
    scene.link.start(scene.now)
    scene.link.connected(scene.now)
    assert scene.passes(timing.OPEN_TIMEOUT_S - 1) == []
    assert only(scene.passes(1), AttemptEnded) == [AttemptEnded(A, "nothing came of opening in time")]


def test_a_connect_that_hangs_is_given_up() -> None:
    scene = Scene()
    scene.link.start(scene.now)
    outputs = scene.passes(timing.CONNECT_TIMEOUT_S)
    assert only(outputs, Close)
    assert only(outputs, Connect) == [Connect(B)]


def test_a_server_that_only_answers_heartbeats_is_given_up() -> None:
    scene = Scene()
    scene.opened()
    outputs = []
    for _ in range(12):
        outputs += scene.passes(timing.HEARTBEAT_S)
        scene.says("HEARTBEAT_CONF")
    assert AttemptEnded(A, "nothing came of configuring in time") in outputs


def test_every_step_of_the_download_may_take_its_time() -> None:
    scene = Scene()
    scene.opened()

    def almost_too_long() -> None:
        for _ in range(11):
            scene.passes(timing.HEARTBEAT_S)
            scene.says("HEARTBEAT_CONF")

    almost_too_long()
    scene.says("CONFIG_KEY_EVENT", {}, KEYS)
    almost_too_long()
    scene.says("CONFIG_BEGIN_EVENT", {"ConfigType": 1})
    scene.says("CONFIG_AGENT_EVENT", {"NumRecords": 1}, agent_record("1001"))
    almost_too_long()
    scene.says("CONFIG_END_EVENT")
    assert scene.link.state is LinkState.SYNCHRONISING


@pytest.mark.parametrize("status", [1, 2, 3])
def test_a_failed_download_ends_the_attempt(status: int) -> None:
    scene = Scene()
    scene.opened()
    outputs = scene.says("CONFIG_END_EVENT", {"ConfigEndStatus": status})
    assert only(outputs, AttemptEnded)


def test_confirmations_and_failures_find_their_request_in_any_order() -> None:
    scene = Scene()
    scene.up("1001")
    first, outputs = scene.link.request(LOGOUT, scene.now, context="first")
    second, _ = scene.link.request(LOGOUT, scene.now, context="second")
    third, _ = scene.link.request(LOGOUT, scene.now, context="third")
    (written,) = only(outputs, SendBytes)
    assert written.message.fields["PeripheralID"] == 5000
    assert written.message.fields["InvokeID"] == first
    (ended,) = only(
        scene.says("CONTROL_FAILURE_CONF", {"InvokeID": second, "FailureCode": 257, "PeripheralErrorCode": 10108}),
        RequestEnded,
    )
    assert (ended.context, ended.outcome, ended.failure_code, ended.peripheral_error) == (
        "second",
        Outcome.REFUSED,
        257,
        10108,
    )
    (ended,) = only(scene.says("SET_AGENT_STATE_CONF", {"InvokeID": first}), RequestEnded)
    assert (ended.context, ended.outcome, ended.failure_code) == ("first", Outcome.CONFIRMED, None)
    (ended,) = only(scene.says("FAILURE_CONF", {"InvokeID": third, "Status": 6}), RequestEnded)
    assert (ended.context, ended.outcome, ended.failure_code) == ("third", Outcome.REFUSED, 1)
    assert only(scene.says("SET_AGENT_STATE_CONF", {"InvokeID": first}), Log)


def test_a_request_without_an_answer_times_out_once() -> None:
    scene = Scene()
    scene.up("1001")
    scene.link.request(LOGOUT, scene.now, context="mine")
    outputs = scene.passes(timing.REQUEST_TIMEOUT_S)
    (ended,) = only(outputs, RequestEnded)
    assert (ended.context, ended.outcome, ended.failure_code) == ("mine", Outcome.TIMED_OUT, 78)


def test_requests_end_at_once_while_the_link_is_not_up() -> None:
    scene = Scene()
    scene.opened()
    _, outputs = scene.link.request(LOGOUT, scene.now)
    (ended,) = only(outputs, RequestEnded)
    assert (ended.outcome, ended.failure_code) == (Outcome.LINK_LOST, 34)


def test_requests_end_when_the_connection_breaks() -> None:
    scene = Scene()
    scene.up("1001")
    scene.link.request(LOGOUT, scene.now)
    outputs = scene.link.disconnected(scene.now, "reset by peer")
    assert only(outputs, RequestEnded)[0].outcome is Outcome.LINK_LOST
    assert LinkDown("reset by peer") in outputs


def test_a_request_that_cannot_be_written_ends_at_once_and_costs_nobody_else() -> None:
    scene = Scene()
    scene.up("1001")
    _, outputs = scene.link.request(Message("SET_AGENT_STATE_REQ", {}, (("AGENT_ID", "1" * 99),)), scene.now)
    assert only(outputs, RequestEnded)[0].outcome is Outcome.UNWRITABLE
    assert scene.link.state is LinkState.UP


def test_requests_beyond_the_bound_are_refused_not_queued() -> None:
    scene = Scene()
    scene.up()
    for _ in range(timing.MAX_OUTSTANDING):
        scene.link.request(LOGOUT, scene.now)
    _, outputs = scene.link.request(LOGOUT, scene.now)
    assert [type(output) for output in outputs] == [RequestEnded]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("FAILURE_EVENT", {"Status": 15}),
        ("FAILURE_EVENT", {"Status": 11}),
        ("FAILURE_EVENT", {"Status": 999}),
        ("FAILURE_CONF", {"InvokeID": 3, "Status": 15}),
    ],
)
def test_a_server_that_says_goodbye_is_left_for_the_other_side(name: str, fields: dict[str, int]) -> None:
    scene = Scene()
    scene.up("1001")
    outputs = scene.says(name, fields)
    assert only(outputs, LinkDown)
    assert scene.passes(0) == [Connect(B)]


def test_bytes_that_are_not_ged_188_end_the_connection_with_a_reason() -> None:
    scene = Scene()
    scene.up("1001")
    outputs = scene.link.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n", scene.now)
    (down,) = only(outputs, LinkDown)
    assert "not GED-188" in down.reason
    assert scene.link.feed(b"more", scene.now) == []


def test_a_malformed_message_is_skipped_and_told() -> None:
    scene = Scene()
    scene.up("1001")
    outputs = scene.link.feed(bytes.fromhex("0000000200000027" + "0000"), scene.now)
    assert len(only(outputs, Log)) == 1
    assert scene.link.state is LinkState.UP


def test_teams_arrive_with_their_supervisors_and_later_changes_are_told() -> None:
    scene = Scene()
    scene.opened()
    team = (("AGENT_TEAM_NAME", "Sales"), ("ATC_AGENT_ID", "1001"), ("AGENT_FLAGS", 0))
    lead = (("ATC_AGENT_ID", "1101"), ("AGENT_FLAGS", 1), ("ATC_AGENT_STATE", 1), ("ATC_STATE_DURATION", 0))
    scene.says("AGENT_TEAM_CONFIG_EVENT", {"TeamID": 1, "NumberOfAgents": 2, "ConfigOperation": 1}, team + lead)
    (config,) = only(scene.configured("1001"), ConfigReceived)
    assert [(t.team_id, t.name, t.members, t.supervisors) for t in config.teams] == [(1, "Sales", ("1001",), ("1101",))]
    outputs = scene.says(
        "AGENT_TEAM_CONFIG_EVENT", {"TeamID": 1, "ConfigOperation": 2}, (("ATC_AGENT_ID", "1001"), ("AGENT_FLAGS", 0))
    )
    assert only(outputs, ConfigReceived)[0].teams[0].members == ()


def test_a_new_agent_is_told_before_the_agents_first_event() -> None:
    scene = Scene()
    scene.up("1001")
    messages = (
        Message("CONFIG_BEGIN_EVENT", {"ConfigType": 0, "ConfigInformation": 4}),
        Message("CONFIG_AGENT_EVENT", {"NumRecords": 1}, agent_record("1009")),
        Message("CONFIG_END_EVENT"),
        Message("AGENT_STATE_EVENT", {"AgentState": 2}, (("AGENT_ID", "1009"),)),
    )
    config, event = scene.link.feed(b"".join(encode(message, 20) for message in messages), scene.now)
    assert isinstance(config, ConfigReceived)
    assert [agent.agent_id for agent in config.agents] == ["1001", "1009"]
    assert isinstance(event, Received)


def test_stopping_closes_the_session_and_waits_for_its_answer() -> None:
    scene = Scene()
    scene.up("1001")
    outputs = scene.link.stop(scene.now)
    assert sent(outputs) == ["CLOSE_REQ"]
    assert only(outputs, LinkDown)
    assert scene.says("CLOSE_CONF") == [Close("the session was closed")]
    assert scene.link.state is LinkState.STOPPED
    assert scene.link.deadline == float("inf")


def test_stopping_does_not_wait_for_a_silent_server() -> None:
    scene = Scene()
    scene.up("1001")
    scene.link.stop(scene.now)
    assert scene.passes(timing.CLOSE_TIMEOUT_S) == [Close("CLOSE_REQ was not answered")]
    assert scene.link.state is LinkState.STOPPED


def test_stopping_before_the_session_is_open_closes_at_once() -> None:
    scene = Scene()
    scene.link.start(scene.now)
    scene.link.connected(scene.now)
    assert Close("the link was stopped") in scene.link.stop(scene.now)
    assert scene.link.state is LinkState.STOPPED


def test_settings_that_cannot_be_written_are_refused_at_once() -> None:
    with pytest.raises(CtiError):
        Link(LinkSettings((A,), client_id="x" * 64))


def test_slower_heartbeats_ask_for_a_longer_idle_time_out() -> None:
    scene = Scene(heartbeat_s=30.0)
    scene.link.start(scene.now)
    (opening,) = only(scene.link.connected(scene.now), SendBytes)
    assert opening.message.fields["IdleTimeout"] == 120
    scene.says("OPEN_CONF", {"PeripheralOnline": 1})
    assert sent(scene.passes(29)) == []
    assert sent(scene.passes(1)) == ["HEARTBEAT_REQ"]


def test_versions_are_offered_from_the_highest_wanted_down() -> None:
    assert versions_from(25) == (25, 24, 20, 18, 15, 13)
    assert versions_from(20) == (20, 18, 15, 13)
    assert versions_from(13) == (13,)
    for wrong in (12, 26):
        with pytest.raises(ValueError, match="between 13 and 25"):
            versions_from(wrong)


def test_every_state_of_the_table_can_be_left_and_every_state_is_reached() -> None:
    assert {state for state, _ in TRANSITIONS} == set(LinkState)
    assert set(TRANSITIONS.values()) == set(LinkState)
    assert {what for _, what in TRANSITIONS} == set(LinkInput)

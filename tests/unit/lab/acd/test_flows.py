"""Every call flow of docs/reference/lab-call-flows.md, as its events come."""

from __future__ import annotations

import pytest

from poise.lab.acd.dialler import Campaign, Mode, Record
from poise.lab.acd.settings import AcdSettings
from poise.lab.data import DEMO
from poise.lab.rules import Deployment
from poise.protocols.cti.constants import NULL32
from poise.protocols.cti.messages import Message, NamedVariable
from tests.unit.lab.acd.floor import FIRST, Client, Floor, ecc

UCCE, UCCX = Deployment.UCCE, Deployment.UCCX


def talking(deployment: Deployment = UCCE, *others: str, version: int = 24) -> tuple[Floor, int]:
    """Agent 1001 talks to a caller who came through queue 10."""
    floor = Floor(deployment, version)
    floor.signs_in("1001", ready=True)
    floor.signs_in(*others)
    call_id = floor.calls_in("8010")
    assert floor.on("ANSWER_CALL", "1001", call_id).name == "ANSWER_CALL_CONF"
    floor.events()
    return floor, call_id


def consulting(deployment: Deployment = UCCE) -> tuple[Floor, int, int]:
    """1001 talks to 1002 in the second call, the caller is on hold in the first."""
    floor, first = talking(deployment, "1002")
    second = floor.consult("1001", first, "1002").fields["NewConnectionCallID"]
    floor.on("ANSWER_CALL", "1002", second)
    floor.events()
    return floor, first, second


def test_a_call_comes_through_a_queue_and_both_hang_up_in_turn() -> None:
    floor = Floor()
    floor.signs_in("1001")
    call_id = floor.calls_in("8010")
    assert floor.ladder() == ["QUEUED/8010 #1 5 cause 22"]
    floor.state("1001", 3)  # type: ignore[arg-type]
    assert floor.ladder() == [
        "state 1001 AVAILABLE",
        "DEQUEUED/8010 #1 0 cause 22",
        "state 1001 RESERVED",
        "AGENT_PRE/1001",
        "BEGIN/1001 #1 type 2",
        "DELIVERED/1001 #1 2 cause 22",
    ]
    floor.on("ANSWER_CALL", "1001", call_id)
    assert floor.ladder() == ["ESTABLISHED/1001 #1 3", "state 1001 TALKING"]
    floor.on("CLEAR_CONNECTION", "1001", call_id)
    assert floor.ladder() == [
        "CONNECTION_CLEARED/1001 #1 0",
        "CONNECTION_CLEARED/1001 #1 0",
        "CLEARED/1001 #1 0",
        "state 1001 WORK_READY",
    ]
    floor.set_data("1001", call_id, ("CALL_WRAPUP_DATA", "Sale"))
    (update,) = floor.events()
    assert update.text("CALL_WRAPUP_DATA") == "Sale"
    floor.pass_time(10)
    assert floor.ladder() == ["state 1001 AVAILABLE", "END/1001 #1"]


def test_what_a_call_from_a_queue_tells_about_itself() -> None:
    floor = Floor()
    floor.signs_in("1001", ready=True)
    floor.calls_in("8010")
    events = {message.name: message for message in floor.events()}
    begin, delivered = events["BEGIN_CALL_EVENT"], events["CALL_DELIVERED_EVENT"]
    assert (begin.text("ANI"), begin.text("DNIS"), begin.text("DIALED_NUMBER")) == ("5551234", "8010", "8010")
    assert begin.number("ROUTER_CALL_KEY_CALLID") == 1
    assert delivered.fields["SkillGroupNumber"] == 10
    names = ("ALERTING_DEVID", "CALLING_DEVID", "CALLED_DEVID", "LAST_REDIRECT_DEVID")
    assert [delivered.text(name) for name in names] == ["1001", "5551234", "8010", "8010"]
    kinds = ("AlertingDeviceType", "CallingDeviceType", "CalledDeviceType", "LastRedirectDeviceType")
    assert [delivered.fields[kind] for kind in kinds] == [76, 75, 74, 74]
    reserved = next(message for message in [*events.values()] if message.name == "AGENT_STATE_EVENT")
    assert reserved.number("DIRECTION") == 1


def test_the_caller_hangs_up() -> None:
    floor = Floor(acd=AcdSettings(wrap_up_s=0))
    floor.signs_in("1001", ready=True)
    call_id = floor.calls_in("8010", talks_s=30)
    floor.on("ANSWER_CALL", "1001", call_id)
    floor.events()
    floor.pass_time(30)
    assert floor.ladder() == [
        "CONNECTION_CLEARED/1001 #1 3",
        "CONNECTION_CLEARED/1001 #1 0",
        "CLEARED/1001 #1 0",
        "state 1001 AVAILABLE",
        "END/1001 #1",
    ]


def test_a_caller_gives_up_while_waiting_and_while_it_rings() -> None:
    floor = Floor()
    floor.calls_in("8010", patience_s=15)
    floor.events()
    floor.pass_time(15)
    assert floor.ladder() == ["DEQUEUED/8010 #1 0 cause 5"]
    floor.signs_in("1001", ready=True)
    floor.calls_in("8010", patience_s=15)
    floor.events()
    floor.pass_time(15)
    assert floor.ladder() == [
        "CONNECTION_CLEARED/1001 #2 2 cause 5",
        "CONNECTION_CLEARED/1001 #2 0 cause 5",
        "CLEARED/1001 #2 0 cause 5",
        "state 1001 AVAILABLE",
        "END/1001 #2",
    ]
    assert floor.centre.queues.abandoned[10] == 2


@pytest.mark.parametrize(
    ("deployment", "first", "reason"),
    [(UCCE, "DIVERTED/1001 #1 0 cause 10", 32767), (UCCX, "CONNECTION_CLEARED/1001 #1 0 cause 10", 32763)],
)
def test_a_call_that_is_not_answered_goes_on_and_the_agent_is_not_ready(
    deployment: Deployment, first: str, reason: int
) -> None:
    floor = Floor(deployment)
    floor.signs_in("1001", ready=True)
    floor.calls_in("8010")
    floor.events()
    floor.pass_time(20)
    assert floor.ladder() == [
        first,
        f"state 1001 NOT_READY {reason}",
        "END/1001 #1",
        "QUEUED/8010 #1 5 cause 28",
    ]
    floor.signs_in("1002", ready=True)
    assert floor.calls_at("1002") == {FIRST + 1: 2}


def test_who_has_been_available_longest_gets_the_call() -> None:
    floor = Floor()
    floor.signs_in("1001", ready=True)
    floor.pass_time(1)
    floor.signs_in("1002", ready=True)
    floor.pass_time(1)
    floor.signs_in("1003", ready=True)
    floor.calls_in()
    floor.calls_in()
    floor.calls_in("8011")  # another team's
    assert [floor.agent_state(agent) for agent in ("1001", "1002", "1003")] == ["RESERVED", "RESERVED", "AVAILABLE"]


def test_calls_wait_in_order_and_one_that_was_not_answered_comes_first() -> None:
    floor = Floor()
    floor.signs_in("1001", ready=True)
    first, second = floor.calls_in(), floor.calls_in()
    floor.pass_time(20)
    floor.state("1001", 3)  # type: ignore[arg-type]
    assert list(floor.calls_at("1001")) == [first]
    floor.signs_in("1002", ready=True)
    assert list(floor.calls_at("1002")) == [second]


def test_an_agent_calls_another() -> None:
    floor = Floor()
    floor.signs_in("1001", "1002")
    call_id = floor.make_call("1001", "1002").fields["NewConnectionCallID"]
    assert floor.ladder() == [
        "BEGIN/1001 #1 type 10",
        "SERVICE_INITIATED/1001 #1 1",
        "ORIGINATED/1001 #1 3",
        "state 1001 TALKING",
        "BEGIN/1002 #1 type 10",
        "DELIVERED/1001 #1 3",
        "DELIVERED/1002 #1 2",
    ]
    floor.on("ANSWER_CALL", "1002", call_id)
    assert floor.ladder() == ["ESTABLISHED/1001 #1 3", "ESTABLISHED/1002 #1 3", "state 1002 TALKING"]
    floor.on("HOLD_CALL", "1001", call_id)
    assert floor.ladder() == ["HELD/1001 #1 4", "HELD/1002 #1 3", "state 1001 HOLD"]
    floor.retrieve("1001", call_id)
    assert floor.ladder() == ["RETRIEVED/1001 #1 3", "RETRIEVED/1002 #1 3", "state 1001 TALKING"]
    floor.on("CLEAR_CONNECTION", "1002", call_id)
    assert floor.ladder() == [
        "CONNECTION_CLEARED/1001 #1 3",
        "CONNECTION_CLEARED/1002 #1 0",
        "CONNECTION_CLEARED/1001 #1 0",
        "CONNECTION_CLEARED/1002 #1 0",
        "CLEARED/1001 #1 0",
        "CLEARED/1002 #1 0",
        "state 1002 NOT_READY",
        "END/1002 #1",
        "state 1001 NOT_READY",
        "END/1001 #1",
    ]


def test_an_agent_calls_outside() -> None:
    floor = Floor()
    floor.signs_in("1001")
    floor.make_call("1001", "5551234")
    assert floor.ladder()[-2:] == ["REACHED_NETWORK/1001 #1 3", "DELIVERED/1001 #1 3"]
    floor.pass_time(3)
    assert floor.ladder() == ["ESTABLISHED/1001 #1 3"]


@pytest.mark.parametrize(("number", "cause"), [("9985551", 3), ("9995551", 13), ("12", 13)])
def test_a_busy_number_and_one_that_does_not_exist(number: str, cause: int) -> None:
    floor = Floor()
    floor.signs_in("1001")
    floor.make_call("1001", number)
    assert floor.ladder()[-1] == f"FAILED/1001 #1 6 cause {cause}"
    floor.pass_time(10)
    assert floor.ladder() == [
        "CONNECTION_CLEARED/1001 #1 0",
        "CLEARED/1001 #1 0",
        "state 1001 NOT_READY",
        "END/1001 #1",
    ]


def test_nobody_answers_a_colleagues_call() -> None:
    floor = Floor()
    floor.signs_in("1001", "1002")
    floor.make_call("1001", "1002")
    floor.events()
    floor.pass_time(60)
    assert floor.ladder() == ["CONNECTION_CLEARED/1002 #1 0 cause 10", "FAILED/1001 #1 6 cause 10", "END/1002 #1"]


@pytest.mark.parametrize(("deployment", "reason"), [(UCCE, 50006), (UCCX, 32762)])
def test_a_ready_agent_who_places_a_call_is_not_ready_meanwhile(deployment: Deployment, reason: int) -> None:
    floor = Floor(deployment)
    floor.signs_in("1001", ready=True)
    refusal = floor.make_call("1001", "5551234").fields
    if deployment is UCCE:
        assert (refusal["FailureCode"], refusal["PeripheralErrorCode"]) == (21, 10103)
        floor.make_call("1001", "5551234", manner=2)
    call_id = FIRST + 1
    assert floor.ladder()[0] == f"state 1001 NOT_READY {reason}"
    floor.on("CLEAR_CONNECTION", "1001", call_id)
    assert "state 1001 AVAILABLE" in floor.ladder()


def test_uccx_agents_are_talking_only_in_calls_from_queues() -> None:
    floor = Floor(UCCX)
    floor.signs_in("1001", "1002")
    floor.state("1002", 3)  # type: ignore[arg-type]
    call_id = floor.make_call("1001", "1002").fields["NewConnectionCallID"]
    floor.events()
    floor.on("ANSWER_CALL", "1002", call_id)
    assert [line for line in floor.ladder() if line.startswith("state")] == ["state 1002 NOT_READY 32761"]
    floor.on("CLEAR_CONNECTION", "1001", call_id)
    assert [line for line in floor.ladder() if line.startswith("state")] == ["state 1002 AVAILABLE"]


def test_a_consult_holds_the_first_call_and_carries_its_data() -> None:
    floor, call_id = talking(UCCE, "1002")
    floor.set_data("1001", call_id, ("CALL_VAR_3", "gold"), ecc("user.id", "77"))
    floor.events()
    answer = floor.consult("1001", call_id, "1002")
    assert answer.fields["NewConnectionCallID"] == FIRST + 2
    events = floor.events()
    begin = next(message for message in events if message.name == "BEGIN_CALL_EVENT")
    assert begin.text("CALL_VAR_3") == "gold"
    initiated = next(message for message in events if message.name == "CALL_SERVICE_INITIATED_EVENT")
    assert initiated.number("COC_CONNECTION_CALL_ID") == call_id
    floor.client.heard += events
    assert floor.ladder() == [
        "HELD/1001 #1 4 cause 51",
        "BEGIN/1001 #2 type 12",
        "SERVICE_INITIATED/1001 #2 1",
        "ORIGINATED/1001 #2 3",
        "BEGIN/1002 #2 type 13",
        "DELIVERED/1001 #2 3",
        "DELIVERED/1002 #2 2",
    ]


def test_a_consult_transfer_leaves_caller_and_colleague_under_the_first_id() -> None:
    floor, first, second = consulting()
    answer = floor.two("TRANSFER", "1001", second, first)
    assert (answer.fields["NewConnectionCallID"], answer.fields["NumParties"]) == (first, 2)
    assert floor.ladder() == [
        "DATA_UPDATE/1002 #2 type 4 now #1",
        "TRANSFERRED/1001 #1 3 cause 32",
        "state 1001 WORK_READY",
        "END/1001 #1",
        "END/1001 #2",
        "END/1002 #2",
    ]
    assert floor.parties(first) == {"5551234": 3, "1002": 3}


def test_a_transfer_may_come_before_the_answer() -> None:
    floor, first = talking(UCCE, "1002")
    second = floor.consult("1001", first, "1002").fields["NewConnectionCallID"]
    floor.two("TRANSFER", "1001", second, first)
    floor.events()
    floor.on("ANSWER_CALL", "1002", first)
    assert floor.ladder() == ["ESTABLISHED/1002 #1 3", "state 1002 TALKING"]


def test_a_blind_transfer_to_a_colleague_a_queue_and_nobody() -> None:
    floor, call_id = talking(UCCE, "1002")
    for number, code in (("9995551", 20011), ("9985551", 20013), ("1001", 20011)):
        assert floor.blind("1001", call_id, number).fields["PeripheralErrorCode"] == code
    floor.blind("1001", call_id, "1002")
    assert floor.ladder() == [
        "TRANSFERRED/1001 #1 3 cause 32",
        "CONNECTION_CLEARED/1001 #1 0 cause 32",
        "state 1001 WORK_READY",
        "END/1001 #1",
        "BEGIN/1002 #1 type 4",
        "DELIVERED/1002 #1 2 cause 32",
    ]
    floor.on("ANSWER_CALL", "1002", call_id)
    floor.events()
    floor.blind("1002", call_id, "8011")
    assert floor.ladder()[-1] == "QUEUED/8011 #1 5 cause 22"


def test_a_conference_and_its_parties_leaving_one_by_one() -> None:
    floor, first, second = consulting()
    answer = floor.two("CONFERENCE", "1001", second, first)
    assert (answer.fields["NewConnectionCallID"], answer.fields["NumParties"]) == (first, 3)
    joined = next(message for message in floor.client.heard if message.name == "CALL_CONFERENCED_EVENT")
    assert list(joined.all("PARTY_DEVID")) == ["5551234", "1001", "1002"]
    assert (joined.fields["SecondaryCallID"], joined.text("CONTROLLER_DEVID")) == (second, "1001")
    assert floor.ladder() == [
        "DATA_UPDATE/1001 #1 type 15",
        "DATA_UPDATE/1002 #2 type 15 now #1",
        "CONFERENCED/1001 #1 3 cause 17",
        "END/1001 #2",
        "END/1002 #2",
    ]
    floor.on("CLEAR_CONNECTION", "1001", first)
    assert floor.ladder()[:2] == ["CONNECTION_CLEARED/1001 #1 0", "CONNECTION_CLEARED/1002 #1 3"]
    assert floor.parties(first) == {"5551234": 3, "1002": 3}


def test_a_party_of_a_conference_drops_another() -> None:
    floor, first, second = consulting()
    floor.two("CONFERENCE", "1001", second, first)
    floor.events()
    floor.on("CLEAR_CONNECTION", "1002", first, ("REQUESTING_DEVICE_ID", "1001"))
    assert floor.parties(first) == {"5551234": 3, "1001": 3}


def test_a_conference_needs_an_answer_and_has_room_for_sixteen() -> None:
    floor, first = talking(UCCE, "1002")
    second = floor.consult("1001", first, "1002").fields["NewConnectionCallID"]
    assert floor.two("CONFERENCE", "1001", second, first).fields["PeripheralErrorCode"] == 13045
    floor.on("CLEAR_CONNECTION", "1001", second)
    floor.retrieve("1001", first)
    for at in range(14):
        other = floor.consult("1001", first, f"55512{at:02d}").fields["NewConnectionCallID"]
        floor.pass_time(3)
        assert floor.two("CONFERENCE", "1001", other, first).name == "CONFERENCE_CALL_CONF"
    assert len(floor.parties(first)) == 16
    other = floor.consult("1001", first, "5559999").fields["NewConnectionCallID"]
    floor.pass_time(3)
    refusal = floor.two("CONFERENCE", "1001", other, first).fields
    assert (refusal["FailureCode"], refusal["PeripheralErrorCode"]) == (38, 20070)


def test_alternate_and_reconnect() -> None:
    floor, first, second = consulting()
    floor.two("ALTERNATE", "1001", second, first)
    assert floor.ladder() == [
        "HELD/1001 #2 4 cause 2",
        "HELD/1002 #2 3 cause 2",
        "RETRIEVED/1001 #1 3 cause 2",
    ]
    floor.two("RECONNECT", "1001", first, second)
    assert floor.calls_at("1001") == {second: 3}


def test_a_ringing_call_is_sent_on() -> None:
    floor = Floor()
    floor.signs_in("1001", ready=True)
    floor.signs_in("1002")
    call_id = floor.calls_in()
    floor.events()
    floor.on("DEFLECT_CALL", "1001", call_id, ("DIALED_NUMBER", "1002"))
    assert floor.ladder() == [
        "DIVERTED/1001 #1 0 cause 28",
        "state 1001 AVAILABLE",
        "END/1001 #1",
        "BEGIN/1002 #1 type 1",
        "DELIVERED/1002 #1 2 cause 28",
    ]


def test_answering_a_second_call_holds_the_first() -> None:
    floor, first = talking(UCCE, "1002")
    second = floor.make_call("1002", "1001").fields["NewConnectionCallID"]
    floor.events()
    floor.on("ANSWER_CALL", "1001", second)
    assert floor.ladder()[0] == "HELD/1001 #1 4"
    assert floor.calls_at("1001") == {first: 4, second: 3}
    refusal = floor.retrieve("1001", first).fields
    assert (refusal["FailureCode"], refusal["PeripheralErrorCode"]) == (21, 20112)


# Data


def test_call_data_reach_everybody_in_the_call_and_new_versions_only_what_changed() -> None:
    floor, first, second = consulting()
    floor.two("CONFERENCE", "1001", second, first)
    old = Client(floor.server, 18, floor.now)
    floor.others.append(old)
    floor.events()
    old.heard.clear()
    floor.set_data("1001", first, ecc("user.a", "1"))
    floor.set_data("1001", first, ecc("user.b", "2"))
    new = [list(message.all("NAMED_VARIABLE")) for message in floor.events()]
    assert [len(names) for names in new] == [1, 1, 1, 1]
    before = [message for message in old.heard if message.name == "CALL_DATA_UPDATE_EVENT"]
    assert [len(list(message.all("NAMED_VARIABLE"))) for message in before] == [1, 1, 2, 2]
    assert before[-1].fields["NumNamedVariables"] == 2


@pytest.mark.parametrize(
    ("what", "status"),
    [
        (("CALL_VAR_1", b"x" * 41), 74),
        (("CALL_WRAPUP_DATA", b"x" * 40), 74),
        (ecc("x" * 33, "1"), 74),
    ],
)
def test_data_that_are_too_long_are_refused(what: tuple[str, object], status: int) -> None:
    floor, call_id = talking()
    answer = floor.set_data("1001", call_id, what)  # type: ignore[arg-type]
    assert (answer.name, answer.fields["Status"]) == ("FAILURE_CONF", status)


def test_ecc_variables_have_two_thousand_bytes_together() -> None:
    floor, call_id = talking()
    for at in range(9):
        assert floor.set_data("1001", call_id, ecc(f"user.{at}", "x" * 210)).name == "SET_CALL_DATA_CONF"
    assert floor.set_data("1001", call_id, ecc("user.9", "x" * 210)).fields["Status"] == 73


def test_tones_and_recordings_need_somebody_at_the_other_end() -> None:
    floor, call_id = talking()
    assert floor.on("SEND_DTMF_SIGNAL", "1001", call_id, ("DTMF_STRING", "12#")).name == "SEND_DTMF_SIGNAL_CONF"
    assert floor.on("SEND_DTMF_SIGNAL", "1001", call_id, ("DTMF_STRING", "x")).fields["PeripheralErrorCode"] == 13093
    assert floor.on("START_RECORDING", "1001", call_id).fields["SessionID"] == 1
    assert floor.on("START_RECORDING", "1001", call_id).name == "CONTROL_FAILURE_CONF"
    assert floor.on("STOP_RECORDING", "1001", call_id).name == "STOP_RECORDING_CONF"
    floor.on("HOLD_CALL", "1001", call_id)
    assert floor.on("SEND_DTMF_SIGNAL", "1001", call_id, ("DTMF_STRING", "1")).fields["FailureCode"] == 21


# Supervisors


def monitored() -> tuple[Floor, int, int]:
    floor, call_id = talking(UCCE, "1101")
    own = floor.supervise("1101", "1001", call_id, 1).fields["ConnectionCallID"]
    return floor, call_id, own


def test_a_supervisor_listens_and_goes_with_the_call() -> None:
    floor, call_id, own = monitored()
    assert floor.ladder() == [
        "BEGIN/1101 #2 type 21",
        "DELIVERED/1101 #2 2 cause 46",
        "ESTABLISHED/1101 #2 3 cause 46",
        "state 1101 TALKING",
    ]
    assert floor.calls_at("1101") == {own: 3}
    floor.on("CLEAR_CONNECTION", "1001", call_id)
    assert floor.ladder()[-4:] == [
        "CONNECTION_CLEARED/1101 #2 0 cause 45",
        "CLEARED/1101 #2 0 cause 45",
        "state 1101 NOT_READY",
        "END/1101 #2",
    ]


def test_only_supervisors_who_are_not_ready_listen_and_only_to_who_is_talking() -> None:
    floor, call_id = talking(UCCE, "1002", "1101")
    assert floor.supervise("1002", "1001", call_id, 1).fields["FailureCode"] == 8
    assert floor.supervise("1101", "1002", NULL32, 1).fields["PeripheralErrorCode"] == 13095
    floor.state("1101", 3)  # type: ignore[arg-type]
    assert floor.supervise("1101", "1001", call_id, 1).fields["PeripheralErrorCode"] == 10108


def test_a_supervisor_barges_in_and_takes_the_call_over() -> None:
    floor, call_id, _ = monitored()
    floor.events()
    answer = floor.supervise("1101", "1001", call_id, 3)
    assert answer.fields["ConnectionCallID"] == call_id
    assert floor.ladder() == [
        "CONNECTION_CLEARED/1101 #2 0 cause 48",
        "CLEARED/1101 #2 0 cause 48",
        "state 1101 NOT_READY",
        "END/1101 #2",
        "HELD/1001 #1 4 cause 48",
        "BEGIN/1001 #3 type 23",
        "SERVICE_INITIATED/1001 #3 1 cause 48",
        "ORIGINATED/1001 #3 3 cause 48",
        "BEGIN/1101 #3 type 23",
        "DELIVERED/1001 #3 3 cause 48",
        "DELIVERED/1101 #3 2 cause 48",
        "ESTABLISHED/1001 #3 3 cause 48",
        "ESTABLISHED/1101 #3 3 cause 48",
        "state 1101 TALKING",
        "DATA_UPDATE/1001 #1 type 15",
        "DATA_UPDATE/1101 #3 type 15 now #1",
        "CONFERENCED/1001 #1 3 cause 17",
        "END/1001 #3",
        "END/1101 #3",
    ]
    floor.supervise("1101", "1001", call_id, 4)
    assert floor.ladder()[0] == "CONNECTION_CLEARED/1001 #1 0 cause 49"
    assert floor.parties(call_id) == {"5551234": 3, "1101": 3}


def test_an_agent_asks_the_supervisor_for_help() -> None:
    floor, call_id = talking(UCCE, "1101")
    answer = floor.on("SUPERVISOR_ASSIST", "1001", call_id)
    assert answer.fields["ConnectionCallID"] == FIRST + 2
    assert "BEGIN/1001 #2 type 19" in floor.ladder()
    floor.state("1101", 1)  # type: ignore[arg-type]


# Campaigns


def campaign(mode: Mode, number: str = "5557777", deployment: Deployment = UCCE) -> Floor:
    floor = Floor(deployment)
    floor.signs_in("1001", ready=True)
    floor.centre.dialler.add(Campaign("Spring", DEMO.skill_groups[0], mode), Record(number, "A1", "Ms", talks_s=30))
    floor.tell()
    return floor


@pytest.mark.parametrize(("deployment", "types"), [(UCCE, (27, 32)), (UCCX, (28, 33))])
def test_a_preview_is_looked_at_accepted_and_the_customer_talks(deployment: Deployment, types: tuple[int, int]) -> None:
    floor = campaign(Mode.PREVIEW, deployment=deployment)
    events = floor.events()
    assert events[0].number("DIRECTION") == 6
    begin = next(message for message in events if message.name == "BEGIN_CALL_EVENT")
    assert begin.fields["CallType"] == types[0]
    variables = {value.name: value.value for value in begin.all("NAMED_VARIABLE") if isinstance(value, NamedVariable)}
    assert (variables["BACampaign"], variables["BACustomerNumber"], variables["BAResponse"]) == (
        "Spring",
        "5557777",
        "",
    )
    floor.set_data("1001", FIRST + 1, ecc("BAResponse", "Accept"))
    assert floor.ladder() == [
        "DATA_UPDATE/1001 #1 type " + str(types[0]),
        "ESTABLISHED/1001 #1 3",
        "state 1001 TALKING",
    ]
    floor.pass_time(3)
    assert floor.ladder() == [
        "HELD/1001 #1 4",
        f"BEGIN/1001 #2 type {types[1]}",
        "DELIVERED/1001 #2 2 cause 22",
        "ESTABLISHED/1001 #2 3",
        "CONNECTION_CLEARED/1001 #1 0",
        "CONNECTION_CLEARED/1001 #1 0",
        "CLEARED/1001 #1 0",
        "END/1001 #1",
    ]
    floor.pass_time(30)
    assert floor.ladder()[-1].startswith("state 1001 WORK")
    assert floor.centre.dialler.reached == 1


def test_a_preview_that_is_rejected_comes_again_and_one_that_is_closed_does_not() -> None:
    floor = campaign(Mode.PREVIEW)
    floor.set_data("1001", FIRST + 1, ecc("BAResponse", "Reject"))
    assert floor.agent_state("1001") == "AVAILABLE"
    floor.pass_time(60)
    assert floor.agent_state("1001") == "RESERVED"
    floor.set_data("1001", FIRST + 2, ecc("BAResponse", "Reject-Close"))
    floor.pass_time(120)
    assert (floor.centre.dialler.closed, floor.centre.dialler.open_records) == (1, 0)


def test_a_preview_nobody_looks_at_makes_the_agent_not_ready() -> None:
    floor = campaign(Mode.PREVIEW)
    floor.events()
    floor.pass_time(30)
    assert "state 1001 NOT_READY 32767" in floor.ladder()


def test_a_progressive_call_waits_for_the_customer() -> None:
    floor = campaign(Mode.PROGRESSIVE)
    events = floor.events()
    assert (events[0].fields["AgentState"], events[0].number("DIRECTION")) == (8, 7)
    floor.pass_time(3)
    assert floor.agent_state("1001") == "TALKING"
    assert "BEGIN/1001 #2 type 34" in floor.ladder()


@pytest.mark.parametrize(
    ("response", "again"),
    [
        ("Ans Machine", True),
        ("Fax", True),
        ("Busy", True),
        ("Voice", False),
        ("Invalid", False),
        ("DNC", False),
        ("Callback 01011970 00:01", True),
        ("P#5559999", True),
        ("Callback Cancel", False),
        ("Martian", False),
        ("Callback 13991970 00:01", False),
    ],
)
def test_what_the_agent_says_of_a_customers_call_decides_whether_it_comes_again(response: str, again: bool) -> None:
    floor = campaign(Mode.PROGRESSIVE)
    floor.pass_time(3)
    assert floor.centre.dialler.open_records == 0
    floor.set_data("1001", FIRST + 2, ecc("BAResponse", response))
    assert floor.centre.dialler.open_records == again


def test_a_scheduled_callback_comes_at_its_time_to_its_number_and_what_was_said_last_holds() -> None:
    floor = campaign(Mode.PROGRESSIVE)
    floor.pass_time(3)
    floor.set_data("1001", FIRST + 2, ecc("BAResponse", "Ans Machine"))
    floor.set_data("1001", FIRST + 2, ecc("BAResponse", "Callback 01011970 02:00 P#5559999"))
    assert floor.centre.dialler.open_records == 1
    floor.pass_time(7190 - floor.now)
    assert (floor.agent_state("1001"), floor.centre.dialler.open_records) == ("AVAILABLE", 1)
    floor.events()
    floor.pass_time(15)
    begin = next(message for message in floor.events() if message.name == "BEGIN_CALL_EVENT")
    assert ecc("BACustomerNumber", "5559999")[1] in list(begin.all("NAMED_VARIABLE"))


@pytest.mark.parametrize(("number", "after"), [("9985555", 3), ("9975555", 20)])
def test_a_customer_who_is_not_reached_frees_the_agent(number: str, after: float) -> None:
    floor = campaign(Mode.PROGRESSIVE, number)
    floor.pass_time(after)
    assert floor.agent_state("1001") == "AVAILABLE"
    assert floor.calls_at("1001") == {}
    floor.pass_time(600)
    assert (floor.centre.dialler.closed, floor.centre.dialler.open_records) == (1, 0)


# Looking


def test_statistics_count_what_was_done() -> None:
    floor = Floor()
    floor.signs_in("1001", ready=True)
    floor.pass_time(100)
    call_id = floor.calls_in("8010")
    floor.calls_in("8010")
    floor.pass_time(4)
    now = floor.ask("QUERY_SKILL_GROUP_STATISTICS_REQ", SkillGroupNumber=10, SkillGroupID=NULL32).fields
    assert (now["RouterCallsQNow"], now["LongestRouterCallQNow"], now["AgentsReserved"]) == (1, 4, 1)
    floor.on("ANSWER_CALL", "1001", call_id)
    floor.pass_time(30)
    floor.on("HOLD_CALL", "1001", call_id)
    floor.pass_time(5)
    floor.on("CLEAR_CONNECTION", "1001", call_id)
    group = floor.ask("QUERY_SKILL_GROUP_STATISTICS_REQ", SkillGroupNumber=10, SkillGroupID=NULL32).fields
    for span in ("To5", "ToHalf", "Today"):
        counters = [group[f"{name}{span}"] for name in ("HandledCalls", "HandledCallsTalkTime", "HandledCallsTime")]
        assert counters == [1, 30, 35], span
    assert (group["IncomingCallsHeldTimeToday"], group["AvailTimeToday"]) == (5, 100)
    agent = floor.ask("QUERY_AGENT_STATISTICS_REQ", (("AGENT_ID", "1001"),)).fields
    assert (agent["HandledCallsSession"], agent["AvailTimeSession"], agent["LoggedOnTimeToday"]) == (1, 100, 139)
    assert floor.ask("QUERY_SKILL_GROUP_STATISTICS_REQ", SkillGroupNumber=99).fields["FailureCode"] == 262
    floor.pass_time(400)
    later = floor.ask("QUERY_SKILL_GROUP_STATISTICS_REQ", SkillGroupNumber=10, SkillGroupID=NULL32).fields
    assert (later["HandledCallsTo5"], later["HandledCallsToday"]) == (0, 1)


def test_devices_desk_settings_and_unknown_calls() -> None:
    floor = Floor()
    assert floor.ask("QUERY_DEVICE_INFO_REQ", (("AGENT_INSTRUMENT", "1001"),)).fields["MaxActiveCalls"] == 1
    assert floor.ask("AGENT_DESK_SETTINGS_REQ", (("AGENT_ID", "1001"),)).fields["RingNoAnswerTime"] == 20
    assert floor.ask("SNAPSHOT_CALL_REQ", ConnectionCallID=77).fields["FailureCode"] == 11
    assert floor.on("ANSWER_CALL", "1001", 77).fields["FailureCode"] == 11
    assert floor.ask("MAKE_CALL_REQ").fields["Status"] == 6
    assert floor.ask("HOLD_CALL_REQ", PeripheralID=1).fields["Status"] == 7


def names(messages: list[Message]) -> list[str]:
    return [message.name for message in messages]


def test_one_agents_client_and_monitors_hear_what_is_theirs() -> None:
    floor = Floor()
    floor.signs_in("1001", "1002")
    own = Client(floor.server, 24, floor.now, services=0x5, AGENT_ID="1001")
    floor.others.append(own)
    own.heard.clear()
    floor.make_call("1002", "5551234")
    assert own.heard == []
    started = floor.ask(
        "MONITOR_START_REQ", (("MONITORED_DEVID", "1001"),), CallMsgMask=0x7FFF, AgentStateMask=0x3FFF
    ).fields["MonitorID"]
    floor.events()
    floor.make_call("1001", "5551235")
    heard = floor.events()
    assert sorted(names(own.heard)) == sorted(set(names(heard)))
    begins = [message.fields["MonitorID"] for message in heard if message.name == "BEGIN_CALL_EVENT"]
    assert begins == [0, started]
    assert floor.ask("MONITOR_STOP_REQ", MonitorID=started).name == "MONITOR_STOP_CONF"
    assert floor.ask("MONITOR_STOP_REQ", MonitorID=started).fields["Status"] == 55


def test_without_telephony_nothing_rings_and_nobody_can_call() -> None:
    floor, call_id = talking(UCCE, "1002")
    assert floor.server.set_telephony(False, floor.now) == []
    assert floor.on("HOLD_CALL", "1001", call_id).fields["FailureCode"] == 34
    floor.state("1002", 3)  # type: ignore[arg-type]
    floor.calls_in("8010")
    assert floor.agent_state("1002") == "AVAILABLE"
    floor.client.hears(floor.server.set_telephony(True, floor.now))
    assert floor.agent_state("1002") == "RESERVED"


def test_uccx_says_so_when_telephony_is_lost() -> None:
    floor = Floor(UCCX)
    floor.events()
    floor.client.hears(floor.server.set_telephony(False, floor.now))
    floor.client.hears(floor.server.set_telephony(True, floor.now))
    assert [message.fields["SystemEventID"] for message in floor.events()] == [4, 3]


def test_the_order_of_kinds_is_shuffled_by_the_seed_and_each_kind_keeps_its_own() -> None:
    def told(shuffle: int | None) -> list[str]:
        floor = Floor(shuffle=shuffle)
        floor.signs_in("1001", "1002", ready=True)
        call_id = floor.calls_in("8010")
        floor.on("ANSWER_CALL", "1001", call_id)
        floor.on("CLEAR_CONNECTION", "1001", call_id)
        floor.pass_time(60)
        return floor.ladder()

    plain = told(None)
    orders = {tuple(told(seed)) for seed in range(1, 9)}
    assert len(orders) > 3
    assert tuple(told(3)) == tuple(told(3))
    for order in orders:
        for kind in (True, False):
            assert [line for line in order if line.startswith("state") is kind] == [
                line for line in plain if line.startswith("state") is kind
            ]


def test_whoever_is_left_after_a_transfer_is_the_calling_party_for_the_next() -> None:
    floor = Floor()
    floor.signs_in("1001", "1002")
    call_id = floor.make_call("1001", "1002").fields["NewConnectionCallID"]
    floor.on("ANSWER_CALL", "1002", call_id)
    floor.events()
    floor.blind("1001", call_id, "5551234")
    delivered = next(message for message in floor.events() if message.name == "CALL_DELIVERED_EVENT")
    assert (delivered.text("CALLING_DEVID"), delivered.text("ALERTING_DEVID")) == ("1002", "5551234")

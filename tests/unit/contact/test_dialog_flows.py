"""What agents are told of calls: one story for each flow of docs/reference/lab-call-flows.md."""

from __future__ import annotations

import pytest

from poise.contact import call_book
from poise.contact.dialog_views import CONTROLLERS, EVERYONE, SUPERVISORS
from poise.contact.states import Deployment
from poise.protocols.cti.call_constants import CallType, EventCause
from poise.protocols.cti.call_constants import LocalConnectionState as Lcs
from poise.protocols.cti.constants import AgentState
from tests.unit.contact.calls import Desk
from tests.unit.contact.switch import CALLER, QUEUE, Truth

READY = AgentState.AVAILABLE


def test_an_inbound_call_rings_is_answered_and_ends() -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    assert desk.hear(ringing) == ["1001 POST 1 ALERTING 1001=ALERTING 5550100=INITIATED"]
    assert desk.actions("1001", 1) == {"ANSWER"}
    assert desk.hear(switch.answer(call, "1001")) == ["1001 PUT 1 ACTIVE 1001=ACTIVE 5550100=ACTIVE"]
    assert desk.actions("1001", 1) == {
        "UPDATE_CALL_DATA", "HOLD", "CONSULT_CALL", "TRANSFER_SST", "SEND_DTMF", "DROP",
    }  # fmt: skip
    assert desk.hear(switch.over(call, CALLER)) == [
        "1001 PUT 1 ACTIVE 1001=ACTIVE 5550100=DROPPED",
        "1001 PUT 1 DROPPED 1001=DROPPED 5550100=DROPPED",
        "1001 DELETE 1",
    ]
    assert desk.sees("1001") == []


def test_what_a_dialog_says_about_its_call() -> None:
    desk = Desk()
    call, ringing = desk.switch.inbound("1001")
    desk.hear(ringing)
    desk.hear(desk.switch.data(call, "CALL_VAR_1", "gold"))
    desk.hear(desk.switch.data(call, "user.account", "77"))
    dialog = desk.model.dialogs["1000001"].dialog
    assert (dialog.from_address, dialog.to_address) == (CALLER, QUEUE)
    properties = dialog.properties
    assert (properties.call_type, properties.dnis, properties.dialed_number) == ("PREROUTE_ACD_IN", QUEUE, QUEUE)
    assert (properties.queue_number, properties.queue_name) == (10, "Sales")
    assert properties.variables == (("callVariable1", "gold"), ("user.account", "77"))
    assert [party.kind for party in dialog.participants] == ["AGENT_DEVICE", ""]


@pytest.mark.parametrize("end_first", [False, True])
def test_wrap_up_keeps_the_call_until_it_is_over_whatever_comes_first(end_first: bool) -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001")])
    *cleared, state, end = switch.over(call, CALLER, AgentState.WORK_READY)
    desk.hear([*cleared, end, state] if end_first else [*cleared, state, end])
    assert desk.sees("1001") == ["1 DROPPED 1001=WRAP_UP 5550100=DROPPED"]
    assert desk.actions("1001", 1) == {"UPDATE_CALL_DATA"}
    assert desk.hear([switch.state("1001", READY)]) == ["1001 DELETE 1"]
    assert len(desk.model._book) == 0


def test_call_data_of_the_wrap_up_are_told() -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001")])
    update = switch.data(call, "CALL_WRAPUP_DATA", "Sold")
    desk.hear(switch.over(call, CALLER, AgentState.WORK_NOT_READY))
    assert desk.hear(update) == ["1001 PUT 1 DROPPED 1001=WRAP_UP 5550100=DROPPED"]
    assert desk.model.dialogs["1000001"].dialog.properties.wrap_up_reason == "Sold"
    desk.hear([switch.state("1001", AgentState.NOT_READY)])
    assert (desk.sees("1001"), len(desk.model._book)) == ([], 0)


@pytest.mark.parametrize("deployment", Deployment)
def test_a_call_that_is_not_answered_goes_to_the_next_agent(deployment: Deployment) -> None:
    desk = Desk(deployment)
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear(ringing)
    lost = switch.no_answer(call, "1001", uccx=deployment is Deployment.UCCX)
    assert desk.hear(lost) == ["1001 DELETE 1"]
    assert desk.hear(switch.offered(call, "1002")) == ["1002 POST 1 ALERTING 5550100=INITIATED 1002=ALERTING"]


def test_a_call_between_agents_is_told_to_both() -> None:
    desk = Desk()
    switch = desk.switch
    call, placed = switch.place("1001", "1002")
    assert desk.hear(placed) == [
        "1001 POST 1 INITIATING 1001=INITIATING",
        "1001 PUT 1 INITIATED 1001=INITIATED",
    ]
    assert desk.actions("1001", 1) == {"UPDATE_CALL_DATA", "SEND_DTMF", "DROP"}
    assert desk.hear(switch.rings_there(call)) == [
        "1002 POST 1 ALERTING 1001=INITIATED 1002=ALERTING",
        "1001 PUT 1 ALERTING 1001=INITIATED 1002=ALERTING",
    ]
    assert desk.hear(switch.answer(call, "1002")) == [
        "1001 PUT 1 ACTIVE 1001=ACTIVE 1002=ACTIVE",
        "1002 PUT 1 ACTIVE 1001=ACTIVE 1002=ACTIVE",
    ]
    dialog = desk.model.dialogs["1000001"].dialog
    assert (dialog.from_address, dialog.to_address, dialog.properties.call_type) == ("1001", "1002", "AGENT_INSIDE")
    ended = desk.hear(switch.over(call, "1002"))
    assert ended[:2] == ["1001 PUT 1 ACTIVE 1001=ACTIVE 1002=DROPPED", "1002 PUT 1 ACTIVE 1001=ACTIVE 1002=DROPPED"]
    assert sorted(ended[-2:]) == ["1001 DELETE 1", "1002 DELETE 1"]


@pytest.mark.parametrize(
    ("cause", "word"),
    [(EventCause.BUSY, "BUSY"), (EventCause.DEST_NOT_OBTAINABLE, "BAD_DESTINATION"), (EventCause.PARK, "OTHER")],
)
def test_an_attempt_that_fails_says_why(cause: EventCause, word: str) -> None:
    desk = Desk()
    call, placed = desk.switch.place("1001", "9985551234")
    desk.hear(placed)
    assert desk.hear(desk.switch.fails(call, cause)) == ["1001 PUT 1 FAILED 1001=FAILED"]
    party = desk.model.dialogs["1000001"].dialog.participant("1001")
    assert party is not None
    assert (party.cause, [action.value for action in party.actions]) == (word, ["DROP"])
    assert desk.hear(desk.switch.over(call, "1001"))[-1] == "1001 DELETE 1"


def test_hold_and_retrieve() -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001")])
    assert desk.hear(switch.hold(call, "1001")) == ["1001 PUT 1 ACTIVE 1001=HELD 5550100=ACTIVE"]
    assert desk.actions("1001", 1) == {"UPDATE_CALL_DATA", "RETRIEVE", "DROP"}
    assert desk.hear(switch.retrieve(call, "1001")) == ["1001 PUT 1 ACTIVE 1001=ACTIVE 5550100=ACTIVE"]


def consulting(desk: Desk, *, answered: bool = True) -> tuple[Truth, Truth]:
    """1001 talks to a caller and consults 1002."""
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001"), *switch.hold(call, "1001", consulting=True)])
    consult, placed = switch.place("1001", "1002", call)
    desk.hear([*placed, *switch.rings_there(consult)])
    if answered:
        desk.hear(switch.answer(consult, "1002"))
    return call, consult


def test_a_consultation_names_the_call_it_is_about_and_makes_transfer_and_conference_possible() -> None:
    desk = Desk()
    consulting(desk)
    assert desk.sees("1001") == ["1 ACTIVE 1001=HELD 5550100=ACTIVE", "2 ACTIVE 1001=ACTIVE 1002=ACTIVE"]
    assert desk.sees("1002") == ["2 ACTIVE 1001=ACTIVE 1002=ACTIVE"]
    consult = desk.model.dialogs["1000002"].dialog
    assert (consult.associated_id, consult.properties.call_type) == ("1000001", "CONSULT")
    assert {"TRANSFER", "CONFERENCE"} <= desk.actions("1001", 1) & desk.actions("1001", 2)
    assert not {"TRANSFER", "CONFERENCE"} & desk.actions("1002", 2)


def test_a_transfer_takes_both_calls_from_its_maker_and_gives_the_original_to_the_other() -> None:
    desk = Desk()
    call, consult = consulting(desk)
    lines = desk.hear(desk.switch.transfer(call, consult, "1001", READY))
    assert sorted(line for line in lines if "PUT" not in line) == [
        "1001 DELETE 1",
        "1001 DELETE 2",
        "1002 DELETE 2",
        "1002 POST 1 ACTIVE 5550100=ACTIVE 1002=ACTIVE",
    ]
    dialog = desk.model.dialogs["1000001"].dialog
    assert (dialog.properties.call_type, dialog.secondary_id, dialog.from_address) == ("TRANSFER", "1000002", CALLER)
    assert desk.sees("1001") == []
    desk.hear(desk.switch.over(call, CALLER))
    assert (desk.sees("1002"), len(desk.model._book)) == ([], 0)


def test_a_transfer_to_a_telephone_that_still_rings() -> None:
    desk = Desk()
    call, consult = consulting(desk, answered=False)
    desk.hear(desk.switch.transfer(call, consult, "1001", READY))
    assert desk.sees("1002") == ["1 ALERTING 5550100=INITIATED 1002=ALERTING"]
    desk.hear(desk.switch.answer(call, "1002"))
    assert desk.sees("1002") == ["1 ACTIVE 5550100=ACTIVE 1002=ACTIVE"]


def test_a_conference_keeps_the_original_and_ends_the_consultation() -> None:
    desk = Desk()
    call, consult = consulting(desk)
    lines = desk.hear(desk.switch.conference(call, consult, "1001"))
    assert [line for line in lines if "DELETE" in line] == ["1001 DELETE 2", "1002 DELETE 2"]
    everyone = "1 ACTIVE 1001=ACTIVE 5550100=ACTIVE 1002=ACTIVE"
    assert (desk.sees("1001"), desk.sees("1002")) == ([everyone], [everyone])
    assert desk.model.dialogs["1000001"].dialog.properties.call_type == "CONFERENCE"
    assert "PARTICIPANT_DROP" in desk.actions("1001", 1)
    assert "PARTICIPANT_DROP" not in desk.actions("1002", 1)


@pytest.mark.parametrize("then", [READY, AgentState.WORK_READY])
def test_who_drops_out_of_a_conference_is_done_with_it_after_wrap_up(then: AgentState) -> None:
    desk = Desk()
    call, consult = consulting(desk)
    desk.hear(desk.switch.conference(call, consult, "1001"))
    desk.hear(desk.switch.leaves(call, "1002", then))
    wraps_up = ["1 ACTIVE 1001=ACTIVE 5550100=ACTIVE 1002=WRAP_UP"]
    assert desk.sees("1002") == (wraps_up if then is AgentState.WORK_READY else [])
    desk.hear([desk.switch.state("1002", READY)])
    assert desk.sees("1002") == []
    assert desk.sees("1001") == ["1 ACTIVE 1001=ACTIVE 5550100=ACTIVE 1002=DROPPED"]
    desk.hear(desk.switch.over(call, "1001"))
    assert len(desk.model._book) == 0


def test_a_blind_transfer_to_an_agent() -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001")])
    lines = desk.hear(switch.single_step(call, "1001", "1002", READY))
    assert "1001 DELETE 1" in lines
    assert desk.sees("1002") == ["1 ALERTING 5550100=INITIATED 1002=ALERTING"]
    desk.hear(switch.answer(call, "1002"))
    assert desk.sees("1002") == ["1 ACTIVE 5550100=ACTIVE 1002=ACTIVE"]
    desk.hear(switch.over(call, "1002"))
    assert len(desk.model._book) == 0


def test_who_holds_while_the_other_gives_the_call_away_stays_on_it() -> None:
    desk = Desk()
    switch = desk.switch
    call, placed = switch.place("1001", "1002")
    desk.hear([*placed, *switch.rings_there(call), *switch.answer(call, "1002"), *switch.hold(call, "1001")])
    moved = switch.single_step(call, "1002", "1004", READY)
    gone = next(n for n, message in enumerate(moved) if message.name == "CALL_CONNECTION_CLEARED_EVENT")
    told = switch.event("CALL_CONNECTION_CLEARED_EVENT", call, "1001", Lcs.HOLD, {"RELEASING_DEVID": "1002"})
    desk.hear([*moved[:gone], told, *moved[gone:]])
    assert desk.sees("1001") == ["1 ACTIVE 1001=HELD 1004=ALERTING"]
    assert desk.sees("1002") == []


def test_a_call_given_back_to_a_queue_is_remembered_until_its_caller_gives_up() -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001")])
    assert "1001 DELETE 1" in desk.hear(switch.single_step(call, "1001", QUEUE, READY))
    assert (len(desk.model.dialogs), len(desk.model._book)) == (0, 1)
    gone = switch.event("CALL_DEQUEUED_EVENT", call, QUEUE, Lcs.NULL, {"QUEUE_DEVID": QUEUE}, EventCause.CALL_CANCELLED)
    assert desk.hear([gone]) == []
    assert len(desk.model._book) == 0


def test_calls_that_left_all_agents_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_book, "RESTING_MAX", 3)
    desk = Desk()
    switch = desk.switch
    for _ in range(6):
        call, ringing = switch.inbound("1001")
        desk.hear([*ringing, *switch.answer(call, "1001")])
        desk.hear(switch.single_step(call, "1001", QUEUE, READY))
    assert len(desk.model._book) == 3


def test_silent_monitoring_is_a_dialog_of_its_own_in_which_the_agent_can_do_nothing() -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001")])
    _, listening = switch.monitor("1101", "1001")
    desk.hear(listening)
    assert desk.sees("1101") == ["2 ACTIVE 1101=ACTIVE 1001=ACTIVE"]
    assert desk.actions("1101", 2) == {"DROP", "BARGE_CALL"}
    assert desk.actions("1001", 2) == set()
    dialog = desk.model.dialogs["1000002"].dialog
    assert (dialog.from_address, dialog.to_address) == ("1101", "1001")
    assert dialog.properties.call_type == "SUPERVISOR_MONITOR"
    assert "TRANSFER" not in desk.actions("1001", 1)


def test_barging_in_makes_a_conference_and_intercepting_leaves_the_supervisor_with_the_caller() -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001")])
    monitor, listening = switch.monitor("1101", "1001")
    desk.hear(listening)
    lines = desk.hear(switch.barge(monitor, call, "1101", "1001"))
    assert {"1101 DELETE 2", "1001 DELETE 2", "1101 DELETE 3", "1001 DELETE 3"} <= set(lines)
    everyone = "1 ACTIVE 1001=ACTIVE 5550100=ACTIVE 1101=ACTIVE"
    assert (desk.sees("1001"), desk.sees("1101")) == ([everyone], [everyone])
    assert "PARTICIPANT_DROP" in desk.actions("1101", 1)
    desk.hear(switch.leaves(call, "1001"))
    assert desk.sees("1001") == []
    assert desk.sees("1101") == ["1 ACTIVE 1001=DROPPED 5550100=ACTIVE 1101=ACTIVE"]


def test_a_preview_is_accepted_and_the_customers_call_follows() -> None:
    desk = Desk()
    switch = desk.switch
    reservation, offered = switch.preview("1001")
    assert desk.hear(offered) == ["1001 POST 1 ALERTING 1001=ALERTING"]
    assert desk.actions("1001", 1) == {"ACCEPT", "CLOSE", "REJECT"}
    assert desk.model.dialogs["1000001"].dialog.properties.call_type == "OUTBOUND_PREVIEW"
    assert desk.model.dialogs["1000001"].dialog.from_address == "99901"
    customer, lines = switch.customer(reservation, "1001")
    told = desk.hear(lines)
    assert told[0] == "1001 PUT 1 ACCEPTED 1001=ACCEPTED"
    assert "1001 DELETE 1" in told
    assert desk.sees("1001") == ["2 ACTIVE 5550199=ACTIVE 1001=ACTIVE"]
    dialog = desk.model.dialogs[str(customer.number)].dialog
    assert (dialog.from_address, dialog.to_address) == ("1001", "5550199")
    assert {"RECLASSIFY", "UPDATE_SCHEDULED_CALLBACK"} <= desk.actions("1001", 2)
    assert "TRANSFER" not in desk.actions("1001", 2)


def test_a_rejected_preview_is_gone() -> None:
    desk = Desk()
    switch = desk.switch
    reservation, offered = switch.preview("1001")
    desk.hear(offered)
    desk.hear(switch.data(reservation, "BAResponse", "Reject"))
    assert desk.hear(switch.over(reservation, "99901"))[-1] == "1001 DELETE 1"


def test_the_seat_kept_for_a_progressive_call_is_shown_to_nobody() -> None:
    desk = Desk()
    call = desk.switch.new(CallType.RESERVATION_PREDICTIVE, "99901", "1001")
    assert desk.hear([*desk.switch.offered(call, "1001"), *desk.switch.answer(call, "1001")]) == []


def test_a_call_at_a_telephone_is_told_to_who_signs_in_there_and_taken_from_who_signs_out() -> None:
    desk = Desk()
    switch = desk.switch
    call, ringing = switch.inbound("1001")
    desk.hear([*ringing, *switch.answer(call, "1001")])
    assert desk.hear([switch.state("1001", AgentState.LOGOUT)]) == ["1001 DELETE 1"]
    back = desk.hear([switch.state("1001", AgentState.NOT_READY)])
    assert back == ["1001 POST 1 ACTIVE 1001=ACTIVE 5550100=ACTIVE"]


@pytest.mark.parametrize(
    ("whose", "who"), [(SUPERVISORS, set()), (CONTROLLERS, {"1001"}), (EVERYONE, {"1001", "1002"})]
)
def test_who_may_drop_others_is_a_setting(whose: str, who: set[str]) -> None:
    desk = Desk(droppers=whose)
    call, consult = consulting(desk)
    desk.hear(desk.switch.conference(call, consult, "1001"))
    assert {agent for agent in ("1001", "1002") if "PARTICIPANT_DROP" in desk.actions(agent, 1)} == who

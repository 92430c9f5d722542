"""Corners of the dialog model that no ordinary flow reaches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from poise.contact import call_book
from poise.protocols.cti.call_constants import CallType
from poise.protocols.cti.call_constants import LocalConnectionState as Lcs
from poise.protocols.cti.constants import AgentState
from poise.protocols.cti.messages import Message
from tests.unit.contact.calls import Desk
from tests.unit.contact.switch import CALLER, Truth

READY = AgentState.AVAILABLE


def talking(desk: Desk) -> Truth:
    call, ringing = desk.switch.inbound("1001")
    desk.hear([*ringing, *desk.switch.answer(call, "1001")])
    return call


def consulting(desk: Desk) -> tuple[Truth, Truth]:
    switch = desk.switch
    call = talking(desk)
    desk.hear(switch.hold(call, "1001", consulting=True))
    consult, placed = switch.place("1001", "1002", call)
    desk.hear([*placed, *switch.rings_there(consult), *switch.answer(consult, "1002")])
    return call, consult


def without_states(messages: list[Message]) -> list[Message]:
    return [message for message in messages if message.name != "AGENT_STATE_EVENT"]


def test_a_consultation_that_ends_is_gone_at_once_while_the_agent_still_has_the_first_call() -> None:
    desk = Desk()
    _, consult = consulting(desk)
    desk.hear(without_states(desk.switch.over(consult, "1002")))
    assert desk.sees("1001") == ["1 ACTIVE 1001=HELD 5550100=ACTIVE"]


def test_who_stays_in_a_conference_sees_its_end_as_of_any_call() -> None:
    desk = Desk()
    call, consult = consulting(desk)
    desk.hear(desk.switch.conference(call, consult, "1001"))
    desk.hear([*desk.switch.leaves(call, "1002"), desk.switch.state("1001", AgentState.NOT_READY)])
    lines = desk.hear(without_states(desk.switch.over(call, CALLER)))
    assert [line.split()[1] + " " + line.split()[3] for line in lines if "PUT" in line][-1] == "PUT DROPPED"
    assert lines[-1] == "1001 DELETE 1"


def test_who_leaves_a_conference_is_done_with_it_before_its_report_is_closed() -> None:
    desk = Desk()
    call, consult = consulting(desk)
    desk.hear(desk.switch.conference(call, consult, "1001"))
    *leaving, _end = desk.switch.leaves(call, "1002")
    desk.hear(leaving)
    assert desk.sees("1002") == []


def test_who_hung_up_is_done_with_a_call_that_goes_on_at_another_telephone() -> None:
    desk = Desk()
    switch = desk.switch
    call = talking(desk)
    gone = switch.event("CALL_CONNECTION_CLEARED_EVENT", call, "1001", Lcs.NULL, {"RELEASING_DEVID": "1001"})
    desk.hear([gone])
    assert desk.sees("1001") == ["1 ACTIVE 1001=DROPPED 5550100=ACTIVE"]
    desk.hear([switch.state("1001", READY), *switch.offered(call, "1002")])
    assert desk.sees("1001") == []
    assert desk.sees("1002") != []


def test_an_agent_who_turns_up_at_another_telephone_leaves_the_calls_of_the_first() -> None:
    desk = Desk()
    talking(desk)
    moved = replace(
        desk.switch.state("1001", AgentState.NOT_READY), floats=(("AGENT_ID", "1001"), ("AGENT_EXTENSION", "7009"))
    )
    assert desk.hear([moved]) == ["1001 DELETE 1"]
    assert desk.sees("1001") == []


def test_a_telephone_belongs_to_who_signed_in_there_last() -> None:
    desk = Desk()
    talking(desk)
    other = replace(
        desk.switch.state("1002", AgentState.NOT_READY), floats=(("AGENT_ID", "1002"), ("AGENT_EXTENSION", "1001"))
    )
    desk.hear([other])
    assert (desk.sees("1001"), desk.sees("1002")) == ([], ["1 ACTIVE 1001=ACTIVE 5550100=ACTIVE"])
    desk.hear([desk.switch.state("1001", AgentState.LOGOUT)])
    assert desk.sees("1002") != []


def test_a_number_that_is_used_anew_while_its_call_goes_on_under_another_makes_no_confusion() -> None:
    desk = Desk()
    switch = desk.switch
    call = talking(desk)
    renumbered = Message(
        "CALL_DATA_UPDATE_EVENT",
        {
            "ConnectionCallID": call.number,
            "NewConnectionCallID": call.number + 500,
            "CallType": int(CallType.PREROUTE_ACD_IN),
        },
        (("CONNECTION_DEVID", "1001"),),
    )
    desk.hear([renumbered, switch.end(call, "1001")])
    assert desk.sees("1001") == ["1 ACTIVE 1001=ACTIVE 5550100=ACTIVE"]
    other = replace(call, states={CALLER: Lcs.CONNECT})
    assert "1001 DELETE 1" in desk.hear(switch.offered(other, "1002"))
    assert desk.sees("1001") == ["501 ACTIVE 1001=ACTIVE 5550100=ACTIVE"]
    assert desk.sees("1002") == ["1 ALERTING 1002=ALERTING 5550100=INITIATED"]


def test_a_variable_may_be_emptied_but_does_not_come_to_be_empty() -> None:
    desk = Desk()
    call = talking(desk)
    desk.hear([*desk.switch.data(call, "CALL_VAR_1", "gold"), *desk.switch.data(call, "CALL_VAR_2", "")])
    desk.hear(desk.switch.data(call, "CALL_VAR_1", ""))
    assert desk.model.dialogs["1000001"].dialog.properties.variables == (("callVariable1", ""),)


def test_a_report_for_one_telephone_ends_the_call_when_nobody_is_left_on_it() -> None:
    """A CTI server that says END_CALL once for a whole call."""
    desk = Desk()
    switch = desk.switch
    call, placed = switch.place("1001", "1002")
    desk.hear([*placed, *switch.rings_there(call), *switch.answer(call, "1002")])
    *messages, _second_end = switch.over(call, "1001")
    desk.hear(messages)
    assert (desk.sees("1001"), desk.sees("1002"), len(desk.model._book)) == ([], [], 0)


def test_calls_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_book, "CALLS_MAX", 5)
    desk = Desk()
    for _ in range(9):
        desk.hear(desk.switch.place("1001", "5550000")[1])
    assert len(desk.model._book) == 5
    assert len(desk.sees("1001")) == 5

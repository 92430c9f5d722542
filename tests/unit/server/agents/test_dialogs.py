"""Calls between the CTI link and the desktops: outages, forced logouts, who hears what."""

from __future__ import annotations

from poise.contact.dialog_requests import DialogWish
from poise.contact.dialog_states import Action
from poise.finesse.timing import GRACE_S
from poise.protocols.cti.constants import AgentState as Cti
from poise.protocols.cti.outputs import LinkDown, Outcome
from tests.unit.contact.switch import CALLER, Switch, Truth
from tests.unit.server.agents.stage import Stage, Told

NODE = "/finesse/api/User/1001/Dialogs"


def heard(stage: Stage) -> list[tuple[str, str]]:
    """Event and dialog of everything told on the agent's node since the last time."""
    return [(item.value("event"), item.value("id")) for item in dialogs(stage)]


def dialogs(stage: Stage) -> list[Told]:
    return [item for item in stage.publisher.take() if item.node == NODE]


def talking(stage: Stage) -> tuple[Switch, Truth]:
    switch = Switch(("1001", "1002", "1101"))
    call, ringing = switch.inbound("1001")
    stage.hear([*ringing, *switch.answer(call, "1001")])
    stage.publisher.take()
    return switch, call


def test_what_ended_in_an_outage_is_deleted_when_service_returns_and_the_rest_said_anew() -> None:
    stage = Stage()
    stage.signed_in()
    switch, call = talking(stage)
    stage.hear(switch.hold(call, "1001"))
    second, placed = switch.place("1001", "1002")
    stage.hear(placed)
    stage.publisher.take()
    stage.service.cti_output(LinkDown("reset"))
    assert heard(stage) == []
    stage.configure()
    stage.event(Cti.TALKING)
    stage.hear([switch.snapshot(second)])
    stage.link_up()
    assert heard(stage) == [("DELETE", str(call.number)), ("POST", str(second.number))]


def test_a_call_that_comes_and_goes_in_an_outage_is_never_heard_of() -> None:
    stage = Stage()
    stage.signed_in()
    stage.service.cti_output(LinkDown("reset"))
    stage.configure()
    switch = Switch(("1001",))
    call, ringing = switch.inbound("1001")
    stage.hear([*ringing, *switch.over(call, CALLER)])
    stage.link_up()
    assert heard(stage) == []


def test_a_call_that_goes_and_comes_back_in_an_outage_is_said_anew_only() -> None:
    stage = Stage()
    stage.signed_in()
    switch, call = talking(stage)
    stage.service.cti_output(LinkDown("reset"))
    stage.configure()
    stage.event(Cti.LOGOUT)
    stage.event(Cti.TALKING)
    stage.hear([switch.snapshot(call)])
    stage.link_up()
    assert heard(stage) == [("POST", str(call.number))]


def test_requests_under_way_when_the_link_is_lost_fail_and_waiting_ones_are_forgotten() -> None:
    stage = Stage()
    stage.signed_in()
    _, call = talking(stage)
    for action in (Action.HOLD, Action.DROP):
        stage.service.dialogs.put(DialogWish(action, "1001", str(call.number)), "r")
    stage.service.dialogs.link_lost()
    stage.answer_call(Outcome.LINK_LOST)
    assert not stage.call_requests
    assert [item.value("errorData") for item in dialogs(stage)] == ["34"]


def test_a_forced_logout_waits_for_the_call_even_if_the_agents_state_says_it_is_over() -> None:
    stage = Stage()
    stage.signed_in()
    switch, call = talking(stage)
    stage.service.presence("1001", "desktop", False, 0)
    stage.event(Cti.AVAILABLE)  # the state runs ahead of the call's end
    stage.clock.advance(GRACE_S + 1)
    assert stage.asked() == []
    assert stage.log.lines[-1][0] == "waiting"
    stage.hear([m for m in switch.over(call, CALLER) if m.name != "AGENT_STATE_EVENT"])
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_a_forced_logout_waits_for_the_agents_state_even_if_the_call_is_over() -> None:
    stage = Stage()
    stage.signed_in()
    switch, call = talking(stage)
    stage.service.presence("1001", "desktop", False, 0)
    stage.hear([m for m in switch.over(call, CALLER) if m.name != "AGENT_STATE_EVENT"])
    stage.clock.advance(GRACE_S + 1)
    assert stage.asked() == []
    stage.event(Cti.NOT_READY)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_with_load_1_nobody_waits_for_a_call() -> None:
    stage = Stage(load=1)
    stage.signed_in()
    talking(stage)
    stage.service.presence("1001", "desktop", False, 0)
    stage.clock.advance(GRACE_S + 1)
    assert stage.asked() == [("1001", "LOGOUT", 255, 1)]


def test_a_call_of_somebody_whom_the_configuration_does_not_name_troubles_nobody() -> None:
    stage = Stage()
    stage.signed_in()
    switch = Switch(("4711",))
    call, ringing = switch.inbound("4711")
    stage.hear([*ringing, *switch.answer(call, "4711"), *switch.over(call, CALLER)])
    assert stage.publisher.take() == []
    assert not [line for line in stage.log.lines if line[0] in ("failed", "fault")]


def test_names_with_characters_that_xml_cannot_carry_go_out_without_them() -> None:
    stage = Stage()
    stage.signed_in()
    switch, call = talking(stage)
    stage.hear(switch.data(call, "CALL_VAR_1", "bell \x07 and \ud800 half"))
    (told,) = dialogs(stage)
    assert "\x07" not in told.text
    assert told.value("value") == "bell \ufffd and \ufffd half"


def test_logs_do_not_hold_the_values_of_call_variables() -> None:
    stage = Stage()
    stage.signed_in()
    written: list[str] = []
    stage.log.published = lambda node, payload: written.append(payload)  # type: ignore[method-assign]
    switch, call = talking(stage)
    stage.hear(switch.data(call, "CALL_VAR_1", "card </callvariables> 4111"))
    assert written
    assert "4111" not in "".join(written)
    assert "<callvariables>...</callvariables></mediaProperties>" in written[-1]

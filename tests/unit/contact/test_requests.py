"""Wishes: what is sent, what is refused, and whose requestId the answer carries."""

from __future__ import annotations

import pytest

from poise.contact.correlation import PER_AGENT
from poise.contact.requests import CtiRequest, Kept, Refusal, RefusalCode, StateWish
from poise.contact.snapshots import AgentChanged, AgentFailed, MobileAgent
from poise.contact.states import Actor, AgentState, Deployment
from poise.protocols.cti import constants as cti
from poise.protocols.cti.codec import Framer, encode
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Outcome, RequestEnded
from tests.unit.contact.centre import NOW, ask, confirmed, event, model, refused, signed_in

S = cti.AgentState
LOGIN = StateWish(AgentState.LOGIN, extension="7001", password="secret")


def test_a_sign_in_names_telephone_and_agent_and_carries_the_password_which_no_repr_shows() -> None:
    request = model().request("1001", LOGIN, "r1")
    assert isinstance(request, CtiRequest)
    assert request.message.name == "SET_AGENT_STATE_REQ"
    assert request.message.fields["AgentState"] == S.LOGIN
    assert request.message.text("AGENT_INSTRUMENT") == "7001"
    assert request.message.text("AGENT_ID") == "1001"
    assert request.message.text("AGENT_PASSWORD") == "secret"
    assert "secret" not in repr(LOGIN)


def test_a_forced_logout_is_the_one_of_the_seed() -> None:
    agents = model()
    signed_in(agents, state=S.AVAILABLE)
    request = agents.request("1001", StateWish(AgentState.LOGOUT, Actor.SYSTEM))
    assert isinstance(request, CtiRequest)
    assert dict(request.message.fields) == {
        "AgentState": 1,
        "AgentWorkMode": 0,
        "NumSkillGroups": 0,
        "EventReasonCode": 255,
        "ForcedFlag": 1,
        "AgentServiceReq": 1,
    }
    assert request.message.floats == (("AGENT_INSTRUMENT", "7001"), ("AGENT_ID", "1001"))


@pytest.mark.parametrize("state", [AgentState.LOGIN, AgentState.READY, AgentState.NOT_READY, AgentState.LOGOUT])
def test_every_request_can_be_written_and_read_back(state: AgentState) -> None:
    agents = model()
    signed_in(agents)
    wish = StateWish(state, extension="7002" if state is AgentState.LOGIN else "", reason_code=10, password="secret")
    request = agents.request("1001", wish)
    assert isinstance(request, CtiRequest)
    (read,) = Framer(20).feed(encode(request.message, 20))
    assert isinstance(read, Message)
    assert {name: read.fields[name] for name in request.message.fields} == dict(request.message.fields)
    assert read.floats == request.message.floats


def test_long_ids_of_uccx_travel_in_their_own_field() -> None:
    agents = model(Deployment.UCCX)
    signed_in(agents)
    request = agents.request("1001", StateWish(AgentState.LOGOUT))
    assert isinstance(request, CtiRequest)
    assert request.message.agent_id == "1001"


def test_a_mobile_agent_signs_in_with_both_numbers_and_the_work_mode() -> None:
    wish = StateWish(AgentState.LOGIN, extension="7001", mobile=MobileAgent("NAILED_CONNECTION", "4085551234"))
    request = model().request("1001", wish)
    assert isinstance(request, CtiRequest)
    assert request.message.text("AGENT_INSTRUMENT") == "7001;4085551234"
    assert request.message.fields["AgentWorkMode"] == cti.AgentWorkMode.NAILED_UP


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (StateWish(AgentState.TALKING), RefusalCode.NOT_A_WISH),
        (StateWish(AgentState.UNKNOWN), RefusalCode.NOT_A_WISH),
        (StateWish(AgentState.LOGIN), RefusalCode.EXTENSION_MISSING),
        (StateWish(AgentState.LOGIN, extension="70 01"), RefusalCode.EXTENSION_INVALID),
        (StateWish(AgentState.LOGIN, extension="+49401234"), RefusalCode.EXTENSION_INVALID),
        (StateWish(AgentState.LOGIN, extension="1" * 16), RefusalCode.EXTENSION_INVALID),
        (StateWish(AgentState.LOGIN, extension="７００１"), RefusalCode.EXTENSION_INVALID),
        (StateWish(AgentState.LOGIN, Actor.SUPERVISOR, extension="7001"), RefusalCode.WRONG_STATE),
        (StateWish(AgentState.NOT_READY, Actor.SUPERVISOR, reason_code=10), RefusalCode.REASON_NOT_ALLOWED),
        (StateWish(AgentState.LOGOUT, Actor.SYSTEM), RefusalCode.WRONG_STATE),
    ],
)
def test_wishes_that_cannot_come_true_are_refused_at_once(wish: StateWish, code: RefusalCode) -> None:
    refusal = model().request("1001", wish)
    assert isinstance(refusal, Refusal)
    assert refusal.code is code


def test_a_wish_for_somebody_unknown_is_refused() -> None:
    assert model().request("9999", LOGIN) == Refusal(RefusalCode.UNKNOWN_AGENT, "9999")


def test_a_sign_out_from_ready_is_refused_by_ucce_and_possible_on_uccx() -> None:
    for deployment, possible in ((Deployment.UCCE, False), (Deployment.UCCX, True)):
        agents = model(deployment)
        signed_in(agents, state=S.AVAILABLE)
        answer = agents.request("1001", StateWish(AgentState.LOGOUT))
        assert isinstance(answer, CtiRequest) is possible


def test_uccx_takes_numbers_with_a_plus_sign() -> None:
    answer = model(Deployment.UCCX).request("1001", StateWish(AgentState.LOGIN, extension="+49401234"))
    assert isinstance(answer, CtiRequest)


def test_a_second_click_is_judged_by_what_the_first_will_lead_to() -> None:
    agents = model()
    signed_in(agents, state=S.AVAILABLE)
    not_ready = ask(agents, AgentState.NOT_READY, "r1")
    assert isinstance(agents.request("1001", StateWish(AgentState.LOGOUT)), CtiRequest)
    agents.ended(refused(not_ready, 21))
    assert isinstance(agents.request("1001", StateWish(AgentState.LOGOUT)), Refusal)


def test_signing_in_again_at_the_same_telephone_keeps_the_state_and_answers_with_it() -> None:
    agents = model()
    signed_in(agents, state=S.AVAILABLE)
    kept = agents.request("1001", LOGIN, "r1")
    assert isinstance(kept, Kept)
    assert (kept.change.after, kept.change.request_id) == (agents.agents["1001"], "r1")
    assert isinstance(agents.request("1001", StateWish(AgentState.LOGIN, extension="7002")), CtiRequest)


def test_the_event_carries_the_request_id_whether_it_comes_after_or_before_the_confirmation() -> None:
    for early in (False, True):
        agents = model()
        request = ask(agents, AgentState.LOGIN, "r1")
        if not early:
            assert agents.ended(confirmed(request)) == []
        (change,) = agents.apply(event("1001", S.NOT_READY), NOW)
        assert isinstance(change, AgentChanged)
        assert change.request_id == "r1"
        if early:
            assert agents.ended(confirmed(request)) == []
        assert len(agents._correlation) == 0
        (change,) = agents.apply(event("1001", S.AVAILABLE), NOW)
        assert isinstance(change, AgentChanged)
        assert change.request_id == "", "used once"


def test_two_requests_in_flight_get_their_own_ids_in_order() -> None:
    agents = model()
    ask(agents, AgentState.LOGIN, "r1")
    ask(agents, AgentState.READY, "r2")
    (first,) = agents.apply(event("1001", S.NOT_READY), NOW)
    (second,) = agents.apply(event("1001", S.AVAILABLE), NOW)
    assert isinstance(first, AgentChanged)
    assert isinstance(second, AgentChanged)
    assert (first.request_id, second.request_id) == ("r1", "r2")


def test_a_request_that_becomes_pending_is_answered_by_the_pending_state() -> None:
    agents = model()
    signed_in(agents, state=S.TALKING)
    ask(agents, AgentState.NOT_READY, "r1")
    (change,) = agents.apply(event("1001", S.TALKING, NEXT_AGENT_STATE=S.NOT_READY), NOW)
    assert isinstance(change, AgentChanged)
    assert (change.request_id, change.after.pending_state) == ("r1", AgentState.NOT_READY)


def test_a_request_that_changes_nothing_is_still_answered_when_the_cti_server_reports_it() -> None:
    agents = model()
    signed_in(agents, state=S.AVAILABLE)
    ask(agents, AgentState.READY, "r1")
    (change,) = agents.apply(event("1001", S.AVAILABLE), NOW)
    assert isinstance(change, AgentChanged)
    assert change.before == change.after
    assert change.request_id == "r1"


def test_a_late_copy_of_an_older_change_does_not_use_up_the_request_id() -> None:
    agents = model()
    agents.apply(event("1001", S.NOT_READY, reason=10), NOW)
    wish = StateWish(AgentState.NOT_READY, reason_code=11)
    request = agents.request("1001", wish, "r1")
    assert isinstance(request, CtiRequest)
    agents.sent(request)
    assert agents.apply(event("1001", S.NOT_READY, reason=10), NOW) == []
    (change,) = agents.apply(event("1001", S.NOT_READY, reason=11), NOW)
    assert isinstance(change, AgentChanged)
    assert change.request_id == "r1"


def test_a_forced_logout_answered_by_not_ready_is_recognised() -> None:
    agents = model()
    signed_in(agents, state=S.AVAILABLE)
    request = ask(agents, AgentState.LOGOUT, "", actor=Actor.SYSTEM)
    agents.ended(confirmed(request))
    agents.apply(event("1001", S.NOT_READY, reason=50_002), NOW)
    assert len(agents._correlation) == 0


def test_asking_for_what_is_so_already_is_answered_by_the_confirmation_and_only_once() -> None:
    agents = model()
    signed_in(agents, state=S.AVAILABLE)
    request = ask(agents, AgentState.READY, "r1")
    (change,) = agents.ended(confirmed(request))
    assert change == AgentChanged(agents.agents["1001"], agents.agents["1001"], "r1")
    assert agents.apply(event("1001", S.AVAILABLE), NOW) == []
    assert len(agents._correlation) == 0


def test_asking_for_another_reason_waits_for_the_event() -> None:
    agents = model()
    agents.apply(event("1001", S.NOT_READY, reason=10), NOW)
    request = agents.request("1001", StateWish(AgentState.NOT_READY, reason_code=11), "r1")
    assert isinstance(request, CtiRequest)
    agents.sent(request)
    assert agents.ended(confirmed(request)) == []
    (change,) = agents.apply(event("1001", S.NOT_READY, reason=11), NOW)
    assert isinstance(change, AgentChanged)
    assert change.request_id == "r1"


def test_a_confirmed_request_without_an_event_is_forgotten_when_the_agent_moves_on() -> None:
    agents = model()
    signed_in(agents)
    agents.ended(confirmed(ask(agents, AgentState.READY, "r1")))
    (change,) = agents.apply(event("1001", S.RESERVED), NOW)
    assert isinstance(change, AgentChanged)
    assert change.request_id == ""
    assert len(agents._correlation) == 0


def test_confirmed_requests_without_events_never_pile_up() -> None:
    agents = model()
    signed_in(agents)
    for number in range(PER_AGENT * 3):
        agents.ended(confirmed(ask(agents, AgentState.READY, f"r{number}")))
    assert len(agents._correlation) <= PER_AGENT


def test_a_refused_request_becomes_a_failure_with_its_request_id() -> None:
    agents = model()
    request = ask(agents, AgentState.READY, "r1")
    assert agents.ended(refused(request, 257, 10_101)) == [
        AgentFailed("1001", 257, "r1", AgentState.READY, peripheral_code=10_101)
    ]
    assert len(agents._correlation) == 0


@pytest.mark.parametrize(
    ("outcome", "code"), [(Outcome.TIMED_OUT, 78), (Outcome.LINK_LOST, 34), (Outcome.UNWRITABLE, 3)]
)
def test_a_request_nobody_answers_becomes_a_failure_too(outcome: Outcome, code: int) -> None:
    agents = model()
    signed_in(agents)
    request = ask(agents, AgentState.READY, "r1")
    (failure,) = agents.ended(RequestEnded(7, request.message, request, outcome))
    assert isinstance(failure, AgentFailed)
    assert failure.code == code
    assert len(agents._correlation) == 0


def test_a_failed_forced_logout_says_that_no_client_waits_for_it() -> None:
    agents = model()
    signed_in(agents)
    (failure,) = agents.ended(refused(ask(agents, AgentState.LOGOUT, "", actor=Actor.SYSTEM), 1))
    assert isinstance(failure, AgentFailed)
    assert failure.forced


def test_the_ends_of_other_requests_change_nothing() -> None:
    ended = RequestEnded(1, Message("QUERY_AGENT_STATE_REQ"), None, Outcome.TIMED_OUT)
    assert model().ended(ended) == []

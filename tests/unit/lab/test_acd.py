"""What a simulated UCCE or UCCX does with agents."""

from __future__ import annotations

import pytest

from poise.lab.acd import Acd, AgentNow, StateRequest
from poise.lab.data import DEMO
from poise.lab.rules import RULES, Act, Deployment, Refuse
from poise.protocols.cti.constants import AgentState, ForcedFlag

LOGIN, LOGOUT, NOT_READY, READY = AgentState.LOGIN, AgentState.LOGOUT, AgentState.NOT_READY, AgentState.AVAILABLE
TALKING, RESERVED, HOLD = AgentState.TALKING, AgentState.RESERVED, AgentState.HOLD
UCCE, UCCX = Deployment.UCCE, Deployment.UCCX


class Floor:
    """An Acd with agent 1001 in view."""

    def __init__(self, deployment: Deployment = UCCE, load: int = 0) -> None:
        self.acd = Acd(DEMO, deployment, load)

    def asks(
        self, wanted: AgentState, reason: int = 0, agent: str = "1001", forced: int = 0, extension: str = ""
    ) -> list[tuple[AgentState, int]] | int:
        """What a request does: (state, reason) of every change, or the failure code."""
        result = self.acd.request(StateRequest(agent, wanted, reason, forced, extension), 10.0)
        return int(result.code) if isinstance(result, Refuse) else shown(result)

    def signs_in(self, *then: AgentState) -> Floor:
        self.asks(LOGIN, extension="1001")
        for state in then:
            self.asks(state)
        return self

    def lost(self, reason: int = 255) -> list[tuple[AgentState, int]] | int:
        return self.asks(LOGOUT, reason, forced=ForcedFlag.FORCED)

    @property
    def agent(self) -> AgentNow:
        agent = self.acd.agent("1001")
        assert agent is not None
        return agent


def shown(changes: list[AgentNow]) -> list[tuple[AgentState, int]]:
    return [(change.state, change.reason) for change in changes]


@pytest.mark.parametrize(("deployment", "reason"), [(UCCE, 0), (UCCX, 32760)])
def test_sign_in_passes_through_login_to_not_ready(deployment: Deployment, reason: int) -> None:
    assert Floor(deployment).asks(LOGIN, extension="1001") == [(LOGIN, 0), (NOT_READY, reason)]


def test_signing_in_again_at_the_same_extension_keeps_the_state() -> None:
    floor = Floor().signs_in(READY)
    assert floor.asks(LOGIN, extension="1001") == []
    assert floor.agent.state is READY


def test_signing_in_again_at_another_extension_is_refused() -> None:
    floor = Floor().signs_in()
    assert floor.asks(LOGIN, extension="2222") == 259
    assert floor.agent.extension == "1001"


def test_an_extension_serves_one_agent_until_that_agent_signs_out() -> None:
    floor = Floor().signs_in()
    assert floor.asks(LOGIN, agent="1002", extension="1001") == 283
    floor.asks(LOGOUT)
    assert floor.asks(LOGIN, agent="1002", extension="1001") == [(LOGIN, 0), (NOT_READY, 0)]


@pytest.mark.parametrize(
    ("extension", "good"),
    [("1006", True), ("777", True), ("1001;4085551234", True), ("abc", False), ("1" * 16, False), ("", False)],
)
def test_extensions_are_those_known_and_any_digits(extension: str, good: bool) -> None:
    result = Floor().asks(LOGIN, extension=extension)
    assert result == ([(LOGIN, 0), (NOT_READY, 0)] if good else 260)


@pytest.mark.parametrize(("deployment", "code"), [(UCCE, 257), (UCCX, 1010)])
@pytest.mark.parametrize("wanted", [READY, NOT_READY, LOGOUT])
def test_nothing_but_login_is_possible_while_signed_out(deployment: Deployment, code: int, wanted: AgentState) -> None:
    assert Floor(deployment).asks(wanted) == code


@pytest.mark.parametrize("deployment", [UCCE, UCCX])
def test_the_everyday_states_follow_each_other(deployment: Deployment) -> None:
    floor = Floor(deployment).signs_in()
    assert floor.asks(READY) == [(READY, 0)]
    assert floor.asks(READY) == []
    assert floor.asks(NOT_READY, 12) == [(NOT_READY, 12)]
    assert floor.asks(NOT_READY, 13) == [(NOT_READY, 13)]
    assert floor.asks(LOGOUT, 7) == [(LOGOUT, 7)]
    assert floor.agent.extension == ""


def test_ucce_signs_out_only_from_not_ready_and_uccx_also_from_ready() -> None:
    assert Floor(UCCE).signs_in(READY).asks(LOGOUT) == 21
    assert Floor(UCCX).signs_in(READY).asks(LOGOUT) == [(LOGOUT, 0)]


def test_a_reason_belongs_to_not_ready_and_logout_only() -> None:
    assert Floor().signs_in().asks(READY, 99) == [(READY, 0)]


def test_an_unknown_agent_is_refused() -> None:
    assert Floor().asks(READY, agent="9999") == 256


def test_authentication_only_changes_nothing() -> None:
    floor = Floor()
    assert floor.asks(LOGIN, forced=ForcedFlag.AUTHENTICATION_ONLY, extension="1001") == []
    assert floor.agent.state is LOGOUT


# The desktop is lost


def test_uccx_signs_a_lost_agent_out_with_255() -> None:
    assert Floor(UCCX).signs_in(READY).lost() == [(LOGOUT, 255)]


def test_ucce_with_load_0_makes_a_lost_agent_not_ready_with_50002() -> None:
    floor = Floor(UCCE, load=0).signs_in(READY)
    assert floor.lost() == [(NOT_READY, 50002)]
    assert floor.agent.extension == "1001"


def test_ucce_with_load_1_signs_a_lost_agent_out_with_50002() -> None:
    assert Floor(UCCE, load=1).signs_in(READY).lost() == [(LOGOUT, 50002)]


@pytest.mark.parametrize(
    ("deployment", "load", "at_once", "after_call"),
    [
        (UCCE, 0, (TALKING, 0), (NOT_READY, 50002)),
        (UCCX, 0, (TALKING, 0), (LOGOUT, 255)),
        (UCCE, 1, (LOGOUT, 50002), None),
    ],
)
def test_a_lost_agent_on_a_call(
    deployment: Deployment, load: int, at_once: tuple[AgentState, int], after_call: tuple[AgentState, int] | None
) -> None:
    floor = Floor(deployment, load).signs_in(READY)
    floor.acd.start_call("1001", 20.0)
    assert floor.lost() == [at_once]
    assert shown(floor.acd.end_call("1001", 30.0, wrap_up=deployment is UCCE)) == ([after_call] if after_call else [])


@pytest.mark.parametrize(("deployment", "load"), [(UCCE, 0), (UCCE, 1), (UCCX, 0)])
def test_a_second_forced_logout_is_confirmed_and_changes_nothing_new(deployment: Deployment, load: int) -> None:
    floor = Floor(deployment, load).signs_in()
    floor.lost()
    before = floor.agent.state
    assert isinstance(floor.lost(), list)
    assert floor.agent.state is before


def test_an_agent_who_is_signed_out_is_not_touched_by_a_forced_logout() -> None:
    assert Floor().lost() == []


# Supervisors


@pytest.mark.parametrize(("deployment", "reason"), [(UCCE, 999), (UCCX, 22)])
@pytest.mark.parametrize("on_call", [False, True])
def test_a_supervisor_signs_out_an_agent_in_any_state(deployment: Deployment, reason: int, on_call: bool) -> None:
    floor = Floor(deployment).signs_in(READY)
    if on_call:
        floor.acd.start_call("1001", 20.0)
    assert floor.asks(LOGOUT, reason) == [(LOGOUT, reason)]


def test_a_supervisor_makes_a_ready_agent_not_ready_but_not_one_on_a_call() -> None:
    floor = Floor().signs_in(READY)
    assert floor.asks(NOT_READY, 999) == [(NOT_READY, 999)]
    floor.asks(READY)
    floor.acd.start_call("1001", 20.0)
    assert floor.asks(NOT_READY, 999) == 21


def test_force_without_the_reason_of_a_lost_desktop_counts_as_a_supervisor() -> None:
    assert Floor().signs_in(READY).lost(reason=7) == [(LOGOUT, 7)]


# Calls


def test_a_routed_call_reserves_the_agent_and_ends_where_it_began() -> None:
    floor = Floor().signs_in(READY)
    assert shown(floor.acd.start_call("1001", 20.0)) == [(RESERVED, 0), (TALKING, 0)]
    assert shown(floor.acd.hold("1001", 21.0)) == [(HOLD, 0)]
    assert shown(floor.acd.hold("1001", 22.0, held=False)) == [(TALKING, 0)]
    assert shown(floor.acd.end_call("1001", 30.0)) == [(READY, 0)]


def test_an_agent_who_places_a_call_returns_to_not_ready() -> None:
    floor = Floor().signs_in()
    assert shown(floor.acd.start_call("1001", 20.0)) == [(TALKING, 0)]
    assert shown(floor.acd.end_call("1001", 30.0)) == [(NOT_READY, 0)]


def test_nobody_signed_out_gets_a_call_and_no_call_ends_twice() -> None:
    floor = Floor()
    assert floor.acd.start_call("1001", 20.0) == []
    assert floor.acd.end_call("1001", 20.0) == []
    assert floor.acd.hold("1001", 20.0) == []
    assert floor.acd.end_wrap_up("1001", 20.0) == []


def test_uccx_has_no_hold_state() -> None:
    floor = Floor(UCCX).signs_in(READY)
    floor.acd.start_call("1001", 20.0)
    assert floor.acd.hold("1001", 21.0) == []


def test_ucce_keeps_the_state_asked_for_during_a_call_until_its_end() -> None:
    floor = Floor().signs_in(READY)
    floor.acd.start_call("1001", 20.0)
    assert floor.asks(NOT_READY, 12) == [(TALKING, 0)]
    assert floor.agent.pending is NOT_READY
    assert floor.asks(READY) == [(TALKING, 0)]
    assert floor.asks(NOT_READY, 13) == [(TALKING, 0)]
    assert shown(floor.acd.end_call("1001", 30.0)) == [(NOT_READY, 13)]
    assert floor.agent.pending is None


def test_uccx_takes_one_pending_not_ready_per_call_and_no_pending_ready() -> None:
    floor = Floor(UCCX).signs_in(READY)
    for _ in range(2):
        floor.acd.start_call("1001", 20.0)
        assert floor.asks(READY) == 265
        assert floor.asks(NOT_READY, 12) == [(TALKING, 0)]
        assert floor.asks(NOT_READY, 12) == 265
        floor.acd.end_call("1001", 30.0)
        floor.asks(READY)


@pytest.mark.parametrize(
    ("deployment", "ready", "work", "after"),
    [
        (UCCE, True, AgentState.WORK_READY, READY),
        (UCCE, False, AgentState.WORK_NOT_READY, NOT_READY),
        (UCCX, True, AgentState.WORK_NOT_READY, NOT_READY),
    ],
)
def test_wrap_up_leads_where_the_call_would_have_led(
    deployment: Deployment, ready: bool, work: AgentState, after: AgentState
) -> None:
    floor = Floor(deployment).signs_in(*([READY] if ready else []))
    floor.acd.start_call("1001", 20.0)
    assert shown(floor.acd.end_call("1001", 30.0, wrap_up=True)) == [(work, 0)]
    assert shown(floor.acd.end_wrap_up("1001", 40.0)) == [(after, 0)]


def test_the_time_of_a_state_is_the_time_it_began() -> None:
    floor = Floor().signs_in(READY)
    floor.acd.start_call("1001", 20.0)
    assert floor.agent.since == 20.0
    floor.asks(NOT_READY)
    assert floor.agent.since == 20.0


def test_no_rule_leads_out_of_or_into_login_or_unknown() -> None:
    for table in RULES.values():
        for (before, wanted), act in table.items():
            assert before not in (LOGIN, LOGOUT, AgentState.UNKNOWN)
            assert wanted not in (LOGIN, AgentState.UNKNOWN, TALKING, RESERVED, HOLD)
            assert act is not Act.KEEP or before is wanted

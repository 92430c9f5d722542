"""Who may ask for which state, as the developer guide has it."""

from __future__ import annotations

import pytest

from poise.contact.states import MOVES, REQUESTS, Actor, AgentState, Deployment, Trigger, Verdict, from_cti, verdict
from poise.protocols.cti import constants as cti

S, V = AgentState, Verdict
UCCE, UCCX = Deployment.UCCE, Deployment.UCCX


@pytest.mark.parametrize(
    ("deployment", "before", "wanted", "outcome"),
    [
        (UCCE, S.LOGOUT, S.LOGIN, V.CTI_DECIDES),
        (UCCE, S.READY, S.LOGIN, V.CTI_DECIDES),
        (UCCE, S.NOT_READY, S.LOGOUT, V.AT_ONCE),
        (UCCE, S.NOT_READY, S.READY, V.AT_ONCE),
        (UCCE, S.NOT_READY, S.NOT_READY, V.AT_ONCE),
        (UCCE, S.READY, S.NOT_READY, V.AT_ONCE),
        (UCCE, S.READY, S.LOGOUT, None),
        (UCCX, S.READY, S.LOGOUT, V.AT_ONCE),
        (UCCE, S.TALKING, S.NOT_READY, V.PENDING),
        (UCCE, S.TALKING, S.READY, V.PENDING),
        (UCCE, S.HOLD, S.NOT_READY, V.PENDING),
        (UCCE, S.TALKING, S.LOGOUT, None),
        (UCCE, S.RESERVED, S.NOT_READY, None),
        (UCCE, S.RESERVED_OUTBOUND, S.NOT_READY, V.AT_ONCE),
        (UCCX, S.RESERVED_OUTBOUND, S.NOT_READY, V.CTI_DECIDES),
        (UCCE, S.RESERVED_OUTBOUND_PREVIEW, S.NOT_READY, V.PENDING),
        (UCCX, S.TALKING, S.NOT_READY, V.PENDING),
        (UCCX, S.TALKING, S.READY, V.CTI_DECIDES),
        (UCCE, S.WORK, S.READY, V.AT_ONCE),
        (UCCE, S.WORK_READY, S.NOT_READY, V.AT_ONCE),
        (UCCE, S.READY, S.TALKING, None),
    ],
)
def test_what_agents_may_ask_for(
    deployment: Deployment, before: AgentState, wanted: AgentState, outcome: Verdict | None
) -> None:
    assert verdict(deployment, Actor.SELF, before, wanted) is outcome


@pytest.mark.parametrize("deployment", Deployment)
@pytest.mark.parametrize("wanted", [S.READY, S.NOT_READY, S.LOGOUT])
def test_a_change_while_signed_out_is_left_to_the_cti_server_whose_refusal_comes_as_an_event(
    deployment: Deployment, wanted: AgentState
) -> None:
    assert verdict(deployment, Actor.SELF, S.LOGOUT, wanted) is V.CTI_DECIDES


@pytest.mark.parametrize("deployment", Deployment)
def test_supervisors_may_sign_out_from_every_signed_in_state(deployment: Deployment) -> None:
    table = REQUESTS[deployment][Actor.SUPERVISOR]
    signed_in = {move.before for move in MOVES[deployment]} - {S.LOGOUT}
    assert {before for before, wanted in table.items() if S.LOGOUT in wanted} == signed_in | {S.UNKNOWN}


@pytest.mark.parametrize("deployment", Deployment)
def test_supervisors_may_make_not_ready_only_who_is_ready_or_in_wrap_up(deployment: Deployment) -> None:
    table = REQUESTS[deployment][Actor.SUPERVISOR]
    allowed = {before for before, wanted in table.items() if wanted.get(S.NOT_READY) is V.AT_ONCE}
    assert allowed == ({S.READY, S.WORK, S.WORK_READY} if deployment is UCCE else {S.READY, S.WORK})


@pytest.mark.parametrize("deployment", Deployment)
def test_supervisors_ask_for_ready_not_ready_and_logout_only(deployment: Deployment) -> None:
    asked = {wanted for row in REQUESTS[deployment][Actor.SUPERVISOR].values() for wanted in row}
    assert asked == {S.READY, S.NOT_READY, S.LOGOUT}


@pytest.mark.parametrize("deployment", Deployment)
def test_a_forced_logout_is_possible_from_everywhere_but_logout(deployment: Deployment) -> None:
    table = REQUESTS[deployment][Actor.SYSTEM]
    assert S.LOGOUT not in table
    assert {move.before for move in MOVES[deployment]} - {S.LOGOUT} <= set(table)
    assert all(set(row) == {S.LOGOUT} for row in table.values())


def test_uccx_knows_neither_hold_nor_work_ready() -> None:
    named = {move.before for move in MOVES[UCCX]} | {after for move in MOVES[UCCX] for after in move.after}
    assert not named & {S.HOLD, S.WORK_READY}


@pytest.mark.parametrize("deployment", Deployment)
def test_every_state_of_the_picture_can_be_reached_and_left(deployment: Deployment) -> None:
    moves = MOVES[deployment]
    reached, fresh = {S.LOGOUT}, {S.LOGOUT}
    while fresh:
        fresh = {after for move in moves if move.before in reached for after in move.after} - reached
        reached |= fresh
    assert reached == {move.before for move in moves}
    assert len({(move.before, move.trigger) for move in moves}) == len(moves), "a row stands twice"


def test_only_ucce_leaves_a_lost_agent_not_ready() -> None:
    forced = {d: {a for m in MOVES[d] if m.trigger is Trigger.FORCED for a in m.after} for d in Deployment}
    assert forced == {UCCE: {S.LOGOUT, S.NOT_READY}, UCCX: {S.LOGOUT}}


@pytest.mark.parametrize(
    ("number", "direction", "state"),
    [
        (cti.AgentState.AVAILABLE, None, S.READY),
        (cti.AgentState.WORK_NOT_READY, None, S.WORK),
        (cti.AgentState.RESERVED, None, S.RESERVED),
        (cti.AgentState.RESERVED, cti.Direction.IN, S.RESERVED),
        (cti.AgentState.RESERVED, cti.Direction.OUTBOUND_RESERVE, S.RESERVED_OUTBOUND),
        (cti.AgentState.RESERVED, cti.Direction.OUTBOUND_PREDICTIVE, S.RESERVED_OUTBOUND),
        (cti.AgentState.RESERVED, cti.Direction.OUTBOUND_PREVIEW, S.RESERVED_OUTBOUND_PREVIEW),
        (cti.AgentState.TALKING, cti.Direction.OUTBOUND_PREVIEW, S.TALKING),
        (cti.AgentState.BUSY_OTHER, None, None),
        (cti.AgentState.INTERRUPTED, None, None),
        (77, None, None),
    ],
)
def test_states_are_read_from_numbers_and_direction(number: int, direction: int | None, state: AgentState) -> None:
    assert from_cti(number, direction) is state

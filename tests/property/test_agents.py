"""The agent model holds what was said last, whatever is said, repeated, lost or out of order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.contact.agents import EARLY_MAX, AgentModel
from poise.contact.requests import CtiRequest, Refusal, StateWish
from poise.contact.snapshots import Agent, AgentAdded, AgentChanged, AgentRemoved, Change
from poise.contact.states import KEEPS_PENDING, Actor, AgentState, Deployment
from poise.protocols.cti import constants as cti
from poise.protocols.cti.messages import FloatValue, Message
from poise.protocols.cti.outputs import Outcome, RequestEnded
from tests.unit.contact.centre import CONFIG, NOW

IDS = st.sampled_from(["1001", "1002", "1004", "1101", "9999", ""])
NUMBERS = st.integers(0, 16) | st.sampled_from([cti.NULL16, cti.NULL32])
FLOATS: st.SearchStrategy[tuple[str, FloatValue]] = st.one_of(
    st.tuples(st.sampled_from(["AGENT_ID", "ATC_AGENT_ID", "AGENT_ID_LONG"]), IDS),
    st.tuples(st.sampled_from(["AGENT_EXTENSION", "AGENT_INSTRUMENT"]), st.text(max_size=16)),
    st.tuples(
        st.sampled_from(["NEXT_AGENT_STATE", "DIRECTION", "DURATION", "ATC_AGENT_STATE", "ATC_STATE_DURATION"]), NUMBERS
    ),
    st.tuples(st.sampled_from(["AGENT_ID", "NEXT_AGENT_STATE", "DURATION"]), st.binary(max_size=6)),
)
MESSAGES = st.builds(
    Message,
    st.sampled_from(
        ["AGENT_STATE_EVENT", "AGENT_STATE_EVENT", "QUERY_AGENT_STATE_CONF", "AGENT_TEAM_CONFIG_EVENT", "SYSTEM_EVENT"]
    ),
    st.dictionaries(st.sampled_from(["AgentState", "EventReasonCode", "StateDuration", "MRDID"]), NUMBERS),
    st.lists(FLOATS, max_size=8).map(tuple),
)
WISHES = st.builds(
    StateWish,
    st.sampled_from(AgentState),
    st.sampled_from(Actor),
    extension=st.sampled_from(["", "7001", "x"]),
    reason_code=st.none() | st.integers(1, 65_535),
)
STEPS = st.lists(
    st.one_of(MESSAGES, st.tuples(IDS, WISHES, st.sampled_from([None, *Outcome])), st.just(CONFIG)), max_size=40
)


def apply_changes(pictures: dict[str, Agent], changes: list[Change]) -> None:
    """What a holder of snapshots does."""
    for change in changes:
        match change:
            case AgentAdded(agent):
                assert agent.agent_id not in pictures
                pictures[agent.agent_id] = agent
            case AgentRemoved(agent):
                assert pictures.pop(agent.agent_id) == agent
            case AgentChanged(before, after):
                assert pictures[after.agent_id] == before
                pictures[after.agent_id] = after


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(Deployment), STEPS)
def test_old_pictures_and_changes_make_the_new_pictures_and_nothing_breaks(
    deployment: Deployment, steps: list[object]
) -> None:
    model = AgentModel(deployment)
    pictures: dict[str, Agent] = {}
    for number, step in enumerate(steps):
        if isinstance(step, Message):
            apply_changes(pictures, model.apply(step, NOW + number))
        elif isinstance(step, tuple):
            agent_id, wish, outcome = step
            answer = model.request(agent_id, wish, f"r{number}")
            if isinstance(answer, CtiRequest):
                model.sent(answer)
                if outcome is not None:
                    apply_changes(pictures, model.ended(RequestEnded(number, answer.message, answer, outcome)))
            elif isinstance(answer, Refusal):
                assert answer.data or not agent_id
        else:
            apply_changes(pictures, model.configure(CONFIG))
        assert pictures == dict(model.agents)
        assert len(model._early) <= EARLY_MAX
        for agent in model.agents.values():
            assert agent.state is not AgentState.LOGIN
            assert agent.pending_state is None or agent.state in KEEPS_PENDING
            assert agent.extension == "" or agent.signed_in


@settings(max_examples=100, deadline=None)
@given(st.permutations([cti.AgentState.LOGOUT, cti.AgentState.LOGIN, cti.AgentState.AVAILABLE, cti.AgentState.HOLD]))
def test_the_last_lasting_statement_wins_in_any_order(order: list[cti.AgentState]) -> None:
    model = AgentModel(Deployment.UCCE)
    model.configure(CONFIG)
    for state in order:
        model.apply(Message("AGENT_STATE_EVENT", {"AgentState": state}, (("AGENT_ID", "1001"),)), NOW)
    last = [state for state in order if state is not cti.AgentState.LOGIN][-1]
    expected = {
        cti.AgentState.LOGOUT: AgentState.LOGOUT,
        cti.AgentState.AVAILABLE: AgentState.READY,
        cti.AgentState.HOLD: AgentState.HOLD,
    }[last]
    assert model.agents["1001"].state is expected

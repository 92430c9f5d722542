"""A small contact centre for the tests of this room, and the CTI messages of its agents."""

from __future__ import annotations

from poise.contact.agents import AgentModel
from poise.contact.requests import CtiRequest, StateWish
from poise.contact.states import Actor, AgentState, Deployment
from poise.protocols.cti import constants as cti
from poise.protocols.cti.config import AgentConfig, ConfigReceived, SkillGroupConfig, TeamConfig
from poise.protocols.cti.messages import FloatValue, Message
from poise.protocols.cti.outputs import Outcome, RequestEnded

NOW = 1_700_000_000.0

CONFIG = ConfigReceived(
    agents=(
        AgentConfig("1001", "agent1", "Ada", "One", skill_groups=(10, 12), skill_target_id=6001),
        AgentConfig("1002", "agent2", "Ben", "Two", skill_groups=(10,)),
        AgentConfig("1004", "agent4", "Dan", "Four", skill_groups=(11,)),
        AgentConfig("1101", "supervisor1", "Sue", "Lead", is_supervisor=True),
    ),
    teams=(TeamConfig(1, "Sales", ("1001", "1002"), ("1101",)), TeamConfig(2, "Support", ("1004",))),
    skill_groups=(SkillGroupConfig(10, "Sales"), SkillGroupConfig(11, "Support"), SkillGroupConfig(12, "Both")),
)


def model(deployment: Deployment = Deployment.UCCE) -> AgentModel:
    """A model with the configuration of this centre."""
    agents = AgentModel(deployment)
    agents.configure(CONFIG)
    return agents


def event(
    agent_id: str,
    state: cti.AgentState,
    *,
    reason: int = 0,
    extension: str | None = "7001",
    duration: int = 0,
    mrd: int = 1,
    **floats: FloatValue,
) -> Message:
    """An AGENT_STATE_EVENT."""
    fields = {
        "AgentState": int(state),
        "SkillGroupState": int(state),
        "SkillGroupNumber": cti.NULL32,
        "EventReasonCode": reason,
        "StateDuration": duration,
        "MRDID": mrd,
    }
    tail: tuple[tuple[str, FloatValue], ...] = (("AGENT_ID", agent_id),)
    if extension is not None:
        tail += (("AGENT_EXTENSION", extension), ("AGENT_INSTRUMENT", extension))
    return Message("AGENT_STATE_EVENT", fields, tail + tuple(floats.items()))


def signed_in(agents: AgentModel, agent_id: str = "1001", state: cti.AgentState = cti.AgentState.NOT_READY) -> None:
    """The CTI server reports the agent signed in at 7001."""
    agents.apply(event(agent_id, state), NOW)


def ask(
    agents: AgentModel, state: AgentState, request_id: str, agent_id: str = "1001", actor: Actor = Actor.SELF
) -> CtiRequest:
    """Put a wish to the model and hand the request to the link."""
    extension = "7001" if state is AgentState.LOGIN else ""
    request = agents.request(agent_id, StateWish(state, actor, extension=extension), request_id)
    assert isinstance(request, CtiRequest), request
    agents.sent(request)
    return request


def confirmed(request: CtiRequest) -> RequestEnded:
    """The CTI server has taken it."""
    return RequestEnded(1, request.message, request, Outcome.CONFIRMED, Message("SET_AGENT_STATE_CONF"))


def refused(request: CtiRequest, code: int, peripheral: int = 0) -> RequestEnded:
    """The CTI server has refused it."""
    answer = Message("CONTROL_FAILURE_CONF", {"FailureCode": code, "PeripheralErrorCode": peripheral})
    return RequestEnded(1, request.message, request, Outcome.REFUSED, answer)

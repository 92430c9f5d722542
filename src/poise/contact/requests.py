"""Wishes of people and how they are put to the CTI server, or why they are refused. One request, one message."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from poise.contact.reasons import code_sent
from poise.contact.snapshots import Agent, AgentChanged, MobileAgent
from poise.contact.states import TO_CTI, Actor, AgentState, Deployment
from poise.protocols.cti.constants import NULL16, AgentWorkMode, ForcedFlag
from poise.protocols.cti.messages import FloatValue, Message, agent_floats

EXTENSION_MAX = 15
"""Characters of AGENT_EXTENSION without its final NUL; for UCCX also the longest E.164 number with its plus sign."""

MOBILE_MODES = {"CALL_BY_CALL": AgentWorkMode.CALL_BY_CALL, "NAILED_CONNECTION": AgentWorkMode.NAILED_UP}
"""Finesse's mode of a mobile agent -> AgentWorkMode."""


@dataclass(frozen=True, slots=True)
class StateWish:
    """A state somebody wants an agent to have."""

    state: AgentState
    """LOGIN, READY, NOT_READY, WORK or LOGOUT."""
    actor: Actor = Actor.SELF
    extension: str = ""
    """LOGIN: the telephone."""
    reason_code: int | None = None
    """The CTI server's number, not the database id."""
    password: str = field(default="", repr=False)
    """LOGIN: the agent's password for the CTI server, if it checks one."""
    mobile: MobileAgent | None = None
    """LOGIN: for agents whose telephone is elsewhere."""


class RefusalCode(Enum):
    """Why a wish is refused at once."""

    UNKNOWN_AGENT = "unknown-agent"
    EXTENSION_MISSING = "extension-missing"
    EXTENSION_INVALID = "extension-invalid"
    NOT_A_WISH = "not-a-wish"
    """A state that nobody can ask for, such as TALKING."""
    WRONG_STATE = "wrong-state"
    """The agent's present state does not allow it."""
    REASON_NOT_ALLOWED = "reason-not-allowed"
    """A supervisor cannot choose a reason for somebody else."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A wish that is not passed on."""

    code: RefusalCode
    data: str
    """What it is about: an agent id, a state, a parameter."""


@dataclass(frozen=True, slots=True, eq=False)
class CtiRequest:
    """What to send to the CTI server. Each is one of its kind: give it to the link as the request's context, call
    `AgentModel.sent` when it is handed over, and `AgentModel.ended` with the link's RequestEnded."""

    message: Message
    agent_id: str
    wish: StateWish
    request_id: str
    """requestId of the REST call, or empty."""
    reason: int | None = None
    """The reason that goes with it, as an event would report it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A sign-in of an agent who is signed in at that telephone already: the present state is the answer."""

    change: AgentChanged


def set_agent_state(deployment: Deployment, agent: Agent, wish: StateWish) -> Message:
    """SET_AGENT_STATE_REQ without InvokeID and PeripheralID, which the link adds."""
    signing_in = wish.state is AgentState.LOGIN
    mobile = wish.mobile if signing_in else agent.mobile
    instrument = wish.extension if signing_in else agent.extension
    if mobile is not None and instrument:
        instrument = f"{instrument};{mobile.dial_number}"
    work_mode = MOBILE_MODES[mobile.mode] if signing_in and mobile else AgentWorkMode.UNSPECIFIED
    fields = {
        "AgentState": TO_CTI[wish.state],
        "AgentWorkMode": int(work_mode),
        "NumSkillGroups": 0,
        "EventReasonCode": code_sent(deployment, wish.actor, wish.state, wish.reason_code) & NULL16,
        "ForcedFlag": int(ForcedFlag.FORCED if wish.actor is Actor.SYSTEM else ForcedFlag.NOT_FORCED),
        "AgentServiceReq": 1,  # "agentcapacity: 1" in the seed's MESSAGE_TO_CTI_SERVER line
    }
    floats: list[tuple[str, FloatValue]] = []
    if instrument:
        floats.append(("AGENT_INSTRUMENT", instrument))
    floats += agent_floats(agent.agent_id)
    if signing_in and wish.password:
        floats.append(("AGENT_PASSWORD", wish.password))
    return Message("SET_AGENT_STATE_REQ", fields, tuple(floats))

"""Agent states of UCCE and UCCX: which there are, how they follow each other, who may ask for which.

Theory. The CTI server alone moves an agent. Whatever it reports is true, even a step that stands in no table: messages
may be lost with a link, and calls and agent states are not ordered against each other. The tables therefore never
judge an event. They say what may be *asked for* (`REQUESTS`), so that a wish that cannot come true is refused at once,
and they draw the picture for people (`MOVES`). A wish meets one of three verdicts: it is carried out AT_ONCE; it is
PENDING, which means the CTI server keeps it until the call ends and reports it as the next state; or CTI_DECIDES,
which means that the wish is passed on although it will most likely fail, because desktops expect that failure to come
as an event (a state change while signed out: 257 or 1010). A wish that is not in the table is refused.

Sources: Finesse developer guide, User APIs (finesse-api.md 2.2-2.4), GED-188 AgentState (cti.md 1.10, 3.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from poise.protocols.cti import constants as cti


class Deployment(Enum):
    """Which product's rules hold."""

    UCCE = "UCCE"
    UCCX = "UCCX"


class AgentState(Enum):
    """The state of an agent on the voice channel, as Finesse names it."""

    LOGOUT = "LOGOUT"
    LOGIN = "LOGIN"
    """Only ever a wish; NOT_READY follows."""
    NOT_READY = "NOT_READY"
    READY = "READY"
    RESERVED = "RESERVED"
    RESERVED_OUTBOUND = "RESERVED_OUTBOUND"
    RESERVED_OUTBOUND_PREVIEW = "RESERVED_OUTBOUND_PREVIEW"
    TALKING = "TALKING"
    HOLD = "HOLD"
    WORK = "WORK"
    """Wrap-up, then NOT_READY."""
    WORK_READY = "WORK_READY"
    """Wrap-up, then READY."""
    UNKNOWN = "UNKNOWN"


class Actor(Enum):
    """Who asks for a state change."""

    SELF = "self"
    SUPERVISOR = "supervisor"
    """A supervisor of the agent's team, for the agent."""
    SYSTEM = "system"
    """The server itself: presence-driven logout."""


class Verdict(Enum):
    """What becomes of a wish that is not refused."""

    AT_ONCE = "at once"
    PENDING = "when the call ends"
    CTI_DECIDES = "the CTI server decides"


class Trigger(Enum):
    """What moves an agent from one state to another."""

    SIGN_IN = "sign-in"
    REQUEST = "request"
    PENDING = "pending request, at the end of the call"
    SUPERVISOR = "supervisor"
    FORCED = "forced logout"
    CALL = "call"
    TIMER = "wrap-up timer"


class Move(NamedTuple):
    """One row of the picture."""

    before: AgentState
    trigger: Trigger
    after: tuple[AgentState, ...]


_S = AgentState
ON_CALL = frozenset(
    (_S.RESERVED, _S.RESERVED_OUTBOUND, _S.RESERVED_OUTBOUND_PREVIEW, _S.TALKING, _S.HOLD),
)
"""States in which a call is offered to the agent or taken."""

KEEPS_PENDING = frozenset((_S.TALKING, _S.HOLD, _S.RESERVED_OUTBOUND_PREVIEW))
"""States in which a wish is kept as the pending state until the call ends."""

_EVERY_SIGNED_IN = tuple(s for s in AgentState if s not in (_S.LOGOUT, _S.LOGIN, _S.UNKNOWN))
_AFTER_CALL = (_S.READY, _S.NOT_READY, _S.WORK, _S.WORK_READY)
_T = Trigger

MOVES: Mapping[Deployment, tuple[Move, ...]] = {
    Deployment.UCCE: (
        Move(_S.LOGOUT, _T.SIGN_IN, (_S.NOT_READY,)),
        Move(_S.NOT_READY, _T.REQUEST, (_S.LOGOUT, _S.READY, _S.NOT_READY)),
        Move(_S.NOT_READY, _T.SUPERVISOR, (_S.LOGOUT, _S.READY)),
        Move(_S.NOT_READY, _T.CALL, (_S.TALKING,)),  # the agent places a call
        Move(_S.READY, _T.REQUEST, (_S.NOT_READY,)),
        Move(_S.READY, _T.SUPERVISOR, (_S.LOGOUT, _S.NOT_READY)),
        Move(_S.READY, _T.CALL, (_S.RESERVED, _S.RESERVED_OUTBOUND, _S.RESERVED_OUTBOUND_PREVIEW)),
        Move(_S.RESERVED, _T.CALL, (_S.TALKING, _S.READY, _S.NOT_READY)),  # NOT_READY: ring no answer, 32767
        Move(_S.RESERVED, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.RESERVED_OUTBOUND, _T.REQUEST, (_S.READY, _S.NOT_READY)),
        Move(_S.RESERVED_OUTBOUND, _T.CALL, (_S.TALKING,)),
        Move(_S.RESERVED_OUTBOUND, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.RESERVED_OUTBOUND_PREVIEW, _T.PENDING, (_S.READY, _S.NOT_READY)),
        Move(_S.RESERVED_OUTBOUND_PREVIEW, _T.CALL, (_S.TALKING,)),
        Move(_S.RESERVED_OUTBOUND_PREVIEW, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.TALKING, _T.CALL, (_S.HOLD, *_AFTER_CALL)),
        Move(_S.TALKING, _T.PENDING, (_S.READY, _S.NOT_READY, _S.WORK)),
        Move(_S.TALKING, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.HOLD, _T.CALL, (_S.TALKING, *_AFTER_CALL)),
        Move(_S.HOLD, _T.PENDING, (_S.READY, _S.NOT_READY, _S.WORK)),
        Move(_S.HOLD, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.WORK, _T.REQUEST, (_S.READY, _S.NOT_READY)),
        Move(_S.WORK, _T.TIMER, (_S.NOT_READY,)),
        Move(_S.WORK, _T.SUPERVISOR, (_S.LOGOUT, _S.READY, _S.NOT_READY)),
        Move(_S.WORK_READY, _T.REQUEST, (_S.READY, _S.NOT_READY)),
        Move(_S.WORK_READY, _T.TIMER, (_S.READY,)),
        Move(_S.WORK_READY, _T.SUPERVISOR, (_S.LOGOUT, _S.READY, _S.NOT_READY)),
        *(Move(state, _T.FORCED, (_S.LOGOUT, _S.NOT_READY)) for state in _EVERY_SIGNED_IN),  # which: LOAD
    ),
    Deployment.UCCX: (
        Move(_S.LOGOUT, _T.SIGN_IN, (_S.NOT_READY,)),
        Move(_S.NOT_READY, _T.REQUEST, (_S.LOGOUT, _S.READY, _S.NOT_READY)),
        Move(_S.NOT_READY, _T.SUPERVISOR, (_S.LOGOUT, _S.READY)),
        Move(_S.READY, _T.REQUEST, (_S.LOGOUT, _S.NOT_READY)),
        Move(_S.READY, _T.SUPERVISOR, (_S.LOGOUT, _S.NOT_READY)),
        Move(_S.READY, _T.CALL, (_S.RESERVED, _S.RESERVED_OUTBOUND, _S.RESERVED_OUTBOUND_PREVIEW)),
        Move(_S.RESERVED, _T.CALL, (_S.TALKING, _S.READY, _S.NOT_READY)),
        Move(_S.RESERVED, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.RESERVED_OUTBOUND, _T.CALL, (_S.TALKING, _S.READY, _S.NOT_READY)),
        Move(_S.RESERVED_OUTBOUND, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.RESERVED_OUTBOUND_PREVIEW, _T.CALL, (_S.TALKING, _S.READY, _S.NOT_READY)),
        Move(_S.RESERVED_OUTBOUND_PREVIEW, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.TALKING, _T.CALL, (_S.READY, _S.NOT_READY, _S.WORK)),
        Move(_S.TALKING, _T.PENDING, (_S.NOT_READY,)),  # once a call, else 265
        Move(_S.TALKING, _T.SUPERVISOR, (_S.LOGOUT,)),
        Move(_S.WORK, _T.REQUEST, (_S.READY, _S.NOT_READY)),
        Move(_S.WORK, _T.TIMER, (_S.NOT_READY, _S.READY)),
        Move(_S.WORK, _T.SUPERVISOR, (_S.LOGOUT, _S.READY, _S.NOT_READY)),
        *(
            Move(state, _T.FORCED, (_S.LOGOUT,))
            for state in _EVERY_SIGNED_IN
            if state not in (_S.HOLD, _S.WORK_READY)  # UCCX knows neither
        ),
    ),
}
"""How agents move, by deployment: for pictures and tests; events are never held against it."""

_Requests = Mapping[AgentState, Mapping[AgentState, Verdict]]


def _requests(deployment: Deployment, actor: Actor) -> _Requests:
    """What `actor` may ask for: state before -> state wanted -> verdict, from MOVES and the exceptions below it."""
    triggers = {
        Actor.SELF: {_T.REQUEST: Verdict.AT_ONCE, _T.PENDING: Verdict.PENDING},
        Actor.SUPERVISOR: {_T.SUPERVISOR: Verdict.AT_ONCE},
        Actor.SYSTEM: {_T.FORCED: Verdict.AT_ONCE},
    }[actor]
    table: dict[AgentState, dict[AgentState, Verdict]] = {}
    for move in MOVES[deployment]:
        if move.trigger in triggers:
            for wanted in move.after:
                table.setdefault(move.before, {})[wanted] = triggers[move.trigger]
    for before, wanted in _LEFT_TO_CTI[actor](deployment):
        table.setdefault(before, {}).setdefault(wanted, Verdict.CTI_DECIDES)
    if actor is Actor.SYSTEM:  # a forced logout asks for LOGOUT only; NOT_READY is what LOAD 0 makes of it
        table = {before: {_S.LOGOUT: Verdict.AT_ONCE} for before in table}
    return table


def _self_left_to_cti(deployment: Deployment) -> Iterable[tuple[AgentState, AgentState]]:
    """Wishes of agents that the guide answers with 202 and, if need be, an asynchronous error."""
    askable = (_S.READY, _S.NOT_READY, _S.WORK, _S.LOGOUT)
    yield from ((state, _S.LOGIN) for state in AgentState)  # "forces sign-in"
    yield from ((before, wanted) for before in (_S.LOGOUT, _S.UNKNOWN) for wanted in askable)
    yield (_S.READY, _S.READY)
    if deployment is Deployment.UCCX:
        yield (_S.TALKING, _S.READY)  # 265 on an ICD call, 33 on another
        for before in (_S.RESERVED_OUTBOUND, _S.RESERVED_OUTBOUND_PREVIEW):
            yield from ((before, wanted) for wanted in (_S.READY, _S.NOT_READY))


def _supervisor_left_to_cti(_deployment: Deployment) -> Iterable[tuple[AgentState, AgentState]]:
    yield from ((_S.UNKNOWN, wanted) for wanted in (_S.READY, _S.NOT_READY, _S.LOGOUT))


def _system_left_to_cti(_deployment: Deployment) -> Iterable[tuple[AgentState, AgentState]]:
    """A forced logout may always be asked for (finesse-api.md 6.4, 6.8), also in states that UCCX says it has not."""
    yield from ((state, _S.LOGOUT) for state in (*_EVERY_SIGNED_IN, _S.UNKNOWN))


_LEFT_TO_CTI = {
    Actor.SELF: _self_left_to_cti,
    Actor.SUPERVISOR: _supervisor_left_to_cti,
    Actor.SYSTEM: _system_left_to_cti,
}

REQUESTS: Mapping[Deployment, Mapping[Actor, _Requests]] = {
    deployment: {actor: _requests(deployment, actor) for actor in Actor} for deployment in Deployment
}
"""Deployment -> who asks -> state before -> state wanted -> verdict; what is absent is refused."""


def verdict(deployment: Deployment, actor: Actor, before: AgentState, wanted: AgentState) -> Verdict | None:
    """What becomes of the wish, or None when it is refused."""
    return REQUESTS[deployment][actor].get(before, {}).get(wanted)


_FROM_CTI: Mapping[int, AgentState] = {
    cti.AgentState.LOGIN: _S.LOGIN,
    cti.AgentState.LOGOUT: _S.LOGOUT,
    cti.AgentState.NOT_READY: _S.NOT_READY,
    cti.AgentState.AVAILABLE: _S.READY,
    cti.AgentState.TALKING: _S.TALKING,
    cti.AgentState.WORK_NOT_READY: _S.WORK,
    cti.AgentState.WORK_READY: _S.WORK_READY,
    cti.AgentState.RESERVED: _S.RESERVED,
    cti.AgentState.HOLD: _S.HOLD,
    cti.AgentState.UNKNOWN: _S.UNKNOWN,
}

_RESERVED_BY_DIRECTION: Mapping[int, AgentState] = {
    cti.Direction.OUTBOUND_RESERVE: _S.RESERVED_OUTBOUND,
    cti.Direction.OUTBOUND_PREVIEW: _S.RESERVED_OUTBOUND_PREVIEW,
    cti.Direction.OUTBOUND_PREDICTIVE: _S.RESERVED_OUTBOUND,
}

TO_CTI: Mapping[AgentState, int] = {
    _S.LOGIN: cti.AgentState.LOGIN,
    _S.LOGOUT: cti.AgentState.LOGOUT,
    _S.NOT_READY: cti.AgentState.NOT_READY,
    _S.READY: cti.AgentState.AVAILABLE,
    _S.WORK: cti.AgentState.WORK_NOT_READY,
}
"""Wishes as SET_AGENT_STATE_REQ carries them."""


def from_cti(number: int, direction: int | None = None) -> AgentState | None:
    """The state for a GED-188 AgentState, or None for those that say nothing about the voice channel.

    `direction` is the floating field DIRECTION: it tells the kinds of reservation apart.
    """
    state = _FROM_CTI.get(number)
    if state is _S.RESERVED and direction is not None:
        return _RESERVED_BY_DIRECTION.get(direction, state)
    return state

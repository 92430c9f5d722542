"""Which agent-state requests a simulated CTI server grants: UCCE and UCCX, as tables.

A request is judged by the agent's state, the wanted state, and on whose behalf it is made: the agent's own, a
supervisor's (told by the reason codes reserved for supervisors), or forced because the desktop was lost (ForcedFlag
with reason 255). It is carried out (MOVE), already true (KEEP), remembered until the call ends (PEND, or PEND_ONCE per
call), or refused with the failure code the real product gives. A pair that stands in no table is a bad transition.

Sources: Finesse developer guide, User API; CTI OS System Manager Guide (peripheral error codes); release notes on the
LOAD parameter ("Logout on Agent Disconnect").
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, IntEnum
from typing import NamedTuple, TypeAlias

from poise.protocols.cti.constants import AgentState, FailureCode, PeripheralError, Reason


class Deployment(Enum):
    """Which product is simulated."""

    UCCE = "UCCE"
    UCCX = "UCCX"


class Requester(Enum):
    """On whose behalf a state is asked for."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    DESKTOP_LOST = "desktop lost"


class Act(Enum):
    """What is done about a granted request."""

    MOVE = "move"
    KEEP = "keep"
    PEND = "pend"
    PEND_ONCE = "pend once per call"


class Refuse(NamedTuple):
    """What a refused request is answered with."""

    code: IntEnum
    """FailureCode of CONTROL_FAILURE_CONF."""
    peripheral_error: IntEnum = PeripheralError.NONE


Ruling: TypeAlias = Act | Refuse

_A, _F, _P = AgentState, FailureCode, PeripheralError
BAD_TRANSITION = Refuse(_F.GENERIC_STATE_INCOMPATIBILITY, _P.BAD_STATE_TRANSITION)
CANNOT_LOG_OUT = Refuse(_F.GENERIC_STATE_INCOMPATIBILITY, _P.CANNOT_LOG_OUT)
SIGNED_OUT = {
    Deployment.UCCE: Refuse(_F.INVALID_PASSWORD_SPECIFIED, _P.BAD_STATE_TRANSITION),
    Deployment.UCCX: Refuse(_F.INVALID_PARAMETER),
}
"""Any request but LOGIN for an agent who is signed out."""
UNKNOWN_AGENT = Refuse(_F.INVALID_AGENT_ID_SPECIFIED)
UNKNOWN_EXTENSION = Refuse(_F.INVALID_LOGON_DEVICE_SPECIFIED, _P.NO_INSTRUMENT_FOR_EXTENSION)
EXTENSION_IN_USE = Refuse(_F.SPECIFIED_EXTENSION_ALREADY_IN_USE)
SIGNED_ON_ELSEWHERE = Refuse(_F.SPECIFIED_AGENT_ALREADY_SIGNED_ON, _P.ALREADY_LOGGED_ON)
BUSY = Refuse(_F.RESOURCE_BUSY)
NOT_TWICE = Refuse(_F.INVALID_AGENT_WORKMODE)

ON_CALL = frozenset({_A.TALKING, _A.HOLD, _A.RESERVED})
AFTER_CALL = (_A.WORK_NOT_READY, _A.WORK_READY)
_SIGNED_IN = (_A.NOT_READY, _A.AVAILABLE, _A.RESERVED, _A.TALKING, _A.HOLD, *AFTER_CALL)
_WORK = (_A.WORK_NOT_READY, _A.WORK_READY)

_Table: TypeAlias = dict[tuple[AgentState, AgentState], Ruling]


def _table(*rows: tuple[Iterable[AgentState], Iterable[AgentState], Ruling]) -> _Table:
    table: _Table = {}
    for befores, wanteds, ruling in rows:
        for before in befores:
            for wanted in wanteds:
                assert (before, wanted) not in table, (before, wanted)
                table[before, wanted] = ruling
    return table


_SUPERVISOR = _table(
    (_SIGNED_IN, (_A.LOGOUT,), Act.MOVE),
    ((_A.AVAILABLE, *AFTER_CALL), (_A.NOT_READY,), Act.MOVE),
    ((_A.NOT_READY, *AFTER_CALL), (_A.AVAILABLE,), Act.MOVE),
    ((_A.AVAILABLE,), (_A.AVAILABLE,), Act.KEEP),
    ((_A.NOT_READY,), (_A.NOT_READY,), Act.KEEP),
)

RULES: dict[tuple[Deployment, Requester], _Table] = {
    (Deployment.UCCE, Requester.AGENT): _table(
        ((_A.NOT_READY,), (_A.NOT_READY, _A.AVAILABLE, _A.LOGOUT), Act.MOVE),
        ((_A.AVAILABLE,), (_A.NOT_READY,), Act.MOVE),
        ((_A.AVAILABLE,), (_A.AVAILABLE,), Act.KEEP),
        (AFTER_CALL, (_A.NOT_READY, _A.AVAILABLE), Act.MOVE),
        ((_A.TALKING, _A.HOLD), (_A.NOT_READY, _A.AVAILABLE, *_WORK), Act.PEND),
        ((_A.AVAILABLE, _A.RESERVED, _A.TALKING, _A.HOLD, *AFTER_CALL), (_A.LOGOUT,), CANNOT_LOG_OUT),
    ),
    (Deployment.UCCX, Requester.AGENT): _table(
        ((_A.NOT_READY,), (_A.NOT_READY, _A.AVAILABLE, _A.LOGOUT), Act.MOVE),
        ((_A.AVAILABLE,), (_A.NOT_READY, _A.LOGOUT), Act.MOVE),
        ((_A.AVAILABLE,), (_A.AVAILABLE,), Act.KEEP),
        ((_A.WORK_NOT_READY,), (_A.NOT_READY, _A.AVAILABLE), Act.MOVE),
        ((_A.TALKING,), (_A.NOT_READY,), Act.PEND_ONCE),
        ((_A.TALKING,), (_A.AVAILABLE,), NOT_TWICE),
        ((_A.RESERVED,), (_A.NOT_READY, _A.AVAILABLE, _A.LOGOUT), BUSY),
        ((_A.TALKING, _A.WORK_NOT_READY), (_A.LOGOUT,), BUSY),
    ),
    (Deployment.UCCE, Requester.SUPERVISOR): _SUPERVISOR,
    (Deployment.UCCX, Requester.SUPERVISOR): _SUPERVISOR,
}


def ruling(deployment: Deployment, requester: Requester, before: AgentState, wanted: AgentState) -> Ruling:
    """How a request for a signed-in agent is answered, forced ones excepted (`DESKTOP_LOST`)."""
    return RULES[deployment, requester].get((before, wanted), BAD_TRANSITION)


class Lost(NamedTuple):
    """What becomes of an agent whose desktop was lost."""

    state: AgentState
    reason: int
    on_call: Act
    """MOVE at once although the call goes on, or PEND until it ends."""


def desktop_lost(deployment: Deployment, load: int) -> Lost:
    """Forced logout with reason 255. UCCX signs the agent out; UCCE does so with LOAD 1, else it makes NOT_READY."""
    if deployment is Deployment.UCCX:
        return Lost(AgentState.LOGOUT, Reason.PRESENCE_LOST, Act.PEND)
    if load == 1:
        return Lost(AgentState.LOGOUT, Reason.CONNECTION_FAILURE, Act.MOVE)
    return Lost(AgentState.NOT_READY, Reason.CONNECTION_FAILURE, Act.PEND)


SIGN_IN_REASON = {Deployment.UCCE: Reason.NONE, Deployment.UCCX: Reason.AGENT_LOGON_UCCX}
"""Reason of the NOT_READY that follows a sign-in."""

SUPERVISOR_REASONS = {
    Deployment.UCCE: frozenset({Reason.SUPERVISOR_UCCE}),
    Deployment.UCCX: frozenset({Reason.SUPERVISOR_LOGOUT_UCCX, Reason.SUPERVISOR_NOT_READY_UCCX}),
}
"""Reason codes by which a request of a supervisor is known."""

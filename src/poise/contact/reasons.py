"""Reason codes: those of administrators, those of the system, and how the CTI server's numbers are read.

Theory. Agents choose reasons by the id of a database row; the CTI server knows only a number (`code`) within a category
(NOT_READY or LOGOUT). The same number means different things in the two categories and on the two products. Numbers of
`SYSTEM_CODES` are chosen by systems, never by agents; they have no row and thus the id -1, but they do have a name, and
showing it ("Connection Failure") saves a telephone call. Source: finesse-api.md 2.1, 4.7, 6.7.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from poise.contact.states import Actor, AgentState, Deployment
from poise.protocols.cti.constants import Reason

CODE_MAX = 65_535
"""Largest code: EventReasonCode is a USHORT."""


class Category(Enum):
    """What a reason explains."""

    NOT_READY = "NOT_READY"
    LOGOUT = "LOGOUT"


CATEGORY_OF: Mapping[AgentState, Category] = {
    AgentState.NOT_READY: Category.NOT_READY,
    AgentState.LOGOUT: Category.LOGOUT,
}
"""States that carry a reason."""


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One reason."""

    id: int
    """Database id, as REST clients name it; -1 for system codes."""
    category: Category
    code: int
    """The number the CTI server knows, unique within the category."""
    label: str
    for_all: bool = True
    """Offered to everyone; otherwise only to `teams`."""
    system: bool = False
    teams: frozenset[int] = field(default=frozenset())
    """Team ids it is assigned to when not for all."""

    def offered_to(self, team_id: int | None) -> bool:
        """May members of that team choose it?"""
        return not self.system and (self.for_all or team_id in self.teams)


SUPERVISOR_CODES: Mapping[tuple[Deployment, AgentState], int] = {
    (Deployment.UCCE, AgentState.NOT_READY): Reason.SUPERVISOR_UCCE,
    (Deployment.UCCE, AgentState.LOGOUT): Reason.SUPERVISOR_UCCE,
    (Deployment.UCCX, AgentState.NOT_READY): Reason.SUPERVISOR_NOT_READY_UCCX,
    (Deployment.UCCX, AgentState.LOGOUT): Reason.SUPERVISOR_LOGOUT_UCCX,
}
"""What is sent when a supervisor changes an agent's state (finesse-api.md 2.4)."""


def code_sent(deployment: Deployment, actor: Actor, wanted: AgentState, chosen: int | None) -> int:
    """EventReasonCode of a request: the agent's choice, or the number reserved for supervisors and lost presence."""
    if actor is Actor.SYSTEM:
        return Reason.PRESENCE_LOST
    if actor is Actor.SUPERVISOR:
        return SUPERVISOR_CODES.get((deployment, wanted), Reason.NONE)
    return chosen if chosen is not None and wanted in CATEGORY_OF else Reason.NONE


_SIGNED: Mapping[int, int] = {65_535: -1, 65_534: -2, 65_533: -3}


def code_received(state: AgentState, event_reason_code: int) -> int | None:
    """The reason of an event: None where the state has none or 0 was sent; -1 to -3 arrive as unsigned numbers."""
    if state not in CATEGORY_OF or event_reason_code == Reason.NONE:
        return None
    return _SIGNED.get(event_reason_code, event_reason_code)


_NOT_READY, _LOGOUT = Category.NOT_READY, Category.LOGOUT
_LABELS: Mapping[Deployment, Mapping[Category, Mapping[int, str]]] = {
    Deployment.UCCE: {
        _NOT_READY: {
            999: "Not Ready - Supervisor Initiated",
            20_003: "Forced Logout Requested",
            32_762: "Offhook",
            32_767: "Call Not Answered",
            50_002: "Connection Failure",
            50_003: "Device Out of Service",
            50_004: "Inactivity",
            50_005: "Non ACD Busy",
            50_006: "Call Placed While Ready",
            50_010: "Call Overlap",
            50_041: "Call Fail",
            51_004: "Extension Already on a Call",
            255: "Connection Failure",
        },
        _LOGOUT: {
            -1: "Agent Reinitialized",
            -2: "Peripheral Gateway Reset",
            -3: "Extension Modified",
            255: "Connection Failure",
            999: "Logged Out - Supervisor Initiated",
            20_001: "System Forced Logout",
            20_003: "Forced Logout Requested",
            50_001: "System Disconnect",
            50_002: "System Failure",
            50_003: "Device Error",
            50_004: "Inactivity Timeout",
            50_020: "Queue Change",
            50_030: "Device Conflict",
            50_040: "Mobile Agent Call Fail",
            50_042: "Mobile Agent Disconnect",
        },
    },
    Deployment.UCCX: {
        _NOT_READY: {
            33: "Not Ready - Supervisor Initiated",
            32_742: "Not Ready - Non ACD Offhook",
            32_745: "Outbound Work",
            32_746: "Outbound Reserved Direct Preview",
            32_747: "Outbound Reserved",
            32_749: "Call Cancelled",
            32_754: "Device Restricted",
            32_755: "Call Ended",
            32_756: "Phone Up",
            32_757: "CM Failover",
            32_758: "Work Timer Expired",
            32_759: "Phone Down",
            32_760: "Agent Logon",
            32_761: "Non ICD Call Received",
            32_762: "Offhook",
            32_763: "Ring No Answer",
            32_764: "CRS Failure",
            32_765: "Connection Down",
        },
        _LOGOUT: {
            22: "Logged Out - Supervisor Initiated",
            255: "Logged Out - Connection Failure",
            32_740: "Logged Out - System Initiated Relogin",
            32_741: "Logged Out - Extension Conflict",
            32_748: "Agent Deleted",
            32_759: "Phone Down",
            32_764: "CRS Failure",
            32_765: "Connection Down",
            32_766: "Client Closed",
            32_767: "Agent Relogin",
        },
    },
}

SYSTEM_CODES: Mapping[Deployment, Mapping[tuple[Category, int], ReasonCode]] = {
    deployment: {
        (category, code): ReasonCode(-1, category, code, label, system=True)
        for category, labels in categories.items()
        for code, label in labels.items()
    }
    for deployment, categories in _LABELS.items()
}
"""Deployment -> (category, code) -> reason that only systems give."""


class ReasonBook:
    """The reasons of one system, looked up by id or by code. Replaced as a whole when an administrator changes one."""

    def __init__(
        self, deployment: Deployment, codes: Iterable[ReasonCode] = (), required: Iterable[Category] = ()
    ) -> None:
        """`required`: categories in which agents must give a reason when one is offered to them."""
        self.deployment = deployment
        self.codes: tuple[ReasonCode, ...] = tuple(codes)
        self.required: frozenset[Category] = frozenset(required)
        self._by_id = {reason.id: reason for reason in self.codes}
        self._by_code = {(reason.category, reason.code): reason for reason in self.codes}

    def by_id(self, reason_id: int) -> ReasonCode | None:
        """The reason with that database id."""
        return self._by_id.get(reason_id)

    def named(self, category: Category, code: int) -> ReasonCode | None:
        """The reason for a code of the CTI server: an administrator's first, then the system's."""
        return self._by_code.get((category, code)) or SYSTEM_CODES[self.deployment].get((category, code))

    def offered(self, category: Category | None, team_id: int | None) -> tuple[ReasonCode, ...]:
        """What members of a team may choose from; None stands for both categories."""
        return tuple(r for r in self.codes if category in (None, r.category) and r.offered_to(team_id))

    def must_choose(self, category: Category, team_id: int | None) -> bool:
        """Is a state change of this category without a reason refused?"""
        return category in self.required and bool(self.offered(category, team_id))

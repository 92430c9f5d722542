"""What a simulated CTI server knows of one client: its session, its masks and monitors. No I/O, no clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from poise.lab.acd.agents import AgentNow
from poise.lab.acd.events import CallTold
from poise.protocols.cti.codec import Framer
from poise.protocols.cti.constants import AgentState, Service
from poise.protocols.cti.layout import NEWEST_VERSION

_HOLD_BIT = 9
"""AgentStateMask has no bit for UNKNOWN, so HOLD and those after it are one lower than their state."""

MONITORS_MAX = 1000
"""Most monitors of one client. Bounds what a client can make the server look at for each event."""


class Monitor(NamedTuple):
    """MONITOR_START_REQ: events of one device or of one call."""

    device: str
    """Empty for a call's monitor."""
    call_id: int
    call_mask: int
    agent_mask: int


def _state_wanted(mask: int, state: AgentState) -> bool:
    bit = int(state) if state < AgentState.UNKNOWN else _HOLD_BIT + int(state) - AgentState.HOLD
    return state is AgentState.UNKNOWN or bool(mask >> bit & 1)


@dataclass(eq=False, slots=True)
class Session:
    """One client's connection."""

    framer: Framer
    deadline: float
    """Monotonic seconds at which it is dropped unless something is heard."""
    side: str = "A"
    """Port it came to."""
    open: bool = False
    closed: bool = False
    version: int = NEWEST_VERSION
    services: int = 0
    agent_states: int = 0
    call_events: int = 0
    signature: str = ""
    idle_s: float = field(default=float("inf"))
    malformed: int = 0
    agent_id: str = ""
    extension: str = ""
    """Whom a session of one client is about; empty for sessions that see everybody."""
    monitors: dict[int, Monitor] = field(default_factory=dict)
    last_monitor: int = 1

    @property
    def sees_all(self) -> bool:
        """Whether it gets events about everybody."""
        return self.open and bool(self.services & (Service.ALL_EVENTS | Service.PERIPHERAL_MONITOR))

    @property
    def sees_one(self) -> bool:
        """Whether it is the session of one agent's client."""
        return self.open and not self.sees_all and bool(self.services & Service.CLIENT_EVENTS)

    def wants(self, agent: AgentNow) -> list[int]:
        """Monitor ids under which it is told of an agent; 0 is that of the session itself."""
        found = []
        mine = self.sees_all or (
            self.sees_one and (agent.person.agent_id == self.agent_id or agent.extension == self.extension != "")
        )
        if mine and _state_wanted(self.agent_states, agent.state):
            found.append(0)
        for monitor_id, monitor in self.monitors.items():
            if monitor.device and monitor.device == agent.extension and _state_wanted(monitor.agent_mask, agent.state):
                found.append(monitor_id)
        return found

    def hears(self, told: CallTold) -> list[int]:
        """Monitor ids under which it is told of an event about a call."""
        found = []
        bit = 0 if told.bit is None else int(told.bit)
        mine = self.sees_all or (self.sees_one and self.extension in told.devices)
        if mine and (told.bit is None or self.call_events >> bit & 1):
            found.append(0)
        for monitor_id, monitor in self.monitors.items():
            same = monitor.device in told.devices if monitor.device else monitor.call_id == told.call_id
            if same and (told.bit is None or monitor.call_mask >> bit & 1):
                found.append(monitor_id)
        return found

"""Who sits at which telephone, as far as calls need to know it. Follows the changes of the agent model."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from poise.contact.snapshots import Agent, AgentAdded, AgentChanged, AgentRemoved, Change
from poise.contact.states import ON_CALL, AgentState

_WRAP_UP = frozenset((AgentState.WORK, AgentState.WORK_READY))


class Person(NamedTuple):
    """An agent at a telephone."""

    agent_id: str
    state: AgentState
    is_supervisor: bool

    @property
    def wraps_up(self) -> bool:
        """Is the agent in wrap-up?"""
        return self.state in _WRAP_UP

    @property
    def on_call(self) -> bool:
        """Does the CTI server hold the agent for busy with a call?"""
        return self.state in ON_CALL


class People:
    """The signed-in agents by telephone."""

    def __init__(self) -> None:
        self._at: dict[str, Person] = {}
        self._where: dict[str, str] = {}

    def at(self, device: str) -> Person | None:
        """Who sits there."""
        return self._at.get(device)

    def device_of(self, agent_id: str) -> str:
        """The agent's telephone; empty when signed out."""
        return self._where.get(agent_id, "")

    def follow(self, changes: Iterable[Change]) -> list[str]:
        """Take changes of the agent model: the telephones at which somebody else sits now, or does something else."""
        devices: list[str] = []
        for change in changes:
            match change:
                case AgentChanged(_, after) | AgentAdded(after):
                    devices += self._seat(after)
                case AgentRemoved(agent):
                    devices += self._leave(agent.agent_id)
                case _:
                    pass
        return devices

    def _seat(self, agent: Agent) -> list[str]:
        device = agent.extension if agent.signed_in else ""
        if not device:
            return self._leave(agent.agent_id)
        person = Person(agent.agent_id, agent.state, agent.is_supervisor)
        if self._at.get(device) == person:
            return []
        devices = [device]
        if self._where.get(agent.agent_id, device) != device:
            devices += self._leave(agent.agent_id)
        before = self._at.get(device)
        if before is not None and before.agent_id != agent.agent_id:
            del self._where[before.agent_id]  # a telephone has one agent, the one who came last
        self._at[device] = person
        self._where[agent.agent_id] = device
        return devices

    def _leave(self, agent_id: str) -> list[str]:
        device = self._where.pop(agent_id, "")
        if not device:
            return []
        del self._at[device]
        return [device]

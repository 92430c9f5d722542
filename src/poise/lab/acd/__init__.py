"""The simulated contact centre behind the simulated CTI server: agents, telephones, calls, queues. No I/O, no clock."""

from __future__ import annotations

from poise.lab.acd.agents import SETTABLE, Acd, AgentNow, StateRequest

__all__ = ["SETTABLE", "Acd", "AgentNow", "StateRequest"]

"""Agents of the seed and of the demo, for the tests of this room."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from poise.contact.reasons import Category, ReasonBook, ReasonCode
from poise.contact.snapshots import Agent, TeamName
from poise.contact.states import AgentState, Deployment
from poise.finesse.users import UserContext

LUNCH = ReasonCode(16, Category.NOT_READY, 10, "Lunch & Tea")
CONTEXT = UserContext(ReasonBook(Deployment.UCCE, (LUNCH, ReasonCode(17, Category.LOGOUT, 20, "Going Home"))))

ISAAC = Agent(
    "47483648",
    login_name="isaac",
    first_name="Isaac",
    last_name="Newton",
    team=TeamName(5000, "Maths"),
    extension="10005",
    state=AgentState.READY,
    state_changed_at=datetime(2019, 1, 11, 23, 56, 54, 783_000, UTC).timestamp(),
)
"""The agent of the seed's notification."""

SALES, SUPPORT = TeamName(1, "Sales"), TeamName(2, "Support")
ADA = Agent("1001", "agent1", "Ada", "One", team=SALES, queues=(10, 12), extension="7001", state=AgentState.NOT_READY)
BEN = replace(ADA, agent_id="1004", login_name="agent4", team=SUPPORT)
SUE = Agent("1101", "supervisor1", "Sue", "Lead", is_supervisor=True, team=SALES, supervised=(SALES,))
AGENTS = {agent.agent_id: agent for agent in (ADA, BEN, SUE)}

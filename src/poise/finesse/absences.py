"""Agents whose screen is gone and who will be signed out for it, as their supervisors are told. No part of Finesse."""

from __future__ import annotations

from dataclasses import dataclass

from poise.contact.snapshots import Agent
from poise.finesse import nodes
from poise.finesse.forced_logout import Watch
from poise.finesse.markup import EVENT_INDENT, branch, leaf, render, timestamp
from poise.finesse.publications import Publication
from poise.finesse.update import Event, update


@dataclass(frozen=True, slots=True)
class Absent:
    """One agent without a screen."""

    agent: Agent
    watch: Watch
    gone_since: float
    """Seconds since the epoch."""
    signs_out_at: float | None
    """Seconds since the epoch; None while the logout waits for a call or the CTI link, or has been asked for."""

    @property
    def state(self) -> str:
        """GRACE, RETURNING, ON_CALL, LINK_DOWN, SENT or UNSENT."""
        return self.watch.name


def absence_publication(absent: Absent, event: Event) -> Publication | None:
    """An agent is gone (POST), waits for something else (PUT), or is back or signed out (DELETE); None for an agent
    without a team, whom nobody supervises."""
    team = absent.agent.team
    if team is None:
        return None
    agent = absent.agent
    data = branch(
        "absence",
        (
            leaf("uri", f"{nodes.ABSENCES}/{agent.agent_id}"),
            leaf("loginId", agent.agent_id),
            leaf("firstName", agent.first_name),
            leaf("lastName", agent.last_name),
            leaf("state", absent.state),
            leaf("goneSince", timestamp(absent.gone_since)),
            leaf("signsOutAt", timestamp(absent.signs_out_at)),
        ),
    )
    node = nodes.team_absences(team.team_id)
    return Publication(node, update(render(data, EVENT_INDENT), event, "", node))

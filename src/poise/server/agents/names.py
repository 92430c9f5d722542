"""Which agent a name means. One rule for all doors: names are compared without regard to case, answers and node names
show the CTI server's own spelling, and JIDs have the id in lower case (RFC 7622 maps their local part so).

An id in its exact spelling always means that agent; should two ids differ in case only, any other spelling means the
first of the configuration. Login names name agents on UCCE alone: on UCCX they are the ids.
"""

from __future__ import annotations

from collections.abc import Mapping

from poise.contact.snapshots import Agent


class Names:
    """An index over the agents; made anew with each configuration."""

    def __init__(self, agents: Mapping[str, Agent], *, by_login_name: bool) -> None:
        """`agents`: the live view; its keys as they are now are indexed."""
        self._agents = agents
        self._ids: dict[str, str] = {}
        self._login_names: dict[str, str] = {}
        for agent in agents.values():
            self._ids.setdefault(agent.agent_id.lower(), agent.agent_id)
            if by_login_name and agent.login_name:
                self._login_names[agent.login_name.casefold()] = agent.agent_id

    def agent(self, agent_id: str) -> Agent | None:
        """The agent of an id, however it is spelt."""
        exact = self._agents.get(agent_id)
        return exact if exact is not None else self._agents.get(self._ids.get(agent_id.lower(), ""))

    def by_login_name(self, name: str) -> Agent | None:
        """The agent of a login name, however it is spelt."""
        return self._agents.get(self._login_names.get(name.casefold(), ""))

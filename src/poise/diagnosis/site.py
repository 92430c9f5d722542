"""The whole site: who else was affected, counted by last contact and not by the reaper's ticks.

Source: diagnosis notes 3.1 and A4.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from poise.diagnosis import timing
from poise.diagnosis.events import Event, Kind
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.incidents import Incident

SITE_KINDS = frozenset(
    {
        Kind.SERVICE_STARTED,
        Kind.SERVICE_STOPPED,
        Kind.OUT_OF_MEMORY,
        Kind.BAD_XML,
        Kind.STALLED,
        Kind.SILENCE,
        Kind.CTI_DOWN,
        Kind.CTI_UP,
        Kind.XMPP_DOWN,
        Kind.XMPP_UP,
        Kind.OUT_OF_SERVICE,
        Kind.IN_SERVICE,
        Kind.DIRECTORY_DOWN,
        Kind.OVERLOAD,
        Kind.SERVICE,
        Kind.STRATUM,
        Kind.CORE,
        Kind.PORT,
        Kind.LOSS,
        Kind.PATH,
        Kind.CPU,
        Kind.MEMORY,
    }
)
"""What concerns everybody."""


@dataclass(slots=True)
class Together:
    """Agents who went silent in one window."""

    agents: int
    population: int
    """Agents that the evidence knows of."""
    networks: frozenset[str]
    """First three parts of their addresses, as far as known."""
    others: frozenset[str]
    """The same of agents who were not affected."""


class Site:
    """What rules ask about everybody."""

    def __init__(self, evidence: Evidence, incidents: list[Incident]) -> None:
        self.evidence = evidence
        self.events = list(evidence.timeline(SITE_KINDS))
        self.agents = {event.agent for event in evidence.events if event.agent} | set(evidence.agents)
        self.forms = {file.form for file in evidence.files if file.understood}
        self._lost = sorted((_lost(incident), incident.agent) for incident in incidents)
        self._networks = {agent: network for agent, at in evidence.agents.items() if (network := _network(at))}

    def around(self, incident: Incident, *kinds: Kind, before_s: float = 30.0, after_s: float = 30.0) -> list[Event]:
        """Events of the site between last contact and the ending, with a margin."""
        start = (
            incident.contact.after if incident.contact else incident.at - timing.IDLE_LIMIT_S - timing.REAPER_S
        ) - before_s
        return [e for e in self.events if e.kind in kinds and start <= self.evidence.time(e) <= incident.at + after_s]

    def together(self, incident: Incident) -> Together:
        """Who went silent in the same minute."""
        moment = _lost(incident)
        times = [at for at, _ in self._lost]
        low, high = (
            bisect_left(times, moment - timing.TOGETHER_S / 2),
            bisect_right(times, moment + timing.TOGETHER_S / 2),
        )
        hit = {agent for _, agent in self._lost[low:high]}
        networks = frozenset(self._networks[agent] for agent in hit if agent in self._networks)
        others = frozenset(network for agent, network in self._networks.items() if agent not in hit)
        return Together(len(hit), max(len(self.agents), 1), networks, others)

    def same_tick(self, incident: Incident) -> int:
        """Agents whose sessions were closed in the same two seconds, which by itself means nothing."""
        return len(
            {
                e.agent
                for e in self.evidence.events
                if e.kind is Kind.IDLE_CLOSE and abs(self.evidence.time(e) - incident.at) <= 2 and e.agent
            }
        )


def _lost(incident: Incident) -> float:
    return incident.contact.before if incident.contact else incident.at


def _network(address: str) -> str:
    parts = address.split(".")
    return ".".join(parts[:3]) if len(parts) == 4 and all(part.isdigit() for part in parts) else ""

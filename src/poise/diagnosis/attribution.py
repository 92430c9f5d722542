"""Whose event it is, where one file knows a session or an address and another the agent. Done when all is read."""

from __future__ import annotations

from poise.diagnosis.evidence import Evidence
from poise.diagnosis.readers import access, packets

BY_ADDRESS = frozenset({packets.FORM, access.FORM, access.ERROR_FORM})
"""Forms that know people by address alone."""


def attribute(evidence: Evidence) -> None:
    """Give events without an agent to the one whose session or address they name."""
    _by_session(evidence)
    _by_address(evidence)


def _by_session(evidence: Evidence) -> None:
    """A capture without names holds the sid that a log calls by its agent. Sids cut short (`..a015`) name nobody."""
    owner: dict[str, str] = {}
    for event in evidence.events:
        if event.agent and event.session and not event.session.startswith(".."):
            owner[event.session] = event.agent if owner.get(event.session, event.agent) == event.agent else ""
    for index, event in enumerate(evidence.events):
        if not event.agent and (agent := owner.get(event.session, "")):
            evidence.events[index] = event._replace(agent=agent)


def _by_address(evidence: Evidence) -> None:
    """Whoever has the address; whom nobody knows keeps it as name."""
    files = {index for index, file in enumerate(evidence.files) if file.form in BY_ADDRESS}
    if not files:
        return
    names = {event.agent for event in evidence.events if event.agent and event.place.file not in files}
    names |= set(evidence.agents)
    owner: dict[str, str] = {}
    for agent, address in evidence.agents.items():
        if address:
            owner[address] = agent if owner.get(address, agent) == agent else ""
    addresses = {e.agent for e in evidence.events if e.place.file in files and e.agent and e.agent not in names}
    if len(names) == 1 and len(addresses) == 1:
        owner.setdefault(next(iter(addresses)), next(iter(names)))
    for index, event in enumerate(evidence.events):
        if event.place.file in files and (agent := owner.get(event.agent, "")):
            evidence.events[index] = event._replace(agent=agent)

"""The people, teams and queues of a simulated contact centre: the demo's, or those of a JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ID_MAX = 11
"""Characters of an agent id (AGENT_ID without its final NUL)."""
EXTENSION_MAX = 15
NAME_MAX = 31
LOGIN_NAME_MAX = 63
"""Short enough for every protocol version."""


class LabDataError(Exception):
    """A seed-data file that cannot be used; the text names the place."""


@dataclass(frozen=True, slots=True)
class Team:
    """A team of agents."""

    team_id: int
    name: str


@dataclass(frozen=True, slots=True)
class SkillGroup:
    """A queue: calls in it go to the agents of its teams."""

    number: int
    name: str
    teams: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """An agent or supervisor."""

    agent_id: str
    login_name: str
    first_name: str
    last_name: str
    extension: str
    team: int
    supervises: tuple[int, ...] = ()
    """Team ids; empty for agents who are no supervisors."""


@dataclass(frozen=True, slots=True)
class LabData:
    """Everything a simulated contact centre is made of."""

    people: tuple[Person, ...]
    teams: tuple[Team, ...]
    skill_groups: tuple[SkillGroup, ...]

    def groups_of(self, person: Person) -> tuple[SkillGroup, ...]:
        """The queues that serve the person's team."""
        return tuple(group for group in self.skill_groups if person.team in group.teams)


_NUMBERS = ("One", "Two", "Three", "Four", "Five", "Six")


def _demo() -> LabData:
    agents = tuple(
        Person(str(1000 + n), f"agent{n}", "Agent", _NUMBERS[n - 1], str(1000 + n), 1 if n <= 3 else 2)
        for n in range(1, 7)
    )
    supervisors = tuple(
        Person(str(1100 + n), f"supervisor{n}", "Supervisor", _NUMBERS[n - 1], str(1100 + n), n, (n,)) for n in (1, 2)
    )
    teams = (Team(1, "Sales"), Team(2, "Support"))
    groups = (SkillGroup(10, "Sales", (1,)), SkillGroup(11, "Support", (2,)), SkillGroup(12, "General", (1, 2)))
    return LabData(agents + supervisors, teams, groups)


DEMO = _demo()
"""Agents 1001-1006 in teams Sales and Support, supervisors 1101 and 1102, queues 10, 11 and 12."""


def load(path: Path) -> LabData:
    """Seed data from a JSON file of the same form as `as_json` gives. Raises LabDataError."""
    try:
        document = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LabDataError(f"{path}: {error}") from error
    try:
        return _checked(document)
    except LabDataError as error:
        raise LabDataError(f"{path}: {error}") from error


def as_json(data: LabData) -> str:
    """The data as a seed-data file."""
    document = {
        "teams": [{"id": team.team_id, "name": team.name} for team in data.teams],
        "queues": [{"number": g.number, "name": g.name, "teams": list(g.teams)} for g in data.skill_groups],
        "agents": [
            {
                "id": p.agent_id,
                "loginName": p.login_name,
                "firstName": p.first_name,
                "lastName": p.last_name,
                "extension": p.extension,
                "team": p.team,
                "supervises": list(p.supervises),
            }
            for p in data.people
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _entries(document: Any, key: str) -> list[dict[str, Any]]:
    entries = document.get(key) if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise LabDataError(f'"{key}" must be a list of objects')
    return entries


def _number(entry: dict[str, Any], key: str) -> int:
    value = entry.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 0xFFFFFFFF:
        raise LabDataError(f'"{key}" must be a number of 32 bits in {entry}')
    return value


def _text(entry: dict[str, Any], key: str, most: int, default: str | None = None) -> str:
    value = entry.get(key, default)
    if not isinstance(value, str) or not value or "\0" in value or len(value.encode("utf-8", "replace")) > most:
        raise LabDataError(f'"{key}" must be text of 1 to {most} bytes in {entry}')
    return value


def _team_ids(entry: dict[str, Any], key: str, known: set[int]) -> tuple[int, ...]:
    value = entry.get(key, [])
    if not isinstance(value, list) or any(team not in known for team in value):
        raise LabDataError(f'"{key}" must be a list of team ids in {entry}')
    return tuple(value)


def _checked(document: Any) -> LabData:
    teams = tuple(Team(_number(entry, "id"), _text(entry, "name", NAME_MAX)) for entry in _entries(document, "teams"))
    known = {team.team_id for team in teams}
    groups = tuple(
        SkillGroup(_number(entry, "number"), _text(entry, "name", NAME_MAX), _team_ids(entry, "teams", known))
        for entry in _entries(document, "queues")
    )
    people = tuple(_person(entry, known) for entry in _entries(document, "agents"))
    for name, ids in (
        ("team ids", [team.team_id for team in teams]),
        ("queue numbers", [group.number for group in groups]),
        ("agent ids", [person.agent_id for person in people]),
    ):
        if len(set(ids)) != len(ids):
            raise LabDataError(f"{name} must differ")
    return LabData(people, teams, groups)


def _person(entry: dict[str, Any], known: set[int]) -> Person:
    agent_id = _text(entry, "id", ID_MAX)
    if entry.get("team") not in known:
        raise LabDataError(f'"team" must be a team id in {entry}')
    return Person(
        agent_id,
        _text(entry, "loginName", LOGIN_NAME_MAX, agent_id),
        _text(entry, "firstName", NAME_MAX, "Agent"),
        _text(entry, "lastName", NAME_MAX, agent_id),
        _text(entry, "extension", EXTENSION_MAX, agent_id),
        _number(entry, "team"),
        _team_ids(entry, "supervises", known),
    )

"""Seed data of the simulated CTI server: the demo's, and files with mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from poise.lab.data import DEMO, LabDataError, as_json, load

GOOD = {
    "teams": [{"id": 1, "name": "Sales"}],
    "queues": [{"number": 10, "name": "Sales", "teams": [1]}],
    "agents": [{"id": "1001", "team": 1}],
}


def test_the_demo_is_what_the_documentation_promises() -> None:
    agents = [person for person in DEMO.people if not person.supervises]
    assert [(p.agent_id, p.login_name, p.extension, p.team) for p in agents] == [
        (str(1000 + n), f"agent{n}", str(1000 + n), 1 if n <= 3 else 2) for n in range(1, 7)
    ]
    supervisors = [(p.agent_id, p.supervises) for p in DEMO.people if p.supervises]
    assert supervisors == [("1101", (1,)), ("1102", (2,))]
    assert [group.number for group in DEMO.groups_of(agents[0])] == [10, 12]
    assert [group.number for group in DEMO.groups_of(agents[5])] == [11, 12]


def test_the_demo_written_as_a_file_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    file.write_text(as_json(DEMO))
    assert load(file) == DEMO


def test_what_a_file_leaves_out_has_a_sensible_default(tmp_path: Path) -> None:
    file = tmp_path / "lab.json"
    file.write_text(json.dumps(GOOD))
    (person,) = load(file).people
    assert (person.login_name, person.extension, person.last_name, person.supervises) == ("1001", "1001", "1001", ())


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "Expecting"),
        ("[]", '"teams" must be a list'),
        ('{"teams": [1]}', '"teams" must be a list of objects'),
        (json.dumps({**GOOD, "agents": [{"id": "1" * 12, "team": 1}]}), "1 to 11 bytes"),
        (json.dumps({**GOOD, "agents": [{"id": 1001, "team": 1}]}), '"id" must be text'),
        (json.dumps({**GOOD, "agents": [{"id": "1001", "team": 2}]}), '"team" must be a team id'),
        (json.dumps({**GOOD, "agents": [{"id": "1001", "team": 1, "supervises": [9]}]}), '"supervises"'),
        (json.dumps({**GOOD, "agents": [{"id": "1001", "team": 1, "firstName": "a\0b"}]}), '"firstName"'),
        (json.dumps({**GOOD, "agents": GOOD["agents"] * 2}), "agent ids must differ"),
        (json.dumps({**GOOD, "queues": [{"number": -1, "name": "x"}]}), '"number"'),
        (json.dumps({**GOOD, "teams": [{"id": True, "name": "x"}]}), '"id" must be a number'),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, document: str, says: str) -> None:
    file = tmp_path / "lab.json"
    file.write_text(document)
    with pytest.raises(LabDataError, match=r"lab\.json") as caught:
        load(file)
    assert says in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabDataError, match=r"none\.json"):
        load(tmp_path / "none.json")

"""The list of requirements, and what is known of each target: `checklist.toml`, `expectations.toml`, the tests' names.

A requirement belongs to a group, whose tests stand in the folder of the same name. A test names what it proves:
`test_I02_I03_...` in `bosh` proves I02 and I03 of BOSH. Attacks (SEC01...) are proven by tests of any group, and a few
requirements by tests elsewhere, because only a real client or the inside can show them: `proven_by` names those.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
TARGETS = ("poise", "prosody", "ejabberd")
SEC = "sec"
"""The group of attacks."""
_IDS = re.compile(r"test_((?:[A-Z]{1,3}\d{2,3}_)+)")
_LETTERS = re.compile(r"[A-Z]+")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the checklist."""

    group: str
    id: str
    level: str
    section: str
    text: str
    proven_by: tuple[str, ...] = ()
    """Tests outside this folder: `path::name`."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One test function."""

    group: str
    name: str
    file: str

    @property
    def ids(self) -> list[tuple[str, str]]:
        """Group and id of the requirements that its name claims."""
        return [(SEC if name.startswith("SEC") else self.group, name) for name in ids_of(self.name)]


@dataclass(slots=True)
class Expectations:
    """What does not hold in a group, and where: test name -> target -> why."""

    differs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Run, and must fail; a pass is an error."""
    not_applicable: dict[str, dict[str, str]] = field(default_factory=dict)
    """Not run: the target has no such hook or knob."""
    unproven: dict[str, str] = field(default_factory=dict)
    """Requirement that neither peer shows -> why we hold to it."""

    @staticmethod
    def lookup(table: dict[str, dict[str, str]], test: str, target: str) -> str | None:
        """Why, for one test case: rows may name the case (`name[case]`) or the whole test."""
        return table.get(test, {}).get(target) or table.get(test.partition("[")[0], {}).get(target)

    def known(self, test: str, target: str) -> str:
        """What is known of a test on a target (and checked strictly whenever the test runs)."""
        for word, table in (("differs", self.differs), ("n/a", self.not_applicable)):
            if target in table.get(test, {}):
                return word
            cases = [name for name, row in table.items() if name.startswith(f"{test}[") and target in row]
            if cases:
                return f"{word} in {len(cases)}"
        return "ok"


@cache
def _list() -> dict[str, Any]:
    return tomllib.loads((HERE / "checklist.toml").read_text())


@cache
def _beliefs() -> dict[str, Any]:
    return tomllib.loads((HERE / "expectations.toml").read_text())


def groups() -> dict[str, str]:
    """Group -> what it is about."""
    return dict(_list()["groups"])


def letters_of(requirement: str) -> str:
    """The letters of an id."""
    match = _LETTERS.match(requirement)
    assert match is not None, requirement
    return match[0]


@cache
def requirements(group: str) -> list[Requirement]:
    """All requirements of a group, in order."""
    data = _list()
    sections: dict[str, str] = data["sections"][group]
    return [
        Requirement(
            group,
            row["id"],
            row["level"],
            row.get("section") or sections[letters_of(row["id"])],
            row["text"],
            tuple(row.get("proven_by", ())),
        )
        for row in data[group]
    ]


@cache
def expectations(group: str) -> Expectations:
    """The expectation file's tables of a group."""
    data = _beliefs().get(group, {})
    return Expectations(data.get("differs", {}), data.get("not_applicable", {}), data.get("unproven", {}))


def ids_of(test: str) -> list[str]:
    """The ids that a test's name claims."""
    match = _IDS.match(test)
    return match.group(1).rstrip("_").split("_") if match else []


def functions(path: Path) -> list[str]:
    """Names of the test functions of a module, read without importing it."""
    nodes = ast.parse(path.read_text()).body
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


@cache
def proofs(group: str) -> list[Proof]:
    """The tests of a group."""
    paths: Iterable[Path] = sorted((HERE / group).glob("test_*.py"))
    return [Proof(group, name, path.name) for path in paths for name in functions(path)]


def proofs_of(requirement: Requirement) -> list[Proof]:
    """The tests that claim a requirement."""
    claimed = (requirement.group, requirement.id)
    where = groups() if requirement.group == SEC else (requirement.group,)
    return [test for group in where for test in proofs(group) if claimed in test.ids]

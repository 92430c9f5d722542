"""The list of requirements, and what is known of each target: `checklist.toml`, `expectations.toml`, the tests' names.

A test names the requirements it proves: `test_I02_I03_...` proves I02 and I03.
"""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
TARGETS = ("poise", "prosody", "ejabberd")
_IDS = re.compile(r"test_((?:[A-N]\d\d_)+)")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of the checklist."""

    id: str
    level: str
    section: str
    text: str


@dataclass(slots=True)
class Expectations:
    """What does not hold, and where: test name -> target -> why."""

    differs: dict[str, dict[str, str]] = field(default_factory=dict)
    """Run, and must fail; a pass is an error."""
    not_applicable: dict[str, dict[str, str]] = field(default_factory=dict)
    """Not run: the target has no such hook or knob."""
    unproven: dict[str, str] = field(default_factory=dict)
    """Requirement -> why it passes on none of the targets."""

    @staticmethod
    def lookup(table: dict[str, dict[str, str]], test: str, target: str) -> str | None:
        """Why, for one test case: rows may name the case (`name[case]`) or the whole test."""
        return table.get(test, {}).get(target) or table.get(test.partition("[")[0], {}).get(target)


@cache
def requirements() -> list[Requirement]:
    """All requirements, in order."""
    data = tomllib.loads((HERE / "checklist.toml").read_text())
    sections: dict[str, str] = data["sections"]
    return [Requirement(row["id"], row["level"], sections[row["id"][0]], row["text"]) for row in data["requirement"]]


def expectations() -> Expectations:
    """The expectation file."""
    data = tomllib.loads((HERE / "expectations.toml").read_text())
    found = Expectations(unproven=data.get("unproven", {}))
    for table, rows in (
        (found.differs, data.get("differs", {})),
        (found.not_applicable, data.get("not_applicable", {})),
    ):
        table |= rows
    return found


def ids_of(test: str) -> list[str]:
    """The requirements that a test's name claims."""
    match = _IDS.match(test)
    return match.group(1).rstrip("_").split("_") if match else []


@cache
def proofs() -> dict[str, str]:
    """Test function -> file name, of all test modules, read without importing them."""
    found: dict[str, str] = {}
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert node.name not in found, f"{node.name} is used twice"
                found[node.name] = path.name
    return found


def proofs_of(requirement: str) -> list[str]:
    """The tests that claim a requirement."""
    return [name for name in proofs() if requirement in ids_of(name)]

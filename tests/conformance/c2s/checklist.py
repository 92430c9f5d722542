"""The list of requirements of XMPP over TCP and what is known of each target, as for BOSH one folder up.

A test names the requirements it proves: `test_S02_S03_...` proves S02 and S03.
"""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

from tests.conformance.checklist import Expectations, Requirement

HERE = Path(__file__).parent
_IDS = re.compile(r"test_((?:(?:SEC|[STABX])\d\d_)+)")
_SECTION = re.compile(r"\D+")


@cache
def requirements() -> list[Requirement]:
    """All requirements, in order."""
    data = tomllib.loads((HERE / "checklist.toml").read_text())
    return [
        Requirement(row["id"], row["level"], data["sections"][section_of(row["id"])], row["text"])
        for row in data["requirement"]
    ]


def section_of(requirement: str) -> str:
    """The letters of an id."""
    match = _SECTION.match(requirement)
    assert match is not None, requirement
    return match[0]


def expectations() -> Expectations:
    """The expectation file."""
    data = tomllib.loads((HERE / "expectations.toml").read_text())
    return Expectations(data.get("differs", {}), data.get("not_applicable", {}), data.get("unproven", {}))


def ids_of(test: str) -> list[str]:
    """The requirements that a test's name claims."""
    match = _IDS.match(test)
    return match.group(1).rstrip("_").split("_") if match else []


@cache
def proofs() -> dict[str, str]:
    """Test function -> file name, of all test modules here, read without importing them."""
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

"""Proves that tests notice faults: changes one line of the program at a time and runs the tests that should object.

A list (TOML) names each mutant: section, file, the exact line, what stands in its place, and what that would mean.
One mutant at a time is put into a temporary copy of the sources, and the tests of its section are run against that
copy: they must fail. `python tools/mutants.py tests/long/mutants_bosh.toml --report docs/proof/mutants-bosh.md`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT_S = 120
"""A mutant that makes the tests hang longer than this is noticed too."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault."""

    name: str
    section: str
    file: str
    """Below `base` of its list."""
    line: str
    """The line without its indentation; it must occur once in the file, or `nth` says which is meant."""
    instead: str
    """What stands there in the mutant, with the same indentation."""
    fault: str
    """What this would mean for a client."""
    nth: int = 0
    """Which of several equal lines, counted from 1; 0 when there is only one."""


@dataclass(frozen=True, slots=True)
class MutantList:
    """One list of mutants."""

    title: str
    base: str
    tests: dict[str, list[str]]
    """The tests of each section."""
    mutants: list[Mutant]


class Verdict(Enum):
    """What became of a mutant."""

    NOTICED = "noticed"
    HUNG = "noticed (tests hang)"
    SURVIVED = "SURVIVED"
    BROKEN = "BROKEN (tests could not run)"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A mutant and what became of it."""

    mutant: Mutant
    verdict: Verdict
    witness: str
    """The first test that failed."""

    @property
    def good(self) -> bool:
        """Whether the tests noticed it."""
        return self.verdict in (Verdict.NOTICED, Verdict.HUNG)


def read_list(path: Path) -> MutantList:
    """The list in a TOML file. Raises ValueError for a list that contradicts itself or the sources."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    mutants = [Mutant(**row) for row in table["mutant"]]
    if len({mutant.name for mutant in mutants}) != len(mutants):
        raise ValueError("a mutant's name is used twice")
    result = MutantList(table["title"], table["base"], table["tests"], mutants)
    for mutant in mutants:
        if mutant.section not in result.tests:
            raise ValueError(f"{mutant.name}: no tests for section {mutant.section}")
        apply(mutant, ROOT / result.base)
    return result


def apply(mutant: Mutant, base: Path) -> str:
    """The text of the mutant's file. Raises ValueError when its line is not there, SyntaxError when the result is
    no Python."""
    lines = (base / mutant.file).read_text(encoding="utf-8").split("\n")
    found = [number for number, line in enumerate(lines) if line.strip() == mutant.line]
    if (len(found) != 1) if mutant.nth == 0 else (len(found) < mutant.nth):
        raise ValueError(f"{mutant.name}: the line is found {len(found)} times in {mutant.file}")
    at = found[max(mutant.nth - 1, 0)]
    old = lines[at]
    lines[at] = old[: len(old) - len(old.lstrip())] + mutant.instead
    text = "\n".join(lines)
    compile(text, mutant.file, "exec")
    return text


@contextmanager
def copied_sources() -> Iterator[Path]:
    """A copy of src/ to spoil."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copy = Path(folder) / "src"
        shutil.copytree(ROOT / "src", copy, ignore=shutil.ignore_patterns("__pycache__"))
        yield copy


def run_tests(copy: Path, tests: Sequence[str]) -> tuple[Verdict, str]:
    """Run tests against a copy of the sources: the verdict, and the first test that failed."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and our own list
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return Verdict.HUNG, ""
    if done.returncode == 0:
        return Verdict.SURVIVED, ""
    failed = re.search(r"^FAILED \S+?::(.+?)(?: - |$)", done.stdout, re.MULTILINE)
    if done.returncode != 1 or failed is None:
        return Verdict.BROKEN, done.stdout[-400:] + done.stderr[-400:]
    return Verdict.NOTICED, failed[1]


def check_copy(copy: Path) -> None:
    """Make sure that the tests see the copy and not the sources. Raises ValueError."""
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", "import poise; print(poise.__file__)"]
    seen = subprocess.run(  # noqa: S603 - our own interpreter
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout
    if not Path(seen.strip()).is_relative_to(copy):
        raise ValueError("the tests would not see the mutants")


def judge(wanted: MutantList, mutants: Sequence[Mutant]) -> list[Outcome]:
    """Every mutant's outcome. Raises ValueError when the tests of a section fail without any mutant."""
    outcomes = []
    with copied_sources() as copy:
        check_copy(copy)
        base = copy / Path(wanted.base).relative_to("src")
        for section in sorted({mutant.section for mutant in mutants}):
            verdict, _ = run_tests(copy, wanted.tests[section])
            if verdict is not Verdict.SURVIVED:
                raise ValueError(f"the tests of section {section} fail without a mutant")
        for mutant in mutants:
            path = base / mutant.file
            original = path.read_text(encoding="utf-8")
            path.write_text(apply(mutant, base), encoding="utf-8")
            outcomes.append(Outcome(mutant, *run_tests(copy, wanted.tests[mutant.section])))
            path.write_text(original, encoding="utf-8")
    return outcomes


def report(wanted: MutantList, outcomes: Sequence[Outcome]) -> str:
    """The outcomes as a page, with commit and date."""

    def git(*arguments: str) -> str:
        done = subprocess.run(  # noqa: S603 - constant arguments
            ["git", *arguments],  # noqa: S607 - wherever git is
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    watched = [wanted.base, *sorted({path for tests in wanted.tests.values() for path in tests})]
    changed = " with uncommitted changes" if git("status", "--porcelain", "--", *watched) else ""
    noticed = sum(outcome.good for outcome in outcomes)
    rows = []
    for outcome in outcomes:
        mutant = outcome.mutant
        cells = (
            mutant.name,
            mutant.fault,
            f"{mutant.file}: `{mutant.line}` -> `{mutant.instead}`",
            outcome.verdict.value,
            outcome.witness if outcome.good else "",
        )
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(
        [
            f"# {wanted.title}",
            "",
            f"Commit {git('rev-parse', '--short', 'HEAD')}{changed}, {datetime.now(UTC):%Y-%m-%d}:"
            f" {noticed} of {len(outcomes)} mutants noticed by a test of their own section."
            " Written by `tools/mutants.py` (`make test-long`).",
            "",
            "| mutant | what it would mean | line | verdict | first test that failed |",
            "| --- | --- | --- | --- | --- |",
            *rows,
            "",
        ]
    )


def main(arguments: Sequence[str]) -> int:
    """Judge a list; exit code 1 when a mutant is not noticed."""
    parser = argparse.ArgumentParser(description="Prove that tests notice faults.")
    parser.add_argument("list", type=Path, help="TOML file with mutants")
    parser.add_argument("--only", nargs="*", help="names of mutants; all when left out")
    parser.add_argument("--report", type=Path, help="page to write")
    options = parser.parse_args(arguments)
    wanted = read_list(options.list)
    chosen = [mutant for mutant in wanted.mutants if options.only is None or mutant.name in options.only]
    outcomes = judge(wanted, chosen)
    for outcome in outcomes:
        sys.stdout.write(f"{outcome.mutant.name:6} {outcome.verdict.value:9} {outcome.witness}\n")
    if options.report is not None:
        options.report.parent.mkdir(parents=True, exist_ok=True)
        options.report.write_text(report(wanted, outcomes), encoding="utf-8")
    return 0 if all(outcome.good for outcome in outcomes) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

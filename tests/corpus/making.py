"""The plan of the corpus, and its making.

Seeds are numbered from 1. The odd ones are known: rules may be mended on them. The even ones are held out: they were
fixed before any rule was looked at with this corpus, and no rule is ever changed because of one of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from tests.corpus.crash import crash
from tests.corpus.scene import Run, Scene
from tests.corpus.scripts import SCRIPTS

SEEDS = 10
"""Runs of each cause."""
CRASH = "S1-crash"
"""`kill -9`, with real processes in real time."""
CAUSES = (*SCRIPTS, CRASH)


def held_out(seed: int) -> bool:
    """Whether rules are never changed because of this seed."""
    return seed % 2 == 0


def make(cause: str, seed: int, prepared: Path, folder: Path) -> Run:
    """Play one scene in an empty folder."""
    folder.mkdir(parents=True, exist_ok=True)
    if cause == CRASH:
        return crash(prepared, folder, seed)
    with Scene(prepared, folder, cause, seed) as scene:
        SCRIPTS[cause](scene)
        return scene.evidence()


def plan(causes: Iterable[str] = CAUSES, seeds: Iterable[int] = range(1, SEEDS + 1)) -> Iterator[tuple[str, int]]:
    """What is to be played."""
    every = list(seeds)
    return ((cause, seed) for cause in causes for seed in every)


def write(run: Run, folder: Path) -> None:
    """Write evidence and truth into a folder of the run's own."""
    for name, content in run.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "truth.json").write_text(json.dumps(truth(run), indent=1) + "\n", "utf-8")


def truth(run: Run) -> dict[str, object]:
    """What really happened, for tools."""
    return {
        "cause": run.cause,
        "seed": run.seed,
        "held_out": held_out(run.seed),
        "truths": [asdict(one) for one in run.truths],
        "parameters": run.parameters,
        "lines_rendered": run.rendered,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(run.files.items())},
    }

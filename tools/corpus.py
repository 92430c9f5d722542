"""Write the labelled fault corpus: for each run a folder with the evidence and `truth.json`.

make corpus ARGS="--causes C3,N1 --seeds 3 --out DIR"
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.corpus.making import CAUSES, SEEDS, make, plan, write
from tests.e2e.stage import prepare


def main() -> None:
    """Play what is asked for."""
    parser = argparse.ArgumentParser(description="Write the labelled fault corpus.")
    parser.add_argument("--out", type=Path, default=Path("build/corpus"))
    parser.add_argument("--causes", default=",".join(CAUSES), help="comma-separated; all by default")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="runs of each cause")
    options = parser.parse_args()
    causes = options.causes.split(",")
    if unknown := set(causes) - set(CAUSES):
        parser.error(f"unknown causes: {', '.join(sorted(unknown))}; there are {', '.join(CAUSES)}")
    with tempfile.TemporaryDirectory() as work:
        prepared = prepare(Path(work) / "prepared")
        for cause, seed in plan(causes, range(1, options.seeds + 1)):
            folder = options.out / f"{cause}-{seed:02d}"
            shutil.rmtree(folder, ignore_errors=True)
            run = make(cause, seed, prepared, Path(work) / folder.name)
            write(run, folder)
            sys.stdout.write(f"{folder}: {len(run.files)} files, {len(run.truths)} agents concerned\n")
            shutil.rmtree(Path(work) / folder.name, ignore_errors=True)


if __name__ == "__main__":
    main()

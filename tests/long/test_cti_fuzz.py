"""Coverage-guided fuzzing of the CTI decoder, a listener and a link: seconds in every run, ten minutes in the long one.

FUZZ_SECONDS sets another length of the long run, which writes `docs/proof/fuzz-cti.md`. What it finds is kept by
`python -m tests.fuzz.corpus FOLDER`.
"""

from __future__ import annotations

import datetime
import importlib.util
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.corpus import kept, seeds, unpack
from tests.fuzz.cti_decoder import check

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "proof" / "fuzz-cti.md"
LONG_S = 600
needs_atheris = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="atheris has no wheel for this Python or machine"
)


def fuzz(folder: Path, seconds: int) -> str:
    """What libFuzzer said after so many seconds. Inputs that `check` does not pass end it with another exit code."""
    found, begun = folder / "found", folder / "begun"
    found.mkdir()
    begun.mkdir()
    unpack(begun)
    command = [sys.executable, "-m", "tests.fuzz.cti_run", str(found), str(begun)]
    command += [f"-max_total_time={seconds}", "-max_len=2048", "-timeout=10", f"-artifact_prefix={folder}/"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": f"{ROOT}/src"}
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stderr


def test_every_input_of_the_corpus_passes() -> None:
    inputs = seeds() + kept()
    assert len(inputs) > 500, "the corpus is lost"
    for data in inputs:
        check(data)


@needs_atheris
def test_four_seconds_of_fuzzing_find_nothing(tmp_path: Path) -> None:
    said = fuzz(tmp_path, 4)
    runs = re.search(r"Done (\d+) runs", said)
    assert runs is not None
    assert int(runs[1]) > len(seeds()), "not even the corpus was read"


@pytest.mark.long
@needs_atheris
def test_ten_minutes_of_fuzzing_find_nothing(tmp_path: Path) -> None:
    said = fuzz(tmp_path, int(os.environ.get("FUZZ_SECONDS", LONG_S)))
    PAGE.write_text(page(said, tmp_path / "found"), "utf-8")


def page(said: str, found: Path) -> str:
    """The proof as people read it."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    done = re.search(r"Done (\d+) runs in (\d+) second", said)
    last = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", said)[-1]
    assert done is not None
    return f"""# Fuzzing of the CTI decoder

Commit {commit}, {today}, Python {platform.python_version()} on {platform.system()}.

Coverage-guided fuzzing (atheris, libFuzzer) of what reads foreign bytes: the decoder, a listener of both directions,
and a link whose server says the input. Every input must be read or refused by name; what was read must be written again
byte for byte, be told in the logs, and leave the link with something due. Begun with {len(seeds())} inputs from vectors
of others and {len(kept())} of earlier runs.

| what | count |
| --- | --- |
| inputs | {done[1]} |
| seconds | {done[2]} |
| branches reached | {last[0]} |
| features reached | {last[1]} |
| inputs in the corpus at the end | {last[2]} |
| new inputs | {len(list(found.iterdir()))} |
| failures | 0 |
"""

"""The whole corpus: every cause, every seed, every kind of evidence. Writes docs/proof/diagnosis-corpus.md."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpus import making
from tests.corpus.page import page
from tests.corpus.scene import Run
from tests.corpus.scoring import WHOLE, score_all
from tests.e2e.stage import prepare

PAGE = Path(__file__).parents[2] / "docs" / "proof" / "diagnosis-corpus.md"


@pytest.mark.long
def test_the_right_cause_is_first_in_95_of_100_and_nothing_false_is_called_certain(tmp_path: Path) -> None:
    prepared = prepare(tmp_path / "prepared")

    def runs() -> Iterator[Run]:
        for cause, seed in making.plan():
            yield making.make(cause, seed, prepared, tmp_path / f"{cause}-{seed}")

    scores = score_all(runs())
    PAGE.write_text(page(scores), "utf-8")
    for held in (False, True):
        answers = scores[WHOLE].of(held)
        assert sum(a.right for a in answers) >= 0.95 * len(answers), "held out" if held else "known"
    for variant, score in scores.items():
        assert not any(a.wrongly_certain for a in score.answers), variant

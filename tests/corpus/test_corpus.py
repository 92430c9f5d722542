"""One scene of every cause, made now and judged: the diagnosis on evidence of the real server.

The whole corpus, with the figures, is `tests/long/test_corpus_long.py`.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.corpus import making, page
from tests.corpus.scene import Run
from tests.corpus.scoring import VARIANTS, WHOLE, Judged, score_all
from tests.corpus.scripts import SCRIPTS
from tests.e2e.stage import prepare


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Run]:
    """Known and held-out seeds in turn."""
    folder = tmp_path_factory.mktemp("corpus")
    prepared = prepare(folder / "prepared")
    return [making.make(cause, number % 2 + 1, prepared, folder / cause) for number, cause in enumerate(SCRIPTS)]


def told(answers: list[Judged]) -> list[tuple[str, int, str, str, str]]:
    return [(a.cause, a.seed, a.agent, a.truth, a.first) for a in answers]


def test_the_true_cause_is_told_first_and_bystanders_are_left_alone(runs: list[Run]) -> None:
    score = score_all(runs, [WHOLE])[WHOLE]
    wrong = [a for a in score.answers if not a.right]
    assert len(wrong) <= 0.05 * len(score.answers), told(wrong)
    assert score.false_alarms == [], told(score.false_alarms)


def test_whatever_file_is_given_nothing_is_called_certain_that_is_not_true(runs: list[Run]) -> None:
    for variant, score in score_all(runs, VARIANTS).items():
        assert [a for a in score.answers if a.wrongly_certain] == [], (variant, told(score.answers))


def test_a_run_is_written_with_its_truth_and_made_again_alike(runs: list[Run], tmp_path: Path) -> None:
    run = runs[1]
    making.write(run, tmp_path / "run")
    assert (tmp_path / "run" / "truth.json").stat().st_size
    again = making.make(run.cause, run.seed, prepare(tmp_path / "prepared"), tmp_path / "again")
    assert (again.parameters, again.truths) == (run.parameters, run.truths)
    # the web services' log is named by the moment at which the writer's own thread opened it
    kinds = [{name.partition("/Desktop-webservices.")[0] for name in one.files} for one in (again, run)]
    assert kinds[0] == kinds[1]


def test_the_page_names_every_cause_that_is_played() -> None:
    assert page.complete()

"""The analysis on the corpus, compared with the truth.

Each run is judged as a support engineer would get it: the server's logs without Poise's own trace, the client logs, and
of each capture either the HAR or the SAZ. Then with the trace, and then reduced to one file type at a time.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from poise.diagnosis import reading
from poise.diagnosis.analysis import Analysis, Verdict, analyse
from poise.diagnosis.causes import Confidence
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget
from tests.corpus.making import held_out
from tests.corpus.scene import Files, Run, Truth

NOTHING = "nothing"
"""No disconnect is told of this agent."""
UNDECIDED = "O1"
"""A disconnect is told, and that its cause cannot be told from this."""
GENERIC = frozenset({"C1", "S15", UNDECIDED})
"""Answers that say no more than that the client, or everybody, fell silent, or not even that."""


def _logs(name: str) -> bool:
    return name.startswith("server/desktop/")


def _capture(run: Run, name: str) -> bool:
    return name.endswith(".har" if run.seed % 4 < 2 else ".saz")


VARIANTS: dict[str, Callable[[Run, str], bool]] = {
    "all logs and captures": lambda run, name: _logs(name) or name.endswith(".log") or _capture(run, name),
    "the same and the trace": lambda run, name: (
        name.startswith("server/") or name.endswith(".log") or _capture(run, name)
    ),
    "only the server's logs": lambda run, name: _logs(name),
    "only Openfire logs": lambda run, name: name.startswith("server/desktop/openfire"),
    "only web services logs": lambda run, name: name.startswith("server/desktop/webservices/"),
    "only client logs": lambda run, name: name.startswith("client-"),
    "only HAR": lambda run, name: name.endswith(".har"),
    "only SAZ": lambda run, name: name.endswith(".saz"),
    "only the trace": lambda run, name: name.startswith("server/poise/"),
}
"""Which files are given; the first is what is asserted."""
WHOLE = next(iter(VARIANTS))


@dataclass(slots=True)
class Judged:
    """One agent's answer in one variant."""

    cause: str
    """Of the run."""
    seed: int
    truth: str
    first: str
    confidence: Confidence | None
    right: bool
    wrongly_certain: bool
    contact: bool | None
    """Whether the interval of last contact holds the true moment; None: none was told, or it does not apply."""
    agent: str = ""


@dataclass(slots=True)
class Score:
    """All answers of one variant."""

    answers: list[Judged] = field(default_factory=list)
    false_alarms: list[Judged] = field(default_factory=list)
    """Disconnects told of agents to whom nothing happened."""

    def of(self, held: bool) -> list[Judged]:
        """Answers on known seeds, or on those held out."""
        return [a for a in self.answers if held_out(a.seed) is held]

    def matrix(self, held: bool | None = None) -> Counter[tuple[str, str]]:
        """(truth, first finding) -> count."""
        return Counter((a.truth, a.first) for a in self.answers if held is None or held_out(a.seed) is held)


def analysed(files: Files) -> Analysis:
    """What the product says of these files."""
    evidence = Evidence(None)
    for name, content in sorted(files.items()):
        reading.read(evidence, name, io.BufferedReader(io.BytesIO(content)), Budget())
    return analyse(evidence)


def judge(run: Run, variant: str, score: Score) -> None:
    """Add the answers on one run."""
    files = {name: content for name, content in run.files.items() if VARIANTS[variant](run, name)}
    if not files:
        return
    verdicts = analysed(files).verdicts
    for truth in run.truths:
        score.answers.append(_answer(run, truth, _theirs(verdicts, truth)))
    if not run.truths:
        score.answers.append(_answer(run, Truth("", NOTHING, 0.0, 0.0), verdicts[0] if verdicts else None))
    known = {truth.agent for truth in run.truths}
    for verdict in verdicts:
        if run.truths and verdict.incident.agent not in known and not (verdict.incident.agent == "" or len(known) > 2):
            score.false_alarms.append(_answer(run, Truth(verdict.incident.agent, NOTHING, 0.0, 0.0), verdict))


def _theirs(verdicts: list[Verdict], truth: Truth) -> Verdict | None:
    """The first verdict on this agent behind the fault; else one on the whole site."""
    own = [v for v in verdicts if v.incident.agent == truth.agent and v.incident.at >= truth.at - 320]
    site = [v for v in verdicts if not v.incident.agent]
    return (own or site or [None])[0]  # type: ignore[list-item]


def _answer(run: Run, truth: Truth, verdict: Verdict | None) -> Judged:
    first, confidence = (verdict.best.cause.id, verdict.best.confidence) if verdict else (NOTHING, None)
    allowed = {truth.cause, *truth.also}
    wrong = verdict is not None and any(
        f.confidence is Confidence.CERTAIN and f.cause.id not in allowed for f in verdict.findings
    )
    contact = None
    if verdict is not None and verdict.incident.agent and verdict.incident.contact and truth.last_contact:
        told = verdict.incident.contact
        contact = told.after - 1.5 <= truth.last_contact <= told.before + 1.5
    return Judged(
        run.cause, run.seed, truth.cause, first, confidence, first == truth.cause, wrong, contact, truth.agent
    )


def score_all(runs: Iterable[Run], variants: Iterable[str] = VARIANTS) -> dict[str, Score]:
    """Every run in every variant."""
    names = list(variants)
    scores = {name: Score() for name in names}
    for run in runs:
        for name in names:
            judge(run, name, scores[name])
    return scores

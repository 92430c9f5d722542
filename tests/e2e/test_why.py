"""From a running server's own logs to the reason of a disconnect: what `poise analyze DATA/logs` says."""

from __future__ import annotations

from pathlib import Path

from poise.diagnosis import reading
from poise.diagnosis.analysis import Analysis, analyse
from poise.diagnosis.causes import Confidence
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget
from tests.e2e.conftest import OpenStage
from tests.e2e.stage import Stage


def why(stage: Stage, *, without: str = "nothing") -> Analysis:
    """The analysis of the logs as they are now."""
    stage.log("webservices")  # everything is written
    evidence = Evidence()
    logs: Path = stage.data / "logs"
    for path in sorted(path for path in logs.rglob("*") if path.is_file() and without not in str(path)):
        with path.open("rb") as stream:
            reading.read(evidence, str(path.relative_to(logs)), stream, Budget())
    return analyse(evidence)


def causes(analysis: Analysis) -> list[tuple[str, str]]:
    return [(v.incident.agent, v.best.cause.id) for v in analysis.verdicts]


def test_a_killed_client_is_told_once_although_trace_and_openfire_logs_both_tell_it(stage: Stage) -> None:
    desk = stage.agent("1001")
    stage.agent("1002")
    stage.pass_time(40)
    died = stage.clock.wall()
    desk.die()
    stage.pass_time(185)
    analysis = why(stage)
    assert causes(analysis) == [("1001", "C1")]
    incident = analysis.verdicts[0].incident
    assert incident.contact is not None
    assert incident.contact.after <= died <= incident.contact.before
    assert incident.logout is not None
    assert len({event.place.file for event in incident.events}) >= 3, "trace, info.log and web services tell it"
    assert not [f for file in analysis.evidence.files for f in file.unknown], "our own lines are all understood"


def test_the_seeds_logs_alone_tell_the_same_without_the_trace(open_stage: OpenStage) -> None:
    stage = open_stage({})
    desk = stage.agent("1001")
    stage.agent("1002")
    stage.pass_time(40)
    desk.die()
    stage.pass_time(185)
    assert causes(why(stage, without="trace.jsonl")) == [("1001", "C1")]


def test_a_client_that_leaves_is_told_as_the_page_that_was_closed(stage: Stage) -> None:
    desk = stage.agent("1001")
    stage.pass_time(5)
    desk.leave()
    stage.pass_time(70)
    (verdict,) = why(stage).verdicts
    assert (verdict.best.cause.id, verdict.best.confidence) == ("C2", Confidence.CERTAIN)


def test_a_client_that_is_back_in_time_lost_nothing(stage: Stage) -> None:
    desk = stage.agent("1001")
    stage.pass_time(5)
    desk.leave()
    stage.pass_time(10)
    stage.desk("1001").come()
    stage.pass_time(70)
    assert [cause for _, cause in causes(why(stage))] == ["A6"]


def test_a_quiet_hour_has_no_disconnect(stage: Stage) -> None:
    stage.agent("1001")
    stage.pass_time(200)
    assert why(stage).verdicts == []

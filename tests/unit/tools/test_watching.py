"""`poise watch`: told when it happens, told again when it gets surer, told with the right line."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from poise.tools import watching
from poise.tools.watching import Watch
from tests.unit.cli.demo_server import POISE, environment
from tests.unit.diagnosis.evidence_kit import closing, epoch, openfire, state, tick, unavailable, webservices

SILENT = openfire(epoch(0), tick(0, 0), tick(30, 5000), tick(60, 35000), tick(90, 65000))


def now() -> datetime:
    return datetime.now(UTC)


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def told(watch: Watch) -> list[tuple[str, str, bool]]:
    return [(n.verdict.incident.agent, n.verdict.best.cause.id, n.again) for n in watch.look(now())]


def test_a_disconnect_is_told_once_when_its_line_comes(tmp_path: Path) -> None:
    log = tmp_path / "debug.log"
    log.write_text(SILENT)
    watch = Watch(tmp_path)
    assert told(watch) == []
    append(log, openfire(closing(90)))
    assert told(watch) == [("1001", "C1", False)]
    assert told(watch) == []
    append(log, openfire(tick(120, 0, "1002", "bb")))
    assert told(watch) == []


def test_what_the_logs_held_before_is_past_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "debug.log").write_text(SILENT + openfire(closing(90)))
    assert told(Watch(tmp_path)) == []
    assert [n.verdict.best.cause.id for n in Watch(tmp_path).look(now(), tell_first=True)] == ["C1"]


def test_lines_that_make_it_another_cause_are_told_again(tmp_path: Path) -> None:
    (tmp_path / "debug.log").write_text(openfire(epoch(0), tick(0, 0), tick(0, 0, "1002", "bb")))
    watch, web = Watch(tmp_path), tmp_path / "Desktop-webservices.log"
    assert told(watch) == []
    append(web, webservices(unavailable(5)))
    first = told(watch)
    append(web, webservices((7, "PRESENCE_NOTIFICATION", "%[agent_id=1001][presence_type=available]: x")))
    assert told(watch) == [("1001", "A6", True)]
    assert first[0][0] == "1001"


def test_an_ordinary_sign_out_is_no_news(tmp_path: Path) -> None:
    web = tmp_path / "Desktop-webservices.log"
    web.write_text(webservices(state(0, "READY", 3, 0)))
    watch = Watch(tmp_path)
    told(watch)
    append(web, webservices(state(5, "LOGOUT", 1, 0)))
    assert told(watch) == []


def test_a_line_that_is_half_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    log = tmp_path / "debug.log"
    log.write_text(SILENT)
    watch = Watch(tmp_path)
    told(watch)
    line = openfire(closing(90))
    append(log, line[:40])
    assert told(watch) == []
    append(log, line[40:])
    assert told(watch) == [("1001", "C1", False)]


def test_a_rotated_log_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "debug.log"
    log.write_text(SILENT)
    watch = Watch(tmp_path)
    told(watch)
    log.rename(tmp_path / "debug.log.1")
    log.write_text(openfire(closing(90)))
    assert told(watch) == [("1001", "C1", False)]


def test_a_log_longer_than_the_window_is_told_with_its_true_line(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(watching, "WINDOW_BYTES", 20_000)
    log = tmp_path / "debug.log"
    log.write_text(openfire(epoch(0), *(tick(at, 0, "1002", "bb") for at in range(0, 20_000, 30))))
    watch = Watch(tmp_path)
    told(watch)
    lines = [tick(20_030, 35_000), tick(20_060, 65_000), closing(20_060)]
    append(log, openfire(epoch(20_000), *lines))
    (news,) = watch.look(now())
    proof = news.verdict.incident.signs[0]
    path, _, line = news.analysis.evidence.where(proof.place).rpartition(":")
    assert "Closing idle session" in (tmp_path / path).read_text().splitlines()[int(line) - 1]


def test_old_files_are_left_alone(tmp_path: Path) -> None:
    log = tmp_path / "old.log"
    log.write_text(SILENT + openfire(closing(90)))
    os.utime(log, (1_600_000_000, 1_600_000_000))
    assert Watch(tmp_path).look(now(), tell_first=True) == []


def test_the_command_tells_in_json_a_line_at_a_time(tmp_path: Path) -> None:
    log = tmp_path / "debug.log"
    log.write_text(SILENT)
    command = [*POISE, "watch", str(tmp_path), "--json", "--all", "--every", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        append(log, openfire(closing(90)))
        news = json.loads(process.stdout.readline())
        process.terminate()
    assert (news["agent"], news["cause"], news["again"]) == ("1001", "C1", False)
    assert news["proof"][0].startswith("debug.log:")

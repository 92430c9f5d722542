"""The formats for lnav: lnav itself accepts them and takes the sample lines apart."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

from tests.support.needs import need
from tests.unit.diagnosis.evidence_kit import SAMPLES, client, drift, epoch, openfire, tick

SHARE = Path(__file__).parents[3] / "share" / "lnav"


def asked(query: str, folder: Path, *files: Path) -> list[dict[str, str]]:
    """lnav's answer to an SQL query over files."""
    command = [need("lnav"), "-n", "-I", str(SHARE), "-c", f";{query}", "-c", ":write-csv-to -", *map(str, files)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env={**os.environ, "HOME": str(folder), "TERM": "xterm"}
    )
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower(), done.stderr
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_ticks_of_the_reaper_have_their_agent_and_idle_time(tmp_path: Path) -> None:
    log = tmp_path / "debug.log"
    log.write_text(openfire(epoch(0), tick(0, 0), tick(30, 43230)))
    rows = asked("SELECT sid, jid, idle_ms FROM finesse_openfire_log WHERE idle_ms > 0", tmp_path, log)
    assert rows == [{"sid": "aa", "jid": "1001@fin1/desktop", "idle_ms": "43230"}]


def test_every_generation_of_openfire_is_one_format(tmp_path: Path) -> None:
    lines = (SAMPLES / "openfire-upstream-lines-by-version.log").read_text("utf-8", "replace").splitlines()
    log = tmp_path / "openfire.log"
    stamped = [line for line in lines if line[:2] == "20" and line[4:5] == "."]
    log.write_text("\n".join(sorted(stamped)) + "\n")
    (row,) = asked("SELECT count(*) AS n FROM finesse_openfire_log", tmp_path, log)
    assert int(row["n"]) == len(stamped)


def test_web_services_records_have_thread_level_and_mnemonic(tmp_path: Path) -> None:
    log = tmp_path / "Desktop-webservices.log"
    shutil.copy(SAMPLES / "desktop-webservices-finesse-2017.log", log)
    rows = asked("SELECT seq, thread, mnemonic FROM finesse_webservices_log", tmp_path, log)
    assert {"seq": "0000001060", "thread": "CoreImpl-worker12", "mnemonic": "PRESENCE DRIVEN LOGOUT"} in rows


def test_drift_and_latency_of_client_logs_are_figures(tmp_path: Path) -> None:
    log = tmp_path / "client.log"
    log.write_text(client(drift(0, -12, 7), drift(60, 5, 14), browser="").replace(" --- :", " -- --:--:-- :"))
    rows = asked("SELECT drift_ms, trip_ms, origin FROM finesse_client_log", tmp_path, log)
    assert [(row["drift_ms"], row["trip_ms"], row["origin"]) for row in rows] == [
        ("-12", "7", "Header"),
        ("5", "14", "Header"),
    ]


def test_our_own_trace_is_read_by_its_keys(tmp_path: Path) -> None:
    log = tmp_path / "trace.jsonl"
    line = '{"time": "2026-03-02T09:01:30.000Z", "kind": "session_ended", "sid": "..a015", "jid": "1001@h/desktop"'
    log.write_text(line + ', "code": "idle"}\n')
    rows = asked("SELECT log_body AS kind, jid, code FROM poise_trace_log", tmp_path, log)
    assert rows == [{"kind": "session_ended", "jid": "1001@h/desktop", "code": "idle"}]

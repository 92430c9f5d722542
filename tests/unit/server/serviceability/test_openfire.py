"""debug.log and info.log: the seed's lines, literally."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poise.registry import ENDINGS, Closed
from poise.server.notification.log import NotificationLog
from poise.server.serviceability.openfire import OpenfireLog
from tests.unit.server.serviceability.conftest import Logs

JID = "1001003@host.example/desktop"
LINE = re.compile(r"(?P<stamp>\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d) (?P<message>.*)")
MESSAGES = (
    r"HTTPBindLog: HTTP RECV\((?P<sid>\w*)\): <body .*",
    r"HTTPBindLog: HTTP SENT\((?P<sid>\w*)\): <body .*",
    r"HTTPBindLog: HTTP ERR\((?P<sid>\w*)\): terminate, [a-z-]+\.",
    r"consumeResponse: \S+ status: \d address: \S+(?: rid: \d+)?",
    r"Session \(id=(?P<sid>\w+)\) was last active (?P<idle>\d+) ms ago: (?P<jid>\S+)",
    r"time=(?P<epoch>\d{13}),JID=(?P<jid>[^,]+),msgs_sent=\d+,msgs_received=\d+",
    r"Unable to route packet\. No session is available so store offline\. <message .*",
)


def everything_at_debug(log: NotificationLog) -> None:
    log.http_recv("f382a015", b'<body sid="f382a015" rid="164053266"/>')
    log.http_sent("f382a015", b"<body xmlns='http://jabber.org/protocol/httpbind'></body>")
    log.http_error("f382a015", "item-not-found")
    log.consume_response(sid="f382a015", status=1, jid="1001003@host.example", presence=b"", rid=164053265)
    log.idle_tick(sid="f382a015", idle_ms=13230, jid=JID)
    log.statistics(epoch_ms=1497638764630, jid=JID, msgs_sent=4, msgs_received=2)
    log.store_offline(b'<message from="pubsub.host.example" to="1001003@host.example"/>')


def test_debug_lines_are_the_seeds(logs: Logs) -> None:
    everything_at_debug(logs.openfire)
    lines = logs.text("desktop/openfire/debug.log").splitlines()
    assert len(lines) == len(MESSAGES)
    for line, grammar in zip(lines, MESSAGES, strict=True):
        match = LINE.fullmatch(line)
        assert match is not None
        assert match["stamp"] == "2017.06.17 00:16:04"
        assert re.fullmatch(grammar, match["message"])
    assert "2017.06.17 00:16:04 Session (id=f382a015) was last active 13230 ms ago: " + JID in lines


def test_the_presence_of_consume_response_stands_on_a_second_line(logs: Logs) -> None:
    presence = b'<presence from="1001003@host.example/desktop">\n<status>a</status></presence>'
    logs.openfire.consume_response(sid="3445afbe", status=3, jid="1001003@host.example", presence=presence, rid=9)
    assert logs.text("desktop/openfire/debug.log").splitlines() == [
        "2017.06.17 00:16:04 consumeResponse: HttpSession(id=3445afbe) status: 3 address: 1001003@host.example",
        '<presence from="1001003@host.example/desktop">\\n<status>a</status></presence> rid: 9',
    ]


def test_an_idle_session_is_closed_in_the_seeds_three_lines(logs: Logs) -> None:
    logs.openfire.closing_idle(sid="f382a015", jid=JID, threshold_s=60)
    logs.openfire.session_closed(JID)
    assert logs.text("desktop/openfire/info.log").splitlines() == [
        f"2017.06.17 00:16:04 Closing idle session (id=f382a015): {JID}",
        "after inactivity for more than threshold value of 60",
        f"2017.06.17 00:16:04 A session is closed for {JID}",
    ]


def test_start_and_stop_are_found_by_the_words_of_the_runbook(logs: Logs) -> None:
    logs.openfire.started()
    logs.clock.advance(1)
    logs.openfire.stopped()
    expected = [
        "2017.06.17 00:16:04 HTTP bind service started",
        "2017.06.17 00:16:05 HTTP bind service stopped",
        "2017.06.17 00:16:05 Openfire stops",
    ]
    assert logs.text("desktop/openfire/info.log").splitlines() == expected
    assert logs.text("desktop/openfireservice/openfireservice.log").splitlines() == expected


def test_debug_is_off_until_switched_on_and_off_again_after_a_restart(logs: Logs) -> None:
    assert not logs.openfire.debug_enabled
    logs.openfire.set_debug(True)
    assert logs.openfire.debug_enabled
    logs.openfire.set_debug(False)
    restarted = OpenfireLog(logs.writer, logs.activelog, logs.clock, logs.trace, type(logs.metrics)())
    assert not restarted.debug_enabled
    assert [event["enabled"] for event in logs.events()] == [True, False]


def test_nobody_can_write_a_line_of_his_own(logs: Logs) -> None:
    forged = "x\n2017.06.17 00:16:04 A session is closed for 1001@host"
    logs.openfire.http_recv(forged, f"<body a='{forged}'/>\x1b]0;\xff".encode("latin-1"))
    logs.openfire.consume_response(sid="s", status=3, jid=forged, presence=forged.encode(), rid=1)
    logs.openfire.idle_tick(sid="s", idle_ms=1, jid=forged)
    lines = logs.text("desktop/openfire/debug.log").splitlines()
    assert len(lines) == 4
    assert not any(line.startswith("2017.06.17 00:16:04 A session") for line in lines)
    assert "\x1b" not in "".join(lines)


def test_the_ending_of_a_session_is_traced_with_its_testimony_and_counted(logs: Logs) -> None:
    logs.openfire.session_created(sid="secret-f382a015", transport="bosh", address="10.0.0.9")
    logs.openfire.session_bound(sid="secret-f382a015", jid=JID, address="10.0.0.9")
    assert "poise_sessions 1\n" in logs.metrics.text()
    closed = Closed(ENDINGS["idle"], heard_after=939.0, heard_before=969.0, at=1000.0, timer_s=60.0, evidence="reaper")
    logs.openfire.session_ended(sid="secret-f382a015", jid=JID, transport="bosh", address="10.0.0.9", closed=closed)
    event = logs.events()[-1]
    assert event.pop("time") == "2017-06-16T18:46:04.630Z"
    assert event == {
        "kind": "session_ended",
        "sid": "..a015",
        "jid": JID,
        "transport": "bosh",
        "address": "10.0.0.9",
        "code": "idle",
        "who": "network",
        "severity": "warning",
        "heard_after_s": 61.0,
        "heard_before_s": 31.0,
        "timer_s": 60.0,
        "evidence": "reaper",
    }
    assert "secret" not in logs.text("poise/trace.jsonl")
    assert 'poise_sessions_ended_total{code="idle",transport="bosh"} 1\n' in logs.metrics.text()
    assert "poise_sessions 0\n" in logs.metrics.text()


def test_a_refused_sign_in_is_traced_and_counted(logs: Logs) -> None:
    logs.openfire.sign_in_failed(sid="s", user="1001", address="10.0.0.9", temporary=False)
    assert logs.events()[-1]["kind"] == "sign_in_failed"
    assert 'poise_sign_ins_failed_total{temporary="false"} 1\n' in logs.metrics.text()


def test_our_own_faults_leave_their_traceback_in_error_log(logs: Logs) -> None:
    def broken() -> None:
        raise ValueError("no\nway")

    with pytest.raises(ValueError) as caught:
        broken()
    logs.openfire.fault(sid="f382a015", jid=JID, error=caught.value)
    first, *frames = logs.text("desktop/openfire/error.log").splitlines()
    assert first == f"2017.06.17 00:16:04 Fault in session (id=f382a015) of {JID}: ValueError: no\\nway"
    assert frames
    assert all(frame.startswith("  ") for frame in frames)
    assert any("in broken" in frame for frame in frames)


def test_overactivity_is_told_more_and_more_rarely(logs: Logs) -> None:
    for count in range(1, 101):
        logs.openfire.overactive(sid="f382a015", jid=JID, evidence="polls every 0.1 s", count=count)
    lines = logs.text("desktop/openfire/warn.log").splitlines()
    assert len(lines) == 7
    assert lines[-1].endswith(f"Overactivity detected in session (id=f382a015): {JID}: polls every 0.1 s (64 times)")
    assert "poise_overactivity_total 100\n" in logs.metrics.text()


def test_a_stall_is_a_warning(logs: Logs) -> None:
    logs.openfire.stalled(7.25)
    assert "did not run for 7.2 s" in logs.text("desktop/openfire/warn.log")
    assert logs.events()[-1] | {"time": ""} == {"time": "", "kind": "server_stalled", "seconds": 7.25}


def test_missing_lines_are_told_in_the_files_own_grammar(logs: Logs) -> None:
    assert LINE.fullmatch(logs.openfire._missing(3).rstrip("\n"))


def test_the_folders_of_the_activelog_tree_are_made(logs: Logs, tmp_path: Path) -> None:
    logs.activelog.create()
    made = {path.relative_to(tmp_path / "logs").as_posix() for path in (tmp_path / "logs").rglob("*") if path.is_dir()}
    assert made >= {f"desktop/{name}" for name in ("openfire", "openfireservice", "webservices", "clientlogs")}

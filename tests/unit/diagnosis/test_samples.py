"""Every sample line that has been published, read field by field."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from poise.diagnosis.events import Event, Kind
from tests.unit.diagnosis.evidence_kit import SAMPLES, events, read, samples

UPSTREAM = "openfire-upstream-lines-by-version.log"


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def at_line(found: list[Event], line: int) -> Event:
    return next(event for event in found if event.place.line == line and event.kind is not Kind.SILENCE)


def line_of(name: str, part: str) -> int:
    lines = (SAMPLES / name).read_text("utf-8", "replace").splitlines()
    return next(number for number, line in enumerate(lines, 1) if part in line and not line.startswith("#"))


@pytest.mark.parametrize(
    ("part", "kind", "agent", "sid", "number"),
    [
        (
            "2014.05.06 13:50:58 org.jivesoftware.openfire.http.HttpSessionManager - Session was",
            Kind.IDLE,
            "1001003",
            "",
            13230.0,
        ),
        ("HttpSessionManager - Closing idle session: 1001003", Kind.IDLE_CLOSE, "1001003", "", None),
        ("Request 164053270 > 164053268, ending session.", Kind.OUT_OF_WINDOW, "", "", None),
        ("Deliverable unavailable for 164053265", Kind.OUT_OF_WINDOW, "", "", None),
        ("Client provided invalid session: 3445afbe", Kind.UNKNOWN_SESSION, "", "3445afbe", None),
        ("store offline. <message", Kind.STORED_OFFLINE, "", "", None),
        ("CDT 2014: HTTP ERR(3445afbe): terminate, item-not-found.", Kind.UNKNOWN_SESSION, "", "3445afbe", None),
        ("Closing idle session: HttpSession{address=a@b", Kind.IDLE_CLOSE, "a", "3kfj8a7fbt", None),
        (
            "was last active 43230 ms ago: 1001003@fin1.ucce.local/desktop from IP",
            Kind.IDLE,
            "1001003",
            "3kfj8a7fbt",
            43230.0,
        ),
        ("HTTP ERR(3kfj8a7fbt): terminate, policy-violation.", Kind.TERMINATED, "1001003", "3kfj8a7fbt", None),
        ("HTTP bind service started", Kind.SERVICE_STARTED, "", "", None),
        ("HTTP bind service stopped", Kind.SERVICE_STOPPED, "", "", None),
        ("Openfire stopped", Kind.SERVICE_STOPPED, "", "", None),
        ("2019.12.12 12:57:04 INFO  [TaskEngine-pool-7]", Kind.IDLE_CLOSE, "1001003", "3kfj8a7fbt", None),
        ("was last active PT43.23S ago", Kind.IDLE, "1001003", "3kfj8a7fbt", 43230.0),
        ("mINFO ", Kind.IDLE_CLOSE, "1001003", "3kfj8a7fbt", None),
        ("WARN  [hz-1]", Kind.OUT_OF_WINDOW, "1001003", "3kfj8a7fbt", None),
        ("2026.07.23 07:00:17.123 INFO", Kind.IDLE_CLOSE, "1001003", "3kfj8a7fbt", None),
    ],
)
def test_openfire_of_every_generation(part: str, kind: Kind, agent: str, sid: str, number: float | None) -> None:
    found = events(read(samples(UPSTREAM)))
    event = at_line(found, line_of(UPSTREAM, part))
    assert (event.kind, event.agent, event.session, event.number) == (kind, agent, sid, number)


def test_milliseconds_of_the_newest_generation_are_kept() -> None:
    event = at_line(events(read(samples(UPSTREAM), 0.0)), line_of(UPSTREAM, "2026.07.23"))
    assert event.at == utc("2026-07-23T07:00:17.123")


def test_no_openfire_sample_line_is_left_that_is_not_understood() -> None:
    names = (UPSTREAM, "openfire-debug-finesse-2017.log", "openfire-info-finesse-2017.log")
    for file in read(samples(*names)).files:
        assert [shape for shape in file.unknown if not shape.startswith("#")] == []


def test_statistics_lines_calibrate() -> None:
    file = read(samples("openfire-debug-finesse-2017.log")).files[0]
    assert file.epochs[0] == (utc("2017-04-14T21:34:26"), 1492185866.851)


def test_web_services_lines_cut_off_at_the_right_edge_still_tell_their_kind() -> None:
    found = events(read(samples("desktop-webservices-finesse-2017.log")))
    kinds = [(event.kind, event.agent) for event in found]
    assert kinds == [
        (Kind.UNAVAILABLE, ""),
        (Kind.GRACE, ""),
        (Kind.FORCED_LOGOUT, ""),
        (Kind.CTI_REQUEST, "1001003"),
        (Kind.CTI_STATE, ""),
    ]
    assert (found[3].number, found[3].second) == (255.0, 1.0)
    assert (found[4].word, found[4].number) == ("LOGOUT", 255.0)
    assert found[0].at == utc("2017-06-16T18:46:04.631")


def test_a_record_with_nested_brackets_gives_state_agent_and_reason() -> None:
    (event,) = events(read(samples("desktop-webservices-cti-agentstate-2017-TAC212077.log")))
    assert (event.kind, event.agent, event.word, event.number) == (Kind.CTI_STATE, "1234", "RESERVED", 0.0)
    assert event.at == utc("2017-04-14T21:01:17.196")


def test_strophes_console_lines_in_chromes_and_firefoxs_dress() -> None:
    found = events(read(samples("browser-console-strophe-bosh.log")))
    told = {(event.kind, event.word) for event in found}
    assert (Kind.REQUEST_FAILED, "0") in told
    assert (Kind.REQUEST_FAILED, "404") in told
    assert (Kind.CONNECTION, "DISCONNECTED") in told
    assert (Kind.REQUEST_FAILED, "504") in told


def test_the_same_rid_three_times_and_then_item_not_found() -> None:
    found = read(samples("bosh-wire-strophe-retry-terminate.txt")).events
    assert [event.number for event in found if event.kind is Kind.REQUEST] == [3974873401.0] * 3
    assert found[-1].kind is Kind.TERMINATED
    assert found[-1].word == "item-not-found"


def test_every_syslog_mnemonic_that_concerns_connections() -> None:
    kinds = [event.kind for event in read(samples("finesse-syslog-mnemonics.txt")).events]
    assert kinds.count(Kind.CTI_DOWN) == 4
    assert {Kind.CTI_UP, Kind.XMPP_DOWN, Kind.XMPP_UP, Kind.DIRECTORY_DOWN, Kind.OUT_OF_SERVICE} <= set(kinds)


def test_drift_in_both_spellings() -> None:
    head = "2017-11-15T14:56:09.385 +05:00: : fin1: Nov 15 2017 14:56:09.876 +0500: Container : "
    first = "Client: 2017-11-15T09:56:08.879Z, Server: 2017-11-15T09:56:09.370Z, "
    first += "Drift: 491ms, Network Latency (round trip): 14ms"
    second = "Client: x, Server: y, Drift: -12 ms, Network Latency (round trip): 7 ms"
    found = events(read({"client.log": f"{head}{first}\n{head}{second}\n"}), Kind.DRIFT)
    assert [(event.number, event.second) for event in found] == [(491.0, 14.0), (-12.0, 7.0)]


def test_records_that_mail_joined_in_one_line_are_found_by_their_stamps() -> None:
    head = "2019-01-11T12:2{}:14.586 -05:00: : fin1: --- : Header : "
    line = "".join(head.format(n) + f"Drift: {n} ms, Network Latency (round trip): 9 ms " for n in range(3))
    found = events(read({"client.log": line + "\n"}), Kind.DRIFT)
    assert [event.number for event in found] == [0.0, 1.0, 2.0]

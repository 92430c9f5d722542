"""One story for each cause of the table: the evidence in it, the cause first, and how sure."""

from __future__ import annotations

import pytest

from poise.diagnosis.causes import CAUSES, Confidence
from tests.unit.diagnosis.evidence_kit import (
    EMPTY,
    analysed,
    available,
    client,
    closing,
    drift,
    epoch,
    har,
    only,
    openfire,
    state,
    tick,
    unavailable,
    webservices,
)

SILENT = openfire(epoch(0), tick(0, 0), tick(30, 5000), tick(60, 35000), tick(90, 65000), closing(90))
LOGOUT = webservices(
    unavailable(90), (150, "PRESENCE DRIVEN LOGOUT", "%[agent_id=1001]: forced logout"), state(150.1, "LOGOUT", 1, 255)
)

STORIES: dict[str, tuple[dict[str, str | bytes], Confidence]] = {
    "C1": ({"debug.log": SILENT, "Desktop-webservices.log": LOGOUT}, Confidence.LIKELY),
    "C2": (
        {
            "info.log": openfire(epoch(0), (5, "A session is closed for 1001@fin1/desktop")),
            "ws.log": webservices(unavailable(5), (65, "PRESENCE DRIVEN LOGOUT", "%[agent_id=1001]: forced logout")),
            "client.log": client((1, "/finesse/api/User/1001"), (4, "MasterPublisher - Connection status: unloading")),
        },
        Confidence.CERTAIN,
    ),
    "C3": (
        {
            "debug.log": SILENT,
            "client.log": client((-90, "/finesse/api/User/1001"), drift(-85), drift(-25), drift(400), drift(460)),
        },
        Confidence.LIKELY,
    ),
    "C5": (
        {
            "debug.log": SILENT,
            "client.log": client(
                (-200, "/finesse/api/User/1001"), *(drift(at, 5, 900 + at) for at in (-180, -120, -60, 0, 60, 120))
            ),
        },
        Confidence.LIKELY,
    ),
    "C6": (
        {
            "debug.log": SILENT,
            "agent.har": har(
                (-300, 30000, 200, EMPTY),
                (-269, 30000, 200, EMPTY),
                (-238, 30000, 200, EMPTY),
                (-148, 30000, 200, EMPTY),
                (-58, 30000, 200, EMPTY),
                (32, 30000, 200, EMPTY),
                (122, 3, 404, ""),
            ),
        },
        Confidence.CERTAIN,
    ),
    "C11": (
        {
            "console.log": "request id 4.2 error 0 happened\n"
            "POST https://fin1:7443/http-bind/ net::ERR_CERT_AUTHORITY_INVALID\n",
            "ws.log": webservices(unavailable(90)),
        },
        Confidence.CERTAIN,
    ),
    "C13": (
        {
            "debug.log": openfire(
                epoch(0),
                tick(0, 0),
                (3, "Overactivity detected in session (id=aa): 1001@fin1/desktop: 3 requests at once"),
                (4, "HTTPBindLog: HTTP SENT(aa): <body type='terminate' condition='policy-violation'/>"),
            )
        },
        Confidence.CERTAIN,
    ),
    "N1": (
        {
            "debug.log": SILENT,
            "agent.har": har((-60, 30000, 200, EMPTY), (-29, 30000, 200, EMPTY), (2, 35000, 0, ""), (38, 35000, 0, "")),
        },
        Confidence.LIKELY,
    ),
    "N2": (
        {
            "debug.log": SILENT,
            "agent.har": har((-29, 30000, 200, EMPTY), (2, 29000, 504, "<html><title>504 Gateway Time-out")),
        },
        Confidence.CERTAIN,
    ),
    "S2": (
        {
            "error.log": openfire(epoch(0), (10, "java.lang.OutOfMemoryError: Java heap space")),
            "info.log": openfire((40, "A session is closed for 1001@fin1/desktop"), (41, "HTTP bind service started")),
        },
        Confidence.LIKELY,
    ),
    "S4": (
        {
            "ws.log": webservices(
                (0, "CTI_CONNECTION_LOST", "%[side=A]: no answer to 3 heartbeats"),
                (0.1, "SYSTEM_STATUS", "%[status=OUT_OF_SERVICE]"),
                state(20, "NOT_READY", 2, 50002),
            )
        },
        Confidence.CERTAIN,
    ),
    "A0": ({"ws.log": webservices(state(20, "LOGOUT", 1, 50004))}, Confidence.CERTAIN),
    "A6": (
        {
            "ws.log": webservices(unavailable(10), available(14)),
            "client.log": client((1, "/finesse/api/User/1001"), (9, "MasterPublisher - Connection status: unloading")),
        },
        Confidence.CERTAIN,
    ),
    "A7": (
        {
            "debug.log": SILENT,
            "ws.log": webservices(
                unavailable(90),
                state(100, "LOGOUT", 1, 999),
                (150, "PRESENCE DRIVEN LOGOUT", "%[agent_id=1001]: forced"),
            ),
        },
        Confidence.CERTAIN,
    ),
}


@pytest.mark.parametrize("cause", STORIES)
def test_the_cause_is_told_first(cause: str) -> None:
    files, confidence = STORIES[cause]
    best = only(files).best
    assert (best.cause.id, best.confidence) == (cause, confidence)
    assert best.hit.proof, "a finding without proof"


def test_a_restart_between_last_contact_and_the_new_sessions_is_told_of_every_agent() -> None:
    lines = [
        epoch(0),
        (10.0, "Openfire stops"),
        (10.0, "HTTP bind service stopped"),
        (40.0, "HTTP bind service started"),
    ]
    lines += [(42.0, f"HTTPBindLog: HTTP ERR(s{n}): terminate, item-not-found.") for n in range(5)]
    ticks = [tick(0, 0, f"100{n}", f"s{n}") for n in range(5)]
    found = analysed({"debug.log": openfire(*ticks, *lines)}).verdicts
    assert [v.best.cause.id for v in found] == ["S1"] * 5
    assert {v.best.confidence for v in found} == {Confidence.CERTAIN}


def test_closings_in_one_tick_with_different_last_contacts_are_not_called_simultaneous() -> None:
    lines = [epoch(0)]
    for n, idle in enumerate((61000, 72000, 83000)):
        lines += [
            tick(60, idle - 30000, f"100{n}", f"s{n}"),
            tick(90, idle, f"100{n}", f"s{n}"),
            closing(90, f"100{n}", f"s{n}"),
        ]
    others = [tick(90, 0, f"200{n}", f"t{n}") for n in range(40)]
    found = analysed({"debug.log": openfire(*lines, *others)}).verdicts
    assert {v.best.cause.id for v in found} == {"C1"}


def test_one_network_that_falls_silent_alone_is_the_third_answer() -> None:
    lines = [epoch(0)]
    for n in range(4):
        ip = f"10.9.1.{n + 1}"
        lines += [
            tick(60, 31000, f"100{n}", f"s{n}", ip),
            tick(90, 61000 + n, f"100{n}", f"s{n}", ip),
            closing(90, f"100{n}", f"s{n}", ip),
        ]
    others = [tick(60, 1, f"200{n}", f"t{n}", f"10.8.1.{n + 1}") for n in range(20)]
    best = analysed({"debug.log": openfire(*lines, *others)}).verdicts[0].best
    assert (best.cause.id, best.hit.facts["network"]) == ("N5", "10.9.1.0/24")


def test_most_agents_at_once_points_to_the_server_and_says_how_many() -> None:
    lines = [epoch(0)]
    for n in range(6):
        lines += [
            tick(60, 31000 + n, f"100{n}", f"s{n}"),
            tick(90, 61000 + n, f"100{n}", f"s{n}"),
            closing(90, f"100{n}", f"s{n}"),
        ]
    best = analysed({"debug.log": openfire(*lines)}).verdicts[0].best
    assert (best.cause.id, best.hit.facts["agents"]) == ("S15", 6)


def test_a_pending_poll_at_the_end_of_a_recording_is_no_missing_answer() -> None:
    found = analysed({"agent.har": har((0, 30000, 200, EMPTY), (31, 30000, 200, EMPTY), (62, None, 0, ""))})
    assert found.verdicts == []


def test_where_nothing_tells_the_side_that_is_said_with_what_to_add() -> None:
    verdict = only({"ws.log": webservices((150, "PRESENCE DRIVEN LOGOUT", "%[agent_id=1001]: forced logout"))})
    assert verdict.best.cause.id == "O1"
    assert "openfire-debug" in verdict.wanted


def test_a_quiet_day_has_no_disconnects() -> None:
    assert analysed({"debug.log": openfire(epoch(0), *(tick(at, 0) for at in range(0, 3000, 30)))}).verdicts == []


def test_certain_findings_never_contradict_each_other() -> None:
    for files, _ in STORIES.values():
        for verdict in analysed(files).verdicts:
            sides = {
                f.cause.side for f in verdict.findings if f.confidence is Confidence.CERTAIN and f.cause.id != "C1"
            }
            assert len(sides) <= 1


def test_every_story_names_a_cause_of_the_table() -> None:
    assert set(STORIES) <= set(CAUSES)

"""Evidence that two causes could have left: what decides between them, and what is said where nothing does."""

from __future__ import annotations

from poise.diagnosis.causes import Confidence
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
MINE = (-299.0, "/finesse/api/User/1001")


def status(at: float, word: str) -> tuple[float, str]:
    return at, f"MasterPublisher._connInfoHandler() - Connection status: {word}"


def test_states_that_are_told_when_the_cti_link_opens_sign_nobody_out() -> None:
    up = (5.0, "CTI_CONNECTION_ESTABLISHED", "%[side=A]: Connected to the CTI server")
    log = webservices(state(4.9, "LOGOUT", 1, 50004), up, state(6.0, "LOGOUT", 1, 32760, "1002"))
    assert analysed({"ws.log": log}).verdicts == []


def test_a_state_that_is_told_twice_is_one_sign_out() -> None:
    log = webservices(state(20, "LOGOUT", 1, 50004), state(400, "LOGOUT", 1, 50004))
    assert only({"ws.log": log}).best.cause.id == "A0"


def test_an_agent_who_signs_out_with_a_code_of_the_centres_own_was_not_disconnected() -> None:
    assert analysed({"ws.log": webservices(state(10, "READY", 3, 0), state(20, "LOGOUT", 1, 4))}).verdicts == []


def test_who_reloads_the_page_because_of_the_banner_has_not_caused_it() -> None:
    log = client(MINE, (-20, "network timeout retry 1"), status(75, "disconnected"), status(80, "unloading"))
    verdict = only({"debug.log": SILENT, "client.log": log})
    assert "C2" not in [f.cause.id for f in verdict.findings if f.confidence is not Confidence.POSSIBLE]


def test_a_poll_that_lasts_for_minutes_is_a_computer_that_slept_and_no_firewall() -> None:
    polls = har((-60, 30000, 200, EMPTY), (-29, 30000, 200, EMPTY), (2, 400000, 0, ""), (403, 5, 404, ""))
    verdict = only({"debug.log": SILENT, "agent.har": polls})
    assert verdict.best.cause.id == "C3"
    assert "N1" not in [f.cause.id for f in verdict.findings]


def test_polls_without_an_answer_are_not_laid_on_a_firewall_by_a_capture_alone() -> None:
    verdict = only(
        {"agent.har": har((-29, 30000, 200, EMPTY), (2, 35000, 0, ""), (38, 35000, 0, ""), (75, 35000, 0, ""))}
    )
    assert (verdict.best.cause.id, verdict.best.confidence) == ("N1", Confidence.POSSIBLE)
    assert "openfire-debug" in verdict.wanted


def test_a_gateways_page_that_comes_after_the_servers_time_for_an_answer_may_be_the_servers_fault() -> None:
    late = har((-29, 30000, 200, EMPTY), (2, 60000, 504, "<html><title>504 Gateway Time-out"))
    best = only({"agent.har": late}).best
    assert (best.cause.id, best.confidence) == ("N2", Confidence.LIKELY)


def test_back_within_the_grace_is_a_reload_only_if_the_page_said_so() -> None:
    verdict = only({"ws.log": webservices(unavailable(10), available(14))})
    assert (verdict.best.cause.id, verdict.best.confidence) == ("A6", Confidence.POSSIBLE)


def test_an_idle_time_that_grew_and_fell_again_is_not_the_last_silence() -> None:
    log = openfire(
        epoch(0), tick(0, 0), tick(30, 12000), tick(60, 9000), tick(90, 39000), tick(120, 69000), closing(120)
    )
    contact = only({"debug.log": log}).incident.contact
    assert contact is not None
    assert round(contact.before - contact.proof.at, 1) == -9.0


def test_a_clock_that_is_set_is_told_as_that_and_as_no_disconnect() -> None:
    log = client(MINE, drift(-180), drift(-120), drift(60, -120_000), drift(120, -120_000))
    verdict = only({"client.log": log})
    assert [f.cause.id for f in verdict.findings] == ["C4"]
    assert verdict.best.hit.facts["seconds"] == -120.0


def test_memory_that_ran_out_goes_before_the_restart_that_it_brought() -> None:
    log = openfire(
        epoch(0),
        tick(0, 0),
        (5, "java.lang.OutOfMemoryError: Java heap space"),
        (10, "HTTPBindLog: HTTP SENT(aa): <body type='terminate' condition='system-shutdown'/>"),
        (10, "HTTP bind service stopped"),
        (40, "HTTP bind service started"),
    )
    found = only({"debug.log": log}).findings
    assert [(f.cause.id, f.confidence.word) for f in found[:2]] == [("S2", "likely"), ("S1", "certain")]


def test_a_restart_that_nobodys_log_line_tells_of_is_told_of_the_site() -> None:
    log = openfire(epoch(0), (1, "HTTP bind service started"), tick(2, 0), (300, "HTTP bind service started"))
    verdict = only({"info.log": log})
    assert (verdict.incident.agent, verdict.best.cause.id) == ("", "S1")


def test_the_cti_links_loss_is_told_even_if_nobody_was_disconnected() -> None:
    log = webservices(
        (0, "CTI_CONNECTION_LOST", "%[side=A]: no answer to 3 heartbeats"),
        (0.1, "SYSTEM_STATUS", "%[status=OUT_OF_SERVICE]"),
        (60, "CTI_CONNECTION_ESTABLISHED", "%[side=A]: Connected to the CTI server"),
    )
    assert only({"ws.log": log}).best.cause.id == "S4"

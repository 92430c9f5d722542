"""The incident of the seed document, from its own lines."""

from __future__ import annotations

from datetime import datetime

from poise.diagnosis.causes import Confidence, Side
from poise.diagnosis.jsonform import as_values
from poise.diagnosis.wording import Words
from tests.unit.diagnosis.evidence_kit import analysed, only, samples

FILES = samples(
    "openfire-debug-finesse-2017.log", "openfire-info-finesse-2017.log", "desktop-webservices-finesse-2017.log"
)


def at(text: str) -> float:
    return datetime.fromisoformat(f"2017-06-17T{text}+05:30").timestamp()


def test_it_is_one_disconnect_of_agent_1001003_whose_client_stopped_polling() -> None:
    verdict = only(FILES)
    assert verdict.incident.agent == "1001003"
    assert (verdict.best.cause.id, verdict.best.cause.side, verdict.best.confidence) == (
        "C1",
        Side.CLIENT,
        Confidence.LIKELY,
    )


def test_last_contact_is_the_interval_in_which_the_last_held_request_began_and_ended() -> None:
    contact = only(FILES).incident.contact
    assert contact is not None
    assert (round(contact.after, 2), round(contact.before, 2)) == (at("00:14:20.770"), at("00:14:50.770"))


def test_the_logs_that_name_no_zone_are_calibrated_by_their_own_epoch_stamps_and_by_their_neighbour() -> None:
    clocks = {file.name: file.clock for file in analysed(FILES).evidence.files}
    assert (
        clocks["openfire-debug-finesse-2017.log"].offset_s
        == clocks["openfire-info-finesse-2017.log"].offset_s
        == 5.5 * 3600
    )
    assert clocks["openfire-debug-finesse-2017.log"].source == "its own epoch stamps"


def test_closing_logout_and_reason_code_are_told_in_the_centres_own_time() -> None:
    told = as_values(analysed(FILES), Words())["disconnects"][0]
    assert told["closed"] == "2017-06-17T00:16:04.000+05:30"
    assert told["unavailable"].startswith("2017-06-17T00:16:04.6")
    assert told["forced_logout"] == "2017-06-17T00:17:04.632+05:30"
    assert told["reason_code"] == 255


def test_it_says_that_the_idle_counter_disagrees_with_its_clock_by_ten_seconds() -> None:
    verdict = only(FILES)
    assert round(verdict.incident.counter_off_s, 1) == 10.0
    assert any("10.0 s" in note for note in Words().notes(verdict))


def test_every_proof_names_file_and_line() -> None:
    told = as_values(analysed(FILES), Words())["disconnects"][0]["findings"][0]["proof"]
    assert told[0]["where"] == "openfire-debug-finesse-2017.log:23"
    assert "13230 ms" in told[0]["text"]


def test_it_says_what_would_make_it_surer() -> None:
    assert only(FILES).wanted == ["client-log", "har"]

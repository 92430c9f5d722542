"""Packet captures: what TCP alone tells, what a key log adds, and what a capture's own gaps do not prove."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from poise.diagnosis import reading
from poise.diagnosis.analysis import Analysis, analyse
from poise.diagnosis.causes import Confidence
from poise.diagnosis.events import Kind
from poise.diagnosis.evidence import Evidence
from poise.diagnosis.opening import Budget
from poise.diagnosis.readers import packets
from poise.protocols.cti.codec import encode
from poise.protocols.cti.messages import Message
from poise.tools.dissecting import Dissector
from tests.support.needs import need
from tests.unit.diagnosis.evidence_kit import SAMPLES, closing, epoch, openfire, tick
from tests.unit.diagnosis.packet_kit import ACK, CLIENT, PSH, RST, SYN, Capture, Secured, answer, poll


@pytest.fixture(scope="module", autouse=True)
def tshark() -> str:
    """What reads the captures."""
    return need("tshark")


def analysed(files: dict[str, bytes]) -> Analysis:
    evidence = Evidence()
    with Dissector() as captures:
        for name, data in files.items():
            reading.read(evidence, name, io.BufferedReader(io.BytesIO(data)), Budget(), captures=captures)
        captures.finish(evidence)
    return analyse(evidence)


def polling(capture: Capture, rounds: int = 3) -> float:
    """Encrypted as nobody can read it, but in the rhythm of long polls; returns when the last answer came."""
    capture.opened(0)
    at = 0.1
    for _ in range(rounds):
        capture.data(at, b"\x17\x03\x03" + bytes(80), client=True)
        at += 30
        capture.data(at, b"\x17\x03\x03" + bytes(57), client=False)
        at += 0.01
    return at


def test_a_client_that_had_every_answer_and_sent_no_more_stopped_polling() -> None:
    capture = Capture()
    last = polling(capture)
    capture.packet(last + 200, ACK, client=True)
    (verdict,) = analysed({"a.pcap": capture.bytes()}).verdicts
    assert (verdict.best.cause.id, verdict.best.confidence) == ("C1", Confidence.LIKELY)
    assert verdict.incident.agent == CLIENT


def test_with_the_reapers_closing_beside_it_that_is_certain_and_has_the_agents_name() -> None:
    capture = Capture()
    last = polling(capture)
    capture.packet(last + 200, ACK, client=True)
    log = openfire(
        epoch(0), tick(60, 0, ip=CLIENT), tick(120, 29000, ip=CLIENT), tick(150, 60000, ip=CLIENT), closing(150)
    )
    (verdict,) = analysed({"a.pcap": capture.bytes(), "debug.log": log.encode()}).verdicts
    assert (verdict.incident.agent, verdict.best.cause.id) == ("1001", "C1")
    assert verdict.best.confidence is Confidence.CERTAIN


def test_bytes_that_nobody_acknowledged_were_dropped_on_the_way() -> None:
    capture = Capture()
    at = polling(capture)
    data = b"\x17\x03\x03" + bytes(80)
    capture.data(at, data, client=True, acknowledged=False)
    capture.again_unheard([at + 0.3, at + 0.9, at + 2.1, at + 4.5, at + 9.3, at + 19, at + 38], data)
    (verdict,) = analysed({"a.pcap": capture.bytes()}).verdicts
    assert (verdict.best.cause.id, verdict.best.confidence) == ("N1", Confidence.LIKELY)


def test_a_reset_from_nearer_than_the_server_was_forged() -> None:
    capture = Capture()
    at = polling(capture)
    capture.data(at, b"\x17\x03\x03" + bytes(80), client=True)
    capture.packet(at + 5, RST | ACK, client=False, ttl=254)
    (verdict,) = analysed({"a.pcap": capture.bytes()}).verdicts
    assert verdict.best.cause.id == "N7"
    assert verdict.best.hit.facts == {"ttl": 254, "usual": 64}


def test_a_refused_port_is_a_service_that_does_not_run() -> None:
    capture = Capture()
    capture.packet(0, SYN, client=True)
    capture.packet(0.001, RST | ACK, client=False)
    assert [v.best.cause.id for v in analysed({"a.pcap": capture.bytes()}).verdicts] == ["S7"]


def test_what_the_capture_itself_lost_is_said_and_makes_less_sure() -> None:
    capture = Capture()
    at = polling(capture)
    capture._sequence[True] += 500  # sent, and not captured
    capture.packet(at + 1, ACK, client=False)
    data = b"\x17\x03\x03" + bytes(80)
    capture.data(at + 2, data, client=True, acknowledged=False)
    capture.again_unheard([at + 2.5, at + 3.5, at + 6, at + 40], data)
    (verdict,) = analysed({"a.pcap": capture.bytes()}).verdicts
    assert {f.cause.id: f.confidence for f in verdict.findings}["A5"] is Confidence.POSSIBLE
    assert "capture-incomplete" in verdict.notes
    assert verdict.best.confidence is not Confidence.CERTAIN


def test_a_quiet_capture_has_no_disconnect_and_says_that_keys_are_missing() -> None:
    capture = Capture()
    polling(capture)
    analysis = analysed({"a.pcap": capture.bytes()})
    assert analysis.verdicts == []
    assert analysis.evidence.files[0].remark == "encrypted"


def secured(folder: Path, issuer: str = "fin1") -> tuple[Capture, Secured]:
    capture = Capture()
    return capture, Secured(capture, folder, issuer)


def test_with_a_key_log_polls_are_read_whatever_file_comes_first(tmp_path: Path) -> None:
    capture, tls = secured(tmp_path)
    tls.opened(0)
    message = "<body xmlns='http://jabber.org/protocol/httpbind'><message to='1001@fin1'>x</message></body>"
    tls.say(1, poll(1), client=True)
    tls.say(2, answer(message), client=False)
    tls.say(2.1, poll(2), client=True)
    tls.say(32.1, answer(), client=False)
    tls.say(32.2, poll(3), client=True)
    tls.say(32.3, answer("<body type='terminate' condition='policy-violation'/>"), client=False)
    analysis = analysed({"a.pcap": capture.bytes(), "keys.log": tls.keys.read_bytes()})
    polls = [(e.agent, e.session, e.word, round(e.second or 0)) for e in analysis.evidence.timeline([Kind.POLL])]
    assert polls == [
        ("1001", "aabbccdd", "data", 1000),
        ("1001", "aabbccdd", "empty", 30000),
        ("1001", "aabbccdd", "terminate:policy-violation", 100),
    ]
    assert [v.best.cause.id for v in analysis.verdicts] == ["C13"]


def test_a_packed_capture_and_keys_in_an_archive_are_read_as_well(tmp_path: Path) -> None:
    capture, tls = secured(tmp_path)
    tls.opened(0)
    tls.say(1, poll(1), client=True)
    tls.say(31, answer(), client=False)
    files = {"a.pcap.gz": gzip.compress(capture.bytes()), "keys.gz": gzip.compress(tls.keys.read_bytes())}
    assert [e.word for e in analysed(files).evidence.timeline([Kind.POLL])] == ["empty"]


def test_a_certificate_of_a_filter_on_the_way_is_named(tmp_path: Path) -> None:
    capture, tls = secured(tmp_path, issuer="Zscaler Intermediate Root CA")
    tls.opened(0)
    tls.say(1, poll(1), client=True)
    tls.say(31, answer("<html>blocked</html>", "404 Not Found"), client=False)
    (verdict,) = analysed({"a.pcap": capture.bytes(), "keys.log": tls.keys.read_bytes()}).verdicts
    n3 = next(f for f in verdict.findings if f.cause.id == "N3")
    assert "Zscaler" in str(n3.hit.facts["issuer"])


def test_a_handshake_that_the_client_refused_is_a_certificate_not_trusted() -> None:
    capture = Capture(port=443)
    capture.opened(0)
    capture.data(0.1, b"\x15\x03\x03\x00\x02\x02\x30", client=True)
    (verdict,) = analysed({"a.pcap": capture.bytes()}).verdicts
    assert (verdict.best.cause.id, verdict.best.hit.facts["what"]) == ("C11", "unknown_ca")


def test_a_damaged_capture_is_read_up_to_the_damage_and_that_is_said() -> None:
    capture = Capture()
    last = polling(capture)
    capture.packet(last + 200, PSH | ACK, bytes(900), client=False)
    analysis = analysed({"a.pcap": capture.bytes()[:-300]})
    assert "tshark could not read all of it" in analysis.evidence.files[0].trouble
    assert analysis.evidence.files[0].understood > 5


def test_what_only_looks_like_a_capture_harms_nothing() -> None:
    junk = b"\xd4\xc3\xb2\xa1" + bytes(range(256)) * 20
    info = (SAMPLES / "openfire-info-finesse-2017.log").read_bytes()
    analysis = analysed({"junk.pcap": junk, "info.log": info})
    assert analysis.evidence.files[0].trouble
    assert len(analysis.verdicts) == 1


def test_without_a_tool_a_capture_is_named_and_not_read() -> None:
    evidence = Evidence()
    reading.read(evidence, "a.pcap", io.BufferedReader(io.BytesIO(Capture().bytes())), Budget())
    assert (evidence.files[0].form, bool(evidence.files[0].trouble)) == (packets.FORM, True)


def test_a_capture_of_the_cti_link_tells_who_was_signed_out_and_why() -> None:
    capture = Capture(port=42027)
    capture.opened(0)
    messages: list[tuple[float, Message, bool]] = [
        (1, Message("AGENT_STATE_EVENT", {"AgentState": 3}, (("AGENT_ID", "1001"),)), False),
        (2, Message("AGENT_STATE_EVENT", {"AgentState": 4}, (("AGENT_ID", "1001"),)), False),
        (9, Message("SET_AGENT_STATE_REQ", {"AgentState": 1, "EventReasonCode": 255}, (("AGENT_ID", "1001"),)), True),
        (10, Message("AGENT_STATE_EVENT", {"AgentState": 1, "EventReasonCode": 255}, (("AGENT_ID", "1001"),)), False),
    ]
    for at, message, client in messages:
        capture.data(at, encode(message, 15), client=client)
    analysis = analysed({"cti.pcap": capture.bytes()})
    told = [(e.kind, e.word, e.number) for e in analysis.evidence.timeline([Kind.CTI_STATE, Kind.CTI_REQUEST])]
    assert told == [
        (Kind.CTI_STATE, "READY", 0),
        (Kind.CTI_REQUEST, "LOGOUT", 255),
        (Kind.CTI_STATE, "LOGOUT", 255),
    ]
    (verdict,) = analysis.verdicts
    assert (verdict.incident.agent, verdict.incident.reason) == ("1001", 255)
    assert analysis.evidence.files[0].remark == ""

"""Hex texts, files and captures as sources of CTI messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from poise.protocols.cti.codec import encode
from poise.protocols.cti.conversation import Skipped
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Side
from poise.protocols.cti.settings import LinkSettings, open_request
from poise.tools.cti_pcap import CaptureError, Endpoint, PcapWriter
from poise.tools.cti_sources import SourceError, file_bytes, from_bytes, from_capture, from_hex, is_capture

BEAT = encode(Message("HEARTBEAT_REQ", {"InvokeID": 9}), 20)
READY = encode(Message("AGENT_STATE_EVENT", {"AgentState": 3}, (("AGENT_ID", "1001"),)), 15)
XXD = "00000000: 0000 0004 0000 0005 0000 0009            ............\n"
WIRESHARK = "0000   00 00 00 04 00 00 00 05 00 00 00 09               ............\n"
HEXDUMP = "00000000  00 00 00 04 00 00 00 05  00 00 00 09              |............|\n"


@pytest.mark.parametrize(
    "text",
    [
        BEAT.hex(),
        BEAT.hex(" "),
        BEAT.hex(":").upper(),
        "0x" + BEAT.hex(),
        ", ".join(f"0x{byte:02x}" for byte in BEAT),
        "".join(f"\\x{byte:02x}" for byte in BEAT),
        BEAT.hex(" ")[:17] + "\n" + BEAT.hex(" ")[17:] + "\n",
        XXD,
        WIRESHARK,
        HEXDUMP,
    ],
)
def test_hex_is_read_however_it_was_copied(text: str) -> None:
    assert from_hex(text) == BEAT


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("00 0g", "'g' is no hexadecimal digit"), ("000", "3 hexadecimal digits"), (" \n", "There are no bytes")],
)
def test_what_is_no_hex_is_named(text: str, complaint: str) -> None:
    with pytest.raises(SourceError, match=complaint):
        from_hex(text)


def test_a_file_may_hold_bytes_or_their_hex(tmp_path: Path) -> None:
    file = tmp_path / "bytes"
    for content in (BEAT, BEAT.hex().encode(), WIRESHARK.encode(), READY):
        file.write_bytes(content)
        assert not is_capture(file)
        assert file_bytes(file) in (BEAT, READY)
    file.write_bytes(b"")
    with pytest.raises(SourceError, match="is empty"):
        file_bytes(file)


def test_several_messages_and_a_torn_last_one() -> None:
    one, two, rest = from_bytes(BEAT + BEAT + BEAT[:5], client=True)
    assert one.item == two.item == Message("HEARTBEAT_REQ", {"InvokeID": 9})
    assert isinstance(rest.item, Skipped)


def capture(file: Path, port: int, *, handshake: bool = True, drop: bool = False) -> None:
    """A session on that port; the server's bytes in segments of 7, one of them perhaps missing."""
    opening = open_request(LinkSettings((Side("A", "a.example", 1),)), 15, 1)
    with file.open("wb") as opened:
        PcapWriter.begin(opened)
        writer = PcapWriter(opened, Endpoint("10.0.0.1", 50001), Endpoint("10.0.0.2", port), segment_bytes=7)
        if handshake:
            writer.opened(1.0)
            writer.data(1.0, encode(opening, 15), client=True)
        writer.data(2.0, READY[:40], client=False)
        if drop:
            writer._sequence[False] += 7
        writer.data(2.0, READY[40 + (7 if drop else 0) :] + READY, client=False)
        writer.closed(3.0, client=True)


@pytest.mark.parametrize("port", [42027, 5555])
def test_a_session_is_found_by_its_port_or_by_how_it_begins(tmp_path: Path, tshark: str, port: int) -> None:
    capture(tmp_path / "one.pcap", port)
    opening, *events = from_capture(tmp_path / "one.pcap")
    assert opening.said.client
    assert (str(opening.client), str(opening.server)) == ("10.0.0.1:50001", f"10.0.0.2:{port}")
    assert [event.said.version for event in events] == [15, 15]
    assert all(isinstance(event.said.item, Message) for event in events)


def test_a_capture_that_began_later_is_read_all_the_same(tmp_path: Path, tshark: str) -> None:
    capture(tmp_path / "late.pcap", 42027, handshake=False)
    events = list(from_capture(tmp_path / "late.pcap"))
    assert [event.said.client for event in events] == [False, False], "the port tells who is the server"
    assert all(isinstance(event.said.item, Message) for event in events)
    assert events[0].said.item == Message("AGENT_STATE_EVENT", events[0].said.item.fields, (("AGENT_ID", "1001"),))  # type: ignore[union-attr]


def test_a_segment_the_capture_lacks_costs_its_message_and_is_named(tmp_path: Path, tshark: str) -> None:
    capture(tmp_path / "gap.pcap", 42027, drop=True)
    said = [heard.said.item for heard in from_capture(tmp_path / "gap.pcap")]
    gaps = [item for item in said if isinstance(item, Skipped)]
    assert "7 bytes are missing after these" in [gap.why for gap in gaps]
    assert isinstance(said[-1], Message)
    assert said[-1].agent_id == "1001"


def test_a_capture_without_a_cti_session_says_so(tmp_path: Path, tshark: str) -> None:
    file = tmp_path / "other.pcap"
    with file.open("wb") as opened:
        PcapWriter.begin(opened)
        writer = PcapWriter(opened, Endpoint("10.0.0.1", 50001), Endpoint("10.0.0.2", 80))
        writer.opened(1.0)
        writer.data(1.0, b"GET / HTTP/1.1\r\n\r\n", client=True)
    with pytest.raises(CaptureError, match="holds no CTI session"):
        list(from_capture(file))

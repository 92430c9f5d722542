"""The codec against worked examples and against bytes that are not what they say."""

from __future__ import annotations

import pytest

from poise.protocols.cti.codec import CtiError, Framer, Malformed, decode, encode
from poise.protocols.cti.constants import Status
from poise.protocols.cti.messages import Message, NamedArrayElement, NamedVariable

OPEN_REQ = Message(
    "OPEN_REQ",
    {
        "InvokeID": 1,
        "VersionNumber": 20,
        "IdleTimeout": 120,
        "PeripheralID": 5000,
        "ServicesRequested": 0x96,
        "CallMsgMask": 0x0FFFFFFF,
        "AgentStateMask": 0x3FFF,
        "ConfigMsgMask": 15,
        "Reserved1": 0,
        "Reserved2": 0,
        "Reserved3": 0,
    },
    (("CLIENT_ID", "Desk"), ("CLIENT_PASSWORD", b"")),
)
OPEN_CONF = Message(
    "OPEN_CONF",
    {
        "InvokeID": 1,
        "ServicesGranted": 0x96,
        "MonitorID": 1,
        "PGStatus": 0,
        "ICMCentralControllerTime": 1_700_000_000,
        "PeripheralOnline": 1,
        "PeripheralType": 17,
        "AgentState": 9,
        "DepartmentID": 0,
    },
    (("NUM_PERIPHERALS", 1), ("PERIPHERAL_ID", 5000), ("MULTI_LINE_AGENT_CONTROL", 0)),
)
FORCED_LOGOUT = Message(
    "SET_AGENT_STATE_REQ",
    {
        "InvokeID": 7,
        "PeripheralID": 5000,
        "AgentState": 1,
        "AgentWorkMode": 0,
        "NumSkillGroups": 0,
        "EventReasonCode": 255,
        "ForcedFlag": 1,
        "AgentServiceReq": 1,
    },
    (("AGENT_INSTRUMENT", "1001003"), ("AGENT_ID", "1001003")),
)
WORKED_EXAMPLES = [
    (
        20,
        OPEN_REQ,
        "000000390000000300000001000000140000007800001388000000960fffffff00003fff0000000f000000000000000000000000"
        "000100054465736b0000020000",
    ),
    (
        20,
        OPEN_CONF,
        "0000003200000004000000010000009600000001000000006553f1000001001100090000000000e40002000100d000040000138800e0"
        "00020000",
    ),
    (
        20,
        FORCED_LOGOUT,
        "0000002d00000026000000070000138800010000000000ff0100000001000600083130303130303300000500083130303130303300",
    ),
    (15, Message("HEARTBEAT_REQ", {"InvokeID": 9}), "000000040000000500000009"),
    (
        20,
        Message("CONTROL_FAILURE_CONF", {"InvokeID": 8, "FailureCode": 34, "PeripheralErrorCode": 20119}),
        "0000000a0000002300000008002200004e97",
    ),
]


@pytest.mark.parametrize(("version", "message", "hexadecimal"), WORKED_EXAMPLES, ids=lambda value: str(value)[:24])
def test_worked_examples_are_written_and_read_as_published(version: int, message: Message, hexadecimal: str) -> None:
    wire = bytes.fromhex(hexadecimal)
    assert encode(message, version) == wire
    assert Framer(version).feed(wire) == [message]


def test_tags_take_one_byte_until_version_19_and_two_from_version_20() -> None:
    message = Message("SYSTEM_EVENT", {"SystemEventID": 5}, (("TEXT", "hi"),))
    assert encode(message, 19).endswith(b"\x07\x03hi\0")
    assert encode(message, 20).endswith(b"\x00\x07\x00\x03hi\0")


def test_a_field_appears_on_the_wire_from_the_version_that_brought_it() -> None:
    message = Message("OPEN_CONF", {"DepartmentID": -7, "SessionType": 2})
    old, middle, new = (decode(4, encode(message, version)[8:], version).fields for version in (18, 19, 24))
    assert "DepartmentID" not in old
    assert "SessionType" not in old
    assert middle["DepartmentID"] == -7
    assert "SessionType" not in middle
    assert new["SessionType"] == 2


def test_a_tag_younger_than_the_version_is_left_out() -> None:
    message = Message("CONFIG_AGENT_EVENT", {"NumRecords": 1}, (("LOGIN_ID", "1001"), ("SSO_ENABLED", 0)))
    assert [name for name, _ in decode(237, encode(message, 19)[8:], 19).floats] == ["LOGIN_ID"]
    assert [name for name, _ in decode(237, encode(message, 20)[8:], 20).floats] == ["LOGIN_ID", "SSO_ENABLED"]


def test_messages_arrive_whole_however_the_stream_is_cut() -> None:
    wire = b"".join(bytes.fromhex(text) for version, _, text in WORKED_EXAMPLES if version == 20)
    expected = [message for version, message, _ in WORKED_EXAMPLES if version == 20]
    for size in (1, 3, 7, 50, len(wire)):
        framer = Framer(20)
        found = [item for at in range(0, len(wire), size) for item in framer.feed(wire[at : at + size])]
        assert found == expected


def test_an_unknown_message_type_is_kept_and_written_back() -> None:
    wire = bytes.fromhex("00000003000003e8616263")
    (message,) = Framer(20).feed(wire)
    assert message == Message("MESSAGE_1000", raw=b"abc")
    assert encode(message, 20) == wire


def test_an_unknown_tag_is_kept_and_written_back() -> None:
    wire = bytes.fromhex("0000000c0000000500000001ff00000401020304")
    (message,) = Framer(20).feed(wire)
    assert message == Message("HEARTBEAT_REQ", {"InvokeID": 1}, (("TAG_65280", b"\1\2\3\4"),))
    assert encode(message, 20) == wire


def test_a_missing_final_nul_is_forgiven() -> None:
    assert decode(5, bytes.fromhex("00000001000500043130303131"[:24]), 20).text("AGENT_ID") == "1001"


def test_text_ends_at_its_first_nul() -> None:
    assert decode(5, b"\0\0\0\1\0\5\0\7" + b"10\x0001\0\0", 20).text("AGENT_ID") == "10"


def test_names_in_utf_8_and_in_latin_1_are_both_read() -> None:
    for raw in ("José".encode(), "José".encode("latin-1")):
        floats = b"\0\x89" + len(raw).to_bytes(2, "big") + raw
        assert decode(237, b"\0\1" + floats, 20).text("FIRST_NAME") == "José"


def test_a_number_of_unexpected_width_stays_raw() -> None:
    message = decode(5, b"\0\0\0\1\0\x57\0\4\0\0\0\4", 20)
    assert message.floats == (("AGENT_FLAGS", b"\0\0\0\4"),)
    assert message.number("AGENT_FLAGS") is None


def test_named_variables_and_arrays_round_trip() -> None:
    message = Message(
        "CALL_DATA_UPDATE_EVENT",
        {"NumNamedVariables": 1, "NumNamedArrays": 1},
        (("NAMED_VARIABLE", NamedVariable("user.a", "x")), ("NAMED_ARRAY", NamedArrayElement(3, "user.b", ""))),
    )
    assert decode(25, encode(message, 15)[8:], 15).floats == message.floats


def test_failure_conf_is_understood_in_both_printed_forms() -> None:
    short = decode(1, bytes.fromhex("0000000700000001"), 24)
    long = decode(1, bytes.fromhex("000000070022 00004e97".replace(" ", "")), 24)
    assert short.fields == {"InvokeID": 7, "Status": 1}
    assert long.fields == {"InvokeID": 7, "FailureCode": 34, "PeripheralErrorCode": 20119}
    assert encode(long, 24)[8:] == bytes.fromhex("0000000700220000" + "4e97")


def test_statistics_have_their_documented_number_of_counters() -> None:
    assert len(encode(Message("QUERY_AGENT_STATISTICS_CONF"), 20)) == 8 + 8 + 84 * 4
    group = decode(115, bytes(16 + 145 * 4), 20)
    assert {"RouterCallsQNow", "AvailTimeTo5", "LongestCallQToday"} <= group.fields.keys()


@pytest.mark.parametrize(
    ("number", "body"),
    [
        (30, b"\0" * 20),  # fixed part cut off
        (5, b"\0\0\0\1\0"),  # half a tag
        (5, b"\0\0\0\1\0\5\0\x09abc"),  # floating field past the end
        (3, b"\0\0"),
    ],
)
def test_lengths_that_do_not_add_up_raise(number: int, body: bytes) -> None:
    with pytest.raises(CtiError):
        decode(number, body, 20)


def test_a_malformed_message_costs_only_itself() -> None:
    bad = bytes.fromhex("000000050000000500000007ff")
    good = bytes.fromhex("000000040000000500000009")
    first, second = Framer(20).feed(bad + good)
    assert isinstance(first, Malformed)
    assert (first.number, first.invoke_id, first.error.status) == (5, 7, Status.INVALID_FIELD_LENGTH)
    assert second == Message("HEARTBEAT_REQ", {"InvokeID": 9})


def test_a_message_that_declares_108_of_its_116_bytes_ends_the_stream() -> None:
    body = bytes(34) + b"\0\7\0\x4e" + b"x" * 78
    assert len(body) == 116
    with pytest.raises(CtiError):
        Framer(20).feed((108).to_bytes(4, "big") + (37).to_bytes(4, "big") + body)


def test_a_giant_length_ends_the_stream_at_once() -> None:
    with pytest.raises(CtiError, match="over the limit"):
        Framer(20).feed(bytes.fromhex("7fffffff00000005"))
    with pytest.raises(CtiError):
        Framer(20, max_message=16).feed(bytes.fromhex("0000000900000005"))


def test_a_message_of_exactly_the_limit_goes_and_comes() -> None:
    message = Message("HEARTBEAT_REQ", {"InvokeID": 1}, (("TAG_1000", b"x" * (12500 - 8 - 4 - 4)),))
    wire = encode(message, 20)
    assert len(wire) == 12500
    assert Framer(20).feed(wire) == [message]
    with pytest.raises(CtiError, match="over the limit"):
        Framer(20).feed((12493).to_bytes(4, "big") + wire[4:8])


def test_named_variables_fit_their_documented_251_bytes() -> None:
    fits = NamedVariable("n" * 32, "v" * 217)
    assert len(encode(Message("HEARTBEAT_REQ", {}, (("NAMED_VARIABLE", fits),)), 20)) == 8 + 4 + 4 + 251
    with pytest.raises(CtiError):
        encode(Message("HEARTBEAT_REQ", {}, (("NAMED_VARIABLE", NamedVariable("n" * 32, "v" * 218)),)), 20)


@pytest.mark.parametrize(
    "message",
    [
        Message("NO_SUCH_MESSAGE"),
        Message("HEARTBEAT_REQ", {"InvokeId": 1}),
        Message("HEARTBEAT_REQ", {"InvokeID": -1}),
        Message("HEARTBEAT_REQ", {"InvokeID": 1 << 32}),
        Message("HEARTBEAT_REQ", {}, (("NO_SUCH_TAG", 1),)),
        Message("HEARTBEAT_REQ", {}, (("AGENT_ID", "1" * 12),)),  # 12 with its NUL is the limit
        Message("HEARTBEAT_REQ", {}, (("AGENT_ID", "10\0" + "01"),)),
        Message("HEARTBEAT_REQ", {}, (("AGENT_ID", "\ud800"),)),
        Message("HEARTBEAT_REQ", {}, (("AGENT_ID", 1001),)),
        Message("HEARTBEAT_REQ", {}, (("AGENT_FLAGS", "4"),)),
        Message("HEARTBEAT_REQ", {}, (("AGENT_FLAGS", 1 << 16),)),
        Message("HEARTBEAT_REQ", {}, (("TAG_65536", b""),)),
        Message("HEARTBEAT_REQ", {}, (("NAMED_VARIABLE", "x"),)),
        Message("HEARTBEAT_REQ", {}, (("NAMED_ARRAY", NamedArrayElement(256, "a", "b")),)),
        Message("HEARTBEAT_REQ", {}, (("TAG_1000", b"x" * 12500),)),
        Message("MESSAGE_x"),
    ],
    ids=lambda message: f"{message.name}-{message.fields}-{str(message.floats)[:30]}",
)
def test_what_cannot_be_written_raises_and_nothing_is_cut_short(message: Message) -> None:
    with pytest.raises(CtiError):
        encode(message, 20)


def test_a_tag_too_large_for_one_byte_cannot_be_written_in_version_15() -> None:
    with pytest.raises(CtiError):
        encode(Message("HEARTBEAT_REQ", {}, (("TAG_1000", b""),)), 15)

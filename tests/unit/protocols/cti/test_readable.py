"""What was said in a CTI session, as people and programs read it."""

from __future__ import annotations

import json

from poise.protocols.cti.codec import encode
from poise.protocols.cti.conversation import Conversation, Said
from poise.protocols.cti.enumerations import ENUMERATIONS, MASKS, symbol, symbols
from poise.protocols.cti.layout import layout
from poise.protocols.cti.messages import FloatValue, Message, NamedArrayElement, NamedVariable
from poise.protocols.cti.readable import as_json, lines, server_trace, title

Floats = tuple[tuple[str, FloatValue], ...]


def said(name: str, fields: dict[str, int], floats: Floats = (), *, client: bool = False) -> Said:
    """One message, as read from the wire."""
    (one,) = Conversation(20).feed(encode(Message(name, fields, floats), 20), client=client)
    return one


DELIVERED = said(
    "CALL_DELIVERED_EVENT",
    {"ConnectionCallID": 77, "EventCause": 1032, "LocalConnectionState": 2, "ServiceID": 0xFFFFFFFF},
    (
        ("CONNECTION_DEVID", "1001"),
        ("NAMED_VARIABLE", NamedVariable("user.cust", "42")),
        ("NAMED_ARRAY", NamedArrayElement(2, "user.list", "b")),
        ("TAG_9999", b"\1\2"),
        ("CED", "4711#"),
    ),
)


def test_every_field_has_its_line_with_the_name_of_its_value() -> None:
    told = lines(DELIVERED)
    assert told[0] == f"server > client  CALL_DELIVERED_EVENT (9)  {DELIVERED.size} bytes, version 20"
    assert "    LocalConnectionState: 2 (ALERTING)" in told
    assert "    EventCause: 1032 (UNMONITORED_DEVICE)" in told
    assert "    ServiceID: 4294967295 (null)" in told
    assert told[-5:] == [
        "    [25] CONNECTION_DEVID: '1001'",
        "    [82] NAMED_VARIABLE: user.cust = '42'",
        "    [83] NAMED_ARRAY: user.list[2] = 'b'",
        "    [9999] unknown tag: 01 02",
        "    [12] CED: ****",
    ]


def test_the_same_as_json() -> None:
    told = json.loads(json.dumps(as_json(DELIVERED)))
    assert (told["from"], told["message"], told["type"], told["version"]) == ("server", "CALL_DELIVERED_EVENT", 9, 20)
    assert told["fields"]["ConnectionCallID"] == 77
    assert told["symbols"]["LocalConnectionState"] == "ALERTING"
    assert told["floats"] == [
        {"tag": 25, "name": "CONNECTION_DEVID", "value": "1001"},
        {"tag": 82, "name": "NAMED_VARIABLE", "value": {"name": "user.cust", "value": "42"}},
        {"tag": 83, "name": "NAMED_ARRAY", "value": {"position": 2, "name": "user.list", "value": "b"}},
        {"tag": 9999, "name": "TAG_9999", "value": "0102"},
        {"tag": 12, "name": "CED", "value": "****"},
    ]


def test_masks_are_spelled_out() -> None:
    one = said("OPEN_REQ", {"VersionNumber": 20, "ServicesRequested": 0x14}, (("CLIENT_ID", "x"),), client=True)
    assert "    ServicesRequested: 0x00000014 (CLIENT_CONTROL|ALL_EVENTS)" in lines(one)


def test_passwords_never_appear() -> None:
    floats: Floats = (("CLIENT_PASSWORD", b"hunter2"), ("AGENT_PASSWORD", "hunter2"))
    one = said("OPEN_REQ", {"VersionNumber": 20}, floats, client=True)
    for text in ("\n".join(lines(one)), json.dumps(as_json(one)), server_trace(one)):
        assert "hunter2" not in text
        assert "68 75 6e 74" not in text
        assert "68756e74" not in text
        assert "****" in text


def test_the_form_of_the_cti_servers_own_trace() -> None:
    one = said(
        "QUERY_SKILL_GROUP_STATISTICS_REQ",
        {"InvokeID": 0x1B65F, "PeripheralID": 5000, "SkillGroupNumber": 28353, "SkillGroupID": 0xFFFFFFFF},
        client=True,
    )
    assert server_trace(one) == (
        "MsgType:QUERY_SKILL_GROUP_STATISTICS_REQ (InvokeID:0x1b65f PeripheralID:5000 SkillGroupNumber:28353 "
        "SkillGroupID:N/A )"
    )


def test_what_could_not_be_read_is_shown_as_bytes() -> None:
    conversation = Conversation(20)
    (malformed,) = conversation.feed(b"\0\0\0\x05\0\0\0\x06\0\0\0\1\0", client=False)
    assert title(malformed).startswith("server > client  HEARTBEAT_CONF (6) malformed: 1 bytes are left over")
    assert lines(malformed)[1] == "    0000  00 00 00 01 00"
    assert as_json(malformed)["raw"] == "0000000100"
    conversation.feed(b"abc", client=True)
    (skipped,) = conversation.ended(client=True)
    assert lines(skipped) == [
        "client > server  3 bytes skipped: the stream ends within a message",
        "    0000  61 62 63",
    ]
    assert as_json(skipped) == {
        "from": "client",
        "bytes": 3,
        "error": "the stream ends within a message",
        "raw": "616263",
    }


def test_long_unreadable_bytes_are_cut_short_and_say_so() -> None:
    conversation = Conversation(20)
    (one,) = conversation.feed(b"\0\0\x04\0\0\0\x03\xe7" + b"x" * 1024, client=False)
    assert lines(one)[-1] == "    ... 512 bytes more"


def test_enumerations_and_masks_are_of_fields_and_tags_that_exist() -> None:
    known = {field.name for message in layout().messages.values() for field in message.fixed}
    assert ENUMERATIONS.keys() | MASKS.keys() <= known | layout().tag_by_name.keys()
    assert symbol("AgentState", 8) == "RESERVED"
    assert symbol("AgentState", 99) == ""
    assert symbol("ConnectionCallID", 8) == ""
    assert symbols("EventCause")[1052] == "CALLED_PARTY_DISCONNECTED"

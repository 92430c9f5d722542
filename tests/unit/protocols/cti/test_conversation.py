"""A CTI session read from outside: versions named and guessed, bytes lost, cut and strange."""

from __future__ import annotations

import pytest

from poise.protocols.cti.codec import Malformed, encode
from poise.protocols.cti.conversation import Conversation, Said, Skipped, guess_version, plausible
from poise.protocols.cti.messages import Message
from poise.protocols.cti.outputs import Side
from poise.protocols.cti.settings import LinkSettings, open_request

READY = Message("AGENT_STATE_EVENT", {"AgentState": 3}, (("AGENT_ID", "1001"), ("AGENT_EXTENSION", "1001")))
BEAT = Message("HEARTBEAT_CONF", {"InvokeID": 7})


def opening(version: int) -> bytes:
    """An OPEN_REQ of that version."""
    return encode(open_request(LinkSettings((Side("A", "a.example", 1),)), version, 1), version)


def names(said: list[Said]) -> list[str]:
    return [one.item.name if isinstance(one.item, Message) else type(one.item).__name__ for one in said]


@pytest.mark.parametrize("version", [13, 15, 18, 20, 24, 25])
def test_the_version_open_req_names_is_that_of_both_sides(version: int) -> None:
    conversation = Conversation()
    (first,) = conversation.feed(opening(version), client=True)
    assert (first.client, first.version, first.size) == (True, version, len(opening(version)))
    (event,) = conversation.feed(encode(READY, version), client=False)
    assert isinstance(event.item, Message)
    assert event.item.floats == READY.floats


@pytest.mark.parametrize("version", [15, 18, 20, 24])
def test_a_session_whose_beginning_was_not_heard_is_read_in_a_guessed_version(version: int) -> None:
    conversation = Conversation()
    said = conversation.feed(encode(BEAT, version) + encode(READY, version), client=False)
    assert names(said) == ["HEARTBEAT_CONF", "AGENT_STATE_EVENT"]
    assert isinstance(said[1].item, Message)
    assert said[1].item.floats == READY.floats


def test_a_message_without_floats_says_nothing_of_its_version() -> None:
    assert guess_version(6, b"\0\0\0\1") is None
    assert guess_version(4711, b"\0\0\0\1") is None


def test_messages_come_out_whole_however_the_bytes_are_cut() -> None:
    data = opening(20) + encode(Message("HEARTBEAT_REQ", {"InvokeID": 2}), 20)
    conversation = Conversation()
    said = [one for byte in data for one in conversation.feed(bytes((byte,)), client=True)]
    assert names(said) == ["OPEN_REQ", "HEARTBEAT_REQ"]
    assert conversation.ended(client=True) == []


def test_a_reading_that_begins_inside_a_message_finds_the_next_one() -> None:
    conversation = Conversation(20)
    (torn, whole) = conversation.feed(b"\xff\xfe\xfd1001\0" + encode(READY, 20), client=False)
    assert isinstance(torn.item, Skipped)
    assert torn.item.data == b"\xff\xfe\xfd1001\0"
    assert isinstance(whole.item, Message)


def test_lost_bytes_cost_the_messages_they_belong_to_and_no_others() -> None:
    conversation = Conversation(20)
    data = encode(READY, 20)
    assert conversation.feed(data[:30], client=False) == []
    (gap,) = conversation.lost(40, client=False)
    assert isinstance(gap.item, Skipped)
    assert (gap.item.data, gap.item.why) == (data[:30], "40 bytes are missing after these")
    said = conversation.feed(data[-9:] + encode(BEAT, 20), client=False)
    assert names(said) == ["Skipped", "HEARTBEAT_CONF"]


def test_a_stream_that_ends_within_a_message_says_so() -> None:
    conversation = Conversation(20)
    conversation.feed(encode(READY, 20)[:-1], client=False)
    (rest,) = conversation.ended(client=False)
    assert isinstance(rest.item, Skipped)
    assert rest.item.why == "the stream ends within a message"


def test_a_message_whose_lengths_lie_is_told_as_malformed_and_the_next_is_read() -> None:
    wrong = b"\0\0\0\x09\0\0\0\x06\0\0\0\1\0\5\0\x09a"
    said = Conversation(20).feed(wrong + encode(BEAT, 20), client=False)
    assert names(said) == ["Malformed", "HEARTBEAT_CONF"]
    assert isinstance(said[0].item, Malformed)
    assert said[0].item.body == wrong[8:]


def test_unknown_message_types_are_believed_as_long_as_the_stream_is_in_step() -> None:
    unknown = b"\0\0\0\2\0\0\x03\xe7ab"
    assert not plausible(unknown)
    assert names(Conversation(20).feed(encode(BEAT, 20) + unknown, client=False)) == ["HEARTBEAT_CONF", "MESSAGE_999"]

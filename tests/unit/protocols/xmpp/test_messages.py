"""Stories of messages between users: who gets them, and what happens when nobody is there (RFC 6121 section 8.5)."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.delivery import StoredOffline
from poise.protocols.xmpp.host import HostPolicy
from poise.protocols.xmpp.xml import Element
from tests.unit.protocols.xmpp.host_story import Recorder, Stage, condition

TYPES = ("normal", "chat", "headline", "groupchat", "error")


def say(stage: Stage, sender: Recorder, to: str, kind: str = "chat", inside: str = "<body>hi</body>") -> None:
    address = f" to='{to}'" if to else ""
    stage.send(sender, f"<message xmlns='jabber:client' type='{kind}'{address}>{inside}</message>")


def test_a_message_arrives_as_it_was_written_but_from_whom_it_really_is() -> None:
    stage = Stage()
    sender, friend = stage.join("1001"), stage.join("1002")
    stage.send(
        sender,
        "<message xmlns='jabber:client' from='boss@localhost' id='7' type='chat' xml:lang='pt' to='1002@localhost'>"
        "<body>a &lt;b&gt; &amp; \U0010ffff</body><x xmlns='custom' y='&quot;'/></message>",
    )
    message = friend.only()
    assert dict(message.attrs) == {
        "from": "1001@localhost/desktop",
        "id": "7",
        "type": "chat",
        "xml:lang": "pt",
        "to": "1002@localhost",
    }
    assert message.children == (
        Element("body", "jabber:client", {}, ("a <b> & \U0010ffff",)),
        Element("x", "custom", {"y": '"'}),
    )


def test_an_agent_cannot_pass_as_the_pubsub_service() -> None:
    stage = Stage()
    forger, victim = stage.join("1001"), stage.join("1002")
    event = "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='/finesse/api/User/1002'/></event>"
    stage.send(forger, f"<message xmlns='jabber:client' from='pubsub.localhost' to='1002@localhost'>{event}</message>")
    assert victim.only().attrs["from"] == forger.jid


def test_messages_keep_their_order() -> None:
    stage = Stage()
    sender, friend = stage.join("1001"), stage.join("1002")
    for number in range(200):
        say(stage, sender, "1002@localhost" if number % 2 else friend.jid, inside=f"<body>{number}</body>")
    bodies = [stanza.child("body") for stanza in friend.take()]
    assert [body.text for body in bodies if body is not None] == [str(number) for number in range(200)]


def test_a_message_to_a_user_goes_to_the_highest_priority_then_to_the_latest() -> None:
    stage = Stage()
    sender = stage.join("1001")
    first, best, latest = stage.join("1002", "a"), stage.join("1002", "b", 5), stage.join("1002", "c")
    for client in (first, best, latest):
        client.raw.clear()
    say(stage, sender, "1002@localhost")
    assert (len(first.take()), len(best.take()), len(latest.take())) == (0, 1, 0)
    stage.leave(best)
    for client in (first, latest):
        client.raw.clear()
    say(stage, sender, "1002@localhost")
    assert (len(first.take()), len(latest.take())) == (0, 1)


def test_a_headline_goes_to_all_resources_that_are_not_negative() -> None:
    stage = Stage()
    sender = stage.join("1001")
    clients = [stage.join("1002", "a"), stage.join("1002", "b", 5), stage.join("1002", "c", -1)]
    for client in clients:
        client.raw.clear()
    say(stage, sender, "1002@localhost", "headline")
    assert [len(client.take()) for client in clients] == [1, 1, 0]


def test_a_negative_resource_gets_only_what_is_addressed_to_it() -> None:
    stage = Stage()
    sender, shy = stage.join("1001"), stage.join("1002", priority=-1)
    say(stage, sender, "1002@localhost")
    assert shy.take() == []
    assert [event.kept for event in stage.events(StoredOffline)] == [True]
    for kind in TYPES:
        say(stage, sender, shy.jid, kind)
    assert [message.attrs["type"] for message in shy.take()] == list(TYPES)


def test_a_connected_resource_that_is_not_available_gets_what_is_addressed_to_it() -> None:
    stage = Stage()
    sender, quiet = stage.join("1001"), stage.bind("1002")
    say(stage, sender, quiet.jid)
    assert quiet.only().name == "message"


@pytest.mark.parametrize(
    ("to", "kind", "outcome"),
    [
        ("1002@localhost", "normal", "kept"),
        ("1002@localhost", "chat", "kept"),
        ("1002@localhost", "headline", "dropped"),
        ("1002@localhost", "groupchat", "refused"),
        ("1002@localhost", "error", "dropped"),
        ("1002@localhost", "unheard-of", "kept"),
        ("1002@localhost/gone", "normal", "refused"),
        ("1002@localhost/gone", "chat", "kept"),
        ("1002@localhost/gone", "headline", "dropped"),
        ("1002@localhost/gone", "groupchat", "refused"),
        ("1002@localhost/gone", "error", "dropped"),
        ("9999@localhost", "normal", "refused"),
        ("9999@localhost", "chat", "refused"),
        ("9999@localhost", "error", "dropped"),
        ("finesse@localhost", "chat", "refused"),
        ("localhost", "normal", "refused"),
        ("pubsub.localhost", "normal", "refused"),
        ("1002@pubsub.localhost", "chat", "refused"),
        ("pubsub.localhost", "error", "dropped"),
    ],
)
def test_when_nobody_is_there_the_kind_of_message_decides(to: str, kind: str, outcome: str) -> None:
    stage = Stage()
    sender = stage.join("1001")
    say(stage, sender, to, kind)
    answers = [condition(stanza) for stanza in sender.take()]
    kept = [event.kept for event in stage.events(StoredOffline)]
    assert (answers, kept) == {
        "kept": ([], [True]),
        "dropped": ([], []),
        "refused": ([("cancel", "service-unavailable")], []),
    }[outcome]


@pytest.mark.parametrize(
    ("kind", "reaches"), [("normal", 0), ("chat", 1), ("headline", 0), ("groupchat", 0), ("error", 0)]
)
def test_only_chat_to_a_resource_that_is_gone_reaches_another(kind: str, reaches: int) -> None:
    stage = Stage()
    sender, other = stage.join("1001"), stage.join("1002", "phone")
    say(stage, sender, "1002@localhost/gone", kind)
    assert len(other.take()) == reaches


def test_a_message_to_nobody_in_particular_is_to_oneself() -> None:
    stage = Stage()
    sender = stage.join("1001")
    say(stage, sender, "")
    message = sender.only()
    assert (message.attrs["from"], message.attrs["to"]) == (sender.jid, "1001@localhost")


@pytest.mark.parametrize("inside", ["", "<active xmlns='http://jabber.org/protocol/chatstates'/>", "<body/>"])
def test_without_words_a_message_is_not_kept(inside: str) -> None:
    stage = Stage()
    sender = stage.join("1001")
    say(stage, sender, "1002@localhost", inside=inside)
    assert (sender.take(), stage.events(StoredOffline)) == ([], [])


def test_kept_messages_come_in_order_with_the_time_they_were_sent() -> None:
    stage = Stage()
    stage.host.wall_offset = 1_500_000_000.0
    sender = stage.join("1001")
    say(stage, sender, "1002@localhost", inside="<body>one</body>")
    stage.now += 90
    say(stage, sender, "1002@localhost", inside="<body>two</body>")
    friend = stage.bind("1002")
    stage.send(friend, "<presence xmlns='jabber:client'/>")
    messages = [stanza for stanza in friend.take() if stanza.name == "message"]
    told = []
    for message in messages:
        body, delay = message.child("body"), message.child("delay", "urn:xmpp:delay")
        assert body is not None
        assert delay is not None
        told.append((body.text, delay.attrs["stamp"], delay.attrs["from"]))
    assert told == [("one", "2017-07-14T02:56:40Z", "localhost"), ("two", "2017-07-14T02:58:10Z", "localhost")]
    other = stage.bind("1002", "phone")
    stage.send(other, "<presence xmlns='jabber:client'/>")
    assert [stanza for stanza in other.take() if stanza.name == "message"] == []
    assert stage.host.counters.messages_stored == stage.host.counters.messages_handed_out == 2


def test_a_message_kept_twice_tells_of_the_first_time() -> None:
    stage = Stage()
    stage.host.wall_offset = 1_500_000_000.0
    say(stage, stage.join("1001"), "1002@localhost")
    friend = stage.join("1002")
    stage.leave(friend)
    first = stage.bind("1002")
    stage.now += 60
    say(stage, stage.join("1001"), "1002@localhost")
    stage.send(first, "<presence xmlns='jabber:client'/>")
    undelivered = [first.raw[-1]]
    stage.leave(first, undelivered)
    stage.now += 60
    second = stage.bind("1002")
    stage.send(second, "<presence xmlns='jabber:client'/>")
    assert second.raw[-1] == undelivered[0]
    assert second.raw[-1].count(b"<delay") == 1


def test_without_wall_time_kept_messages_carry_no_invented_stamp() -> None:
    stage = Stage()
    say(stage, stage.join("1001"), "1002@localhost")
    friend = stage.bind("1002")
    stage.send(friend, "<presence xmlns='jabber:client'/>")
    assert friend.take()[-1].child("delay") is None


def test_a_negative_priority_does_not_get_the_kept_messages_until_it_rises() -> None:
    stage = Stage()
    say(stage, stage.join("1001"), "1002@localhost")
    shy = stage.join("1002", priority=-1)
    stage.send(shy, "<presence xmlns='jabber:client'/>")
    assert [stanza.name for stanza in shy.take()] == ["presence", "message"]


@pytest.mark.parametrize(
    "policy",
    [
        HostPolicy(offline_messages_per_user=2),
        HostPolicy(offline_bytes_per_user=300),
        HostPolicy(offline_bytes_total=300),
    ],
)
def test_when_the_store_is_full_the_sender_is_told_and_others_messages_stay(policy: HostPolicy) -> None:
    stage = Stage(policy)
    sender = stage.join("1001")
    for number in range(3):
        say(stage, sender, "1002@localhost", inside=f"<body>{number}</body>")
    assert condition(sender.only()) == ("cancel", "service-unavailable")
    assert stage.host.counters.messages_bounced == 1
    friend = stage.bind("1002")
    stage.send(friend, "<presence xmlns='jabber:client'/>")
    assert len([stanza for stanza in friend.take() if stanza.name == "message"]) == 2
    say(stage, sender, "1003@localhost")
    assert sender.take() == []

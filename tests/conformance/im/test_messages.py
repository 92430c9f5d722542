"""Who gets a message, and what happens when nobody is there (RFC 6121 sections 5 and 8.5, XEP-0160)."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tests.conformance.people import BINDINGS, DELAY, Element, People, Person, condition, single
from tests.conformance.targets import BOSH, Serve


def say(sender: Person, to: str, kind: str = "chat", inside: str = "<body>hi</body>") -> None:
    sender.say(f"<message to='{to}' type='{kind}'>{inside}</message>")


def bodies(messages: list[Element]) -> list[str]:
    return [message.the("body").text for message in messages]


@pytest.mark.parametrize("binding", BINDINGS)
def test_P10_a_message_arrives_as_it_was_written_but_from_whom_it_really_is(people: People, binding: str) -> None:
    sender, friend = people.join("1001", binding=binding), people.join("1002", binding=binding)
    sender.say(
        "<message id='7' type='chat' xml:lang='pt' to='1002@localhost'><body>a &lt;b&gt; &amp; \U0010ffff</body>"
        "<x xmlns='custom' y='&quot;'/></message>"
    )
    message = friend.only()
    assert {key: message.attrs[key] for key in ("from", "id", "type", "xml:lang")} == {
        "from": sender.jid,
        "id": "7",
        "type": "chat",
        "xml:lang": "pt",
    }
    assert message.the("body").text == "a <b> & \U0010ffff"
    assert message.the("x", "custom").attrs == {"y": '"'}


@pytest.mark.parametrize("kind", ["chat", "normal"])
def test_P10_a_message_to_an_account_goes_to_the_most_available_resource(people: People, kind: str) -> None:
    sender = people.join("1001")
    low, best = people.join("1002", "low"), people.join("1002", "best", priority=5)
    shy = people.join("1002", "shy", priority=-1)
    for person in (low, best):
        person.take()
    say(sender, "1002@localhost", kind)
    assert [bodies(person.messages()) for person in (low, best, shy)] == [[], ["hi"], []]


def test_P10_a_headline_goes_to_all_resources_that_are_not_negative(people: People) -> None:
    sender = people.join("1001")
    persons = [people.join("1002", "a"), people.join("1002", "b", priority=5), people.join("1002", "c", priority=-1)]
    say(sender, "1002@localhost", "headline")
    assert [len(person.messages()) for person in persons] == [1, 1, 0]


@pytest.mark.parametrize("there", [True, False], ids=["there", "absent"])
def test_P10_groupchat_to_an_account_is_refused(people: People, there: bool) -> None:
    sender = people.join("1001")
    friend = people.join("1002") if there else None
    say(sender, "1002@localhost", "groupchat")
    assert condition(sender.hear("message"))[1] == "service-unavailable"
    assert friend is None or friend.messages() == []


def test_P10_an_error_to_an_account_is_dropped(people: People) -> None:
    sender, friend = people.join("1001"), people.join("1002")
    say(sender, "1002@localhost", "error")
    assert (sender.messages(), friend.messages()) == ([], [])


@pytest.mark.parametrize("kind", ["normal", "headline", "groupchat", "error"])
def test_P11_a_message_to_a_resource_that_is_gone_reaches_no_other_and_waits_for_none(
    people: People, kind: str
) -> None:
    sender, other = people.join("1001"), people.join("1002", "phone")
    say(sender, "1002@localhost/gone", kind)
    assert other.messages() == []
    other.leave()
    people.server.settle()
    say(sender, "1002@localhost/gone", kind)
    back = people.bind("1002", "gone")
    back.say("<presence/>")
    assert back.messages() == []


def test_P11_chat_to_a_resource_that_is_gone_reaches_another(people: People) -> None:
    sender, other = people.join("1001"), people.join("1002", "phone")
    say(sender, "1002@localhost/gone")
    assert bodies(other.messages()) == ["hi"]


@pytest.mark.parametrize("kind", ["chat", "normal"])
def test_P13_a_message_to_nobody_is_refused(people: People, kind: str) -> None:
    sender = people.join("1001")
    say(sender, "9999@localhost", kind)
    assert condition(sender.hear("message"))[1] == "service-unavailable"


def test_P13_an_error_and_a_subscription_to_nobody_are_not_answered_as_if_by_somebody(people: People) -> None:
    sender = people.join("1005")
    say(sender, "9999@localhost", "error")
    assert sender.messages() == []
    sender.say("<presence type='subscribe' to='9999@localhost'/>")
    assert [stanza.attrs["type"] for stanza in sender.presences() if stanza.attrs.get("type") == "subscribed"] == []
    sender.say("<presence type='unsubscribe' to='9999@localhost'/>")
    answer = sender.ask("get", "<query xmlns='jabber:iq:version'/>", "9999@localhost")
    assert condition(answer)[1] == "service-unavailable"


@pytest.mark.parametrize("binding", BINDINGS)
def test_P14_messages_wait_for_the_absent_in_order_and_with_their_time(people: People, binding: str) -> None:
    sender = people.join("1001")
    for number in range(10):
        say(sender, "1002@localhost", "chat" if number % 2 else "normal", f"<body>{number}</body>")
    people.server.settle()
    friend = people.bind("1002", binding=binding)
    assert friend.messages() == []
    friend.say("<presence/>")
    messages = friend.messages()
    assert bodies(messages) == [str(number) for number in range(10)]
    for message in messages:
        stamp = message.the("delay", DELAY).attrs["stamp"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", stamp), stamp
    again = people.bind("1002", "again", binding)
    again.say("<presence/>")
    assert again.messages() == []


def test_P14_a_negative_resource_does_not_get_them_until_its_priority_rises(people: People) -> None:
    say(people.join("1001"), "1002@localhost")
    people.server.settle()
    shy = people.bind("1002")
    shy.say("<presence><priority>-1</priority></presence>")
    assert shy.messages() == []
    shy.say("<presence/>")
    assert bodies(shy.messages()) == ["hi"]


@pytest.mark.parametrize(
    ("kind", "inside"),
    [
        ("headline", "<body>x</body>"),
        ("groupchat", "<body>x</body>"),
        ("error", "<body>x</body>"),
        ("chat", "<active xmlns='http://jabber.org/protocol/chatstates'/>"),
        ("normal", "<event xmlns='http://jabber.org/protocol/pubsub#event'/>"),
    ],
    ids=["headline", "groupchat", "error", "chat state", "no body"],
)
def test_P14_other_messages_do_not_wait(people: People, kind: str, inside: str) -> None:
    say(people.join("1001"), "1002@localhost", kind, inside)
    people.server.settle()
    friend = people.bind("1002")
    friend.say("<presence/>")
    assert friend.messages() == []


def test_P14_the_server_says_that_messages_wait(people: People) -> None:
    query = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
    found = people.join("1001").ask("get", query, "localhost").the("query")
    assert "msgoffline" in {feature.attrs.get("var") for feature in found.elements()}


def test_P14_SEC26_when_the_store_is_full_the_sender_is_told_and_what_waits_stays(serve: Serve) -> None:
    people = People(serve(replace(BOSH, small=True)))
    sender = people.join("1001")
    for number in range(4):
        say(sender, "1002@localhost", inside=f"<body>{number}</body>")
    refused = single(sender.messages())
    assert condition(refused)[1] == "service-unavailable"
    friend = people.bind("1002")
    friend.say("<presence/>")
    assert bodies(friend.messages()) == ["0", "1", "2"]
    people.go()


def test_P14_what_a_lost_session_had_not_collected_goes_on(people: People) -> None:
    sender, friend = people.join("1001"), people.join("1002", binding="bosh")
    friend.cut()
    say(sender, "1002@localhost")
    people.server.settle()
    people.server.pass_time(8)
    again = people.bind("1002", "again")
    again.say("<presence/>")
    assert bodies(again.messages()) == ["hi"]

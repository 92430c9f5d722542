"""Who hears that somebody came, changed or went, and how often (RFC 6121 section 4)."""

from __future__ import annotations

import pytest

from tests.conformance.people import BINDINGS, Element, People, Person, condition, ok, single
from tests.conformance.targets import Server


def statuses(person: Person) -> list[str]:
    return [stanza.the("status").text for stanza in person.presences() if stanza.child("status")]


def of(stanzas: list[Element], jid: str) -> list[str]:
    """Types of the presences of that JID."""
    return [stanza.attrs.get("type", "available") for stanza in stanzas if stanza.attrs.get("from") == jid]


@pytest.mark.parametrize("binding", BINDINGS)
def test_P01_initial_presence_comes_back_and_own_resources_learn_of_each_other(people: People, binding: str) -> None:
    desk = people.join("1001", binding=binding)
    phone = people.bind("1001", "phone", binding)
    phone.say("<presence><show>away</show></presence>")
    seen = phone.presences()
    assert {stanza.attrs["from"] for stanza in seen} == {phone.jid, desk.jid}
    assert [stanza.the("show").text for stanza in seen if stanza.attrs["from"] == phone.jid] == ["away"]
    told = single(desk.presences())
    assert (told.attrs["from"], told.the("show").text) == (phone.jid, "away")


@pytest.mark.parametrize("priority", ["200", "-129", "abc", "", "1.5"])
def test_P02_a_priority_that_is_none_is_a_bad_request_and_changes_nothing(people: People, priority: str) -> None:
    other = people.join("1001", "other")
    desk = people.bind("1001")
    desk.say(f"<presence><priority>{priority}</priority></presence>")
    assert condition(desk.hear("presence"))[1] == "bad-request"
    assert other.presences() == []


@pytest.mark.parametrize("priority", ["-128", "127", "0"])
def test_P02_priorities_from_minus_128_to_127_count(people: People, priority: str) -> None:
    people.join("1001", "other", priority=-1 if priority == "-128" else 0)
    desk = people.bind("1001")
    desk.say(f"<presence><priority>{priority}</priority></presence>")
    assert of(desk.presences(), desk.jid) == ["available"]


def test_P03_a_negative_resource_gets_only_what_is_addressed_to_it(people: People) -> None:
    sender, shy = people.join("1001"), people.join("1002", priority=-1)
    sender.say(f"<message to='{shy.bare}' type='chat'><body>account</body></message>")
    assert shy.messages() == []
    sender.say(f"<message to='{shy.jid}' type='chat'><body>resource</body></message>")
    assert [message.the("body").text for message in shy.messages()] == ["resource"]
    sender.say(f"<iq type='get' id='x' to='{shy.jid}'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert shy.hear("iq").attrs["id"] == "x"


def test_P04_a_change_is_told_again_and_nobody_is_probed(people: People) -> None:
    desk, phone = people.join("1001"), people.join("1001", "phone")
    desk.take()
    desk.say("<presence><show>dnd</show><status>lunch</status><priority>3</priority></presence>")
    told = single(phone.presences())
    assert (told.the("show").text, told.the("status").text, told.the("priority").text) == ("dnd", "lunch", "3")
    assert of(desk.presences(), phone.jid) == []


def test_P05_unavailable_is_told_with_its_status_and_the_session_stays(people: People) -> None:
    desk, phone = people.join("1001"), people.join("1001", "phone")
    sender = people.join("1002")
    desk.say("<presence type='unavailable'><status>bye</status></presence>")
    told = single(phone.presences())
    assert (told.attrs["type"], told.the("status").text) == ("unavailable", "bye")
    desk.take()
    sender.say("<message to='1001@localhost' type='chat'><body>account</body></message>")
    assert (len(phone.messages()), desk.messages()) == (1, [])
    assert ok(desk.ask("get", "<ping xmlns='urn:xmpp:ping'/>"))


def passes(server: Server, binding: str, way: str) -> None:
    """Time for a server to notice, where there is no end of a connection to notice."""
    server.settle()
    if binding == "bosh" and way == "cut":
        server.pass_time(4.5)  # the held request's time
        server.pass_time(3.5)  # and the limit of inactivity


@pytest.mark.parametrize("way", ["leave", "cut"])
@pytest.mark.parametrize("binding", BINDINGS)
def test_P06_however_a_session_ends_others_hear_it_once(people: People, binding: str, way: str) -> None:
    desk = people.join("1001", binding=binding)
    own, friend, stranger = people.join("1001", "phone"), people.join("1002"), people.join("1003")
    desk.say(f"<presence to='{friend.jid}'/>")
    assert of(friend.presences(), desk.jid) == ["available"]
    own.take()
    if way == "cut":
        desk.cut()
    else:
        desk.leave()
    passes(people.server, binding, way)
    assert of(own.presences(), desk.jid) == ["unavailable"]
    assert of(friend.presences(), desk.jid) == ["unavailable"]
    assert stranger.presences() == []


def test_P06_P07_directed_presence_of_who_never_was_available_ends_with_the_session(people: People) -> None:
    desk, friend = people.bind("1001"), people.join("1002")
    desk.say(f"<presence to='{friend.jid}'/>")
    assert of(friend.presences(), desk.jid) == ["available"]
    desk.cut()
    people.server.settle()
    assert of(friend.presences(), desk.jid) == ["unavailable"]


def test_P07_directed_presence_is_taken_back_once(people: People) -> None:
    desk, friend = people.join("1001"), people.join("1002")
    desk.say(f"<presence to='{friend.jid}'/>")
    desk.say("<presence type='unavailable'/>")
    assert of(friend.presences(), desk.jid) == ["available", "unavailable"]
    desk.leave()
    people.server.settle()
    assert friend.presences() == []


def test_P07_after_directed_unavailable_the_target_hears_no_more(people: People) -> None:
    desk, friend = people.join("1001"), people.join("1002")
    desk.say(f"<presence to='{friend.jid}'/>")
    desk.say(f"<presence to='{friend.jid}' type='unavailable'/>")
    assert of(friend.presences(), desk.jid) == ["available", "unavailable"]
    desk.say("<presence type='unavailable'/>")
    assert of(friend.presences(), desk.jid) == []


def test_P08_presence_to_a_resource_reaches_it_alone_and_to_an_account_all_available(people: People) -> None:
    desk = people.join("1001")
    one, two, silent = people.join("1002", "one"), people.join("1002", "two"), people.bind("1002", "silent")
    for person in (one, two):
        person.take()
    desk.say(f"<presence to='{two.jid}'/>")
    assert [of(person.presences(), desk.jid) for person in (one, two, silent)] == [[], ["available"], []]
    desk.say(f"<presence to='{one.bare}'><status>all</status></presence>")
    assert [statuses(person) for person in (one, two, silent)] == [["all"], ["all"], []]


@pytest.mark.parametrize("to", ["1002@localhost", "1002@localhost/desktop"])
def test_P09_a_probe_leaks_nothing(people: People, to: str) -> None:
    desk, friend = people.join("1001"), people.join("1002")
    desk.say(f"<presence type='probe' to='{to}'/>")
    assert [stanza for stanza in desk.presences() if stanza.attrs.get("type") is None] == []
    assert friend.presences() == []


def test_P09_presence_of_strangers_is_not_told(people: People) -> None:
    desk = people.join("1001")
    people.join("1002")
    assert desk.presences() == []


def test_SEC31_a_flapping_priority_is_others_smallest_trouble(people: People) -> None:
    desk, other = people.join("1001"), people.join("1001", "phone", priority=5)
    for number in range(1000):
        desk.say(f"<presence><priority>{number % 2}</priority><status>{number}</status></presence>")
    desk.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
    assert len(other.presences()) <= 100
    people.server.pass_time(2)
    assert statuses(other)[-1:] == ["999"]

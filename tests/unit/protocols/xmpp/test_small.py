"""Stories of the small protocols: version, time, last activity, vCard, private storage, ping, caps (P16-P20, SEC26)."""

from __future__ import annotations

import pytest

from poise import __version__
from poise.protocols.xmpp.host import HostPolicy
from poise.protocols.xmpp.xml import Element
from tests.unit.protocols.xmpp.host_story import PUBSUB, Recorder, Stage, condition

PING = "<ping xmlns='urn:xmpp:ping'/>"
CARD = "<vCard xmlns='vcard-temp'>{}</vCard>"
PRIVATE = "<query xmlns='jabber:iq:private'>{}</query>"


def inside(answer: Element) -> Element:
    assert answer.attrs["type"] == "result", condition(answer)
    return next(answer.elements())


@pytest.mark.parametrize("to", ["", "1001@localhost", "localhost", PUBSUB])
def test_P16_the_server_and_its_services_answer_a_ping(to: str) -> None:
    stage = Stage()
    assert stage.ask(stage.join("1001"), "get", PING, to).attrs["type"] == "result"


def test_P16_clients_ping_each_other() -> None:
    stage = Stage()
    one, two = stage.join("1001"), stage.join("1002")
    stage.send(one, f"<iq xmlns='jabber:client' type='get' id='p' to='{two.jid}'>{PING}</iq>")
    asked = two.only()
    assert (asked.attrs["from"], asked.attrs["id"], next(asked.elements()).ns) == (one.jid, "p", "urn:xmpp:ping")
    stage.send(two, f"<iq xmlns='jabber:client' type='result' id='p' to='{one.jid}'/>")
    assert one.only().attrs["type"] == "result"


@pytest.mark.parametrize("answer", ["result", "error"])
def test_P16_the_server_pings_a_client_and_needs_no_answer_but_a_sign_of_life(answer: str) -> None:
    stage = Stage()
    client = stage.join("1001")
    stage.host.ping(client)
    stage.deliver()
    ping = client.only()
    assert (ping.attrs["type"], ping.attrs["from"], ping.attrs["to"]) == ("get", "localhost", client.jid)
    assert next(ping.elements()).ns == "urn:xmpp:ping"
    stage.send(client, f"<iq xmlns='jabber:client' type='{answer}' id='{ping.attrs['id']}' to='localhost'/>")
    assert client.take() == []
    stage.host.ping(client)
    stage.deliver()
    undelivered = client.raw.pop()
    stage.leave(client, [undelivered])  # nobody waits for the answer


def test_P19_the_server_says_what_it_is() -> None:
    stage = Stage()
    answer = inside(stage.ask(stage.join("1001"), "get", "<query xmlns='jabber:iq:version'/>", "localhost"))
    assert [(child.name, child.text) for child in answer.elements()] == [("name", "Poise"), ("version", __version__)]


def test_P19_the_server_says_what_time_it_is_when_it_knows() -> None:
    stage = Stage()
    client = stage.join("1001")
    ask = "<time xmlns='urn:xmpp:time'/>"
    assert condition(stage.ask(client, "get", ask, "localhost")) == ("cancel", "service-unavailable")
    stage.host.wall_offset = 1_700_000_000.0 - stage.now
    stage.now += 100
    answer = inside(stage.ask(client, "get", ask, "localhost"))
    assert [(child.name, child.text) for child in answer.elements()] == [
        ("tzo", "+00:00"),
        ("utc", "2023-11-14T22:15:00Z"),
    ]


def test_P19_the_server_says_how_long_it_runs_and_that_one_is_here() -> None:
    stage = Stage()
    client = stage.join("1001")
    stage.now += 3661.9
    ask = "<query xmlns='jabber:iq:last'/>"
    assert inside(stage.ask(client, "get", ask, "localhost")).attrs["seconds"] == "3661"
    assert inside(stage.ask(client, "get", ask)).attrs["seconds"] == "0"
    for other in ("1002@localhost", "9999@localhost"):
        assert condition(stage.ask(client, "get", ask, other)) == ("cancel", "service-unavailable")


def test_P18_a_vcard_is_kept_and_read_by_others() -> None:
    stage = Stage()
    one, two = stage.join("1001"), stage.join("1002")
    assert inside(stage.ask(one, "get", CARD.format(""))) == Element("vCard", "vcard-temp")
    answer = stage.ask(one, "set", CARD.format("<FN>A &amp; B</FN><N><GIVEN>\U0001f600</GIVEN></N>"))
    assert (answer.attrs["type"], answer.children) == ("result", ())
    for client, to in ((one, ""), (one, "1001@localhost"), (two, "1001@localhost")):
        card = inside(stage.ask(client, "get", CARD.format(""), to))
        assert card.children == (
            Element("FN", "vcard-temp", {}, ("A & B",)),
            Element("N", "vcard-temp", {}, (Element("GIVEN", "vcard-temp", {}, ("\U0001f600",)),)),
        )
    stage.ask(one, "set", CARD.format(""))
    assert inside(stage.ask(one, "get", CARD.format(""))).children == ()


def test_P18_no_vcard_looks_like_no_user_and_nobody_changes_anothers() -> None:
    stage = Stage()
    client = stage.join("1001")
    for other in ("1002@localhost", "9999@localhost"):
        assert condition(stage.ask(client, "get", CARD.format(""), other)) == ("cancel", "service-unavailable")
        assert condition(stage.ask(client, "set", CARD.format("<FN>x</FN>"), other)) == ("auth", "forbidden")


def test_P17_private_storage_keeps_each_element_by_name_and_namespace() -> None:
    stage = Stage()
    client = stage.join("1001")
    both = "<a xmlns='one' x='1'>&lt;&#13;</a><a xmlns='two'/><b xmlns='one'><c/></b>"
    assert stage.ask(client, "set", PRIVATE.format(both)).attrs["type"] == "result"

    def stored(wanted: str) -> Element:
        return next(inside(stage.ask(client, "get", PRIVATE.format(wanted))).elements())

    assert stored("<a xmlns='one'/>") == Element("a", "one", {"x": "1"}, ("<\r",))
    assert stored("<a xmlns='two'/>") == Element("a", "two")
    assert stored("<b xmlns='one'/>").children == (Element("c", "one"),)
    assert stored("<nothing xmlns='one'/>") == Element("nothing", "one")
    stage.ask(client, "set", PRIVATE.format("<a xmlns='one'/>"))
    assert stored("<a xmlns='one'/>") == Element("a", "one")
    other = stage.join("1002")
    answer = inside(stage.ask(other, "get", PRIVATE.format("<b xmlns='one'/>")))
    assert next(answer.elements()).children == ()


@pytest.mark.parametrize(
    ("kind", "child", "expected"),
    [
        ("get", "", "not-acceptable"),
        ("get", "<a xmlns='b'/><c xmlns='b'/>", "not-acceptable"),
        ("set", "", "not-acceptable"),
        ("set", "<a xmlns='jabber:iq:private'/>", "bad-request"),
    ],
)
def test_P17_private_storage_asked_wrongly(kind: str, child: str, expected: str) -> None:
    stage = Stage()
    assert condition(stage.ask(stage.join("1001"), kind, PRIVATE.format(child)))[1] == expected


@pytest.mark.parametrize("kind", ["get", "set"])
@pytest.mark.parametrize("to", ["1002@localhost", "9999@localhost"])
def test_P17_private_storage_is_private(kind: str, to: str) -> None:
    stage = Stage()
    answer = stage.ask(stage.join("1001"), kind, PRIVATE.format("<a xmlns='b'/>"), to)
    assert condition(answer) == ("auth", "forbidden")


def put(stage: Stage, client: Recorder, name: str, size: int) -> Element:
    return stage.ask(client, "set", PRIVATE.format(f"<{name} xmlns='b'>{'x' * size}</{name}>"))


def test_SEC26_documents_are_bounded_one_by_one_for_each_user_and_together() -> None:
    policy = HostPolicy(document_bytes=200, document_bytes_per_user=400, documents_per_user=3, document_bytes_total=600)
    stage = Stage(policy)
    one, two = stage.join("1001"), stage.join("1002")
    assert condition(put(stage, one, "a", 200)) == ("modify", "policy-violation")
    card = stage.ask(one, "set", CARD.format("<PHOTO>" + "x" * 200 + "</PHOTO>"))
    assert condition(card) == ("modify", "policy-violation")
    for name in ("a", "b"):
        assert put(stage, one, name, 150).attrs["type"] == "result"
    assert condition(put(stage, one, "c", 150)) == ("modify", "policy-violation")
    assert put(stage, one, "c", 1).attrs["type"] == "result"
    assert condition(put(stage, one, "d", 1)) == ("modify", "policy-violation")
    assert put(stage, two, "a", 150).attrs["type"] == "result"
    assert condition(put(stage, two, "b", 150)) == ("wait", "resource-constraint")
    assert put(stage, two, "a", 100).attrs["type"] == "result"
    assert put(stage, one, "a", 0).attrs["type"] == "result"
    assert put(stage, two, "b", 100).attrs["type"] == "result"
    assert stage.host._documents._total == sum(stage.host._documents._sizes.values())


def test_P20_the_capabilities_in_a_presence_are_passed_on() -> None:
    stage = Stage()
    one, two = stage.join("1001"), stage.join("1001", "phone")
    caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://client.example' ver='x='/>"
    one.raw.clear()
    stage.send(two, f"<presence xmlns='jabber:client'>{caps}</presence>")
    element = one.only().child("c", "http://jabber.org/protocol/caps")
    assert element is not None
    assert dict(element.attrs) == {"hash": "sha-1", "node": "http://client.example", "ver": "x="}
    info = "<query xmlns='http://jabber.org/protocol/disco#info' node='http://client.example#x='/>"
    stage.send(one, f"<iq xmlns='jabber:client' type='get' id='d' to='{two.jid}'>{info}</iq>")
    assert next(two.take()[-1].elements()).attrs["node"] == "http://client.example#x="

"""Roster, ping, private storage, vCard, version, time, last activity, discovery, capabilities (P12, P15-P22)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.c2s.dialogue import SASL, Stream, bind, plain
from tests.conformance.people import Element, People, Person, condition, inside, ok, single
from tests.conformance.targets import BOSH, DOMAIN, Serve, Server

PING = "<ping xmlns='urn:xmpp:ping'/>"
CARD = "<vCard xmlns='vcard-temp'>{}</vCard>"
PRIVATE = "<query xmlns='jabber:iq:private'>{}</query>"
ROSTER = "<query xmlns='jabber:iq:roster'>{}</query>"
INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"
ITEMS = "<query xmlns='http://jabber.org/protocol/disco#items'/>"
REFUSALS = {"forbidden", "service-unavailable", "not-allowed", "item-not-found", "subscription-required"}


def features(answer: Element) -> set[str]:
    return {child.attrs["var"] for child in inside(answer).elements() if child.name == "feature"}


def identities(answer: Element) -> set[tuple[str, str]]:
    found = [child for child in inside(answer).elements() if child.name == "identity"]
    return {(identity.attrs["category"], identity.attrs["type"]) for identity in found}


@pytest.mark.parametrize("child", [PING, INFO, ITEMS, CARD.format("")], ids=["ping", "info", "items", "card"])
def test_P12_a_request_to_an_account_is_answered_by_the_server_itself(people: People, child: str) -> None:
    desk, phone = people.join("1001"), people.join("1001", "phone")
    desk.take()
    answer = desk.ask("get", child, desk.bare)
    assert answer.attrs.get("from", desk.bare) == desk.bare
    assert [stanza for stanza in phone.take() + desk.take() if stanza.name == "iq"] == []


def test_P15_the_roster_is_got_by_its_owner_alone(people: People) -> None:
    desk = people.join("1001")
    roster = inside(desk.ask("get", ROSTER.format("")))
    assert roster.ns == "jabber:iq:roster"
    for kind, item in (("get", ""), ("set", "<item jid='x@localhost'/>")):
        assert condition(desk.ask(kind, ROSTER.format(item), "1002@localhost"))[1] in REFUSALS


@pytest.mark.parametrize(
    "item",
    [
        "<item jid='x@localhost'><group></group></item>",
        "<item jid='x@localhost'><group>a</group><group>a</group></item>",
        "<item jid='x@localhost'/><item jid='y@localhost'/>",
        "<item/>",
        "",
    ],
    ids=["empty group", "group twice", "two items", "no jid", "no item"],
)
def test_P15_what_is_no_change_of_a_roster_is_refused(people: People, item: str) -> None:
    assert not ok(people.join("1001").ask("set", ROSTER.format(item)))


def test_P15_nobody_changes_the_roster_for_the_server(people: People) -> None:
    desk = people.join("1001")
    before = inside(desk.ask("get", ROSTER.format("")))
    assert condition(desk.ask("set", ROSTER.format("<item jid='x@localhost'/>")))[1] == "not-allowed"
    assert inside(desk.ask("get", ROSTER.format(""))) == before
    entry = single(before.elements())
    assert (entry.attrs["jid"], entry.attrs["subscription"]) == ("finesse@localhost", "both")


def test_P15_a_pushed_roster_from_another_client_goes_nowhere(people: People) -> None:
    forger, victim = people.join("1001"), people.join("1002")
    push = ROSTER.format("<item jid='evil@localhost' subscription='both'/>")
    forger.say(f"<iq type='set' id='push' to='{victim.jid}'>{push}</iq>")
    pushed = [stanza.attrs.get("from") for stanza in victim.take() if stanza.name == "iq"]
    assert pushed in ([], [forger.jid])


@pytest.mark.parametrize("to", ["", "localhost", "1001@localhost", "pubsub.localhost"])
def test_P16_the_server_its_services_and_the_own_account_answer_a_ping(people: People, to: str) -> None:
    assert ok(people.join("1001").ask("get", PING, to))


def test_P16_clients_ping_each_other(people: People) -> None:
    one, two = people.join("1001"), people.join("1002", binding="websocket")
    one.say(f"<iq type='get' id='p' to='{two.jid}'>{PING}</iq>")
    asked = two.hear("iq")
    assert (asked.attrs["from"], asked.attrs["id"], next(asked.elements()).ns) == (one.jid, "p", "urn:xmpp:ping")
    two.say(f"<iq type='result' id='p' to='{one.jid}'/>")
    assert one.hear("iq", id_="p").attrs["from"] == two.jid


def stored(desk: Person, wanted: str) -> Element:
    return next(inside(desk.ask("get", PRIVATE.format(wanted))).elements())


def test_P17_private_storage_keeps_each_element_by_name_and_namespace(people: People) -> None:
    desk = people.join("1001")
    for element in ("<a xmlns='one' x='1'>&lt;</a>", "<a xmlns='two'/>", "<b xmlns='one'><c/></b>"):
        assert ok(desk.ask("set", PRIVATE.format(element)))
    assert stored(desk, "<a xmlns='one'/>") == Element("a", "one", {"x": "1"}, ("<",))
    assert stored(desk, "<b xmlns='one'/>").children == (Element("c", "one", {}, ()),)
    assert stored(desk, "<nothing xmlns='one'/>") == Element("nothing", "one", {}, ())
    assert stored(people.join("1002"), "<b xmlns='one'/>").children == ()


@pytest.mark.parametrize("kind", ["get", "set"])
def test_P17_private_storage_asked_for_nothing_is_refused(people: People, kind: str) -> None:
    assert condition(people.join("1001").ask(kind, PRIVATE.format("")))[1] in ("not-acceptable", "bad-request")


@pytest.mark.parametrize("kind", ["get", "set"])
def test_P17_private_storage_is_private(people: People, kind: str) -> None:
    people.join("1002")
    answer = people.join("1001").ask(kind, PRIVATE.format("<a xmlns='one'/>"), "1002@localhost")
    assert condition(answer)[1] in REFUSALS


def test_P18_a_vcard_is_kept_and_read_by_others(people: People) -> None:
    one, two = people.join("1001"), people.join("1002")
    assert ok(one.ask("set", CARD.format("<FN>A &amp; B</FN>")))
    for person, to in ((one, ""), (two, one.bare)):
        assert inside(person.ask("get", CARD.format(""), to)).the("FN").text == "A & B"


def test_P18_without_a_vcard_one_has_an_empty_one_or_none(people: People) -> None:
    answer = people.join("1003").ask("get", CARD.format(""))
    if ok(answer):
        assert [card.children for card in answer.elements()] in ([()], [])
    else:
        assert condition(answer)[1] == "item-not-found"


def test_P18_nobody_changes_anothers_and_nobody_has_none(people: People) -> None:
    desk = people.join("1001")
    assert condition(desk.ask("set", CARD.format("<FN>x</FN>"), "1002@localhost"))[1] in REFUSALS
    assert condition(desk.ask("get", CARD.format(""), "9999@localhost"))[1] in REFUSALS


def test_P19_the_server_says_what_it_is_what_time_it_is_and_how_long_it_runs(people: People) -> None:
    desk = people.join("1001")
    version = inside(desk.ask("get", "<query xmlns='jabber:iq:version'/>", DOMAIN))
    assert version.the("name").text
    assert version.the("version").text
    now = inside(desk.ask("get", "<time xmlns='urn:xmpp:time'/>", DOMAIN))
    assert now.the("utc").text.endswith("Z")
    assert ":" in now.the("tzo").text or now.the("tzo").text == "Z"
    last = inside(desk.ask("get", "<query xmlns='jabber:iq:last'/>", DOMAIN))
    assert last.attrs["seconds"].isdecimal()


def test_P19_anothers_last_activity_is_nobodys_business(people: People) -> None:
    answer = people.join("1001").ask("get", "<query xmlns='jabber:iq:last'/>", "1002@localhost")
    assert condition(answer)[1] in REFUSALS


def test_P19_everything_says_what_it_is(people: People) -> None:
    desk = people.join("1001")
    assert ("server", "im") in identities(desk.ask("get", INFO, DOMAIN))
    assert ("account", "registered") in identities(desk.ask("get", INFO, desk.bare))
    assert {"http://jabber.org/protocol/disco#info", "http://jabber.org/protocol/disco#items"} <= features(
        desk.ask("get", INFO, DOMAIN)
    )


def test_P19_an_account_has_no_items_and_that_is_no_error(people: People) -> None:
    desk = people.join("1001")
    assert [child for child in inside(desk.ask("get", ITEMS, desk.bare)).elements() if child.name != "item"] == []


def test_P19_anothers_account_says_nothing_to_strangers(people: People) -> None:
    answer = people.join("1001").ask("get", INFO, "1002@localhost")
    assert condition(answer)[1] in REFUSALS


def test_P19_a_node_is_mirrored_or_not_found(people: People) -> None:
    desk = people.join("1001")
    answer = desk.ask("get", INFO.replace("/>", " node='nowhere'/>"), DOMAIN)
    assert condition(answer)[1] == "item-not-found"


def test_P19_discovery_of_a_resource_is_passed_on(people: People) -> None:
    one, two = people.join("1001"), people.join("1002")
    query = INFO.replace("/>", " node='a#b'/>")
    one.say(f"<iq type='get' id='d' to='{two.jid}'>{query}</iq>")
    asked = two.hear("iq", id_="d")
    assert (asked.attrs["from"], next(asked.elements()).attrs["node"]) == (one.jid, "a#b")


def test_P20_capabilities_are_passed_on_and_none_are_believed(people: People) -> None:
    one, two = people.join("1001"), people.join("1001", "phone")
    one.take()
    caps = "<c xmlns='http://jabber.org/protocol/caps' hash='sha-1' node='http://client.example' ver='forged' ext='x'/>"
    two.say(f"<presence>{caps}</presence>")
    told = single(one.presences())
    assert told.the("c", "http://jabber.org/protocol/caps").attrs["ver"] == "forged"
    query = INFO.replace("/>", " node='http://client.example#forged'/>")
    assert condition(one.ask("get", query, DOMAIN))[1] == "item-not-found"


def test_P20_the_server_answers_for_the_capabilities_it_announces(server: Server, people: People) -> None:
    caps = Stream(server).features().find("{http://jabber.org/protocol/caps}c")
    desk = people.join("1001")
    node = f"{caps.get('node')}#{caps.get('ver')}" if caps is not None else ""
    answer = desk.ask("get", INFO.replace("/>", f" node='{node}'/>" if node else "/>"), DOMAIN)
    assert inside(answer).attrs.get("node", "") == node
    assert features(answer) == features(desk.ask("get", INFO, DOMAIN))


def test_P21_nobody_registers_an_account(server: Server, people: People) -> None:
    stream = Stream(server)
    offered = {feature.tag for feature in stream.features()}
    assert "{http://jabber.org/features/iq-register}register" not in offered
    stream.say("<iq type='get' id='r'><query xmlns='jabber:iq:register'/></iq>")
    try:
        assert stream.answer("r").get("type") == "error"
    except AssertionError:
        assert stream.refused() in ("not-authorized", "policy-violation")
    wanted = "<query xmlns='jabber:iq:register'><username>new</username><password>new</password></query>"
    assert not ok(people.join("1001").ask("set", wanted, DOMAIN))


ADVERTISED = {
    "urn:xmpp:carbons:2": ("set", "<enable xmlns='urn:xmpp:carbons:2'/>"),
    "jabber:iq:private": ("get", PRIVATE.format("<a xmlns='b'/>")),
    "vcard-temp": ("get", CARD.format("")),
    "urn:xmpp:ping": ("get", PING),
    "jabber:iq:roster": ("get", ROSTER.format("")),
    "urn:xmpp:blocking": ("get", "<blocklist xmlns='urn:xmpp:blocking'/>"),
    "jabber:iq:privacy": ("get", "<query xmlns='jabber:iq:privacy'/>"),
    "urn:xmpp:mam:2": ("set", "<query xmlns='urn:xmpp:mam:2'/>"),
    "jabber:iq:register": ("get", "<query xmlns='jabber:iq:register'/>"),
}
"""Feature -> a request to the own account that only a server which has it grants."""


@pytest.mark.parametrize("feature", ADVERTISED)
def test_P22_what_is_advertised_is_done(people: People, feature: str) -> None:
    desk = people.join("1001")
    announced = features(desk.ask("get", INFO, DOMAIN)) | features(desk.ask("get", INFO, desk.bare))
    answer = desk.ask(*ADVERTISED[feature])
    done = ok(answer) or condition(answer)[1] == "item-not-found"
    assert done or feature not in announced


def test_P22_SEC09_stream_management_is_offered_only_where_it_works_and_compression_never(server: Server) -> None:
    stream = Stream(server)
    before = {feature.tag for feature in stream.features()}
    stream.say(plain("1001"))
    stream.hear(f"{{{SASL}}}success")
    offered = {feature.tag for feature in stream.features()}
    assert "{http://jabber.org/features/compress}compression" not in before | offered
    stream.say(bind("managed"))
    stream.answer("bind1")
    if "{urn:xmpp:sm:3}sm" in offered:
        stream.say("<enable xmlns='urn:xmpp:sm:3'/>")
        stream.hear("{urn:xmpp:sm:3}enabled")


def test_SEC26_documents_are_bounded(serve: Serve) -> None:
    people = People(serve(replace(BOSH, small=True)))
    desk = people.join("1001")
    big = "x" * 300
    for child in (PRIVATE.format(f"<a xmlns='b'>{big}</a>"), CARD.format(f"<FN>{big}</FN>")):
        assert condition(desk.ask("set", child))[1] == "policy-violation"
    answers = [desk.ask("set", PRIVATE.format(f"<a{number} xmlns='b'/>")) for number in range(3)]
    answers += [desk.ask("set", PRIVATE.format(f"<a{number} xmlns='b'>x</a{number}>")) for number in range(4)]
    assert [ok(answer) for answer in answers] == [True] * 6 + [False]
    people.go()


def test_SEC26_presence_is_directed_to_only_so_many(serve: Serve) -> None:
    people = People(serve(replace(BOSH, small=True)))
    desk = people.join("1001")
    for user in ("1002", "1003", "1004", "1005"):
        desk.say(f"<presence to='{user}@localhost'/>")
    assert condition(desk.hear("presence"))[1] == "resource-constraint"
    people.go()

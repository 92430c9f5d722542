"""Attacks by what stanzas hold and how often they come."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.c2s.dialogue import IQ, Stream, bind, stanza_error
from tests.conformance.dialogue import message
from tests.conformance.people import BINDINGS, Element, People, ok, single
from tests.conformance.pubsub.story import PS, Scene, names, told
from tests.conformance.targets import BOSH, PUBSUB, Serve, Server
from tests.conformance.wire import NoAnswer

FORBIDDEN = [*(f"&#{code};" for code in (0, 1, 8, 11, 12, 14, 26, 31)), "&#xFFFE;", "&#xFFFF;", "&#xD800;", "&#xDFFF;"]
FORBIDDEN += ["\x00", "\x01", "\x1a", "\x1b", "\ufffe", "\uffff"]


@pytest.mark.parametrize("text", FORBIDDEN, ids=[text.encode("unicode_escape").decode() for text in FORBIDDEN])
def test_SEC01_SEC02_a_publication_of_what_xml_forbids_ends_its_publisher_and_reaches_nobody(
    server: Server, text: str
) -> None:
    scene = Scene(server)
    scene.create()
    client = scene.subscribed("1001")
    for where in (f"<entry xmlns='custom'>{text}</entry>", f"<entry xmlns='custom' a='{text}'/>"):
        publisher = Stream(server).sign_in("finesse", "bad")
        item = f"<item id='i'>{where}</item>"
        publish = f"<pubsub xmlns='{PS}'><publish node='{scene.n}'>{item}</publish></pubsub>"
        publisher.say(f"<iq type='set' id='p' to='{PUBSUB}'>{publish}</iq>")
        try:
            refused = publisher.refused() in ("not-well-formed", "invalid-xml", "bad-format", "restricted-xml")
        except NoAnswer:
            refused = False
        assert refused
        assert told(client) == []
    assert ok(scene.put(scene.admin, "good"))
    assert names(client) == ["item good"]
    scene.go()


@pytest.mark.parametrize("text", ["]]&gt;", "\x7f", "\u0085", "\u009f", "\ufffd", "\U0001f600", "\ue000", "\ufdd0"])
def test_SEC01_what_xml_allows_arrives_in_every_reader(server: Server, text: str) -> None:
    scene = Scene(server)
    scene.create()
    clients = [scene.subscribed(f"100{number}", binding=binding) for number, binding in enumerate(BINDINGS, 1)]
    assert ok(scene.put(scene.admin, "i", text))
    for client in clients:
        items = single(told(client))
        entry = single(next(items.elements()).elements())
        assert entry.text == text.replace("&gt;", ">")
    scene.go()


@pytest.mark.parametrize("binding", BINDINGS)
def test_SEC06_who_does_not_collect_is_ended_and_others_go_on(serve: Serve, binding: str) -> None:
    server = serve(replace(BOSH, output_max=500_000))
    people = People(server)
    lazy, other, sender = people.join("1001", binding=binding), people.join("1001", "phone"), people.join("1002")
    other.take()
    big = "x" * 60_000
    for number in range(400):
        sender.say(f"<message to='{lazy.jid}' type='headline' id='m{number}'><body>{big}</body></message>")
        if number % 20 == 19:
            sender.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
            server.settle()
    gone = [stanza.attrs["from"] for stanza in other.presences() if stanza.attrs.get("type") == "unavailable"]
    assert gone == [lazy.jid]
    sender.say(f"<message to='{other.jid}' type='chat'><body>still here</body></message>")
    assert other.hear("message").the("body").text == "still here"


TRICKS = {
    "prefix of the stream": "<stream:x xmlns:stream='urn:not-streams'/>",
    "client inside another": "<y xmlns='urn:y'><message xmlns='jabber:client'/></y>",
    "body of bosh": "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>",
    "no namespace": "<a xmlns='urn:a'><b xmlns=''/></a>",
    "prefixed attribute": "<a xmlns='urn:a' xmlns:q='urn:q' q:z='1'/>",
    "prefix twice": "<p:a xmlns:p='urn:1'><p:a xmlns:p='urn:2'/></p:a>",
    "quotes": "<a xmlns='urn:a' b='&apos;&quot;&lt;&gt;&amp;'>&apos;&quot;]]&gt;</a>",
    "line ends": "<a xmlns='urn:a' b='&#13;&#10;&#9;'>&#13;&#10;\n</a>",
    "an end of the stream": "<a xmlns='urn:a'>&lt;/stream:stream&gt;</a>",
    "xml attributes": "<a xmlns='urn:a' xml:lang='pt' xml:space='preserve'> </a>",
}


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("trick", TRICKS)
def test_SEC11_what_is_routed_is_what_was_parsed(server: Server, trick: str, binding: str) -> None:
    people = People(server)
    sender, friend = people.join("1001", binding=binding), people.join("1002")
    markup = f"<message xmlns='jabber:client' to='{friend.jid}' type='chat'><body>x</body>{TRICKS[trick]}</message>"
    sender.say(markup.replace(" xmlns='jabber:client'", "", 1))
    got = friend.only()
    wanted = Element.read(markup).children
    assert len(got.children) == len(wanted)
    assert all(child in got.children for child in wanted), got
    assert got.attrs["from"] == sender.jid
    people.go()


@pytest.mark.parametrize("uri", ["jabber:client&#x20;x", "&#x20;", "jabber:client&#10;x"])
def test_SEC11_a_namespace_that_could_pass_for_another_arrives_as_it_is_or_not_at_all(server: Server, uri: str) -> None:
    people = People(server)
    sender, friend = Stream(server).sign_in("1001"), people.join("1002")
    markup = f"<message xmlns='jabber:client' to='{friend.jid}' type='chat'><x xmlns='{uri}'/></message>"
    sender.say(markup)
    got = friend.take()
    assert [message.children for message in got] in ([], [Element.read(markup).children])
    if not got:
        assert sender.refused() in ("bad-format", "bad-namespace-prefix", "invalid-xml", "not-well-formed")
    people.go()


GOOD = ["a b", "é", "x/y@z", "'", "\U0001f600", "x" * 1023, "Ａ"]
BAD = ["", "x" * 1024, "a&#x7;b", "é" * 512]


@pytest.mark.parametrize("resource", GOOD, ids=range(len(GOOD)))
def test_SEC29_odd_resources_are_reached_under_the_name_they_were_given(server: Server, resource: str) -> None:
    people = People(server)
    sender = people.join("1001")
    stream = Stream(server)
    stream.authenticate("1002")
    stream.say(bind(resource.replace("'", "&apos;")))
    jid = stream.hear(IQ).findtext(".//{urn:ietf:params:xml:ns:xmpp-bind}jid") or ""
    assert jid.startswith("1002@localhost/")
    assert len(jid.partition("/")[2].encode()) <= 1023
    to = jid.replace("'", "&apos;")
    sender.say(f"<message to='{to}' type='chat'><body>x</body></message>")
    stream.hear("{jabber:client}message", to=jid)
    people.go()


NO_ADDRESS = [
    "@localhost",
    "1002@",
    "1002@localhost/",
    "10 02@localhost",
    "1002@local host",
    "&lt;@localhost",
    "1002@@localhost",
    "x" * 1024 + "@localhost",
    "1002@localhost/" + "x" * 1024,
    "1002@" + "x" * 1024,
]


@pytest.mark.parametrize("to", NO_ADDRESS, ids=range(len(NO_ADDRESS)))
def test_SEC29_what_is_no_address_is_malformed(server: Server, to: str) -> None:
    stream = Stream(server).sign_in()
    stream.say(f"<message to='{to}' id='m' type='chat'><body>x</body></message>")
    assert stanza_error(stream.hear("{jabber:client}message")) == "jid-malformed"
    assert stream.alive()


def test_SEC30_two_clients_that_throw_each_other_out_are_slowed_down(serve: Serve) -> None:
    server = serve(replace(BOSH, small=True))
    people = People(server)
    witness = people.join("1001", "witness")
    refused = 0
    for _ in range(40):
        stream = Stream(server)
        stream.authenticate("1001")
        stream.say(bind("desktop"))
        answer = stream.hear(IQ)
        if answer.get("type") == "error":
            assert stanza_error(answer) == "resource-constraint"
            refused += 1
        else:
            stream.say("<presence/>")
    assert refused >= 20
    came = [stanza for stanza in witness.presences() if stanza.attrs["from"] == "1001@localhost/desktop"]
    assert len(came) <= 40
    assert ok(witness.ask("get", "<ping xmlns='urn:xmpp:ping'/>"))
    people.go()


def test_SEC23_nobody_forges_carbons(server: Server) -> None:
    people = People(server)
    forger, victim = people.join("1001"), people.join("1002")
    inner = message(victim.jid, "forged").replace("<message ", "<message from='1003@localhost/x' ", 1)
    carbon = (
        f"<received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded></received>"
    )
    forger.say(f"<message to='{victim.jid}'>{carbon}</message>")
    assert [stanza.attrs["from"] for stanza in victim.take()] in ([], [forger.jid])
    people.go()

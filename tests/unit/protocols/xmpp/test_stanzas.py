"""What XML forbids never goes out, whatever the product was handed by a telephone system or a web client."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.stanzas import clean_payload
from poise.protocols.xmpp.xml import parse
from tests.unit.protocols.xmpp.host_story import Stage

FORBIDDEN = [*(chr(code) for code in range(0x20) if chr(code) not in "\t\n\r"), "\ufffe", "\uffff"]


@pytest.mark.parametrize("character", FORBIDDEN, ids=lambda character: f"U+{ord(character):04X}")
def test_a_forbidden_character_goes_out_as_the_replacement_character(character: str) -> None:
    payload = f"<notification>a{character}b</notification>".encode()
    assert parse(clean_payload(payload, 1000)).text == "a\ufffdb"
    for reference in (f"&#{ord(character)};", f"&#x{ord(character):x};", f"&#x000{ord(character):X};"):
        assert parse(clean_payload(f"<notification>a{reference}b</notification>".encode(), 1000)).text == "a\ufffdb"


@pytest.mark.parametrize(
    "bad", [b"\xff", b"\xed\xa0\x80", b"\xc0\xbc", b"\xf4\x90\x80\x80", b"&#xD800;", b"&#1114112;", b"&#xFFFFFFFFFFFF;"]
)
def test_bytes_and_references_that_are_no_character_are_replaced(bad: bytes) -> None:
    text = parse(clean_payload(b"<n>a" + bad + b"b</n>", 1000)).text
    assert (text[0], set(text[1:-1]), text[-1]) == ("a", {"\ufffd"}, "b")


@pytest.mark.parametrize(
    "payload",
    [
        b'<notification xmlns="http://jabber.org/protocol/pubsub">&lt;Update&gt;\n\t&lt;/Update&gt;\r</notification>',
        "<n>Ação 😀 \ufffd</n>".encode(),
        b"<n>&amp;#1;</n>",
        b"<n/>",
    ],
)
def test_a_good_payload_is_not_touched(payload: bytes) -> None:
    assert clean_payload(payload, 1000) == payload


def test_good_references_survive() -> None:
    assert parse(clean_payload("<n>&#233;&#x1F600;&#10;é</n>".encode(), 1000)).text == "é😀\né"


@pytest.mark.parametrize("payload", [b"<n>&#xZZ;</n>", b"<n>&#;</n>", b"<n>&#1", b"<n>&#" + b"9" * 20 + b";</n>"])
def test_what_cannot_be_read_as_xml_is_refused_to_the_product(payload: bytes) -> None:
    with pytest.raises(ValueError):
        clean_payload(payload, 1000)


@pytest.mark.parametrize(
    "character", [*FORBIDDEN, chr(0xD800), chr(0xDFFF)], ids=lambda character: f"U+{ord(character):04X}"
)
def test_names_and_ids_with_forbidden_characters_reach_every_subscriber_readable(character: str) -> None:
    stage = Stage()
    node = f"/finesse/api/User/1001{character}"
    stage.host.create_node(node, f"Agent {character}")
    stage.host.create_node(node, "the same again")
    stage.host.subscribe(node, "1001@localhost")
    client, admin = stage.join("1001"), stage.join("admin")
    assert stage.publish(node, f"item{character}") == 1
    message = client.only()
    event = message.child("event")
    assert event is not None
    items = next(event.elements())
    assert items.attrs["node"] == "/finesse/api/User/1001\ufffd"
    assert next(items.elements()).attrs["id"] == "item\ufffd"
    query = stage.ask(admin, "get", "<query xmlns='http://jabber.org/protocol/disco#items'/>", "pubsub.localhost")
    (listed,) = next(query.elements()).elements()
    assert listed.attrs["name"] == "Agent \ufffd"
    stage.host.delete_node(node)
    assert stage.host.nodes() == ()

"""Section B of the checklist: the body wrapper and its XML."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.bosh import BodyError, match_poll, parse_body
from poise.protocols.xmpp.xml import Limits
from tests.unit.protocols.xmpp.bosh.conftest import Teller
from tests.unit.protocols.xmpp.bosh.stories import (
    HTTPBIND,
    SID,
    R,
    body_xml,
    empty,
    ended,
    holding,
    message,
    over,
    said,
    stream_over,
    with_features,
)

SPOILT = {
    "not a body": f"<foo xmlns='{HTTPBIND}' rid='{R}'/>".encode(),
    "wrong namespace": f"<body xmlns='urn:x' rid='{R}'/>".encode(),
    "no namespace": f"<body rid='{R}'/>".encode(),
    "empty": b"",
    "truncated": body_xml(1)[:-3],
    "two roots": body_xml(1) * 2,
    "comment before": b"<!-- x -->" + body_xml(1),
    "processing instruction before": b"<?x y?>" + body_xml(1),
    "document type": b"<!DOCTYPE body>" + body_xml(1),
    "entity": body_xml(1, "<message xmlns='jabber:client'>&nbsp;</message>"),
    "text in the body": body_xml(1, "hello"),
    "UTF-16": body_xml(1).decode().encode("utf-16"),
    "UTF-16 without a mark": body_xml(1).decode().encode("utf-16-le"),
    "another encoding": b"<?xml version='1.0' encoding='ISO-8859-1'?>" + body_xml(1),
    "XML 1.1": b"<?xml version='1.1'?>" + body_xml(1),
}
BAD_CHARACTERS = {
    "control character": b"\x01",
    "reference to a control character": b"&#1;",
    "reference to a surrogate": b"&#xD800;",
    "reference to a non-character": b"&#xFFFE;",
    "reference beyond Unicode": b"&#x110000;",
    "surrogate": b"\xed\xa0\x80",
    "overlong": b"\xc0\xaf",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
}


def spoil(character: bytes) -> bytes:
    """Request 1 with the bytes in the middle of a stanza."""
    stanza = '<message xmlns="jabber:client"><body>@</body></message>'
    return body_xml(1, stanza, sid=SID).replace(b"@", character)


@pytest.mark.parametrize("data", SPOILT.values(), ids=SPOILT)
def test_B01_B02_B03_B09_B10_what_is_no_body_is_a_bad_request(data: bytes) -> None:
    with pytest.raises(BodyError) as refused:
        parse_body(data)
    assert refused.value.condition == "bad-request"
    assert refused.value.answer == f"<body xmlns='{HTTPBIND}' type='terminate' condition='bad-request'/>".encode()
    assert match_poll(data) is None


@pytest.mark.parametrize("stanza", ["<!-- x -->", "<?x y?>", "<message xmlns='jabber:client'>&nbsp;</message>"])
def test_B03_restricted_xml_ends_the_session_with_that_stream_error(tell: Teller, stanza: str) -> None:
    story = tell()
    story.post(1, "a", stanza)
    story.expect(stream_over("a", "restricted-xml"), ended("restricted-xml"))


def test_B04_text_in_the_body_is_refused_and_white_space_is_not(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", " \r\n\t", message("one"), "\n ")
    story.expect(said("one"))
    story.post(2, "b", message("two"), "hello")
    story.expect(over("a", "other-request"), over("b", "bad-request"), ended("bad-request"))


def test_B05_stanzas_of_one_body_come_in_the_order_of_the_document(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", message("one"), message("two"), "<iq xmlns='jabber:client' id='three'/>", message("four"))
    story.expect(said("one", "two", "three", "four"))


def test_B06_stanzas_without_a_namespace_are_clients_stanzas_and_others_keep_theirs() -> None:
    body = parse_body(body_xml(1, "<message><body>hi</body><x xmlns='urn:x'><y/></x></message>", "<a xmlns='urn:a'/>"))
    stanza, foreign = body.children
    words, extension = stanza.elements()
    assert (stanza.ns, words.ns, words.text) == ("jabber:client", "jabber:client", "hi")
    assert [element.ns for element in (extension, *extension.elements(), foreign)] == ["urn:x", "urn:x", "urn:a"]


def test_B07_answers_are_literal_and_declare_the_prefix_stream_only_where_it_is_used(tell: Teller) -> None:
    features = b"<stream:features><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></stream:features>"
    story = tell()
    story.poll(1, "a")
    story.send("one")
    story.expect(holding("a", "one"))
    story.poll(2, "b")
    story.send_bytes(features)
    story.expect(with_features("b", features))
    story.send_bytes(features)
    story.send("two")
    story.poll(3, "c")
    story.expect(with_features("c", features + message("two").encode()))


def test_B08_a_prefixed_body_is_the_same_body() -> None:
    data = f"<b:body xmlns:b='{HTTPBIND}' rid='{R}' sid='x'><b:message id='one'/></b:body>".encode()
    body = parse_body(data)
    assert (body.rid, body.sid, body.children[0].ns) == (R, "x", "jabber:client")


def test_B09_B10_a_byte_order_mark_and_a_declaration_are_tolerated() -> None:
    for start in (b"\xef\xbb\xbf", b"<?xml version='1.0'?>", b"<?xml version='1.0' encoding='UTF-8'?>\n"):
        assert parse_body(start + body_xml(7)).rid == R + 7


def test_B11_unknown_attributes_and_types_mean_nothing(tell: Teller) -> None:
    story = tell()
    story.post(1, "a", type="terminal", colour="blue", xmpp__colour="red")
    story.nothing()
    story.wait(30)
    story.expect(empty("a"))


@pytest.mark.parametrize("character", BAD_CHARACTERS.values(), ids=BAD_CHARACTERS)
def test_B12_characters_that_xml_forbids_end_only_the_session_that_sent_them(tell: Teller, character: bytes) -> None:
    story, other = tell(), tell()
    other.poll(1, "other")
    story.raw(spoil(character), "a")
    story.expect(over("a", "bad-request"), ended("bad-request"))
    other.send("one")
    other.expect(holding("other", "one"))


def test_B13_a_broken_body_ends_the_session_only_when_its_rid_is_right(tell: Teller) -> None:
    story = tell()
    for rid in (R - 1, R, R + 3):
        story.raw(spoil(b"<").replace(str(R + 1).encode(), str(rid).encode()), "stranger")
        story.expect(replied("stranger"))
    story.poll(1, "a")
    story.nothing()
    story.raw(spoil(b"<").replace(str(R + 1).encode(), str(R + 3).encode()), "b")
    story.expect(over("a", "other-request"), over("b", "bad-request"), ended("bad-request", heard=(0, 0)))


def test_B13_a_body_whose_start_tag_cannot_be_read_names_no_session() -> None:
    unreadable = [
        b"\xff" + body_xml(1, sid=SID),
        body_xml(1, sid=SID)[:40],
        f"<body rid='{R}' rid='{R}' sid='x' sid='y' xmlns='{HTTPBIND}'>".encode(),
        f"<message sid='x' rid='{R}'>".encode(),
    ]
    for data in unreadable:
        with pytest.raises(BodyError) as refused:
            parse_body(data)
        assert (refused.value.sid, refused.value.rid) == (None, None)
    with pytest.raises(BodyError) as refused:
        parse_body(body_xml(1, "<", sid=SID))
    assert (refused.value.sid, refused.value.rid) == (SID, R + 1)


def test_B13_a_body_without_a_rid_touches_no_session(tell: Teller) -> None:
    story = tell()
    story.raw(body_xml(None, sid=SID), "a")
    story.expect(replied("a"))
    story.raw(body_xml(None, "<", sid=SID), "a")
    story.expect(replied("a"))
    story.poll(1, "b")
    story.nothing()


@pytest.mark.parametrize(
    "stanza", ["<a>" * 9 + "</a>" * 9, "<a/>" * 60, f"<a b='{'x' * 2000}'/>", f"<{'a' * 99}/>"], ids=len
)
def test_a_body_over_the_limits_violates_policy(stanza: str) -> None:
    with pytest.raises(BodyError) as refused:
        parse_body(body_xml(1, stanza, sid=SID), Limits(size=2000, depth=8, nodes=20, name=90))
    assert (refused.value.condition, refused.value.ending, refused.value.rid) == ("policy-violation", "too-big", R + 1)
    assert refused.value.legacy_status == 403


def replied(channel: str) -> object:
    """T(bad-request) that ends no session."""
    answer = over(channel, "bad-request")
    answer.final = False
    return answer

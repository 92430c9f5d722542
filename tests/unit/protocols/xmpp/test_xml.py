"""XML of one document: what is read, what is refused and why, what is written."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from poise.protocols.xmpp.xml import (
    Element,
    Limits,
    XmlError,
    XmlFault,
    escape,
    escape_attr,
    parse,
    to_bytes,
    xml_safe,
)

CLIENT = "jabber:client"
HTTPBIND = "http://jabber.org/protocol/httpbind"


def refusal(data: bytes, limits: Limits | None = None) -> XmlFault:
    with pytest.raises(XmlError) as caught:
        parse(data, limits or Limits())
    return caught.value.kind


# -- reading -----------------------------------------------------------------------------------------------------------


def test_a_body_is_read_into_elements_attributes_and_text() -> None:
    body = parse(
        b"<body rid='7' xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:bosh' xmpp:restart='true' "
        b"xml:lang='en'><iq xmlns='jabber:client' id='a'>one<b/>two</iq></body>"
    )
    assert (body.name, body.ns) == ("body", HTTPBIND)
    assert body.attrs == {"rid": "7", "{urn:xmpp:bosh}restart": "true", "xml:lang": "en"}
    iq = body.child("iq")
    assert iq is not None
    assert iq.children == ("one", Element("b", CLIENT), "two")
    assert iq.text == "onetwo"
    assert iq.child("b", "urn:other") is None
    assert iq.child("b", CLIENT) == Element("b", CLIENT)
    assert [child.name for child in body.elements()] == ["iq"]


def test_escaped_text_however_long_is_one_piece() -> None:
    inner = "<Update>ä\n" * 5000
    element = parse(f"<n>{escape(inner)}</n>".encode())
    assert element.children == (inner,)


def test_cdata_and_references_are_plain_text() -> None:
    assert parse(b"<a>1<![CDATA[<&>]]>&#50;&#x33;</a>").children == ("1<&>23",)


def test_a_prefixed_root_is_the_same_root() -> None:
    assert parse(b"<b:body xmlns:b='http://jabber.org/protocol/httpbind'/>") == Element("body", HTTPBIND)


def test_byte_order_mark_declaration_and_outer_white_space_are_tolerated() -> None:
    assert parse(b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8'?>\n<a/>\n \t") == Element("a", "")
    assert parse(b"\xef\xbb\xbf<a/>") == Element("a", "")
    assert parse(b" \n<a/>") == Element("a", "")


def test_elements_are_compared_by_value_and_shown_without_their_contents() -> None:
    secret = parse(b"<auth mechanism='PLAIN'>AHNlY3JldA==</auth>")
    assert secret == parse(b"<auth mechanism='PLAIN'>AHNlY3JldA==</auth>")
    assert secret != parse(b"<auth mechanism='PLAIN'>AHNlY3JldB==</auth>")
    assert secret != "auth"
    assert "AHNl" not in repr(secret)


# -- refusing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"<a>",
        b"<a></b>",
        b"<a/><b/>",
        b"<a/>x",
        b"x<a/>",
        b"<a b='1' b='2'/>",
        b"<a b=1/>",
        b"<a b='<'/>",
        b"<x:a/>",
        b"<a x:b='1'/>",
        b"<a>&</a>",
        b"<a>]]></a>",
        b"<a/>\0",
        b"\xef\xbb\xbf\xef\xbb\xbf<a/>",
        b"<a xmlns:x=''/>",
        b"<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
        b"\n<?xml version='1.0'?><a/>",
    ],
)
def test_what_is_not_well_formed_is_refused(data: bytes) -> None:
    assert refusal(data) is XmlFault.NOT_WELL_FORMED


@pytest.mark.parametrize(
    "character",
    [
        *(bytes([code]) for code in range(0x20) if code not in (9, 10, 13)),
        *(f"&#{code};".encode() for code in (0, 1, 8, 11, 12, 14, 0x1F, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF, 0x110000)),
        b"&#x1;",
        b"&#99999999999999999999;",
        b"\xff",
        b"\xc0\x80",  # overlong NUL
        b"\xe0\x80\xbc",  # overlong '<'
        b"\xed\xa0\x80",  # surrogate
        b"\xed\xa0\xbd\xed\xb8\x80",  # CESU-8
        b"\xf8\x88\x80\x80\x80",  # five bytes
        b"\xf4\x90\x80\x80",  # above U+10FFFF
        b"\xef\xbf\xbe",  # U+FFFE
        b"\xef\xbf\xbf",  # U+FFFF
        b"\xf0\x9f\x98",  # cut short
    ],
)
def test_characters_xml_cannot_carry_are_refused_in_text_and_attributes(character: bytes) -> None:
    assert refusal(b"<a>.." + character + b"..</a>") is XmlFault.NOT_WELL_FORMED
    assert refusal(b"<a b='.." + character + b"..'/>") is XmlFault.NOT_WELL_FORMED


@pytest.mark.parametrize(
    "data",
    [
        b"<!-- c --><a/>",
        b"<a><!-- c --></a>",
        b"<a/><!-- c -->",
        b"<?pi x?><a/>",
        b"<a><?pi x?></a>",
        b"<a/><?pi x?>",
        b"<!DOCTYPE a><a/>",
        b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        b"<!DOCTYPE a [<!ENTITY e 'x'>]><a b='&e;'/>",
        b"<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>",
        b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1/x'>%p;]><a/>",
        b"<a>&undefined;</a>",
        b"<a b='&undefined;'/>",
        b"<!DOCTYPE a [" + b"<!ATTLIST a b CDATA 'x'>" * 5000 + b"]><a/>",
    ],
)
def test_comments_instructions_dtds_and_entities_are_restricted(data: bytes) -> None:
    assert refusal(data) is XmlFault.RESTRICTED


@pytest.mark.parametrize(
    "data",
    [
        "<a/>".encode("utf-16"),
        "<a/>".encode("utf-16-le"),
        "<a/>".encode("utf-16-be"),
        " <a/>".encode("utf-16-le"),
        "<?xml version='1.0'?><a/>".encode("utf-16-be"),
        "<a/>".encode("utf-32"),
        b"<?xml version='1.1'?><a/>",
        b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
        b"<?xml version='1.0' encoding='UTF-16'?><a/>",
        b"<?xml version='1.0' encoding='us-ascii'?><a/>",
        b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-16'?><a/>",
    ],
)
def test_other_encodings_and_versions_are_refused(data: bytes) -> None:
    assert refusal(data) is XmlFault.BAD_ENCODING


@pytest.mark.parametrize(
    "uri", ["a b", "a\u00a0b", "a&#9;b", "a&#10;b", "a}b", "{a}", "jabber:client&#x20;x", "a\u007fb", "a\u0085b"]
)
def test_a_namespace_that_is_no_uri_is_refused_on_elements_and_attributes(uri: str) -> None:
    assert refusal(f"<a xmlns='{uri}'/>".encode()) is XmlFault.NOT_WELL_FORMED
    assert refusal(f"<a xmlns:p='{uri}' p:b='1'/>".encode()) is XmlFault.NOT_WELL_FORMED


def test_size_depth_and_width_have_bounds_and_just_within_them_all_is_well() -> None:
    limits = Limits(size=2000, depth=5, attributes=4, name=10, nodes=50)
    assert parse(b"<a>" * 5 + b"</a>" * 5, limits).name == "a"
    assert refusal(b"<a>" * 6 + b"</a>" * 6, limits) is XmlFault.TOO_DEEP
    assert refusal(b"<a>" * 80, limits) is XmlFault.TOO_DEEP
    assert len(parse(b"<a b='' c='' d='' e=''/>", limits).attrs) == 4
    assert refusal(b"<a b='' c='' d='' e='' f=''/>", limits) is XmlFault.TOO_WIDE
    assert parse(b"<abcdefghij/>", limits).name == "abcdefghij"
    assert refusal(b"<abcdefghijk/>", limits) is XmlFault.TOO_WIDE
    assert refusal(b"<a abcdefghijk=''/>", limits) is XmlFault.TOO_WIDE
    assert len(parse(b"<a>" + b"<b></b>" * 49 + b"</a>", limits).children) == 49
    assert refusal(b"<a>" + b"<b></b>" * 50 + b"</a>", limits) is XmlFault.TOO_WIDE
    assert parse(b"<a>" + b"x" * 1993 + b"</a>", limits).text == "x" * 1993
    assert refusal(b"<a>" + b"x" * 1994 + b"</a>", limits) is XmlFault.TOO_BIG


def test_a_name_seen_under_wide_limits_is_still_too_long_under_narrow_ones() -> None:
    assert parse(b"<remembered/>").name == "remembered"
    assert refusal(b"<remembered/>", Limits(name=5)) is XmlFault.TOO_WIDE


def test_ten_thousand_bytes_in_one_text_or_attribute_are_always_allowed() -> None:
    assert len(parse(b"<a>" + b"x" * 10_000 + b"</a>").text) == 10_000
    assert len(parse(b"<a b='" + b"x" * 10_000 + b"'/>").attrs["b"]) == 10_000


def test_an_error_says_what_is_wrong_but_never_repeats_what_was_sent() -> None:
    with pytest.raises(XmlError) as caught:
        parse(b"<auth>secret</oops>")
    assert "not-well-formed" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.detail in str(caught.value)


# -- writing -----------------------------------------------------------------------------------------------------------


def test_the_namespace_is_written_literally_where_it_changes() -> None:
    message = Element(
        "message",
        CLIENT,
        {"to": "a@b", "xml:lang": "en"},
        (Element("body", CLIENT, None, ("hi",)), Element("event", "urn:e", None, (Element("items", "urn:e"),))),
    )
    assert to_bytes(message) == (
        b'<message xmlns="jabber:client" to="a@b" xml:lang="en"><body>hi</body>'
        b'<event xmlns="urn:e"><items/></event></message>'
    )
    assert to_bytes(message, CLIENT).startswith(b'<message to="a@b"')
    assert to_bytes(Element("a", "", None, (Element("b", CLIENT, None, (Element("c", ""),)),))) == (
        b'<a><b xmlns="jabber:client"><c xmlns=""/></b></a>'
    )


def test_attributes_of_foreign_namespaces_get_a_prefix_of_their_own() -> None:
    element = Element("a", "urn:a", {"{urn:x}b": "1", "{urn:y}b": "2", "b": "3"})
    assert parse(to_bytes(element)) == element


def test_text_and_attributes_come_back_as_they_were() -> None:
    text = "a & b < c > d \" ' ]]> \t\n\r\r\n é 😀 \U0010ffff \x7f \x85"
    assert parse(to_bytes(Element("a", "", {"b": text}, (text,)))) == Element("a", "", {"b": text}, (text,))


def test_what_xml_cannot_carry_never_goes_out() -> None:
    hostile = "".join(map(chr, range(0x20))) + "\ud800\udfff\ufffe\uffff\x1a]]>"
    for data in (
        to_bytes(Element("a", "", {"b": hostile}, (hostile,))),
        f"<a>{escape(hostile)}</a>".encode(),
        f"<a b='{escape_attr(hostile)}'/>".encode(),
        f'<a b="{escape_attr(hostile)}"/>'.encode(),
    ):
        assert parse(data).name == "a"
        assert ElementTree.fromstring(data).tag == "a"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("tab\tand\nline\r", "tab\tand\nline\r"),
        ("a\x00b\x1fc", "a\ufffdb\ufffdc"),
        ("é\x01", "é\ufffd"),
        ("\ud83d\ude00", "\ufffd\ufffd"),
        ("😀 \ufffe\uffff\ufffd", "😀 \ufffd\ufffd\ufffd"),
        ("\x7f\x80\x9f", "\x7f\x80\x9f"),
        ("", ""),
    ],
)
def test_unfit_characters_become_the_replacement_character(text: str, clean: str) -> None:
    assert xml_safe(text) == clean


def test_escaping_leaves_plain_text_alone() -> None:
    text = "1001@localhost/desktop ~ !#$%()*+,-./:;=?[]^_`{|}"
    assert escape(text) == text
    assert escape_attr(text) == text

"""Whatever is written can be read back, whatever the packets, and foreign bytes never do worse than the named error."""

from __future__ import annotations

import base64
import itertools
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from poise.protocols.xmpp.c2s import (
    BIND_NS,
    C2S,
    CLIENT_NS,
    SESSION_NS,
    Bind,
    C2SPolicy,
    CheckPassword,
    Send,
    StreamError,
)
from poise.protocols.xmpp.c2s_states import State
from poise.protocols.xmpp.jid import Jid, JidError, prepare, prepare_local, prepare_resource
from poise.protocols.xmpp.sasl import FAILURES, SASL_NS, SaslError, decode_response, read_plain
from poise.protocols.xmpp.stream import Finished, TcpOutput, TcpStream
from poise.protocols.xmpp.xml import XML_NS, Element, Limits, XmlError, XmlFault, escape, parse, to_bytes, xml_safe
from poise.protocols.xmpp.xml_stream import StreamEvent, StreamParser
from poise.registry import ENDINGS

HEADER = b"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
PLAIN = base64.b64encode(b"\0001001\0pw").decode()
AUTH = f"<auth xmlns='{SASL_NS}' mechanism='PLAIN'>{PLAIN}</auth>".encode()
BIND = f"<iq type='set' id='b'><bind xmlns='{BIND_NS}'/></iq>".encode()
LONG = settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))

# -- what there is to say ----------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "iq", "message", "body", "Update", "x-1", "_y", "été", "z.9"])
SPACES = st.sampled_from(["", "jabber:client", "urn:x", "http://jabber.org/protocol/httpbind", "urn:é", "a'b&c\"<d>"])
LEGAL = st.text(
    st.one_of(
        st.sampled_from("<>&\"'\t\n\r ]é😀\x7f\x85\u2028\ufffd\U0010ffff"),
        st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="\ufffe\uffff"),
    ),
    max_size=30,
)
ANYTHING = st.text(st.characters(exclude_categories=[]), max_size=40)
KEYS = st.one_of(
    st.sampled_from(["id", "to", "from", "xml:lang", "xml:space", "node", "unusual"]),
    st.builds("{{{}}}{}".format, SPACES.filter(bool), NAMES),
)
ATTRS = st.dictionaries(KEYS, LEGAL, max_size=4)


def joined(children: list[Element | str]) -> tuple[Element | str, ...]:
    """Children as a parser gives them: no empty text, no two texts in a row."""
    result: list[Element | str] = []
    for child in children:
        if child == "":
            continue
        if isinstance(child, str) and result and isinstance(result[-1], str):
            result[-1] += child
        else:
            result.append(child)
    return tuple(result)


def element_of(children: st.SearchStrategy[list[Element | str]]) -> st.SearchStrategy[Element]:
    return st.builds(
        lambda name, ns, attrs, inner: Element(name, ns, attrs, joined(inner)), NAMES, SPACES, ATTRS, children
    )


ELEMENTS: st.SearchStrategy[Element] = st.recursive(
    element_of(st.lists(LEGAL, max_size=1)),
    lambda inner: element_of(st.lists(st.one_of(inner, LEGAL), max_size=4)),
    max_leaves=8,
)
FRAGMENTS = st.sampled_from(
    [
        *(
            b"<",
            b">",
            b"/>",
            b"</",
            b"'",
            b'"',
            b"=",
            b" ",
            b"&",
            b";",
            b"\0",
            b"\xff",
            b"\xef\xbb\xbf",
            b"\xed\xa0\x80",
        ),
        *(
            b"<!--",
            b"-->",
            b"<![CDATA[",
            b"]]>",
            b"<!DOCTYPE a [",
            b"<!ENTITY a 'b'>",
            b"<?xml version='1.0'?>",
            b"<?a b?>",
        ),
        *(b"&lt;", b"&#1;", b"&#x10FFFF;", b"&a;", b"xmlns='a b'", b"xmlns:p='urn:p'", b"p:a='1'", b"<p:b/>", b"<iq/>"),
        *(
            b"<message>",
            b"</message>",
            b"<body>text</body>",
            HEADER,
            AUTH,
            BIND,
            b"</stream:stream>",
            b"hello",
            b"<a b='>'/>",
        ),
    ]
)
GARBAGE = st.one_of(st.binary(max_size=60), st.lists(FRAGMENTS, max_size=12).map(b"".join))


def shuffled(data: bytes, spoil: list[tuple[int, bytes]]) -> bytes:
    """The data with pieces put in at places counted modulo its length."""
    for place, piece in spoil:
        cut = place % (len(data) + 1)
        data = data[:cut] + piece + data[cut + len(piece) // 2 :]
    return data


SPOIL = st.lists(st.tuples(st.integers(0, 5000), FRAGMENTS), max_size=3)
CUTS = st.lists(st.integers(1, 60), min_size=1, max_size=8)


def packets(data: bytes, cuts: list[int]) -> list[bytes]:
    """The data in packets whose lengths go round the list."""
    result = []
    lengths = itertools.cycle(cuts)
    while data:
        length = next(lengths)
        result.append(data[:length])
        data = data[length:]
    return result


# -- XML ---------------------------------------------------------------------------------------------------------------


@given(ELEMENTS)
def test_what_is_written_is_read_back_the_same(element: Element) -> None:
    data = to_bytes(element)
    assert parse(data) == element
    assert to_bytes(parse(data)) == data


@given(ELEMENTS, SPACES)
def test_an_element_reads_the_same_wherever_it_stands(element: Element, outer: str) -> None:
    wrapped = parse(
        b"<w xmlns=%b>%b</w>" % (f'"{escape(outer).replace(chr(34), "&quot;")}"'.encode(), to_bytes(element, outer))
    )
    assert wrapped.children == (element,)


@given(ANYTHING, ANYTHING)
def test_no_text_whatever_makes_a_document_that_others_cannot_read(text: str, value: str) -> None:
    data = to_bytes(Element("a", "", {"b": value}, (text,)))
    other = ElementTree.fromstring(data)
    assert (other.text or "") == xml_safe(text)
    assert other.get("b") == xml_safe(value)


def as_other_parsers_see(element: Element) -> tuple[str, dict[str, str], list[object]]:
    tag = f"{{{element.ns}}}{element.name}" if element.ns else element.name
    attrs = {f"{{{XML_NS}}}{key[4:]}" if key.startswith("xml:") else key: value for key, value in element.attrs.items()}
    return tag, attrs, [child if isinstance(child, str) else as_other_parsers_see(child) for child in element.children]


def tree_of(other: ElementTree.Element) -> tuple[str, dict[str, str], list[object]]:
    children: list[object] = [other.text] if other.text else []
    for child in other:
        children.append(tree_of(child))
        if child.tail:
            children.append(child.tail)
    return other.tag, dict(other.attrib), children


def check_document(data: bytes) -> None:
    try:
        element = parse(data)
    except XmlError:
        return
    assert as_other_parsers_see(element) == tree_of(ElementTree.fromstring(data))
    again = to_bytes(element)
    assert parse(again) == element


@settings(max_examples=300, deadline=None)
@given(ELEMENTS, SPOIL)
@example(Element("a", ""), [(3, b"<![CDATA[")])
def test_a_spoilt_document_is_refused_or_read_as_any_other_parser_reads_it(
    element: Element, spoil: list[tuple[int, bytes]]
) -> None:
    check_document(shuffled(to_bytes(element), spoil))


@settings(max_examples=300, deadline=None)
@given(GARBAGE)
def test_garbage_is_an_xml_error_and_nothing_else(data: bytes) -> None:
    check_document(data)


@pytest.mark.long
@LONG
@given(ELEMENTS, SPOIL, GARBAGE)
def test_documents_for_a_long_time(element: Element, spoil: list[tuple[int, bytes]], garbage: bytes) -> None:
    check_document(shuffled(to_bytes(element), spoil))
    check_document(garbage)


# -- streams -----------------------------------------------------------------------------------------------------------


def events_of(pieces: list[bytes], stepwise: bool, limits: Limits) -> list[StreamEvent | XmlFault]:
    parser = StreamParser(limits)
    parser.stepwise = stepwise
    events: list[StreamEvent | XmlFault] = []
    for piece in pieces:
        while news := parser.feed(piece):
            events += [event.kind if isinstance(event, XmlError) else event for event in news]
            piece = b""
    return events


def told_the_same(one: list[StreamEvent | XmlFault], other: list[StreamEvent | XmlFault]) -> bool:
    """Text between stanzas may be wrong in two ways at once; which of them is named may depend on the packets."""
    if XmlFault.STRAY_TEXT in (*one[-1:], *other[-1:]):
        return one[:-1] == other[:-1] and isinstance(one[-1], XmlFault) and isinstance(other[-1], XmlFault)
    return one == other


def check_stream(data: bytes, cuts: list[int]) -> None:
    """Any packets, stepwise or not, tell the same, once enough has come for every fault to show."""
    limits = Limits()
    data += b" ]]>'\"><x/>"
    whole = events_of([data], False, limits)
    for stepwise in (False, True):
        assert told_the_same(events_of(packets(data, cuts), stepwise, limits), whole)


@settings(max_examples=200, deadline=None)
@given(st.lists(ELEMENTS, max_size=5), SPOIL, CUTS)
@example([], [(0, b"\xef\xbb\xbf")], [1])
@example([Element("a", "jabber:client")], [(200, b"]]>")], [1])
def test_every_split_of_a_stream_gives_the_same_events(
    elements: list[Element], spoil: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    body = b"".join(to_bytes(element, "jabber:client") for element in elements)
    check_stream(shuffled(HEADER + body + b"</stream:stream>", spoil), cuts)


@settings(max_examples=200, deadline=None)
@given(GARBAGE, CUTS)
def test_every_split_of_garbage_gives_the_same_events(data: bytes, cuts: list[int]) -> None:
    check_stream(data, cuts)
    check_stream(HEADER + data, cuts)


@pytest.mark.long
@LONG
@given(st.lists(ELEMENTS, max_size=5), SPOIL, GARBAGE, CUTS)
def test_streams_for_a_long_time(
    elements: list[Element], spoil: list[tuple[int, bytes]], garbage: bytes, cuts: list[int]
) -> None:
    body = b"".join(to_bytes(element, "jabber:client") for element in elements)
    check_stream(shuffled(HEADER + body + garbage, spoil), cuts)


# -- a client on TCP ---------------------------------------------------------------------------------------------------


def conversation(pieces: list[bytes], password_ok: bool) -> list[TcpOutput]:
    """Outputs of a whole conversation, checked as they come: nothing after the end, every byte sent is XML."""
    numbers = itertools.count(1)
    stream = TcpStream(C2S("localhost", C2SPolicy(secure=True)), lambda: str(next(numbers)))
    outputs: list[TcpOutput] = []

    def handle(news: list[TcpOutput]) -> None:
        for output in news:
            assert not outputs or not isinstance(outputs[-1], Finished)
            outputs.append(output)
            if isinstance(output, CheckPassword):
                handle(stream.password_checked(password_ok, 0.0))
            elif isinstance(output, Bind):
                handle(stream.bound("1001@localhost/x", 0.0))

    for piece in pieces:
        handle(stream.receive(piece, 0.0))
    sent = b"".join(output.data for output in outputs if isinstance(output, Send)) + stream.end("shutdown")
    *earlier, last = sent.split(b'<?xml version="1.0"?>')[1:]
    for document in (*(part + b"</stream:stream>" for part in earlier), last):
        assert parse(document).name == "stream"
    if outputs and isinstance(outputs[-1], Finished):
        assert outputs[-1].ending_code in ENDINGS
        outputs[-2:] = [Finished("for one fault or another", "")]
    return outputs


CONVERSATIONS = st.lists(
    st.one_of(
        st.sampled_from([HEADER, AUTH, HEADER, BIND, b"<presence/>", b" ", b"</stream:stream>"]),
        ELEMENTS.map(lambda element: to_bytes(element, "jabber:client")),
        GARBAGE,
    ),
    max_size=4,
).map(b"".join)
STARTS = st.sampled_from([b"", HEADER, HEADER + AUTH, HEADER + AUTH + HEADER, HEADER + AUTH + HEADER + BIND])


@settings(max_examples=80, deadline=None)
@given(STARTS, CONVERSATIONS, CUTS, st.booleans())
def test_whatever_a_client_says_it_gets_xml_and_the_same_in_any_split(
    start: bytes, data: bytes, cuts: list[int], password_ok: bool
) -> None:
    data += b" ]]>'\"><x/>"
    assert conversation(packets(start + data, cuts), password_ok) == conversation([start + data], password_ok)


@pytest.mark.long
@LONG
@given(STARTS, CONVERSATIONS, CUTS, st.booleans())
def test_clients_for_a_long_time(start: bytes, data: bytes, cuts: list[int], password_ok: bool) -> None:
    data += b" ]]>'\"><x/>"
    assert conversation(packets(start + data, cuts), password_ok) == conversation([start + data], password_ok)


# -- one client's stream -----------------------------------------------------------------------------------------------

CHILDREN = st.sampled_from(
    [
        Element("auth", SASL_NS, {"mechanism": "PLAIN"}, (PLAIN,)),
        Element("auth", SASL_NS, {"mechanism": "PLAIN"}),
        Element("auth", SASL_NS, {"mechanism": "X"}),
        Element("response", SASL_NS, None, (PLAIN,)),
        Element("abort", SASL_NS),
        Element("iq", CLIENT_NS, {"type": "set", "id": "1"}, (Element("bind", BIND_NS),)),
        Element("iq", CLIENT_NS, {"type": "set", "id": "1"}, (Element("session", SESSION_NS),)),
        Element("message", CLIENT_NS, {"to": "a@b"}),
        Element("message", CLIENT_NS, {"from": "x@y"}),
        Element("foo", "urn:x"),
    ]
)
STEPS = st.lists(
    st.one_of(CHILDREN, st.sampled_from(["restart", "right", "wrong", "later", "bound", "refused"])), max_size=25
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_in_any_order_nothing_breaks_and_nothing_is_heard_before_its_time(steps: list[Element | str]) -> None:
    client = C2S("localhost", C2SPolicy(secure=True, waiting=5))
    for step in steps:
        before = client.state
        if isinstance(step, Element):
            outputs = client.receive(step, 0.0)
        elif step == "restart":
            outputs = client.restart("localhost")
        elif before is State.CHECKING and step in ("right", "wrong", "later"):
            outputs = client.password_checked(step == "right", temporary=step == "later")
        elif before is State.BINDING and step in ("bound", "refused"):
            outputs = client.bound("1001@localhost/x") if step == "bound" else client.bind_refused("conflict")
        else:
            continue
        if before is State.CLOSED:
            assert outputs == []
        assert all(not isinstance(output, StreamError) for output in outputs[:-1])
        if outputs and isinstance(outputs[-1], StreamError):
            assert client.state is State.CLOSED
        assert (client.jid is not None) == (client.state is State.BOUND) or client.state is State.CLOSED
        assert bool(client.user) or client.state not in (State.AUTHENTICATED, State.UNBOUND, State.BINDING, State.BOUND)


# -- JIDs and SASL -----------------------------------------------------------------------------------------------------


@settings(max_examples=500, deadline=None)
@given(st.one_of(ANYTHING, st.builds("{}@{}/{}".format, ANYTHING, ANYTHING, ANYTHING), LEGAL))
def test_a_prepared_jid_stays_as_it_is_and_anything_else_is_a_jid_error(text: str) -> None:
    try:
        jid = prepare(text)
    except JidError:
        return
    assert prepare(jid.full) == jid
    assert (prepare(jid.full).local, prepare(jid.full).domain) == (jid.local, jid.domain)
    assert jid == Jid(jid.local, jid.domain, jid.resource)
    assert xml_safe(jid.full) == jid.full
    for part in (jid.local, jid.domain, jid.resource):
        assert len(part.encode()) <= 1023


@given(ANYTHING)
def test_prepared_parts_stay_as_they_are(text: str) -> None:
    for prepare_part in (prepare_local, prepare_resource):
        try:
            part = prepare_part(text)
        except JidError:
            continue
        assert prepare_part(part) == part


@given(st.one_of(ANYTHING, st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode())))
def test_foreign_sasl_is_a_failure_of_the_rfc_and_nothing_else(text: str) -> None:
    try:
        credentials = read_plain(decode_response(text), "localhost")
    except SaslError as error:
        failure = error.condition
    else:
        assert credentials.user
        assert credentials.password
        return
    assert failure in FAILURES

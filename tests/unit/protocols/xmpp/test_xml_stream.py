"""The endless document of a TCP connection: the same events whatever the packets, and bounds on everything."""

from __future__ import annotations

import gc
import time

import pytest

from poise.protocols.xmpp.xml import Element, Limits, XmlError, XmlFault
from poise.protocols.xmpp.xml_stream import RECYCLE_BYTES, StreamClosed, StreamEvent, StreamOpened, StreamParser

HEAD = b"<stream:stream to='localhost' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
OPENED = StreamOpened("stream", "http://etherx.jabber.org/streams", "jabber:client", {"to": "localhost"})


def read(
    data: bytes, size: int | None = None, limits: Limits | None = None, stepwise: bool = False
) -> list[StreamEvent]:
    """All events of the bytes, fed in packets of `size`."""
    parser = StreamParser(limits or Limits())
    parser.stepwise = stepwise
    events: list[StreamEvent] = []
    size = size or len(data)
    for start in range(0, len(data), size):
        packet = data[start : start + size]
        while news := parser.feed(packet):
            events += news
            packet = b""
            if not stepwise:
                break
    return events


def fault(events: list[StreamEvent]) -> XmlFault:
    """Kind of the error at the end."""
    last = events[-1]
    assert isinstance(last, XmlError)
    assert not any(isinstance(event, XmlError) for event in events[:-1])
    return last.kind


def same(left: list[StreamEvent], right: list[StreamEvent]) -> bool:
    """Whether the events are the same, errors compared by kind."""
    return [event.kind if isinstance(event, XmlError) else event for event in left] == [
        event.kind if isinstance(event, XmlError) else event for event in right
    ]


CONVERSATION = (
    b"\xef\xbb\xbf \r\n<?xml version='1.0' encoding='utf-8'?>\n"
    + HEAD
    + "<iq a='>' b=\"'>\" c='\">'/>\n  <message><body>1 > 0 😀é ]] <![CDATA[ <b> \"' ]]>&gt;</body></message>".encode()
    + b"<presence\n type = 'unavailable'\n></presence >  <a:x xmlns:a='urn:a' a:b='1'><a:y/></a:x>"
    + b"</stream:stream >"
)


@pytest.mark.parametrize("stepwise", [False, True])
def test_every_packet_size_gives_the_same_events(stepwise: bool) -> None:
    whole = read(CONVERSATION)
    assert whole == [
        OPENED,
        Element("iq", "jabber:client", {"a": ">", "b": "'>", "c": '">'}),
        Element(
            "message",
            "jabber:client",
            None,
            (Element("body", "jabber:client", None, ("1 > 0 😀é ]]  <b> \"' >",)),),
        ),
        Element("presence", "jabber:client", {"type": "unavailable"}),
        Element("x", "urn:a", {"{urn:a}b": "1"}, (Element("y", "urn:a"),)),
        StreamClosed(),
    ]
    for size in range(1, len(CONVERSATION)):
        assert read(CONVERSATION, size, stepwise=stepwise) == whole, size


def test_a_stanza_is_there_with_its_last_byte() -> None:
    parser = StreamParser()
    parser.stepwise = False
    assert parser.feed(HEAD) == [OPENED]
    assert parser.feed(b"<message><body a='>'>tex") == []
    assert parser.feed(b"t</body></message") == []
    assert len(parser.feed(b">")) == 1
    assert parser.feed(b'<presence a="x>') == []
    assert len(parser.feed(b'"/>')) == 1


def test_stepwise_hands_out_one_event_at_a_time_and_a_restart_reads_the_rest_as_a_new_stream() -> None:
    parser = StreamParser()
    assert parser.feed(HEAD + b"<auth xmlns='urn:s'/>\n<?xml version='1.0'?>" + HEAD + b"<iq/>") == [OPENED]
    assert parser.feed(b"") == [Element("auth", "urn:s")]
    parser.restart()
    assert parser.feed(b"") == [OPENED]
    assert parser.feed(b"") == [Element("iq", "jabber:client")]
    assert parser.feed(b"") == []


def test_a_paused_parser_keeps_bytes_within_bounds() -> None:
    parser = StreamParser(Limits(size=200))
    parser.feed(HEAD)
    parser.paused = True
    assert parser.feed(b"<iq/>") == []
    parser.paused = False
    assert parser.feed(b"") == [Element("iq", "jabber:client")]
    parser.paused = True
    assert parser.feed(b"x" * 200) == []
    assert fault(parser.feed(b"x")) is XmlFault.TOO_BIG
    parser.paused = False
    assert parser.feed(b"<iq/>") == []


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", XmlFault.NOT_WELL_FORMED),
        (b"<'/>", XmlFault.NOT_WELL_FORMED),
        (b"\x16\x03\x01\x02\x00", XmlFault.NOT_WELL_FORMED),  # a TLS hello
        ("<?xml version='1.0'?>".encode("utf-16"), XmlFault.BAD_ENCODING),
        ("<?xml version='1.0'?>".encode("utf-16-le"), XmlFault.BAD_ENCODING),
        ("<?xml version='1.0'?>".encode("utf-16-be"), XmlFault.BAD_ENCODING),
        (b"<?xml version='1.1'?>", XmlFault.BAD_ENCODING),
        (b"<?xml version='1.0' encoding='iso-8859-1'?>", XmlFault.BAD_ENCODING),
        (b"<!DOCTYPE x>", XmlFault.RESTRICTED),
        (b"<!-- ", XmlFault.RESTRICTED),
        (b"<?pi ", XmlFault.RESTRICTED),
        (HEAD + b"<!-- ", XmlFault.RESTRICTED),
        (HEAD + b"<message><!-- ", XmlFault.RESTRICTED),
        (HEAD + b"<message><?pi ", XmlFault.RESTRICTED),
        (HEAD + b"<!ENTITY ", XmlFault.RESTRICTED),
        (HEAD + b"<a>&foo;</a>", XmlFault.RESTRICTED),
        (HEAD + b"<?xml version='1.0'?>", XmlFault.NOT_WELL_FORMED),
        (HEAD + HEAD, XmlFault.NOT_WELL_FORMED),
        (HEAD + b"hello", XmlFault.STRAY_TEXT),
        (HEAD + b"hello<iq/>", XmlFault.STRAY_TEXT),
        (HEAD + b"&#65;<iq/>", XmlFault.STRAY_TEXT),
        (HEAD + b"<![CDATA[x]]>", XmlFault.STRAY_TEXT),
        (HEAD + b"<iq></message>", XmlFault.NOT_WELL_FORMED),
        (HEAD + b"<iq a='1' a='2'/>", XmlFault.NOT_WELL_FORMED),
        (HEAD + b"<iq a='<x>'/>", XmlFault.NOT_WELL_FORMED),
        (HEAD + b"<x:iq/>", XmlFault.NOT_WELL_FORMED),
        (HEAD + b"<iq>&#1;</iq>", XmlFault.NOT_WELL_FORMED),
        (HEAD + b"<iq>\xff</iq>", XmlFault.NOT_WELL_FORMED),
        (HEAD + b"<iq>\0</iq>", XmlFault.NOT_WELL_FORMED),
        (HEAD + b"<iq xmlns='a b'/>", XmlFault.NOT_WELL_FORMED),
    ],
)
def test_each_fault_has_its_kind_in_every_packet_size_and_is_the_last_event(data: bytes, kind: XmlFault) -> None:
    whole = read(data)
    assert fault(whole) is kind
    for size in (1, 2, 3, 5, 7, 11, 50):
        for stepwise in (False, True):
            assert same(read(data, size, stepwise=stepwise), whole), (size, stepwise)


def test_stanzas_before_a_fault_still_count() -> None:
    events = read(HEAD + b"<iq/><presence/><oops")
    assert events == [OPENED, Element("iq", "jabber:client"), Element("presence", "jabber:client")]
    events = read(HEAD + b"<iq/><presence/></oops><iq/>")
    assert fault(events) is XmlFault.NOT_WELL_FORMED
    assert events[:3] == [OPENED, Element("iq", "jabber:client"), Element("presence", "jabber:client")]


def test_after_the_end_nothing_is_heard() -> None:
    parser = StreamParser()
    parser.stepwise = False
    assert parser.feed(HEAD + b"</stream:stream><iq/> garbage <") == [OPENED, StreamClosed()]
    assert parser.feed(b"<iq/>") == []


def test_white_space_between_stanzas_is_nothing_and_takes_no_room() -> None:
    parser = StreamParser(Limits(size=100))
    parser.stepwise = False
    parser.feed(HEAD)
    for _ in range(1000):
        assert parser.feed(b" \n") == []
    assert parser.feed(b"<iq/>") == [Element("iq", "jabber:client")]


def test_a_stanza_may_be_as_big_as_the_limit_and_not_bigger() -> None:
    limits = Limits(size=1000)
    for length, good in ((987, True), (1100, False)):
        data = HEAD + b"<iq/>" * 50 + b"<a><b>" + b"x" * length + b"</b></a>" + b"<iq/>"
        for size in (1, 10, 100, 5000):
            events = read(data, size, limits)
            assert events[50] == Element("iq", "jabber:client")
            if good:
                assert len(events) == 53
            else:
                assert fault(events) is XmlFault.TOO_BIG
                assert len(events) == 52


@pytest.mark.parametrize(
    ("piece", "kind"),
    [
        (b"<a><b>" + b"x" * 1000, XmlFault.TOO_BIG),
        (b"<a " + b"x" * 1000, XmlFault.TOO_BIG),
        (b"<a b='" + b">" * 1000, XmlFault.TOO_BIG),
        (b"<a><![CDATA[" + b">" * 1000, XmlFault.TOO_BIG),
        (b"<a>" * 1000, XmlFault.TOO_DEEP),
        (b"<a>" + b"<b/>" * 1000, XmlFault.TOO_BIG),
    ],
)
def test_endless_things_are_cut_off_early(piece: bytes, kind: XmlFault) -> None:
    parser = StreamParser(Limits(size=20_000, token=5_000))
    parser.stepwise = False
    parser.feed(HEAD)
    taken = 0
    while not (events := parser.feed(piece)):
        taken += len(piece)
        assert taken < 22_000
        piece = piece[-900:]
    assert fault(events) is kind


def test_too_many_elements_in_one_stanza_are_refused_but_not_in_a_stream() -> None:
    limits = Limits(nodes=20)
    assert len(read(HEAD + b"<a><b/></a>" * 100, limits=limits)) == 101
    assert fault(read(HEAD + b"<a>" + b"<b/>" * 20 + b"</a>", limits=limits)) is XmlFault.TOO_WIDE


def test_a_long_tag_in_small_packets_costs_little() -> None:
    """The unpatched expat of some Pythons needs 11 s of CPU for such a megabyte (CVE-2023-52425)."""
    parser = StreamParser(Limits(size=2_000_000, token=2_000_000))
    parser.stepwise = False
    parser.feed(HEAD)
    started = time.process_time()
    parser.feed(b"<a b='")
    for _ in range(1_000_000 // 64):
        assert parser.feed(b"x" * 64) == []
    assert len(parser.feed(b"'/>")) == 1
    assert time.process_time() - started < 2.0


def test_a_parser_is_replaced_now_and_then_and_nobody_notices() -> None:
    parser = StreamParser()
    parser.stepwise = False
    parser.feed(b"<s:stream xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams' xmlns:p='urn:p&amp;\"'>")
    first = parser._parser
    expected = Element("iq", "jabber:client", {'{urn:p&"}x': "1"}, ("y" * 1000,))
    for _ in range(2 * RECYCLE_BYTES // 1000):
        assert parser.feed(b"<iq p:x='1'>" + b"y" * 1000 + b"</iq>") == [expected]
    assert parser._parser is not first
    assert parser.feed(b"</s:stream>") == [StreamClosed()]


def test_new_names_without_end_do_not_fill_the_memory() -> None:
    parser = StreamParser()
    parser.stepwise = False
    parser.feed(HEAD)
    number = 0

    def flood() -> int:
        """Names kept by the present parser after many new ones."""
        nonlocal number
        for _ in range(300):
            number += 100
            parser.feed(b"".join(b"<n%d/>" % index for index in range(number, number + 100)))
        gc.collect()
        return len(parser._parser.intern)

    assert flood() < RECYCLE_BYTES / 4
    assert flood() < RECYCLE_BYTES / 4


@pytest.mark.parametrize("piece", [b"<a b='", b"<a><![CDATA["])
def test_a_tag_or_section_full_of_tag_ends_is_not_read_again_and_again(piece: bytes) -> None:
    """Every byte that could end a tag is a reason to look; looking at it all each time would take minutes."""
    parser = StreamParser()
    parser.stepwise = False
    parser.feed(HEAD)
    started = time.process_time()
    assert parser.feed(piece) == []
    for _ in range(60_000):
        assert parser.feed(b">") == []
    assert time.process_time() - started < 2.0


@pytest.mark.parametrize("length", [199, 200, 201, 202, 203, 300])
@pytest.mark.parametrize(
    "shape", ["<a b='{}'/>", "<a b='{}'></a>", "<a></a{}>", "<a b='&#65;{}'/>", "<a><b c='{}'/></a>"]
)
def test_a_tag_is_too_long_or_not_whatever_the_packets(shape: str, length: int) -> None:
    limits = Limits(token=200)
    fill = " " if "/a{}" in shape else "x"
    longest = max(len(part) for part in shape.replace("{}", "").replace("><", ">\n<").split("\n") if part)
    tag = shape.format(fill * (length - longest))
    data = HEAD + b"<first/>" + tag.encode() + b"<last/>"
    events: dict[tuple[str, ...], tuple[int, bool]] = {}
    for size in (1, 2, 7, 50, 150, len(data)):
        for stepwise in (False, True):
            found = [repr(event) for event in read(data, size, limits, stepwise)]
            events.setdefault(tuple(found), (size, stepwise))
    assert len(events) == 1, events
    [only] = events
    assert ("too-big" in only[-1]) == (length > 201), only
    assert "Element" in only[1]

"""A client's stream over TCP."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.client.outputs import Ended, Failure, Frame, Kind, Output, Ready, Secure, Terms, Write
from poise.protocols.xmpp.client.stream import parse_element
from poise.protocols.xmpp.client.tcp import TcpClientStream
from poise.protocols.xmpp.xml import XmlError
from tests.unit.protocols.xmpp.client.stories import (
    ACCOUNT,
    AUTH,
    BIND,
    BIND_REQUEST,
    BOUND,
    NONCE,
    PLAIN,
    SECURE,
    SUCCESS,
    carried,
    shown,
    story,
)

HEADER = (
    b'<?xml version="1.0"?><stream:stream to="localhost" version="1.0" xml:lang="en" xmlns="jabber:client" '
    b'xmlns:stream="http://etherx.jabber.org/streams">'
)
ANSWER = (
    b"<?xml version='1.0'?><stream:stream from='localhost' id='s1' version='1.0' xmlns='jabber:client' "
    b"xmlns:stream='http://etherx.jabber.org/streams'>"
)
CLOSE = b"</stream:stream>"


def signed_in() -> TcpClientStream:
    stream = TcpClientStream(ACCOUNT, SECURE, NONCE)
    stream.open()
    stream.receive(ANSWER + PLAIN + SUCCESS + ANSWER + BIND + BOUND)
    assert stream.ready
    return stream


def told(outgoing: bool, data: bytes) -> Frame:
    kind = Kind.STANZA if data.startswith(b"<iq") else Kind.STREAM
    return Frame(outgoing, kind, data, parse_element(data))


def test_a_sign_in_from_header_to_jid() -> None:
    stream = TcpClientStream(ACCOUNT, SECURE, NONCE)
    header, answer = Frame(True, Kind.STREAM, HEADER, None), Frame(False, Kind.STREAM, ANSWER, None)
    with story() as play:
        play.put("open", lambda _: stream.open())
        play.expect(header, Write(HEADER))
        play.put("header", lambda _: stream.receive(ANSWER))
        play.expect(answer)
        play.put("features", lambda _: stream.receive(PLAIN))
        play.expect(told(False, PLAIN), told(True, AUTH), Write(AUTH))
        play.put("success", lambda _: stream.receive(SUCCESS))
        play.expect(told(False, SUCCESS), header, Write(HEADER))
        play.put("header and features", lambda _: stream.receive(ANSWER + BIND))
        play.expect(answer, told(False, BIND), told(True, BIND_REQUEST), Write(BIND_REQUEST))
        play.put("JID", lambda _: stream.receive(BOUND))
        play.expect(told(False, BOUND), Ready("1001@localhost/desktop"))
        play.put("white space", lambda _: stream.receive(b" \n"))
        play.nothing()
        play.put("close", lambda _: stream.close())
        play.expect(Frame(True, Kind.STREAM, CLOSE, None), Write(CLOSE), Ended(None, "we left"))


def test_what_stood_on_the_wire_is_told_whatever_the_packets_were() -> None:
    update = b"<message from='pubsub.localhost'><body>a > b &amp; \xc3\xa4</body></message>"
    whole = shown(signed_in().receive(update + b"\n" + update))
    stream = signed_in()
    by_byte: list[Output] = []
    for byte in update + b"\n" + update:
        by_byte += stream.receive(bytes([byte]))
    assert whole == shown(by_byte) == [(False, update), (False, update)]


def test_tls_begins_between_proceed_and_a_new_header() -> None:
    stream = TcpClientStream(ACCOUNT, Terms(secure=False, can_secure=True), NONCE)
    stream.open()
    features = (
        b"<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
    )
    assert carried(stream.receive(ANSWER + features)) == [Write(b'<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')]
    assert carried(stream.receive(b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")) == [Secure()]
    assert carried(stream.secured()) == [Write(HEADER)]
    assert carried(stream.receive(ANSWER + PLAIN)) == [Write(AUTH)]


def test_the_end_of_the_stream_is_answered() -> None:
    assert carried(signed_in().receive(CLOSE)) == [Write(CLOSE), Ended(None, "the server closed the stream")]


def test_a_connection_that_breaks_ends_the_stream_without_last_words() -> None:
    stream = signed_in()
    [end] = carried(stream.lost())
    assert isinstance(end, Ended)
    assert end.failure is Failure.UNREACHABLE
    assert stream.lost() == stream.close() == stream.receive(CLOSE) == stream.send(b"<presence/>") == []


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"<html></html>", b"<a><b></a>", b"\x16\x03\x01\x02\x00"]
)
def test_whatever_is_no_xmpp_is_said_to_be_none(data: bytes) -> None:
    stream = TcpClientStream(ACCOUNT, SECURE, NONCE)
    stream.open()
    end = stream.receive(data)[-1]
    assert isinstance(end, Ended)
    assert end.failure is Failure.NOT_XMPP


def test_a_port_that_hangs_up_without_a_word_is_no_xmpp_either() -> None:
    stream = TcpClientStream(ACCOUNT, SECURE, NONCE)
    stream.open()
    [end] = stream.lost()
    assert isinstance(end, Ended)
    assert end.failure is Failure.NOT_XMPP
    assert "TLS" in end.detail


@pytest.mark.parametrize("bad", [b"", b"text", b"<a>", b"<a/><b/>", b"<a/>text", b"<!--x-->", b"</w><w>"])
def test_what_is_not_one_element_never_goes_out(bad: bytes) -> None:
    with pytest.raises(XmlError):
        signed_in().send(bad)

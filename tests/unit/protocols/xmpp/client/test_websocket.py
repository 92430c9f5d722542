"""A client's stream over WebSocket."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.client.outputs import Ended, Failure, Output, Ready, Write
from poise.protocols.xmpp.client.websocket import WebSocketClientStream
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
    story,
)

OPEN = b'<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" to="localhost" version="1.0" xml:lang="en"/>'
ANSWER = b"<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='localhost' id='s1' version='1.0'/>"
CLOSE = b'<close xmlns="urn:ietf:params:xml:ns:xmpp-framing"/>'


def test_a_sign_in_message_by_message() -> None:
    stream = WebSocketClientStream(ACCOUNT, SECURE, NONCE)

    def hear(data: bytes) -> list[Output]:
        return carried(stream.receive(data))

    with story() as play:
        play.put("open", lambda _: carried(stream.open()))
        play.expect(Write(OPEN))
        play.put("open", lambda _: hear(ANSWER))
        play.nothing()
        play.put("features", lambda _: hear(PLAIN))
        play.expect(Write(AUTH))
        play.put("success", lambda _: hear(SUCCESS))
        play.expect(Write(OPEN))
        play.put("open", lambda _: hear(ANSWER))
        play.nothing()
        play.put("features", lambda _: hear(BIND))
        play.expect(Write(BIND_REQUEST))
        play.put("JID", lambda _: hear(BOUND))
        play.expect(Ready("1001@localhost/desktop"))
        play.put("nothing", lambda _: hear(b" "))
        play.nothing()
        play.put("close", lambda _: carried(stream.close()))
        play.expect(Write(CLOSE), Ended(None, "we left"))


def test_features_whose_prefix_nobody_declared_are_understood() -> None:
    stream = WebSocketClientStream(ACCOUNT, SECURE, NONCE)
    stream.open()
    assert carried(stream.receive(PLAIN.replace(b" xmlns:stream='http://etherx.jabber.org/streams'", b""))) == [
        Write(AUTH)
    ]


def test_a_server_that_sends_us_elsewhere_is_told_with_the_place() -> None:
    stream = WebSocketClientStream(ACCOUNT, SECURE, NONCE)
    stream.open()
    end = stream.receive(CLOSE.replace(b"/>", b" see-other-uri='wss://other.example.com/ws'/>"))[-1]
    assert end == Ended(Failure.STREAM_ERROR, "see-other-uri wss://other.example.com/ws")


def test_the_servers_close_is_answered_and_a_broken_connection_is_not() -> None:
    stream = WebSocketClientStream(ACCOUNT, SECURE, NONCE)
    stream.open()
    assert carried(stream.receive(CLOSE)) == [Write(CLOSE), Ended(None, "the server closed the stream")]
    other = WebSocketClientStream(ACCOUNT, SECURE, NONCE)
    other.open()
    assert other.lost() == [Ended(Failure.UNREACHABLE, "it was closed without an end of stream")]


@pytest.mark.parametrize("data", [b"hello", b"<a>", b"\xff\xfe", b"<a/><b/>"])
def test_messages_that_are_no_element_end_it(data: bytes) -> None:
    stream = WebSocketClientStream(ACCOUNT, SECURE, NONCE)
    stream.open()
    end = stream.receive(data)[-1]
    assert isinstance(end, Ended)
    assert end.failure is Failure.NOT_XMPP


def test_a_stanza_without_a_namespace_gets_the_one_it_stands_in() -> None:
    stream = WebSocketClientStream(ACCOUNT, SECURE, NONCE)
    stream.open()
    assert carried(stream.send(b"<iq type='get'/>")) == [Write(b"<iq xmlns=\"jabber:client\" type='get'/>")]
    own = b"<a:iq xmlns:a='jabber:client'/>"
    assert carried(stream.send(own)) == [Write(own)]
    assert carried(stream.send(b"<presence/>")) == [Write(b'<presence xmlns="jabber:client"/>')]

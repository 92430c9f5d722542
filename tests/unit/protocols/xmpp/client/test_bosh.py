"""A client's stream over BOSH: request ids, order, and what is sent again."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.client.bosh import TRIES_MAX, BoshClientStream, pieces
from poise.protocols.xmpp.client.outputs import Ended, Failure, Frame, Kind, Output, Post, Ready
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

BODY = b"<body xmlns='http://jabber.org/protocol/httpbind'>%b</body>"
CREATED = b"<body xmlns='http://jabber.org/protocol/httpbind' sid='a' requests='2' hold='1' wait='30'>%b</body>" % PLAIN
EMPTY = BODY % b""
MESSAGE = b"<message xmlns='jabber:client'><body>%d</body></message>"
PRESENCE = b'<presence xmlns="jabber:client"/>'


def poll(rid: int, content: bytes = b"") -> Post:
    head = b"<body rid='%d' sid='a' xmlns='http://jabber.org/protocol/httpbind'" % rid
    return Post(rid, head + (b">" + content + b"</body>" if content else b"/>"))


def signed_in() -> BoshClientStream:
    """Bound; request 105 is held."""
    stream = BoshClientStream(ACCOUNT, SECURE, NONCE, 100)
    stream.open()
    answers = (CREATED, BODY % SUCCESS, BODY % BIND, BODY % BOUND)
    for rid, body in enumerate(answers, 100):
        stream.answered(rid, 200, body)
    assert stream.ready
    return stream


def test_a_sign_in_request_by_request() -> None:
    stream = BoshClientStream(ACCOUNT, SECURE, NONCE, 100)

    def answer(rid: int, body: bytes) -> list[Output]:
        return carried(stream.answered(rid, 200, body))

    with story() as play:
        play.put("open", lambda _: carried(stream.open()))
        play.expect(
            Post(
                100,
                b"<body rid='100' xmlns='http://jabber.org/protocol/httpbind' to='localhost' wait='30' hold='1' "
                b"ver='1.11' xml:lang='en' content='text/xml; charset=utf-8' xmpp:version='1.0' "
                b"xmlns:xmpp='urn:xmpp:xbosh'/>",
            )
        )
        play.put("session and features", lambda _: answer(100, CREATED))
        play.expect(poll(101, AUTH))
        play.put("success", lambda _: answer(101, BODY % SUCCESS))
        play.expect(
            Post(
                102,
                b"<body rid='102' sid='a' xmlns='http://jabber.org/protocol/httpbind' to='localhost' xml:lang='en' "
                b"xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'/>",
            )
        )
        play.put("features", lambda _: answer(102, BODY % BIND))
        play.expect(poll(103, BIND_REQUEST))
        play.put("JID", lambda _: answer(103, BODY % BOUND))
        play.expect(Ready("1001@localhost/desktop"), poll(104))
        play.put("nothing", lambda _: answer(104, EMPTY))
        play.expect(poll(105))
        play.put("close", lambda _: carried(stream.close()))
        play.expect(
            Post(106, b"<body rid='106' sid='a' xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>")
        )
        play.put("farewell", lambda _: answer(106, EMPTY.replace(b">", b" type='terminate'>", 1)))
        play.nothing()
        play.put("the held request", lambda _: answer(105, EMPTY))
        play.expect(Ended(None, "we left"))


def test_no_more_requests_are_open_than_agreed_and_the_rest_goes_together() -> None:
    stream = signed_in()
    assert carried(stream.send(PRESENCE)) == [poll(105, PRESENCE)]
    assert carried(stream.send(PRESENCE)) == carried(stream.send(PRESENCE)) == []
    assert carried(stream.answered(104, 200, EMPTY)) == [poll(106, PRESENCE + PRESENCE)]


def test_answers_are_read_in_the_order_of_the_requests() -> None:
    stream = signed_in()
    stream.send(PRESENCE)
    assert shown(stream.answered(105, 200, BODY % (MESSAGE % 2)))[:1] != [(False, MESSAGE % 2)]
    heard = [raw for outgoing, raw in shown(stream.answered(104, 200, BODY % (MESSAGE % 1))) if not outgoing]
    assert [raw for raw in heard if raw.startswith(b"<message")] == [MESSAGE % 1, MESSAGE % 2]


def test_a_refusal_waits_for_the_answer_before_it_which_may_say_why() -> None:
    stream = signed_in()
    stream.send(PRESENCE)
    assert stream.answered(105, 404, b"") == []
    error = (
        b"<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
        b"<policy-violation xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"
    )
    ended = (BODY % error).replace(b">", b" type='terminate' condition='remote-stream-error'>", 1)
    assert carried(stream.answered(104, 200, ended)) == [Ended(Failure.STREAM_ERROR, "policy-violation")]


def test_a_request_whose_connection_broke_is_sent_again_and_at_last_given_up() -> None:
    stream = signed_in()
    for _ in range(TRIES_MAX - 1):
        assert stream.failed(104) == [poll(104)]
    assert stream.failed(104) == [Ended(Failure.UNREACHABLE, "no answer")]
    assert stream.failed(104) == stream.answered(104, 200, EMPTY) == []


def test_an_answer_nobody_waits_for_is_passed_over() -> None:
    assert signed_in().answered(99, 200, BODY % (MESSAGE % 1)) == []


def test_stanzas_are_told_as_they_stood_in_the_body() -> None:
    stream = signed_in()
    first, second = b"<message from='a'><body>x</body></message>", b"<iq type='result' id='9'/>"
    outputs = stream.answered(104, 200, BODY % (first + b"\n " + second))
    frames = [output for output in outputs if isinstance(output, Frame) and not output.outgoing]
    assert [(frame.kind, frame.raw) for frame in frames] == [
        (Kind.WRAPPER, b"<body xmlns='http://jabber.org/protocol/httpbind'>"),
        (Kind.STANZA, first),
        (Kind.STANZA, second),
    ]


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (404, b"", Failure.STREAM_ERROR),
        (500, b"<html>", Failure.STREAM_ERROR),
        (200, b"<html>", Failure.NOT_XMPP),
        (200, b"<html/>", Failure.NOT_XMPP),
        (200, EMPTY.replace(b">", b" type='terminate' condition='policy-violation'>", 1), Failure.STREAM_ERROR),
    ],
)
def test_an_end_says_why(status: int, body: bytes, failure: Failure) -> None:
    stream = signed_in()
    end = stream.answered(104, status, body)[-1]
    assert isinstance(end, Ended)
    assert end.failure is failure
    assert stream.send(PRESENCE) == stream.close() == []


def test_an_answer_that_creates_no_session_is_no_bosh() -> None:
    for status, body in ((404, b""), (200, EMPTY)):
        stream = BoshClientStream(ACCOUNT, SECURE, NONCE, 100)
        stream.open()
        end = stream.answered(100, status, body)[-1]
        assert isinstance(end, Ended)
        assert end.failure is Failure.NOT_XMPP


@pytest.mark.parametrize(
    ("body", "children"),
    [
        (b"<b/>", []),
        (b"<b></b>", []),
        (b"<b><x/></b>", [b"<x/>"]),
        (b"<b> <x a='>'/> <y><x/></y>t</b>\n", [b"<x a='>'/> ", b"<y><x/></y>t"]),
    ],
)
def test_pieces_of_a_body(body: bytes, children: list[bytes]) -> None:
    assert [body[start:end] for start, end in pieces(body)] == children

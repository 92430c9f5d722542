"""Section A: what an HTTP client, a browser and a proxy see of the endpoint."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tests.conformance.dialogue import (
    BODY,
    PING,
    QUIET,
    Contact,
    Session,
    check_empty,
    check_session_lives,
    check_terminated,
    login,
    message,
    texts,
)
from tests.conformance.targets import ORIGIN, Server
from tests.conformance.wire import NoAnswer, Reply, Wire, http_request


def ask(server: Server, request: bytes, *, bodyless: bool = False) -> Reply:
    """Send raw bytes on a new plain connection and read one answer."""
    wire = Wire(server.host, server.port)
    wire.write(request)
    return wire.reply(bodyless=bodyless)


def media_type(reply: Reply) -> str:
    """Content-Type without spaces and case."""
    return (reply.header("Content-Type") or "").replace(" ", "").lower()


def test_A01_every_post_gets_200_OK_and_one_body(server: Server) -> None:
    session = Session(server)
    for reply in (session.create(), session.ask(9).reply()):
        assert reply.status_line == "HTTP/1.1 200 OK"
        assert reply.root.tag == BODY


def test_A02_answers_are_utf8_text_xml(server: Server) -> None:
    assert media_type(Session(server).create()) == "text/xml;charset=utf-8"


def test_A03_content_of_the_creation_is_the_type_of_all_answers(server: Server) -> None:
    session = Session(server)
    created = session.create(content="text/html; charset=utf-8")
    session.authenticate()
    error = session.ask(9).reply()
    check_terminated(error, "item-not-found")
    assert media_type(created) == media_type(error) == "text/html;charset=utf-8"


@pytest.mark.parametrize(
    "content", ["a&#13;&#10;X-Injected: y", "image/png"], ids=["header injection", "unlisted type"]
)
def test_A03_SEC19_other_content_is_refused_and_injects_nothing(server: Server, content: str) -> None:
    session = Session(server)
    reply = session.post(session.C(content=content))
    assert reply.header("X-Injected") is None
    assert media_type(reply) in ("text/xml;charset=utf-8", "text/xml")
    check_terminated(reply, "bad-request")


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", ""], ids=["form", "text", "absent"]
)
def test_A04_the_content_type_of_a_request_does_not_matter(server: Server, kind: str) -> None:
    session = Session(server)
    assert session.post(session.C(), [("Content-Type", kind)]).sid


def test_A05_answers_have_a_length_and_are_not_chunked(server: Server) -> None:
    session = Session(server)
    for reply in (session.create(), session.ask(9).reply()):
        assert int(reply.header("Content-Length") or 0) == len(reply.body) > 0
        assert reply.header("Transfer-Encoding") is None


def test_A06_a_chunked_request_makes_a_session(server: Server) -> None:
    body = Session(server).C()
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:7], body[7:60], body[60:]))
    head = http_request("POST", server.path, b"", [("Transfer-Encoding", "chunked"), ("Content-Length", "")])
    assert ask(server, head + chunks + b"0\r\n\r\n").sid


def test_A07_http_1_0_is_answered_in_full_and_closed(server: Server) -> None:
    wire = Wire(server.host, server.port)
    wire.write(http_request("POST", server.path, Session(server).C(), version="1.0"))
    assert wire.reply().sid
    assert wire.read_to_end() == b""


def test_A07_http_1_0_keeps_the_connection_when_asked(server: Server) -> None:
    wire = Wire(server.host, server.port)
    for _ in range(2):
        body = Session(server).C()
        wire.write(http_request("POST", server.path, body, [("Connection", "keep-alive")], version="1.0"))
        reply = wire.reply()
        assert reply.sid
        assert (reply.header("Connection") or "").lower() == "keep-alive"


def test_A08_a_pipelined_post_is_served_while_the_earlier_one_is_held(server: Server) -> None:
    session = login(server)
    wire = session.connect()
    wire.post(session.B(1), server.path)
    server.settle()
    assert wire.silent(0)
    wire.post(session.B(2, PING), server.path)
    answers = [wire.reply(1.0)]
    if not answers[0].stanzas:  # the ping's result may travel on either
        answers.append(wire.reply(1.0))
    assert [stanza.get("id") for reply in answers for stanza in reply.stanzas] == ["ping1"]


def test_A08_answers_on_one_connection_leave_in_the_order_of_the_requests(server: Server) -> None:
    session = login(server)
    wire = session.connect()
    for n in (1, 2, 3):
        wire.post(session.B(n, message(session.jid, f"m{n}")), server.path)
    seen: list[str] = []
    while len(seen) < 3:
        seen += texts(wire.reply())
    assert seen == ["m1", "m2", "m3"]


@pytest.mark.parametrize("accepted", ["gzip", "deflate", "gzip;q=0", "identity", ""])
def test_A09_compression_only_for_those_who_accept_it(server: Server, accepted: str) -> None:
    session = Session(server)
    reply = session.post(session.C(), [("Accept-Encoding", accepted)])
    assert reply.sid
    coding = reply.header("Content-Encoding")
    assert coding in (None, "identity", accepted)
    if coding in ("gzip", "deflate"):
        assert "accept-encoding" in (reply.header("Vary") or "").lower()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_A10_a_compressed_request_is_understood_if_announced_and_else_refused(server: Server, coding: str) -> None:
    announced = (Session(server).create().root.get("accept") or "").replace(" ", "").split(",")
    session = Session(server)
    packed = gzip.compress(session.C()) if coding == "gzip" else zlib.compress(session.C())
    reply = session.post(packed, [("Content-Encoding", coding)])
    if coding in announced:
        assert reply.sid
    else:
        check_terminated(reply, "bad-request")


def test_A10_a_content_encoding_that_is_a_media_type_is_ignored(server: Server) -> None:
    session = Session(server)  # Pidgin writes this header by mistake
    assert session.post(session.C(), [("Content-Encoding", "text/xml; charset=utf-8")]).sid


def test_A11_get_is_a_landing_page(server: Server) -> None:
    reply = ask(server, http_request("GET", server.path))
    assert reply.status == 200
    assert media_type(reply).startswith(("text/html", "text/plain"))
    assert 0 < len(reply.body) < 16384
    assert b"httpbind'" not in reply.body


def test_A12_head_is_get_without_the_body(server: Server) -> None:
    reply = ask(server, http_request("HEAD", server.path), bodyless=True)
    assert reply.status == 200
    assert media_type(reply).startswith(("text/html", "text/plain"))


def test_A13_a_preflight_is_answered_without_a_body(server: Server) -> None:
    wanted = [("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "content-type")]
    reply = ask(server, http_request("OPTIONS", server.path, b"", [("Origin", ORIGIN), *wanted]))
    assert reply.status in (200, 204)
    assert reply.body == b""
    assert reply.header("Access-Control-Allow-Origin") in (ORIGIN, "*")
    methods = {name.strip() for name in (reply.header("Access-Control-Allow-Methods") or "").split(",")}
    assert methods >= {"POST", "GET", "OPTIONS"}
    assert "content-type" in (reply.header("Access-Control-Allow-Headers") or "").lower()
    assert int(reply.header("Access-Control-Max-Age") or 0) > 0


def test_A14_an_allowed_origin_may_read_answers_and_errors(server: Server) -> None:
    session = Session(server)
    for body in (session.C(), b"<nonsense/>", session.C(to="elsewhere.example")):
        reply = session.post(body, [("Origin", ORIGIN)])
        allowed = reply.header("Access-Control-Allow-Origin")
        assert allowed in (ORIGIN, "*")
        assert allowed == "*" or "origin" in (reply.header("Vary") or "").lower()


@pytest.mark.parametrize("origin", ["https://evil.example", ORIGIN + ".evil.example", "null", "https://x" + ORIGIN[8:]])
def test_A14_SEC20_a_foreign_origin_may_not(server: Server, origin: str) -> None:
    session = Session(server)
    for body in (session.C(), b"<nonsense/>"):
        check_foreign(session.post(body, [("Origin", origin)]))
    preflight = [("Origin", origin), ("Access-Control-Request-Method", "POST")]
    check_foreign(ask(server, http_request("OPTIONS", server.path, b"", preflight)))


def check_foreign(reply: Reply) -> None:
    """What a page of a foreign origin may see of an answer: nothing, unless everybody may, without credentials."""
    allowed = reply.header("Access-Control-Allow-Origin")
    assert allowed is None or (allowed == "*" and reply.header("Access-Control-Allow-Credentials") is None)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_A15_other_methods_are_not_allowed(server: Server, method: str) -> None:
    reply = ask(server, http_request(method, server.path, b"" if method == "TRACE" else b"x"))
    assert reply.status == 405
    assert "POST" in (reply.header("Allow") or "")


@pytest.mark.parametrize("slash", ["", "/"], ids=["without", "with"])
def test_A16_the_path_works_with_and_without_a_slash(server: Server, slash: str) -> None:
    session = Session(server)
    assert session.post(session.C(), path=server.path + slash).sid


def test_A17_a_connection_lost_under_a_held_request_costs_only_the_connection(server: Server, contact: Contact) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    held.kill()
    server.settle()
    contact.say(message(session.jid, "after the loss"))
    server.settle()
    assert texts(session.ask(1).reply()) == ["after the loss"]


def test_A18_expect_100_continue_is_answered(server: Server) -> None:
    body = Session(server).C()
    request = http_request("POST", server.path, body, [("Expect", "100-continue")])
    wire = Wire(server.host, server.port)
    wire.write(request[: -len(body)])
    assert wire.reply(2.0).status == 100
    wire.write(body)
    assert wire.reply().sid


AMBIGUOUS = {
    "two lengths": [b"Content-Length: 4", b"Content-Length: 5"],
    "length and chunked": [b"Content-Length: 4", b"Transfer-Encoding: chunked"],
    "negative length": [b"Content-Length: -4"],
    "signed length": [b"Content-Length: +4"],
    "unknown transfer coding": [b"Transfer-Encoding: xchunked"],
    "two transfer codings": [b"Transfer-Encoding: gzip, chunked"],
    "folded header": [b"Content-Length: 4", b"X-Fold: a", b" b"],
    "space before colon": [b"Content-Length : 4"],
    "endless header": [b"Content-Length: 4", b"X-Long: " + b"a" * 200_000],
}


@pytest.mark.parametrize("headers", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_A19_SEC18_ambiguous_framing_is_refused_and_the_connection_closed(server: Server, headers: list[bytes]) -> None:
    wire = Wire(server.host, server.port)
    wire.write(b"\r\n".join([b"POST %b HTTP/1.1" % server.path.encode(), b"Host: localhost", *headers, b"", b"abcd"]))
    assert wire.reply().status in (400, 413, 431, 501)
    wire.read_to_end()


def test_A19_SEC18_bare_line_feeds_are_refused(server: Server) -> None:
    wire = Wire(server.host, server.port)
    wire.write(b"POST %b HTTP/1.1\nHost: localhost\nContent-Length: 4\n\nabcd" % server.path.encode())
    assert wire.read_to_end(2.0).startswith(b"HTTP/1.1 400")


def test_A20_answers_are_not_stored_and_tell_no_version(server: Server) -> None:
    replies = [Session(server).create(), ask(server, http_request("GET", server.path))]
    for reply in replies:
        assert "no-store" in (reply.header("Cache-Control") or "")
        assert not any(char.isdigit() for char in reply.header("Server") or "")


@pytest.mark.parametrize("payload", [PING, ""], ids=["stanza", "poll"])
def test_A21_SEC14_plain_http_neither_reaches_nor_ends_an_encrypted_session(server: Server, payload: str) -> None:
    session = Session(server, tls=True).sign_in()
    intruder = Session(server)
    try:
        reply = intruder.post(session.B(1, *filter(None, [payload])))
    except NoAnswer:
        pass  # closing the connection is what the specification asks for
    else:
        assert not reply.stanzas
        assert reply.root.get("condition") in ("item-not-found", "bad-request")
    check_session_lives(session)


def test_A22_a_client_with_separate_connections_is_served_alike(server: Server) -> None:
    session = login(server)
    first = session.ask(1)
    assert first.held()
    second = session.ask(2, message(session.jid, "x"))
    replies = [first.reply()]
    assert texts(replies[0]) == ["x"] or texts(second.reply()) == ["x"]


def test_A22_one_connection_serves_requests_one_after_the_other(server: Server) -> None:
    session = login(server)
    wire = session.connect()
    for n in (1, 2, 3):
        wire.post(session.B(n, message(session.jid, str(n))), server.path)
        assert texts(wire.reply()) == [str(n)]
    wire.post(session.B(4, type="terminate"), server.path)
    check_terminated(wire.reply())
    check_empty_or_gone(session)


def check_empty_or_gone(session: Session) -> None:
    """After a terminate nothing of the session is left."""
    check_terminated(session.ask(5).reply(), "item-not-found")


def test_A01_an_empty_answer_is_57_bytes(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    session.ask(2, QUIET)
    reply = held.reply()
    check_empty(reply)
    assert reply.body == b"<body xmlns='http://jabber.org/protocol/httpbind'></body>"

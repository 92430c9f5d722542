"""WS01-WS25."""

from __future__ import annotations

import json
import select
import socket
import time
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from tests.conformance.dialogue import Contact
from tests.conformance.targets import MESSAGE_MAX, ORIGIN, WEBSOCKET, Serve, Server
from tests.conformance.ws.dialogue import connect, dial
from tests.support.websocket import (
    ACCEPT,
    BINARY,
    BIND,
    CLIENT,
    CLOSE,
    CONT,
    FRAMING,
    GOODBYE,
    PING,
    PING_IQ,
    PONG,
    SASL,
    STREAM,
    TEXT,
    Silence,
    XmppSocket,
    bind,
    deflated,
    frame,
    opening,
    plain,
    upgrade_request,
)

ERRORS = "urn:ietf:params:xml:ns:xmpp-streams"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
MESSAGE, PRESENCE, IQ = (f"{{{CLIENT}}}{name}" for name in ("message", "presence", "iq"))
OPEN_TAG, CLOSE_TAG, ERROR_TAG = f"{{{FRAMING}}}open", f"{{{FRAMING}}}close", f"{{{STREAM}}}error"


def message(to: str, text: str) -> str:
    """A chat message; `text` escaped already."""
    return f"<message xmlns='{CLIENT}' to='{to}' type='chat'><body>{text}</body></message>"


def text_of(client: XmppSocket) -> str | None:
    """The body of the next message."""
    return client.until(MESSAGE).findtext(f"{{{CLIENT}}}body")


def alive(client: XmppSocket) -> bool:
    """Whether a ping is answered."""
    client.say(PING_IQ)
    return client.until(IQ, id="ping1").get("type") in ("result", "error")


def refused(client: XmppSocket, *conditions: str, opened: bool = True) -> int | None:
    """The stream error, `<close/>` and the close frame that must come next, each by itself, and in under a second; the
    close code. Before `opened`, an `<open/>` of the server's comes first."""
    began = time.monotonic()
    if not opened:
        assert client.hear().tag == OPEN_TAG
    error = client.until(ERROR_TAG)
    assert {f"{{{ERRORS}}}{name}" for name in conditions} & {child.tag for child in error}, ET.tostring(error)
    assert client.hear().tag == CLOSE_TAG
    code = client.close_code()
    assert time.monotonic() - began < 5
    return code


# -- handshake ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offered", ["xmpp", "chat, xmpp", "xmpp, chat"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_WS01_xmpp_is_chosen_even_from_among_several(server: Server, offered: str, tls: bool) -> None:
    answer = dial(server, tls=tls).upgrade(server.ws_path, Sec_WebSocket_Protocol=offered)
    assert answer.status == 101
    assert answer.headers["sec-websocket-protocol"] == "xmpp"
    assert answer.headers["sec-websocket-accept"] == ACCEPT
    assert answer.headers["upgrade"].lower() == "websocket"


@pytest.mark.parametrize("offered", [None, "chat"])
def test_WS02_without_xmpp_the_handshake_is_refused(server: Server, offered: str | None) -> None:
    answer = dial(server).upgrade(server.ws_path, Sec_WebSocket_Protocol=offered)
    assert answer.status == 400
    assert "sec-websocket-protocol" not in answer.headers


@pytest.mark.parametrize("key", [None, "", "short"])
def test_WS03_a_bad_key_is_refused(server: Server, key: str | None) -> None:
    assert dial(server).upgrade(server.ws_path, Sec_WebSocket_Key=key).status == 400


def test_WS03_another_version_is_refused_and_ours_told(server: Server) -> None:
    answer = dial(server).upgrade(server.ws_path, Sec_WebSocket_Version="8")
    assert answer.status == 426
    assert answer.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", ORIGIN + ".evil.example"])
def test_WS04_SEC20_pages_of_foreign_origins_may_not_connect(server: Server, origin: str) -> None:
    assert dial(server).upgrade(server.ws_path, Origin=origin).status == 403


@pytest.mark.parametrize("origin", [None, ORIGIN])
def test_WS04_allowed_origins_and_clients_without_one_may(server: Server, origin: str | None) -> None:
    assert dial(server).upgrade(server.ws_path, Origin=origin).status == 101


# -- messages ----------------------------------------------------------------------------------------------------------


def test_WS05_a_binary_frame_is_refused(server: Server) -> None:
    client = connect(server).sign_in()
    client.send(frame(PING_IQ.encode(), BINARY))
    got = client.frame(PING)
    if got.opcode == CLOSE:
        assert got.payload[:2] == (1003).to_bytes(2, "big")
    else:
        assert ERROR_TAG in ET.fromstring(got.payload).tag


def test_WS06_open_is_answered_with_open_and_features_follow(server: Server) -> None:
    ids = set()
    for _ in range(3):
        client = connect(server)
        got = client.open()
        assert got.get("from") == "localhost"
        assert got.get("version") == "1.0"
        assert got.get(LANG)
        assert len(got) == 0
        ids.add(got.get("id"))
        assert "PLAIN" in [element.text for element in client.features().iter(f"{{{SASL}}}mechanism")]
    assert len(ids) == 3
    assert all(name and len(name) >= 8 for name in ids)


def test_WS06_open_is_collapsed(server: Server) -> None:
    client = connect(server)
    client.say(opening())
    assert client.message().endswith(b"/>")


def test_WS07_every_message_stands_by_itself_with_literal_namespaces(server: Server) -> None:
    client = connect(server)
    heard: list[bytes] = []
    for said, expected in (
        (opening(), 2),
        (plain("1001"), 1),
        (opening(), 2),
        (bind("desk"), 1),
        (f"<presence xmlns='{CLIENT}'/>", 1),
        (message("1001@localhost/desk", "x"), 1),
    ):
        client.say(said)
        heard += [client.message() for _ in range(expected)]
    for data in heard:
        assert data[:1] == b"<"
        assert data[:2] != b"<?"
        ET.fromstring(data)
    features = [data for data in heard if b"features" in data]
    assert all(data.startswith(b"<stream:features ") for data in features)
    assert len(features) == 2
    for data in heard[-3:]:
        head = data.partition(b">")[0].replace(b'"', b"'")
        assert b" xmlns='jabber:client'" in head, data


@pytest.mark.parametrize(
    ("text", "conditions"),
    [
        (PING_IQ + PING_IQ, ("not-well-formed", "bad-format", "invalid-xml")),
        ("<iq xmlns='jabber:client' type='get'>", ("not-well-formed", "bad-format", "invalid-xml")),
        ("hello", ("not-well-formed", "bad-format", "invalid-xml")),
        (" " + PING_IQ, ("not-well-formed", "bad-format", "invalid-xml")),
        ("<?xml version='1.0'?>" + PING_IQ, ("not-well-formed", "bad-format", "restricted-xml", "invalid-xml")),
        ("<!DOCTYPE iq>" + PING_IQ, ("not-well-formed", "restricted-xml", "bad-format", "invalid-xml")),
        ("<!-- x -->" + PING_IQ, ("not-well-formed", "restricted-xml", "bad-format", "invalid-xml")),
    ],
    ids=["two", "half", "text", "space first", "declaration", "doctype", "comment"],
)
def test_WS08_SEC03_a_message_that_is_not_one_whole_element_ends_the_stream(
    server: Server, text: str, conditions: tuple[str, ...]
) -> None:
    client = connect(server).sign_in()
    client.say(text)
    refused(client, *conditions)


def test_WS09_SEC10_fragments_inside_of_characters_and_with_pings_between_them(server: Server) -> None:
    client = connect(server).sign_in()
    text = "\u00e9\U0001f600" * 5
    data = message(client.jid, text).encode()
    client.send(frame(data[:40], fin=False))
    for at in range(40, len(data) - 1):
        client.send(frame(b"ping", PING) + frame(data[at : at + 1], CONT, fin=False))
    client.send(frame(data[-1:], CONT))
    assert text_of(client) == text


@pytest.mark.parametrize("at", range(1, 8))
def test_WS09_SEC10_every_split_of_a_character_over_two_fragments_works(server: Server, at: int) -> None:
    client = connect(server).sign_in()
    text = "\U0001f600\u00e9&lt;"
    data = message(client.jid, text).encode()
    cut = data.index(b"\xf0") + at
    client.send(frame(data[:cut], fin=False) + frame(data[cut:], CONT))
    assert text_of(client) == "\U0001f600\u00e9<"


@pytest.mark.parametrize(
    ("said", "conditions"),
    [
        (opening(xmlns="urn:example:framing"), ("invalid-namespace", "bad-format")),
        (f"<stream:stream xmlns:stream='{STREAM}' xmlns='{CLIENT}' to='localhost' version='1.0'/>",
         ("bad-format", "invalid-namespace", "invalid-xml")),
        (opening(to="elsewhere.example"), ("host-unknown",)),
        (opening(to=None), ("improper-addressing", "host-unknown")),
        (opening(version="2.0"), ("unsupported-version",)),
    ],
    ids=["namespace", "root", "host", "no to", "version"],
)  # fmt: skip
def test_WS10_WS11_a_wrong_beginning_is_told_by_open_error_and_close(
    server: Server, said: str, conditions: tuple[str, ...]
) -> None:
    client = connect(server)
    client.say(said)
    refused(client, *conditions, opened=False)


def test_WS10_a_later_minor_version_is_accepted(server: Server) -> None:
    client = connect(server)
    assert client.open(version="1.1").get("version") == "1.0"
    client.features()


def test_WS11_a_stream_error_is_a_message_then_close_and_the_end(server: Server) -> None:
    client = connect(server).sign_in()
    client.say("<foo xmlns='urn:example:foo'/>")
    refused(client, "unsupported-stanza-type")


def test_WS12_close_is_answered_and_what_came_before_it_is_processed(server: Server) -> None:
    contact = Contact(server).come()
    client = connect(server).sign_in()
    client.say(*(message(contact.jid, str(number)) for number in range(20)), GOODBYE)
    assert client.until(CLOSE_TAG) is not None
    assert client.close_code() in (1000, None)
    assert [contact.hear(MESSAGE).findtext(f"{{{CLIENT}}}body") for _ in range(20)] == [str(n) for n in range(20)]


def test_WS13_policy_sends_a_client_without_tls_to_an_address_with_it(serve: Serve) -> None:
    server = serve(replace(WEBSOCKET, websocket_redirect="wss://desk.example/ws/"))
    client = connect(server)
    client.open()
    away = client.hear()
    assert (away.tag, away.get("see-other-uri")) == (CLOSE_TAG, "wss://desk.example/ws/")
    client.close_code()
    secure = connect(server, tls=True).sign_in()
    assert alive(secure)


def test_WS14_after_sign_in_a_new_open_restarts_the_stream(server: Server) -> None:
    client = connect(server)
    first = client.open().get("id")
    client.features()
    client.say(plain("1001"))
    client.until(f"{{{SASL}}}success")
    assert client.open().get("id") != first
    features = client.features()
    assert features.find(f"{{{BIND}}}bind") is not None
    assert features.find(f"{{{SASL}}}mechanisms") is None


def test_WS14_the_restart_cannot_change_the_address(server: Server) -> None:
    client = connect(server)
    client.open()
    client.features()
    client.say(plain("1001"))
    client.until(f"{{{SASL}}}success")
    client.say(opening(to="elsewhere.example"))
    assert client.hear().tag == OPEN_TAG
    refused(client, "host-unknown", "not-authorized")


def test_WS14_stanzas_instead_of_the_restart_are_refused(server: Server) -> None:
    client = connect(server)
    client.open()
    client.features()
    client.say(plain("1001"))
    client.until(f"{{{SASL}}}success")
    client.say(PING_IQ)
    refused(client, "not-authorized", "invalid-namespace", "bad-format", "invalid-xml")


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_WS15_neither_tls_nor_compression_is_offered_in_the_stream(server: Server, tls: bool) -> None:
    client = connect(server, tls=tls)
    client.open()
    names = [child.tag for child in client.features().iter()]
    client.say(plain("1001"))
    client.until(f"{{{SASL}}}success")
    client.open()
    names += [child.tag for child in client.features().iter()]
    assert not [name for name in names if "starttls" in name or "compression" in name]


def test_WS15_tls_that_is_asked_for_anyway_fails(server: Server) -> None:
    client = connect(server)
    client.open()
    client.features()
    client.say("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    assert client.hear().tag in ("{urn:ietf:params:xml:ns:xmpp-tls}failure", ERROR_TAG)


# -- keep-alive and loss -----------------------------------------------------------------------------------------------


def test_WS16_a_ping_is_answered_with_its_payload_amid_a_flood_of_stanzas(server: Server) -> None:
    client = connect(server).sign_in()
    client.send(frame(PING_IQ) * 50 + frame(b"a\x00\xffb", PING) + frame(PING_IQ) * 50)
    got = [client.frame() for _ in range(101)]
    assert [each.payload for each in got if each.opcode == PONG] == [b"a\x00\xffb"]


def test_WS16_a_silent_client_is_pinged(server: Server) -> None:
    client = connect(server).sign_in()
    server.pass_time(server.ping_after_s + 1)
    got = client.frame()
    assert got.opcode == PING
    client.send(frame(got.payload, PONG))
    assert alive(client)


@pytest.mark.parametrize("space", [" ", "\n", "\t \r\n"])
def test_WS17_white_space_alone_is_a_keep_alive(server: Server, space: str) -> None:
    client = connect(server)
    client.say(space)
    client.sign_in()
    client.say(space, space)
    assert alive(client)


@pytest.mark.parametrize("how", ["reset", "close frame", "hang up"])
def test_WS18_others_learn_that_a_client_is_gone(server: Server, how: str) -> None:
    contact = Contact(server, "1001", "watch").come()
    client = connect(server).sign_in("1001", "lost", presence=True)
    contact.hear(PRESENCE, from_=client.jid)
    if how == "close frame":
        client.send(frame((1001).to_bytes(2, "big"), CLOSE))
    elif how == "reset":
        client.kill()
    client.socket.close()
    assert contact.hear(PRESENCE, from_=client.jid).get("type") == "unavailable"


def test_WS18_directed_presence_ends_too(server: Server) -> None:
    contact = Contact(server, "1002").come()
    client = connect(server).sign_in("1001", "lost", presence=True)
    client.say(f"<presence xmlns='{CLIENT}' to='{contact.jid}'/>")
    contact.hear(PRESENCE, from_=client.jid)
    client.kill()
    assert contact.hear(PRESENCE, from_=client.jid).get("type") == "unavailable"


# -- bounds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["whole", "fragments", "bomb"])
def test_WS19_SEC08_too_big_a_message_ends_the_session_alone(server: Server, kind: str) -> None:
    contact = Contact(server).come()
    client = connect(server, Sec_WebSocket_Extensions="permessage-deflate" if kind == "bomb" else None).sign_in()
    big = message(contact.jid, "A" * (10_000_000 if kind == "bomb" else MESSAGE_MAX + 1)).encode()
    if kind == "whole":
        client.send(frame(big))
    elif kind == "fragments":
        half = len(big) // 2
        client.send(frame(big[:half], fin=False) + frame(big[half:], CONT))
    else:
        client.send(frame(deflated(big), rsv=4))
    assert refused(client, "policy-violation") == 1009
    assert MESSAGE not in [stanza.tag for stanza in contact.overheard(server)]


def test_WS19_a_message_of_10000_bytes_is_no_problem(server: Server) -> None:
    client = connect(server).sign_in()
    client.say(message(client.jid, "x" * 10_000))
    assert text_of(client) == "x" * 10_000


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(b"<a>\xff</a>"), 1007),
        (frame(b"<a>\xed\xa0\x80</a>"), 1007),
        (frame(b"<a>\xc0\xbc</a>"), 1007),
        (frame(PING_IQ.encode(), mask=None), 1002),
        (frame(PING_IQ.encode(), rsv=1), 1002),
        (frame(PING_IQ.encode(), 3), 1002),
        (frame(b"x" * 126, PING), 1002),
        (frame(b"x", PING, fin=False), 1002),
        (frame(b"x", CONT), 1002),
        (frame(b"", length=1 << 63), (1002, 1009)),
    ],
    ids=[
        "utf-8", "surrogate", "overlong", "unmasked", "reserved bit", "opcode", "long ping", "fragmented ping",
        "stray continuation", "2^63 bytes",
    ],
)  # fmt: skip
def test_WS20_SEC08_SEC10_a_frame_against_the_rules_closes_with_the_proper_code(
    server: Server, data: bytes, code: int | tuple[int, ...]
) -> None:
    client = connect(server).sign_in()
    client.send(data)
    got = client.frame(PING, PONG, TEXT)
    assert got.opcode == CLOSE
    assert int.from_bytes(got.payload[:2], "big") in (code if isinstance(code, tuple) else (code,))


def test_WS20_SEC08_a_broken_client_costs_nobody_else_anything(server: Server) -> None:
    other = connect(server).sign_in("1002")
    for data in (b"\x00" * 14, frame(b"", length=1 << 62), frame(b"x", CONT), upgrade_request(server.ws_path)):
        connect(server).send(data)
    connect(server).send(frame(b"", PONG) * 10_000)
    assert alive(other)


def test_WS21_SEC02_escaped_characters_arrive_as_they_were_sent(server: Server) -> None:
    client = connect(server).sign_in()
    said = f"<message xmlns='{CLIENT}' to='{client.jid}' type='chat' id='&lt;&gt;&amp;&quot;&apos;'>"
    client.say(said + "<body>&lt;a b=\"c\" d='e'&gt; &amp;amp; ]]&gt; \U0010ffff</body></message>")
    got = client.until(MESSAGE)
    assert got.get("id") == "<>&\"'"
    assert got.findtext(f"{{{CLIENT}}}body") == "<a b=\"c\" d='e'> &amp; ]]> \U0010ffff"


def test_WS21_SEC02_a_character_that_xml_forbids_ends_its_senders_stream(server: Server) -> None:
    client = connect(server).sign_in()
    client.say(message(client.jid, "&#1;"))
    refused(client, "not-well-formed", "bad-format", "invalid-xml")


# -- beside the WebSocket ----------------------------------------------------------------------------------------------


def fetch(server: Server, path: str) -> tuple[int, dict[str, str], bytes]:
    """GET over TLS."""
    client = dial(server, tls=True)
    client.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nOrigin: https://any.example\r\n\r\n".encode())
    answer = client.answer()
    return answer.status, answer.headers, answer.body


def test_WS22_host_meta_names_the_endpoints(server: Server) -> None:
    status, headers, body = fetch(server, "/.well-known/host-meta")
    assert status == 200
    links = {link.get("rel"): link.get("href", "") for link in ET.fromstring(body).iter() if link.get("rel")}
    assert links["urn:xmpp:alt-connections:websocket"].startswith("wss://localhost:")
    assert links["urn:xmpp:alt-connections:xbosh"].startswith("https://localhost:")
    assert headers["access-control-allow-origin"] == "*"


def test_WS22_host_meta_as_json_says_the_same(server: Server) -> None:
    status, headers, body = fetch(server, "/.well-known/host-meta.json")
    assert status == 200
    links = {link["rel"]: link["href"] for link in json.loads(body)["links"]}
    assert links["urn:xmpp:alt-connections:websocket"].startswith("wss://localhost:")
    assert links["urn:xmpp:alt-connections:xbosh"].startswith("https://localhost:")
    assert headers["access-control-allow-origin"] == "*"


def test_WS23_a_plain_get_of_the_path_gets_a_proper_answer(server: Server) -> None:
    client = dial(server)
    client.send(f"GET {server.ws_path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert client.answer().status in (200, 400, 426)


def test_WS23_bosh_is_served_on_the_same_port_and_connection(server: Server) -> None:
    client = dial(server)
    body = (
        "<body xmlns='http://jabber.org/protocol/httpbind' to='localhost' rid='7' ver='1.11' wait='4' hold='1' "
        "xml:lang='en' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'/>"
    )
    head = f"POST {server.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    client.send((head + body).encode())
    answer = client.answer()
    assert answer.status == 200
    assert ET.fromstring(answer.body).get("sid")
    assert client.upgrade(server.ws_path).status == 101
    assert alive(client.sign_in())


def test_WS24_SEC06_a_client_that_does_not_read_is_cut_off(fresh: Serve) -> None:
    server = fresh(replace(WEBSOCKET, output_max=500_000))
    deaf, sender = dial(server), connect(server).sign_in("1002")
    deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    assert deaf.upgrade(server.ws_path).status == 101
    deaf.sign_in("1001", presence=True)
    filler, sent = message(deaf.jid, "x" * 50_000), 0
    while sent < 40_000_000:
        sender.say(*[filler] * 10)
        server.settle()
        sent += 10 * len(filler)
        if select.select([sender.socket], [], [], 0)[0]:
            break  # the answer that the addressee is gone
    assert sent < 40_000_000
    assert alive(sender)


# -- the same rules as over TCP ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("authzid", ["", "1001", "1001@localhost"])
def test_WS25_the_three_forms_of_plain_sign_in(server: Server, authzid: str) -> None:
    client = connect(server)
    client.open()
    client.features()
    client.say(plain("1001", authzid=authzid))
    assert client.hear().tag == f"{{{SASL}}}success"


def test_WS25_a_wrong_password_is_told_and_may_be_tried_again(server: Server) -> None:
    client = connect(server)
    client.open()
    client.features()
    client.say(plain("1001", "wrong"))
    got = client.hear()
    assert got.tag == f"{{{SASL}}}failure"
    assert got[0].tag == f"{{{SASL}}}not-authorized"
    client.say(plain("1001"))
    assert client.hear().tag == f"{{{SASL}}}success"


def test_WS25_stanzas_before_sign_in_are_refused(server: Server) -> None:
    client = connect(server)
    client.open()
    client.features()
    client.say(PING_IQ)
    refused(client, "not-authorized")


def test_WS25_a_newer_session_of_the_same_resource_replaces_the_older_over_websocket(server: Server) -> None:
    older = connect(server).sign_in("1001", "desktop")
    newer = connect(server).sign_in("1001", "desktop")
    refused(older, "conflict")
    assert alive(newer)


def test_WS25_conflicts_reach_across_bindings(server: Server) -> None:
    older = connect(server).sign_in("1003", "desktop")
    newer = Contact(server, "1003", "desktop").come()
    refused(older, "conflict")
    again = connect(server).sign_in("1003", "desktop")
    assert alive(again)
    assert f"{{{ERRORS}}}conflict" in {child.tag for child in newer.hear(ERROR_TAG)}


def test_WS25_messages_flow_between_bindings_in_order(server: Server) -> None:
    contact = Contact(server).come()
    client = connect(server).sign_in("1001", "desk", presence=True)
    for number in range(100):
        contact.say(f"<message to='{client.jid}' type='chat'><body>{number}</body></message>")
    assert [text_of(client) for _ in range(100)] == [str(number) for number in range(100)]


def test_WS25_a_forged_sender_never_goes_out(server: Server) -> None:
    contact = Contact(server).come()
    client = connect(server).sign_in()
    client.say(message(contact.jid, "x").replace("<message ", "<message from='1003@localhost/x' "))
    try:
        refused(client, "invalid-from")
    except Silence:
        assert contact.hear(MESSAGE).get("from") == client.jid
    else:
        assert MESSAGE not in [stanza.tag for stanza in contact.overheard(server)]

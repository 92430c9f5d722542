"""What the clients of the field send over TCP, word for word as far as a server can tell, and what they want back."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from tests.conformance.c2s.dialogue import (
    BIND,
    CLIENT,
    END,
    FEATURES,
    IQ,
    MESSAGE,
    PRESENCE,
    SASL,
    SESSION,
    STREAM,
    TLS,
    Stream,
)
from tests.e2e.process import Server

DISCO_ITEMS = "http://jabber.org/protocol/disco#items"
DISCO_INFO = "http://jabber.org/protocol/disco#info"
EVENT = "{http://jabber.org/protocol/pubsub#event}"
PUBSUB = "pubsub.localhost"
NAMESPACES = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"


class Demo:
    """The running demo as `Stream` wants a server."""

    host = "localhost"
    name = "poise"
    sign_in_s = handshake_s = idle_s = 60.0

    def __init__(self, server: Server) -> None:
        self.process = server
        self.tcp_port: int = server.facts["ports"]["xmpp"]
        self.xmpps_port: int = server.facts["ports"]["xmpp_tls"]


def connect(running_demo: Server) -> Stream:
    """A connection to the XMPP port."""
    return Stream(Demo(running_demo))  # type: ignore[arg-type]  # only what a connection needs


@pytest.fixture
def stream(running_demo: Server) -> Stream:
    """The same."""
    return connect(running_demo)


def answers(stream: Stream, ids: list[str]) -> dict[str, ET.Element]:
    """The answer to every request: none may stay unanswered."""
    return {id_: stream.answer(id_) for id_ in ids}


def sign_in_and_out(running_demo: Server, user: str) -> Iterator[str]:
    """The agent signs in and out by REST; the requestId of each step, whose Update is due."""
    rest = running_demo.rest(user)
    for state in ("LOGIN", "READY", "NOT_READY", "LOGOUT"):
        assert rest.put(state, state, **({"extension": user} if state == "LOGIN" else {})).status == 202
        yield state


def update_text(message: ET.Element) -> str:
    """The text of the notification."""
    [items] = message.iter(f"{EVENT}items")
    [notification] = list(next(iter(items)))
    assert len(notification) == 0
    return notification.text or ""


def test_smack_3_with_sasl_names_itself_as_authzid_and_needs_no_subscription(
    running_demo: Server, stream: Stream
) -> None:
    header = f'<stream:stream to="localhost" xmlns="jabber:client" xmlns:stream="{STREAM}" version="1.0">'
    mechanisms = [element.text for element in stream.open(header).hear(FEATURES).iter(f"{{{SASL}}}mechanism")]
    assert "PLAIN" in mechanisms
    token = base64.b64encode(b"1001\x001001\x001001").decode()
    stream.say(f'<auth mechanism="PLAIN" xmlns="{SASL}">{token}</auth>')
    stream.hear(f"{{{SASL}}}success")
    features = stream.open(header).hear(FEATURES)
    assert features.find(f"{{{SESSION}}}session") is not None
    stream.say(f'<iq id="a-0" type="set"><bind xmlns="{BIND}"><resource>isi</resource></bind></iq>')
    assert stream.answer("a-0").findtext(f"{{{BIND}}}bind/{{{BIND}}}jid") == "1001@localhost/isi"
    stream.say(f'<iq id="a-1" type="set"><session xmlns="{SESSION}"/></iq>')
    stream.say('<iq id="a-2" type="get"><query xmlns="jabber:iq:roster" ></query></iq>')
    stream.say('<presence id="a-3"></presence>')
    node = "/finesse/api/User/1001"
    stream.say(f'<iq id="a-4" to="{PUBSUB}" type="get"><query xmlns="{DISCO_INFO}" node="{node}"></query></iq>')
    got = answers(stream, ["a-1", "a-2", "a-4"])
    assert {answer.get("type") for answer in got.values()} == {"result"}
    identity = got["a-4"].find(f"{{{DISCO_INFO}}}query/{{{DISCO_INFO}}}identity")
    assert identity is not None
    assert (identity.get("category"), identity.get("type")) == ("pubsub", "leaf")
    for request_id in sign_in_and_out(running_demo, "1001"):
        message = stream.hear(MESSAGE)
        [items] = message.iter(f"{EVENT}items")
        assert (message.get("from"), items.get("node")) == (PUBSUB, node)
        assert f"<requestId>{request_id}</requestId>" in update_text(message)
    stream.say('<presence type="unavailable"></presence>' + END)
    assert stream.rest().endswith(END.encode())


def test_smack_3_without_sasl_signs_in_by_iq_auth(stream: Stream) -> None:
    stream.open(f'<stream:stream to="localhost" xmlns="{CLIENT}" xmlns:stream="{STREAM}" version="1.0">')
    stream.hear(FEATURES)
    stream.say('<iq id="n-0" type="get"><query xmlns="jabber:iq:auth"><username>1002</username></query></iq>')
    query = stream.answer("n-0").find("{jabber:iq:auth}query")
    assert query is not None
    assert [child.tag.partition("}")[2] for child in query] == ["username", "password", "resource"]
    stream.say(
        '<iq id="n-1" type="set"><query xmlns="jabber:iq:auth"><username>1002</username><password>1002</password>'
        "<resource>cisco</resource></query></iq>"
    )
    answer = stream.answer("n-1")
    assert (answer.get("type"), list(answer)) == ("result", [])
    stream.jid = "1002@localhost/cisco"
    stream.say('<iq id="n-2" type="get"><query xmlns="jabber:iq:roster" ></query></iq><presence id="n-3"></presence>')
    assert stream.answer("n-2").get("type") == "result"
    stream.hear(PRESENCE, from_=stream.jid)
    assert stream.alive()


def test_iq_auth_with_a_wrong_password_is_an_error_and_may_be_corrected(stream: Stream) -> None:
    stream.open().hear(FEATURES)
    for id_, password, kind in (("w", "wrong", "error"), ("r", "1006", "result")):
        stream.say(
            f"<iq id='{id_}' type='set'><query xmlns='jabber:iq:auth'><username>1006</username>"
            f"<password>{password}</password><resource>x</resource></query></iq>"
        )
        assert stream.answer(id_).get("type") == kind


def test_sleekxmpp_gets_a_resource_and_its_raw_way_of_reading_works(running_demo: Server, stream: Stream) -> None:
    header = f"<stream:stream to='localhost' xmlns:stream='{STREAM}' xmlns='jabber:client' xml:lang='en' version='1.0'>"
    stream.open(header).hear(FEATURES)
    token = base64.b64encode(b"\x001003\x001003").decode()
    stream.say(f'<auth xmlns="{SASL}" mechanism="PLAIN">{token}</auth>')
    stream.hear(f"{{{SASL}}}success")
    stream.open(header).hear(FEATURES)
    stream.say(f'<iq type="set" id="1"><bind xmlns="{BIND}" /></iq>')
    jid = stream.answer("1").findtext(f"{{{BIND}}}bind/{{{BIND}}}jid") or ""
    assert jid.startswith("1003@localhost/")
    stream.say(f'<iq type="set" id="2"><session xmlns="{SESSION}" /></iq><presence xml:lang="en" />')
    stream.say('<iq type="get" id="3"><query xmlns="jabber:iq:roster" /></iq>')
    answers(stream, ["2", "3"])
    for request_id in sign_in_and_out(running_demo, "1003"):
        stream.raw = b""
        stream.hear(MESSAGE)
        text = stream.raw.decode()
        event = text[text.index("<message") : text.index("</message>") + 10].replace("&lt;", "<").replace("&gt;", ">")
        update = ET.fromstring(event).find(".//{*}Update")
        assert update is not None
        assert update.findtext("{*}requestId") == request_id
    stream.say(END)
    assert stream.rest().endswith(END.encode())


def test_a_reader_of_one_packet_per_answer_learns_the_domain_from_our_header(running_demo: Server) -> None:
    stream = connect(running_demo)
    stream.socket.settimeout(3)

    def ask(text: str) -> str:
        stream.say(text)
        return stream.socket.recv(65536).decode()

    first = ask(f"<?xml version='1.0' ?><stream:stream to='127.0.0.1' {NAMESPACES} version='1.0'>")
    if "</stream:features>" not in first:
        first += stream.socket.recv(65536).decode()
    domain = re.search(r'from="([^"]*)"', first)
    assert domain is not None
    assert domain[1] == "localhost"
    token = base64.b64encode(b"\x001004\x001004").decode()
    google = "xmlns:ga='http://www.google.com/talk/protocol/auth' ga:client-uses-full-bind-result='true'"
    assert "<success" in ask(f"<auth xmlns='{SASL}' mechanism='PLAIN' {google}>{token}</auth>")
    again = ask(f"<?xml version='1.0' ?><stream:stream to='localhost' {NAMESPACES} version='1.0'>")
    if "</stream:features>" not in again:
        again += stream.socket.recv(65536).decode()
    assert "isi</jid>" in ask(f"<iq type='set' id='p1'><bind xmlns='{BIND}'><resource>isi</resource></bind></iq>")
    requests = [
        f"<iq type='set' id='p2'><session xmlns='{SESSION}'/></iq>",
        f"<iq type='get' id='p3' to='localhost'><query xmlns='{DISCO_ITEMS}'/></iq>",
        f"<iq type='get' id='p4' to='localhost'><query xmlns='{DISCO_INFO}'/></iq>",
        "<iq type='get' id='p5'><vCard xmlns='vcard-temp'/></iq>",
        "<iq type='get' id='p6'><query xmlns='jabber:iq:roster'/></iq>",
        "<iq type='get' id='p7' to='proxy.eu.jabber.org'><query xmlns='http://jabber.org/protocol/bytestreams'/></iq>",
        "<iq type='get' id='p8' to='proxy.localhost'><query xmlns='http://jabber.org/protocol/bytestreams'/></iq>",
        "<iq type='set' id='p9'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish "
        "node='http://jabber.org/protocol/nick'><item><nick xmlns='http://jabber.org/protocol/nick'>n</nick></item>"
        "</publish></pubsub></iq>",
    ]
    for number, request in enumerate(requests, 2):
        assert f'id="p{number}"' in ask(request), request


def libpurple(stream: Stream, user: str) -> None:
    """libpurple's sign-in: STARTTLS because it is there, then several requests in one packet."""
    header = f"<?xml version='1.0' ?><stream:stream to='localhost' {NAMESPACES} version='1.0'>"
    features = stream.open(header).hear(FEATURES)
    assert features.find(f"{{{TLS}}}starttls") is not None
    stream.say(f"<starttls xmlns='{TLS}'/>")
    stream.hear(f"{{{TLS}}}proceed")
    stream.handshake()
    stream.open(header).hear(FEATURES)
    token = base64.b64encode(f"\0{user}\0{user}".encode()).decode()
    google = "xmlns:ga='http://www.google.com/talk/protocol/auth' ga:client-uses-full-bind-result='true'"
    stream.say(f"<auth xmlns='{SASL}' mechanism='PLAIN' {google}>{token}</auth>")
    stream.hear(f"{{{SASL}}}success")
    stream.open(header).hear(FEATURES)
    stream.say(f"<iq type='set' id='purple1'><bind xmlns='{BIND}'><resource>desk</resource></bind></iq>")
    stream.answer("purple1")
    stream.say(f"<iq type='set' id='purple2'><session xmlns='{SESSION}'/></iq>")
    assert stream.answer("purple2").get("type") == "result"
    stream.jid = f"{user}@localhost/desk"


def test_libpurple_pipelines_its_questions_lists_all_nodes_in_its_console_and_sees_events(
    running_demo: Server, stream: Stream
) -> None:
    libpurple(stream, "1005")
    stream.say(
        f"<iq type='get' id='purple3' to='localhost'><query xmlns='{DISCO_ITEMS}'/></iq>"
        f"<iq type='get' id='purple4' to='localhost'><query xmlns='{DISCO_INFO}'/></iq>"
        "<iq type='get' id='purple5'><vCard xmlns='vcard-temp'/></iq>"
        "<iq type='get' id='purple6'><query xmlns='jabber:iq:roster'/></iq>"
        "<iq type='get' id='purple7' to='proxy.eu.jabber.org'><query xmlns='http://jabber.org/protocol/bytestreams'/></iq>"
        "<presence><priority>1</priority><c xmlns='http://jabber.org/protocol/caps' node='http://pidgin.im/' "
        "hash='sha-1' ver='lV6i//bt2U8Rm0REcX8h4F3Nk3M=' ext='voice-v1 camera-v1 video-v1'/>"
        "<x xmlns='vcard-temp:x:update'/></presence>"
    )
    answers(stream, [f"purple{number}" for number in range(3, 8)])
    stream.hear(PRESENCE, from_=stream.jid)
    # the seed's example 1, typed into the XML console
    stream.say(f"<iq type='get' from='{stream.jid}' to='{PUBSUB}' id='items1'><query xmlns='{DISCO_ITEMS}'/></iq>")
    nodes = {item.get("node") for item in stream.answer("items1").iter(f"{{{DISCO_ITEMS}}}item")}
    assert {f"/finesse/api/User/{number}" for number in range(1001, 1007)} <= nodes
    assert "/finesse/api/SystemInfo" in nodes
    for request_id in sign_in_and_out(running_demo, "1005"):
        assert f"<requestId>{request_id}</requestId>" in update_text(stream.hear(MESSAGE))
    stream.say("<iq type='get' id='purple8' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert stream.answer("purple8").get("type") == "result"
    stream.say("<presence type='unavailable'/>" + END)
    stream.rest()


def test_a_login_name_binds_the_agents_id(stream: Stream) -> None:
    stream.open().hear(FEATURES)
    token = base64.b64encode(b"\0agent1\x001001").decode()
    stream.say(f"<auth xmlns='{SASL}' mechanism='PLAIN'>{token}</auth>")
    stream.hear(f"{{{SASL}}}success")
    stream.open().hear(FEATURES)
    stream.say(f"<iq type='set' id='b'><bind xmlns='{BIND}'><resource>x</resource></bind></iq>")
    assert stream.hear(IQ, id_="b").findtext(f"{{{BIND}}}bind/{{{BIND}}}jid") == "1001@localhost/x"

"""3.E: stanzas and XML in an established session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.c2s.dialogue import (
    CLIENT,
    END,
    FEATURES,
    IQ,
    LANG,
    MESSAGE,
    SASL,
    Stream,
    bind,
    header,
    ping,
    plain,
    stanza_error,
)
from tests.conformance.people import BINDINGS, People
from tests.conformance.targets import BOSH, Serve, Server
from tests.conformance.wire import NoAnswer

NWF = "not-well-formed"
BODY = f"{{{CLIENT}}}body"
UNKNOWN = "<query xmlns='urn:example:unknown'/>"


def outcome(server: Server, data: str | bytes) -> str:
    """The stream error after these bytes in a session, or "alive"."""
    stream = Stream(server).sign_in()
    stream.say(data)
    try:
        return "alive" if stream.alive() else stream.refused()
    except NoAnswer:
        return stream.refused()


def iq(kind: str, inner: str, id_: str | None = "q", **attributes: str) -> str:
    """A request."""
    more = "".join(f" {name}='{value}'" for name, value in attributes.items())
    if id_ is not None:
        more += f" id='{id_}'"
    return f"<iq type='{kind}'{more}>{inner}</iq>"


def asked(server: Server, request: str) -> str:
    """The error condition that answers a request; the session goes on."""
    stream = Stream(server).sign_in()
    stream.say(request)
    answer = stream.hear(IQ)
    assert stream.alive()
    return stanza_error(answer)


@pytest.mark.parametrize(
    "element", ["<foo/>", "<foo xmlns='urn:x'/>", "<stream xmlns='urn:x'/>", "<auth xmlns='urn:x'/>"]
)
def test_X01_an_unknown_element_is_unsupported(server: Server, element: str) -> None:
    assert outcome(server, element) == "unsupported-stanza-type"


def test_X02_a_stanza_in_another_namespace_is_refused(server: Server) -> None:
    stanza = "<message xmlns='jabber:server' to='1002@localhost'><body>x</body></message>"
    assert outcome(server, stanza) in ("invalid-namespace", "unsupported-stanza-type")


@pytest.mark.parametrize("text", ["hello", "<![CDATA[x]]>", "&amp;"])
def test_X03_text_between_stanzas_is_bad_format_or_ignored(server: Server, text: str) -> None:
    assert outcome(server, f"{text}<presence/>") in ("bad-format", NWF, "alive")


@pytest.mark.parametrize("markup", ["<!-- x -->", "<?pi x?>"])
@pytest.mark.parametrize(
    "place", ["{}", "<message to='1002@localhost'>{}<body>x</body></message>"], ids=["between", "inside"]
)
def test_X04_comments_and_instructions_are_restricted(server: Server, markup: str, place: str) -> None:
    assert outcome(server, place.format(markup)) == "restricted-xml"


def test_X04_cdata_is_text(server: Server) -> None:
    stream = Stream(server).sign_in().come()
    stream.say(f"<message to='{stream.jid}' id='cdata'><body><![CDATA[<a>&b;]]></body></message>")
    assert stream.hear(MESSAGE, id_="cdata").findtext(BODY) == "<a>&b;"


@pytest.mark.parametrize(
    "markup",
    [
        "<message to='1002@localhost'><body>&undefined;</body></message>",
        "<message to='1002@localhost' id='&undefined;'/>",
        "<!DOCTYPE x [<!ENTITY a 'b'>]>",
        "<!ENTITY a 'b'>",
    ],
)
def test_X05_SEC03_entities_and_declarations_in_the_stream_are_refused(server: Server, markup: str) -> None:
    assert outcome(server, markup) in ("restricted-xml", NWF)


@pytest.mark.parametrize("laughs", ["text", "attribute"])
def test_X05_SEC03_nothing_expands(server: Server, laughs: str) -> None:
    entities = "<!ENTITY l0 'ha'>" + "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 8))
    use = "<x>&l7;</x>" if laughs == "text" else "<x a='&l7;'/>"
    stream = Stream(server)
    stream.say(f"<?xml version='1.0'?><!DOCTYPE x [{entities}]>{header()}{use}")
    assert stream.refused() in ("restricted-xml", NWF)


@pytest.mark.parametrize(
    "data",
    [
        b"<message>&#1;</message>",
        b"<message>&#xFFFE;</message>",
        b"<message>&#xD800;</message>",
        b"<message id='&#0;'/>",
        b"<message>\x01</message>",
        b"<message>\x00</message>",
        b"<message></presence>",
        b"<message a='1' a='2'/>",
        b"<q:message/>",
        b"<message a=1/>",
        b"<message a='<'/>",
        b"<message",
        b"</message>",
        b"<message>]]></message>",
        b"<message>& </message>",
    ],
    ids=lambda data: data.decode("latin-1").encode("unicode_escape").decode(),
)
def test_X06_SEC02_what_is_not_well_formed_ends_the_senders_stream_alone(server: Server, data: bytes) -> None:
    other = Stream(server).sign_in("1002", "other")
    stream = Stream(server).sign_in()
    stream.say(data if data != b"<message" else data + b"<message>")
    assert stream.refused() == NWF
    assert other.alive()


BAD_UTF8 = [
    b"\xff",
    b"\xc0\xbc",
    b"\xed\xa0\x80",
    b"\xed\xa0\xbd\xed\xb8\x80",
    b"\xf4\x90\x80\x80",
    b"\xe2\x82",
    b"\xef\xbf\xbf",
]


@pytest.mark.parametrize("text", BAD_UTF8, ids=lambda text: text.hex())
def test_X06_SEC10_invalid_utf_8_is_refused(server: Server, text: bytes) -> None:
    conditions = (NWF, "unsupported-encoding", "bad-format")
    assert outcome(server, b"<message to='1002@localhost'><body>" + text + b"</body></message>") in conditions


def test_SEC10_valid_utf_8_may_be_split_anywhere(server: Server) -> None:
    stream = Stream(server).sign_in().come()
    message = f"<message to='{stream.jid}' id='split'><body>\U0001f600\u00e9&lt;\U0010ffff</body></message>".encode()
    for cut in range(message.index(b"<body>"), message.index(b"</body>") + 2):
        stream.say(message[:cut])
        server.settle() if server.name == "poise" else None
        stream.say(message[cut:])
        assert stream.hear(MESSAGE, id_="split").findtext(BODY) == "\U0001f600\u00e9<\U0010ffff"


def test_X07_redefining_the_prefix_of_the_stream_confuses_nobody(server: Server) -> None:
    stream = Stream(server).sign_in().come()
    inner = "<body>x</body><stream:stream/><stream:error/>"
    stream.say(f"<message to='{stream.jid}' id='prefix' xmlns:stream='urn:x'>{inner}</message>")
    message = stream.hear(MESSAGE, id_="prefix")
    assert {child.tag for child in message} >= {"{urn:x}stream", "{urn:x}error"}
    assert stream.alive()


@pytest.mark.parametrize("sender", ["1002@localhost", "1002@localhost/desk", "1001@localhost/other", "localhost"])
def test_X08_SEC23_SEC16_nobody_sends_as_somebody_else(server: Server, sender: str) -> None:
    receiver = Stream(server).sign_in("1002", "r").come()
    stream = Stream(server).sign_in()
    stream.say(f"<message to='{receiver.jid}' from='{sender}'><body>x</body></message>")
    try:
        assert stream.refused(timeout=1) == "invalid-from"
    except NoAnswer:
        assert receiver.hear(MESSAGE).get("from") == stream.jid
    assert all(message.get("from") != sender for message in receiver.overheard() if message.tag == MESSAGE)


@pytest.mark.parametrize("sender", ["1001@localhost", "1001@localhost/desk"])
def test_X08_ones_own_address_is_made_whole(server: Server, sender: str) -> None:
    receiver = Stream(server).sign_in("1002", "r").come()
    stream = Stream(server).sign_in()
    stream.say(f"<message to='{receiver.jid}' from='{sender}'><body>x</body></message>")
    assert receiver.hear(MESSAGE).get("from") == stream.jid


def test_X09_a_stanza_of_ten_thousand_bytes_and_more_is_allowed(server: Server) -> None:
    stream = Stream(server).sign_in().come()
    for size in (10_000, 100_000):
        stream.say(f"<message to='{stream.jid}' id='of{size}'><body>{'x' * size}</body></message>")
        assert len(stream.hear(MESSAGE, id_=f"of{size}").findtext(BODY) or "") == size


@pytest.mark.parametrize(
    "endless",
    [
        (b"<message to='1002@localhost'><body>", b"x" * 10_000, ""),
        (b"<message ", b"a" * 10_000, ""),
        (b"<message a='", b"x" * 10_000, ""),
        (b"<message>", b"<a/>" * 2_500, ""),
        (b"<message>", b"<a>" * 3_000, ""),
        (b"<message><body><![CDATA[", b"x" * 10_000, ""),
    ],
    ids=["text", "tag", "attribute", "children", "depth", "cdata"],
)
def test_X09_X10_SEC04_endless_stanzas_are_refused_early(server: Server, endless: tuple[bytes, bytes, str]) -> None:
    start, more, _ = endless
    stream = Stream(server).sign_in()
    stream.say(start)
    for _ in range(200):  # 2 MB
        stream.say(more)
    assert stream.refused() in ("policy-violation", NWF, "resource-constraint")


def test_SEC04_endless_white_space_is_no_attack(server: Server) -> None:
    stream = Stream(server).sign_in()
    for _ in range(100):
        stream.say(" \n" * 5_000)
    assert stream.alive()


@pytest.mark.parametrize("prolog", [b"<!-- ", b" "], ids=["comment", "space"])
def test_SEC04_an_endless_prolog_ends_at_once_or_at_the_deadline(server: Server, prolog: bytes) -> None:
    stream = Stream(server)
    stream.say(prolog)
    for _ in range(100):
        stream.say(b"x" * 10_000 if prolog.strip() else b" " * 10_000)
    server.pass_time(server.sign_in_s + 1)
    assert stream.refused(timeout=3) in ("restricted-xml", "connection-timeout", NWF, "policy-violation")


@pytest.mark.parametrize(
    "stanza",
    [
        "<message>" + "<a>" * 600 + "</a>" * 600 + "</message>",
        "<message " + " ".join(f"a{n}=''" for n in range(1100)) + "/>",
        f"<message a='{'x' * 70_000}'/>",
        f"<{'x' * 70_000}/>",
    ],
    ids=["depth", "attributes", "value", "name"],
)
def test_X10_SEC04_too_deep_too_wide_too_long(server: Server, stanza: str) -> None:
    assert outcome(server, stanza) in ("policy-violation", NWF)


def test_X11_an_iq_without_id_is_a_bad_request(server: Server) -> None:
    assert asked(server, iq("get", UNKNOWN, None)) == "bad-request"


@pytest.mark.parametrize("kind", ["push", "", "GET"])
def test_X12_an_iq_of_an_unknown_type_is_a_bad_request(server: Server, kind: str) -> None:
    assert asked(server, iq(kind, UNKNOWN)) == "bad-request"


def test_X12_an_iq_without_a_type_is_a_bad_request(server: Server) -> None:
    assert asked(server, f"<iq id='q'>{UNKNOWN}</iq>") == "bad-request"


@pytest.mark.parametrize("inner", ["", UNKNOWN * 2])
@pytest.mark.parametrize("kind", ["get", "set"])
def test_X13_a_request_with_no_child_or_two_is_a_bad_request(server: Server, kind: str, inner: str) -> None:
    assert asked(server, iq(kind, inner)) == "bad-request"


@pytest.mark.parametrize("to", ["localhost", "1001@localhost"])
def test_X14_an_unknown_request_is_answered_by_whom_it_was_sent_to(server: Server, to: str) -> None:
    stream = Stream(server).sign_in()
    stream.say(iq("get", UNKNOWN, to=to))
    answer = stream.answer("q")
    assert stanza_error(answer) in ("service-unavailable", "feature-not-implemented")
    assert answer.get("from") == to


def test_X14_an_unknown_request_without_address_is_answered_for_the_account(server: Server) -> None:
    stream = Stream(server).sign_in()
    stream.say(iq("get", UNKNOWN))
    answer = stream.answer("q")
    assert stanza_error(answer) in ("service-unavailable", "feature-not-implemented")
    assert answer.get("from") in (None, "1001@localhost", stream.jid)


@pytest.mark.parametrize(
    "inner",
    [
        "<query xmlns='jabber:iq:private'><x xmlns='urn:x'/></query>",
        "<vCard xmlns='vcard-temp'><FN>x</FN></vCard>",
        "<query xmlns='jabber:iq:roster'><item jid='a@localhost'/></query>",
        "<query xmlns='jabber:iq:register'><username>1002</username><password>x</password></query>",
        "<query xmlns='jabber:iq:auth'><username>1002</username><password>x</password><resource>y</resource></query>",
    ],
    ids=["private", "vcard", "roster", "register", "auth"],
)
def test_X15_SEC16_a_request_to_anothers_account_is_never_executed(server: Server, inner: str) -> None:
    assert asked(server, iq("set", inner, to="1002@localhost")) in (
        "forbidden",
        "service-unavailable",
        "not-allowed",
        "not-authorized",
    )
    assert Stream(server).sign_in("1002").alive()


def test_X16_a_request_to_an_unknown_user_is_unavailable(server: Server) -> None:
    assert asked(server, ping("q", to="ghost@localhost")) == "service-unavailable"


@pytest.mark.parametrize("to", ["1004@localhost/nowhere", "ghost@localhost/nowhere"])
def test_X17_a_request_to_an_absent_resource_is_unavailable(server: Server, to: str) -> None:
    assert asked(server, ping("q", to=to)) == "service-unavailable"


@pytest.mark.parametrize("to", ["@localhost", "1001@", "a b@localhost", "1001@localhost/", "a@b@c"])
def test_X18_a_malformed_address_is_jid_malformed(server: Server, to: str) -> None:
    assert asked(server, ping("q", to=to)) == "jid-malformed"


def test_X19_a_remote_domain_is_not_found(server: Server) -> None:
    assert asked(server, ping("q", to="a@remote.example")) == "remote-server-not-found"


@pytest.mark.parametrize(
    "stanza",
    [
        "<message type='error' to='ghost@localhost'><error type='cancel'/></message>",
        "<iq type='result' id='never' to='ghost@localhost/x'/>",
        "<iq type='error' id='never' to='localhost'/>",
        "<iq type='result' id='never'/>",
        "<presence type='error' to='ghost@localhost'/>",
    ],
)
def test_X20_errors_and_unasked_results_are_dropped_in_silence(server: Server, stanza: str) -> None:
    stream = Stream(server).sign_in()
    stream.say(stanza)
    assert stream.alive()
    assert stream.overheard() == []


def test_X22_the_language_of_the_stream_is_inherited(server: Server) -> None:
    receiver = Stream(server).sign_in("1002", "r").come()
    stream = Stream(server)
    stream.open(header(xml_lang="pt-BR")).hear(FEATURES)
    stream.say(plain("1001"))
    stream.hear(f"{{{SASL}}}success")
    stream.open(header(xml_lang="pt-BR")).hear(FEATURES)
    stream.say(bind("desk"))
    stream.hear(IQ)
    stream.say(f"<message to='{receiver.jid}' id='inherits'><body>x</body></message>")
    assert receiver.hear(MESSAGE, id_="inherits").get(LANG) == "pt-BR"
    stream.say(f"<message to='{receiver.jid}' id='has' xml:lang='de'><body>x</body></message>")
    assert receiver.hear(MESSAGE, id_="has").get(LANG) == "de"


def test_X22_every_character_survives(server: Server) -> None:
    stream = Stream(server).sign_in("1004").come()  # nobody else writes to 1004
    body = "<body>&amp;&lt;&gt;&quot;&#39;&#x10FFFF;\u00a0</body>"
    stream.say(f"<message to='{stream.jid}' id='&lt;&amp;&quot;&apos;&gt;&#9;'>{body}</message>")
    message = stream.hear(MESSAGE, from_=stream.jid)
    assert message.get("id") == "<&\"'>\t"
    assert message.findtext(BODY) == "&<>\"'\U0010ffff\u00a0"


def test_X23_a_message_of_an_unknown_type_is_normal(server: Server) -> None:
    stream = Stream(server).sign_in().come()
    stream.say(f"<message to='{stream.jid}' type='odd' id='odd'><body>x</body></message>")
    assert stream.hear(MESSAGE, id_="odd").findtext(BODY) == "x"


def test_X23_a_presence_of_an_unknown_type_is_a_bad_request(server: Server) -> None:
    stream = Stream(server).sign_in()
    stream.say("<presence type='odd'/>")
    answer = stream.hear(f"{{{CLIENT}}}presence", type_="error")
    assert stanza_error(answer) == "bad-request"
    assert stream.alive()


@pytest.mark.parametrize(
    "to", [f"{'a' * 1024}@localhost", f"1001@localhost/{'r' * 1024}", f"1001@localhost/{chr(233) * 600}"]
)
def test_X24_parts_of_more_than_1023_bytes_are_jid_malformed(server: Server, to: str) -> None:
    assert asked(server, ping("q", to=to)) == "jid-malformed"


def test_X24_parts_of_1023_bytes_are_allowed(server: Server) -> None:
    assert asked(server, ping("q", to=f"1001@localhost/{'r' * 1023}")) == "service-unavailable"


def test_X25_a_client_that_does_not_read_is_closed_and_messages_are_not_lost(server: Server) -> None:
    slow = Stream(server).sign_in("1006", "slow").come()
    sender = Stream(server).sign_in()
    text = "x" * 50_000
    for n in range(400):  # 20 MB: more than any socket buffer
        sender.say(f"<message to='1006@localhost' type='chat' id='m{n}'><body>{text}</body></message>")
        if n % 50 == 49:
            assert sender.alive()
    sender.say(ping("done"))
    assert sender.answer("done").get("type") == "result"
    server.settle()
    try:
        slow.rest(timeout=5)
    except NoAnswer:
        raise AssertionError("the server keeps everything for a client that does not read") from None
    seen = slow.raw.count(b"</message>")
    assert seen < 400
    again = Stream(server).sign_in("1006", "back").come()
    assert again.hear(MESSAGE).findtext(BODY) == text


def test_SEC05_silent_and_slow_connections_harm_nobody(server: Server) -> None:
    well_behaved = Stream(server).sign_in("1002", "good")
    silent = [Stream(server) for _ in range(60)]
    slow = [Stream(server) for _ in range(60)]
    shaking = [Stream(server, server.xmpps_port) for _ in range(60)]
    for byte in header().encode()[:20]:
        for stream in slow:
            stream.say(bytes((byte,)))
    for stream in shaking:
        stream.say(b"\x16\x03\x01")
    assert well_behaved.alive()
    for _ in range(4):
        server.pass_time(server.sign_in_s / 4 + 0.5)
        well_behaved.say(" ")
    for stream in (*silent, *slow):
        stream.rest(timeout=3)
    assert well_behaved.alive()
    for stream in shaking:
        stream.close()


def test_SEC33_an_exception_inside_costs_one_stream(server: Server) -> None:
    other = Stream(server).sign_in("1002", "other")
    stream = Stream(server).sign_in()
    with server.broken_stanzas():
        stream.say(ping("p"))
        assert stream.refused() == "internal-server-error"
    assert other.alive()


def test_X21_messages_keep_their_order_over_tls_and_in_the_clear(server: Server) -> None:
    receiver = Stream(server, server.xmpps_port).handshake().sign_in("1002", "tls").come()
    sender = Stream(server).sign_in()
    for n in range(1000):
        sender.say(f"<message to='{receiver.jid}'><body>{n}</body></message>")
    assert [receiver.hear(MESSAGE).findtext(BODY) for _ in range(1000)] == [str(n) for n in range(1000)]
    sender.say(END)


@pytest.mark.parametrize("binding", BINDINGS)
def test_X21_a_thousand_messages_keep_their_order_over_every_binding(serve: Serve, binding: str) -> None:
    people = People(serve(replace(BOSH, inactivity=60)))
    sender, receiver = people.join("1001", binding=binding), people.join("1002", binding=binding)
    for number in range(1000):
        sender.say(f"<message to='{receiver.jid}' type='chat'><body>{number}</body></message>")
        if number % 100 == 99:
            sender.ask("get", "<ping xmlns='urn:xmpp:ping'/>")
            receiver.listen()
    assert [message.the("body").text for message in receiver.messages()] == [str(number) for number in range(1000)]
    people.go()

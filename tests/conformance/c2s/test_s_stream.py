"""3.A: the stream is opened, kept alive and closed."""

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
    PRESENCE,
    SASL,
    STREAM,
    Stream,
    bind,
    header,
    ping,
    plain,
)
from tests.conformance.targets import DOMAIN, TCP, Serve, Server
from tests.conformance.wire import NoAnswer

NWF = "not-well-formed"


def answer_to(server: Server, head: str | bytes) -> str:
    """The condition with which a header is refused, or "accepted"."""
    stream = Stream(server)
    stream.say(head)
    try:
        stream.hear(FEATURES, timeout=1.5)
    except NoAnswer:
        return stream.refused(timeout=3)
    return "accepted"


def test_S01_the_header_is_answered_by_ours_and_features_follow(server: Server) -> None:
    ids = set()
    for _ in range(3):
        stream = Stream(server)
        features = stream.features()
        assert stream.header["from"] == DOMAIN
        assert stream.header["version"] == "1.0"
        assert stream.header[LANG]
        assert features.find(f"{{{SASL}}}mechanisms") is not None
        ids.add(stream.header["id"])
    assert len(ids) == 3
    assert all(len(name) >= 8 for name in ids)


def test_S02_without_to_the_error_comes_behind_a_header_with_the_default_host(server: Server) -> None:
    stream = Stream(server)
    stream.say(header(to=None))
    assert stream.refused() in ("improper-addressing", "host-unknown")
    assert stream.header.get("from") == DOMAIN


@pytest.mark.parametrize("to", ["", "@@", "a b"])
def test_S03_an_empty_or_malformed_to_is_refused(server: Server, to: str) -> None:
    assert answer_to(server, header(to=to)) in ("host-unknown", "improper-addressing")


def test_S04_another_host_is_unknown(server: Server) -> None:
    assert answer_to(server, header(to="elsewhere.example")) == "host-unknown"


def test_S04_a_former_host_is_gone(serve: Serve) -> None:
    server = serve(replace(TCP, former_domains=("former.example",)))
    assert answer_to(server, header(to="former.example")) == "host-gone"
    assert answer_to(server, header(to="FORMER.example")) == "host-gone"


def test_S05_another_stream_namespace_is_invalid(server: Server) -> None:
    assert answer_to(server, header(xmlns_stream="urn:example:streams")) == "invalid-namespace"


@pytest.mark.parametrize("namespace", ["jabber:server", "urn:x", None])
def test_S06_another_content_namespace_or_none_is_invalid(server: Server, namespace: str | None) -> None:
    head = header(xmlns="@").replace(" xmlns='@'", f" xmlns='{namespace}'" if namespace else "")
    assert answer_to(server, head) == "invalid-namespace"


@pytest.mark.parametrize(
    "head",
    [
        f"<s:stream to='{DOMAIN}' version='1.0' xmlns='{CLIENT}' xmlns:s='{STREAM}'>",
        f"<stream xmlns='{STREAM}' to='{DOMAIN}' version='1.0'>",
    ],
    ids=["prefix", "default"],
)
def test_S07_another_prefix_is_understood_or_refused_and_the_answer_says_stream(server: Server, head: str) -> None:
    stream = Stream(server)
    stream.say(head)
    try:
        stream.hear(FEATURES, timeout=1.5)
    except NoAnswer:
        assert stream.refused(timeout=3) in ("bad-namespace-prefix", "invalid-namespace")
    assert b"<stream:stream" in stream.raw


@pytest.mark.parametrize("version", ["2.0", "11.1"])
def test_S08_a_newer_version_is_answered_with_1_0_or_refused(server: Server, version: str) -> None:
    stream = Stream(server)
    stream.say(header(version=version))
    try:
        stream.hear(FEATURES, timeout=1.5)
        assert stream.header["version"] == "1.0"
    except NoAnswer:
        assert stream.refused(timeout=3) == "unsupported-version"


@pytest.mark.parametrize("version", [None, "0.9"])
def test_S09_a_client_from_before_1_0_is_refused(server: Server, version: str | None) -> None:
    assert answer_to(server, header(version=version)) == "unsupported-version"


@pytest.mark.parametrize("version", ["abc", "", "1.0.0"])
def test_S10_a_version_that_is_none_is_refused(server: Server, version: str) -> None:
    assert answer_to(server, header(version=version)) in ("bad-format", "unsupported-version")


@pytest.mark.parametrize(
    "garbage", ["GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "<'/>", "<stream:stream <", "\x16\x03\x01\x02\x00"]
)
def test_S11_what_is_no_xml_is_not_well_formed(server: Server, garbage: str) -> None:
    assert answer_to(server, garbage) == NWF


def test_S12_another_root_is_refused(server: Server) -> None:
    assert answer_to(server, "<foo>") in ("invalid-namespace", "bad-format")


@pytest.mark.parametrize(
    "prolog", ["<!DOCTYPE x>", "<!DOCTYPE x [<!ENTITY e 'x'>]>", "<!DOCTYPE x SYSTEM 'http://127.0.0.1:9/x.dtd'>"]
)
def test_S13_SEC03_declarations_before_the_header_are_refused(server: Server, prolog: str) -> None:
    assert answer_to(server, prolog + header()) in ("restricted-xml", NWF)


@pytest.mark.parametrize("prolog", ["<!-- x -->", "<?pi x?>"])
def test_S14_comments_and_instructions_before_the_header_are_restricted(server: Server, prolog: str) -> None:
    assert answer_to(server, prolog + header()) == "restricted-xml"


def test_S15_xml_1_1_is_refused(server: Server) -> None:
    condition = answer_to(server, "<?xml version='1.1'?>" + header())
    assert condition in ("bad-format", "unsupported-encoding", "unsupported-version", NWF)


def test_S16_another_declared_encoding_is_unsupported(server: Server) -> None:
    assert answer_to(server, "<?xml version='1.0' encoding='iso-8859-1'?>" + header()) == "unsupported-encoding"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_S17_utf_16_is_unsupported(server: Server, encoding: str) -> None:
    assert answer_to(server, header().encode(encoding)) == "unsupported-encoding"


def test_S18_a_byte_order_mark_is_ignored_or_refused(server: Server) -> None:
    assert answer_to(server, b"\xef\xbb\xbf" + header().encode()) in ("accepted", NWF)


def test_S19_white_space_before_the_header_is_accepted(server: Server) -> None:
    assert answer_to(server, "\r\n\t " + header()) == "accepted"


@pytest.mark.parametrize("lang", ["x" * 40, "e!n", "en_US", ""])
def test_S20_a_bad_language_is_ignored_or_refused(server: Server, lang: str) -> None:
    assert answer_to(server, header(xml_lang=lang)) in ("accepted", "invalid-xml")


def test_S21_a_sender_in_the_first_header_is_allowed_and_proves_nothing(server: Server) -> None:
    stream = Stream(server).open(header(from_="1002@localhost"))
    stream.hear(FEATURES)
    stream.say(plain("1001"))
    stream.hear(f"{{{SASL}}}success")
    stream.features()
    stream.say(bind("desk"))
    assert b"1001@localhost/desk" in _raw_until_iq(stream)


def _raw_until_iq(stream: Stream) -> bytes:
    stream.hear(IQ)
    return stream.raw


def test_S21_SEC16_after_sign_in_the_sender_of_the_header_must_be_the_user(server: Server) -> None:
    stream = Stream(server)
    stream.features()
    stream.say(plain("1001"))
    stream.hear(f"{{{SASL}}}success")
    stream._fresh()
    stream.say(header(from_="1002@localhost"))
    assert stream.refused() == "invalid-from"


def test_S22_a_header_inside_the_stream_ends_it(server: Server) -> None:
    stream = Stream(server).sign_in()
    stream.say(header())
    assert stream.refused() in ("bad-format", NWF)


def test_S23_a_declaration_inside_the_stream_ends_it(server: Server) -> None:
    stream = Stream(server).sign_in()
    stream.say("<?xml version='1.0'?>")
    assert stream.refused() == NWF


@pytest.mark.parametrize("secure", [False, True], ids=["clear", "tls"])
def test_S24_the_end_tag_is_answered_after_what_was_queued_and_contacts_see_it(server: Server, secure: bool) -> None:
    contact = Stream(server).sign_in("1001", "contact").come()
    stream = Stream(server)
    if secure:
        stream.features()
        stream.secure()
        stream.features()
    stream.sign_in("1001", "leaving").come()
    contact.hear(PRESENCE, from_=stream.jid)
    stream.say(ping("last") + END)
    data = stream.rest()  # an end of TCP without an end of TLS would be an error
    assert data.endswith(END.encode())
    assert stream.answer("last").get("type") == "result"
    assert b"stream:error" not in data
    contact.hear(PRESENCE, from_=stream.jid, type_="unavailable")


def test_S24_an_end_before_sign_in_is_answered_too(server: Server) -> None:
    stream = Stream(server).open()
    stream.say(END)
    assert stream.rest().endswith(END.encode())


CONVERSATION = header() + plain("1001") + header() + bind("desk") + ping("p") + END


def test_S25_bytes_may_come_one_by_one(server: Server) -> None:
    stream = Stream(server)
    for step, heard in ((header(), FEATURES), (plain("1001"), f"{{{SASL}}}success")):
        for byte in step.encode():
            stream.say(bytes((byte,)))
        stream.hear(heard)
    stream._fresh()
    for byte in (header() + bind("desk") + ping("p")).encode():
        stream.say(bytes((byte,)))
    assert stream.answer("p").get("type") == "result"


def test_S25_a_whole_conversation_may_come_in_one_write(server: Server) -> None:
    stream = Stream(server)
    stream.say(CONVERSATION)
    raw = b""
    try:
        raw = stream.rest()
    except AssertionError:  # two streams in a row are no XML document for the parser of these tests
        raw = _bytes_to_the_end(stream)
    assert b"<success" in raw
    assert b"1001@localhost/desk" in raw
    assert raw.endswith(END.encode())


def _bytes_to_the_end(stream: Stream) -> bytes:
    stream.socket.settimeout(5)
    raw = stream.raw
    while data := stream.socket.recv(65536):
        raw += data
    return raw


@pytest.mark.parametrize("said", ["", header(), header() + plain("1001", "wrong"), header()[:-1]])
def test_S26_SEC17_a_connection_that_does_not_sign_in_is_closed_and_talking_does_not_help(
    server: Server, said: str
) -> None:
    stream = Stream(server)
    stream.say(said)
    step = server.sign_in_s / 4
    for _ in range(3):
        server.pass_time(step)
        if said.endswith(">"):
            stream.say(" ")
    server.pass_time(step + 1.5)
    data = stream.rest(timeout=3)
    assert b"<stream:stream" in data or not data


def test_S26_a_connection_that_is_closed_for_that_is_told_so(server: Server) -> None:
    stream = Stream(server).open()
    server.pass_time(server.sign_in_s + 1.5)
    assert stream.refused(timeout=3) == "connection-timeout"


def test_S26_a_signed_in_connection_that_does_not_bind_is_closed_too(server: Server) -> None:
    stream = Stream(server).authenticate()
    server.pass_time(server.sign_in_s + 1.5)
    assert stream.refused(timeout=3) == "connection-timeout"


def test_S27_white_space_keeps_a_connection_alive(server: Server) -> None:
    stream = Stream(server).sign_in()
    for _ in range(6):
        server.pass_time(server.idle_s * 0.4)
        stream.say(" ")
    assert stream.alive()


def test_S28_a_silent_client_is_pinged_and_lives_when_it_answers(server: Server) -> None:
    stream = Stream(server).sign_in()
    for _ in range(3):
        server.pass_time(server.idle_s * 0.6)
        request = stream.hear(IQ, type_="get")
        assert request.find("{urn:xmpp:ping}ping") is not None
        stream.say(f"<iq type='result' id='{request.get('id')}' to='{request.get('from')}'/>")
    assert stream.alive()


def test_S28_a_dead_client_is_closed_as_timed_out(server: Server) -> None:
    contact = Stream(server).sign_in("1001", "contact").come()
    stream = Stream(server).sign_in("1001", "dead").come()
    contact.hear(PRESENCE, from_=stream.jid)
    for _ in range(4):
        server.pass_time(server.idle_s * 0.4)
        contact.say(" ")
        for request in contact.overheard():
            if request.tag == IQ:
                contact.say(f"<iq type='result' id='{request.get('id')}' to='{request.get('from')}'/>")
            elif request.tag == PRESENCE and request.get("type") == "unavailable":
                assert request.get("from") == stream.jid
                assert stream.refused(timeout=3) == "connection-timeout"
                return
    raise AssertionError("nobody noticed")


def test_S29_a_stopping_server_tells_everyone(fresh: Serve) -> None:
    server = fresh(TCP)
    streams = [Stream(server).open(), Stream(server).sign_in(), Stream(server).sign_in("1002")]
    secure = Stream(server)
    secure.features()
    secure.secure()
    secure.features()
    secure.sign_in("1003")
    server.stop()
    for stream in [*streams, secure]:
        assert stream.refused(timeout=3) == "system-shutdown"


def test_S25_X21_messages_in_one_write_arrive_in_order(server: Server) -> None:
    receiver = Stream(server).sign_in("1002", "r").come()
    sender = Stream(server).sign_in()
    sender.say("".join(f"<message to='{receiver.jid}'><body>{n}</body></message>" for n in range(200)))
    assert [receiver.hear(MESSAGE).findtext(f"{{{CLIENT}}}body") for _ in range(200)] == [str(n) for n in range(200)]

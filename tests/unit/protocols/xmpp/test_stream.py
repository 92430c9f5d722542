"""A client's stream on TCP, from header to end: what publishers and clients do, and every broken header."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator

import pytest

from poise.protocols.xmpp.c2s import C2S, Bind, C2SPolicy, CheckPassword, Send, Stanza
from poise.protocols.xmpp.c2s_states import State
from poise.protocols.xmpp.errors import STREAM_NS, STREAMS_NS
from poise.protocols.xmpp.stream import Finished, TcpOutput, TcpStream
from poise.protocols.xmpp.xml import Element, Limits, parse
from poise.registry import ENDINGS

NOW = 1000.0
DECLARATION = b"<?xml version='1.0'?>"
NAMESPACES = "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'"
HEADER = f"<stream:stream to='localhost' version='1.0' {NAMESPACES}>".encode()
AUTH = (
    b"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
    + base64.b64encode(b"\0001001\0pw")
    + b"</auth>"
)
BIND = b"<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>pub</resource></bind></iq>"
PUBLISH = (
    b"<iq type='set' id='p' to='pubsub.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'>"
    b"<publish node='/finesse/api/User/1001'><item><notification>&lt;Update/&gt;</notification></item></publish>"
    b"</pubsub></iq>"
)
CLOSE = b"</stream:stream>"
OUR_HEADER = (
    b'<?xml version="1.0"?><stream:stream from="localhost" id="id-%d" version="1.0" xml:lang="en" '
    b'xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams">'
)


def new_stream(policy: C2SPolicy | None = None, limits: Limits | None = None) -> TcpStream:
    numbers: Iterator[int] = itertools.count(1)
    client = C2S("localhost", policy or C2SPolicy(secure=True))
    return TcpStream(client, lambda: f"id-{next(numbers)}", limits or Limits())


def talk(stream: TcpStream, data: bytes, size: int | None = None, password_ok: bool = True) -> list[TcpOutput]:
    """Everything that comes of the bytes, questions answered at once as the shell would."""
    outputs: list[TcpOutput] = []

    def handle(news: list[TcpOutput]) -> None:
        for output in news:
            outputs.append(output)
            if isinstance(output, CheckPassword):
                handle(stream.password_checked(password_ok, NOW))
            elif isinstance(output, Bind):
                handle(stream.bound(f"1001@localhost/{output.resource or 'made-up'}", NOW))

    size = size or max(1, len(data))
    for start in range(0, len(data), size):
        handle(stream.receive(data[start : start + size], NOW))
    return outputs


def bytes_of(outputs: list[TcpOutput]) -> bytes:
    return b"".join(output.data for output in outputs if isinstance(output, Send))


def signed_in() -> TcpStream:
    stream = new_stream()
    talk(stream, HEADER + AUTH + HEADER + BIND)
    assert stream.c2s.state is State.BOUND
    return stream


def error_of(outputs: list[TcpOutput]) -> tuple[str, str]:
    """(ending code, condition sent), having checked that all the bytes together are one whole stream."""
    finished = outputs[-1]
    assert isinstance(finished, Finished)
    assert finished.ending_code in ENDINGS
    data = bytes_of(outputs)
    data = data[data.rindex(b"<?xml") :] if b"<?xml" in data else OUR_HEADER % 0 + data
    root = parse(data)
    assert (root.name, root.ns) == ("stream", STREAM_NS)
    error = list(root.elements())[-1]
    assert (error.name, error.ns) == ("error", STREAM_NS)
    condition = next(error.elements())
    assert condition.ns == STREAMS_NS
    assert b"<stream:error>" in data
    return finished.ending_code, condition.name


# -- the whole way -----------------------------------------------------------------------------------------------------


def test_a_publisher_signs_in_publishes_and_leaves() -> None:
    stream = new_stream()
    opening = talk(stream, DECLARATION + HEADER)
    assert bytes_of(opening) == (
        OUR_HEADER % 1 + b'<stream:features><mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl">'
        b"<mechanism>PLAIN</mechanism></mechanisms></stream:features>"
    )
    signing_in = stream.receive(AUTH, NOW)
    assert signing_in == [CheckPassword("1001", "pw")]
    assert bytes_of(stream.password_checked(True, NOW)) == b'<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'
    assert bytes_of(talk(stream, DECLARATION + HEADER)).startswith(OUR_HEADER % 2 + b"<stream:features><bind ")
    assert stream.receive(BIND, NOW) == [Bind("b", "pub")]
    assert b"<jid>1001@localhost/pub</jid>" in bytes_of(stream.bound("1001@localhost/pub", NOW))
    [publish] = stream.receive(PUBLISH, NOW)
    assert isinstance(publish, Stanza)
    assert publish.element.attrs["from"] == "1001@localhost/pub"
    assert stream.receive(CLOSE, NOW) == [Send(CLOSE), Finished("client-left", "end of stream")]
    assert stream.receive(PUBLISH, NOW) == []
    assert stream.end("shutdown") == b""


def test_any_split_of_the_bytes_even_all_at_once_gives_the_same_outputs() -> None:
    data = DECLARATION + HEADER + AUTH + b"\n" + DECLARATION + HEADER + BIND + PUBLISH + b" \n" + PUBLISH + CLOSE
    whole = talk(new_stream(), data)
    assert [type(output).__name__ for output in whole] == [
        *("Send", "Send", "CheckPassword", "Send"),
        *("Send", "Send", "Bind", "Send"),
        *("Stanza", "Stanza", "Send", "Finished"),
    ]
    for size in range(1, len(data)):
        assert talk(new_stream(), data, size) == whole, size


def test_what_is_sent_ahead_of_an_answer_waits_and_is_bounded() -> None:
    stream = new_stream(limits=Limits(size=2000))
    assert len(stream.receive(HEADER + AUTH + HEADER + BIND, NOW)) == 3
    assert stream.receive(b" " * 500, NOW) == []
    outputs = stream.receive(b"x" * 2000, NOW)
    assert error_of(outputs) == ("too-big", "policy-violation")
    assert stream.password_checked(True, NOW) == []
    assert stream.receive(b"<iq/>", NOW) == []


def test_a_wrong_password_may_be_corrected_on_the_same_stream() -> None:
    stream = new_stream()
    failed = talk(stream, HEADER + AUTH, password_ok=False)
    assert b"<not-authorized/>" in bytes_of(failed)
    assert not stream.finished
    talk(stream, AUTH + HEADER + BIND)
    assert stream.c2s.state is State.BOUND


def test_too_many_wrong_passwords_close_the_stream() -> None:
    outputs = talk(new_stream(), HEADER + AUTH * 9, password_ok=False)
    assert error_of(outputs) == ("stream-refused", "policy-violation")
    assert bytes_of(outputs).count(b"<failure") == 5


def test_a_refused_bind_may_be_repeated() -> None:
    stream = new_stream()
    talk(stream, HEADER + AUTH + HEADER)
    stream.receive(BIND + BIND, NOW)
    outputs = stream.bind_refused("conflict", NOW)
    assert b"<conflict " in bytes_of(outputs)
    assert outputs[-1] == Bind("b", "pub")


def test_white_space_keeps_a_connection_alive_and_says_nothing() -> None:
    stream = signed_in()
    assert [stream.receive(b" ", NOW) for _ in range(100)] == [[]] * 100


# -- headers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        (f"<stream:stream version='1.0' {NAMESPACES}>", "improper-addressing"),
        (f"<stream:stream to='' version='1.0' {NAMESPACES}>", "host-unknown"),
        (f"<stream:stream to='elsewhere' version='1.0' {NAMESPACES}>", "host-unknown"),
        (f"<stream:stream to='a@localhost' version='1.0' {NAMESPACES}>", "host-unknown"),
        (f"<stream:stream to='@@' version='1.0' {NAMESPACES}>", "host-unknown"),
        (
            "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='urn:x'>",
            "invalid-namespace",
        ),
        (
            "<stream:stream to='localhost' version='1.0' xmlns='jabber:server' "
            "xmlns:stream='http://etherx.jabber.org/streams'>",
            "invalid-namespace",
        ),
        (
            "<stream:stream to='localhost' version='1.0' xmlns:stream='http://etherx.jabber.org/streams'>",
            "invalid-namespace",
        ),
        (f"<stream:other to='localhost' version='1.0' {NAMESPACES}>", "invalid-namespace"),
        ("<foo>", "invalid-namespace"),
        (f"<stream:stream to='localhost' {NAMESPACES}>", "unsupported-version"),
        (f"<stream:stream to='localhost' version='0.9' {NAMESPACES}>", "unsupported-version"),
        (f"<stream:stream to='localhost' version='abc' {NAMESPACES}>", "unsupported-version"),
        (f"<stream:stream to='localhost' version='1' {NAMESPACES}>", "unsupported-version"),
        (f"<stream:stream to='localhost' version='٣.0' {NAMESPACES}>", "unsupported-version"),
        ("GET / HTTP/1.1\r\n\r\n", "not-well-formed"),
        ("<'/>", "not-well-formed"),
        ("<!DOCTYPE x><x>", "restricted-xml"),
        ("<!-- x --><x>", "restricted-xml"),
        ("<?xml version='1.1'?><x>", "unsupported-encoding"),
        ("<?xml version='1.0' encoding='iso-8859-1'?><x>", "unsupported-encoding"),
    ],
)
def test_a_bad_header_is_answered_by_ours_then_the_error_then_the_end(header: str, condition: str) -> None:
    outputs = talk(new_stream(), header.encode())
    assert error_of(outputs)[1] == condition
    assert bytes_of(outputs).startswith(OUR_HEADER % 1)
    assert bytes_of(outputs).count(b"<?xml") == 1


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_refused(encoding: str) -> None:
    outputs = talk(new_stream(), HEADER.decode().encode(encoding), size=1)
    assert error_of(outputs) == ("stream-refused", "unsupported-encoding")


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0", "11.1"])
def test_a_newer_client_is_answered_with_our_version(version: str) -> None:
    outputs = talk(new_stream(), f"<stream:stream to='localhost' version='{version}' {NAMESPACES}>".encode())
    assert b' version="1.0" ' in bytes_of(outputs)
    assert b"<mechanism>" in bytes_of(outputs)


def test_another_prefix_is_understood_and_ours_is_always_stream() -> None:
    header = b"<s:stream to='LOCALHOST' version='1.0' xmlns='jabber:client' xmlns:s='http://etherx.jabber.org/streams'>"
    outputs = talk(new_stream(), b"\xef\xbb\xbf \n" + header)
    assert bytes_of(outputs).startswith(OUR_HEADER % 1 + b"<stream:features>")


def test_the_address_dialled_is_answered_when_policy_names_it() -> None:
    stream = new_stream(C2SPolicy(secure=True, hosts=frozenset({"192.0.2.7"})))
    outputs = talk(stream, f"<stream:stream to='192.0.2.7' version='1.0' {NAMESPACES}>".encode())
    assert b'from="localhost"' in bytes_of(outputs)


def test_a_former_host_is_gone_and_not_unknown() -> None:
    policy = C2SPolicy(secure=True, former_hosts=frozenset({"former.example"}))
    for to, condition in (("Former.example", "host-gone"), ("other.example", "host-unknown")):
        outputs = talk(new_stream(policy), f"<stream:stream to='{to}' version='1.0' {NAMESPACES}>".encode())
        assert error_of(outputs)[1] == condition


@pytest.mark.parametrize(("lang", "kept"), [("de", "de"), ("pt-BR", "pt-BR"), ("x" * 40, ""), ("e'n", ""), ("", "")])
def test_the_language_of_the_header_becomes_the_streams(lang: str, kept: str) -> None:
    stream = new_stream()
    outputs = talk(stream, f'<stream:stream to="localhost" version="1.0" xml:lang="{lang}" {NAMESPACES}>'.encode())
    assert stream.c2s.lang == kept
    assert f'xml:lang="{kept or "en"}"'.encode() in bytes_of(outputs)


@pytest.mark.parametrize(
    ("header", "condition"),
    [
        (HEADER.replace(b"localhost", b"elsewhere"), "not-authorized"),
        (HEADER.replace(b"to=", b"from='1002@localhost' to="), "invalid-from"),
        (HEADER.replace(b"to=", b"from='@' to="), "invalid-from"),
        (b"<iq type='get' id='1' xmlns='jabber:client'/>", "invalid-namespace"),
        (HEADER.replace(b"1.0", b"0.9"), "unsupported-version"),
    ],
)
def test_a_restart_may_change_neither_host_nor_person(header: bytes, condition: str) -> None:
    outputs = talk(new_stream(), HEADER + AUTH + header)
    assert error_of(outputs)[1] == condition


def test_the_restarted_header_may_name_its_sender_and_leave_out_the_host() -> None:
    stream = new_stream()
    restarted = HEADER.replace(b"to='localhost'", b"from='1001@localhost'")
    talk(stream, HEADER + AUTH + restarted + BIND)
    assert stream.c2s.state is State.BOUND


# -- ends --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "ending", "condition"),
    [
        (b"<foo/>", "stream-refused", "unsupported-stanza-type"),
        (b"<message xmlns='jabber:server'/>", "stream-refused", "unsupported-stanza-type"),
        (b"hello", "stream-refused", "bad-format"),
        (b"<!-- x -->", "restricted-xml", "restricted-xml"),
        (b"<message>&foo;</message>", "restricted-xml", "restricted-xml"),
        (b"<message>&#1;</message>", "broken-xml", "not-well-formed"),
        (b"<message></presence>", "broken-xml", "not-well-formed"),
        (b"<message>\xff</message>", "broken-xml", "not-well-formed"),
        (DECLARATION, "broken-xml", "not-well-formed"),
        (HEADER, "broken-xml", "not-well-formed"),
        (b"<message from='1002@localhost'/>", "invalid-from", "invalid-from"),
        (b"<message>" + b"x" * 300_000, "too-big", "policy-violation"),
        (b"<message " + b"x" * 70_000, "too-big", "policy-violation"),
        (b"<a>" * 100, "too-big", "policy-violation"),
        (b"<iq " + b" ".join(b"a%d=''" % n for n in range(200)) + b"/>", "too-big", "policy-violation"),
    ],
)
def test_each_fault_in_an_established_session_has_its_error(data: bytes, ending: str, condition: str) -> None:
    for size in (7, 4096):
        outputs = talk(signed_in(), data, size)
        assert outputs[-1] == Finished(ending, outputs[-1].evidence)  # type: ignore[union-attr]
        assert f'<{condition} xmlns="{STREAMS_NS}"/>'.encode() in bytes_of(outputs)
        assert bytes_of(outputs).endswith(CLOSE)


def test_stanzas_before_a_fault_are_delivered() -> None:
    outputs = talk(signed_in(), PUBLISH + PUBLISH + b"<foo/>" + PUBLISH)
    assert [type(output) for output in outputs] == [Stanza, Stanza, Send, Finished]


def test_cdata_and_a_redefined_prefix_confuse_nobody() -> None:
    data = b"<message xmlns:stream='urn:x'><stream:stream><![CDATA[</stream:stream>]]></stream:stream></message>"
    [output] = talk(signed_in(), data)
    assert isinstance(output, Stanza)
    assert output.element.children == (Element("stream", "urn:x", None, ("</stream:stream>",)),)


@pytest.mark.parametrize("data", [AUTH, BIND, PUBLISH, b"<presence/>"])
def test_stanzas_before_their_time_end_the_stream(data: bytes) -> None:
    if data != AUTH:
        assert error_of(talk(new_stream(), HEADER + data)) == ("not-authorized", "not-authorized")
    if data != BIND:
        assert talk(new_stream(), HEADER + AUTH + HEADER + data)[-1].ending_code in ENDINGS  # type: ignore[union-attr]


def test_the_server_ends_a_stream_with_the_error_of_the_registry() -> None:
    stream = signed_in()
    assert stream.end("shutdown") == (
        b'<stream:error><system-shutdown xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error></stream:stream>'
    )
    assert stream.finished
    assert stream.end("shutdown") == b""
    assert signed_in().end("socket-lost") == CLOSE


def test_the_server_may_end_a_stream_before_the_client_has_said_anything() -> None:
    assert new_stream().end("auth-timeout") == (
        OUR_HEADER
        % 1
        + b'<stream:error><connection-timeout xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error>'
        b"</stream:stream>"
    )

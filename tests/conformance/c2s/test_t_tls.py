"""3.B: TLS, by STARTTLS and from the first byte."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import warnings
from pathlib import Path

import pytest
from cryptography import x509

from tests.conformance.c2s.dialogue import FEATURES, IQ, SASL, STARTTLS, TLS, Stream, bind, header, ping, plain
from tests.conformance.targets import DOMAIN, TCP, Serve, Server, client_tls
from tests.conformance.wire import NoAnswer

PROCEED = f"{{{TLS}}}proceed"


def mechanisms(stream: Stream) -> list[str | None]:
    """A new header's mechanisms."""
    return [element.text for element in stream.features().iter(f"{{{SASL}}}mechanism")]


def test_T01_where_tls_is_required_the_features_say_so_and_offer_no_password(strict: Server) -> None:
    features = Stream(strict).features()
    assert features.find(f"{{{TLS}}}starttls/{{{TLS}}}required") is not None
    assert "PLAIN" not in [element.text for element in features.iter(f"{{{SASL}}}mechanism")]


def test_T01_where_it_is_only_offered_the_features_say_that(server: Server) -> None:
    features = Stream(server).features()
    assert features.find(f"{{{TLS}}}starttls") is not None
    assert features.find(f"{{{TLS}}}starttls/{{{TLS}}}required") is None
    assert "PLAIN" in [element.text for element in features.iter(f"{{{SASL}}}mechanism")]


def test_T02_starttls_leads_to_a_new_stream_without_it(strict: Server) -> None:
    stream = Stream(strict)
    stream.features()
    first = stream.header["id"]
    stream.secure()
    features = stream.features()
    assert stream.header["id"] != first
    assert features.find(f"{{{TLS}}}starttls") is None
    assert "PLAIN" in [element.text for element in features.iter(f"{{{SASL}}}mechanism")]
    assert stream.sign_in().alive()


def test_T02_a_new_header_is_needed_after_the_handshake(server: Server) -> None:
    stream = Stream(server)
    stream.features()
    stream.secure()
    stream._fresh()
    stream.say(plain("1001"))
    assert stream.refused() in ("invalid-namespace", "bad-format", "not-well-formed", "invalid-xml", "not-authorized")


@pytest.mark.parametrize(
    "behind",
    [ping("injected"), plain("1001") + header() + bind("injected"), header() + plain("1001"), " "],
    ids=["iq", "auth", "stream", "space"],
)
def test_T03_SEC22_what_is_pipelined_behind_starttls_is_never_processed(server: Server, behind: str) -> None:
    stream = Stream(server).open()
    stream.hear(FEATURES)
    stream.say(STARTTLS + behind)
    try:
        stream.hear(PROCEED, timeout=2)
        stream.handshake()
    except (NoAnswer, AssertionError, OSError):
        assert b"<success" not in stream.raw
        return  # it closed the connection: as good
    mechanisms_now = mechanisms(stream)
    assert mechanisms_now, "somebody was signed in"
    server.settle()
    assert b"injected" not in stream.raw
    assert b"<success" not in stream.raw


def test_T03_SEC22_what_comes_in_the_clear_after_proceed_is_never_processed(server: Server) -> None:
    stream = Stream(server).open()
    stream.hear(FEATURES)
    stream.say(STARTTLS)
    stream.hear(PROCEED)
    stream.say(plain("1001"))
    assert b"<success" not in stream.rest(timeout=8)


def test_T04_starttls_where_it_is_not_offered_fails_and_ends_the_stream(server: Server) -> None:
    stream = Stream(server, server.xmpps_port).handshake()
    stream.features()
    stream.say(STARTTLS)
    assert stream.hear(f"{{{TLS}}}failure") is not None
    assert stream.rest().endswith(b"</stream:stream>")


def test_T04_starttls_a_second_time_fails_and_ends_the_stream(server: Server) -> None:
    stream = Stream(server)
    stream.features()
    stream.secure()
    stream.features()
    stream.say(STARTTLS)
    assert stream.hear(f"{{{TLS}}}failure") is not None
    assert stream.rest().endswith(b"</stream:stream>")


def test_T05_where_tls_is_required_nobody_signs_in_before_it(strict: Server) -> None:
    stream = Stream(strict)
    stream.features()
    stream.say(plain("1001"))
    try:
        assert stream.failure() in ("encryption-required", "invalid-mechanism", "mechanism-too-weak")
    except NoAnswer:
        assert stream.refused() in ("policy-violation", "not-authorized")
    assert b"<success" not in stream.raw


@pytest.mark.parametrize("stanza", [ping("p"), bind(), "<presence/>"])
def test_T05_where_tls_is_required_stanzas_before_it_end_the_stream(strict: Server, stanza: str) -> None:
    stream = Stream(strict)
    stream.features()
    stream.say(stanza)
    assert stream.refused() in ("policy-violation", "not-authorized")


@pytest.mark.parametrize("garbage", [b"\0" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 2000, b"GET / HTTP/1.1\r\n\r\n"])
@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
def test_T06_a_broken_handshake_costs_one_connection(server: Server, garbage: bytes, direct: bool) -> None:
    stream = Stream(server, server.xmpps_port if direct else None)
    if not direct:
        stream.features()
        stream.say(STARTTLS)
        stream.hear(PROCEED)
        stream.raw = b""
    stream.say(garbage)
    try:
        _read_to_the_end(stream.socket)
    except TimeoutError:
        server.pass_time(server.handshake_s + 1)  # a record that might go on
        _read_to_the_end(stream.socket)
    assert Stream(server).sign_in().alive()


def _read_to_the_end(connection: socket.socket) -> None:
    connection.settimeout(1)
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass


def test_T06_SEC05_an_endless_handshake_ends_at_a_deadline(server: Server) -> None:
    stream = Stream(server)
    stream.features()
    stream.say(STARTTLS)
    stream.hear(PROCEED)
    server.pass_time(server.handshake_s + 1)
    try:
        _read_to_the_end(stream.socket)
    except TimeoutError:
        raise AssertionError("it still waits") from None


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_T07_the_two_good_versions_are_spoken(server: Server, version: ssl.TLSVersion, direct: bool) -> None:
    context = client_tls()
    context.minimum_version = context.maximum_version = version
    stream = _handshake(server, context, direct)
    assert isinstance(stream.socket, ssl.SSLSocket)
    assert stream.socket.version() == version.name.replace("_", ".")
    assert stream.socket.compression() is None
    assert stream.sign_in().alive()


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
def test_T07_SEC22_older_versions_are_refused(server: Server, direct: bool) -> None:
    context = client_tls()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that they are deprecated is the point
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _handshake(server, context, direct)


@pytest.mark.parametrize("ciphers", ["NULL", "eNULL:aNULL", "RC4", "3DES", "EXPORT:LOW", "ADH"])
def test_T07_SEC22_weak_ciphers_are_refused(server: Server, ciphers: str) -> None:
    context = client_tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    except ssl.SSLError:
        return  # not even the client has it any more
    with pytest.raises((ssl.SSLError, ConnectionError)):
        _handshake(server, context, direct=True)


def test_T07_the_tls_port_answers_xmpp_client_by_alpn(server: Server) -> None:
    context = client_tls()
    context.set_alpn_protocols(["xmpp-client"])
    stream = _handshake(server, context, direct=True)
    assert isinstance(stream.socket, ssl.SSLSocket)
    assert stream.socket.selected_alpn_protocol() == "xmpp-client"


def test_T07_SEC22_a_client_cannot_renegotiate(server: Server) -> None:
    openssl = shutil.which("openssl")
    assert openssl is not None, "the openssl command is needed"
    done = subprocess.run(
        [openssl, "s_client", "-connect", f"{server.host}:{server.xmpps_port}", "-tls1_2", "-servername", DOMAIN],
        input=b"R\n" + b"\n" * 10,
        capture_output=True,
        timeout=20,
        check=False,
    )
    said = done.stdout + done.stderr
    _, asked, outcome = said.partition(b"RENEGOTIATING")
    assert asked
    assert b"renegotiation" in outcome or b"handshake failure" in outcome, said


def _handshake(server: Server, context: ssl.SSLContext, direct: bool) -> Stream:
    if direct:
        return Stream(server, server.xmpps_port).handshake(context)
    stream = Stream(server)
    stream.features()
    stream.say(STARTTLS)
    stream.hear(PROCEED)
    stream.handshake(context)
    stream._fresh()
    return stream


def _certificate(server: Server, direct: bool) -> x509.Certificate:
    stream = _handshake(server, client_tls(), direct)
    assert isinstance(stream.socket, ssl.SSLSocket)
    shown = stream.socket.getpeercert(True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown)


@pytest.mark.parametrize("direct", [False, True], ids=["starttls", "direct"])
def test_T08_the_certificate_names_the_host(server: Server, direct: bool) -> None:
    names = _certificate(server, direct).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert DOMAIN in names.get_values_for_type(x509.DNSName)


def test_T08_SEC22_a_new_certificate_is_presented_without_a_restart(fresh: Serve, tmp_path: Path) -> None:
    server = fresh(TCP)
    before = Stream(server).sign_in()
    wanted = x509.load_der_x509_certificate(server.new_certificate(tmp_path))
    assert _certificate(server, direct=True) == wanted
    assert _certificate(server, direct=False) == wanted
    assert before.alive()


def test_T09_nobody_is_asked_for_a_certificate_and_external_is_not_offered(server: Server) -> None:
    context = client_tls()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=DOMAIN)
    stream = Stream(server, server.xmpps_port)
    shown = b""
    while True:
        try:
            tls.do_handshake()
            break
        except ssl.SSLWantReadError:
            stream.say(outgoing.read())
            data = stream.socket.recv(65536)
            shown += data
            incoming.write(data)
    assert 13 not in _handshake_messages(shown)  # CertificateRequest
    assert "EXTERNAL" not in mechanisms(Stream(server, server.xmpps_port).handshake())


def _handshake_messages(data: bytes) -> list[int]:
    """Types of the messages in the clear part of a TLS 1.2 handshake."""
    messages = b""
    while len(data) >= 5:
        kind, length = data[0], int.from_bytes(data[3:5])
        if kind != 22:
            break
        messages += data[5 : 5 + length]
        data = data[5 + length :]
    types = []
    while len(messages) >= 4:
        types.append(messages[0])
        messages = messages[4 + int.from_bytes(messages[1:4]) :]
    return types


def test_T10_no_white_space_stands_in_the_negotiation(server: Server) -> None:
    stream = Stream(server)
    stream.features()
    assert stream.raw.endswith(b"</stream:features>")
    stream.raw = b""
    stream.say(STARTTLS)
    stream.hear(PROCEED)
    assert stream.raw.startswith(b"<proceed")
    assert stream.raw.endswith(b">")
    stream.handshake()
    stream._fresh()
    stream.say(header() + plain("1001"))
    stream.hear(f"{{{SASL}}}success")
    assert stream.raw.strip() == stream.raw


def test_T02_SEC16_a_session_over_tls_is_like_any_other(server: Server) -> None:
    stream = Stream(server, server.xmpps_port).handshake()
    assert stream.sign_in("1002", "tls").jid == "1002@localhost/tls"
    stream.say(ping("p"))
    assert stream.hear(IQ, id_="p").get("type") == "result"

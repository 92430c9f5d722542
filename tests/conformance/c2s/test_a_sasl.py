"""3.C: signing in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import xml.etree.ElementTree as ET

import pytest

from tests.conformance.c2s.dialogue import (
    FEATURES,
    IQ,
    SASL,
    Stream,
    bind,
    header,
    ping,
    plain,
    sasl,
)
from tests.conformance.targets import Server
from tests.conformance.wire import NoAnswer

SUCCESS, CHALLENGE, FAILURE = (f"{{{SASL}}}{name}" for name in ("success", "challenge", "failure"))
DIGESTS = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}


def opened(server: Server) -> Stream:
    """A stream whose features are there."""
    stream = Stream(server)
    stream.features()
    return stream


def signs_in(stream: Stream, user: str = "1001") -> bool:
    """Whether the stream still takes a good sign-in."""
    stream.say(plain(user))
    stream.hear(SUCCESS)
    return True


class Scram:
    """A client's side of SCRAM, every part open to tampering."""

    def __init__(self, stream: Stream, mechanism: str = "SCRAM-SHA-1", user: str = "1001", gs2: str = "n,,") -> None:
        self.stream = stream
        self.digest = DIGESTS[mechanism]
        self.gs2 = gs2
        self.bare = f"n={user},r=fyko+d2lbbFgONRv9qkxdawL"
        stream.say(sasl("auth", (gs2 + self.bare).encode(), mechanism=mechanism))

    def challenge(self) -> Scram:
        """The server's first message."""
        text = self.stream.hear(CHALLENGE).text
        self.server_first = base64.b64decode(text or "").decode()
        self.parts = dict(part.split("=", 1) for part in self.server_first.split(","))
        return self

    def final(
        self,
        password: str = "1001",
        nonce: str | None = None,
        gs2: str | None = None,
        order: str = "{c},{r}",
    ) -> bytes:
        """The client's last message, with a proof that fits what it says."""
        salted = hashlib.pbkdf2_hmac(
            self.digest, password.encode(), base64.b64decode(self.parts["s"]), int(self.parts["i"])
        )
        client_key = hmac.digest(salted, b"Client Key", self.digest)
        bound = base64.b64encode((self.gs2 if gs2 is None else gs2).encode()).decode()
        start = order.format(c=f"c={bound}", r=f"r={self.parts['r'] if nonce is None else nonce}")
        spoken = f"{self.bare},{self.server_first},{start}".encode()
        signature = hmac.digest(hashlib.new(self.digest, client_key).digest(), spoken, self.digest)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self.expected = hmac.digest(hmac.digest(salted, b"Server Key", self.digest), spoken, self.digest)
        return start.encode() + b",p=" + base64.b64encode(proof)

    def say(self, final: bytes) -> None:
        """Send it."""
        self.stream.say(sasl("response", final))


def test_A01_mechanisms_are_offered_strongest_first_and_never_digest_md5(server: Server) -> None:
    offered = [element.text or "" for element in Stream(server).features().iter(f"{{{SASL}}}mechanism")]
    assert "DIGEST-MD5" not in offered
    known = [name for name in offered if name in (*DIGESTS, "PLAIN")]
    assert known == ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]


@pytest.mark.parametrize("name", ["X-NONE", "", "plain", "DIGEST-MD5"])
def test_A02_an_unknown_mechanism_fails_and_the_stream_stays(server: Server, name: str) -> None:
    stream = opened(server)
    stream.say(sasl("auth", b"\0001001\0001001", mechanism=name))
    assert stream.failure() == "invalid-mechanism"
    assert signs_in(stream)


@pytest.mark.parametrize("text", ["no base64!", "A", "ADEwMDEAMTAwMR==", "ADEwMDEAMTAwM\u00e9=="])
def test_A03_bad_base64_is_an_incorrect_encoding(server: Server, text: str) -> None:
    stream = opened(server)
    stream.say(sasl("auth", text, mechanism="PLAIN"))
    assert stream.failure() == "incorrect-encoding"
    assert signs_in(stream)


def test_A04_SEC15_a_wrong_password_and_an_unknown_user_get_the_same_answer(server: Server) -> None:
    answers = []
    for user in ("1004", "ghost"):
        stream = opened(server)
        stream.raw = b""
        stream.say(plain(user, "wrong"))
        assert stream.failure() == "not-authorized"
        answers.append(stream.raw)
    assert answers[0] == answers[1]


def test_A04_an_unknown_user_has_a_stable_salt_and_fails_late(server: Server) -> None:
    salts: dict[str, tuple[str, str]] = {}
    for user in ("1004", "ghost", "phantom"):
        for _ in range(2):
            scram = Scram(opened(server), user=user).challenge()
            assert salts.setdefault(user, (scram.parts["s"], scram.parts["i"])) == (scram.parts["s"], scram.parts["i"])
    assert len(set(salts.values())) == 3
    scram = Scram(opened(server), user="ghost").challenge()
    scram.say(scram.final("ghost"))
    assert scram.stream.failure() == "not-authorized"


def test_A05_SEC15_retries_are_allowed_but_not_for_ever(server: Server) -> None:
    stream = opened(server)
    failures = 0
    stream.say("".join(plain("1005", f"wrong{n}") for n in range(8)))
    try:
        while True:
            stream.hear(FAILURE)
            failures += 1
    except NoAnswer:
        pass
    assert 2 <= failures <= 6
    assert stream.refused() == "policy-violation"


@pytest.mark.parametrize("authzid", ["", "1001", "1001@localhost"])
def test_A06_acting_as_oneself_is_allowed_in_the_forms_clients_use(server: Server, authzid: str) -> None:
    stream = opened(server)
    stream.say(plain("1001", authzid=authzid))
    stream.hear(SUCCESS)


@pytest.mark.parametrize("authzid", ["1002", "1002@localhost", "1001@elsewhere", "localhost", "1001@localhost/x"])
def test_A06_SEC16_SEC23_acting_as_somebody_else_is_refused(server: Server, authzid: str) -> None:
    stream = opened(server)
    stream.say(plain("1001", authzid=authzid))
    assert stream.failure() == "invalid-authzid"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"1001",
        b"1001\x001001",
        b"\x001001\x001001\x00",
        b"\x001001\x001001\x00more",
        b"\x00\x001001",
        b"\x001001\x00",
        b"\x001001\x00" + b"x" * 2000,
        b"\x00" + b"x" * 2000 + b"\x001001",
        b"\x001001\x00\xff\xfe",
    ],
    ids=["nothing", "one", "two", "four", "five", "no user", "no password", "long password", "long user", "bytes"],
)
def test_A07_malformed_plain_messages_fail(server: Server, message: bytes) -> None:
    stream = opened(server)
    stream.say(sasl("auth", message or b"\0", mechanism="PLAIN"))
    assert stream.failure() in ("malformed-request", "not-authorized", "incorrect-encoding")
    assert signs_in(stream)


def test_A08_without_an_initial_response_there_is_an_empty_challenge(server: Server) -> None:
    stream = opened(server)
    stream.say(f"<auth xmlns='{SASL}' mechanism='PLAIN'/>")
    assert (stream.hear(CHALLENGE).text or "") in ("", "=")
    stream.say(sasl("response", b"\0001001\0001001"))
    stream.hear(SUCCESS)


def test_A09_an_equals_sign_is_an_empty_initial_response(server: Server) -> None:
    stream = opened(server)
    stream.say(sasl("auth", "=", mechanism="PLAIN"))
    assert stream.failure() in ("malformed-request", "not-authorized")
    assert signs_in(stream)


def test_A10_abort_is_answered_by_aborted(server: Server) -> None:
    stream = opened(server)
    Scram(stream).challenge()
    stream.say(sasl("abort"))
    assert stream.failure() == "aborted"
    assert signs_in(stream)


def test_A11_a_response_without_auth_fails(server: Server) -> None:
    stream = opened(server)
    stream.say(sasl("response", b"\0001001\0001001"))
    try:
        assert stream.failure() in ("malformed-request", "not-authorized", "aborted")
    except NoAnswer:
        assert stream.refused() in ("not-authorized", "unsupported-stanza-type")
    assert b"<success" not in stream.raw


@pytest.mark.parametrize("early", [ping("p"), bind(), "<presence/>", plain("1001")])
def test_A12_after_success_only_a_header_is_accepted(server: Server, early: str) -> None:
    stream = opened(server)
    stream.say(plain("1001"))
    stream.hear(SUCCESS)
    stream._fresh()
    stream.say(early)
    assert stream.refused() in ("not-authorized", "invalid-namespace", "invalid-xml", "bad-format", "not-well-formed")


def test_A13_SEC16_the_new_stream_cannot_be_addressed_elsewhere(server: Server) -> None:
    stream = opened(server)
    stream.say(plain("1001"))
    stream.hear(SUCCESS)
    stream._fresh()
    stream.say(header(to="elsewhere.example"))
    assert stream.refused() in ("not-authorized", "host-unknown")


def test_A14_a_second_sign_in_is_refused(server: Server) -> None:
    stream = Stream(server).authenticate()
    stream.say(plain("1002"))
    try:
        assert stream.failure() == "not-authorized"
    except NoAnswer:
        assert stream.refused() in ("unsupported-stanza-type", "not-authorized")


@pytest.mark.parametrize("mechanism", DIGESTS)
def test_A15_A19_scram_signs_in_and_the_server_proves_itself(server: Server, mechanism: str) -> None:
    scram = Scram(opened(server), mechanism).challenge()
    assert scram.parts["r"].startswith("fyko+d2lbbFgONRv9qkxdawL")
    assert len(scram.parts["r"]) >= 24 + 12
    assert int(scram.parts["i"]) >= 4096
    assert list(scram.parts) == ["r", "s", "i"]
    scram.say(scram.final())
    said = base64.b64decode(scram.stream.hear(SUCCESS).text or "")
    assert said == b"v=" + base64.b64encode(scram.expected)
    scram.stream.features()
    scram.stream.say(bind("scram"))
    assert b"1001@localhost/scram" in ET.tostring(scram.stream.hear(IQ))


def test_A15_nonces_differ(server: Server) -> None:
    assert Scram(opened(server)).challenge().parts["r"] != Scram(opened(server)).challenge().parts["r"]


@pytest.mark.parametrize(
    "gs2", ["p=tls-unique,,", "p=tls-exporter,,", "x,,", "n,b=1,", "n,", ",,"],
)  # fmt: skip
def test_A16_a_bad_gs2_header_fails(server: Server, gs2: str) -> None:
    stream = opened(server)
    Scram(stream, gs2=gs2)
    assert stream.failure() in ("malformed-request", "not-authorized", "invalid-mechanism", "bad-protocol")
    assert signs_in(stream)


def test_A16_a_mandatory_extension_fails(server: Server) -> None:
    stream = opened(server)
    stream.say(sasl("auth", b"n,,m=x,n=1001,r=abc", mechanism="SCRAM-SHA-1"))
    assert stream.failure() in ("malformed-request", "not-authorized", "bad-protocol")


@pytest.mark.parametrize(
    "tampered",
    [
        {"nonce": "fyko+d2lbbFgONRv9qkxdawL"},
        {"nonce": "another"},
        {"gs2": "y,,"},
        {"gs2": "n,a=1002,"},
        {"order": "{r},{c}"},
        {"order": "{r}"},
        {"password": "wrong"},
    ],
    ids=["own nonce only", "other nonce", "other flag", "other authzid", "reordered", "no binding", "password"],
)
def test_A16_SEC22_a_final_message_that_was_tampered_with_fails(server: Server, tampered: dict[str, str]) -> None:
    scram = Scram(opened(server)).challenge()
    scram.say(scram.final(**tampered))
    assert scram.stream.failure() in ("malformed-request", "not-authorized", "bad-protocol")
    assert b"<success" not in scram.stream.raw


def test_A16_a_proof_cannot_be_used_again(server: Server) -> None:
    first = Scram(opened(server)).challenge()
    final = first.final()
    first.say(final)
    first.stream.hear(SUCCESS)
    second = Scram(opened(server)).challenge()
    second.say(final)
    assert second.stream.failure() in ("malformed-request", "not-authorized", "bad-protocol")


def test_A16_SEC16_acting_as_somebody_else_by_scram_is_refused(server: Server) -> None:
    stream = opened(server)
    scram = Scram(stream, gs2="n,a=1002@localhost,")
    try:
        scram.challenge()
        scram.say(scram.final())
        condition = stream.failure()
    except NoAnswer:
        condition = stream.failure()
    assert condition in ("invalid-authzid", "not-authorized")


@pytest.mark.parametrize("stanza", [ping("p"), "<message to='1002@localhost'/>", "<presence/>", bind()])
def test_A17_stanzas_before_sign_in_end_the_stream(server: Server, stanza: str) -> None:
    stream = opened(server)
    stream.say(stanza)
    assert stream.refused() == "not-authorized"


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-1"])
def test_A18_a_check_that_cannot_be_made_is_a_temporary_failure(server: Server, mechanism: str) -> None:
    stream = opened(server)
    with server.broken_accounts():
        if mechanism == "PLAIN":
            stream.say(plain("1001"))
        else:
            Scram(stream)
        assert stream.failure() == "temporary-auth-failure"
    assert signs_in(stream)


def test_A19_the_success_of_plain_is_empty_and_said_once(server: Server) -> None:
    stream = opened(server)
    stream.raw = b""
    stream.say(plain("1001"))
    success = stream.hear(SUCCESS)
    assert (success.text, list(success)) == (None, [])
    server.settle()
    stream.open()
    stream.hear(FEATURES)
    assert b"<success" not in stream.raw


def test_A06_a_login_by_jid_is_the_account(server: Server) -> None:
    stream = opened(server)
    stream.say(plain("1001@localhost", "1001"))
    try:
        stream.hear(SUCCESS)
    except NoAnswer:
        raise AssertionError("a JID as user name is refused") from None

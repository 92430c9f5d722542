"""The other ways to sign in, TLS before them, and what is offered when."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from poise.protocols.xmpp.c2s import (
    C2S,
    CLIENT_NS,
    TLS_NS,
    Bind,
    C2SPolicy,
    CheckPassword,
    CheckProof,
    FindVerifier,
    Output,
    Send,
    Stanza,
    StartTls,
    StreamError,
)
from poise.protocols.xmpp.c2s_states import PENDING, State
from poise.protocols.xmpp.legacy_auth import LEGACY_NS
from poise.protocols.xmpp.sasl import SASL_NS
from poise.protocols.xmpp.scram import derive, nobody
from poise.protocols.xmpp.xml import Element, parse

NOW = 1000.0
STARTTLS = Element("starttls", TLS_NS)
PROCEED = b'<proceed xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'
CLEAR = C2SPolicy(secure=False, starttls=True)
LENIENT = C2SPolicy(secure=False, starttls=True, plain_in_clear=True)
SCRAM = C2SPolicy(secure=True, scram=True)
FIRST = b"n,,n=1001,r=abc"
VERIFIER = derive("pencil", "sha1", b"salt", 4096)


def sasl(name: str, data: bytes = b"", **attrs: str) -> Element:
    return Element(name, SASL_NS, attrs, (base64.b64encode(data).decode(),) if data else ())


def plain(password: str = "pw") -> Element:
    return sasl("auth", f"\0001001\0{password}".encode(), mechanism="PLAIN")


def legacy(kind: str = "set", to: str | None = None, **fields: str) -> Element:
    children = tuple(Element(name, LEGACY_NS, None, (value,)) for name, value in fields.items())
    attrs = {"type": kind, "id": "a"} | ({"to": to} if to is not None else {})
    return Element("iq", CLIENT_NS, attrs, (Element("query", LEGACY_NS, None, children),))


def whole(**other: str) -> Element:
    return legacy(**({"username": "1001", "password": "pw", "resource": "desk"} | other))


def sent(outputs: list[Output], index: int = 0) -> Element:
    output = outputs[index]
    assert isinstance(output, Send)
    return parse(output.data)


def failure(outputs: list[Output]) -> str:
    element = sent(outputs)
    assert element.name == "failure"
    return next(element.elements()).name


def stanza_error(outputs: list[Output]) -> str:
    error = sent(outputs).child("error")
    assert error is not None
    return next(error.elements()).name


# -- TLS ---------------------------------------------------------------------------------------------------------------


def test_where_tls_is_required_nothing_else_is_offered_and_after_it_no_tls() -> None:
    client = C2S("localhost", CLEAR)
    assert client.features() == (
        b'<stream:features><starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"><required/></starttls></stream:features>'
    )
    assert client.receive(STARTTLS, NOW) == [StartTls(PROCEED)]
    client.secured()
    assert b"starttls" not in client.features()
    assert b"<mechanism>PLAIN</mechanism>" in client.features()
    assert client.receive(plain(), NOW) == [CheckPassword("1001", "pw")]


def test_where_passwords_may_go_in_the_clear_tls_is_an_offer() -> None:
    assert C2S("localhost", LENIENT).features() == (
        b'<stream:features><starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>'
        b'<mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>PLAIN</mechanism></mechanisms>'
        b"</stream:features>"
    )


def test_while_tls_is_begun_nothing_is_heard() -> None:
    client = C2S("localhost", LENIENT)
    client.receive(STARTTLS, NOW)
    for element in (plain(), STARTTLS, Element("presence", CLIENT_NS), Element("foo", "urn:x")):
        assert client.receive(element, NOW) == []
    client.secured()
    assert client.state is State.OPEN  # nothing waited either


def test_what_was_said_in_the_clear_is_forgotten_but_failures_count_on() -> None:
    client = C2S("localhost", LENIENT, lang="de")
    for _ in range(4):
        client.receive(plain("wrong"), NOW)
        client.password_checked(False)
    client.receive(STARTTLS, NOW)
    client.secured()
    assert (client.lang, client.user) == ("", "")
    client.receive(plain("wrong"), NOW)
    assert isinstance(client.password_checked(False)[-1], StreamError)


def test_a_challenge_in_the_clear_cannot_be_answered_through_tls() -> None:
    client = C2S("localhost", LENIENT)
    client.receive(sasl("auth", mechanism="PLAIN"), NOW)
    outputs = client.receive(STARTTLS, NOW)
    assert sent(outputs).name == "failure"
    assert isinstance(outputs[-1], StreamError)


def test_tls_twice_is_refused() -> None:
    client = C2S("localhost", LENIENT)
    client.receive(STARTTLS, NOW)
    client.secured()
    outputs = client.receive(STARTTLS, NOW)
    assert outputs[0] == Send(b'<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')
    assert isinstance(outputs[-1], StreamError)


def test_a_handshake_that_ends_after_the_stream_changes_nothing() -> None:
    client = C2S("localhost", LENIENT)
    client.receive(Element("presence", CLIENT_NS), NOW)
    client.secured()
    assert client.state is State.CLOSED


def test_without_tls_nobody_signs_in_where_it_is_required() -> None:
    client = C2S("localhost", C2SPolicy(secure=False, starttls=True, scram=True))
    assert failure(client.receive(plain(), NOW)) == "encryption-required"
    scram = sasl("auth", FIRST, mechanism="SCRAM-SHA-1")
    assert failure(client.receive(scram, NOW)) == "encryption-required"
    assert stanza_error(client.receive(whole(), NOW)) == "policy-violation"
    assert client.receive(Element("presence", CLIENT_NS), NOW) == [StreamError("not-authorized", "not-authorized")]


# -- SCRAM -------------------------------------------------------------------------------------------------------------


def mechanisms(policy: C2SPolicy) -> list[str]:
    features = C2S("localhost", policy).features().replace(b"stream:", b"")
    found = parse(features).child("mechanisms", SASL_NS)
    return [] if found is None else [element.text for element in found.elements()]


def test_scram_is_offered_where_accounts_keep_what_it_needs() -> None:
    assert mechanisms(C2SPolicy(secure=True)) == ["PLAIN"]
    assert mechanisms(SCRAM) == ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
    assert mechanisms(C2SPolicy(secure=False, scram=True)) == []
    assert mechanisms(C2SPolicy(secure=False, scram=True, starttls=True)) == []
    assert mechanisms(C2SPolicy(secure=False, scram=True, plain_in_clear=True)) == mechanisms(SCRAM)
    unoffered = C2S("localhost", C2SPolicy(secure=True))
    assert failure(unoffered.receive(sasl("auth", FIRST, mechanism="SCRAM-SHA-1"), NOW)) == "encryption-required"


def proven(client: C2S, password: str = "pencil") -> list[Output]:
    """The client's proof, over the challenge of nonce "xyz"."""
    salted = hashlib.pbkdf2_hmac("sha1", password.encode(), b"salt", 4096)
    key = hmac.digest(salted, b"Client Key", "sha1")
    salt = base64.b64encode(b"salt").decode()
    spoken = f"n=1001,r=abc,r=abcxyz,s={salt},i=4096,c=biws,r=abcxyz".encode()
    signature = hmac.digest(hashlib.sha1(key).digest(), spoken, "sha1")
    shown = base64.b64encode(bytes(a ^ b for a, b in zip(key, signature, strict=True)))
    return client.receive(sasl("response", b"c=biws,r=abcxyz,p=" + shown), NOW)


def challenged(policy: C2SPolicy = SCRAM) -> C2S:
    client = C2S("localhost", policy)
    assert client.receive(sasl("auth", FIRST, mechanism="SCRAM-SHA-1"), NOW) == [FindVerifier("1001", "sha1")]
    assert client.state in PENDING
    challenge = sent(client.verifier_found(VERIFIER, "xyz"))
    assert base64.b64decode(challenge.text) == b"r=abcxyz,s=c2FsdA==,i=4096"
    return client


def test_a_client_signs_in_by_scram_and_success_proves_the_server() -> None:
    client = challenged()
    assert proven(client) == [CheckProof("1001", True)]
    success = sent(client.password_checked(True, user="1001"))
    assert success.name == "success"
    assert base64.b64decode(success.text).startswith(b"v=")
    assert (client.state, client.user) == (State.AUTHENTICATED, "1001")


def test_a_wrong_proof_is_counted_by_whoever_counts_and_may_be_tried_again() -> None:
    client = challenged()
    assert proven(client, "pencil2") == [CheckProof("1001", False)]
    assert failure(client.password_checked(False)) == "not-authorized"
    assert client.receive(plain(), NOW) == [CheckPassword("1001", "pw")]


def test_a_right_proof_of_a_locked_account_is_refused_all_the_same() -> None:
    client = challenged()
    proven(client)
    assert failure(client.password_checked(False)) == "not-authorized"


def test_the_first_message_may_come_as_a_response() -> None:
    client = C2S("localhost", SCRAM)
    assert sent(client.receive(sasl("auth", mechanism="SCRAM-SHA-256"), NOW)).name == "challenge"
    assert client.receive(sasl("response", FIRST), NOW) == [FindVerifier("1001", "sha256")]


def test_what_is_sent_ahead_of_the_challenge_waits() -> None:
    client = C2S("localhost", SCRAM)
    client.receive(sasl("auth", FIRST, mechanism="SCRAM-SHA-1"), NOW)
    assert client.receive(sasl("abort"), NOW) == []
    outputs = client.verifier_found(VERIFIER, "xyz")
    assert [sent(outputs, 0).name, sent(outputs, 1).name] == ["challenge", "failure"]


@pytest.mark.parametrize(
    ("first", "condition"),
    [
        (b"p=tls-unique,,n=1001,r=abc", "malformed-request"),
        (b"n,a=1002@elsewhere,n=1001,r=abc", "invalid-authzid"),
        (b"n,,n=a b,r=abc", "not-authorized"),
        (b"n,,n=" + b"x" * 256 + b",r=abc", "malformed-request"),
    ],
)
def test_each_bad_first_message_has_its_condition(first: bytes, condition: str) -> None:
    client = C2S("localhost", SCRAM)
    assert failure(client.receive(sasl("auth", first, mechanism="SCRAM-SHA-1"), NOW)) == condition
    assert client.state is State.OPEN


def test_a_bad_final_message_fails_and_the_stream_stays() -> None:
    for data, condition in ((b"x", "malformed-request"), (b"", "malformed-request")):
        assert failure(challenged().receive(sasl("response", data), NOW)) == condition
    bad = Element("response", SASL_NS, None, ("no base64!",))
    assert failure(challenged().receive(bad, NOW)) == "incorrect-encoding"


def test_acting_as_somebody_else_is_refused_after_a_right_proof() -> None:
    client = C2S("localhost", SCRAM)
    client.receive(sasl("auth", b"n,a=1002,n=1001,r=abc", mechanism="SCRAM-SHA-1"), NOW)
    client.verifier_found(nobody("1001", "sha1", b"s"), "xyz")
    client.receive(sasl("response", b"c=bixhPTEwMDIs,r=abcxyz,p=" + base64.b64encode(b"x" * 20)), NOW)
    assert failure(client.password_checked(True)) == "invalid-authzid"


def test_a_verifier_that_cannot_be_had_is_a_temporary_failure_and_a_late_one_is_ignored() -> None:
    client = C2S("localhost", SCRAM)
    client.receive(sasl("auth", FIRST, mechanism="SCRAM-SHA-1"), NOW)
    assert failure(client.verifier_found(None, "")) == "temporary-auth-failure"
    client.receive(Element("presence", CLIENT_NS), NOW)
    assert client.verifier_found(VERIFIER, "xyz") == []


# -- jabber:iq:auth ----------------------------------------------------------------------------------------------------


def test_smack_3_without_sasl_asks_for_the_fields_and_is_signed_in_and_bound_at_once() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    fields = sent(client.receive(legacy("get", username="1001"), NOW))
    assert (fields.attrs["type"], fields.attrs["id"]) == ("result", "a")
    query = fields.child("query", LEGACY_NS)
    assert query is not None
    assert [element.name for element in query.elements()] == ["username", "password", "resource"]
    assert client.receive(whole(), NOW) == [CheckPassword("1001", "pw")]
    assert client.password_checked(True, user="1001") == [Bind("a", "desk")]
    result = sent(client.bound("1001@localhost/desk"))
    assert (result.attrs, result.children) == ({"type": "result", "id": "a"}, ())
    [stanza] = client.receive(Element("presence", CLIENT_NS), NOW)
    assert stanza == Stanza(Element("presence", CLIENT_NS, {"from": "1001@localhost/desk"}))


def test_the_fields_are_the_same_for_everybody() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    known, unknown = (client.receive(legacy("get", username=name), NOW) for name in ("1001", "ghost"))
    assert known == unknown
    assert client.receive(legacy("get"), NOW) == known


def test_the_server_may_be_addressed_and_nobody_else() -> None:
    assert C2S("localhost", C2SPolicy(secure=True)).receive(
        legacy(to="localhost", username="1001", password="pw", resource="r"), NOW
    ) == [CheckPassword("1001", "pw")]
    outputs = C2S("localhost", C2SPolicy(secure=True)).receive(legacy("get", to="1002@localhost"), NOW)
    assert outputs == [StreamError("not-authorized", "not-authorized")]


@pytest.mark.parametrize(
    ("element", "condition"),
    [
        (legacy(username="1001", resource="r"), "not-acceptable"),
        (legacy(username="1001", password="pw"), "not-acceptable"),
        (legacy(password="pw", resource="r"), "not-acceptable"),
        (legacy(username="1001", digest="48fc", resource="r"), "not-acceptable"),
        (whole(password="x" * 256), "not-acceptable"),
        (whole(username="a b"), "not-authorized"),
        (whole(username="1001@elsewhere"), "not-authorized"),
        (whole(resource="b\u0085ad"), "bad-request"),
    ],
)
def test_each_bad_request_has_its_condition_and_may_be_corrected(element: Element, condition: str) -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    assert stanza_error(client.receive(element, NOW)) == condition
    assert client.receive(whole(), NOW) == [CheckPassword("1001", "pw")]


def test_a_wrong_password_is_a_stanza_error_and_five_of_them_the_end() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    for _ in range(4):
        client.receive(whole(password="no"), NOW)
        assert stanza_error(client.password_checked(False)) == "not-authorized"
    client.receive(whole(), NOW)
    outputs = client.password_checked(False)
    assert outputs[-1] == StreamError("stream-refused", "policy-violation", "too many failed sign-ins")


def test_each_failure_is_told_in_the_words_of_its_own_attempt() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    client.receive(whole(password="no"), NOW)
    assert stanza_error(client.password_checked(False)) == "not-authorized"
    client.receive(plain("no"), NOW)
    assert failure(client.password_checked(False)) == "not-authorized"


def test_a_check_that_could_not_be_made_says_try_again() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    client.receive(whole(), NOW)
    error = sent(client.password_checked(False, temporary=True)).child("error")
    assert error is not None
    assert error.attrs["type"] == "wait"


def test_a_resource_that_is_refused_may_be_bound_otherwise() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    client.receive(whole(), NOW)
    client.password_checked(True)
    assert stanza_error(client.bind_refused("conflict")) == "conflict"
    assert client.state is State.UNBOUND


def test_it_is_too_late_after_sasl_and_none_of_the_hosts_business_before_bind() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    client.receive(plain(), NOW)
    client.password_checked(True)
    assert client.receive(whole(), NOW) == [StreamError("not-authorized", "not-authorized")]


def test_once_bound_it_is_a_stanza_like_any_other() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    client.receive(whole(), NOW)
    client.password_checked(True)
    client.bound("1001@localhost/desk")
    [output] = client.receive(whole(), NOW)
    assert isinstance(output, Stanza)


def test_no_password_is_kept_or_shown() -> None:
    client = C2S("localhost", C2SPolicy(secure=True))
    [check] = client.receive(whole(password="hunter2"), NOW)
    assert "hunter2" not in repr(check)
    for name in C2S.__slots__:
        assert "hunter2" not in repr(getattr(client, name))

"""SASL PLAIN as the clients of the desktop really send it, and as attackers might."""

from __future__ import annotations

import base64

import pytest

from poise.protocols.xmpp.sasl import FAILURES, MECHANISMS, SASL_NS, SUCCESS, SaslError, decode_response, read_plain
from poise.protocols.xmpp.xml import parse

DOMAIN = "finesse.test"


def condition(data: bytes) -> str:
    with pytest.raises(SaslError) as caught:
        read_plain(data, DOMAIN)
    return caught.value.condition


@pytest.mark.parametrize(
    ("data", "authzid"),
    [
        (b"\0001001\0pw", ""),
        (b"1001\0001001\0pw", "1001"),  # Smack 3
        (b"1001@finesse.test\0001001\0pw", "1001"),  # Strophe 1.2
        (b"1001@FINESSE.test\0001001\0pw", "1001"),
        (b"\0001001@finesse.test\0pw", ""),
        (b"1002\0001001\0pw", "1002"),  # whether that is allowed is decided with the account in hand
    ],
)
def test_the_three_forms_of_authzid_are_read(data: bytes, authzid: str) -> None:
    credentials = read_plain(data, DOMAIN)
    assert (credentials.user, credentials.password, credentials.authzid) == ("1001", "pw", authzid)


def test_names_are_prepared_and_passwords_are_not() -> None:
    credentials = read_plain("\0AGENT1\0 Pässword ".encode(), DOMAIN)
    assert (credentials.user, credentials.password) == ("agent1", " Pässword ")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"1001",
        b"1001\0pw",
        b"\0001001\0pw\0",
        b"\0001001\0pw\0more",
        b"\0\0pw",
        b"\0001001\0",
        b"\0001001\0" + b"x" * 256,
        b"\0" + b"x" * 256 + b"\0pw",
        b"x" * 256 + b"\0001001\0pw",
        b"\0\xff\0pw",
        b"\0001001\0\xff",
        b"\xff\0001001\0pw",
    ],
)
def test_what_is_no_plain_message_is_malformed(data: bytes) -> None:
    assert condition(data) == "malformed-request"


@pytest.mark.parametrize("name", ["a b", "a@other.test", "a@finesse.test/x", "<a>", "a@b@c", "@finesse.test"])
def test_a_name_that_cannot_exist_is_like_a_wrong_password(name: str) -> None:
    assert condition(f"\0{name}\0pw".encode()) == "not-authorized"


@pytest.mark.parametrize("authzid", ["1001@other.test", "1001@finesse.test/x", "a b", "finesse.test@"])
def test_an_authzid_that_names_no_account_here_is_invalid(authzid: str) -> None:
    assert condition(f"{authzid}\0001001\0pw".encode()) == "invalid-authzid"


def test_a_password_of_255_bytes_is_allowed() -> None:
    assert len(read_plain(b"\0001001\0" + b"x" * 255, DOMAIN).password) == 255


def test_base64_is_decoded_and_the_equals_sign_means_nothing_at_all() -> None:
    assert decode_response(base64.b64encode(b"\0a\0b").decode()) == b"\0a\0b"
    assert decode_response("\n AGEAYg== \n") == b"\0a\0b"
    assert decode_response("=") == b""
    assert decode_response("") == b""


@pytest.mark.parametrize(
    "text",
    ["A", "AGEAYg", "AGEAYg=", "AGE AYg==", "AGEAYg===", "A-_=", "é", "====", "AGEAYh==", "AGEAYg==AGEA", "\ud800"],
)
def test_bad_and_non_canonical_base64_is_an_incorrect_encoding(text: str) -> None:
    with pytest.raises(SaslError) as caught:
        decode_response(text)
    assert caught.value.condition == "incorrect-encoding"


def test_an_endless_response_is_not_even_decoded() -> None:
    with pytest.raises(SaslError) as caught:
        decode_response("A" * 5000)
    assert caught.value.condition == "malformed-request"


def test_passwords_are_not_shown() -> None:
    assert "hunter2" not in repr(read_plain(b"\0001001\0hunter2", DOMAIN))


def test_the_strongest_mechanism_comes_first_and_digest_md5_which_jabberwerx_would_prefer_is_not_there() -> None:
    assert list(MECHANISMS) == ["SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"]
    assert [row.needs_verifier for row in MECHANISMS.values()] == [True, True, False]


def test_words_for_yes_and_no_carry_their_namespace_literally_and_success_is_empty() -> None:
    assert SUCCESS == b'<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'
    for name, data in FAILURES.items():
        failure = parse(data)
        assert (failure.name, failure.ns, [child.name for child in failure.elements()]) == ("failure", SASL_NS, [name])

"""SCRAM with the vectors of RFC 5802 and RFC 7677, and every way of getting it wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from poise.protocols.xmpp.scram import (
    ITERATIONS,
    MAX_NONCE,
    SALT_BYTES,
    ScramError,
    ScramExchange,
    Verifier,
    derive,
    nobody,
    prepared,
)

FIRST = b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
NONCE = "3rfcNHYJY1ZVvWVs7j"
SALT = base64.b64decode("QSXCR+Q6sek8bf92")
FINAL = b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="


def begun(first: bytes = FIRST, password: str = "pencil") -> ScramExchange:
    exchange = ScramExchange(first, "sha1")
    exchange.challenge(derive(password, "sha1", SALT, 4096), NONCE)
    return exchange


def proof(first_bare: str, server_first: str, without_proof: str, password: str = "pencil") -> bytes:
    """A client's final message, computed by hand (RFC 5802 section 3)."""
    salted = hashlib.pbkdf2_hmac("sha1", password.encode(), SALT, 4096)
    client_key = hmac.digest(salted, b"Client Key", "sha1")
    spoken = f"{first_bare},{server_first},{without_proof}".encode()
    signature = hmac.digest(hashlib.sha1(client_key).digest(), spoken, "sha1")
    shown = base64.b64encode(bytes(a ^ b for a, b in zip(client_key, signature, strict=True))).decode()
    return f"{without_proof},p={shown}".encode()


def test_the_vector_of_rfc_5802() -> None:
    exchange = ScramExchange(FIRST, "sha1")
    assert (exchange.name, exchange.authzid) == ("user", "")
    challenge = exchange.challenge(derive("pencil", "sha1", SALT, 4096), NONCE)
    assert challenge == b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
    assert exchange.prove(FINAL)
    assert exchange.signature == b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ="


def test_the_vector_of_rfc_7677() -> None:
    exchange = ScramExchange(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "sha256")
    verifier = derive("pencil", "sha256", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    challenge = exchange.challenge(verifier, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0")
    assert challenge == b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    assert exchange.prove(
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert exchange.signature == b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


@pytest.mark.parametrize(
    ("first", "name", "authzid"),
    [
        (b"y,,n=1001,r=abc", "1001", ""),
        (b"n,a=1001,n=1001,r=abc", "1001", "1001"),
        (b"n,a=1001@finesse.test,n=agent=2Cone=3D,r=abc", "agent,one=", "1001@finesse.test"),
        ("n,,n=jürgen,r=abc".encode(), "jürgen", ""),
        (b"n,,n=1001,r=abc,x=more", "1001", ""),
    ],
)
def test_names_are_read_unescaped(first: bytes, name: str, authzid: str) -> None:
    exchange = ScramExchange(first, "sha1")
    assert (exchange.name, exchange.authzid) == (name, authzid)


@pytest.mark.parametrize(
    "first",
    [
        b"",
        b"n,,",
        b"n=user,r=abc",
        b"p=tls-unique,,n=user,r=abc",  # nobody offered channel binding
        b"z,,n=user,r=abc",
        b"n,b=x,n=user,r=abc",
        b"n,,m=must,n=user,r=abc",  # a mandatory extension that nobody knows
        b"n,,r=abc,n=user",
        b"n,,n=,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user",
        b"n,,n=us=er,r=abc",
        b"n,,n=us=2cer,r=abc",
        b"n,a=x=,n=user,r=abc",
        b"n,,n=user,r=a\tb",
        b"n,,n=user,r=" + b"x" * (MAX_NONCE + 1),
        b"n,,n=us\0er,r=abc",
        b"n,,n=\xff,r=abc",
        b"n,,n=user,r=abc,xx=1",
    ],
)
def test_what_is_no_first_message_is_refused(first: bytes) -> None:
    with pytest.raises(ScramError):
        ScramExchange(first, "sha1")


@pytest.mark.parametrize(
    "final",
    [
        b"",
        FINAL.replace(b"c=", b"d="),
        FINAL.replace(b",p=", b",q="),
        b"r=x,c=biws,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        FINAL + b",x=1",
        FINAL.replace(b"4Ts=", b"4T=="),
        FINAL.replace(b"v0X8", b"v0!8"),
        FINAL.replace(b"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", b"p="),
        FINAL.replace(b"p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=", b"p=AAAA"),
        FINAL.replace(b"biws", b"!!!!"),
        FINAL + b"\xff",
    ],
)
def test_what_is_no_final_message_is_refused(final: bytes) -> None:
    with pytest.raises(ScramError):
        begun().prove(final)


def test_a_wrong_password_proves_nothing() -> None:
    assert not begun(password="pencil2").prove(FINAL)


@pytest.mark.parametrize(
    "without_proof",
    [
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL",  # only the client's own nonce
        "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7",  # cut off
        "c=biws,r=another",
        "c=eSws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",  # y,, where n,, was said: somebody hid a mechanism
        "c=,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j",
    ],
)
def test_a_right_proof_over_another_nonce_or_binding_proves_nothing(without_proof: str) -> None:
    exchange = ScramExchange(FIRST, "sha1")
    server_first = exchange.challenge(derive("pencil", "sha1", SALT, 4096), NONCE).decode()
    assert not exchange.prove(proof("n=user,r=fyko+d2lbbFgONRv9qkxdawL", server_first, without_proof))


def test_extensions_of_the_final_message_are_part_of_the_proof_and_else_ignored() -> None:
    exchange = ScramExchange(FIRST, "sha1")
    server_first = exchange.challenge(derive("pencil", "sha1", SALT, 4096), NONCE).decode()
    nonce = "fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j"
    assert exchange.prove(proof("n=user,r=fyko+d2lbbFgONRv9qkxdawL", server_first, f"c=biws,r={nonce},x=y"))


def test_the_authzid_is_part_of_what_is_bound() -> None:
    exchange = ScramExchange(b"n,a=user,n=user,r=abc", "sha1")
    server_first = exchange.challenge(derive("pencil", "sha1", SALT, 4096), NONCE).decode()
    bound = base64.b64encode(b"n,a=user,").decode()
    assert exchange.prove(proof("n=user,r=abc", server_first, f"c={bound},r=abc{NONCE}"))


def test_nobody_has_the_same_challenge_every_time_and_cannot_be_proven() -> None:
    once, again = nobody("ghost", "sha1", b"secret"), nobody("ghost", "sha1", b"secret")
    assert once == again
    assert (len(once.salt), once.iterations) == (SALT_BYTES, ITERATIONS)
    assert len({once.salt, once.stored_key[:SALT_BYTES], once.server_key[:SALT_BYTES]}) == 3
    assert nobody("other", "sha1", b"secret").salt != once.salt
    assert nobody("ghost", "sha1", b"other secret").salt != once.salt
    assert nobody("ghost", "sha256", b"secret").salt != once.salt
    exchange = ScramExchange(FIRST, "sha1")
    server_first = exchange.challenge(once, NONCE).decode()
    final = f"c=biws,r=fyko+d2lbbFgONRv9qkxdawL{NONCE}"
    assert not exchange.prove(proof("n=user,r=fyko+d2lbbFgONRv9qkxdawL", server_first, final))


@pytest.mark.parametrize(
    ("password", "same"),
    [
        ("I\u00adX", "IX"),  # RFC 4013 section 3: soft hyphen mapped to nothing
        ("user", "user"),
        ("USER", "USER"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("pässword", "pässword"),
        ("\u0627\u0628", "\u0627\u0628"),
    ],
)
def test_passwords_are_prepared_as_rfc_4013_says(password: str, same: str) -> None:
    assert prepared(password) == same


@pytest.mark.parametrize("password", ["a\u0007", "\u0627\u0031", "\u0627a\u0628", "\ud800", "a\ue000"])
def test_passwords_that_it_forbids_have_no_verifier(password: str) -> None:
    with pytest.raises(ValueError, match=r"passwords|directions"):
        derive(password, "sha1", SALT, 1)


def test_keys_are_not_shown() -> None:
    assert repr(Verifier(b"s", 1, b"stored", b"server")) == "Verifier(salt=b's', iterations=1)"


def test_keys_and_nonces_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def spy(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", spy)
    verifier = derive("pencil", "sha1", SALT, 4096)
    exchange = ScramExchange(FIRST, "sha1")
    exchange.challenge(verifier, NONCE)
    assert exchange.prove(FINAL)
    assert verifier.stored_key in compared
    assert f"fyko+d2lbbFgONRv9qkxdawL{NONCE}".encode() in compared

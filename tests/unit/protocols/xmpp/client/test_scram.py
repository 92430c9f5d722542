"""The client's side of SCRAM: the examples of the RFCs, and servers that cheat."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.client.scram import ITERATIONS_MAX, ScramClient, ScramRefusedError

CHALLENGE = b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"


def client() -> ScramClient:
    return ScramClient("user", "pencil", "sha1", "fyko+d2lbbFgONRv9qkxdawL")


def test_the_example_of_rfc_5802() -> None:
    scram = client()
    assert scram.first() == b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL"
    assert scram.final(CHALLENGE) == (
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    )
    scram.check(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=")


def test_the_example_of_rfc_7677() -> None:
    scram = ScramClient("user", "pencil", "sha256", "rOprNGfwEbeRWgbNEkqO")
    final = scram.final(b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
    assert final.endswith(b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    scram.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_commas_and_equals_signs_in_names_are_escaped() -> None:
    assert ScramClient("a,b=c", "x", "sha1", "n").first() == b"n,,n=a=2Cb=3Dc,r=n"


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"r=other,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=fyko+d2lbbFgONRv9qkxdawL,s=QSXCR+Q6sek8bf92,i=4096",
        b"r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=0",
        b"r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=many",
        b"r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=%d" % (ITERATIONS_MAX + 1),
        b"r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=" + b"9" * 5000,
        b"r=fyko+d2lbbFgONRv9qkxdawLx,s=not base64,i=4096",
        b"m=must,r=fyko+d2lbbFgONRv9qkxdawLx,s=QSXCR+Q6sek8bf92,i=4096",
        b"\xff",
    ],
)
def test_a_challenge_that_is_none_is_refused(challenge: bytes) -> None:
    with pytest.raises(ScramRefusedError):
        client().final(challenge)


@pytest.mark.parametrize("last", [b"", b"v=", b"v=AAAA", b"e=other-error", b"v=smF9pqV8S7suAoZWja4dJRkFsKQ="])
def test_a_server_that_does_not_prove_itself_is_not_believed(last: bytes) -> None:
    scram = client()
    scram.final(CHALLENGE)
    with pytest.raises(ScramRefusedError):
        scram.check(last)


def test_success_before_the_proof_is_not_believed() -> None:
    with pytest.raises(ScramRefusedError):
        client().check(b"v=")

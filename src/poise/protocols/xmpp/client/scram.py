"""The client's side of SCRAM (RFC 5802, RFC 7677), without channel binding."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

from poise.protocols.xmpp.scram import prepared

ITERATIONS_MAX: Final = 1_000_000
"""Rounds a server may ask for; more would let it hold the client's processor for seconds."""
_HEADER: Final = "n,,"


class ScramRefusedError(ValueError):
    """The server's message is none, or its proof is wrong."""


class ScramClient:
    """One sign-in: `first`, then `final` for the server's challenge, then `check` its last word."""

    def __init__(self, user: str, password: str, digest: str, nonce: str) -> None:
        """`nonce`: fresh and unpredictable, of printable ASCII without commas. Raises ValueError for a password that
        SASLprep forbids."""
        self._password = prepared(password).encode()
        self._digest = digest
        self._nonce = nonce
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        self._signature = b""

    def first(self) -> bytes:
        """The client-first-message."""
        return (_HEADER + self._bare).encode()

    def final(self, challenge: bytes) -> bytes:
        """The client-final-message for the server-first-message. Raises ScramRefusedError."""
        fields = _fields(challenge)
        nonce, iterations = fields.get("r", ""), fields.get("i", "")
        if not nonce.startswith(self._nonce) or len(nonce) == len(self._nonce) or "m" in fields:
            raise ScramRefusedError("the server does not continue our nonce")
        if not (iterations.isascii() and iterations.isdigit() and 0 < int(iterations[:9]) <= ITERATIONS_MAX):
            raise ScramRefusedError("a number of iterations beyond reason")
        salt = _decoded(fields.get("s", ""))
        salted = hashlib.pbkdf2_hmac(self._digest, self._password, salt, int(iterations))
        client_key = hmac.digest(salted, b"Client Key", self._digest)
        bare_final = f"c={base64.b64encode(_HEADER.encode()).decode()},r={nonce}"
        spoken = f"{self._bare},{challenge.decode()},{bare_final}".encode()
        signature = hmac.digest(hashlib.new(self._digest, client_key).digest(), spoken, self._digest)
        proof = bytes(a ^ b for a, b in zip(client_key, signature, strict=True))
        self._signature = hmac.digest(hmac.digest(salted, b"Server Key", self._digest), spoken, self._digest)
        return f"{bare_final},p={base64.b64encode(proof).decode()}".encode()

    def check(self, last: bytes) -> None:
        """Raises ScramRefusedError unless the server-final-message proves that the server knows us."""
        proof = _decoded(_fields(last).get("v", ""))
        if not self._signature or not hmac.compare_digest(proof, self._signature):
            raise ScramRefusedError("the server did not prove that it knows the password")


def _fields(message: bytes) -> dict[str, str]:
    try:
        text = message.decode()
    except UnicodeDecodeError:
        raise ScramRefusedError("not UTF-8") from None
    return {part[:1]: part[2:] for part in text.split(",") if part[1:2] == "="}


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ScramRefusedError("not base64") from None

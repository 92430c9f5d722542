"""SCRAM: signing in without showing the password (RFC 5802 with SHA-1, RFC 7677 with SHA-256), without channel binding.

Theory. The server keeps no password but a `Verifier`. The client sends its name and a nonce; the server answers with a
nonce that continues it, the salt and the iteration count; the client proves, over everything said so far, that it knows
the key whose hash the server keeps, and the server proves in `<success/>` that it has the other key. Names without an
account get a verifier made of a secret of the server, always the same, so that the challenge tells nothing about who
exists. Nonces come from outside: this module draws no random numbers.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import stringprep
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

ITERATIONS: Final = 10_000
"""PBKDF2 rounds of new verifiers. RFC 7677 section 4 wants 4,096 at least. More slow down a thief of the database, and
every sign-in of a client pays them: 10,000 cost a browser's script some 50 ms."""
SALT_BYTES: Final = 16
MAX_NONCE: Final = 256
"""Characters of a client's nonce; real ones have 20 to 50."""

_BINDING: Final = re.compile(r"(n|y),(?:a=([^,]*))?,(.*)", re.DOTALL)
"""The gs2 header without channel binding (`y`: the client could, and rightly believes that we do not offer it)."""
_FIRST: Final = re.compile(r"n=([^,]+),r=([!-+\--~]+)(?:,[A-Za-z]=[^,]+)*")
"""What follows it; a mandatory extension `m=` in front does not match, as RFC 5802 section 5.1 wants."""
_FINAL: Final = re.compile(r"(c=([^,]*),r=([^,]*)(?:,[A-Za-z]=[^,]+)*),p=([^,]*)")
_BAD_ESCAPE: Final = re.compile("=(?!2C|3D)")


class ScramError(ValueError):
    """What the client sent is no SCRAM message."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """What the server keeps instead of a password (RFC 5802 section 3)."""

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def derive(password: str, digest: str, salt: bytes, iterations: int = ITERATIONS) -> Verifier:
    """The verifier of a password; `digest` is a name of hashlib. Raises ValueError for what SASLprep forbids."""
    salted = hashlib.pbkdf2_hmac(digest, prepared(password).encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", digest)
    return Verifier(
        salt, iterations, hashlib.new(digest, client_key).digest(), hmac.digest(salted, b"Server Key", digest)
    )


def nobody(name: str, digest: str, secret: bytes) -> Verifier:
    """For a name without a verifier: the same at every try, and no password fits it."""
    seeds = [hmac.digest(secret, f"{kind}\0{digest}\0{name}".encode(), digest) for kind in ("salt", "stored", "server")]
    return Verifier(seeds[0][:SALT_BYTES], ITERATIONS, seeds[1], seeds[2])


def prepared(password: str) -> str:
    """By SASLprep (RFC 4013), as both sides must before hashing. Raises ValueError."""
    if password.isascii() and password.isprintable():
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(character) else character
        for character in password
        if not stringprep.in_table_b1(character)
    )
    text = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if any(forbidden(character) for character in text for forbidden in _FORBIDDEN):
        raise ValueError("a character that passwords may not contain")
    if any(map(stringprep.in_table_d1, text)):  # right to left
        ends_well = stringprep.in_table_d1(text[0]) and stringprep.in_table_d1(text[-1])
        if not ends_well or any(map(stringprep.in_table_d2, text)):
            raise ValueError("mixed directions of writing")
    return text


_FORBIDDEN: Final[tuple[Callable[[str], bool], ...]] = (
    stringprep.in_table_a1,
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
)


class ScramExchange:
    """One sign-in: the client's first message is read, `challenge` answers it, `prove` reads the last one."""

    __slots__ = ("_bare", "_challenge", "_header", "_nonce", "_verifier", "authzid", "digest", "name", "signature")

    def __init__(self, first: bytes, digest: str) -> None:
        """Raises ScramError."""
        header = _BINDING.fullmatch(_text(first))
        if header is None:
            raise ScramError("no client-first-message without channel binding")
        self._bare = header[3]
        message = _FIRST.fullmatch(self._bare)
        if message is None or len(message[2]) > MAX_NONCE:
            raise ScramError("no client-first-message")
        self.digest = digest
        self.name = _saslname(message[1])
        """As typed, not prepared."""
        self.authzid = _saslname(header[2] or "")
        self.signature = b""
        """The server's proof, for `<success/>`; set by `prove`."""
        self._nonce = message[2]
        self._header = first[: len(first) - len(self._bare.encode())]
        self._challenge = ""
        self._verifier: Verifier | None = None

    def challenge(self, verifier: Verifier, nonce: str) -> bytes:
        """The server-first-message; `nonce` is fresh and unpredictable."""
        self._verifier = verifier
        self._nonce += nonce
        salt = base64.b64encode(verifier.salt).decode()
        self._challenge = f"r={self._nonce},s={salt},i={verifier.iterations}"
        return self._challenge.encode()

    def prove(self, final: bytes) -> bool:
        """Whether the client-final-message proves the password. Raises ScramError for what is no such message."""
        verifier = self._verifier
        assert verifier is not None, "no challenge was sent"
        message = _FINAL.fullmatch(_text(final))
        if message is None:
            raise ScramError("no client-final-message")
        header, proof = _decoded(message[2]), _decoded(message[4])
        spoken = f"{self._bare},{self._challenge},{message[1]}".encode()
        signature = hmac.digest(verifier.stored_key, spoken, self.digest)
        if len(proof) != len(signature):
            raise ScramError("a proof of another length")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        knows = hmac.compare_digest(hashlib.new(self.digest, client_key).digest(), verifier.stored_key)
        unchanged = hmac.compare_digest(message[3].encode(), self._nonce.encode())
        self.signature = b"v=" + base64.b64encode(hmac.digest(verifier.server_key, spoken, self.digest))
        return knows and unchanged and header == self._header


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise ScramError("not UTF-8") from None
    if "\0" in text:
        raise ScramError("a NUL")
    return text


def _saslname(text: str) -> str:
    if _BAD_ESCAPE.search(text):
        raise ScramError("a bare = in a name")
    return text.replace("=2C", ",").replace("=3D", "=")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ScramError("not base64") from None

"""SASL: what a client says about itself, and the words for yes and no (RFC 6120 section 6, RFC 4616, RFC 5802).

PLAIN always, because the desktop's clients rely on it; SCRAM where the operator wants it; never DIGEST-MD5, which
JabberWerx would prefer. Whether a password is right is decided elsewhere; this module only reads and writes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from poise.protocols.xmpp.jid import JidError, prepare, prepare_domain, prepare_local
from poise.protocols.xmpp.scram import ScramError, ScramExchange

SASL_NS: Final = "urn:ietf:params:xml:ns:xmpp-sasl"
MAX_FIELD_BYTES: Final = 255
"""RFC 4616 section 2: authzid, authcid and passwd have 1 to 255 octets."""
MAX_RESPONSE_CHARACTERS: Final = 4096
"""Far above three fields of PLAIN in base64; anything longer is no sign-in."""

CHALLENGE: Final = f'<challenge xmlns="{SASL_NS}"/>'.encode()
"""An empty challenge: please say your initial response."""
SUCCESS: Final = f'<success xmlns="{SASL_NS}"/>'.encode()
"""Empty: JabberWerx fails when the success of PLAIN carries data."""


def challenge(data: bytes) -> bytes:
    """A challenge that says something."""
    return f'<challenge xmlns="{SASL_NS}">{base64.b64encode(data).decode()}</challenge>'.encode()


def success(data: bytes) -> bytes:
    """Yes, with the server's proof, where the mechanism has one."""
    return f'<success xmlns="{SASL_NS}">{base64.b64encode(data).decode()}</success>'.encode() if data else SUCCESS


_CONDITIONS: Final = (
    "aborted",
    "account-disabled",
    "credentials-expired",
    "encryption-required",
    "incorrect-encoding",
    "invalid-authzid",
    "invalid-mechanism",
    "malformed-request",
    "mechanism-too-weak",
    "not-authorized",
    "temporary-auth-failure",
)
FAILURES: Final[Mapping[str, bytes]] = {
    condition: f'<failure xmlns="{SASL_NS}"><{condition}/></failure>'.encode() for condition in _CONDITIONS
}
"""Every condition of RFC 6120 section 6.5 as it goes out."""


class SaslError(ValueError):
    """A failure to send; `condition` is a key of FAILURES."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client claims. Nothing here has been checked yet, except that it is well-formed."""

    user: str
    """Prepared name as typed: an agent id or a login name."""
    password: str = field(repr=False)
    authzid: str = ""
    """Prepared name the client wants to act as; empty when it did not say."""


@dataclass(frozen=True, slots=True)
class ScramClaim:
    """What a client claims at the start of SCRAM, and the exchange in which it will have to prove it."""

    user: str
    """As in Credentials."""
    authzid: str
    """As in Credentials."""
    exchange: ScramExchange


@dataclass(frozen=True, slots=True)
class Mechanism:
    """One way to sign in."""

    name: str
    needs_verifier: bool
    """Whether accounts must keep more than a password hash for it."""
    read: Callable[[bytes, str], Credentials | ScramClaim]
    """(decoded initial response, our domain) -> claim; raises SaslError."""


def decode_response(text: str) -> bytes:
    """The bytes of an `<auth/>` or `<response/>`: canonical base64, `=` for nothing at all (RFC 6120 section 6.4.2).

    Raises SaslError.
    """
    text = text.strip(" \t\r\n")
    if text == "=":
        return b""
    if len(text) > MAX_RESPONSE_CHARACTERS:
        raise SaslError("malformed-request")
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):  # ValueError: not ASCII
        raise SaslError("incorrect-encoding") from None
    if base64.b64encode(data).decode() != text:  # bits that no encoder sets
        raise SaslError("incorrect-encoding")
    return data


def read_plain(data: bytes, domain: str) -> Credentials:
    """`[authzid] NUL authcid NUL passwd` in UTF-8 (RFC 4616).

    The authzid is absent (JabberWerx, sleekxmpp), the bare user name (Smack 3) or the bare JID (Strophe 1.2); the name
    may come as a JID of our domain as well. Raises SaslError.
    """
    fields = data.split(b"\0")
    if len(fields) != 3 or not fields[1] or not fields[2] or any(len(part) > MAX_FIELD_BYTES for part in fields):
        raise SaslError("malformed-request")
    try:
        authzid, authcid, password = (part.decode() for part in fields)
    except UnicodeDecodeError:
        raise SaslError("malformed-request") from None
    return Credentials(account_name(authcid, domain), password, _authzid(authzid, domain))


def read_scram(data: bytes, domain: str, digest: str) -> ScramClaim:
    """The client-first-message of SCRAM. Raises SaslError."""
    try:
        exchange = ScramExchange(data, digest)
    except ScramError:
        raise SaslError("malformed-request") from None
    if any(len(part.encode()) > MAX_FIELD_BYTES for part in (exchange.name, exchange.authzid)):
        raise SaslError("malformed-request")
    return ScramClaim(account_name(exchange.name, domain), _authzid(exchange.authzid, domain), exchange)


def account_name(text: str, domain: str) -> str:
    """The account that a name typed by a client means; one that cannot exist is `not-authorized`. Raises SaslError."""
    try:
        return _name(text, domain)
    except JidError:
        raise SaslError("not-authorized") from None


def _authzid(text: str, domain: str) -> str:
    try:
        return _name(text, domain) if text else ""
    except JidError:
        raise SaslError("invalid-authzid") from None


def _name(text: str, domain: str) -> str:
    """The account that a bare name or a bare JID of our domain means. Raises JidError."""
    if "@" not in text:
        return prepare_local(text)
    jid = prepare(text)
    if jid.domain != prepare_domain(domain) or jid.resource or not jid.local:
        raise JidError("not an account of this domain")
    return jid.local


MECHANISMS: Final[Mapping[str, Mechanism]] = {
    mechanism.name: mechanism
    for mechanism in (
        Mechanism("SCRAM-SHA-256", True, partial(read_scram, digest="sha256")),
        Mechanism("SCRAM-SHA-1", True, partial(read_scram, digest="sha1")),
        Mechanism("PLAIN", False, read_plain),
    )
}
"""In the order in which they are offered, strongest first."""

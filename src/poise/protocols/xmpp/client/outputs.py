"""What a client's stream asks of whoever carries it, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from poise.protocols.xmpp.xml import Element


@dataclass(frozen=True, slots=True)
class Account:
    """Who signs in."""

    user: str
    """Local part of the JID."""
    domain: str
    password: str = field(repr=False)
    resource: str = ""
    """Empty leaves the choice to the server."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which conditions."""

    secure: bool
    """Whether the connection is encrypted already."""
    plain_in_clear: bool = False
    """Whether the password may cross a connection that is not."""
    can_secure: bool = False
    """Whether the carrier can change to TLS (TCP)."""
    mechanisms: tuple[str, ...] = ("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN")
    """Ways to sign in, the preferred first."""


class Failure(Enum):
    """Why there is no stream, or none any more."""

    PASSWORD = "wrong-password"  # noqa: S105 - the name of a failure
    SIGN_IN = "sign-in-refused"
    """Refused for another reason than the password: the condition is in the detail."""
    NO_MECHANISM = "no-mechanism"
    """The server offers no way to sign in that we know."""
    NOT_SECURE = "not-secure"
    """Signing in would show the password to the network."""
    TLS_REFUSED = "tls-refused"
    IMPOSTOR = "server-not-proven"
    """The server could not prove that it knows the password's verifier (SCRAM)."""
    BIND = "bind-refused"
    STREAM_ERROR = "stream-error"
    NOT_XMPP = "not-xmpp"
    """What came is no XMPP on this binding."""
    UNREACHABLE = "unreachable"
    """Requests were not answered, over and over (BOSH)."""


class Kind(Enum):
    """What a unit on the wire is."""

    STANZA = "stanza"
    STREAM = "stream"
    """Headers, features, sign-in, errors of the stream: all that is about the stream itself."""
    WRAPPER = "wrapper"
    """A BOSH body, without what it carries."""


class Frame(NamedTuple):
    """One unit that crossed the wire, for whoever looks on."""

    outgoing: bool
    kind: Kind
    raw: bytes
    """As it stood on the wire."""
    element: Element | None
    """None for tags that never end: the header of a TCP stream, and its end."""


class Write(NamedTuple):
    """Bytes for the socket (TCP), or one text message (WebSocket)."""

    data: bytes


class Post(NamedTuple):
    """A request to send (BOSH); answer with `answered` or `failed`."""

    rid: int
    data: bytes


class Secure(NamedTuple):
    """Change to TLS, then call `secured`."""


class Ready(NamedTuple):
    """Stanzas may be sent."""

    jid: str
    """Our full JID."""


class Ended(NamedTuple):
    """Close the connection; nothing more is heard."""

    failure: Failure | None
    """None when the stream was closed in good order."""
    detail: str
    """A condition or a few words, without secrets."""


Output = Frame | Write | Post | Secure | Ready | Ended

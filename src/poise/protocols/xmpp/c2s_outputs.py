"""What a client's stream is allowed, and what it asks of whoever carries it: the values around `c2s.C2S`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from poise.protocols.xmpp.xml import Element


@dataclass(frozen=True, slots=True)
class C2SPolicy:
    """What a listener allows its clients."""

    secure: bool
    """Whether the client's connection is encrypted."""
    plain_in_clear: bool = False
    """Whether clients may sign in over an unencrypted connection (the insecure switch)."""
    starttls: bool = False
    """Whether the client may change to TLS; it must, unless `plain_in_clear`."""
    scram: bool = False
    """Whether accounts keep what SCRAM needs."""
    hosts: frozenset[str] = frozenset()
    """Names beside the domain by which clients may address this server: some dial an address and learn the domain."""
    former_hosts: frozenset[str] = frozenset()
    """Domains that this server once was: clients are told that they are gone."""
    attempts: int = 5
    """Failed sign-ins after which the stream is closed (RFC 6120 section 6.4.5 wants 2 to 5 retries)."""
    waiting: int = 64
    """Elements a client may send ahead while an answer is pending."""


class Send(NamedTuple):
    """Bytes for the client."""

    data: bytes


class StartTls(NamedTuple):
    """Write `proceed` in the clear, throw away what else came in the clear, and call `secured` once TLS is there."""

    proceed: bytes


class FindVerifier(NamedTuple):
    """Answer with `verifier_found`; who does not exist has a verifier too."""

    user: str
    """Prepared; an agent id or a login name."""
    digest: str
    """Name of the hash, as in hashlib."""


class CheckProof(NamedTuple):
    """A SCRAM proof was checked; whoever counts failures and locks accounts has the last word. Answer with
    `password_checked`."""

    user: str
    proven: bool


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Answer with `password_checked`."""

    user: str
    """Prepared; an agent id or a login name."""
    password: str = field(repr=False)


class Bind(NamedTuple):
    """Answer with `bound` or `bind_refused`."""

    iq_id: str
    resource: str | None
    """Prepared; None when the client leaves the choice to the server."""


class Stanza(NamedTuple):
    """A stanza of a bound client, `from` stamped with the full JID. Its own grammar is the host's business."""

    element: Element


class StreamError(NamedTuple):
    """The stream is over: `ending_code` is a key of `poise.registry.ENDINGS`, `condition` goes on the wire."""

    ending_code: str
    condition: str
    text: str = ""


Output = Send | StartTls | FindVerifier | CheckPassword | CheckProof | Bind | Stanza | StreamError

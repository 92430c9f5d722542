"""JIDs: splitting and preparing, RFC 7622 as far as desktop clients need it.

Prepared means: case folded where case does not count, in Unicode form C, without characters the RFC forbids, every part
within 1,023 bytes - so that two JIDs name the same thing exactly when their strings are equal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Final

MAX_PART_BYTES: Final = 1023
"""RFC 7622 section 3: each part is 1 to 1,023 octets."""


class JidError(ValueError):
    """Not a JID (`jid-malformed` on the wire). The text never repeats what the peer sent."""


class Jid:
    """A prepared JID; `local` and `resource` are empty when absent. Compare `.bare` or `.full`."""

    __slots__ = ("bare", "domain", "full", "local", "resource")

    def __init__(self, local: str, domain: str, resource: str = "") -> None:
        self.local = local
        self.domain = domain
        self.resource = resource
        self.bare = f"{local}@{domain}" if local else domain
        self.full = f"{self.bare}/{resource}" if resource else self.bare

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Jid) and self.full == other.full

    def __hash__(self) -> int:
        return hash(self.full)

    def __str__(self) -> str:
        return self.full

    def __repr__(self) -> str:
        return f"Jid({self.full!r})"


_PLAIN: Final = re.compile(
    r"(?:([a-z0-9._-]{1,256})@)?([a-z0-9]{1,63}(?:\.[a-z0-9]{1,63}){0,7})(?:/([A-Za-z0-9._-]{1,256}))?"
)
"""JIDs that are prepared as they stand: nearly all there are."""
_LABEL: Final = re.compile(r"(?!-)[\w-]{1,63}(?<!-)")
_ADDRESS: Final = re.compile(r"\[[0-9a-f:.]{2,45}\]")
_NOT_IN_LOCAL: Final = frozenset("\"&'/:<>@")
_IDENTIFIER: Final = frozenset(("Ll", "Lu", "Lo", "Lm", "Nd", "Mn", "Mc"))
"""General categories of PRECIS IdentifierClass beyond ASCII (RFC 8264 section 4.2)."""
_NOT_FREEFORM: Final = frozenset(("Cc", "Cs", "Co", "Cn", "Zl", "Zp"))
"""General categories outside PRECIS FreeformClass (RFC 8264 section 4.3)."""


@lru_cache(maxsize=2048)
def prepare(text: str) -> Jid:
    """The JID that the text names. Raises JidError."""
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        return Jid(plain[1] or "", plain[2], plain[3] or "")
    rest, slash, resource = text.partition("/")
    local, at, domain = rest.partition("@")
    if not at:
        local, domain = "", rest
    if at and not local:
        raise JidError("the part before '@' is empty")
    if slash and not resource:
        raise JidError("the part after '/' is empty")
    return Jid(prepare_local(local) if at else "", prepare_domain(domain), prepare_resource(resource) if slash else "")


def prepare_local(text: str) -> str:
    """The part before the '@', by UsernameCaseMapped and RFC 7622 section 3.3.1. Raises JidError."""
    local = _settled(text, lambda part: _narrow(part).lower())
    for character in local:
        if character in _NOT_IN_LOCAL or not (
            "!" <= character <= "~" or (character > "~" and unicodedata.category(character) in _IDENTIFIER)
        ):
            raise JidError("a character that user names may not contain")
    return local


def prepare_domain(text: str) -> str:
    """A domain name or a bracketed IPv6 address; a final dot is dropped (RFC 7622 section 3.2). Raises JidError."""
    domain = _settled(text[:-1] if text.endswith(".") else text, str.lower)
    if _ADDRESS.fullmatch(domain):
        return domain
    if not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        raise JidError("not a domain name")
    return domain


def prepare_resource(text: str) -> str:
    """The part after the '/', by OpaqueString: case counts (RFC 7622 section 3.4). Raises JidError."""
    resource = _settled(text, _plain_spaces)
    if any(unicodedata.category(character) in _NOT_FREEFORM for character in resource):
        raise JidError("a character that resources may not contain")
    return resource


def _settled(text: str, mapping: Callable[[str], str]) -> str:
    """Mapped and in Unicode form C, so that doing it again changes nothing. Raises JidError."""
    if len(text) > MAX_PART_BYTES:
        raise JidError(f"a part longer than {MAX_PART_BYTES} bytes")
    for _ in range(4):
        mapped = unicodedata.normalize("NFC", mapping(text))
        if mapped == text:
            break
        text = mapped
    else:
        raise JidError("a part that never settles")
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise JidError("a lone surrogate") from None
    if not 1 <= size <= MAX_PART_BYTES:
        raise JidError(f"a part must have 1 to {MAX_PART_BYTES} bytes")
    return text


def _narrow(text: str) -> str:
    """Full-width and half-width forms as their ordinary ones (RFC 8264 section 5.2.1)."""
    if text.isascii():
        return text
    return "".join(
        unicodedata.normalize("NFKC", character) if unicodedata.east_asian_width(character) in "FH" else character
        for character in text
    )


def _plain_spaces(text: str) -> str:
    if text.isascii():
        return text
    return "".join(" " if unicodedata.category(character) == "Zs" else character for character in text)

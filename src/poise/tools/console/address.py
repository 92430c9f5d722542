"""Where the console connects to, from the JID and an optional address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from poise.protocols.xmpp.jid import Jid, JidError, prepare

PORTS: Final = {"xmpp": 5222, "xmpps": 5223, "https": 7443, "http": 7071, "wss": 7443, "ws": 7071}
"""Scheme -> port where none is given: those of Finesse."""
PATHS: Final = {"https": "/http-bind/", "http": "/http-bind/", "wss": "/ws/", "ws": "/ws/"}
"""Scheme -> path where none is given."""


class AddressError(ValueError):
    """Not a JID or an address; the text says what one looks like."""


@dataclass(frozen=True, slots=True)
class Address:
    """One place to connect to."""

    scheme: str
    """`xmpp`, `xmpps` (TLS from the first byte), `https` and `http` (BOSH), `wss` and `ws` (WebSocket)."""
    host: str
    port: int
    path: str

    @property
    def secure(self) -> bool:
        """Whether TLS begins with the first byte."""
        return self.scheme in ("xmpps", "https", "wss")

    @property
    def place(self) -> str:
        """Host and port, for sentences and HTTP's Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.place}{self.path}"


def read_jid(text: str) -> Jid:
    """The JID to sign in as. Raises AddressError."""
    try:
        jid = prepare(text)
    except JidError as error:
        raise AddressError(f"{text!r} is no JID ({error}): give USER@DOMAIN, such as 1001@localhost.") from None
    if not jid.local:
        raise AddressError(f"{text!r} names no user: give USER@DOMAIN, such as 1001@localhost.")
    return jid


def read_address(text: str, domain: str) -> Address:
    """An address such as `wss://finesse1.example.com:8445/ws/`; an empty one is port 5222 of the domain. Raises
    AddressError."""
    if not text:
        return Address("xmpp", domain, PORTS["xmpp"], "")
    if "://" not in text:
        text = f"xmpp://{text}"
    try:
        parts = urlsplit(text)
        scheme, host, port = parts.scheme.lower(), parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressError(f"{text!r} is no address ({error}).") from None
    if scheme not in PORTS or not host or parts.username is not None:
        raise AddressError(
            f"{text!r} is no address: give SCHEME://HOST[:PORT][/PATH], SCHEME one of {', '.join(PORTS)}."
        )
    path = parts.path if parts.path not in ("", "/") else PATHS.get(scheme, "")
    if parts.query:
        path += f"?{parts.query}"
    return Address(scheme, host, PORTS[scheme] if port is None else port, path if scheme in PATHS else "")

"""HTTP Basic (RFC 7617), the only way in: the session cookie never authenticates."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

HEADER_MAX = 8192
"""Longest Authorization header that is decoded, in characters."""

CHALLENGE = 'Basic realm="Poise", charset="UTF-8"'
"""WWW-Authenticate of every 401 (RFC 9110 section 11.6.1 wants one)."""


class Credentials(NamedTuple):
    """What a client typed."""

    user: str
    password: str


def credentials(header: str | None) -> Credentials | None:
    """User and password of an Authorization header; None when there is none or it is no Basic.

    UTF-8, as the challenge asks for; Latin-1 for old clients that ignore the challenge.
    """
    if header is None or len(header) > HEADER_MAX:
        return None
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(token.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, password = _text(raw).partition(":")
    return Credentials(user, password) if colon else None


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")

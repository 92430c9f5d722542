"""Which other origins may call from a browser: an allow-list of exact origins (Finesse guide, `utils finesse cors`)."""

from __future__ import annotations

ALLOWED_HEADERS = (
    "Content-Type, X-Requested-With, accept, Origin, Authorization, Access-Control-Request-Method, "
    "Access-Control-Request-Headers, requestId, Range"
)
"""The guide's default list."""
EXPOSED_HEADERS = (
    "Access-Control-Allow-Origin, Access-Control-Allow-Credentials, Access-Control-Allow-Methods, "
    "Access-Control-Allow-Headers, Access-Control-Max-Age, requestId"
)
"""The guide's default list, and requestId, without which a page could not read its own echo."""
METHODS = "GET, PUT, POST, DELETE, OPTIONS"
MAX_AGE_S = 1800
"""How long a browser may remember a preflight."""

Headers = list[tuple[bytes, bytes]]


def cors_headers(origin: str | None, allowed: frozenset[str]) -> Headers:
    """Headers of an ordinary answer."""
    if not allowed:
        return []
    vary = [(b"vary", b"Origin")]  # also for those refused: a cache must not give one origin's answer to another
    if origin is None or origin not in allowed:
        return vary
    return [
        *vary,
        (b"access-control-allow-origin", origin.encode("latin-1")),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", EXPOSED_HEADERS.encode()),
    ]


def preflight_headers(origin: str, allowed: frozenset[str]) -> Headers | None:
    """Headers of the answer to a preflight; None when that origin may not call."""
    if origin not in allowed:
        return None
    return [
        *cors_headers(origin, allowed),
        (b"access-control-allow-methods", METHODS.encode()),
        (b"access-control-allow-headers", ALLOWED_HEADERS.encode()),
        (b"access-control-max-age", str(MAX_AGE_S).encode()),
    ]

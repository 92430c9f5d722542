"""Addresses of CTI servers as people write them."""

from __future__ import annotations

from poise.protocols.cti.outputs import Side


def sides(side_a: str, side_b: str = "") -> tuple[Side, ...]:
    """Sides from "host:port" texts ("[::1]:42027" for IPv6); an empty text is no side. Raises ValueError."""
    return tuple(_side(name, text) for name, text in (("A", side_a), ("B", side_b)) if text)


def _side(name: str, text: str) -> Side:
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        host = ""
    if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) <= 65535):
        raise ValueError(f"side {name} of the CTI server must be host:port, not {text!r}")
    return Side(name, host, int(port))


def shown(side: Side) -> str:
    """The address as text."""
    host = f"[{side.host}]" if ":" in side.host else side.host
    return f"{host}:{side.port}"

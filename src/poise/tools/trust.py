"""Whom a tool trusts on the other end of TLS, and what to tell people when it does not."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

DEV_CA = Path("tls") / "ca.pem"
"""The development CA in a server's data folder."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How certificates are checked."""

    ca: Path | None = None
    """PEM file of the authority to trust instead of the system's; None: the system's."""
    insecure: bool = False
    """Whether nothing is checked at all."""

    def context(self, protocol: str = "") -> ssl.SSLContext:
        """A client context; `protocol` is spoken by ALPN. Raises OSError or ssl.SSLError for a file that is none."""
        context = ssl.create_default_context(cafile=str(self.ca) if self.ca is not None else None)
        if protocol:
            context.set_alpn_protocols([protocol])
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def choose(ca: Path | None, data: Path | None, insecure: bool) -> Trust:
    """The CA that was named, else the development CA of a data folder, else the system's. `data` None looks in `data`,
    where `poise serve` keeps it by default. Raises FileNotFoundError when a named folder has none."""
    if insecure:
        return Trust(insecure=True)
    if ca is not None:
        return Trust(ca)
    found = (data if data is not None else Path("data")) / DEV_CA
    if found.is_file():
        return Trust(found)
    if data is not None:
        raise FileNotFoundError(f"There is no {DEV_CA} in {data}. Name a server's data folder, or a PEM file by --ca.")
    return Trust()


def untrusted(error: ssl.SSLCertVerificationError, where: str) -> str:
    """What to tell about a certificate that was not accepted."""
    return (
        f"{where} showed a certificate that is not trusted ({error.verify_message}). Name the authority with "
        "--ca FILE, for a development server its data folder with --data FOLDER, or check nothing with --insecure."
    )


def trouble(error: OSError, where: str) -> str:
    """What to tell about a connection that could not be made."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return untrusted(error, where)
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "reason", None) or error
        return f"No TLS with {where}: {why}. Is this the port of a service without TLS?"
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return f"{where} refused the connection: nothing listens there. Is the server running, and is the port right?"
    if isinstance(error, TimeoutError):
        return f"{where} did not answer in time. Does a firewall stand between?"
    if isinstance(error, socket.gaierror):
        return f"There is no host of that name: {where}."
    return f"No connection to {where}: {error.strerror or error}."

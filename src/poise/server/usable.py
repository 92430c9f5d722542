"""What is wrong with settings that are well-formed one by one: they contradict each other, or name what is not there.

The same look for `poise config check` and before `poise serve` opens anything.
"""

from __future__ import annotations

from pathlib import Path

from poise.server import certificates
from poise.server.config import ConfigError
from poise.server.ctilink.addresses import sides
from poise.server.settings import Settings


def check(settings: Settings) -> None:
    """Raises ConfigError with what to do."""
    cti, tls, redirect = settings.cti, settings.tls, settings.websocket.redirect_uri
    for name, address in (("cti.side_a", cti.side_a), ("cti.side_b", cti.side_b)):
        try:
            sides(address)
        except ValueError:
            raise ConfigError(f"{name}: {address!r} is not HOST:PORT, as in 192.0.2.1:42027 or [::1]:42027.") from None
    if redirect and not redirect.startswith("wss://"):
        raise ConfigError(f"websocket.redirect_uri: {redirect!r} does not begin with wss://.")
    owners: dict[int, str] = {}
    for name, port in settings.ports.listeners().items():
        other = owners.setdefault(port, name) if port > 0 else name
        if other != name:
            raise ConfigError(f"ports.{other} and ports.{name} are both {port}. Each listener needs a port of its own.")
    if bool(tls.certificate) != bool(tls.key):
        raise ConfigError("tls.certificate and tls.key belong together. Give both, or neither for a development CA.")
    if tls.certificate:
        try:
            certificates.context(certificates.Files(Path(tls.certificate), Path(tls.key), None))
        except certificates.CertificateError as error:
            raise ConfigError(str(error)) from None

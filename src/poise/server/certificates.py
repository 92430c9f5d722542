"""TLS from the first minute: a development CA and a server certificate made on first run, or the operator's own files.

The CA's key stays in the data folder (mode 0600). A certificate that has expired, or does not name what clients will
call this server, is replaced at start; the CA is kept so that people trust it once.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
"""Life of the development CA: long enough to be trusted once on a developer's machine."""
SERVER_DAYS = 397
"""Life of the server certificate: browsers refuse more than 398 days (CA/Browser Forum baseline, 2020)."""


Stamp = tuple[tuple[int, int, int], ...]


class CertificateError(Exception):
    """A certificate or key that cannot be used; the text names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the certificates are."""

    certificate: Path
    """PEM chain presented to clients."""
    key: Path
    """Its private key."""
    ca: Path | None
    """The development CA people may trust; None with the operator's own certificate."""


def ensure(folder: Path, names: list[str], now: datetime.datetime) -> Files:
    """The development CA and a certificate for `names` (host names or addresses), made or renewed where needed."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = Files(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    ca_key_file = folder / "ca.key"
    assert files.ca is not None
    if not (files.ca.exists() and ca_key_file.exists()):
        _make_ca(files.ca, ca_key_file, now)
        files.certificate.unlink(missing_ok=True)
    if not _is_good(files, names, now):
        _make_server(files, ca_key_file, names, now)
    return files


def context(files: Files, protocol: str = "http/1.1") -> ssl.SSLContext:
    """A server context: TLS 1.2 or newer, no client certificates; `protocol` is the name spoken by ALPN (`xmpp-client`,
    XEP-0368, for XMPP).

    Raises CertificateError when the files cannot be used together.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.minimum_version = ssl.TLSVersion.TLSv1_2
    server.set_alpn_protocols([protocol])
    server.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    load(server, files)
    return server


def load(server: ssl.SSLContext, files: Files) -> None:
    """Present these certificates from the next connection on; what was presented stays when they cannot be used.

    Raises CertificateError when the files cannot be used together.
    """
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)
        server.load_cert_chain(files.certificate, files.key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(
            f"{files.certificate} and {files.key} cannot be used together ({error}). "
            "Give a PEM chain and its key with tls.certificate and tls.key, or leave both empty for a development CA."
        ) from None


def stamp(files: Files) -> Stamp:
    """What tells these files from others that are put in their place: time, size and number of each; a file that is
    not there has none."""
    found: list[tuple[int, int, int]] = []
    for path in (files.certificate, files.key):
        try:
            status = path.stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((status.st_mtime_ns, status.st_size, status.st_ino))
    return tuple(found)


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    path.chmod(mode)


def _pem_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _make_ca(certificate: Path, key_file: Path, now: datetime.datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Poise development CA")])
    ca = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=CA_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(key_file, _pem_key(key), 0o600)
    _write(certificate, ca.public_bytes(serialization.Encoding.PEM), 0o644)


def _make_server(files: Files, ca_key_file: Path, names: list[str], now: datetime.datetime) -> None:
    assert files.ca is not None
    ca = x509.load_pem_x509_certificate(files.ca.read_bytes())
    ca_key = serialization.load_pem_private_key(ca_key_file.read_bytes(), None)
    assert isinstance(ca_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])]))
        .issuer_name(ca.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=SERVER_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(files.key, _pem_key(key), 0o600)
    chain = certificate.public_bytes(serialization.Encoding.PEM) + ca.public_bytes(serialization.Encoding.PEM)
    _write(files.certificate, chain, 0o644)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _is_good(files: Files, names: list[str], now: datetime.datetime) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    except (OSError, ValueError):
        return False
    held = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    covers = {_general_name(name) for name in names} <= set(held)
    return covers and files.key.exists() and now + datetime.timedelta(days=30) < certificate.not_valid_after_utc

"""The development CA is made once; the server certificate follows the names, and is renewed in time."""

import datetime
import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from poise.server.certificates import CertificateError, Files, context, ensure

NOW = datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC)
NAMES = ["finesse1.example", "127.0.0.1", "localhost"]


def _serial(path: Path) -> int:
    return x509.load_pem_x509_certificate(path.read_bytes()).serial_number


def test_first_run_makes_a_ca_and_a_certificate_for_every_name(tmp_path: Path) -> None:
    files = ensure(tmp_path / "tls", NAMES, NOW)
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["finesse1.example", "localhost"]
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    for secret in ("server.key", "ca.key"):
        assert stat.S_IMODE((tmp_path / "tls" / secret).stat().st_mode) == 0o600


def test_a_client_that_trusts_the_ca_verifies_the_server_by_name(tmp_path: Path) -> None:
    files = ensure(tmp_path, NAMES, datetime.datetime.now(datetime.UTC))
    server, client = context(files), ssl.create_default_context(cafile=str(files.ca))
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    s = server.wrap_bio(to_server, to_client, server_side=True)
    c = client.wrap_bio(to_client, to_server, server_hostname="finesse1.example")
    for _ in range(4):
        for side in (c, s):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert c.version() in ("TLSv1.2", "TLSv1.3")


def test_a_second_run_keeps_both(tmp_path: Path) -> None:
    first = ensure(tmp_path, NAMES, NOW)
    serials = _serial(first.certificate), _serial(tmp_path / "ca.pem")
    second = ensure(tmp_path, NAMES, NOW + datetime.timedelta(days=30))
    assert (_serial(second.certificate), _serial(tmp_path / "ca.pem")) == serials


@pytest.mark.parametrize(
    ("names", "days"),
    [pytest.param([*NAMES, "finesse2.example"], 1, id="a new name"), pytest.param(NAMES, 380, id="nearly expired")],
)
def test_the_certificate_is_replaced_and_the_ca_kept(tmp_path: Path, names: list[str], days: int) -> None:
    first = ensure(tmp_path, NAMES, NOW)
    serials = _serial(first.certificate), _serial(tmp_path / "ca.pem")
    ensure(tmp_path, names, NOW + datetime.timedelta(days=days))
    assert _serial(first.certificate) != serials[0]
    assert _serial(tmp_path / "ca.pem") == serials[1]


def test_files_that_do_not_fit_are_refused_with_their_names(tmp_path: Path) -> None:
    ensure(tmp_path, NAMES, NOW)
    with pytest.raises(CertificateError, match=r"server\.pem and .*ca\.key cannot be used together"):
        context(Files(tmp_path / "server.pem", tmp_path / "ca.key", None))

"""What the settings of the CTI link become."""

from __future__ import annotations

import datetime
import ssl
from pathlib import Path

import pytest

from poise.protocols.cti.settings import LinkSettings
from poise.server import translation
from poise.server.certificates import ensure
from poise.server.config import with_values
from poise.server.settings import Settings


def settings_with(**values: object) -> Settings:
    return with_values(Settings(), {key.replace("__", "."): value for key, value in values.items()})


def link_settings(**values: object) -> LinkSettings:
    return translation.link_settings(settings_with(**values))


def test_queue_statistics_are_asked_for_every_ten_seconds_unless_switched_off_or_on_uccx() -> None:
    assert link_settings().statistics_s == 10.0
    assert link_settings(cti__queue_statistics_s=0.0).statistics_s == 0.0
    assert link_settings(contact__deployment="UCCX").statistics_s == 0.0


def test_sides_version_peripheral_and_client_are_settings() -> None:
    settings = link_settings(
        cti__side_a="a.example:42027",
        cti__side_b="b.example:43027",
        cti__version=24,
        cti__peripheral_id=5001,
        cti__client_id="Poise",
    )
    assert [(side.name, side.host, side.port) for side in settings.sides] == [
        ("A", "a.example", 42027),
        ("B", "b.example", 43027),
    ]
    assert (settings.versions[0], settings.peripheral_id, settings.client_id) == (24, 5001, "Poise")


def test_tls_checks_certificates_and_the_names_in_them(tmp_path: Path) -> None:
    assert translation.cti_tls(settings_with()) is None
    files = ensure(tmp_path, ["localhost"], datetime.datetime.now(datetime.UTC))
    context = translation.cti_tls(settings_with(cti__tls=True, cti__tls_ca=str(files.ca)))
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cti.tls_ca .*none\.pem cannot be read: No such file"):
        translation.cti_tls(settings_with(cti__tls=True, cti__tls_ca=str(tmp_path / "none.pem")))
    (tmp_path / "bad.pem").write_text("no certificate")
    with pytest.raises(ValueError, match=r"cti.tls_ca .*bad\.pem cannot be read"):
        translation.cti_tls(settings_with(cti__tls=True, cti__tls_ca=str(tmp_path / "bad.pem")))

"""Settings that are well-formed one by one and cannot be used together."""

from __future__ import annotations

from typing import Any

import pytest

from poise.server import usable
from poise.server.config import ConfigError, with_values
from poise.server.settings import Settings


def test_the_defaults_are_usable() -> None:
    usable.check(Settings())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"cti.side_a": "cti.example.com"}, "cti.side_a: 'cti.example.com' is not HOST:PORT"),
        ({"cti.side_b": "127.0.0.1:0"}, "cti.side_b: '127.0.0.1:0' is not HOST:PORT"),
        ({"websocket.redirect_uri": "http://x/"}, "does not begin with wss://"),
        ({"ports.xmpp": 8445}, "ports.https and ports.xmpp are both 8445"),
        ({"ports.insecure": True, "ports.insecure_bosh": 7443}, "ports.notification and ports.insecure_bosh are both"),
        ({"tls.key": "server.key"}, "tls.certificate and tls.key belong together"),
        ({"tls.key": "no/server.key", "tls.certificate": "no/server.pem"}, "no/server.pem and no/server.key cannot"),
    ],
)
def test_what_contradicts_itself_or_is_not_there_is_named(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        usable.check(with_values(Settings(), values))
    assert words in str(refused.value)


def test_listeners_that_are_off_or_take_any_port_do_not_collide() -> None:
    usable.check(with_values(Settings(), {"ports.https": 0, "ports.xmpp": 0, "ports.xmpp_tls": -1}))
    usable.check(with_values(Settings(), {"ports.insecure_bosh": 8445}))

"""Where the console connects to."""

from __future__ import annotations

import pytest

from poise.tools.console.address import AddressError, read_address, read_jid


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("", "xmpp://localhost:5222"),
        ("finesse1", "xmpp://finesse1:5222"),
        ("finesse1:15222", "xmpp://finesse1:15222"),
        ("xmpps://finesse1", "xmpps://finesse1:5223"),
        ("https://finesse1", "https://finesse1:7443/http-bind/"),
        ("https://finesse1:8445/http-bind", "https://finesse1:8445/http-bind"),
        ("http://finesse1/", "http://finesse1:7071/http-bind/"),
        ("WSS://Finesse1:8445", "wss://finesse1:8445/ws/"),
        ("ws://finesse1:5280/xmpp-websocket?a=b", "ws://finesse1:5280/xmpp-websocket?a=b"),
        ("xmpp://[::1]:5222", "xmpp://[::1]:5222"),
    ],
)
def test_an_address_and_what_it_leaves_out(text: str, means: str) -> None:
    assert str(read_address(text, "localhost")) == means


@pytest.mark.parametrize(
    "text", ["ftp://a", "https://", "https://a:b", "https://a:99999", "https://me:secret@host/", "://"]
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(AddressError, match="no address"):
        read_address(text, "localhost")


def test_only_schemes_with_tls_from_the_first_byte_are_secure() -> None:
    assert [s for s in ("xmpp", "xmpps", "http", "https", "ws", "wss") if read_address(f"{s}://a", "a").secure] == [
        "xmpps",
        "https",
        "wss",
    ]


def test_a_jid_names_a_user() -> None:
    assert read_jid("1001@LOCALHOST/Test").full == "1001@localhost/Test"
    for bad in ("localhost", "@localhost", "1001@", "a b@c"):
        with pytest.raises(AddressError, match="1001@localhost"):
            read_jid(bad)

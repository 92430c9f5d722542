"""The opening handshake by itself: equal requests are decided once, and nothing slips in behind one that was good."""

from __future__ import annotations

import pytest

from poise.server.notification import ws_handshake
from poise.server.notification.ws_handshake import Accepted, Handshake, Rejected
from tests.support.websocket import ACCEPT, KEY

DATE = b"Tue, 14 Nov 2023 22:13:20 GMT"
USUAL = {
    b"Host": b"localhost:7443",
    b"Upgrade": b"websocket",
    b"Connection": b"keep-alive, Upgrade",
    b"Sec-WebSocket-Key": KEY.encode(),
    b"Sec-WebSocket-Version": b"13",
    b"Sec-WebSocket-Protocol": b"xmpp",
    b"Sec-WebSocket-Extensions": b"permessage-deflate; client_max_window_bits",
    b"Cookie": b"JSESSIONID=1",
}


def handshake() -> Handshake:
    return Handshake({"localhost"}, (), compression=True)


def ask(asked: Handshake, method: bytes = b"GET", version: str = "1.1", **changed: bytes | None) -> Accepted | Rejected:
    """The usual request with some headers changed (`_` for `-`); None leaves one out."""
    headers = USUAL | {name.replace("_", "-").encode(): value for name, value in changed.items()}
    return asked.answer(method, version, [(name, value) for name, value in headers.items() if value is not None], DATE)


def test_the_second_of_two_equal_requests_gets_the_same_answer_with_its_own_key_and_extension() -> None:
    asked = handshake()
    first, second = ask(asked), ask(asked, Sec_WebSocket_Key=b"AAAAAAAAAAAAAAAAAAAAAA==", Cookie=b"JSESSIONID=2")
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    accept = f"Sec-WebSocket-Accept: {ACCEPT}\r\n".encode()
    assert accept in first.response
    assert first.response.replace(accept, b"") == second.response.replace(
        b"Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n", b""
    )
    assert first.response.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
    assert first.response.count(b"Date: " + DATE) == 1
    assert first.response.endswith(b"\r\n\r\n")
    assert first.extensions[0] is not second.extensions[0]
    assert repr(first.extensions[0]) == repr(second.extensions[0])


@pytest.mark.parametrize("key", [None, b"", b"short", b"A" * 24, b"AAAAAAAAAAAAAAAAAAAAAA==\x00"])
def test_a_bad_key_is_refused_behind_a_good_request_in_the_same_words(key: bytes | None) -> None:
    asked = handshake()
    assert isinstance(ask(asked), Accepted)
    refused = ask(asked, Sec_WebSocket_Key=key)
    assert isinstance(refused, Rejected)
    assert refused.status == 400


def test_another_method_or_version_of_http_is_refused_behind_a_good_request() -> None:
    asked = handshake()
    assert isinstance(ask(asked), Accepted)
    statuses = [ask(asked, b"POST"), ask(asked, version="1.0")]
    assert [answer.status for answer in statuses if isinstance(answer, Rejected)] == [405, 505]


def test_two_keys_and_two_origins_are_no_request() -> None:
    asked = handshake()
    ask(asked)
    twice = [*USUAL.items(), (b"sec-websocket-key", KEY.encode())]
    assert isinstance(asked.answer(b"GET", "1.1", twice, DATE), Rejected)
    origins = [*USUAL.items(), (b"Origin", b"https://localhost"), (b"origin", b"https://localhost")]
    refused = asked.answer(b"GET", "1.1", origins, DATE)
    assert isinstance(refused, Rejected)
    assert refused.status == 403


def test_an_allowed_origin_does_not_let_another_in() -> None:
    asked = handshake()
    assert isinstance(ask(asked, Origin=b"https://localhost"), Accepted)
    assert isinstance(ask(asked, Origin=b"https://evil.example"), Rejected)
    assert isinstance(ask(asked, Origin=b"https://localhost"), Accepted)


def test_the_memory_of_handshakes_is_bounded() -> None:
    asked = handshake()
    for number in range(3 * ws_handshake._KNOWN_MAX):
        assert isinstance(ask(asked, Host=b"host-%d" % number), Accepted)
    assert len(asked._known) <= ws_handshake._KNOWN_MAX


def test_odd_bytes_in_headers_are_an_ordinary_refusal() -> None:
    asked = handshake()
    for name in (b"Host", b"Origin", b"Connection", b"Sec-WebSocket-Protocol", b"Sec-WebSocket-Extensions"):
        for value in (b"\xff\xfe,;=\"'", b"\x7f", b",", b""):
            answer = asked.answer(b"GET", "1.1", [*(USUAL | {name: value}).items()], DATE)
            if isinstance(answer, Rejected):
                assert answer.status in (400, 403, 426)
                assert answer.body

"""Secrets never reach a log."""

from __future__ import annotations

import pytest

from poise.server.notification.log import masked


@pytest.mark.parametrize(
    "body",
    [
        b"<body rid='1'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>c2VjcmV0</auth></body>",
        b'<body><a:auth xmlns:a="urn:x" mechanism="PL>AIN">c2VjcmV0</a:auth></body>',
        b"<body><response>\n c2VjcmV0</response ></body>",
        b"<body><auth><![CDATA[c2VjcmV0]]></auth></body>",
        b"<body><auth><!-- > -->c2VjcmV0</auth></body>",
        b"<body><auth mechanism='PLAIN'>c2VjcmV0",
        b"<body><auth mechanism='PLAIN>c2VjcmV0</auth></body>",
        b"<body><auth mechanism='PLAIN' c2VjcmV0",
        b"<iq><query xmlns='jabber:iq:auth'><password>c2VjcmV0</password></query></iq>",
        b"<body><auth>one</auth><auth>c2VjcmV0</auth></body>",
    ],
)
def test_what_a_sign_in_carries_is_masked_however_it_is_written(body: bytes) -> None:
    assert b"c2VjcmV0" in body
    assert b"c2VjcmV0" not in masked(body)


def test_everything_around_a_secret_stays_readable() -> None:
    body = b"<body rid='7'><auth mechanism='PLAIN'>c2VjcmV0</auth><message to='1002@localhost'/></body>"
    assert masked(body) == b"<body rid='7'><auth mechanism='PLAIN'>***</auth><message to='1002@localhost'/></body>"


@pytest.mark.parametrize(
    "body",
    [
        b"<body sid='3445afbe' rid='164053266'/>",
        b"<body><success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/><message><body>hello</body></message></body>",
        b"<body authid='authority'><message><body>successful authors</body></message></body>",
    ],
)
def test_a_body_without_secrets_is_not_touched(body: bytes) -> None:
    assert masked(body) == body

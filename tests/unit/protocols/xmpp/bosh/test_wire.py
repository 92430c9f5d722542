"""The strict pattern of empty polls: it may miss a poll, it may never take something else for one."""

from __future__ import annotations

import itertools

import pytest

from poise.protocols.xmpp.bosh import EMPTY, match_poll, parse_body, terminate
from poise.protocols.xmpp.bosh.wire import parse_count, parse_rid, unknown_session, wrap

NS = "xmlns={q}http://jabber.org/protocol/httpbind{q}"


def test_an_empty_poll_is_found_in_every_order_and_with_both_quotes() -> None:
    for quote, order, tail in itertools.product(
        "'\"", itertools.permutations(["rid={q}164053266{q}", "sid={q}3445afbe{q}", NS]), ["/>", "></body>", " />"]
    ):
        data = f"<body {' '.join(order)}{tail}".replace("{q}", quote).encode()
        assert match_poll(data) == ("3445afbe", 164053266, None)


def test_an_empty_poll_with_an_acknowledgement_is_found() -> None:
    for order in itertools.permutations(["rid='7'", "sid='3445afbe'", NS.replace("{q}", '"'), "ack='6'"]):
        assert match_poll(f"<body {' '.join(order)}/>".encode()) == ("3445afbe", 7, 6)


@pytest.mark.parametrize(
    "data",
    [
        "<body rid='7' sid='a'/>",
        "<body rid='7' rid='8' {ns}/>",
        "<body rid='7' rid='8' sid='a' {ns}/>",
        "<body sid='a' sid='a' {ns}/>",
        "<body rid='7' ack='6' sid='a'/>",
        "<body rid='7' sid='a' {ns} {ns}/>",
        "<body rid='7' sid='a' {ns} ack='1' ack='2'/>",
        "<body rid='7' sid='a' {ns} type='terminate'/>",
        "<body rid='7' sid='a' {ns}> </body>",
        "<body rid='7' sid='a' {ns}/>\n",
        "<body rid='7\" sid='a' {ns}/>",
        "<body rid='0' sid='a' {ns}/>",
        "<body rid='007' sid='a' {ns}/>",
        "<body rid='+7' sid='a' {ns}/>",
        "<body rid='9007199254740992' sid='a' {ns}/>",
        "<body rid='9007199254740992' sid='a' {ns} ack='1'/>",
        "<body rid='7' sid='' {ns}/>",
        "<body rid='7' sid='a&amp;b' {ns}/>",
        "<body rid='٣' sid='a' {ns}/>",
        "<body rid='7' sid='ä' {ns}/>",
        "<body rid='7' sid='a' xmlns='http://jabber.org/protocol/httpbindx'/>",
        "<body rid='7'sid='a' {ns}/>",
    ],
)
def test_anything_else_is_left_to_the_parser(data: str) -> None:
    assert match_poll(data.replace("{ns}", NS.replace("{q}", "'")).encode()) is None


def test_pattern_and_parser_agree_on_an_empty_poll() -> None:
    data = f"<body rid='7' sid='a-_Z9' {NS.replace('{q}', chr(39))}/>".encode()
    body = parse_body(data)
    assert match_poll(data) == (body.sid, body.rid, body.ack)
    assert body.children == ()


def test_numbers_are_ascii_digits_and_nothing_else() -> None:
    assert [parse_rid(text) for text in ("1", "9007199254740991", "9007199254740992", "0", "01", " 1", "1_0", "²")] == [
        1,
        9007199254740991,
        *[None] * 6,
    ]
    assert [parse_count(text) for text in ("0", "007", "-1", "+1", "1.0", "", "٣", "9" * 17)] == [0, 7, *[None] * 6]


def test_the_empty_answer_is_the_seeds_57_bytes_and_always_the_same_object() -> None:
    assert EMPTY == b"<body xmlns='http://jabber.org/protocol/httpbind'></body>"
    assert len(EMPTY) == 57
    assert wrap(b"") is EMPTY


def test_I10_an_undefined_condition_carries_the_applications_own_element() -> None:
    assert terminate("undefined-condition", b"<why xmlns='urn:why'/>") == (
        b"<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='undefined-condition'>"
        b"<why xmlns='urn:why'/></body>"
    )


def test_M01_M02_an_unknown_session_is_item_not_found_with_200_or_as_openfire_with_404() -> None:
    found = b"<body xmlns='http://jabber.org/protocol/httpbind' type='terminate' condition='item-not-found'/>"
    assert unknown_session(openfire_404=False) == (200, found)
    assert unknown_session(openfire_404=True) == (404, found)

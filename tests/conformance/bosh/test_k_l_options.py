"""Sections K and L: multiple streams and key sequences, which a server may leave out, but not half."""

from __future__ import annotations

from hashlib import sha1

import pytest

from tests.conformance.dialogue import (
    CLIENT,
    PING,
    QUIET,
    Attribute,
    Contact,
    Session,
    check_empty,
    check_session_lives,
    check_terminated,
    login,
    message,
    texts,
)
from tests.conformance.targets import DOMAIN, Server
from tests.conformance.wire import Reply


@pytest.mark.parametrize("attributes", [{"to": DOMAIN}, {"to": DOMAIN, "xml_lang": "en"}, {"to": "x.example"}])
def test_K01_to_and_lang_in_a_session_change_nothing(server: Server, attributes: dict[str, str]) -> None:
    session = login(server)  # Pidgin repeats them on every request
    held = session.ask(1, **attributes)
    assert held.held()
    session.ask(2, QUIET)
    reply = held.reply()
    check_empty(reply)
    assert reply.root.get("stream") is None


def test_K02_a_stream_attribute_of_the_client_is_ignored(server: Server) -> None:
    session = login(server)
    assert session.next(PING, stream="s1").stanzas[0].get("id") == "ping1"
    assert session.ask(1, stream="s2").held()


def test_K03_no_answer_names_a_stream_and_a_named_one_ends_with_the_session(server: Server) -> None:
    session = Session(server)
    assert session.create().root.get("stream") is None
    session.sign_in()
    reply = session.ask(1, type="terminate", stream="s1").reply()
    check_terminated(reply)
    assert reply.root.get("stream") is None
    check_terminated(session.ask(2).reply(), "item-not-found")


def keys(count: int) -> list[str]:
    """A key sequence, in the order of use."""
    chain = ["6f825e81f4532b2c5fa2d12457d8a1f22e8f838e"]
    for _ in range(count):
        chain.append(sha1(chain[-1].encode()).hexdigest())
    return chain[::-1]


def keyed_login(server: Server, chain: list[str]) -> Session:
    """A session that announced the chain; sign-in uses its first keys."""
    session = Session(server)
    session.create(newkey=chain.pop(0))
    usual = session.B

    def with_key(n: int, *payload: str, **attributes: Attribute) -> bytes:
        return usual(n, *payload, **({"key": chain[n - 1]} | attributes))

    session.B = with_key  # type: ignore[method-assign]
    original = session.next

    def next_key(*payload: str, **attributes: Attribute) -> Reply:
        reply = original(*payload, **attributes)
        chain.pop(0)
        return reply

    session.next = next_key  # type: ignore[method-assign]
    session.sign_in()
    return session


def test_the_key_vectors_are_those_of_the_specification() -> None:
    assert keys(2)[:2] == ["ca393b51b682f61f98e7877d61146407f3d0a770", "bfb06a6f113cd6fd3838ab9d300fdb4fe3da2f7d"]


def test_L01_a_right_key_sequence_is_accepted(server: Server) -> None:
    session = keyed_login(server, keys(20))
    for _ in range(3):
        assert session.next(PING).stanzas[0].get("id") == "ping1"


def test_L02_L06_a_wrong_key_is_ignored_or_ends_the_session(server: Server) -> None:
    session = keyed_login(server, keys(20))
    reply = session.ask(1, PING, key="f" * 40).reply()
    if reply.root.get("type") == "terminate":  # keys are supported
        check_terminated(reply, "item-not-found")
    else:
        assert reply.stanzas[0].get("id") == "ping1"


def test_L03_key_and_newkey_together_are_accepted(server: Server) -> None:
    session = keyed_login(server, keys(20))
    fresh = [sha1(f"second {key}".encode()).hexdigest() for key in keys(1)]
    chain = [fresh[0]]
    for _ in range(3):
        chain.insert(0, sha1(chain[0].encode()).hexdigest())
    assert session.next(PING, newkey=chain[0]).stanzas[0].get("id") == "ping1"
    assert session.ask(1, PING, key=chain[1]).reply().stanzas[0].get("id") == "ping1"


def test_L04_keyed_requests_out_of_order_are_processed_in_order(server: Server, contact: Contact) -> None:
    session = keyed_login(server, keys(20))
    session.ask(2, message(contact.jid, "b"))
    server.settle()
    session.ask(1, message(contact.jid, "a"))
    seen = [contact.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") for _ in range(2)]
    assert seen == ["a", "b"]


def test_L05_a_keyed_request_can_be_repeated(server: Server) -> None:
    session = keyed_login(server, keys(20))
    body = session.B(1, PING)
    assert session.post(body).body == session.post(body).body


def test_L06_keys_in_a_session_without_a_newkey_are_ignored(server: Server) -> None:
    session = login(server)
    assert session.next(message(session.jid, "x"), key="abc").stanzas
    check_session_lives(session)
    assert texts(session.ask(1).reply()) == []

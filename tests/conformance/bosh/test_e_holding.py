"""Section E: when requests are held and when they are answered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.dialogue import (
    CLIENT,
    PING,
    QUIET,
    SASL,
    STREAM,
    Contact,
    Pending,
    Session,
    check_empty,
    check_stream_error,
    check_terminated,
    login,
    message,
    plain,
    texts,
)
from tests.conformance.targets import BOSH, DOMAIN, Profile, Server
from tests.conformance.wire import NoAnswer


def check_wait(server: Server, pending: Pending) -> None:
    """Held until shortly before the wait of 4 s is over, empty shortly after."""
    server.pass_time(3.4)
    assert pending.held()
    server.pass_time(0.7)
    check_empty(pending.reply(0.4))


def test_E01_without_data_the_answer_is_empty_when_the_wait_is_over(server: Server) -> None:
    check_wait(server, login(server).ask(1))


def test_E01_a_shorter_wait_of_the_client_is_kept(server: Server) -> None:
    session = login(server, wait=1)
    held = session.ask(1)
    assert held.held()
    server.pass_time(1.1)
    check_empty(held.reply(0.5))


def test_E02_a_further_request_frees_the_oldest_and_is_held(server: Server) -> None:
    session = login(server)
    oldest = session.ask(1)
    assert oldest.held()
    newest = session.ask(2, QUIET)
    check_empty(oldest.reply(0.5))
    assert newest.held()


def test_E02_as_many_requests_as_agreed_are_held(serve: Callable[[Profile], Server]) -> None:
    server = serve(replace(BOSH, hold_max=3))
    session = login(server, hold=3)
    held = [session.ask(n, QUIET) for n in (1, 2, 3)]
    assert [pending.held() for pending in held] == [True, True, True]
    fourth = session.ask(4, QUIET)
    check_empty(held[0].reply(0.5))
    assert held[1].held()
    assert fourth.held()


def test_E03_data_answers_the_held_request_at_once(server: Server, contact: Contact) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    contact.say(message(session.jid, "now"))
    assert texts(held.reply(0.5)) == ["now"]


def test_E03_data_answers_the_oldest_of_several_held_requests(serve: Callable[[Profile], Server]) -> None:
    server = serve(replace(BOSH, hold_max=3))
    session = login(server, hold=3)
    held = [session.ask(n, QUIET) for n in (1, 2, 3)]
    assert all(pending.held() for pending in held)
    Contact(server).say(message(session.jid, "now"))
    assert texts(held[0].reply(0.5)) == ["now"]
    assert held[1].held()
    assert held[2].held()


def test_E04_queued_stanzas_come_in_order_each_once(server: Server, contact: Contact) -> None:
    session = login(server)
    contact.say("".join(message(session.jid, str(number)) for number in range(1000)))
    contact.say("<iq type='get' id='sent' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    contact.hear(f"{{{CLIENT}}}iq")
    seen: list[str] = []
    while len(seen) < 1000:
        reply = session.next()
        assert reply.stanzas, f"empty after {len(seen)}"
        assert len(reply.body) < 1_500_000
        seen += texts(reply)
    assert seen == [str(number) for number in range(1000)]
    assert session.ask(1).held()


def test_E04_large_queues_are_spread_over_bounded_bodies(server: Server, contact: Contact) -> None:
    session = login(server)
    for number in range(60):
        contact.say(message(session.jid, f"{number}:" + "x" * 50_000))
    contact.say("<iq type='get' id='sent' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    contact.hear(f"{{{CLIENT}}}iq")
    seen: list[str] = []
    while len(seen) < 60:
        reply = session.next()
        assert reply.stanzas, f"nothing after {len(seen)}"
        assert len(reply.body) < 1_500_000
        seen += [text.partition(":")[0] for text in texts(reply)]
    assert seen == [str(number) for number in range(60)]


def test_E05_a_reply_travels_on_one_of_the_two_open_requests(server: Server) -> None:
    session = login(server)
    older = session.ask(1)
    assert older.held()
    newer = session.ask(2, PING)
    ids = [stanza.get("id") for stanza in older.reply(0.5).stanzas]
    if not ids:
        ids = [stanza.get("id") for stanza in newer.reply(0.5).stanzas]
    assert ids == ["ping1"]


def test_E06_a_request_with_stanzas_is_held_like_an_empty_one(server: Server) -> None:
    check_wait(server, login(server).ask(1, QUIET))


def test_E07_errors_are_answered_at_once(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    check_terminated(session.ask(90).reply(0.5), "item-not-found")
    assert held.reply(0.5).root.get("type") == "terminate"


def test_E07_a_restart_is_answered_at_once(server: Server) -> None:
    session = Session(server)
    session.create()
    session.until(f"{{{SASL}}}success", plain("1001"))
    reply = session.ask(1, xmpp_restart="true", to=DOMAIN).reply(1.0)
    assert [stanza.tag for stanza in reply.stanzas] == [f"{{{STREAM}}}features"]


def test_E07_a_terminate_request_is_answered_at_once(server: Server) -> None:
    session = login(server)
    assert session.ask(1, type="terminate").reply(0.5).status == 200


def test_E07_a_stream_error_is_told_at_once(server: Server) -> None:
    session = login(server)
    check_stream_error(session.ask(1, "<nonsense xmlns='urn:x'/>").reply(0.5), "unsupported-stanza-type")


@pytest.mark.parametrize(
    "seen_first", [True, False], ids=["loss seen before the data", "data into a broken connection"]
)
def test_E08_data_for_a_broken_connection_is_kept_for_its_rid(
    server: Server, contact: Contact, seen_first: bool
) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    held.kill()
    if seen_first:
        server.settle()
    contact.say(message(session.jid, "kept"))
    server.settle()
    assert texts(session.ask(1).reply()) == ["kept"]


def test_E09_stanzas_are_forwarded_though_their_request_is_held(server: Server, contact: Contact) -> None:
    session = login(server)
    pending = session.ask(1, message(contact.jid, "at once"))
    assert contact.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") == "at once"
    assert pending.held()


def test_E08_a_client_that_half_closes_still_gets_its_answer_or_keeps_it(server: Server, contact: Contact) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    held.wire.socket.shutdown(1)
    server.settle()
    contact.say(message(session.jid, "half"))
    try:
        seen = texts(held.reply(0.5))
    except NoAnswer:
        seen = texts(session.ask(1).reply())
    assert seen == ["half"]


def test_E02_an_empty_request_at_the_agreed_pace_frees_the_one_before(server: Server) -> None:
    session = login(server)
    oldest = session.ask(1)
    server.pass_time(2.3)
    newest = session.ask(2)
    check_empty(oldest.reply(0.5))
    assert newest.held()


def test_E04_a_stanza_above_the_bound_of_a_body_travels_alone(serve: Callable[[Profile], Server]) -> None:
    server = serve(replace(BOSH, answer_bytes=2_000))
    session, contact = login(server), Contact(server)
    for text in ("a", "b" * 5_000, "c"):
        contact.say(message(session.jid, text))
    contact.say("<iq type='get' id='sent' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>")
    contact.hear(f"{{{CLIENT}}}iq")
    seen: list[str] = []
    while len(seen) < 3:
        reply = session.next()
        assert reply.stanzas, f"nothing after {seen}"
        seen += [text[0] for text in texts(reply)]
    assert seen == ["a", "b", "c"]


def test_E04_a_session_may_be_sent_any_amount_if_it_collects_it(server: Server, contact: Contact) -> None:
    session = login(server)
    for number in range(30):
        contact.say(message(session.jid, f"{number}:" + "x" * 200_000))
        server.settle()
        assert texts(session.next())[0].startswith(f"{number}:")


def test_E07_a_restart_is_answered_at_once_whatever_is_held(serve: Callable[[Profile], Server]) -> None:
    session = Session(serve(replace(BOSH, hold_max=3)))
    session.create(hold=2)
    session.until(f"{{{SASL}}}success", plain("1001"))
    held = session.ask(1)
    assert held.held()
    restart = session.ask(2, xmpp_restart="true", to=DOMAIN)
    check_empty(held.reply(0.5))
    assert [stanza.tag for stanza in restart.reply(0.5).stanzas] == [f"{{{STREAM}}}features"]


def test_E08_a_client_that_goes_on_with_its_next_request_gets_the_data_there(server: Server, contact: Contact) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    held.kill()
    server.settle()
    contact.say(message(session.jid, "kept"))
    server.settle()
    assert texts(session.ask(2, QUIET).reply()) == ["kept"]

"""Section G: clients that ask too much or too often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.dialogue import (
    PING,
    QUIET,
    Contact,
    Session,
    check_empty,
    check_session_lives,
    check_terminated,
    login,
    message,
    texts,
)
from tests.conformance.targets import BOSH, Profile, Server

Serve = Callable[[Profile], Server]
SLOW = replace(BOSH, inactivity=5)
"""Room for polls at the agreed pace of 2 s."""


def test_G01_too_many_open_requests_end_the_session_and_all_are_answered(server: Server) -> None:
    session = login(server)
    waiting = session.ask(2, QUIET)
    assert waiting.held()
    over = session.ask(3, QUIET)
    check_terminated(over.reply(), "policy-violation", "item-not-found")
    assert waiting.reply().root.get("type") == "terminate"
    check_terminated(session.ask(1).reply(), "item-not-found")


def test_G02_a_terminate_request_ends_all_open_ones_without_complaint(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    leaving = session.ask(2, type="terminate")
    for reply in (held.reply(), leaving.reply()):
        assert reply.root.get("condition") is None


@pytest.mark.parametrize("attributes", [{"type": "terminate"}, {"pause": 3}], ids=["terminate", "pause"])
def test_G02_one_request_more_is_allowed_to_leave_or_to_pause(serve: Serve, attributes: dict[str, str | int]) -> None:
    session = login(serve(replace(BOSH, hold_max=3)), hold=2)
    held = [session.ask(1, QUIET), session.ask(2, QUIET)]
    assert all(pending.held() for pending in held)
    last = session.ask(3, **attributes)
    for reply in (*(pending.reply() for pending in held), last.reply()):
        assert reply.root.get("condition") is None


def test_G03_an_empty_request_too_soon_with_all_slots_used_is_overactivity(serve: Serve) -> None:
    session = login(serve(replace(BOSH, hold_max=3)), hold=2)
    held = [session.ask(1), session.ask(2)]
    assert all(pending.held() for pending in held)
    check_terminated(session.ask(3).reply(), "policy-violation")
    assert all(pending.reply().root.tag for pending in held)
    check_terminated(session.ask(4).reply(), "item-not-found")


def test_G03_the_same_later_than_polling_is_fine(serve: Serve) -> None:
    server = serve(replace(BOSH, hold_max=3))
    session = login(server, hold=2)
    held = [session.ask(1), session.ask(2)]
    server.pass_time(2.3)
    last = session.ask(3)
    check_empty(held[0].reply())
    assert last.held()


def test_G04_a_polling_session_that_polls_too_fast_is_ended(serve: Serve) -> None:
    server = serve(SLOW)
    session = Session(server).sign_in(hold=0)
    server.pass_time(2.3)
    check_empty(session.next())
    check_terminated(session.next(), "policy-violation")
    check_terminated(session.next(), "item-not-found")


def test_G04_a_polling_session_at_the_agreed_pace_is_fine(serve: Serve) -> None:
    server = serve(SLOW)
    session = Session(server).sign_in(hold=0)
    for _ in range(2):
        server.pass_time(2.3)
        check_empty(session.next())


def test_G05_polling_after_data_or_with_data_is_never_too_fast(serve: Serve) -> None:
    server = serve(SLOW)
    session = Session(server).sign_in(hold=0)
    server.pass_time(2.3)
    session.next(message(session.jid, "a"))
    seen = [*texts(session.next(message(session.jid, "b"))), *texts(session.next(message(session.jid, "c")))]
    assert "b" in seen
    assert session.ask(1, type="terminate").reply().root.get("condition") is None


def test_G06_without_a_polling_limit_nobody_polls_too_fast(serve: Serve) -> None:
    session = Session(serve(replace(BOSH, polling=None)))
    created = session.create(hold=0)
    assert created.root.get("polling") is None
    session.sign_in()
    for _ in range(5):
        check_empty(session.next())


def test_G07_a_switch_makes_overactivity_harmless(serve: Serve) -> None:
    session = Session(serve(replace(BOSH, overactivity_ends=False))).sign_in(hold=0)
    for _ in range(5):
        check_empty(session.next())


def test_G08_repeats_never_count_as_overactivity(serve: Serve) -> None:
    server = serve(SLOW)
    session = Session(server).sign_in(hold=0)
    server.pass_time(2.3)
    body = session.B(1)
    answers = {session.post(body).body for _ in range(5)}
    assert len(answers) == 1
    server.pass_time(2.3)
    check_empty(session.ask(2).reply())


def test_G08_repeats_of_a_held_request_never_count(server: Server) -> None:
    session = login(server)
    for _ in range(5):
        assert session.ask(1).held()
    check_session_lives(session, 2)


def test_G05_two_requests_with_data_in_quick_succession_are_fine(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    second = session.ask(2, PING)
    ids = [stanza.get("id") for stanza in held.reply().stanzas]
    if not ids:
        ids = [stanza.get("id") for stanza in second.reply().stanzas]
    assert ids == ["ping1"]


def test_G01_open_requests_beyond_a_gap_count_too(serve: Serve) -> None:
    session = login(serve(replace(BOSH, hold_max=3)), hold=2)
    waiting = [session.ask(n, QUIET) for n in (1, 2, 4)]
    assert all(pending.held() for pending in waiting)
    over = session.ask(5, QUIET)
    answers = [pending.reply() for pending in (*waiting, over)]
    assert "policy-violation" in [answer.root.get("condition") for answer in answers]
    check_terminated(session.ask(3).reply(), "item-not-found")


def test_G03_two_empty_requests_at_once_are_too_many_where_one_is_held(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    check_terminated(session.ask(2).reply(), "policy-violation")
    assert held.reply().root.tag


def test_G05_a_polling_session_that_was_given_data_may_ask_for_more_at_once(serve: Serve) -> None:
    server = serve(SLOW)
    session, contact = Session(server).sign_in(hold=0), Contact(server)
    server.pass_time(2.3)
    contact.say(message(session.jid, "x"))
    server.settle()
    assert texts(session.next()) == ["x"]
    check_empty(session.next())

"""Section H: clients that fall silent, and clients that announce it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.dialogue import (
    CLIENT,
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


def test_H01_a_silent_session_ends_and_its_presence_with_it(server: Server) -> None:
    session = login(server)
    watcher = Contact(server, "1001", "watch").come()
    watcher.greet(session)
    server.pass_time(1.2)
    assert [p for p in watcher.overheard(server) if p.get("type") == "unavailable"] == []
    server.pass_time(1.5)
    gone = watcher.hear(f"{{{CLIENT}}}presence", from_=session.jid)
    assert gone.get("type") == "unavailable"
    check_terminated(session.ask(1).reply(), "item-not-found")


def test_H01_a_session_is_alive_shortly_before_the_limit(server: Server) -> None:
    session = login(server)
    server.pass_time(1.4)
    check_session_lives(session)


def test_H02_a_held_request_keeps_the_session_alive(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    server.pass_time(3.4)
    assert held.held()
    server.pass_time(0.7)
    check_empty(held.reply(0.5))
    server.pass_time(1.4)  # the limit counts from the answer
    check_session_lives(session, 2)


def test_H03_a_client_that_dies_under_a_held_request_ends_in_time(server: Server) -> None:
    session = login(server)
    watcher = Contact(server, "1001", "watch").come()
    watcher.greet(session)
    held = session.ask(1)
    assert held.held()
    held.kill()
    server.pass_time(6.8)
    assert watcher.hear(f"{{{CLIENT}}}presence", from_=session.jid).get("type") == "unavailable"
    check_terminated(session.ask(1).reply(), "item-not-found")


def test_H03_it_may_come_back_before(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    held.kill()
    server.pass_time(1.4)
    assert session.ask(1).held()
    check_session_lives(session, 2)


def test_H04_without_a_limit_a_silent_session_stays(serve: Serve) -> None:
    server = serve(replace(BOSH, inactivity=None))
    session = Session(server)
    assert session.create().root.get("inactivity") is None
    server.pass_time(8)
    session.sign_in()
    server.pass_time(8)
    check_session_lives(session)


def test_H05_a_pause_frees_all_requests_and_stretches_the_limit(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    check_empty(session.ask(2, pause=5).reply(0.5))
    check_empty(held.reply(0.5))
    server.pass_time(4)
    check_session_lives(session, 3)


def test_H05_after_the_next_request_the_limit_is_the_usual_one(server: Server) -> None:
    session = login(server)
    check_empty(session.ask(1, pause=5).reply(0.5))
    server.pass_time(3)
    check_session_lives(session, 2)
    server.pass_time(3)
    check_terminated(session.ask(3).reply(), "item-not-found")


def test_H05_a_paused_session_ends_when_the_pause_is_over(server: Server) -> None:
    session = login(server)
    check_empty(session.ask(1, pause=3).reply(0.5))
    server.pass_time(3.7)
    check_terminated(session.ask(2).reply(), "item-not-found")


def test_H06_data_at_a_pause_comes_after_it_and_not_in_its_answer(server: Server, contact: Contact) -> None:
    session = login(server)
    contact.say(message(session.jid, "pending"))
    server.settle()
    check_empty(session.ask(1, pause=5).reply(0.5))
    assert texts(session.ask(2).reply(0.5)) == ["pending"]


def test_H06_data_during_a_pause_waits_for_the_next_request(server: Server, contact: Contact) -> None:
    session = login(server)
    check_empty(session.ask(1, pause=5).reply(0.5))
    contact.say(message(session.jid, "meanwhile"))
    server.pass_time(3)
    assert texts(session.ask(2).reply(0.5)) == ["meanwhile"]


def test_H07_a_pause_above_the_limit_is_policy_violation(server: Server) -> None:
    session = login(server)
    check_terminated(session.ask(1, pause=7).reply(0.5), "policy-violation")
    check_terminated(session.ask(2).reply(), "item-not-found")


def test_H07_the_longest_pause_is_granted(server: Server) -> None:
    session = login(server)
    check_empty(session.ask(1, pause=6).reply(0.5))
    check_session_lives(session, 2)


def test_H08_a_short_pause_shortens_the_limit(server: Server) -> None:
    session = login(server)
    check_empty(session.ask(1, pause=1).reply(0.5))
    server.pass_time(1.5)
    check_terminated(session.ask(2).reply(), "item-not-found")


@pytest.mark.parametrize("pause", ["-1", "abc", "", "1.5", "٣"])
def test_H09_a_malformed_pause_is_bad_request(server: Server, pause: str) -> None:
    session = login(server)
    check_terminated(session.ask(1, pause=pause).reply(0.5), "bad-request")


@pytest.mark.parametrize("pause", [3, 99, "abc"])
def test_H10_where_no_pause_is_offered_the_attribute_is_ignored(serve: Serve, pause: int | str) -> None:
    session = Session(serve(replace(BOSH, maxpause=None)))
    assert session.create().root.get("maxpause") is None
    session.sign_in()
    assert session.ask(1, pause=pause).held()
    check_session_lives(session, 2)

"""Section J: acknowledgements (XEP-0124 section 9)."""

from __future__ import annotations

import pytest

from tests.conformance.dialogue import (
    PING,
    QUIET,
    Session,
    check_empty,
    check_session_lives,
    check_terminated,
    login,
)
from tests.conformance.targets import Server


def ack(reply: object) -> str | None:
    """The ack attribute of an answer."""
    return reply.root.get("ack")  # type: ignore[attr-defined, no-any-return]


def test_J01_the_creation_answer_acknowledges_the_creation(server: Server) -> None:
    session = Session(server)
    assert session.create(ack=1).root.get("ack") == str(session.base)


def test_J01_without_the_clients_wish_nothing_is_acknowledged(server: Server) -> None:
    session = Session(server)
    assert session.create().root.get("ack") is None
    session.sign_in()
    held = session.ask(1, QUIET)
    session.ask(2, QUIET)
    assert held.reply().root.get("ack") is None


def test_J02_ack_is_the_highest_rid_received(server: Server) -> None:
    session = login(server, ack=1)
    held = session.ask(1)
    assert held.held()
    second = session.ask(2, QUIET)
    first = held.reply()
    check_empty(first)
    assert first.root.get("ack") == str(session.base + 2)
    session.ask(3, QUIET)
    assert second.reply().root.get("ack") == str(session.base + 3)


def test_J02_a_rid_beyond_a_gap_is_not_acknowledged(server: Server) -> None:
    session = login(server, ack=1)
    assert session.ask(2, PING).held()
    reply = session.ask(1, QUIET).reply()
    assert reply.root.get("ack") in (None, str(session.base + 2))


def test_J02_J03_an_ack_that_says_nothing_new_is_left_out(server: Server) -> None:
    session = login(server, ack=1)
    assert session.next(PING).root.get("ack") is None
    held = session.ask(1)
    server.pass_time(4.3)
    assert held.reply().root.get("ack") is None


def test_J03_ack_appears_once_and_only_on_the_body(server: Server) -> None:
    session = login(server, ack=1)
    held = session.ask(1)
    assert held.held()
    session.ask(2, QUIET)
    assert held.reply().body.count(b" ack=") == 1


def test_J04_a_clients_ack_prunes_the_replay_buffer(server: Server) -> None:
    session = login(server, ack=1)
    session.next(PING)
    session.next(PING)
    acknowledged = session.base
    session.next(PING, ack=acknowledged)
    check_terminated(session.ask(0, rid=acknowledged).reply(), "item-not-found")


def test_J05_a_clients_ack_that_is_behind_gets_a_report_at_once(server: Server) -> None:
    session = login(server, ack=1)
    session.next(PING)
    session.next(PING)
    behind = session.base - 1
    server.pass_time(1)
    reply = session.ask(1, ack=behind).reply(0.5)
    assert reply.root.get("report") == str(behind + 1)
    elapsed = reply.root.get("time")
    assert elapsed is not None
    assert 1000 <= int(elapsed) < 4000
    check_session_lives(session, 2)


@pytest.mark.parametrize("value", ["0", "2", "", "yes", "-1"])
def test_J06_an_ack_other_than_1_at_creation_is_no_agreement(server: Server, value: str) -> None:
    session = Session(server)
    assert session.create(ack=value).root.get("ack") is None
    session.sign_in()
    check_session_lives(session)


@pytest.mark.parametrize("value", ["abc", "-1", "", "1.5", "1" + "0" * 5000])
def test_J07_a_malformed_ack_is_ignored(server: Server, value: str) -> None:
    session = login(server, ack=1)
    assert session.ask(1, ack=value).held()
    check_session_lives(session, 2)


def test_J05_an_ack_from_long_ago_raises_no_alarm(server: Server) -> None:
    session = login(server, ack=1)
    started = session.base - 4
    for _ in range(4):
        session.next(PING)
    assert session.ask(1, ack=started).held()

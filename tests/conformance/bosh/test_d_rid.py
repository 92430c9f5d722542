"""Section D: request ids, their order and their window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.bosh import bad_input
from tests.conformance.dialogue import (
    CLIENT,
    PING,
    QUIET,
    Contact,
    Session,
    check_session_lives,
    check_terminated,
    login,
    message,
    texts,
)
from tests.conformance.targets import BOSH, Profile, Server

RID_MAX = 2**53 - 1


def test_D01_a_creation_without_rid_is_refused(server: Server) -> None:
    session = Session(server)
    check_terminated(session.post(session.C(rid=None)), "bad-request")


def test_D01_a_request_without_rid_is_refused(server: Server) -> None:
    session = login(server)
    check_terminated(session.ask(1, rid=None).reply(), "bad-request")


@pytest.mark.parametrize("rid", bad_input.RIDS.values(), ids=bad_input.RIDS.keys())
def test_D02_SEC12_a_creation_with_a_malformed_rid_is_refused(server: Server, rid: str) -> None:
    session = Session(server)
    check_terminated(session.post(session.C(rid=rid)), "bad-request")


@pytest.mark.parametrize("rid", bad_input.RIDS.values(), ids=bad_input.RIDS.keys())
def test_D02_SEC12_a_request_with_a_malformed_rid_is_refused(server: Server, rid: str) -> None:
    session = login(server)
    check_terminated(session.ask(1, rid=rid).reply(), "bad-request", "item-not-found")


def test_D02_SEC12_the_largest_rid_is_accepted(server: Server) -> None:
    assert Session(server, rid=RID_MAX - 1).create().sid


def test_D03_requests_are_processed_in_rid_order(server: Server, contact: Contact) -> None:
    session = login(server)
    session.ask(2, message(contact.jid, "second"))
    assert contact.overheard(server) == []
    session.ask(1, message(contact.jid, "first"))
    seen = [contact.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") for _ in range(2)]
    assert seen == ["first", "second"]


def test_D03_shuffled_requests_of_a_conversation_are_put_in_order(server: Server, contact: Contact) -> None:
    session = login(server)
    for pair in range(5):
        late = session.ask(2, message(contact.jid, f"{pair}b"))
        server.settle()
        early = session.ask(1, message(contact.jid, f"{pair}a"))
        early.reply()
        session.base += 2
        session.ask(1)
        session.base += 1
        late.reply()
    seen = [contact.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") for _ in range(10)]
    assert seen == [f"{pair}{half}" for pair in range(5) for half in "ab"]


def test_D04_answers_leave_in_rid_order(server: Server) -> None:
    session = login(server)
    later = session.ask(2, message(session.jid, "b"))
    assert later.held()
    earlier = session.ask(1, message(session.jid, "a"))
    seen = texts(earlier.reply())  # may be empty: the other request is there already
    if len(seen) < 2:
        seen += texts(later.reply())
    if len(seen) < 2:
        seen += texts(session.ask(3).reply())
    assert seen == ["a", "b"]


def test_D05_the_last_rid_of_the_window_is_kept(server: Server) -> None:
    session = login(server)
    assert session.ask(2, QUIET).held()
    session.ask(1, QUIET).reply()
    check_session_lives(session, 3)


def test_D05_SEC12_a_rid_beyond_the_window_ends_the_session(server: Server) -> None:
    session = login(server)
    check_terminated(session.ask(3, PING).reply(), "item-not-found")
    check_terminated(session.ask(1, PING).reply(), "item-not-found")


def test_D05_nothing_of_a_request_beyond_the_window_is_processed(server: Server, contact: Contact) -> None:
    session = login(server)
    session.ask(3, message(contact.jid, "x")).reply()
    assert contact.overheard(server) == []


def test_D06_M07_too_low_too_high_and_unknown_sid_get_the_same_answer(server: Server) -> None:
    bodies = []
    for n in (-6, 40):
        session = login(server)
        bodies.append(session.ask(n).reply().body)
    stranger = Session(server)
    stranger.sid = "nobody"
    bodies.append(stranger.ask(1).reply().body)
    assert len(set(bodies)) == 1


def test_D07_a_gap_that_is_never_filled_ends_the_session(server: Server) -> None:
    session = login(server)
    gap = session.ask(2)
    assert gap.held()
    server.pass_time(4.6)
    check_terminated(gap.reply(), "item-not-found")
    check_terminated(session.ask(1).reply(), "item-not-found")


def test_D07_a_gap_that_is_filled_in_time_costs_nothing(server: Server) -> None:
    session = login(server)
    gap = session.ask(2, message(session.jid, "late"))
    server.pass_time(1)
    first = session.ask(1)
    assert "late" in texts(first.reply()) or "late" in texts(gap.reply())


def test_D08_the_largest_rid_is_the_last_one(server: Server) -> None:
    session = Session(server, rid=RID_MAX - 2)
    session.create()
    first = session.ask(1)
    assert first.held()
    session.ask(2, QUIET)
    first.reply()
    check_terminated(session.ask(3).reply(), "bad-request", "policy-violation", "item-not-found")


def test_D09_a_session_may_start_at_rid_1(server: Server) -> None:
    session = Session(server, rid=1)
    session.sign_in()
    check_session_lives(session)


def test_D07_a_gap_is_given_the_longer_of_wait_and_inactivity(serve: Callable[[Profile], Server]) -> None:
    server = serve(replace(BOSH, inactivity=5))
    session = login(server, wait=1)
    gap = session.ask(2, message(session.jid, "late"))
    server.pass_time(3)
    assert gap.held()
    first = session.ask(1)
    assert "late" in texts(first.reply()) or "late" in texts(gap.reply())


def test_D07_a_second_gap_has_its_own_time(serve: Callable[[Profile], Server]) -> None:
    server = serve(replace(BOSH, hold_max=3))
    session = login(server, hold=3)
    session.ask(2, QUIET)
    second = session.ask(4, QUIET)
    server.pass_time(3)
    session.ask(1, QUIET)
    server.pass_time(2)
    assert second.held()
    session.ask(3, QUIET)
    check_session_lives(session, 5)

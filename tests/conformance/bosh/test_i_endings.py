"""Section I: how sessions end, and what everybody is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.dialogue import (
    CLIENT,
    QUIET,
    SASL,
    Contact,
    Session,
    check_session_lives,
    check_stream_error,
    check_terminated,
    login,
    message,
    plain,
)
from tests.conformance.targets import BOSH, Profile, Server
from tests.conformance.wire import HTTPBIND, Reply

Serve = Callable[[Profile], Server]
CONDITIONS = {
    "bad-request", "host-gone", "host-unknown", "improper-addressing", "internal-server-error", "item-not-found",
    "other-request", "policy-violation", "remote-connection-failed", "remote-stream-error", "see-other-uri",
    "system-shutdown", "undefined-condition",
}  # fmt: skip
"""XEP-0124 section 17.2."""


def test_I01_stanzas_of_a_terminate_request_are_forwarded_first(server: Server) -> None:
    session = login(server)
    watcher = Contact(server, "1001", "watch").come()
    watcher.greet(session)
    bye = "<presence type='unavailable' xmlns='jabber:client'/>"
    session.ask(1, message(watcher.jid, "last words"), bye, type="terminate").reply()
    assert watcher.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") == "last words"
    left = [p for p in watcher.overheard(server) if p.get("from") == session.jid]
    assert [p.get("type") for p in left] == ["unavailable"]


def test_I01_a_terminate_request_without_presence_announces_it(server: Server) -> None:
    session = login(server)
    watcher = Contact(server, "1001", "watch").come()
    watcher.greet(session)
    session.ask(1, type="terminate").reply()
    assert watcher.hear(f"{{{CLIENT}}}presence", from_=session.jid).get("type") == "unavailable"


def test_I02_a_terminate_request_and_the_held_one_are_answered_at_once(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    leaving = session.ask(2, type="terminate")
    replies = [held.reply(0.5), leaving.reply(0.5)]
    check_terminated(replies[0])
    assert replies[1].status == 200
    assert replies[1].root.get("type") in (None, "terminate")
    assert replies[1].root.get("condition") is None


def test_I03_after_the_end_every_rid_is_item_not_found(server: Server) -> None:
    session = login(server)
    check_terminated(session.ask(1, type="terminate").reply())
    for n in (1, 2, 0):
        check_terminated(session.ask(n).reply(), "item-not-found")


def test_I04_the_other_open_requests_are_answered_when_one_ends_the_session(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    check_terminated(session.ask(77).reply(), "item-not-found")
    check_terminated(held.reply(0.5), "other-request")


def test_I05_a_server_that_stops_tells_every_open_request(fresh: Serve) -> None:
    server = fresh(BOSH)
    held = [login(server, user).ask(1) for user in ("1001", "1002", "1003")]
    assert all(pending.held() for pending in held)
    server.stop()
    for pending in held:
        check_terminated(pending.reply(1.0), "system-shutdown")


def test_I06_a_resource_taken_over_is_told_as_a_conflict(server: Server) -> None:
    old = login(server)
    held = old.ask(1)
    assert held.held()
    new = login(server)
    assert new.jid == old.jid
    check_stream_error(held.reply(), "conflict")
    check_terminated(old.ask(2).reply(), "item-not-found")
    check_session_lives(new)


def test_I07_see_other_uri_comes_with_its_uri(serve: Serve) -> None:
    uri = "https://localhost:7443/http-bind/"
    server = serve(replace(BOSH, redirect_uri=uri))
    session = Session(server)
    reply = session.post(session.C())
    check_terminated(reply, "see-other-uri")
    assert [child.text for child in reply.stanzas if child.tag == f"{{{HTTPBIND}}}uri"] == [uri]
    assert Session(server, tls=True).create().sid


def test_I08_a_failing_account_store_is_told_and_hangs_nobody(server: Server) -> None:
    session, calm = Session(server), login(server)
    session.create()
    with server.broken_accounts():
        failure = session.until(f"{{{SASL}}}failure", plain("1003"))
    assert failure.find(f"{{{SASL}}}temporary-auth-failure") is not None
    session.authenticate("1003")
    check_session_lives(calm)


def test_I09_an_unexpected_exception_costs_one_session_not_the_process(server: Server) -> None:
    session, calm = login(server), login(server, "1003")
    held = session.ask(1)
    assert held.held()
    with server.broken_stanzas():
        struck = session.ask(2, QUIET)
        answers = [held.reply(), struck.reply()]
    assert {answer.root.get("condition") for answer in answers} & {"internal-server-error"}
    check_terminated(session.ask(3).reply(), "item-not-found")
    check_session_lives(calm)
    assert server.alive()
    assert login(server).ask(1).held()


def bad_creation(**attributes: str | None) -> Callable[[Server], Reply]:
    """What a creation with these attributes gets."""
    return lambda server: (lambda session: session.post(session.C(**attributes)))(Session(server))


def bad_request(n: int, payload: str = "", **attributes: str | None) -> Callable[[Server], Reply]:
    """What such a request of a session gets."""
    return lambda server: login(server).ask(n, payload, **attributes).reply()


WRONGS: dict[str, Callable[[Server], Reply]] = {
    "no XML": lambda server: Session(server).post(b"nonsense"),
    "no to": bad_creation(to=None),
    "other to": bad_creation(to="x.example"),
    "no rid": bad_creation(rid=None),
    "content": bad_creation(content="a/b"),
    "late rid": bad_request(66),
    "old rid": bad_request(-66),
    "unknown sid": bad_request(1, sid="x"),
    "not a stanza": bad_request(1, "<x xmlns='urn:x'/>"),
    "text": bad_request(1, "text"),
    "control character": bad_request(1, message("1002@localhost", "&#1;")),
    "wrong from": bad_request(1, message("1002@localhost", "x", from_="1003@localhost/x")),
}


@pytest.mark.parametrize("wrong", WRONGS.values(), ids=WRONGS.keys())
def test_I10_only_conditions_of_the_specification_are_used(server: Server, wrong: Callable[[Server], Reply]) -> None:
    root = wrong(server).root
    assert root.get("type") == "terminate", f"not refused: {root.attrib}"
    assert root.get("condition") in CONDITIONS
    assert root.get("condition") != "undefined-condition" or len(root) == 1


def test_I04_a_session_that_leaves_does_not_disturb_the_other_of_its_account(server: Server) -> None:
    first, second = login(server, resource="one"), login(server, resource="two")
    held = second.ask(1)
    first.ask(1, type="terminate").reply()
    assert held.held()

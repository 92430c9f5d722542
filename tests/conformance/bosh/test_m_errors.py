"""Section M: how errors are reported, to clients old and new."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.dialogue import (
    BODY,
    CLIENT,
    PING,
    QUIET,
    STANZA_ERRORS,
    STREAM,
    STREAM_ERRORS,
    Session,
    check_session_lives,
    check_stream_error,
    check_terminated,
    login,
    message,
)
from tests.conformance.targets import BOSH, Profile, Server
from tests.conformance.wire import Reply

NOWHERE = "<iq type='get' id='n1' to='nobody@localhost/x' xmlns='jabber:client'><query xmlns='urn:x'/></iq>"


def test_M01_an_unknown_sid_is_item_not_found_with_200(server: Server) -> None:
    session = Session(server)
    session.sid = "nobody"
    check_terminated(session.ask(1).reply(), "item-not-found")


def test_M01_an_unknown_sid_is_404_where_a_switch_wants_it_as_openfire_does(
    serve: Callable[[Profile], Server],
) -> None:
    session = Session(serve(replace(BOSH, openfire_404=True)))
    session.sid = "nobody"
    assert session.ask(1).reply().status == 404


def legacy_wrongs(kind: str, server: Server) -> tuple[Reply, int]:
    """An error of a session whose client named no version, and the status it must have."""
    session = Session(server)
    if kind == "bad creation":
        return session.post(session.C(ver=None, wait="x")), 400
    session.sign_in(ver=None)
    if kind == "rid":
        return session.ask(50).reply(), 404
    if kind == "broken body that does not fit":
        return session.post(session.B(50, "<iq>")), 400
    if kind == "pause":
        return session.ask(1, pause=99).reply(), 403
    return session.ask(1, "text").reply(), 400


@pytest.mark.parametrize("kind", ["bad creation", "rid", "pause", "bad request", "broken body that does not fit"])
def test_M02_M03_legacy_clients_get_a_status_and_a_body(server: Server, kind: str) -> None:
    reply, status = legacy_wrongs(kind, server)
    assert reply.status == status
    assert reply.root.tag == BODY
    assert reply.root.get("type") == "terminate"


def test_M02_a_legacy_session_works_like_any_other(server: Server) -> None:
    session = Session(server).sign_in(ver=None)
    check_session_lives(session)


def test_M04_a_stanza_error_does_not_end_the_session(server: Server) -> None:
    session = login(server)
    reply = session.next(NOWHERE)
    assert reply.status == 200
    errors = [iq for iq in reply.stanzas if iq.get("id") == "n1" and iq.get("type") == "error"]
    assert errors, reply.body
    conditions = [child.tag for child in errors[0].find(f"{{{CLIENT}}}error") or ()]
    assert f"{{{STANZA_ERRORS}}}service-unavailable" in conditions
    check_session_lives(session)


def test_M05_a_stream_error_travels_with_its_whole_element(server: Server) -> None:
    session = login(server)
    reply = session.ask(1, "<nonsense xmlns='urn:x'/>").reply()
    check_stream_error(reply, "unsupported-stanza-type")
    assert b"<stream:error" in reply.body
    error = next(stanza for stanza in reply.stanzas if stanza.tag == f"{{{STREAM}}}error")
    assert error.find(f"{{{STREAM_ERRORS}}}unsupported-stanza-type") is not None
    check_terminated(session.ask(2).reply(), "item-not-found")


def test_M05_the_stream_error_is_the_last_thing_said(server: Server) -> None:
    session = login(server)
    reply = session.ask(1, PING, "<nonsense xmlns='urn:x'/>", PING).reply()
    check_stream_error(reply, "unsupported-stanza-type")
    assert reply.stanzas[-1].tag == f"{{{STREAM}}}error"


def test_M06_all_open_requests_can_be_repeated(server: Server) -> None:
    session = login(server)
    first = session.ask(1)
    assert first.held()
    second = session.ask(2, QUIET)
    first.reply()
    assert second.held()
    repeated = [session.ask(1), session.ask(2, QUIET)]
    assert repeated[0].reply().root.get("type") is None
    assert repeated[1].held()
    second.reply()
    check_session_lives(session, 3)


def test_M07_a_wrong_rid_and_a_wrong_sid_look_alike(server: Server) -> None:
    session = login(server)
    wrong_rid = session.ask(55).reply()
    stranger = Session(server)
    stranger.sid = "".join(reversed(session.sid or ""))
    wrong_sid = stranger.ask(1).reply()
    check_terminated(wrong_rid, "item-not-found")
    assert wrong_rid.body == wrong_sid.body
    assert wrong_rid.status_line == wrong_sid.status_line


def test_M04_a_message_to_nobody_is_bounced_and_the_session_goes_on(server: Server) -> None:
    session = login(server)
    reply = session.next(message("nobody@localhost", "x", id="m1"))
    assert [m.get("type") for m in reply.stanzas if m.get("id") == "m1"] == ["error"]
    check_session_lives(session)

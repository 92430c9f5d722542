"""Attacks at the HTTP border of BOSH."""

from __future__ import annotations

import gzip
import re
import secrets
import time

import pytest

from tests.conformance.dialogue import Session, check_session_lives, check_terminated, login
from tests.conformance.people import People
from tests.conformance.targets import Server
from tests.conformance.wire import HTTPBIND, NoAnswer, Reply, Wire, http_request


def outcome(wire: Wire) -> Reply | None:
    """The answer; None when the connection was closed without one."""
    try:
        return wire.reply()
    except NoAnswer as why:
        if "closed" not in str(why) and "broken" not in str(why):
            raise
        return None


def status(wire: Wire) -> int | None:
    """The status of the answer, if any."""
    reply = outcome(wire)
    return None if reply is None else reply.status


@pytest.mark.parametrize("length", ["1000000000000", "99999999999999999999999999", str(2**63)])
def test_SEC07_a_huge_body_is_refused_before_it_comes(server: Server, length: str) -> None:
    wire = Session(server).connect()
    wire.write(http_request("POST", server.path, b"<body", [("Content-Length", length)]))
    assert (status(wire) or 400) >= 300
    check_session_lives(login(server))


def test_SEC07_an_endless_chunked_body_is_refused_early(server: Server) -> None:
    wire = Session(server).connect()
    wire.write(http_request("POST", server.path, b"", [("Content-Length", ""), ("Transfer-Encoding", "chunked")]))
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    sent = 0
    while sent < 20_000_000 and wire.silent(0):
        wire.write(chunk)
        sent += len(chunk)
    assert not wire.silent(2), "twenty megabytes were taken"
    assert status(wire) in (200, 400, 413, None)
    check_session_lives(login(server))


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip"])
def test_SEC07_a_bomb_is_refused_in_time(server: Server, coding: str) -> None:
    body = gzip.compress(b"<body xmlns='" + HTTPBIND.encode() + b"'>" + b" " * 100_000_000)
    if "," in coding:
        body = gzip.compress(body)
    wire = Session(server).connect()
    began = time.monotonic()
    wire.post(body, server.path, [("Content-Encoding", coding)])
    assert status(wire) in (200, 400, 413, 415, None)
    assert time.monotonic() - began < 3
    check_session_lives(login(server))


def test_SEC13_session_ids_are_long_and_have_nothing_in_common(server: Server) -> None:
    sids = [Session(server).create().sid for _ in range(40)]
    assert len(set(sids)) == 40
    assert min(map(len, sids)) >= 20  # 128 bits take 22 characters of base 64, 32 of hexadecimal
    varied = [at for at in range(20) if len({sid[at] for sid in sids}) >= 5]
    assert len(varied) >= 15, f"only the characters {varied} change"


def test_SEC13_a_guess_is_answered_alike_whatever_it_is(server: Server) -> None:
    real = login(server)
    guesses = [secrets.token_urlsafe(24), "x", real.sid[:-1] + "!" if real.sid else "", "0" * 1000, "../../etc"]
    seen = set()
    for sid in guesses * 20:
        guess = Session(server)
        guess.sid = sid
        reply = guess.post(guess.B(1))
        check_terminated(reply, "item-not-found")
        seen.add(re.sub(rb"sid=['\"][^'\"]*['\"]", b"", reply.body))
    assert len(seen) == 1
    check_session_lives(real)


INJECTIONS = [
    "en' x='1",
    "en\r\nX-Evil: 1",
    "a&quot;&gt;&lt;evil/&gt;",
    "&#13;&#10;X-Evil: 1",
    "&lt;evil xmlns=&apos;&apos;/&gt;",
]


def check_clean(reply: Reply | None) -> None:
    """No answer, or one without anything that was put in."""
    if reply is None:
        return
    assert reply.header("X-Evil") is None
    assert b"<evil" not in reply.body
    if reply.status == 200:
        assert all(element.tag.rpartition("}")[2] != "evil" for element in reply.root.iter())


@pytest.mark.parametrize("attribute", ["xml_lang", "route", "from_", "content", "ver", "sid"])
@pytest.mark.parametrize("text", INJECTIONS, ids=range(len(INJECTIONS)))
def test_SEC19_nothing_from_a_creation_becomes_a_header_or_markup(server: Server, attribute: str, text: str) -> None:
    session = Session(server)
    wire = session.connect()
    wire.post(session.C(**{attribute: text}), server.path)
    check_clean(outcome(wire))


@pytest.mark.parametrize("header", ["Origin", "Content-Type", "Accept-Encoding", "Connection"])
def test_SEC19_nothing_from_a_header_becomes_another(server: Server, header: str) -> None:
    session = Session(server)
    wire = session.connect()
    wire.post(session.C(), server.path, [(header, "https://desk.example\rX-Evil: 1")])
    check_clean(outcome(wire))


@pytest.mark.parametrize("query", ["?_BOSH_(", "?%3Cbody%20rid='1'/%3E", "?callback=evil", "?sid=x&rid=1"])
def test_SEC21_get_reaches_no_session(server: Server, query: str) -> None:
    wire = Session(server).connect()
    wire.write(http_request("GET", server.path + query))
    reply = wire.reply()
    for forbidden in (b"sid=", b"_BOSH_", b"evil", b"mechanisms"):
        assert forbidden not in reply.body
    assert "javascript" not in (reply.header("Content-Type") or "")


def test_SEC32_a_server_that_stood_still_ends_no_healthy_session(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    server.stall(8)
    held.reply()
    session.base += 1
    check_session_lives(session)


def test_SEC32_pauses_that_are_never_ended_are_freed(server: Server) -> None:
    people = People(server)
    other = people.join("1003", "other")
    sessions = [login(server, "1003", f"paused{number}") for number in range(15)]
    for session in sessions:
        session.next("<presence xmlns='jabber:client'/>")
        session.ask(1, pause=6).reply()
        session.base += 1
    other.take()
    server.pass_time(4)
    assert other.presences() == []
    server.pass_time(5)
    gone = [stanza.attrs["from"] for stanza in other.presences() if stanza.attrs.get("type") == "unavailable"]
    assert sorted(gone) == sorted(session.jid for session in sessions)
    check_terminated(sessions[0].ask(1).reply(), "item-not-found")
    people.go()

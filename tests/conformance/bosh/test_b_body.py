"""Section B: what counts as a body, and what a client may write into one."""

from __future__ import annotations

import pytest

from tests.conformance.bosh import bad_input
from tests.conformance.bosh.bad_input import Maker
from tests.conformance.dialogue import (
    BODY,
    CLIENT,
    PING,
    QUIET,
    STREAM_ERRORS,
    Contact,
    Session,
    check_session_lives,
    check_stream_error,
    check_terminated,
    login,
    message,
    texts,
)
from tests.conformance.targets import Server
from tests.conformance.wire import HTTPBIND, Reply


def cases(table: dict[str, Maker]) -> pytest.MarkDecorator:
    """One test case a row."""
    return pytest.mark.parametrize("make", table.values(), ids=table.keys())


def check_refused(reply: Reply) -> None:
    """T(bad-request), or a stream error that says what is wrong with the XML; or T(policy-violation) for size."""
    check_terminated(reply, "bad-request", "remote-stream-error", "policy-violation")
    if reply.root.get("condition") == "remote-stream-error":
        names = {child.tag for error in reply.stanzas for child in error}
        known = ("restricted-xml", "not-well-formed", "bad-format", "unsupported-encoding", "policy-violation")
        assert names & {f"{{{STREAM_ERRORS}}}{name}" for name in known}, reply.body


def creation_of(make: Maker, session: Session) -> bytes:
    """The same fault in a creation request: the sid of the table's request becomes creation attributes."""
    body = make(session, 0)
    for codec in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le"):
        creation = "to='localhost' ver='1.11' wait='4' hold='1'"
        body = body.replace("sid='none'".encode(codec), creation.encode(codec))
    return body


@cases(bad_input.ROOTS)
def test_B01_another_root_is_refused(server: Server, make: Maker) -> None:
    session = Session(server)
    session.sid = "none"
    check_terminated(session.post(creation_of(make, session)), "bad-request")


@cases(bad_input.BROKEN)
def test_B02_a_broken_creation_is_bad_request_and_no_html(server: Server, make: Maker) -> None:
    session = Session(server)
    session.sid = "none"
    check_terminated(session.post(creation_of(make, session)), "bad-request")


@cases(bad_input.BROKEN)
def test_B02_a_broken_body_in_a_session_is_refused(server: Server, make: Maker) -> None:
    session = login(server)
    check_refused(session.post(make(session, 1)))


@cases(bad_input.RESTRICTED_PROLOG | bad_input.RESTRICTED_PAYLOAD)
def test_B03_SEC03_restricted_xml_is_refused(server: Server, make: Maker) -> None:
    session = login(server)
    check_refused(session.post(make(session, 1)))


@cases(bad_input.RESTRICTED_PROLOG)
def test_B03_SEC03_restricted_xml_makes_no_session(server: Server, make: Maker) -> None:
    session = Session(server)
    session.sid = "none"
    check_refused(session.post(creation_of(make, session)))


def test_B04_text_directly_in_body_is_refused(server: Server) -> None:
    session = login(server)
    check_terminated(session.ask(1, "hello").reply(), "bad-request")


def test_B04_white_space_in_body_is_fine(server: Server) -> None:
    session = login(server)
    reply = session.ask(1, "\n  ", PING, "\r\n\t").reply()
    assert [stanza.get("id") for stanza in reply.stanzas] == ["ping1"]


def test_B05_stanzas_of_one_body_are_processed_in_order(server: Server, contact: Contact) -> None:
    session = login(server)
    session.ask(1, *(message(contact.jid, f"m{n}") for n in range(3)), PING)
    seen = [contact.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") for _ in range(3)]
    assert seen == ["m0", "m1", "m2"]


def test_B06_a_stanza_without_namespace_is_taken_as_jabber_client(server: Server, contact: Contact) -> None:
    session = login(server)
    session.ask(1, f"<message to='{contact.jid}' type='chat'><body>hi</body></message>")
    assert contact.hear(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") == "hi"


def test_B07_stanzas_and_features_carry_literal_namespaces(server: Server, contact: Contact) -> None:
    session = Session(server)
    created = session.create().body
    assert created.startswith(b"<body ")
    assert b"<stream:features" in created
    start = created[: created.index(b">")].replace(b'"', b"'")
    assert b"xmlns:stream='http://etherx.jabber.org/streams'" in start
    assert b" xmlns='http://jabber.org/protocol/httpbind'" in start
    session.sign_in()
    contact.say(message(session.jid, "hi"))
    pushed = session.next().body.replace(b'"', b"'")
    stanza = pushed[pushed.index(b"<message") :]
    assert b" xmlns='jabber:client'" in stanza[: stanza.index(b">")]
    answered = session.next(PING).body.replace(b'"', b"'")
    stanza = answered[answered.index(b"<iq") :]
    assert b" xmlns='jabber:client'" in stanza[: stanza.index(b">")]


def test_B08_a_prefixed_body_is_accepted(server: Server) -> None:
    session = Session(server)
    prefixed = session.C().replace(b"<body ", b"<b:body ", 1).replace(b"xmlns='", b"xmlns:b='", 1)
    session.sid = session.post(prefixed).sid
    session.sign_in()
    body = f"<b:body xmlns:b='{HTTPBIND}' rid='{session.base + 1}' sid='{session.sid}'>{PING}</b:body>"
    assert [stanza.get("id") for stanza in session.post(body.encode()).stanzas] == ["ping1"]


def test_B09_a_byte_order_mark_is_tolerated(server: Server) -> None:
    session = Session(server)
    assert session.post(b"\xef\xbb\xbf" + session.C()).sid


@cases(bad_input.ENCODINGS)
def test_B09_other_encodings_are_refused(server: Server, make: Maker) -> None:
    session = Session(server)
    session.sid = "none"
    check_terminated(session.post(creation_of(make, session)), "bad-request")


@pytest.mark.parametrize("declaration", ["<?xml version='1.0'?>", '<?xml version="1.0" encoding="UTF-8"?>\n'])
def test_B10_an_xml_declaration_is_allowed(server: Server, declaration: str) -> None:
    session = Session(server)
    assert session.post(declaration.encode() + session.C()).sid


@cases(bad_input.VERSIONS)
def test_B10_xml_1_1_is_refused(server: Server, make: Maker) -> None:
    session = Session(server)
    session.sid = "none"
    check_terminated(session.post(creation_of(make, session)), "bad-request")


def test_B11_unknown_attributes_and_types_are_ignored(server: Server) -> None:
    session = login(server, nonsense="1", window="7")
    odd = session.ask(1, type="terminal", foo="bar")
    assert odd.held()
    session.ask(2, QUIET)
    reply = odd.reply()
    assert reply.root.get("type") is None
    assert reply.root.tag == BODY


@cases(bad_input.CHARACTERS)
def test_B12_SEC02_forbidden_characters_are_refused_and_nothing_is_delivered(
    server: Server, contact: Contact, make: Maker
) -> None:
    session = login(server)
    session.jid = contact.jid
    check_refused(session.post(make(session, 1)))
    assert contact.overheard(server) == []


@pytest.mark.parametrize("variant", ["wrong sid", "wrong rid"])
def test_B13_a_broken_body_that_does_not_fit_touches_no_session(server: Server, variant: str) -> None:
    session = login(server)
    stranger = Session(server)
    stranger.sid = "nobody" if variant == "wrong sid" else session.sid
    stranger.base = session.base + (0 if variant == "wrong sid" else 500)
    check_terminated(stranger.post(bad_input.CHARACTERS["reference 1"](stranger, 1)), "bad-request")
    check_session_lives(session)


def test_B13_a_broken_body_with_sid_and_rid_ends_its_session(server: Server) -> None:
    session = login(server)
    check_refused(session.post(bad_input.CHARACTERS["reference 1"](session, 1)))
    check_terminated(session.ask(1, PING).reply(), "item-not-found")


def test_B13_the_open_request_of_a_session_that_broke_is_answered(server: Server) -> None:
    session = login(server)
    held = session.ask(1)
    assert held.held()
    check_refused(session.post(bad_input.BROKEN["wrong nesting"](session, 2)))
    assert held.reply().root.tag == BODY


def test_B02_B12_nobody_gets_the_other_stanzas_of_a_refused_body(server: Server, contact: Contact) -> None:
    session = login(server)
    session.post(session.B(1, message(contact.jid, "first"), "<iq><query></iq></query>"))
    assert texts_of(contact, server) == []


def texts_of(contact: Contact, server: Server) -> list[str]:
    """What the contact was told."""
    return [m.findtext(f"{{{CLIENT}}}body", "") for m in contact.overheard(server) if m.tag == f"{{{CLIENT}}}message"]


def test_B05_a_message_to_oneself_comes_back_once(server: Server) -> None:
    session = login(server)
    assert texts(session.next(message(session.jid, "echo"))) == ["echo"]
    assert session.ask(1).held()


@cases(bad_input.RESTRICTED_PAYLOAD)
def test_B03_SEC03_restricted_xml_in_a_session_is_called_so(server: Server, make: Maker) -> None:
    session = login(server)
    check_stream_error(session.post(make(session, 1)), "restricted-xml")
    check_terminated(session.ask(2).reply(), "item-not-found")

"""Section N: XMPP inside the bodies (XEP-0206)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.conformance.dialogue import (
    BIND,
    CLIENT,
    PING,
    SASL,
    STREAM,
    XBOSH,
    Contact,
    Session,
    check_session_lives,
    check_stream_error,
    login,
    message,
    plain,
    texts,
)
from tests.conformance.targets import BOSH, DOMAIN, Profile, Server

TLS = "urn:ietf:params:xml:ns:xmpp-tls"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"


def features(session: Session, **attributes: str) -> list[str]:
    """The Clark names of the stream features that a restart brings."""
    reply = session.next(xmpp_restart="true", to=DOMAIN, **attributes)
    assert [stanza.tag for stanza in reply.stanzas] == [f"{{{STREAM}}}features"], reply.body
    return [feature.tag for feature in reply.stanzas[0]]


def authenticated(server: Server) -> Session:
    """SASL done, not yet restarted."""
    session = Session(server)
    session.create()
    session.until(f"{{{SASL}}}success", plain("1001"))
    return session


@pytest.mark.parametrize("truth", ["true", "1"])
def test_N02_a_restart_brings_the_features_of_the_new_stream(server: Server, truth: str) -> None:
    session = authenticated(server)
    reply = session.ask(1, xmpp_restart=truth, to=DOMAIN).reply(1.0)
    found = [feature.tag for stanza in reply.stanzas for feature in stanza]
    assert f"{{{BIND}}}bind" in found
    assert f"{{{SASL}}}mechanisms" not in found


def test_N02_the_restart_is_known_by_its_namespace_not_by_its_prefix(server: Server) -> None:
    session = authenticated(server)
    body = session.B(1, xmpp_restart="true", to=DOMAIN).replace(b"xmpp:restart", b"x:restart")
    reply = session.post(body.replace(b"xmlns:xmpp=", b"xmlns:x="))
    assert f"{{{BIND}}}bind" in [feature.tag for stanza in reply.stanzas for feature in stanza]


def test_N02_a_restart_of_a_polling_session_brings_the_features_itself(serve: Callable[[Profile], Server]) -> None:
    server = serve(replace(BOSH, inactivity=5))
    session = Session(server)
    session.create(hold=0)
    session.until(f"{{{SASL}}}success", plain("1001"))
    reply = session.ask(1, xmpp_restart="true", to=DOMAIN).reply(1.0)
    assert f"{{{BIND}}}bind" in [feature.tag for stanza in reply.stanzas for feature in stanza]


def test_N02_a_restart_before_sign_in_is_answered_at_once(server: Server) -> None:
    session = Session(server)
    session.create()
    reply = session.ask(1, xmpp_restart="true", to=DOMAIN).reply(1.0)
    if reply.root.get("type") == "terminate":
        check_stream_error(reply, "not-authorized")
    else:
        assert f"{{{SASL}}}mechanisms" in [feature.tag for stanza in reply.stanzas for feature in stanza]


def test_N03_a_restart_to_another_domain_is_refused(server: Server) -> None:
    session = authenticated(server)
    reply = session.ask(1, xmpp_restart="true", to="other.example").reply(1.0)
    assert reply.root.get("type") == "terminate", reply.body


def test_N04_neither_starttls_nor_compression_is_offered(server: Server) -> None:
    session = Session(server)
    offered = [feature.tag for stanza in session.create().stanzas for feature in stanza]
    session.until(f"{{{SASL}}}success", plain("1001"))
    offered += features(session)
    assert offered
    assert not [tag for tag in offered if "starttls" in tag or "compress" in tag]


@pytest.mark.parametrize("when", ["before sign-in", "after"])
def test_N05_a_starttls_element_does_not_hang_the_session(server: Server, when: str) -> None:
    session = Session(server)
    if when == "after":
        session.sign_in()
    else:
        session.create()
    reply = session.ask(1, f"<starttls xmlns='{TLS}'/>").reply(1.0)
    if reply.root.get("type") == "terminate":
        check_stream_error(reply, "unsupported-stanza-type", "not-authorized", "policy-violation")
    else:
        assert [stanza.tag for stanza in reply.stanzas] == [f"{{{TLS}}}failure"]


@pytest.mark.parametrize(
    ("attempt", "condition"),
    [
        (plain("1001", "wrong"), "not-authorized"),
        (plain("nobody", "x"), "not-authorized"),
        (f"<auth xmlns='{SASL}' mechanism='X-NONE'>AA==</auth>", "invalid-mechanism"),
    ],
    ids=["wrong password", "unknown user", "unknown mechanism"],
)
def test_N06_a_sasl_failure_leaves_the_session_usable(server: Server, attempt: str, condition: str) -> None:
    session = Session(server)
    session.create()
    failure = session.until(f"{{{SASL}}}failure", attempt)
    assert failure.find(f"{{{SASL}}}{condition}") is not None
    session.sign_in()
    check_session_lives(session)


def test_N06_challenge_and_response_each_travel_in_a_body(server: Server) -> None:
    session = Session(server)
    session.create()
    session.until(f"{{{SASL}}}challenge", f"<auth xmlns='{SASL}' mechanism='PLAIN'/>")
    token = plain("1001").partition(">")[2].partition("<")[0]
    session.until(f"{{{SASL}}}success", f"<response xmlns='{SASL}'>{token}</response>")


def test_N07_bind_and_the_old_session_request_are_answered(server: Server) -> None:
    session = login(server, resource="desk")
    assert session.jid == "1001@localhost/desk"
    request = f"<iq type='set' id='s1' xmlns='jabber:client'><session xmlns='{SESSION}'/></iq>"
    assert session.until(f"{{{CLIENT}}}iq", request).get("type") == "result"


def test_N07_bind_without_a_resource_gets_one(server: Server) -> None:
    session = Session(server)
    session.create()
    session.authenticate()
    request = f"<iq type='set' id='b1' xmlns='jabber:client'><bind xmlns='{BIND}'/></iq>"
    jid = session.until(f"{{{CLIENT}}}iq", request).findtext(f"{{{BIND}}}bind/{{{BIND}}}jid", "")
    assert jid.startswith("1001@localhost/")
    assert len(jid) > len("1001@localhost/")


def test_N08_a_reply_to_a_request_without_to_comes_from_the_own_account(server: Server) -> None:
    session = login(server)
    reply = session.until(f"{{{CLIENT}}}iq", PING)
    assert reply.get("from") in (session.bare, session.jid)


def test_N09_a_request_to_a_session_that_dies_is_bounced(server: Server, contact: Contact) -> None:
    session = login(server)
    contact.say(f"<iq type='get' id='q1' to='{session.jid}'><query xmlns='urn:x'/></iq>")
    server.pass_time(3)
    error = contact.hear(f"{{{CLIENT}}}iq", type_="error")
    assert error.get("id") == "q1"
    assert "service-unavailable" in "".join(child.tag for child in error.iter())


def test_N09_N10_undelivered_messages_come_when_the_account_is_back(server: Server, contact: Contact) -> None:
    session = login(server, "1005")
    session.next("<presence/>")
    contact.say(message(session.jid, "one") + message(session.jid, "two"))
    contact.say(f"<presence to='{session.jid}'/>")
    server.pass_time(3)
    back = login(server, "1005", "later")
    seen: list[str] = []
    kinds: list[str] = []
    reply = back.next("<presence/>")
    for _ in range(4):
        seen += [m.findtext(f"{{{CLIENT}}}body", "") for m in reply.stanzas if m.tag == f"{{{CLIENT}}}message"]
        kinds += [f"{p.tag} {p.get('from')}" for p in reply.stanzas if p.tag == f"{{{CLIENT}}}presence"]
        if len(seen) >= 2:
            break
        reply = back.next()
    assert seen == ["one", "two"]
    assert not [kind for kind in kinds if contact.jid in kind]


@pytest.mark.parametrize("version", ["1.0", "1.9"])
def test_N11_the_xmpp_version_is_answered_1_0(server: Server, version: str) -> None:
    assert Session(server).create(xmpp_version=version).root.get(f"{{{XBOSH}}}version") == "1.0"


def test_N12_somebody_elses_address_is_refused_or_restamped(server: Server, contact: Contact) -> None:
    session = login(server)
    pending = session.ask(1, message(contact.jid, "who am I", from_="1003@localhost/x"))
    heard = [m.get("from") for m in contact.overheard(server) if m.tag == f"{{{CLIENT}}}message"]
    if heard:
        assert heard == [session.jid]
    else:
        check_stream_error(pending.reply(), "invalid-from")


@pytest.mark.parametrize("mine", ["full", "bare"])
def test_N12_the_own_address_is_accepted(server: Server, contact: Contact, mine: str) -> None:
    session = login(server)
    session.ask(1, message(contact.jid, "me", from_=session.jid if mine == "full" else session.bare))
    assert contact.hear(f"{{{CLIENT}}}message").get("from") == session.jid


@pytest.mark.parametrize("stage", ["before sign-in", "before bind"])
def test_N13_stanzas_before_bind_are_refused(server: Server, contact: Contact, stage: str) -> None:
    session = Session(server)
    session.create()
    if stage == "before bind":
        session.authenticate()
    reply = session.ask(1, message(contact.jid, "too early")).reply(1.0)
    assert contact.overheard(server) == []
    check_stream_error(reply, "not-authorized")


@pytest.mark.parametrize(
    "element",
    [
        "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'/>",
        "<message xmlns='urn:x'/>",
        "<foo xmlns='jabber:client'/>",
    ],
    ids=["stream", "other namespace", "other name"],
)
def test_N14_elements_that_are_no_stanza_are_refused(server: Server, element: str) -> None:
    session = login(server)
    check_stream_error(session.ask(1, element).reply(1.0), "unsupported-stanza-type")


def test_N02_the_older_namespace_of_the_restart_is_understood(server: Server) -> None:
    session = authenticated(server)  # Finesse's own clients write it
    body = session.B(1, xmpp_restart="true", to=DOMAIN).replace(b"urn:xmpp:xbosh", b"urn:xmpp:bosh")
    assert f"{{{BIND}}}bind" in [feature.tag for stanza in session.post(body).stanzas for feature in stanza]


@pytest.mark.parametrize("untruth", ["false", "0", ""])
def test_N02_a_restart_that_is_not_wished_is_none(server: Server, untruth: str) -> None:
    session = login(server)
    held = session.ask(1, xmpp_restart=untruth)
    assert held.held()
    check_session_lives(session, 2)


def test_N02_stanzas_beside_a_restart_are_ignored(server: Server, contact: Contact) -> None:
    session = authenticated(server)
    reply = session.ask(1, message(contact.jid, "too early"), xmpp_restart="true", to=DOMAIN).reply(1.0)
    assert [stanza.tag for stanza in reply.stanzas] == [f"{{{STREAM}}}features"]
    assert contact.overheard(server) == []


def test_N10_what_a_vanished_client_was_last_answered_is_kept_too(server: Server, contact: Contact) -> None:
    session = login(server, "1006")
    session.next("<presence/>")
    contact.say(message(session.jid, "read by nobody"))
    assert texts(session.next()) == ["read by nobody"]  # nobody knows whether this arrived
    server.pass_time(3)
    back = login(server, "1006", "later")
    reply = back.next("<presence/>")
    for _ in range(3):
        if "read by nobody" in texts(reply):
            break
        reply = back.next()
    assert texts(reply) == ["read by nobody"]

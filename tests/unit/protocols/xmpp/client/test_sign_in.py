"""A client's sign-in, step by step, against what servers say."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.client.outputs import Account, Failure, Terms
from poise.protocols.xmpp.client.sign_in import Done, GiveUp, GoSecure, Restart, Say, SignIn, Step
from poise.protocols.xmpp.client.states import RULES, Input, Rule, State
from poise.protocols.xmpp.client.stream import parse_element
from tests.unit.protocols.xmpp.client.stories import (
    ACCOUNT,
    AUTH,
    BIND,
    BIND_REQUEST,
    BOUND,
    FEATURES,
    MECHANISMS,
    NONCE,
    PLAIN,
    SECURE,
    SUCCESS,
)

STARTTLS = b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
CLEAR = Terms(secure=False, can_secure=True)


def hear(client: SignIn, data: bytes) -> list[Step]:
    return client.receive(parse_element(data))


def ready() -> SignIn:
    client = SignIn(ACCOUNT, SECURE, NONCE)
    for data in (PLAIN, SUCCESS, BIND, BOUND):
        hear(client, data)
    assert client.state is State.READY
    return client


def test_every_state_has_a_rule_for_every_input() -> None:
    assert set(RULES) == set(State)
    assert all(set(rules) == set(Input) for rules in RULES.values())
    unheard = {state for state, rules in RULES.items() if rules[Input.STREAM_ERROR] is not Rule.ERROR}
    assert unheard == {State.CLOSED}


def test_plain_then_bind() -> None:
    client = SignIn(ACCOUNT, SECURE, NONCE)
    assert hear(client, PLAIN) == [Say(AUTH)]
    assert hear(client, SUCCESS) == [Restart()]
    assert hear(client, BIND) == [Say(BIND_REQUEST)]
    assert hear(client, BOUND) == [Done("1001@localhost/desktop")]
    assert client.jid == "1001@localhost/desktop"


def test_without_a_resource_the_server_chooses() -> None:
    client = SignIn(Account("1001", "localhost", "secret"), SECURE, NONCE)
    hear(client, PLAIN)
    hear(client, SUCCESS)
    [asked] = hear(client, BIND)
    assert isinstance(asked, Say)
    assert b"resource" not in asked.data


def test_a_server_before_rfc_6121_wants_a_session_and_gets_one() -> None:
    client = SignIn(ACCOUNT, SECURE, NONCE)
    hear(client, PLAIN)
    hear(client, SUCCESS)
    session = b"<session xmlns='urn:ietf:params:xml:ns:xmpp-session'/>"
    hear(client, FEATURES % (b"<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" + session))
    [asked] = hear(client, BOUND)
    assert isinstance(asked, Say)
    assert b'<session xmlns="urn:ietf:params:xml:ns:xmpp-session"/>' in asked.data
    assert hear(client, b"<iq type='result' id='session'/>") == [Done("1001@localhost/desktop")]


def test_tls_is_taken_where_it_is_offered_and_nothing_said_before_it_counts() -> None:
    client = SignIn(ACCOUNT, CLEAR, NONCE)
    offered = FEATURES % (STARTTLS + MECHANISMS % b"<mechanism>PLAIN</mechanism>")
    assert hear(client, offered) == [Say(b'<starttls xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')]
    assert hear(client, SUCCESS) == []
    assert hear(client, b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>") == [GoSecure()]
    client.secured()
    assert hear(client, PLAIN) == [Say(AUTH)]


def test_a_server_that_refuses_the_tls_it_offered_is_left() -> None:
    client = SignIn(ACCOUNT, CLEAR, NONCE)
    hear(client, FEATURES % STARTTLS)
    [end] = hear(client, b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    assert isinstance(end, GiveUp)
    assert end.failure is Failure.TLS_REFUSED


def test_the_password_does_not_cross_the_network_in_the_clear_unless_that_is_allowed() -> None:
    [end] = hear(SignIn(ACCOUNT, CLEAR, NONCE), PLAIN)
    assert isinstance(end, GiveUp)
    assert end.failure is Failure.NOT_SECURE
    assert hear(SignIn(ACCOUNT, Terms(secure=False, plain_in_clear=True), NONCE), PLAIN) == [Say(AUTH)]


def test_a_server_without_a_way_to_sign_in_is_told_with_what_it_offers() -> None:
    [end] = hear(SignIn(ACCOUNT, SECURE, NONCE), FEATURES % (MECHANISMS % b"<mechanism>DIGEST-MD5</mechanism>"))
    assert end == GiveUp(Failure.NO_MECHANISM, "the server offers DIGEST-MD5")
    [end] = hear(SignIn(ACCOUNT, SECURE, NONCE), FEATURES % b"")
    assert end == GiveUp(Failure.NO_MECHANISM, "the server offers nothing")


@pytest.mark.parametrize(
    ("condition", "failure"),
    [
        (b"<not-authorized/>", Failure.PASSWORD),
        (b"<temporary-auth-failure/>", Failure.SIGN_IN),
        (b"<account-disabled/><text>Ask somebody</text>", Failure.SIGN_IN),
        (b"", Failure.PASSWORD),
    ],
)
def test_a_refused_sign_in_says_why(condition: bytes, failure: Failure) -> None:
    client = SignIn(ACCOUNT, SECURE, NONCE)
    hear(client, PLAIN)
    [end] = hear(client, b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>%b</failure>" % condition)
    assert isinstance(end, GiveUp)
    assert end.failure is failure
    assert hear(client, SUCCESS) == []


def test_a_refused_resource_says_why() -> None:
    client = SignIn(ACCOUNT, SECURE, NONCE)
    for data in (PLAIN, SUCCESS, BIND):
        hear(client, data)
    error = (
        b"<iq type='error' id='bind'><error type='wait'>"
        b"<resource-constraint xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></iq>"
    )
    assert hear(client, error) == [GiveUp(Failure.BIND, "resource-constraint")]


def test_a_stream_error_is_told_with_its_text() -> None:
    error = (
        b"<stream:error xmlns:stream='http://etherx.jabber.org/streams'>"
        b"<conflict xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>"
        b"<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Replaced</text></stream:error>"
    )
    assert hear(ready(), error) == [GiveUp(Failure.STREAM_ERROR, "conflict: Replaced")]


def test_a_ping_of_the_server_is_answered_and_other_requests_are_refused() -> None:
    client = ready()
    [pong] = hear(
        client, b"<iq type='get' id='p' from='localhost' to='1001@localhost/desktop'><ping xmlns='urn:xmpp:ping'/></iq>"
    )
    assert isinstance(pong, Say)
    answer = parse_element(pong.data)
    assert (answer.attrs["type"], answer.attrs["id"], answer.attrs["to"]) == ("result", "p", "localhost")
    [no] = hear(client, b"<iq type='get' id='q' from='localhost'><query xmlns='jabber:iq:version'/></iq>")
    assert isinstance(no, Say)
    assert b"service-unavailable" in no.data
    assert hear(client, b"<iq type='result' id='z'/>") == []
    assert hear(client, b"<message><body>hello</body></message>") == []


def test_what_does_not_belong_to_a_state_is_passed_over() -> None:
    client = SignIn(ACCOUNT, SECURE, NONCE)
    assert hear(client, SUCCESS) == []
    assert hear(client, BOUND) == []
    assert hear(client, b"<whatever xmlns='urn:example'/>") == []
    assert hear(client, PLAIN) == [Say(AUTH)]

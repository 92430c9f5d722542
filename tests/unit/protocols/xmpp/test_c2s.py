"""One client's way from features to stanzas, and every wrong turn on it."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import pytest

from poise.protocols.xmpp.c2s import (
    BIND_NS,
    C2S,
    CLIENT_NS,
    SESSION_NS,
    TLS_NS,
    Bind,
    C2SPolicy,
    CheckPassword,
    Output,
    Send,
    Stanza,
    StreamError,
)
from poise.protocols.xmpp.c2s_states import RULES, TRANSITIONS, Happening, Input, Rule, State
from poise.protocols.xmpp.errors import STREAM_CONDITIONS
from poise.protocols.xmpp.sasl import SASL_NS
from poise.protocols.xmpp.xml import Element, parse
from poise.registry import ENDINGS

NOW = 1000.0
SECURE = C2SPolicy(secure=True)


def auth(payload: bytes | str = b"\0001001\0pw", mechanism: str = "PLAIN") -> Element:
    text = payload if isinstance(payload, str) else base64.b64encode(payload).decode()
    return Element("auth", SASL_NS, {"mechanism": mechanism}, (text,) if text else ())


def iq(child: Element, **attrs: str) -> Element:
    return Element("iq", CLIENT_NS, {"type": "set", "id": "1", **attrs}, (child,))


def bind(resource: str | None = "desk", **attrs: str) -> Element:
    wanted = () if resource is None else (Element("resource", BIND_NS, None, (resource,) if resource else ()),)
    return iq(Element("bind", BIND_NS, None, wanted), **attrs)


MESSAGE = Element("message", CLIENT_NS, {"to": "a@b"}, (Element("body", CLIENT_NS, None, ("hi",)),))
SESSION = iq(Element("session", SESSION_NS))
PING = Element("iq", CLIENT_NS, {"type": "get", "id": "p"}, (Element("ping", "urn:xmpp:ping"),))


def opened(policy: C2SPolicy = SECURE, lang: str = "") -> C2S:
    return C2S("localhost", policy, lang)


def authenticated(lang: str = "") -> C2S:
    client = opened(lang=lang)
    client.receive(auth(), NOW)
    client.password_checked(True)
    return client


def unbound(lang: str = "") -> C2S:
    client = authenticated(lang)
    client.restart("localhost")
    return client


def bound(lang: str = "") -> C2S:
    client = unbound(lang)
    client.receive(bind(), NOW)
    client.bound("1001@localhost/desk")
    return client


def failure(outputs: Sequence[Output]) -> str:
    """Condition of the one SASL failure sent."""
    [output] = outputs
    assert isinstance(output, Send)
    element = parse(output.data)
    assert (element.name, element.ns) == ("failure", SASL_NS)
    return next(element.elements()).name


def stream_condition(outputs: Sequence[Output]) -> str:
    """Condition of the stream error that ends the outputs."""
    error = outputs[-1]
    assert isinstance(error, StreamError)
    assert error.ending_code in ENDINGS
    assert error.condition in STREAM_CONDITIONS
    return error.condition


def sent(outputs: Sequence[Output]) -> Element:
    [output] = outputs
    assert isinstance(output, Send)
    return parse(output.data)


# -- the whole way -----------------------------------------------------------------------------------------------------


def test_a_client_signs_in_restarts_binds_and_sends() -> None:
    client = opened()
    assert client.features() == (
        b'<stream:features><mechanisms xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>PLAIN</mechanism>'
        b"</mechanisms></stream:features>"
    )
    assert client.receive(auth(), NOW) == [CheckPassword("1001", "pw")]
    assert client.state is State.CHECKING
    assert client.password_checked(True) == [Send(b'<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')]
    assert (client.state, client.user, client.jid) == (State.AUTHENTICATED, "1001", None)
    features = (
        b'<stream:features><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>'
        b'<session xmlns="urn:ietf:params:xml:ns:xmpp-session"><optional/></session></stream:features>'
    )
    assert client.restart("localhost") == [Send(features)]
    assert client.receive(bind("cisco", id="b1"), NOW) == [Bind("b1", "cisco")]
    assert client.bound("1001@localhost/cisco") == [
        Send(
            b'<iq xmlns="jabber:client" type="result" id="b1"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">'
            b"<jid>1001@localhost/cisco</jid></bind></iq>"
        )
    ]
    assert client.jid is not None
    assert client.jid.full == "1001@localhost/cisco"
    [stanza] = client.receive(MESSAGE, NOW)
    assert stanza == Stanza(
        Element("message", CLIENT_NS, {"to": "a@b", "from": "1001@localhost/cisco"}, MESSAGE.children)
    )


def test_everything_sent_ahead_waits_for_the_password_and_the_bind() -> None:
    client = opened()
    client.receive(auth(), NOW)
    assert client.restart(None) == []
    assert client.receive(bind(), NOW) == []
    assert client.receive(MESSAGE, NOW) == []
    answers = client.password_checked(True)
    assert [type(answer) for answer in answers] == [Send, Send, Bind]
    assert client.state is State.BINDING
    assert [type(answer) for answer in client.bound("1001@localhost/desk")] == [Send, Stanza]


def test_what_was_sent_ahead_of_a_wrong_password_is_refused() -> None:
    client = opened()
    client.receive(auth(), NOW)
    client.receive(MESSAGE, NOW)
    client.receive(MESSAGE, NOW)
    answers = client.password_checked(False)
    assert failure(answers[:1]) == "not-authorized"
    assert stream_condition(answers) == "not-authorized"
    assert len(answers) == 2


def test_only_so_much_may_be_sent_ahead_and_a_late_answer_does_no_harm() -> None:
    client = opened(C2SPolicy(secure=True, waiting=3))
    client.receive(auth(), NOW)
    assert [client.receive(MESSAGE, NOW) for _ in range(3)] == [[], [], []]
    assert stream_condition(client.receive(MESSAGE, NOW)) == "policy-violation"
    assert client.password_checked(True) == []
    assert client.receive(MESSAGE, NOW) == []
    assert client.restart("localhost") == []
    assert client.bound("1001@localhost/x") == []
    assert client.bind_refused("conflict") == []


# -- sign-in -----------------------------------------------------------------------------------------------------------


def test_a_failed_sign_in_may_be_repeated_on_the_same_stream_but_not_for_ever() -> None:
    client = opened()
    for _ in range(4):
        client.receive(auth(b"\0001001\0wrong"), NOW)
        assert failure(client.password_checked(False)) == "not-authorized"
        assert client.state is State.OPEN
    client.receive(auth(b"\0001001\0wrong"), NOW)
    answers = client.password_checked(False)
    assert failure(answers[:1]) == "not-authorized"
    assert stream_condition(answers) == "policy-violation"
    assert client.state is State.CLOSED


def test_the_right_password_after_a_wrong_one_is_welcome() -> None:
    client = opened()
    client.receive(auth(b"\0001001\0wrong"), NOW)
    client.password_checked(False)
    client.receive(auth(), NOW)
    client.password_checked(True)
    assert client.state is State.AUTHENTICATED


@pytest.mark.parametrize(
    ("element", "condition"),
    [
        (auth(mechanism="DIGEST-MD5"), "invalid-mechanism"),
        (auth(mechanism=""), "invalid-mechanism"),
        (auth(mechanism="plain"), "invalid-mechanism"),
        (Element("auth", SASL_NS, None, ("AGEAYg==",)), "invalid-mechanism"),
        (auth("no base64!"), "incorrect-encoding"),
        (auth("AGEAYh=="), "incorrect-encoding"),
        (auth("="), "malformed-request"),
        (auth(b"\0a\0b\0c"), "malformed-request"),
        (auth(b"\0a b\0pw"), "not-authorized"),
        (auth(b"x@elsewhere\0001001\0pw"), "invalid-authzid"),
        (Element("response", SASL_NS, None, ("AGEAYg==",)), "malformed-request"),
        (Element("abort", SASL_NS), "aborted"),
    ],
)
def test_each_bad_sign_in_has_its_condition_and_the_stream_stays(element: Element, condition: str) -> None:
    client = opened()
    assert failure(client.receive(element, NOW)) == condition
    assert client.state is State.OPEN
    assert client.receive(auth(), NOW) == [CheckPassword("1001", "pw")]


@pytest.mark.parametrize("authzid", ["", "1001", "1001@localhost"])
def test_acting_as_oneself_is_allowed_in_every_form(authzid: str) -> None:
    client = opened()
    client.receive(auth(f"{authzid}\0001001\0pw".encode()), NOW)
    client.password_checked(True)
    assert client.state is State.AUTHENTICATED


def test_acting_as_somebody_else_is_an_invalid_authzid_even_with_the_right_password() -> None:
    client = opened()
    assert client.receive(auth(b"1002@localhost\0001001\0pw"), NOW) == [CheckPassword("1001", "pw")]
    assert failure(client.password_checked(True)) == "invalid-authzid"
    assert client.user == ""


def test_a_login_name_becomes_the_agents_id() -> None:
    client = opened()
    client.receive(auth(b"1001@localhost\0agent1\0pw"), NOW)
    client.password_checked(True, user="1001")
    assert client.user == "1001"


def test_a_locked_account_is_a_temporary_failure() -> None:
    client = opened()
    client.receive(auth(), NOW)
    assert failure(client.password_checked(False, temporary=True)) == "temporary-auth-failure"


def test_without_an_initial_response_the_client_is_asked_for_it() -> None:
    client = opened()
    assert client.receive(auth(""), NOW) == [Send(b'<challenge xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>')]
    response = Element("response", SASL_NS, None, (base64.b64encode(b"\0001001\0pw").decode(),))
    assert client.receive(response, NOW) == [CheckPassword("1001", "pw")]


def test_a_challenge_may_be_given_up_or_answered_out_of_turn() -> None:
    client = opened()
    client.receive(auth(""), NOW)
    assert failure(client.receive(Element("abort", SASL_NS), NOW)) == "aborted"
    client.receive(auth(""), NOW)
    assert failure(client.receive(auth(), NOW)) == "malformed-request"
    assert client.state is State.OPEN


def test_plain_needs_encryption_or_the_insecure_switch() -> None:
    strict = opened(C2SPolicy(secure=False))
    assert strict.features() == b"<stream:features/>"
    assert failure(strict.receive(auth(), NOW)) == "encryption-required"
    lenient = opened(C2SPolicy(secure=False, plain_in_clear=True))
    assert b"PLAIN" in lenient.features()
    assert lenient.receive(auth(), NOW) == [CheckPassword("1001", "pw")]


def test_no_password_is_shown_or_kept() -> None:
    client = opened()
    [check] = client.receive(auth(b"\0001001\0hunter2"), NOW)
    assert "hunter2" not in repr(check)
    for name in C2S.__slots__:
        assert "hunter2" not in repr(getattr(client, name))
        assert getattr(getattr(client, name), "password", "") == ""


# -- before and after bind ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("element", [MESSAGE, Element("presence", CLIENT_NS), PING, SESSION, bind()])
def test_stanzas_before_sign_in_and_before_the_restart_end_the_stream(element: Element) -> None:
    for client in (opened(), authenticated()):
        outputs = client.receive(element, NOW)
        assert outputs == [StreamError("not-authorized", "not-authorized")]
        assert client.state is State.CLOSED


@pytest.mark.parametrize("element", [MESSAGE, Element("presence", CLIENT_NS), PING, SESSION])
def test_stanzas_between_restart_and_bind_end_the_stream(element: Element) -> None:
    assert stream_condition(unbound().receive(element, NOW)) == "not-authorized"


@pytest.mark.parametrize(
    "element",
    [
        Element("foo", CLIENT_NS),
        Element("message", "jabber:server"),
        Element("stream", "http://etherx.jabber.org/streams"),
        Element("message", ""),
        Element("enable", "urn:xmpp:sm:3"),
        Element("success", SASL_NS),
    ],
)
def test_what_is_neither_stanza_nor_negotiation_ends_the_stream(element: Element) -> None:
    for client in (opened(), authenticated(), unbound(), bound()):
        assert stream_condition(client.receive(element, NOW)) == "unsupported-stanza-type"


def test_starttls_where_it_is_not_offered_fails_at_once() -> None:
    for client in (opened(), unbound(), bound()):
        outputs = client.receive(Element("starttls", TLS_NS), NOW)
        assert outputs[0] == Send(b'<failure xmlns="urn:ietf:params:xml:ns:xmpp-tls"/>')
        assert stream_condition(outputs) == "unsupported-stanza-type"


def test_signing_in_twice_ends_the_stream() -> None:
    for client in (authenticated(), unbound(), bound()):
        assert stream_condition(client.receive(auth(), NOW)) == "unsupported-stanza-type"


def test_a_restart_before_sign_in_offers_the_mechanisms_again() -> None:
    client = opened()
    assert client.restart("localhost") == [Send(client.features())]
    client.receive(auth(""), NOW)
    client.restart("LOCALHOST")
    assert client.state is State.OPEN


def test_a_restart_to_another_host_is_refused() -> None:
    for to in ("elsewhere", "", "1001@localhost", "localhost/x"):
        assert stream_condition(authenticated().restart(to)) == "not-authorized"


def test_a_restart_after_bind_changes_nothing() -> None:
    client = bound()
    [features] = client.restart(None)
    assert features == Send(client.features())
    assert client.state is State.BOUND


def test_names_beside_the_domain_are_answered_when_policy_says_so() -> None:
    client = C2S("finesse.test", C2SPolicy(secure=True, hosts=frozenset({"192.0.2.7"})))
    assert client.answers_to("192.0.2.7")
    assert client.answers_to("Finesse.Test.")
    assert not client.answers_to("test")
    assert not client.answers_to("@@")


@pytest.mark.parametrize(
    ("resource", "prepared"), [(None, None), ("", None), ("  \n", None), (" desk ", "desk"), ("a\u00a0b", "a b")]
)
def test_a_resource_is_cleaned_and_an_empty_one_left_to_the_server(resource: str | None, prepared: str | None) -> None:
    assert unbound().receive(bind(resource), NOW) == [Bind("1", prepared)]


@pytest.mark.parametrize("element", [bind("b\u0085ad"), bind("x" * 1024), bind("é" * 600), bind(id="")])
def test_a_bad_bind_request_is_a_stanza_error_and_may_be_repeated(element: Element) -> None:
    client = unbound()
    reply = sent(client.receive(element, NOW))
    assert reply.attrs["type"] == "error"
    error = reply.child("error")
    assert error is not None
    assert error.attrs["type"] == "modify"
    assert error.child("bad-request") is not None
    assert client.receive(bind(), NOW) == [Bind("1", "desk")]


def test_a_refused_bind_says_why_and_may_be_repeated() -> None:
    client = unbound()
    client.receive(bind(), NOW)
    error = sent(client.bind_refused("conflict")).child("error")
    assert error is not None
    assert error.child("conflict") is not None
    assert client.receive(bind("other"), NOW) == [Bind("1", "other")]


def test_a_second_bind_is_not_allowed_and_ends_nothing() -> None:
    client = bound()
    reply = sent(client.receive(bind("other"), NOW))
    error = reply.child("error")
    assert error is not None
    assert error.child("not-allowed") is not None
    assert client.receive(MESSAGE, NOW)
    assert client.state is State.BOUND


def test_the_session_request_is_answered_by_the_stream_itself() -> None:
    reply = sent(bound().receive(SESSION, NOW))
    assert reply.attrs == {"type": "result", "id": "1", "from": "1001@localhost", "to": "1001@localhost/desk"}
    to_domain = iq(Element("session", SESSION_NS), to="localhost")
    assert sent(bound().receive(to_domain, NOW)).attrs["from"] == "localhost"


def test_a_session_request_to_somebody_else_is_an_ordinary_stanza() -> None:
    [output] = bound().receive(iq(Element("session", SESSION_NS), to="1002@localhost"), NOW)
    assert isinstance(output, Stanza)


# -- stanzas -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["1001@localhost/desk", "1001@localhost", "1001@LOCALHOST", "1001@localhost./desk"])
def test_ones_own_full_or_bare_jid_as_sender_becomes_the_full_one(sender: str) -> None:
    [output] = bound().receive(Element("presence", CLIENT_NS, {"from": sender}), NOW)
    assert output == Stanza(Element("presence", CLIENT_NS, {"from": "1001@localhost/desk"}))


@pytest.mark.parametrize("sender", ["1002@localhost", "1001@localhost/other", "localhost", "", "@@", "1001@elsewhere"])
def test_another_sender_ends_the_stream(sender: str) -> None:
    for element in (
        Element("message", CLIENT_NS, {"from": sender}),
        iq(Element("session", SESSION_NS), **{"from": sender}),
    ):
        assert bound().receive(element, NOW) == [StreamError("invalid-from", "invalid-from")]


def test_stanzas_without_a_language_inherit_the_sessions() -> None:
    client = bound(lang="de")
    [inherits] = client.receive(MESSAGE, NOW)
    assert isinstance(inherits, Stanza)
    assert inherits.element.attrs["xml:lang"] == "de"
    [keeps] = client.receive(Element("message", CLIENT_NS, {"xml:lang": "pt-BR"}), NOW)
    assert isinstance(keeps, Stanza)
    assert keeps.element.attrs["xml:lang"] == "pt-BR"


def test_the_clients_own_element_is_not_changed() -> None:
    message = Element("message", CLIENT_NS, {"to": "a@b"})
    bound(lang="de").receive(message, NOW)
    assert message.attrs == {"to": "a@b"}


# -- the tables --------------------------------------------------------------------------------------------------------


def test_the_tables_answer_every_input_in_every_state() -> None:
    assert set(RULES) == set(State)
    for rules in RULES.values():
        assert set(rules) == set(Input)
    assert {rule for rules in RULES.values() for rule in rules.values()} == set(Rule)


def test_every_state_can_be_reached_and_every_happening_happens() -> None:
    reached = {State.OPEN}
    for _ in State:
        reached |= {target for (source, _), target in TRANSITIONS.items() if source in reached}
    assert reached == set(State)
    assert {happening for _, happening in TRANSITIONS} == set(Happening)

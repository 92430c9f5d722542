"""Refusals and results as they go on the wire."""

from __future__ import annotations

import pytest

from poise.protocols.xmpp.errors import (
    FAULT_ENDINGS,
    STANZA_CONDITIONS,
    STANZAS_NS,
    STREAM_CONDITIONS,
    STREAM_NS,
    STREAMS_NS,
    stanza_error,
    stream_error,
)
from poise.protocols.xmpp.replies import iq_result
from poise.protocols.xmpp.xml import Element, XmlFault, parse
from poise.registry import ENDINGS

IQ = Element("iq", "jabber:client", {"type": "get", "id": "a&'1", "from": "1001@localhost/x", "to": "pubsub.localhost"})


def test_a_stanza_error_goes_back_with_addresses_exchanged_and_the_usual_type() -> None:
    assert stanza_error(IQ, "item-not-found") == (
        b'<iq xmlns="jabber:client" type="error" id="a&amp;&apos;1" from="pubsub.localhost" to="1001@localhost/x">'
        b'<error type="cancel"><item-not-found xmlns="urn:ietf:params:xml:ns:xmpp-stanzas"/></error></iq>'
    )


def test_a_stanza_error_may_have_its_own_type_a_text_and_an_application_condition() -> None:
    reply = parse(stanza_error(IQ, "not-allowed", "wait", "no <thanks>", Element("nodeid-required", "urn:app")))
    error = reply.child("error")
    assert error is not None
    assert error.attrs == {"type": "wait"}
    assert [(child.name, child.ns) for child in error.elements()] == [
        ("not-allowed", STANZAS_NS),
        ("text", STANZAS_NS),
        ("nodeid-required", "urn:app"),
    ]
    text = error.child("text")
    assert text is not None
    assert text.text == "no <thanks>"


@pytest.mark.parametrize("name", ["message", "presence", "iq"])
def test_the_reply_is_of_the_same_kind(name: str) -> None:
    reply = parse(stanza_error(Element(name, "jabber:client"), "bad-request"))
    assert (reply.name, reply.ns, reply.attrs) == (name, "jabber:client", {"type": "error"})


def test_a_request_to_nobody_is_answered_by_the_senders_own_account() -> None:
    reply = parse(iq_result(Element("iq", "jabber:client", {"id": "1", "from": "1001@localhost/x"})))
    assert reply.attrs == {"type": "result", "id": "1", "from": "1001@localhost", "to": "1001@localhost/x"}
    assert reply.children == ()


def test_a_result_carries_its_payload() -> None:
    assert iq_result(IQ, b"<q/>").endswith(b'to="1001@localhost/x"><q/></iq>')


@pytest.mark.parametrize("condition", sorted(STREAM_CONDITIONS))
def test_a_stream_error_declares_its_prefix_and_uses_it_literally(condition: str) -> None:
    data = stream_error(condition, "why & so")
    assert data.startswith(b'<stream:error xmlns:stream="http://etherx.jabber.org/streams">')
    error = parse(data)
    assert (error.name, error.ns) == ("error", STREAM_NS)
    assert [(child.name, child.ns) for child in error.elements()] == [(condition, STREAMS_NS), ("text", STREAMS_NS)]


def test_a_stream_error_inside_a_wrapper_declares_nothing() -> None:
    assert stream_error("conflict", declare=False) == (
        b'<stream:error><conflict xmlns="urn:ietf:params:xml:ns:xmpp-streams"/></stream:error>'
    )


def test_every_condition_has_a_type_of_the_rfc() -> None:
    assert set(STANZA_CONDITIONS.values()) <= {"auth", "cancel", "continue", "modify", "wait"}
    assert len(STANZA_CONDITIONS) == 22
    assert len(STREAM_CONDITIONS) == 25


def test_every_fault_of_xml_has_an_ending_and_a_condition() -> None:
    assert set(FAULT_ENDINGS) == set(XmlFault)
    for code, condition in FAULT_ENDINGS.values():
        assert code in ENDINGS
        assert condition in STREAM_CONDITIONS


def test_the_registry_speaks_of_known_stream_conditions_only() -> None:
    assert {ending.stream for ending in ENDINGS.values()} - {None} <= STREAM_CONDITIONS

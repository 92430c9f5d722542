"""XMPP over WebSocket above the frames: what a client says and hears, message by message (RFC 7395)."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator, Sequence
from typing import TypeVar

import pytest

from poise.protocols.xmpp.c2s import C2S, Bind, C2SPolicy, CheckPassword, Send, Stanza, StreamError
from poise.protocols.xmpp.c2s_states import State
from poise.protocols.xmpp.errors import STREAM_NS, STREAMS_NS
from poise.protocols.xmpp.framing import (
    CLOSE,
    FRAMING_NS,
    FRAMING_RULES,
    FramedStream,
    FrameOutput,
    FramingRule,
    FramingState,
    Message,
    classify,
)
from poise.protocols.xmpp.stream import Finished
from poise.protocols.xmpp.xml import LIMITS, Element, Limits, parse
from poise.registry import ENDINGS
from tests.playbook import Playbook

Kind = TypeVar("Kind")
NOW = 1000.0
OPEN = f"<open xmlns='{FRAMING_NS}' to='localhost' version='1.0'/>"
AUTH = (
    "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
    f"{base64.b64encode(b'1001@localhost' + bytes(1) + b'1001' + bytes(1) + b'pw').decode()}</auth>"
)
BIND = (
    "<iq xmlns='jabber:client' type='set' id='_bind_auth_2'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
    "<resource>1001</resource></bind></iq>"
)
PRESENCE = "<presence xmlns='jabber:client'/>"
PING = "<iq xmlns='jabber:client' type='get' id='p' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"
OUR_OPEN = '<open xmlns="urn:ietf:params:xml:ns:xmpp-framing" from="localhost" id="id-%d" version="1.0" xml:lang="%s"/>'
MECHANISMS = (
    '<stream:features xmlns:stream="http://etherx.jabber.org/streams"><mechanisms '
    'xmlns="urn:ietf:params:xml:ns:xmpp-sasl"><mechanism>PLAIN</mechanism></mechanisms></stream:features>'
)
SUCCESS = '<success xmlns="urn:ietf:params:xml:ns:xmpp-sasl"/>'


class Timeless:
    """A framed stream as a playbook's core: it has no deadline."""

    deadline = float("inf")

    def __init__(self, stream: FramedStream) -> None:
        self.stream = stream

    def due(self, now: float) -> Sequence[FrameOutput]:
        raise AssertionError("nothing is ever due")


class Story(Playbook[FrameOutput]):
    """A client's story, in messages."""

    def __init__(self, policy: C2SPolicy | None = None, *, redirect: str = "", limits: Limits = LIMITS) -> None:
        numbers: Iterator[int] = itertools.count(1)
        c2s = C2S("localhost", policy or C2SPolicy(secure=True))
        self.stream = FramedStream(c2s, lambda: f"id-{next(numbers)}", redirect=redirect, limits=limits)
        super().__init__(Timeless(self.stream))

    def says(self, message: str | bytes) -> None:
        data = message.encode() if isinstance(message, str) else message
        self.put(f"client: {data[:60]!r}", lambda now: self.stream.receive(data, now))

    def password(self, ok: bool = True) -> None:
        self.put(f"password {ok}", lambda now: self.stream.password_checked(ok, now))

    def bound(self, jid: str) -> None:
        self.put(f"bound {jid}", lambda now: self.stream.bound(jid, now))

    def take(self, kind: type[Kind]) -> Kind:
        """The next output, of this kind."""
        output = self._unread.pop(0) if self._unread else None
        assert isinstance(output, kind), f"a {kind.__name__} should have come out, not {output!r}"
        return output

    def hears(self, *messages: str) -> None:
        """These messages, and perhaps more."""
        for message in messages:
            assert self.take(Send).data == message.encode()

    def refused(self, condition: str, code: str = "stream-refused", *, opened: bool = False) -> None:
        """Ours `<open/>` unless it is there already, the error, `<close/>`, each alone and whole; then the end."""
        heard: list[Element] = []
        while len(heard) < (2 if opened else 3):
            output = self.take(Send)
            heard.append(parse(output.data))
        finished = self.take(Finished)
        assert finished.ending_code == code
        assert code in ENDINGS
        *first, error, close = heard
        assert [(e.name, e.ns) for e in first] == ([] if opened else [("open", FRAMING_NS)])
        assert (error.name, error.ns) == ("error", STREAM_NS)
        found = next(error.elements())
        assert (found.name, found.ns) == (condition, STREAMS_NS)
        assert finished.evidence.startswith(condition)
        assert (close.name, close.ns) == ("close", FRAMING_NS)
        assert self.stream.finished
        self.says(PING)  # nothing is heard any more
        self.finish()


def opened(policy: C2SPolicy | None = None, *, limits: Limits = LIMITS) -> Story:
    story = Story(policy, limits=limits)
    story.says(OPEN)
    story.take(Send)
    story.take(Send)
    return story


def signed_in() -> Story:
    story = opened()
    story.says(AUTH)
    story.take(CheckPassword)
    story.password()
    story.take(Send)
    story.says(OPEN)
    story.take(Send)
    story.take(Send)
    story.says(BIND)
    story.take(Bind)
    story.bound("1001@localhost/1001")
    story.take(Send)
    assert story.stream.c2s.state is State.BOUND
    return story


# -- the whole way -----------------------------------------------------------------------------------------------------


def test_a_strophe_client_signs_in_pings_and_leaves() -> None:
    story = Story()
    story.says(OPEN)
    story.hears(OUR_OPEN % (1, "en"), MECHANISMS)
    story.says(AUTH)
    story.expect(CheckPassword("1001", "pw"))
    story.password()
    story.hears(SUCCESS)
    story.says(OPEN)
    story.hears(
        OUR_OPEN % (2, "en"),
        '<stream:features xmlns:stream="http://etherx.jabber.org/streams">'
        '<bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/>'
        '<session xmlns="urn:ietf:params:xml:ns:xmpp-session"><optional/></session></stream:features>',
    )
    story.says(BIND)
    story.expect(Bind("_bind_auth_2", "1001"))
    story.bound("1001@localhost/1001")
    story.hears(
        '<iq xmlns="jabber:client" type="result" id="_bind_auth_2"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind">'
        "<jid>1001@localhost/1001</jid></bind></iq>"
    )
    story.says(PING)
    assert story.take(Stanza).element.attrs["from"] == "1001@localhost/1001"
    story.says(f"<close xmlns='{FRAMING_NS}'/>")
    story.hears(CLOSE.decode())
    story.expect(Finished("client-left", "<close/>"))
    story.says(PING)
    story.finish()
    assert story.stream.end("shutdown") == []


def test_the_language_of_the_open_is_the_streams() -> None:
    story = Story()
    story.says(OPEN.replace("<open", "<open xml:lang='pt-BR'"))
    story.hears(OUR_OPEN % (1, "pt-BR"), MECHANISMS)
    story.finish()


def test_white_space_alone_is_a_keep_alive_at_any_time() -> None:
    story = Story()
    for space in (" ", "\n", "", "\r\n\t "):
        story.says(space)
    story.finish()
    story = signed_in()
    story.says(" ")
    story.finish()


def test_what_is_sent_ahead_waits_for_the_answers_in_order() -> None:
    story = opened()
    story.says(AUTH)
    story.take(CheckPassword)
    for message in (OPEN, BIND, PRESENCE, f"<close xmlns='{FRAMING_NS}'/>"):
        story.says(message)  # nothing comes of it yet
    story.password()
    story.hears(SUCCESS, OUR_OPEN % (2, "en"))
    story.take(Send)
    story.take(Bind)
    story.says(" ")
    story.bound("1001@localhost/1001")
    story.take(Send)
    assert story.take(Stanza).element.name == "presence"
    story.hears(CLOSE.decode())
    story.take(Finished)
    story.finish()


def test_a_failed_password_leaves_the_stream_open_for_another_try() -> None:
    story = opened()
    story.says(AUTH)
    story.take(CheckPassword)
    story.password(False)
    assert parse(story.take(Send).data).name == "failure"
    story.says(AUTH)
    story.expect(CheckPassword("1001", "pw"))
    story.finish()


@pytest.mark.parametrize("many", [True, False], ids=["messages", "bytes"])
def test_too_much_sent_ahead_ends_the_stream(many: bool) -> None:
    story = opened(C2SPolicy(secure=True, waiting=3 if many else 1000), limits=Limits(size=1000))
    story.says(AUTH)
    story.take(CheckPassword)
    filler = PRESENCE if many else f"<presence xmlns='jabber:client'>{'x' * 300}</presence>"
    for _ in range(3 if many else 2):
        story.says(filler)
    story.says(filler)
    story.refused("policy-violation", "too-active", opened=True)
    assert story.stream.password_checked(True, NOW) == []


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "condition"),
    [
        (f"<open xmlns='{FRAMING_NS}' to='elsewhere.example' version='1.0'/>", "host-unknown"),
        (f"<open xmlns='{FRAMING_NS}' to='' version='1.0'/>", "host-unknown"),
        (f"<open xmlns='{FRAMING_NS}' version='1.0'/>", "improper-addressing"),
        (f"<open xmlns='{FRAMING_NS}' to='localhost' version='2.0'/>", "unsupported-version"),
        (f"<open xmlns='{FRAMING_NS}' to='localhost' version='0.9'/>", "unsupported-version"),
        (f"<open xmlns='{FRAMING_NS}' to='localhost'/>", "unsupported-version"),
        ("<open xmlns='jabber:client' to='localhost' version='1.0'/>", "invalid-namespace"),
        ("<open to='localhost' version='1.0'/>", "invalid-namespace"),
        (PING, "bad-format"),
        ("<stream:stream xmlns:stream='http://etherx.jabber.org/streams' xmlns='jabber:client'/>", "bad-format"),
        (f"<shut xmlns='{FRAMING_NS}'/>", "bad-format"),
    ],
)
def test_a_wrong_beginning_gets_our_open_the_error_and_close(message: str, condition: str) -> None:
    story = Story()
    story.says(message)
    story.refused(condition)


def test_a_later_version_of_the_same_protocol_is_welcome() -> None:
    story = Story()
    story.says(OPEN.replace("1.0", "1.7"))
    story.hears(OUR_OPEN % (1, "en"), MECHANISMS)
    story.finish()


@pytest.mark.parametrize(
    ("message", "condition", "code"),
    [
        (" " + PING, "bad-format", "stream-refused"),
        ("hello", "bad-format", "stream-refused"),
        ("<?xml version='1.0'?>" + PING, "bad-format", "stream-refused"),
        ("\ufeff" + PING, "bad-format", "stream-refused"),
        (PING + PING, "not-well-formed", "broken-xml"),
        (PING + "tail", "not-well-formed", "broken-xml"),
        ("<iq xmlns='jabber:client'>", "not-well-formed", "broken-xml"),
        ("<iq/", "not-well-formed", "broken-xml"),
        ("<stream:stream to='localhost'>", "not-well-formed", "broken-xml"),
        ("<!DOCTYPE a><a/>", "restricted-xml", "restricted-xml"),
        ("<!-- --><a/>", "restricted-xml", "restricted-xml"),
        (PING + "<!-- -->", "restricted-xml", "restricted-xml"),
        ("<a>&b;</a>", "restricted-xml", "restricted-xml"),
        (b"<a>\x01</a>", "not-well-formed", "broken-xml"),
        ("<a>" * 65 + "</a>" * 65, "policy-violation", "too-big"),
        (f"<open xmlns='{FRAMING_NS}' to='localhost' version='1.0'/>", "bad-format", "stream-refused"),
        ("<open/>", "unsupported-stanza-type", "stream-refused"),
        ("<foo xmlns='urn:x'/>", "unsupported-stanza-type", "stream-refused"),
        (f"<pause xmlns='{FRAMING_NS}'/>", "unsupported-stanza-type", "stream-refused"),
        (PRESENCE.replace("<presence", "<presence from='1002@localhost'"), "invalid-from", "invalid-from"),
    ],
)
def test_a_broken_message_ends_the_stream(message: str | bytes, condition: str, code: str) -> None:
    story = signed_in()
    story.says(message)
    story.refused(condition, code, opened=True)


def test_white_space_behind_the_element_is_allowed() -> None:
    story = signed_in()
    story.says(PING + "\n")
    story.take(Stanza)
    story.finish()


def test_a_message_over_the_limit_is_a_violation_of_policy() -> None:
    story = opened(limits=Limits(size=500))
    story.says(f"<presence xmlns='jabber:client'>{'x' * 500}</presence>")
    story.refused("policy-violation", "too-big", opened=True)


def test_tls_is_neither_offered_nor_begun() -> None:
    story = opened()
    story.says("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
    assert parse(story.take(Send).data).name == "failure"
    story.refused("unsupported-stanza-type", opened=True)


def test_stanzas_before_sign_in_are_not_authorized() -> None:
    story = opened()
    story.says(PING)
    story.refused("not-authorized", "not-authorized", opened=True)


@pytest.mark.parametrize(
    ("again", "condition", "code"),
    [
        (OPEN.replace("localhost", "elsewhere.example"), "not-authorized", "not-authorized"),
        (OPEN.replace("<open", "<open from='1002@localhost'"), "invalid-from", "stream-refused"),
    ],
)
def test_the_restart_cannot_change_who_talks_to_whom(again: str, condition: str, code: str) -> None:
    story = opened()
    story.says(AUTH)
    story.take(CheckPassword)
    story.password()
    story.take(Send)
    story.says(again)
    if condition == "not-authorized":
        assert parse(story.take(Send).data).name == "open"
    story.refused(condition, code, opened=condition == "not-authorized")


def test_a_restart_may_name_its_own_sender() -> None:
    story = opened()
    story.says(AUTH)
    story.take(CheckPassword)
    story.password()
    story.take(Send)
    story.says(OPEN.replace("<open", "<open from='1001@localhost'"))
    story.take(Send)
    assert b"urn:ietf:params:xml:ns:xmpp-bind" in story.take(Send).data
    story.finish()


# -- ends of the server's making ---------------------------------------------------------------------------------------


def test_the_server_ends_an_open_stream_with_error_and_close() -> None:
    stream = signed_in().stream
    error, close = stream.end("shutdown")
    assert next(parse(error).elements()).name == "system-shutdown"
    assert close == CLOSE
    assert stream.end("shutdown") == []
    assert stream.receive(PING.encode(), NOW) == []


def test_before_our_open_an_end_begins_with_it() -> None:
    first, error, close = Story().stream.end("auth-timeout")
    assert [parse(message).name for message in (first, error, close)] == ["open", "error", "close"]


def test_an_end_without_a_condition_is_close_alone() -> None:
    assert signed_in().stream.end("socket-lost") == [CLOSE]
    assert Story().stream.end("client-left") == [CLOSE]


def test_close_instead_of_open_is_answered_alike() -> None:
    story = Story()
    story.says(f"<close xmlns='{FRAMING_NS}'/>")
    story.hears(CLOSE.decode())
    story.expect(Finished("client-left", "<close/>"))
    story.finish()


def test_policy_sends_clients_elsewhere() -> None:
    story = Story(redirect="wss://desk.example/ws/?a=1&b=2")
    story.says(OPEN)
    story.hears(
        OUR_OPEN % (1, "en"),
        f'<close xmlns="{FRAMING_NS}" see-other-uri="wss://desk.example/ws/?a=1&amp;b=2"/>',
    )
    story.expect(Finished("stream-refused", "see-other-uri"))
    story.says(AUTH)
    story.finish()


def test_who_asks_for_another_host_is_told_so_and_not_sent_elsewhere() -> None:
    story = Story(redirect="wss://desk.example/ws/")
    story.says(OPEN.replace("localhost", "elsewhere.example"))
    story.refused("host-unknown")


# -- tables ------------------------------------------------------------------------------------------------------------


def test_every_message_has_a_rule_in_every_state() -> None:
    assert set(FRAMING_RULES) == set(FramingState)
    assert all(set(row) == set(Message) for row in FRAMING_RULES.values())
    assert {rule for row in FRAMING_RULES.values() for rule in row.values()} == set(FramingRule)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (OPEN, Message.OPEN),
        (f"<close xmlns='{FRAMING_NS}' see-other-uri='wss://x/'/>", Message.CLOSE),
        ("<open xmlns='urn:x'/>", Message.FOREIGN_OPEN),
        ("<close xmlns='urn:x'/>", Message.ELEMENT),
        (PING, Message.ELEMENT),
    ],
)
def test_kinds_of_messages(text: str, kind: Message) -> None:
    assert classify(parse(text.encode())) is kind


def test_no_output_is_ever_a_bare_stream_error() -> None:
    story = signed_in()
    outputs = story.stream.receive(b"<foo/>", NOW)
    assert not any(isinstance(output, StreamError) for output in outputs)

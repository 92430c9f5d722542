"""A stream over TCP, its TLS included: the same outcome for every split, and what holds whatever a client says."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from itertools import count, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.protocols.xmpp.c2s import (
    C2S,
    Bind,
    C2SPolicy,
    CheckPassword,
    CheckProof,
    FindVerifier,
    Send,
    Stanza,
    StartTls,
)
from poise.protocols.xmpp.c2s_states import State
from poise.protocols.xmpp.sasl import FAILURES, MECHANISMS, Credentials, SaslError, decode_response
from poise.protocols.xmpp.scram import ScramError, ScramExchange, derive
from poise.protocols.xmpp.stream import Finished, TcpOutput, TcpStream
from poise.protocols.xmpp.xml import parse

NOW = 1000.0
HEADER = (
    "<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
STARTTLS = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
BIND = "<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>"
PING = "<iq type='get' id='p'><ping xmlns='urn:xmpp:ping'/></iq>"
LEGACY = (
    "<iq type='set' id='l'><query xmlns='jabber:iq:auth'><username>1001</username><password>1001</password>"
    "<resource>r</resource></query></iq>"
)
VERIFIER = derive("1001", "sha1", b"salt", 1)


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def auth(data: bytes, mechanism: str = "PLAIN") -> str:
    return f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{encoded(data)}</auth>"


AUTH = auth(b"\x001001\x001001")
CLEAR = f"<?xml version='1.0'?>{HEADER}{STARTTLS}".encode()
MESSAGE = "<message to='a@b'><body>\U0001f600</body></message>"
SECRET = f"{HEADER}{AUTH}\n<?xml version='1.0'?>{HEADER}{BIND}{PING} {MESSAGE}{PING}</stream:stream>".encode()


class Talk:
    """One stream and everything that came of it; questions are answered at once by `answers`, True for ever after."""

    def __init__(self, policy: C2SPolicy, answers: list[bool | None] | None = None) -> None:
        numbers: Iterator[int] = count(1)
        self.stream = TcpStream(C2S("localhost", policy), lambda: f"id-{next(numbers)}")
        self.policy = policy
        self.answers = iter(answers or [])
        self.outputs: list[TcpOutput] = []
        self.secure = policy.secure
        self.upgrading = False
        self.good = False

    def hear(self, data: bytes) -> None:
        self.handle(self.stream.receive(data, NOW))

    def secured(self) -> None:
        self.upgrading = False
        self.secure = True
        self.stream.secured()

    def handle(self, news: list[TcpOutput]) -> None:
        for output in news:
            assert not any(isinstance(earlier, Finished) for earlier in self.outputs), "spoken after the end"
            self.outputs.append(output)
            if isinstance(output, CheckPassword | CheckProof | FindVerifier):
                assert self.secure or self.policy.plain_in_clear, "a sign-in before TLS"
            if isinstance(output, Bind | Stanza):
                assert self.good, "nobody was signed in"
            if isinstance(output, StartTls):
                assert not self.secure
                self.upgrading = True
            elif isinstance(output, CheckPassword | CheckProof):
                answer = next(self.answers, True)
                answer = answer and (not isinstance(output, CheckProof) or output.proven)
                self.good = self.good or bool(answer)
                self.handle(self.stream.password_checked(bool(answer), NOW, temporary=answer is None))
            elif isinstance(output, FindVerifier):
                answer = next(self.answers, True)
                self.handle(self.stream.verifier_found(VERIFIER if answer else None, "xyz", NOW))
            elif isinstance(output, Bind):
                if next(self.answers, True):
                    self.handle(self.stream.bound(f"1001@localhost/{output.resource or 'made'}", NOW))
                else:
                    self.handle(self.stream.bind_refused("conflict", NOW))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in pairwise(places)]


def talked(clear_cuts: list[int], secret_cuts: list[int]) -> list[TcpOutput]:
    talk = Talk(C2SPolicy(secure=False, starttls=True))
    for piece in pieces(CLEAR, clear_cuts):
        talk.hear(piece)
    assert talk.upgrading
    talk.secured()
    for piece in pieces(SECRET, secret_cuts):
        talk.hear(piece)
    return talk.outputs


WHOLE = talked([], [])
cuts = st.lists(st.integers(min_value=0, max_value=2000), max_size=40)


def test_the_whole_conversation_is_what_it_should_be() -> None:
    kinds = [type(output).__name__ for output in WHOLE]
    assert kinds == [
        *("Send", "Send", "StartTls"),
        *("Send", "Send", "CheckPassword", "Send", "Send", "Send", "Bind", "Send"),
        *("Stanza", "Stanza", "Stanza", "Send", "Finished"),
    ]


@given(cuts, cuts)
@settings(max_examples=300, deadline=None)
def test_every_split_of_a_conversation_with_tls_in_it_gives_the_same(
    clear_cuts: list[int], secret_cuts: list[int]
) -> None:
    assert talked(clear_cuts, secret_cuts) == WHOLE


def test_one_byte_behind_starttls_in_its_packet_ends_the_stream_and_later_ones_are_not_read() -> None:
    talk = Talk(C2SPolicy(secure=False, starttls=True))
    talk.hear(CLEAR + b" ")
    assert talk.outputs[-1] == Finished("stream-refused", "policy-violation: data behind starttls")
    talk = Talk(C2SPolicy(secure=False, starttls=True))
    talk.hear(CLEAR)
    before = list(talk.outputs)
    talk.hear(b"<!-- neither this --></stream:stream>")
    assert talk.outputs == before


def test_every_single_cut_gives_the_same() -> None:
    for cut in range(1, len(CLEAR)):
        assert talked([cut], []) == WHOLE
    for cut in range(1, len(SECRET)):
        assert talked([], [cut]) == WHOLE


@given(
    st.one_of(st.binary(min_size=1, max_size=60), st.sampled_from([PING, AUTH, HEADER + AUTH]).map(str.encode)), cuts
)
@settings(max_examples=200, deadline=None)
def test_whatever_stands_behind_starttls_is_never_heard(behind: bytes, where: list[int]) -> None:
    talk = Talk(C2SPolicy(secure=False, starttls=True, plain_in_clear=True))
    data = CLEAR + behind
    inside = [cut for cut in where if cut % (len(data) + 1) <= len(CLEAR)]
    for piece in pieces(data, inside):
        if talk.upgrading:
            break  # from here on bytes are TLS's, and no handshake begins like that
        talk.hear(piece)
    assert not any(isinstance(output, CheckPassword | Stanza | Bind) for output in talk.outputs)
    came_apart = any(cut % (len(data) + 1) == len(CLEAR) for cut in inside)
    assert talk.upgrading == came_apart
    if not talk.upgrading:
        assert talk.outputs[-1] == Finished("stream-refused", "policy-violation: data behind starttls")


SAID = (
    HEADER, HEADER, "</stream:stream>", STARTTLS, AUTH, AUTH, auth(b"\x001001\0wrong"), auth(b""),
    auth(b"1002\x001001\x001001"), auth(b"n,,n=1001,r=abc", "SCRAM-SHA-1"), auth(b"x", "SCRAM-SHA-256"),
    auth(b"p=x,,n=1001,r=abc", "SCRAM-SHA-1"),
    f"<response xmlns='{SASL}'>{encoded(b'c=biws,r=abcxyz,p=AAAA')}</response>",
    f"<response xmlns='{SASL}'>{encoded(b'c=biws,r=abcxyz,p=' + base64.b64encode(b'x' * 20))}</response>",
    f"<abort xmlns='{SASL}'/>", BIND, PING, LEGACY, LEGACY.replace("set", "get"), "<presence/>", "<foo/>",
    "<message from='1002@localhost'/>", "<!-- x -->", "&x;", " ", "\n", "<", "\0",
)  # fmt: skip
fragments = st.one_of(st.sampled_from(SAID).map(str.encode), st.binary(max_size=20))
policies = st.builds(
    C2SPolicy,
    secure=st.booleans(),
    starttls=st.booleans(),
    plain_in_clear=st.booleans(),
    scram=st.booleans(),
    attempts=st.integers(min_value=1, max_value=5),
)


@given(
    policies,
    st.lists(fragments, max_size=14),
    st.lists(st.sampled_from([True, False, None]), max_size=8),
    st.booleans(),
)
@settings(max_examples=500, deadline=None)
def test_whatever_a_client_says_nobody_is_let_in_without_a_good_answer_or_before_tls(
    policy: C2SPolicy, said: list[bytes], answers: list[bool | None], opened: bool
) -> None:
    talk = Talk(policy, answers)
    if opened:
        talk.hear(HEADER.encode())
    for fragment in said:
        if talk.upgrading:
            talk.secured()
        talk.hear(fragment)
        state = talk.stream.c2s.state
        assert (state is State.BOUND) == (talk.stream.c2s.jid is not None) or state is State.CLOSED
        assert bool(talk.stream.c2s.user) <= talk.good
    words = b"".join(output.data for output in talk.outputs if isinstance(output, Send))
    failed = sum(words.count(failure) for failure in FAILURES.values())
    assert failed <= policy.attempts
    for document in re.split(rb"(?=<\?xml)", words):
        whole = document if document.endswith(b"</stream:stream>") else document + b"</stream:stream>"
        if document:
            assert parse(whole).name == "stream"


@given(st.binary(max_size=80), st.binary(max_size=120))
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_scram_are_refused_by_their_own_error(first: bytes, final: bytes) -> None:
    try:
        ScramExchange(first, "sha1")
    except ScramError:
        pass
    exchange = ScramExchange(b"n,,n=1001,r=abc", "sha1")
    exchange.challenge(VERIFIER, "xyz")
    try:
        assert not exchange.prove(final)
    except ScramError:
        pass


@given(st.sampled_from(sorted(MECHANISMS)), st.one_of(st.binary(max_size=60), st.text(max_size=30).map(str.encode)))
@settings(max_examples=300, deadline=None)
def test_any_bytes_as_a_first_message_are_a_claim_or_a_failure(mechanism: str, data: bytes) -> None:
    try:
        claim = MECHANISMS[mechanism].read(data, "localhost")
    except SaslError as error:
        assert error.condition in FAILURES  # noqa: PT017 - either outcome is right
    else:
        assert claim.user
        assert isinstance(claim, Credentials) == (mechanism == "PLAIN")


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_text_is_base64_or_a_failure(text: str) -> None:
    try:
        data = decode_response(text)
    except SaslError as error:
        assert error.condition in FAILURES  # noqa: PT017 - either outcome is right
    else:
        assert encoded(data) == text.strip(" \t\r\n") or not data

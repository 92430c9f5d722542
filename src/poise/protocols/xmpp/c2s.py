"""One client's XMPP stream above any binding: sign-in, restart, bind, then stanzas (RFC 6120 sections 6 and 7).

It neither knows BOSH nor sockets nor accounts: it asks for a password to be checked (`CheckPassword`) and for a full
JID (`Bind`), and is told the answers. The rules are the tables of `c2s_states`.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from poise.protocols.xmpp.c2s_states import RULES, TRANSITIONS, Happening, Input, Rule, State
from poise.protocols.xmpp.errors import stanza_error
from poise.protocols.xmpp.jid import Jid, JidError, prepare, prepare_resource
from poise.protocols.xmpp.replies import iq_result
from poise.protocols.xmpp.sasl import (
    CHALLENGE,
    FAILURES,
    MECHANISMS,
    SASL_NS,
    SUCCESS,
    Credentials,
    Mechanism,
    SaslError,
    decode_response,
)
from poise.protocols.xmpp.xml import Element, escape

CLIENT_NS: Final = "jabber:client"
BIND_NS: Final = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION_NS: Final = "urn:ietf:params:xml:ns:xmpp-session"
TLS_NS: Final = "urn:ietf:params:xml:ns:xmpp-tls"

_STANZAS: Final = frozenset(("iq", "message", "presence"))
_SASL_INPUTS: Final = {"auth": Input.AUTH, "response": Input.RESPONSE, "abort": Input.ABORT}
_NO_TLS: Final = f'<failure xmlns="{TLS_NS}"/>'.encode()
_FEATURES_AFTER_SASL: Final = (
    f'<stream:features><bind xmlns="{BIND_NS}"/><session xmlns="{SESSION_NS}"><optional/></session></stream:features>'
).encode()


@dataclass(frozen=True, slots=True)
class C2SPolicy:
    """What a listener allows its clients."""

    secure: bool
    """Whether the client's connection is encrypted."""
    plain_in_clear: bool = False
    """Whether passwords may cross an unencrypted connection (the insecure switch)."""
    hosts: frozenset[str] = frozenset()
    """Names beside the domain by which clients may address this server: some dial an address and learn the domain."""
    attempts: int = 5
    """Failed sign-ins after which the stream is closed (RFC 6120 section 6.4.5 wants 2 to 5 retries)."""
    waiting: int = 64
    """Elements a client may send ahead while an answer is pending."""


class Send(NamedTuple):
    """Bytes for the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CheckPassword:
    """Answer with `password_checked`."""

    user: str
    """Prepared; an agent id or a login name."""
    password: str = field(repr=False)


class Bind(NamedTuple):
    """Answer with `bound` or `bind_refused`."""

    iq_id: str
    resource: str | None
    """Prepared; None when the client leaves the choice to the server."""


class Stanza(NamedTuple):
    """A stanza of a bound client, `from` stamped with the full JID. Its own grammar is the host's business."""

    element: Element


class StreamError(NamedTuple):
    """The stream is over: `ending_code` is a key of `poise.registry.ENDINGS`, `condition` goes on the wire."""

    ending_code: str
    condition: str
    text: str = ""


class _Restart(NamedTuple):
    to: str | None


Output = Send | CheckPassword | Bind | Stanza | StreamError


class C2S:
    """One client's stream. Every input returns what is to be done about it, in order."""

    __slots__ = ("_asked", "_bind", "_failures", "_waiting", "domain", "jid", "lang", "policy", "state", "user")

    def __init__(self, domain: str, policy: C2SPolicy, lang: str = "") -> None:
        self.domain = domain
        self.policy = policy
        self.lang = lang
        """The stream's xml:lang, which stanzas without one inherit; empty when the client named none."""
        self.state = State.OPEN
        self.user = ""
        """Local part of the account, once signed in."""
        self.jid: Jid | None = None
        """Full JID, once bound."""
        self._failures = 0
        self._asked: Mechanism | Credentials | None = None
        self._bind: Element | None = None
        self._waiting: deque[Element | _Restart] | None = None

    def features(self) -> bytes:
        """`<stream:features>` for the present state; its prefix is declared by the header or wrapper around it."""
        if self.state in _SIGNED_IN:
            return _FEATURES_AFTER_SASL
        names = "".join(f"<mechanism>{name}</mechanism>" for name, row in MECHANISMS.items() if self._offers(row))
        if not names:
            return b"<stream:features/>"
        return f'<stream:features><mechanisms xmlns="{SASL_NS}">{names}</mechanisms></stream:features>'.encode()

    def receive(self, element: Element, now: float) -> list[Output]:
        """A child of the stream has arrived. `now`: monotonic seconds, as for every core; no rule here has a timer."""
        if self.state in _PENDING:
            return self._wait(element)
        return self._handle(element)

    def restart(self, to: str | None) -> list[Output]:
        """The client restarts the stream; `to` as it said, None when it said nothing."""
        if self.state in _PENDING:
            return self._wait(_Restart(to))
        return self._restart(to)

    def password_checked(self, ok: bool, temporary: bool = False, user: str | None = None) -> list[Output]:
        """Answer to CheckPassword. `temporary`: not checked at all (locked, store down). `user`: the account's own name
        (agent id) when the client signed in by another (login name). Too late an answer is ignored."""
        if self.state is State.CLOSED:
            return []
        credentials = self._asked
        assert isinstance(credentials, Credentials), "nothing was asked"
        account = user or credentials.user
        if temporary:
            outputs = self._fail("temporary-auth-failure")
        elif not ok:
            outputs = self._fail("not-authorized")
        elif credentials.authzid not in ("", account, credentials.user):
            outputs = self._fail("invalid-authzid")
        else:
            self.user = account
            self._asked = None
            self._move(Happening.SASL_SUCCEEDED)
            outputs = [Send(SUCCESS)]
        return self._resume(outputs)

    def bound(self, jid: str) -> list[Output]:
        """Answer to Bind: the full JID."""
        if self.state is State.CLOSED:
            return []
        request = self._bind
        assert request is not None, "nothing was asked"
        self._bind = None
        self.jid = prepare(jid)
        self._move(Happening.BIND_DONE)
        payload = f'<bind xmlns="{BIND_NS}"><jid>{escape(jid)}</jid></bind>'.encode()
        return self._resume([Send(iq_result(request, payload))])

    def bind_refused(self, condition: str) -> list[Output]:
        """Answer to Bind: no, with a stanza error condition (`conflict`, `resource-constraint` ...)."""
        if self.state is State.CLOSED:
            return []
        request = self._bind
        assert request is not None, "nothing was asked"
        self._bind = None
        self._move(Happening.BIND_REFUSED)
        return self._resume([Send(stanza_error(request, condition))])

    # -- what the client says ------------------------------------------------------------------------------------------

    def _handle(self, element: Element) -> list[Output]:
        rule = RULES[self.state][classify(element)]
        if self.state is State.BOUND and self._is_forged(element):
            return [self._error("invalid-from", "invalid-from")]
        if rule is Rule.DELIVER:
            return [Stanza(self._stamped(element))]
        if rule is Rule.START_SASL:
            return self._start_sasl(element)
        if rule is Rule.READ_RESPONSE:
            return self._read_response(element)
        if rule is Rule.BIND:
            return self._ask_bind(element)
        if rule is Rule.SESSION:
            return self._start_session(self._stamped(element))
        if rule is Rule.REFUSE_BIND:
            return [Send(stanza_error(self._stamped(element), "not-allowed"))]
        if rule is Rule.FAIL_ABORTED:
            return self._fail("aborted")
        if rule is Rule.FAIL_MALFORMED:
            return self._fail("malformed-request")
        if rule is Rule.REFUSE_TLS:
            return [Send(_NO_TLS), self._error("stream-refused", "unsupported-stanza-type", "TLS is not offered here")]
        if rule is Rule.NOT_AUTHORIZED:
            return [self._error("not-authorized", "not-authorized")]
        if rule is Rule.UNSUPPORTED:
            return [self._error("stream-refused", "unsupported-stanza-type")]
        assert rule is Rule.IGNORE, rule
        return []

    def _is_forged(self, element: Element) -> bool:
        """Whether a stanza claims another sender than this client (RFC 6120 section 8.1.2.1)."""
        sender = element.attrs.get("from")
        if sender is None:
            return False
        jid = self.jid
        assert jid is not None
        return sender != jid.full and sender != jid.bare and not _names(sender, jid)

    def _start_session(self, element: Element) -> list[Output]:
        """RFC 3921 section 3, obsolete and still asked for: there is nothing to do after bind."""
        to = element.attrs.get("to")
        if to is None or self.answers_to(to):
            return [Send(iq_result(element))]
        return [Stanza(element)]

    def _stamped(self, element: Element) -> Element:
        """The stanza with our word for who sent it, and in which language (RFC 6120 sections 8.1.2.1 and 4.7.4)."""
        assert self.jid is not None
        attrs = dict(element.attrs)
        attrs["from"] = self.jid.full
        if self.lang and "xml:lang" not in attrs:
            attrs["xml:lang"] = self.lang
        return Element(element.name, element.ns, attrs, element.children)

    def _start_sasl(self, element: Element) -> list[Output]:
        mechanism = MECHANISMS.get(element.attrs.get("mechanism", ""))
        if mechanism is None:
            return self._fail("invalid-mechanism")
        if not self._offers(mechanism):
            return self._fail("encryption-required")
        if not element.text.strip():
            self._asked = mechanism
            self._move(Happening.CHALLENGE_SENT)
            return [Send(CHALLENGE)]
        return self._ask_check(mechanism, element.text)

    def _read_response(self, element: Element) -> list[Output]:
        assert isinstance(self._asked, Mechanism)
        return self._ask_check(self._asked, element.text)

    def _ask_check(self, mechanism: Mechanism, text: str) -> list[Output]:
        try:
            credentials = mechanism.read(decode_response(text), self.domain)
        except SaslError as error:
            return self._fail(error.condition)
        self._asked = Credentials(credentials.user, "", credentials.authzid)  # the password is not kept
        self._move(Happening.CHECK_ASKED)
        return [CheckPassword(credentials.user, credentials.password)]

    def _fail(self, condition: str) -> list[Output]:
        self._asked = None
        self._failures += 1
        self._move(Happening.SASL_FAILED)
        outputs: list[Output] = [Send(FAILURES[condition])]
        if self._failures >= self.policy.attempts:
            outputs.append(self._error("stream-refused", "policy-violation", "too many failed sign-ins"))
        return outputs

    def _ask_bind(self, element: Element) -> list[Output]:
        bind = element.child("bind", BIND_NS)
        assert bind is not None
        request = Element("iq", CLIENT_NS, {"id": element.attrs.get("id", "")})  # the reply carries no addresses
        wanted = bind.child("resource", BIND_NS)
        text = wanted.text.strip() if wanted is not None else ""
        try:
            resource = prepare_resource(text) if text else None
        except JidError as error:
            return [Send(stanza_error(request, "bad-request", text=str(error)))]
        if not request.attrs["id"]:
            return [Send(stanza_error(request, "bad-request", text="an iq without an id"))]
        self._bind = request
        self._move(Happening.BIND_ASKED)
        return [Bind(request.attrs["id"], resource)]

    def _restart(self, to: str | None) -> list[Output]:
        if self.state is State.CLOSED:
            return []
        if to is not None and not self.answers_to(to):
            return [self._error("not-authorized", "not-authorized", "restart with another address")]
        self._asked = None
        self._move(Happening.RESTARTED)
        return [Send(self.features())]

    # -- helpers -------------------------------------------------------------------------------------------------------

    def answers_to(self, to: str) -> bool:
        """Whether `to` is one of our names."""
        if to == self.domain:
            return True
        try:
            jid = prepare(to)
        except JidError:
            return False
        return jid.full == self.domain or jid.full in self.policy.hosts

    def _offers(self, mechanism: Mechanism) -> bool:
        return not mechanism.secret_in_clear or self.policy.secure or self.policy.plain_in_clear

    def _move(self, happening: Happening) -> None:
        self.state = TRANSITIONS[self.state, happening]

    def _error(self, ending_code: str, condition: str, text: str = "") -> StreamError:
        self._move(Happening.ERROR)
        self._asked = self._bind = self._waiting = None
        return StreamError(ending_code, condition, text)

    def _wait(self, item: Element | _Restart) -> list[Output]:
        if self._waiting is None:
            self._waiting = deque()
        if len(self._waiting) >= self.policy.waiting:
            return [self._error("too-active", "policy-violation", "too much sent ahead")]
        self._waiting.append(item)
        return []

    def _resume(self, outputs: list[Output]) -> list[Output]:
        """What waited is heard now, until the next answer is pending."""
        while self._waiting and self.state not in _PENDING:
            item = self._waiting.popleft()
            outputs += self._restart(item.to) if isinstance(item, _Restart) else self._handle(item)
        return outputs


_PENDING: Final = frozenset((State.CHECKING, State.BINDING))
_SIGNED_IN: Final = frozenset((State.AUTHENTICATED, State.UNBOUND, State.BINDING, State.BOUND))


def classify(element: Element) -> Input:
    """Which kind of input an element is."""
    name, ns = element.name, element.ns
    if ns == CLIENT_NS and name in _STANZAS:
        if name == "iq" and element.attrs.get("type") == "set":
            for child in element.elements():
                if child.ns == BIND_NS and child.name == "bind":
                    return Input.BIND
                if child.ns == SESSION_NS and child.name == "session":
                    return Input.SESSION
        return Input.STANZA
    if ns == SASL_NS:
        return _SASL_INPUTS.get(name, Input.OTHER)
    if ns == TLS_NS and name == "starttls":
        return Input.STARTTLS
    return Input.OTHER


def _names(text: str, jid: Jid) -> bool:
    """Whether the text, once prepared, is the JID in its full or bare form."""
    try:
        full = prepare(text).full
    except JidError:
        return False
    return full in (jid.full, jid.bare)

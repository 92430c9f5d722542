"""One client's XMPP stream above any binding: TLS, sign-in, restart, bind, then stanzas (RFC 6120 sections 5 to 7).

It neither knows BOSH nor sockets nor accounts: it asks for TLS (`StartTls`), for what an account keeps for SCRAM
(`FindVerifier`), for a sign-in to be checked (`CheckPassword`, `CheckProof`) and for a full JID (`Bind`), and is told
the answers. The rules are the tables of `c2s_states`.
"""

from __future__ import annotations

from collections import deque
from functools import cache
from typing import Final, NamedTuple

from poise.protocols.xmpp.c2s_outputs import (
    Bind,
    C2SPolicy,
    CheckPassword,
    CheckProof,
    FindVerifier,
    Output,
    Send,
    Stanza,
    StartTls,
    StreamError,
)
from poise.protocols.xmpp.c2s_states import PENDING, RULES, TRANSITIONS, Happening, Input, Rule, State
from poise.protocols.xmpp.errors import stanza_error
from poise.protocols.xmpp.jid import Jid, JidError, prepare, prepare_resource
from poise.protocols.xmpp.legacy_auth import FIELDS, LEGACY_NS, LegacyError, read_legacy
from poise.protocols.xmpp.replies import iq_result
from poise.protocols.xmpp.sasl import (
    CHALLENGE,
    FAILURES,
    MECHANISMS,
    SASL_NS,
    Mechanism,
    SaslError,
    ScramClaim,
    challenge,
    decode_response,
    success,
)
from poise.protocols.xmpp.scram import ScramError, Verifier
from poise.protocols.xmpp.xml import Element, escape

__all__ = [
    "BIND_NS", "C2S", "CLIENT_NS", "SESSION_NS", "TLS_NS", "Bind", "C2SPolicy", "CheckPassword", "CheckProof",
    "FindVerifier", "Output", "Send", "Stanza", "StartTls", "StreamError", "classify",
]  # fmt: skip

CLIENT_NS: Final = "jabber:client"
BIND_NS: Final = "urn:ietf:params:xml:ns:xmpp-bind"
SESSION_NS: Final = "urn:ietf:params:xml:ns:xmpp-session"
TLS_NS: Final = "urn:ietf:params:xml:ns:xmpp-tls"

_STANZAS: Final = frozenset(("iq", "message", "presence"))
_SASL_INPUTS: Final = {"auth": Input.AUTH, "response": Input.RESPONSE, "abort": Input.ABORT}
_NO_TLS: Final = f'<failure xmlns="{TLS_NS}"/>'.encode()
_PROCEED: Final = f'<proceed xmlns="{TLS_NS}"/>'.encode()
_FEATURES_AFTER_SASL: Final = (
    f'<stream:features><bind xmlns="{BIND_NS}"/><session xmlns="{SESSION_NS}"><optional/></session></stream:features>'
).encode()


class _Restart(NamedTuple):
    to: str | None


class _Claim(NamedTuple):
    """Who a client says it is, while that is checked."""

    user: str
    authzid: str = ""
    proof: bytes = b""
    """The server's own, to be sent with success."""
    resource: str = ""
    """With jabber:iq:auth: what to bind at once."""


class C2S:
    """One client's stream. Every input returns what is to be done about it, in order."""

    __slots__ = (
        "_asked", "_bind", "_failures", "_waiting", "domain", "jid", "lang", "policy", "secure", "state", "user",
    )  # fmt: skip

    def __init__(self, domain: str, policy: C2SPolicy, lang: str = "") -> None:
        self.domain = domain
        self.policy = policy
        self.lang = lang
        """The stream's xml:lang, which stanzas without one inherit; empty when the client named none."""
        self.secure = policy.secure
        """Whether the connection is encrypted by now."""
        self.state = State.OPEN
        self.user = ""
        """Local part of the account, once signed in."""
        self.jid: Jid | None = None
        """Full JID, once bound."""
        self._failures = 0
        self._asked: Mechanism | ScramClaim | _Claim | None = None
        self._bind: Element | None = None  # the request that the answer to Bind, or to legacy sign-in, answers
        self._waiting: deque[Element | _Restart] | None = None

    def features(self) -> bytes:
        """`<stream:features>` for the present state; its prefix is declared by the header or wrapper around it."""
        if self.state in _SIGNED_IN:
            return _FEATURES_AFTER_SASL
        names = tuple(name for name, row in MECHANISMS.items() if self._offers(row))
        return _features_before_sasl(self._offers_tls, self.policy.plain_in_clear, names)

    def receive(self, element: Element, now: float) -> list[Output]:
        """A child of the stream has arrived. `now`: monotonic seconds, as for every core; no rule here has a timer."""
        if self.state in PENDING:
            return self._wait(element)
        return self._handle(element)

    def restart(self, to: str | None) -> list[Output]:
        """The client restarts the stream; `to` as it said, None when it said nothing."""
        if self.state in PENDING:
            return self._wait(_Restart(to))
        return self._restart(to)

    def secured(self) -> None:
        """TLS is there: the stream is as new, whatever was said in the clear (RFC 6120 section 5.4.3.3)."""
        if self.state is State.CLOSED:
            return
        self.secure = True
        self.lang = ""
        self._move(Happening.TLS_DONE)

    def verifier_found(self, verifier: Verifier | None, nonce: str) -> list[Output]:
        """Answer to FindVerifier. None: it cannot be said now. `nonce`: fresh and unpredictable."""
        if self.state is State.CLOSED:
            return []
        claim = self._asked
        assert isinstance(claim, ScramClaim), "nothing was asked"
        if verifier is None:
            return self._resume(self._fail("temporary-auth-failure"))
        self._move(Happening.CHALLENGE_SENT)
        return self._resume([Send(challenge(claim.exchange.challenge(verifier, nonce)))])

    def password_checked(self, ok: bool, temporary: bool = False, user: str | None = None) -> list[Output]:
        """Answer to CheckPassword and CheckProof. `temporary`: not checked at all (locked, store down). `user`: the
        account's own name (agent id) when the client signed in by another (login name). Too late an answer is ignored.
        """
        if self.state is State.CLOSED:
            return []
        claim = self._asked
        assert isinstance(claim, _Claim), "nothing was asked"
        account = user or claim.user
        if temporary:
            outputs = self._fail("temporary-auth-failure")
        elif not ok:
            outputs = self._fail("not-authorized")
        elif claim.authzid not in ("", account, claim.user):
            outputs = self._fail("invalid-authzid")
        else:
            self.user = account
            self._asked = None
            if claim.resource:
                assert self._bind is not None
                self._move(Happening.LEGACY_SUCCEEDED)
                outputs = [Bind(self._bind.attrs["id"], claim.resource)]
            else:
                self._move(Happening.SASL_SUCCEEDED)
                outputs = [Send(success(claim.proof))]
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
        payload = f'<bind xmlns="{BIND_NS}"><jid>{escape(jid)}</jid></bind>'.encode() if request.children else b""
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
        if rule is Rule.LEGACY:
            return self._legacy(element)
        if rule is Rule.START_TLS and self._offers_tls:
            self._asked = None
            self._move(Happening.TLS_BEGUN)
            return [StartTls(_PROCEED)]
        if rule in (Rule.START_TLS, Rule.REFUSE_TLS):
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
        return self._read_claim(mechanism, element.text)

    def _read_response(self, element: Element) -> list[Output]:
        if isinstance(self._asked, Mechanism):
            return self._read_claim(self._asked, element.text)
        claim = self._asked
        assert isinstance(claim, ScramClaim)
        try:
            proven = claim.exchange.prove(decode_response(element.text))
        except SaslError as error:
            return self._fail(error.condition)
        except ScramError:
            return self._fail("malformed-request")
        self._asked = _Claim(claim.user, claim.authzid, claim.exchange.signature)
        self._move(Happening.CHECK_ASKED)
        return [CheckProof(claim.user, proven)]

    def _read_claim(self, mechanism: Mechanism, text: str) -> list[Output]:
        try:
            claim = mechanism.read(decode_response(text), self.domain)
        except SaslError as error:
            return self._fail(error.condition)
        if isinstance(claim, ScramClaim):
            self._asked = claim
            self._move(Happening.VERIFIER_ASKED)
            return [FindVerifier(claim.user, claim.exchange.digest)]
        self._asked = _Claim(claim.user, claim.authzid)  # the password is not kept
        self._move(Happening.CHECK_ASKED)
        return [CheckPassword(claim.user, claim.password)]

    def _legacy(self, element: Element) -> list[Output]:
        """XEP-0078: which fields, or all of them at once."""
        to = element.attrs.get("to")
        query = element.child("query", LEGACY_NS)
        if query is None or not (to is None or self.answers_to(to)):
            return [self._error("not-authorized", "not-authorized")]
        request = Element("iq", CLIENT_NS, {"id": element.attrs.get("id", "")})
        if not self._offers(MECHANISMS["PLAIN"]):
            return self._fail("policy-violation", request, "not without TLS")
        if element.attrs["type"] == "get":
            return [Send(iq_result(request, FIELDS))]
        try:
            asked = read_legacy(query, self.domain)
        except LegacyError as error:
            return self._fail(error.condition, request, str(error))
        self._bind = request
        self._asked = _Claim(asked.user, resource=asked.resource)
        self._move(Happening.CHECK_ASKED)
        return [CheckPassword(asked.user, asked.password)]

    def _fail(self, condition: str, request: Element | None = None, text: str = "") -> list[Output]:
        """A failed sign-in: a SASL failure, or a stanza error when it was tried by a stanza."""
        request = request or self._bind
        self._asked = self._bind = None
        self._failures += 1
        self._move(Happening.SASL_FAILED)
        words = (
            FAILURES[condition] if request is None else stanza_error(request, _LEGACY_WORDS.get(condition, condition))
        )
        outputs: list[Output] = [Send(words)]
        if self._failures >= self.policy.attempts:
            outputs.append(self._error("stream-refused", "policy-violation", "too many failed sign-ins"))
        return outputs

    def _ask_bind(self, element: Element) -> list[Output]:
        bind = element.child("bind", BIND_NS)
        assert bind is not None
        request = Element("iq", CLIENT_NS, {"id": element.attrs.get("id", "")}, (bind,))  # the reply: no addresses
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

    @property
    def _offers_tls(self) -> bool:
        return self.policy.starttls and not self.secure

    def _offers(self, mechanism: Mechanism) -> bool:
        """Without TLS and the switch nobody signs in at all: SCRAM would hide the password, and nothing else."""
        return (self.secure or self.policy.plain_in_clear) and (self.policy.scram or not mechanism.needs_verifier)

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
        while self._waiting and self.state not in PENDING:
            item = self._waiting.popleft()
            outputs += self._restart(item.to) if isinstance(item, _Restart) else self._handle(item)
        return outputs


_LEGACY_WORDS: Final = {"temporary-auth-failure": "resource-constraint"}
"""SASL conditions as the stanza errors of jabber:iq:auth; the others are called the same."""
_SIGNED_IN: Final = frozenset((State.AUTHENTICATED, State.UNBOUND, State.BINDING, State.BOUND))


@cache
def _features_before_sasl(tls_offered: bool, tls_optional: bool, mechanisms: tuple[str, ...]) -> bytes:
    tls = ""
    if tls_offered:
        tls = f'<starttls xmlns="{TLS_NS}"' + ("/>" if tls_optional else "><required/></starttls>")
    names = "".join(f"<mechanism>{name}</mechanism>" for name in mechanisms)
    sasl = f'<mechanisms xmlns="{SASL_NS}">{names}</mechanisms>' if names else ""
    return f"<stream:features>{tls}{sasl}</stream:features>".encode() if tls or sasl else b"<stream:features/>"


def classify(element: Element) -> Input:
    """Which kind of input an element is."""
    name, ns = element.name, element.ns
    if ns == CLIENT_NS and name in _STANZAS:
        if name == "iq":
            kind = element.attrs.get("type")
            for child in element.elements():
                if child.ns == BIND_NS and child.name == "bind" and kind == "set":
                    return Input.BIND
                if child.ns == SESSION_NS and child.name == "session" and kind == "set":
                    return Input.SESSION
                if child.ns == LEGACY_NS and child.name == "query" and kind in ("set", "get"):
                    return Input.LEGACY
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

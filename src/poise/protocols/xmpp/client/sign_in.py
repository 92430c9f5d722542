"""A client's sign-in above any binding: features in, TLS and SASL and bind out (RFC 6120 sections 5 to 7).

`receive` takes each element of the server and gives steps for the stream that carries it; the tables are in `states`.
Once READY, requests of the server are answered as RFC 6120 section 8.2.3 wants: pings with a result, others with an
error.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final, NamedTuple

from poise.protocols.xmpp.client.outputs import Account, Failure, Terms
from poise.protocols.xmpp.client.scram import ScramClient, ScramRefusedError
from poise.protocols.xmpp.client.states import RULES, Input, Rule, State
from poise.protocols.xmpp.errors import STREAM_NS, STREAMS_NS, stanza_error
from poise.protocols.xmpp.replies import iq_result
from poise.protocols.xmpp.sasl import SASL_NS
from poise.protocols.xmpp.stanzas import CLIENT_NS, PING_NS, SESSION_NS
from poise.protocols.xmpp.xml import Element, escape

TLS_NS: Final = "urn:ietf:params:xml:ns:xmpp-tls"
BIND_NS: Final = "urn:ietf:params:xml:ns:xmpp-bind"
_DIGESTS: Final = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}
_INPUTS: Final = {
    ("features", STREAM_NS): Input.FEATURES,
    ("error", STREAM_NS): Input.STREAM_ERROR,
    ("proceed", TLS_NS): Input.PROCEED,
    ("failure", TLS_NS): Input.TLS_FAILURE,
    ("challenge", SASL_NS): Input.CHALLENGE,
    ("success", SASL_NS): Input.SUCCESS,
    ("failure", SASL_NS): Input.FAILURE,
}
_BIND_ID: Final = "bind"
_SESSION_ID: Final = "session"


class Say(NamedTuple):
    """An element for the server."""

    data: bytes


class Restart(NamedTuple):
    """Begin the stream anew."""


class GoSecure(NamedTuple):
    """Change to TLS, call `SignIn.secured`, and begin the stream anew."""


class Done(NamedTuple):
    """Signed in and bound."""

    jid: str


class GiveUp(NamedTuple):
    """The stream is over."""

    failure: Failure
    detail: str


Step = Say | Restart | GoSecure | Done | GiveUp


class SignIn:
    """One client. `nonce` is fresh and unpredictable."""

    __slots__ = ("_account", "_scram", "_secure", "_session_wanted", "_terms", "_waiting_for", "jid", "nonce", "state")

    def __init__(self, account: Account, terms: Terms, nonce: str) -> None:
        self.state = State.OPENING
        self.jid = ""
        """Our full JID, once bound."""
        self.nonce = nonce
        self._account = account
        self._terms = terms
        self._secure = terms.secure
        self._scram: ScramClient | None = None
        self._session_wanted = False
        self._waiting_for = ""

    def receive(self, element: Element) -> list[Step]:
        """One element of the server."""
        rule = RULES[self.state][self._input(element)]
        if rule is Rule.CHOOSE:
            return [self._choose(element)]
        if rule is Rule.SECURE:
            self.state = State.SECURING
            return [GoSecure()]
        if rule is Rule.TLS_REFUSED:
            return [self._give_up(Failure.TLS_REFUSED, "the server will not begin TLS")]
        if rule is Rule.ANSWER_CHALLENGE:
            return [self._answer(element)]
        if rule is Rule.RESTART:
            return [self._succeed(element)]
        if rule is Rule.REFUSED:
            return [self._refused(element)]
        if rule is Rule.BIND:
            return [self._bind(element)]
        if rule is Rule.BOUND:
            return [self._bound(element)]
        if rule is Rule.READY:
            return [self._ready()]
        if rule is Rule.ERROR:
            return [self._give_up(Failure.STREAM_ERROR, condition_of(element))]
        return _reply(element) if self.state is State.READY else []

    def secured(self) -> None:
        """TLS is there: what was said before counts for nothing."""
        self._secure = True
        self.state = State.OPENING

    def close(self) -> None:
        """Nothing more is heard."""
        self.state = State.CLOSED

    # -- inside --------------------------------------------------------------------------------------------------------

    def _input(self, element: Element) -> Input:
        if element.name == "iq" and element.attrs.get("type") in ("result", "error"):
            return Input.ANSWER if element.attrs.get("id") == self._waiting_for else Input.OTHER
        return _INPUTS.get((element.name, element.ns), Input.OTHER)

    def _choose(self, features: Element) -> Step:
        if not self._secure and self._terms.can_secure and features.child("starttls", TLS_NS) is not None:
            self.state = State.ASKING_TLS
            return Say(f'<starttls xmlns="{TLS_NS}"/>'.encode())
        listed = features.child("mechanisms", SASL_NS)
        offered = {child.text.strip().upper() for child in listed.elements()} if listed is not None else set()
        name = next((name for name in self._terms.mechanisms if name in offered), None)
        if name is None:
            names = ", ".join(sorted(offered)) or "nothing"
            return self._give_up(Failure.NO_MECHANISM, f"the server offers {names}")
        if name == "PLAIN" and not (self._secure or self._terms.plain_in_clear):
            return self._give_up(Failure.NOT_SECURE, "the connection is not encrypted")
        self.state = State.SIGNING_IN
        account = self._account
        if name == "PLAIN":
            initial = f"\0{account.user}\0{account.password}".encode()
        else:
            try:
                self._scram = ScramClient(account.user, account.password, _DIGESTS[name], self.nonce)
            except ValueError as error:
                return self._give_up(Failure.PASSWORD, str(error))
            initial = self._scram.first()
        return Say(f'<auth xmlns="{SASL_NS}" mechanism="{name}">{_encoded(initial)}</auth>'.encode())

    def _answer(self, challenge: Element) -> Step:
        data = _decoded(challenge.text)
        answer = b""
        if self._scram is not None:
            try:
                if data.startswith(b"v="):
                    self._scram.check(data)
                    self._scram = None
                else:
                    answer = self._scram.final(data)
            except ScramRefusedError as error:
                return self._give_up(Failure.IMPOSTOR, str(error))
        return Say(f'<response xmlns="{SASL_NS}">{base64.b64encode(answer).decode()}</response>'.encode())

    def _succeed(self, success: Element) -> Step:
        if self._scram is not None:
            try:
                self._scram.check(_decoded(success.text))
            except ScramRefusedError as error:
                return self._give_up(Failure.IMPOSTOR, str(error))
        self.state = State.SIGNED_IN
        return Restart()

    def _refused(self, failure: Element) -> Step:
        condition = next((child.name for child in failure.elements() if child.name != "text"), "not-authorized")
        wrong = condition == "not-authorized"
        return self._give_up(Failure.PASSWORD if wrong else Failure.SIGN_IN, condition)

    def _bind(self, features: Element) -> Step:
        session = features.child("session", SESSION_NS)
        self._session_wanted = session is not None and session.child("optional") is None
        self.state = State.BINDING
        self._waiting_for = _BIND_ID
        resource = f"<resource>{escape(self._account.resource)}</resource>" if self._account.resource else ""
        return Say(_request(_BIND_ID, f'<bind xmlns="{BIND_NS}">{resource}</bind>'))

    def _bound(self, answer: Element) -> Step:
        bind = answer.child("bind", BIND_NS)
        jid = bind.child("jid") if bind is not None else None
        if answer.attrs.get("type") == "error" or jid is None:
            return self._give_up(Failure.BIND, condition_of(answer.child("error") or answer))
        self.jid = jid.text.strip()
        if not self._session_wanted:
            return self._ready()
        self.state = State.STARTING
        self._waiting_for = _SESSION_ID
        return Say(_request(_SESSION_ID, f'<session xmlns="{SESSION_NS}"/>'))

    def _ready(self) -> Step:
        self._waiting_for = ""
        self.state = State.READY
        return Done(self.jid)

    def _give_up(self, failure: Failure, detail: str) -> GiveUp:
        self.state = State.CLOSED
        return GiveUp(failure, detail)


def condition_of(error: Element) -> str:
    """Condition and text of an `<error/>`, of a stream or a stanza."""
    names = [child.name for child in error.elements() if child.name != "text"]
    text = error.child("text", STREAMS_NS) or error.child("text")
    said = f": {text.text.strip()}" if text is not None and text.text.strip() else ""
    return (names[0] if names else "undefined-condition") + said


def _request(iq_id: str, payload: str) -> bytes:
    return f'<iq xmlns="{CLIENT_NS}" type="set" id="{iq_id}">{payload}</iq>'.encode()


def _reply(element: Element) -> list[Step]:
    """What RFC 6120 section 8.2.3 asks of whoever is asked."""
    if element.name != "iq" or element.attrs.get("type") not in ("get", "set"):
        return []
    if element.child("ping", PING_NS) is not None:
        return [Say(iq_result(element))]
    return [Say(stanza_error(element, "service-unavailable"))]


def _encoded(data: bytes) -> str:
    """An initial response (RFC 6120 section 6.4.2)."""
    return base64.b64encode(data).decode() or "="


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text.strip(), validate=True) if text.strip() != "=" else b""
    except (binascii.Error, ValueError):
        return b""

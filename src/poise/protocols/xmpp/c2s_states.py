"""The states of one client's XMPP stream, as tables.

Theory. A stream begins OPEN: nobody is signed in, and the features offer TLS, where the listener has it to offer, and
SASL, where a password may be shown. `<starttls/>` leads to SECURING, where nothing is heard: what came in the clear
counts for nothing, and once TLS is there the stream is OPEN again as if it had just begun. `<auth/>` leads to CHECKING,
where the password is out to be checked: directly; through CHALLENGED when the client sent no initial response; or, for
SCRAM, through LOOKING_UP, where what the account keeps for it is asked for, and CHALLENGED. A failed check leads back
to OPEN, so that the client may try again; a good one to AUTHENTICATED, where only a stream restart is allowed. After
the restart the stream is UNBOUND, and the features offer resource binding; a bind request leads to BINDING, where the
host is asked for the full JID, and its answer to BOUND, where stanzas flow, or back to UNBOUND. Sign-in by
jabber:iq:auth names the resource as well and goes from CHECKING to BINDING at once. In LOOKING_UP, CHECKING and BINDING
everything the client sends waits, in order. A stream error leads from anywhere to CLOSED, where nothing is heard any
more.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class State(Enum):
    """How far a client has come."""

    __hash__ = (
        object.__hash__
    )  # keys of the tables: a member is one object, and the enum's own hash is ten times dearer

    OPEN = "open"
    SECURING = "securing"
    LOOKING_UP = "lookup"
    CHALLENGED = "challenged"
    CHECKING = "checking"
    AUTHENTICATED = "authenticated"
    UNBOUND = "unbound"
    BINDING = "binding"
    BOUND = "bound"
    CLOSED = "closed"


class Input(Enum):
    """What a client can say."""

    __hash__ = object.__hash__

    AUTH = "auth"
    RESPONSE = "response"
    ABORT = "abort"
    STARTTLS = "starttls"
    LEGACY = "jabber:iq:auth"
    RESTART = "restart"
    BIND = "bind"
    SESSION = "session"
    STANZA = "stanza"
    OTHER = "other"


class Rule(Enum):
    """What is done about it."""

    START_SASL = "read the mechanism and the initial response"
    READ_RESPONSE = "read the response to our challenge"
    FAIL_ABORTED = "SASL failure aborted"
    FAIL_MALFORMED = "SASL failure malformed-request"
    START_TLS = "go on with TLS where it is offered, else as REFUSE_TLS"
    LEGACY = "tell the fields, or read and check them (XEP-0078)"
    REFUSE_TLS = "TLS failure and stream error"
    RESTART = "new features, if the address is still ours"
    BIND = "ask the host for the full JID"
    REFUSE_BIND = "stanza error not-allowed"
    SESSION = "empty result (RFC 3921)"
    DELIVER = "stamp and hand on"
    WAIT = "keep until the pending answer is there"
    NOT_AUTHORIZED = "stream error not-authorized"
    UNSUPPORTED = "stream error unsupported-stanza-type"
    IGNORE = "nothing"


class Happening(Enum):
    """What moves the stream from state to state."""

    __hash__ = object.__hash__

    TLS_BEGUN = "TLS begun"
    TLS_DONE = "TLS done"
    VERIFIER_ASKED = "verifier asked for"
    CHALLENGE_SENT = "challenge sent"
    CHECK_ASKED = "password check asked for"
    SASL_FAILED = "SASL failed"
    SASL_SUCCEEDED = "SASL succeeded"
    LEGACY_SUCCEEDED = "signed in by jabber:iq:auth"
    RESTARTED = "stream restarted"
    BIND_ASKED = "full JID asked for"
    BIND_REFUSED = "bind refused"
    BIND_DONE = "full JID given"
    ERROR = "stream error"


_BEFORE_SASL: Final[Mapping[Input, Rule]] = {
    Input.AUTH: Rule.START_SASL,
    Input.RESPONSE: Rule.FAIL_MALFORMED,
    Input.ABORT: Rule.FAIL_ABORTED,
    Input.STARTTLS: Rule.REFUSE_TLS,
    Input.LEGACY: Rule.NOT_AUTHORIZED,
    Input.RESTART: Rule.RESTART,
    Input.BIND: Rule.NOT_AUTHORIZED,
    Input.SESSION: Rule.NOT_AUTHORIZED,
    Input.STANZA: Rule.NOT_AUTHORIZED,
    Input.OTHER: Rule.UNSUPPORTED,
}
_AFTER_SASL: Final[Mapping[Input, Rule]] = {
    Input.AUTH: Rule.UNSUPPORTED,
    Input.RESPONSE: Rule.UNSUPPORTED,
    Input.ABORT: Rule.UNSUPPORTED,
    Input.STARTTLS: Rule.REFUSE_TLS,
    Input.LEGACY: Rule.NOT_AUTHORIZED,
    Input.RESTART: Rule.RESTART,
    Input.BIND: Rule.NOT_AUTHORIZED,
    Input.SESSION: Rule.NOT_AUTHORIZED,
    Input.STANZA: Rule.NOT_AUTHORIZED,
    Input.OTHER: Rule.UNSUPPORTED,
}

RULES: Final[Mapping[State, Mapping[Input, Rule]]] = {
    State.OPEN: {**_BEFORE_SASL, Input.STARTTLS: Rule.START_TLS, Input.LEGACY: Rule.LEGACY},
    State.SECURING: dict.fromkeys(Input, Rule.IGNORE),
    State.LOOKING_UP: dict.fromkeys(Input, Rule.WAIT),
    State.CHALLENGED: {**_BEFORE_SASL, Input.AUTH: Rule.FAIL_MALFORMED, Input.RESPONSE: Rule.READ_RESPONSE},
    State.CHECKING: dict.fromkeys(Input, Rule.WAIT),
    State.AUTHENTICATED: _AFTER_SASL,
    State.UNBOUND: {**_AFTER_SASL, Input.BIND: Rule.BIND},
    State.BINDING: dict.fromkeys(Input, Rule.WAIT),
    State.BOUND: {
        **_AFTER_SASL,
        Input.BIND: Rule.REFUSE_BIND,
        Input.SESSION: Rule.SESSION,
        Input.LEGACY: Rule.DELIVER,
        Input.STANZA: Rule.DELIVER,
    },
    State.CLOSED: dict.fromkeys(Input, Rule.IGNORE),
}
"""What is done about every input in every state."""

PENDING: Final = frozenset(state for state, rules in RULES.items() if rules[Input.STANZA] is Rule.WAIT)
"""States in which an answer from outside is awaited."""

TRANSITIONS: Final[Mapping[tuple[State, Happening], State]] = {
    (State.OPEN, Happening.TLS_BEGUN): State.SECURING,
    (State.SECURING, Happening.TLS_DONE): State.OPEN,
    (State.OPEN, Happening.CHALLENGE_SENT): State.CHALLENGED,
    (State.OPEN, Happening.VERIFIER_ASKED): State.LOOKING_UP,
    (State.CHALLENGED, Happening.VERIFIER_ASKED): State.LOOKING_UP,
    (State.LOOKING_UP, Happening.CHALLENGE_SENT): State.CHALLENGED,
    (State.LOOKING_UP, Happening.SASL_FAILED): State.OPEN,
    (State.OPEN, Happening.CHECK_ASKED): State.CHECKING,
    (State.OPEN, Happening.SASL_FAILED): State.OPEN,
    (State.OPEN, Happening.RESTARTED): State.OPEN,
    (State.CHALLENGED, Happening.CHECK_ASKED): State.CHECKING,
    (State.CHALLENGED, Happening.SASL_FAILED): State.OPEN,
    (State.CHALLENGED, Happening.RESTARTED): State.OPEN,
    (State.CHECKING, Happening.SASL_FAILED): State.OPEN,
    (State.CHECKING, Happening.SASL_SUCCEEDED): State.AUTHENTICATED,
    (State.CHECKING, Happening.LEGACY_SUCCEEDED): State.BINDING,
    (State.AUTHENTICATED, Happening.RESTARTED): State.UNBOUND,
    (State.UNBOUND, Happening.BIND_ASKED): State.BINDING,
    (State.UNBOUND, Happening.RESTARTED): State.UNBOUND,
    (State.BINDING, Happening.BIND_DONE): State.BOUND,
    (State.BINDING, Happening.BIND_REFUSED): State.UNBOUND,
    (State.BOUND, Happening.RESTARTED): State.BOUND,
    **{(state, Happening.ERROR): State.CLOSED for state in State},
}
"""Where every happening leads; a pair that is missing cannot happen."""

"""The states of a client's sign-in, as tables.

Theory. A stream is OPENING until the server's features come. They offer TLS, which is taken where it is there (the
stream is then SECURING, and OPENING again behind TLS), or a way to sign in. In SIGNING_IN challenges are answered until
the server says yes, after which the stream is begun anew: SIGNED_IN waits for the second features, BINDING for a full
JID, STARTING for the session that servers before RFC 6121 want. READY carries stanzas. What does not belong to a state
is passed over: servers add things of their own, and a client that stops at them is of no use. A stream error, a
refusal and a breach of the protocol lead to CLOSED, where nothing is heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class State(Enum):
    """How far the client has come."""

    OPENING = "opening"
    ASKING_TLS = "asking for TLS"
    SECURING = "securing"
    SIGNING_IN = "signing in"
    SIGNED_IN = "signed in"
    BINDING = "binding"
    STARTING = "starting the session"
    READY = "ready"
    CLOSED = "closed"


class Input(Enum):
    """What the server can say."""

    FEATURES = "features"
    PROCEED = "proceed"
    TLS_FAILURE = "TLS failure"
    CHALLENGE = "challenge"
    SUCCESS = "success"
    FAILURE = "SASL failure"
    ANSWER = "answer to our request"
    STREAM_ERROR = "stream error"
    OTHER = "other"


class Rule(Enum):
    """What is done about it."""

    CHOOSE = "take TLS, or a mechanism"
    SECURE = "go on with TLS"
    TLS_REFUSED = "give up: no TLS"
    ANSWER_CHALLENGE = "answer the challenge"
    RESTART = "check the server's proof, begin the stream anew"
    REFUSED = "give up: the sign-in was refused"
    BIND = "ask for the full JID"
    BOUND = "take the full JID, start a session where one is wanted"
    READY = "be ready"
    ERROR = "give up: a stream error"
    SKIP = "pass over"


def _in(expected: Mapping[Input, Rule]) -> Mapping[Input, Rule]:
    return {**dict.fromkeys(Input, Rule.SKIP), Input.STREAM_ERROR: Rule.ERROR, **expected}


RULES: Final[Mapping[State, Mapping[Input, Rule]]] = {
    State.OPENING: _in({Input.FEATURES: Rule.CHOOSE}),
    State.ASKING_TLS: _in({Input.PROCEED: Rule.SECURE, Input.TLS_FAILURE: Rule.TLS_REFUSED}),
    State.SECURING: _in({}),
    State.SIGNING_IN: _in(
        {Input.CHALLENGE: Rule.ANSWER_CHALLENGE, Input.SUCCESS: Rule.RESTART, Input.FAILURE: Rule.REFUSED}
    ),
    State.SIGNED_IN: _in({Input.FEATURES: Rule.BIND}),
    State.BINDING: _in({Input.ANSWER: Rule.BOUND}),
    State.STARTING: _in({Input.ANSWER: Rule.READY}),
    State.READY: _in({}),
    State.CLOSED: dict.fromkeys(Input, Rule.SKIP),
}
"""What is done about every input in every state."""

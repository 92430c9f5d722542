"""A client's stream on WebSocket, above the frames: one whole element in each text message (RFC 7395).

No sockets, no clock and no WebSocket frames: whole text messages in, outputs out, each `Send` one text message. What a
message says for itself is decided by the tables below; what it means for the client's sign-in and stanzas by `C2S`.

Theory. A stream begins FRESH, where only `<open/>` is right; ours answers it, and the features follow in a message of
their own. Then it is OPEN: elements go to `C2S`, a further `<open/>` is the restart after sign-in, and `<close/>` ends
it. While an answer about the client (its password, its resource) is awaited, messages wait in order. Whatever breaks
the rules is told in three messages, `<open/>` (unless ours is there already), the stream error and `<close/>`; after
that, and after `<close/>`, the stream is CLOSED and nothing is heard.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final

from poise.protocols.xmpp.c2s import C2S, Send, StreamError
from poise.protocols.xmpp.c2s import Output as C2SOutput
from poise.protocols.xmpp.c2s_states import PENDING, State
from poise.protocols.xmpp.errors import FAULT_ENDINGS, STREAM_NS, stream_error
from poise.protocols.xmpp.opening import adopt_language, opening_problem
from poise.protocols.xmpp.scram import Verifier
from poise.protocols.xmpp.stream import Finished
from poise.protocols.xmpp.xml import LIMITS, Element, Limits, XmlError, escape_attr, parse
from poise.registry import ENDINGS

FRAMING_NS: Final = "urn:ietf:params:xml:ns:xmpp-framing"
CLOSE: Final = f'<close xmlns="{FRAMING_NS}"/>'.encode()
_FEATURES: Final = b"<stream:features"
_SELF_CONTAINED_FEATURES: Final = f'<stream:features xmlns:stream="{STREAM_NS}"'.encode()
_SPACE: Final = b" \t\r\n"

FrameOutput = C2SOutput | Finished
"""Never a StreamError: that has been turned into messages and Finished."""


class FramingState(Enum):
    """How far the stream itself has come."""

    FRESH = "fresh"
    OPEN = "open"
    CLOSED = "closed"


class Message(Enum):
    """What a text message can be."""

    SPACE = "white space alone"
    OPEN = "<open/>"
    CLOSE = "<close/>"
    FOREIGN_OPEN = "an <open/> of another namespace"
    ELEMENT = "any other element"


class FramingRule(Enum):
    """What is done about it."""

    IGNORE = "nothing"
    START = "our <open/> and the features, or why not"
    RESTART = "the same, if the client has just signed in"
    FAREWELL = "our <close/>, and the end"
    HAND_ON = "ask the client's stream"
    INVALID_NAMESPACE = "stream error invalid-namespace"
    BAD_FORMAT = "stream error bad-format"


FRAMING_RULES: Final[Mapping[FramingState, Mapping[Message, FramingRule]]] = {
    FramingState.FRESH: {
        Message.SPACE: FramingRule.IGNORE,
        Message.OPEN: FramingRule.START,
        Message.CLOSE: FramingRule.FAREWELL,
        Message.FOREIGN_OPEN: FramingRule.INVALID_NAMESPACE,
        Message.ELEMENT: FramingRule.BAD_FORMAT,
    },
    FramingState.OPEN: {
        Message.SPACE: FramingRule.IGNORE,
        Message.OPEN: FramingRule.RESTART,
        Message.CLOSE: FramingRule.FAREWELL,
        Message.FOREIGN_OPEN: FramingRule.HAND_ON,
        Message.ELEMENT: FramingRule.HAND_ON,
    },
    FramingState.CLOSED: dict.fromkeys(Message, FramingRule.IGNORE),
}
"""What is done about every message in every state."""


class FramedStream:
    """One connection. `new_id` gives a fresh unpredictable stream id for every `<open/>`."""

    __slots__ = ("_limits", "_new_id", "_opened", "_redirect", "_waiting", "_waiting_bytes", "c2s", "state")

    def __init__(self, c2s: C2S, new_id: Callable[[], str], *, redirect: str = "", limits: Limits = LIMITS) -> None:
        """`redirect`: where every client is sent instead of being served (`see-other-uri`, RFC 7395 section 3.6.1);
        the address must be at least as secure as this one."""
        self.c2s = c2s
        self.state = FramingState.FRESH
        self._new_id = new_id
        self._redirect = redirect
        self._limits = limits
        self._opened = False  # whether our <open/> is out, since the client's last one
        self._waiting: deque[bytes] | None = None
        self._waiting_bytes = 0

    @property
    def finished(self) -> bool:
        """Whether the stream is over: nothing more is heard, nothing more may be sent."""
        return self.state is FramingState.CLOSED

    def receive(self, message: bytes, now: float) -> list[FrameOutput]:
        """A whole text message, in UTF-8."""
        outputs: list[FrameOutput] = []
        if self._waiting is not None or self.c2s.state in PENDING:
            self._wait(message, outputs)
        else:
            self._hear(message, outputs, now)
        return outputs

    def verifier_found(self, verifier: Verifier | None, nonce: str, now: float) -> list[FrameOutput]:
        """Answer to FindVerifier, as for `C2S.verifier_found`."""
        return self._answered(self.c2s.verifier_found(verifier, nonce), now)

    def password_checked(
        self, ok: bool, now: float, temporary: bool = False, user: str | None = None
    ) -> list[FrameOutput]:
        """Answer to CheckPassword and CheckProof, as for `C2S.password_checked`."""
        return self._answered(self.c2s.password_checked(ok, temporary, user), now)

    def bound(self, jid: str, now: float) -> list[FrameOutput]:
        """Answer to Bind: the full JID."""
        return self._answered(self.c2s.bound(jid), now)

    def bind_refused(self, condition: str, now: float) -> list[FrameOutput]:
        """Answer to Bind: no, with a stanza error condition."""
        return self._answered(self.c2s.bind_refused(condition), now)

    def end(self, ending_code: str, text: str = "") -> list[bytes]:
        """The server ends the stream: the last messages to send; none when it is over already."""
        return self._last_words(ENDINGS[ending_code].stream, text)

    # -- inside --------------------------------------------------------------------------------------------------------

    def _answered(self, answers: list[C2SOutput], now: float) -> list[FrameOutput]:
        """What came of an answer about the client; the messages that waited for it are heard now."""
        outputs: list[FrameOutput] = []
        if self.finished:
            return outputs
        self._translate(answers, outputs)
        while self._waiting and not self.finished and self.c2s.state not in PENDING:
            message = self._waiting.popleft()
            self._waiting_bytes -= len(message)
            self._hear(message, outputs, now)
        if not self._waiting:
            self._waiting = None
        return outputs

    def _wait(self, message: bytes, outputs: list[FrameOutput]) -> None:
        if self.finished:
            return
        if self._waiting is None:
            self._waiting = deque()
        self._waiting_bytes += len(message)
        if len(self._waiting) >= self.c2s.policy.waiting or self._waiting_bytes > self._limits.size:
            self._refuse("too-active", "policy-violation", "too much sent ahead", outputs)
            return
        self._waiting.append(message)

    def _hear(self, message: bytes, outputs: list[FrameOutput], now: float) -> None:
        if self.finished or not message.strip(_SPACE):
            return
        if message[:1] != b"<" or message[:2] == b"<?":  # RFC 7395 section 3.3.3
            self._refuse("stream-refused", "bad-format", "a message must begin with its element", outputs)
            return
        try:
            element = parse(message, self._limits)
        except XmlError as error:
            code, condition = FAULT_ENDINGS[error.kind]
            self._refuse(code, condition, error.detail, outputs)
            return
        rule = FRAMING_RULES[self.state][classify(element)]
        if rule is FramingRule.HAND_ON:
            self._translate(self.c2s.receive(element, now), outputs)
        elif rule is FramingRule.START or (rule is FramingRule.RESTART and self.c2s.state is State.AUTHENTICATED):
            self._open(element, outputs)
        elif rule is FramingRule.FAREWELL:
            outputs += (*map(Send, self._last_words(None)), Finished("client-left", "<close/>"))
        elif rule is FramingRule.INVALID_NAMESPACE:
            self._refuse("stream-refused", "invalid-namespace", "", outputs)
        else:
            text = "<open/> out of place" if rule is FramingRule.RESTART else "<open/> comes first"
            self._refuse("stream-refused", "bad-format", text, outputs)

    def _open(self, element: Element, outputs: list[FrameOutput]) -> None:
        """Answer an `<open/>`: ours, then features or the reason why not (ours goes out in either case)."""
        c2s = self.c2s
        adopt_language(c2s, element.attrs)
        self._opened = False
        problem = opening_problem(c2s, element.attrs, newest=1)
        if problem is not None:
            self._refuse("stream-refused", problem, "", outputs)
            return
        self.state = FramingState.OPEN
        outputs.append(Send(self._our_open()))
        if self._redirect:
            self.state = FramingState.CLOSED
            elsewhere = f'<close xmlns="{FRAMING_NS}" see-other-uri="{escape_attr(self._redirect)}"/>'.encode()
            outputs += (Send(elsewhere), Finished("stream-refused", "see-other-uri"))
            return
        self._translate(c2s.restart(element.attrs.get("to")), outputs)

    def _translate(self, answers: list[C2SOutput], outputs: list[FrameOutput]) -> None:
        for answer in answers:
            if isinstance(answer, StreamError):
                self._refuse(answer.ending_code, answer.condition, answer.text, outputs)
                return
            if isinstance(answer, Send) and answer.data.startswith(_FEATURES):
                answer = Send(_SELF_CONTAINED_FEATURES + answer.data[len(_FEATURES) :])
            outputs.append(answer)

    def _refuse(self, code: str, condition: str, text: str, outputs: list[FrameOutput]) -> None:
        evidence = f"{condition}: {text}" if text else condition
        outputs += (*map(Send, self._last_words(condition, text)), Finished(code, evidence))

    def _last_words(self, condition: str | None, text: str = "") -> list[bytes]:
        if self.finished:
            return []
        self.state = FramingState.CLOSED
        self._waiting = None
        words: list[bytes] = []
        if condition is not None:
            if not self._opened:
                words.append(self._our_open())
            words.append(stream_error(condition, text))
        words.append(CLOSE)
        return words

    def _our_open(self) -> bytes:
        """Collapsed, and the language with its prefix: clients have been seen to need both."""
        self._opened = True
        c2s = self.c2s
        return (
            f'<open xmlns="{FRAMING_NS}" from="{escape_attr(c2s.domain)}" id="{escape_attr(self._new_id())}" '
            f'version="1.0" xml:lang="{c2s.lang or "en"}"/>'
        ).encode()


def classify(element: Element) -> Message:
    """Which kind of message an element is."""
    if element.ns == FRAMING_NS:
        if element.name == "open":
            return Message.OPEN
        if element.name == "close":
            return Message.CLOSE
    elif element.name == "open":
        return Message.FOREIGN_OPEN
    return Message.ELEMENT

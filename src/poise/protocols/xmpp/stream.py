"""A client's stream on TCP: header in and out, elements for `C2S`, errors around the header (RFC 6120 section 4).

No sockets and no clock: bytes in, outputs out. Deadlines (sign-in, silence) and TLS are the shell's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from poise.protocols.xmpp.c2s import (
    C2S,
    CLIENT_NS,
    Bind,
    CheckPassword,
    CheckProof,
    FindVerifier,
    Send,
    Stanza,
    StartTls,
    StreamError,
)
from poise.protocols.xmpp.c2s import Output as C2SOutput
from poise.protocols.xmpp.c2s_states import PENDING, State
from poise.protocols.xmpp.errors import FAULT_ENDINGS, STREAM_NS, stream_error
from poise.protocols.xmpp.opening import adopt_language, opening_problem
from poise.protocols.xmpp.scram import Verifier
from poise.protocols.xmpp.xml import LIMITS, Element, Limits, XmlError, escape_attr
from poise.protocols.xmpp.xml_stream import StreamClosed, StreamEvent, StreamOpened, StreamParser
from poise.registry import ENDINGS

_CLOSE: Final = b"</stream:stream>"


class Finished(NamedTuple):
    """Write what was sent, then close the connection."""

    ending_code: str
    """Key of `poise.registry.ENDINGS`."""
    evidence: str


TcpOutput = Send | StartTls | FindVerifier | CheckPassword | CheckProof | Bind | Stanza | Finished


class TcpStream:
    """One connection. `new_id` gives a fresh unpredictable stream id for every header."""

    __slots__ = ("_header_sent", "_new_id", "_parser", "c2s", "finished")

    def __init__(self, c2s: C2S, new_id: Callable[[], str], limits: Limits = LIMITS) -> None:
        self.c2s = c2s
        self.finished = False
        """Whether the stream is over: nothing more is heard, nothing more may be sent."""
        self._new_id = new_id
        self._parser = StreamParser(limits)
        self._header_sent = False

    def receive(self, data: bytes, now: float) -> list[TcpOutput]:
        """Bytes from the client, split in any way. White space alone (keep-alive) gives no output.

        After StartTls only what came through TLS may be given here, and only after `secured`.
        """
        outputs: list[TcpOutput] = []
        if self.c2s.state is not State.SECURING:
            self._read(data, outputs, now)
        return outputs

    def secured(self) -> None:
        """TLS is there: a new stream begins, and nothing that was said before counts (RFC 6120 section 5.4.3.3)."""
        self.c2s.secured()
        self._parser.close()
        self._parser = StreamParser(self._parser.limits)
        self._header_sent = False

    def verifier_found(self, verifier: Verifier | None, nonce: str, now: float) -> list[TcpOutput]:
        """Answer to FindVerifier, as for `C2S.verifier_found`."""
        return self._answered(self.c2s.verifier_found(verifier, nonce), now)

    def password_checked(
        self, ok: bool, now: float, temporary: bool = False, user: str | None = None
    ) -> list[TcpOutput]:
        """Answer to CheckPassword and CheckProof, as for `C2S.password_checked`."""
        return self._answered(self.c2s.password_checked(ok, temporary, user), now)

    def bound(self, jid: str, now: float) -> list[TcpOutput]:
        """Answer to Bind: the full JID."""
        return self._answered(self.c2s.bound(jid), now)

    def bind_refused(self, condition: str, now: float) -> list[TcpOutput]:
        """Answer to Bind: no, with a stanza error condition."""
        return self._answered(self.c2s.bind_refused(condition), now)

    def end(self, ending_code: str, text: str = "") -> bytes:
        """The server ends the stream: the last bytes to write; empty when it is over already."""
        return self._last_words(ENDINGS[ending_code].stream, text)

    def close(self) -> None:
        """The connection is gone: nothing more is read."""
        self._parser.close()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _answered(self, answers: list[C2SOutput], now: float) -> list[TcpOutput]:
        outputs: list[TcpOutput] = []
        if self.finished:
            return outputs
        self._translate(answers, outputs)
        self._parser.paused = False
        if self.c2s.state is State.AUTHENTICATED:
            self._parser.restart()
        elif self.c2s.state is State.BOUND:
            self._parser.stepwise = False
        self._read(b"", outputs, now)
        return outputs

    def _read(self, data: bytes, outputs: list[TcpOutput], now: float) -> None:
        parser = self._parser
        while not self.finished:
            events = parser.feed(data)
            for event in events:
                self._hear(event, outputs, now)
                if self.finished:
                    return
            if not events or not parser.stepwise or self.c2s.state is State.SECURING:
                return
            parser.paused = self.c2s.state in PENDING
            if not parser.waiting:
                return
            data = b""

    def _hear(self, event: StreamEvent, outputs: list[TcpOutput], now: float) -> None:
        if isinstance(event, Element):
            self._translate(self.c2s.receive(event, now), outputs)
        elif isinstance(event, StreamOpened):
            self._open(event, outputs)
        elif isinstance(event, StreamClosed):
            outputs += (Send(self._last_words(None)), Finished("client-left", "end of stream"))
        else:
            assert isinstance(event, XmlError)
            code, condition = FAULT_ENDINGS[event.kind]
            self._refuse(code, condition, event.detail, outputs)

    def _open(self, header: StreamOpened, outputs: list[TcpOutput]) -> None:
        """Answer a header: ours, then features or the reason why not (the header goes out in either case)."""
        c2s = self.c2s
        adopt_language(c2s, header.attrs)
        self._header_sent = False
        problem = self._header_problem(header)
        if problem is not None:
            self._refuse("stream-refused", problem, "", outputs)
            return
        outputs.append(Send(self._header()))
        self._translate(c2s.restart(header.attrs.get("to")), outputs)

    def _header_problem(self, header: StreamOpened) -> str | None:
        """The stream error condition that a header deserves (RFC 6120 sections 4.7 to 4.9); None for a good one."""
        if (header.name, header.ns, header.content_ns) != ("stream", STREAM_NS, CLIENT_NS):
            return "invalid-namespace"
        return opening_problem(self.c2s, header.attrs)

    def _translate(self, answers: list[C2SOutput], outputs: list[TcpOutput]) -> None:
        for answer in answers:
            if isinstance(answer, StreamError):
                self._refuse(answer.ending_code, answer.condition, answer.text, outputs)
                return
            if isinstance(answer, StartTls) and self._parser.waiting:
                # whoever sent it may not be the one who will speak through TLS
                self._refuse("stream-refused", "policy-violation", "data behind starttls", outputs)
                return
            outputs.append(answer)

    def _refuse(self, code: str, condition: str, text: str, outputs: list[TcpOutput]) -> None:
        outputs += (
            Send(self._last_words(condition, text)),
            Finished(code, f"{condition}: {text}" if text else condition),
        )

    def _last_words(self, condition: str | None, text: str = "") -> bytes:
        if self.finished:
            return b""
        self.finished = True
        words = b"" if self._header_sent else self._header()
        if condition is not None:
            words += stream_error(condition, text, declare=False)
        return words + _CLOSE

    def _header(self) -> bytes:
        """Ours; double quotes, and `from` early: some clients search it as text."""
        self._header_sent = True
        c2s = self.c2s
        return (
            f'<?xml version="1.0"?><stream:stream from="{escape_attr(c2s.domain)}" id="{escape_attr(self._new_id())}" '
            f'version="1.0" xml:lang="{c2s.lang or "en"}" xmlns="{CLIENT_NS}" xmlns:stream="{STREAM_NS}">'
        ).encode()

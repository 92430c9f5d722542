"""One client's session above its binding: carries out what its XMPP stream asks for. BOSH and TCP build on it."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from poise.protocols.xmpp.c2s import (
    C2S,
    Bind,
    CheckPassword,
    CheckProof,
    FindVerifier,
    Send,
    Stanza,
    StartTls,
    StreamError,
)
from poise.protocols.xmpp.host import BindRefused
from poise.protocols.xmpp.scram import Verifier
from poise.protocols.xmpp.stream import Finished
from poise.protocols.xmpp.xml import Element, to_bytes
from poise.server.notification.timing import SIGN_IN_S

if TYPE_CHECKING:
    from poise.server.notification.hub import Hub, Verdict

Output = Send | StartTls | FindVerifier | CheckPassword | CheckProof | Bind | Stanza | StreamError | Finished

NONCE_BYTES = 18
"""Random bytes of SCRAM's server nonce; RFC 5802 section 5.1 only wants it unpredictable."""

_PRESENCE_MAX_BYTES = 2048
"""Presence kept for the log's `consumeResponse` lines; Finesse's own have about 300 bytes."""


class Load(NamedTuple):
    """What a session costs at this moment."""

    held: int
    """BOSH requests that are held open; 0 on a binding that holds none."""
    stanzas: int
    """Stanzas that wait for the client; always 0 where they are handed to the socket at once."""
    octets: int
    """Bytes that wait for the client: of these stanzas, or in the socket's buffer."""


class ClientSession(ABC):
    """A session from its first byte to its end; the host's `Client` once bound."""

    __slots__ = (
        "address", "armed", "c2s", "created_at", "gone", "hub", "jid", "presence", "received", "sent", "sign_in_by",
    )  # fmt: skip

    transport = ""
    """`bosh`, `tcp` or `websocket`."""

    def __init__(self, hub: Hub, c2s: C2S, address: str, now: float) -> None:
        self.hub = hub
        self.c2s = c2s
        self.address = address
        self.jid = ""
        """Full JID; set by the host at bind."""
        self.gone = False
        """Whether the session is over."""
        self.created_at = now
        self.sign_in_by = now + SIGN_IN_S
        """Monotonic seconds until which a resource must be bound; `inf` once it is."""
        self.armed = inf
        """The timer wheel's note."""
        self.sent = 0
        """Stanzas from the host."""
        self.received = 0
        """Stanzas for the host."""
        self.presence = b""
        """The last presence, for the log."""

    # -- what a binding provides -----------------------------------------------------------------------------------

    @property
    @abstractmethod
    def name(self) -> str:
        """Session id in logs and trace."""

    @abstractmethod
    def deliver(self, stanza: bytes, now: float) -> None:
        """A stanza from the host."""

    def deliver_all(self, stanzas: list[bytes], now: float) -> None:
        """Several stanzas from the host; a binding that can carry them together does so."""
        for stanza in stanzas:
            self.deliver(stanza, now)

    @property
    @abstractmethod
    def deadline(self) -> float:
        """For the timer wheel."""

    @abstractmethod
    def due(self, now: float) -> None:
        """The deadline has passed."""

    @abstractmethod
    def idle_s(self, now: float) -> float:
        """Seconds since the client was last there."""

    @abstractmethod
    def heard(self, now: float) -> tuple[float, float]:
        """The interval in which the last contact lies, monotonic seconds, as in `registry.Closed`."""

    @property
    @abstractmethod
    def load(self) -> Load:
        """What is held and waits right now."""

    def released(self, now: float) -> None:  # noqa: B027 - not every binding holds answers back
        """All that this client sent is durable: answers that acknowledge it may go out."""

    @abstractmethod
    def end(self, code: str, now: float, *, evidence: str = "", timer_s: float | None = None) -> None:
        """End the session by a code of the registry; harmless when it is over."""

    @abstractmethod
    def _send(self, data: bytes, now: float) -> None:
        """Bytes for the client, a stanza or what the stream itself says."""

    @abstractmethod
    def _over(self, output: StreamError | Finished, unsent: bytes, now: float) -> None:
        """The stream is over by its own rules; `unsent` is what it said just before."""

    def _start_tls(self, proceed: bytes, now: float) -> None:
        """Only streams whose policy offers TLS ask for it."""
        raise AssertionError("this binding's TLS begins before it does")

    def _verifier_found(self, verifier: Verifier | None, nonce: str, now: float) -> Sequence[Output]:
        return self.c2s.verifier_found(verifier, nonce)

    @abstractmethod
    def _checked(self, verdict: Verdict, now: float) -> Sequence[Output]:
        """Tell the stream the verdict; what it says to that."""

    @abstractmethod
    def _bound(self, jid: str, now: float) -> Sequence[Output]:
        """Tell the stream its full JID; what it says to that."""

    @abstractmethod
    def _bind_refused(self, condition: str, now: float) -> Sequence[Output]:
        """Tell the stream that it gets no JID; what it says to that."""

    # -- what the stream asks for ----------------------------------------------------------------------------------

    def obey(self, outputs: Sequence[Output], now: float) -> None:
        """Carry out the stream's outputs in order. The host's own outputs are delivered by `Hub.settle` later."""
        queue = deque(outputs)
        unsent: list[bytes] = []
        while queue and not self.gone:
            output = queue.popleft()
            if isinstance(output, Send):
                unsent.append(output.data)  # a stream error that follows takes it along in one answer
                continue
            if isinstance(output, StreamError | Finished):
                self._over(output, b"".join(unsent), now)
                return
            self._flush(unsent, now)
            if isinstance(output, Stanza):
                self._stanza(output.element, now)
            elif isinstance(output, CheckPassword):
                queue.extendleft(reversed(self._check(output, now)))
            elif isinstance(output, FindVerifier):
                self.hub.find_verifier(self, output)
            elif isinstance(output, CheckProof):
                self.hub.check_proof(self, output)
            elif isinstance(output, StartTls):
                self._start_tls(output.proceed, now)
            elif isinstance(output, Bind):
                queue.extendleft(reversed(self._bind(output, now)))
        if not self.gone:
            self._flush(unsent, now)

    def _flush(self, unsent: list[bytes], now: float) -> None:
        for data in unsent:
            self._send(data, now)
        unsent.clear()

    def _stanza(self, element: Element, now: float) -> None:
        self.received += 1
        if element.name == "presence" and "to" not in element.attrs:
            text = to_bytes(element)
            self.presence = text if len(text) <= _PRESENCE_MAX_BYTES else b""
        self.hub.host.receive(self, element, now)

    def _check(self, asked: CheckPassword, now: float) -> Sequence[Output]:
        verdict = self.hub.accounts.check_cached(asked.user, asked.password)
        if verdict is None:
            self.hub.check_later(self, asked.user, asked.password)
            return ()
        return self.verdict(asked.user, verdict, now)

    def verifier_found(self, verifier: Verifier | None, now: float) -> Sequence[Output]:
        """The stream's outputs once it is known what the account keeps for SCRAM."""
        return self._verifier_found(verifier, secrets.token_urlsafe(NONCE_BYTES), now)

    def verdict(self, user: str, verdict: Verdict, now: float) -> Sequence[Output]:
        """The stream's outputs once the password is checked."""
        if not verdict.ok:
            self.hub.log.sign_in_failed(sid=self.name, user=user, address=self.address, temporary=verdict.temporary)
        return self._checked(verdict, now)

    def _bind(self, asked: Bind, now: float) -> Sequence[Output]:
        try:
            jid = self.hub.host.attach(self, self.c2s.user, asked.resource, now)
        except BindRefused as refused:
            return self._bind_refused(refused.condition, now)
        if self.sign_in_by != inf:
            self.sign_in_by = inf
            self.hub.admission.settled(self.address)
        self.hub.log.session_bound(sid=self.name, jid=jid, address=self.address)
        return self._bound(jid, now)

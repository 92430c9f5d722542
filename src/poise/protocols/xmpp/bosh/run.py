"""What a BOSH session keeps: the run of its requests, what waits for them, its clocks, and how it ends.

No id of the run is stored but the last one read: `_replay` holds the answers of the ids just before the held ones,
`_held` the open requests up to and including `_last`, `_early` those beyond a hole. `session` decides what is done
with a request; this part keeps the books. The theory is at the head of `states`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Final, NamedTuple

from poise.protocols.xmpp.bosh.creation import Terms
from poise.protocols.xmpp.bosh.effects import Answer, Effect, Ended
from poise.protocols.xmpp.bosh.states import TRANSITIONS, Event, State
from poise.protocols.xmpp.bosh.timing import BoshPolicy, Inactivity
from poise.protocols.xmpp.bosh.wire import EMPTY, LEGACY_STATUS, Body, terminate, wrap
from poise.protocols.xmpp.errors import stream_error
from poise.registry import ENDINGS, Closed

NEVER: Final = float("inf")
LONG_AGO: Final = float("-inf")
NOTHING: Final[tuple[Effect, ...]] = ()


class Early(NamedTuple):
    """A request not yet read."""

    channel: Hashable | None
    """Where its answer goes; None when the client closed it."""
    body: Body | None
    """None for an empty poll."""
    ack: int | None
    """The client's acknowledgement, if it gave one."""


class Run:
    """The books of one session; `BoshSession` is the only one to use it."""

    __slots__ = (
        "_answered_at",
        "_early",
        "_empty_at",
        "_fresh",
        "_gap_until",
        "_gone_at",
        "_heard_at",
        "_held",
        "_hold",
        "_idle_for",
        "_idle_since",
        "_last",
        "_patience",
        "_plain",
        "_policy",
        "_polling",
        "_queue",
        "_queue_bytes",
        "_repeats",
        "_repeats_from",
        "_repeats_rid",
        "_replay",
        "_wait",
        "content_type",
        "deadline",
        "idle_limit_s",
        "lang",
        "legacy",
        "overactive",
        "requests",
        "sid",
        "state",
        "stream_id",
    )

    def __init__(self, terms: Terms, rid: int, sid: str, stream_id: str, policy: BoshPolicy, now: float) -> None:
        self.sid = sid
        self.stream_id = stream_id
        self.content_type = terms.content_type
        """Content-Type of every answer of this session."""
        self.lang = terms.lang
        """`xml:lang` of the session, None when the client named none."""
        self.legacy = terms.legacy
        """Whether the client named no `ver` and gets errors as HTTP status."""
        self.requests = terms.requests
        """Width of the window of request ids."""
        self.state = State.IDLE
        """Which clock is running."""
        self.overactive = 0
        """How often the client was more active than agreed while policy only logs it."""
        self._policy = policy
        self._patience: float = NEVER if terms.inactivity_s is None else terms.inactivity_s
        self.idle_limit_s = self._patience
        """Longest allowed `idle_s`, seconds; for the length of a pause what the client asked for."""
        self._wait = terms.wait_s
        self._hold = terms.hold
        self._polling: float = LONG_AGO if policy.polling_s is None else policy.polling_s
        self._plain = terms.hold == 1 and not terms.acking  # so `requests` is 2, and every empty answer is EMPTY
        self._idle_for = self.idle_limit_s if policy.inactivity is Inactivity.EXACT else NEVER
        self._last = rid  # the last request read
        self._held: list[tuple[Hashable | None, float]] = []  # channel (None: closed by the client), held until
        self._early: dict[int, Early] | None = None
        self._replay: list[bytes] = []
        self._answered_at: list[float] | None = [] if terms.acking else None  # beside _replay, for `report`
        self._queue: list[bytes] | None = None  # None when empty: an empty list costs more than the question
        self._queue_bytes = 0
        self._fresh: tuple[bytes, ...] = ()  # stanzas of answers given since the last new request
        self._repeats = 0
        self._repeats_from = LONG_AGO
        self._repeats_rid = 0
        self._empty_at = LONG_AGO  # when the last request came, if it asked for nothing and got nothing
        self._heard_at = self._gone_at = self._idle_since = now
        self._gap_until = NEVER
        self.deadline = now + self._idle_for
        """When `due` must be called, monotonic seconds; infinity when there is nothing to wait for. May move at
        every call."""

    # -- questions ------------------------------------------------------------------------------------------

    def idle_s(self, now: float) -> float:
        """Seconds without an open request; 0 while one is held, as Openfire's "was last active 0 ms ago"."""
        return 0.0 if self._held or self._early else max(0.0, now - self._idle_since)

    def heard(self, now: float) -> tuple[float, float]:
        """The interval in which the last contact lies, monotonic seconds: not before the last request came, and not
        after its answer left or its connection closed. While one is open the client may have died at any moment
        since."""
        if any(channel is not None for channel in self._waiting()):
            return self._heard_at, now
        return self._heard_at, max(self._heard_at, self._gone_at)

    @property
    def queued(self) -> int:
        """Stanzas waiting for a request."""
        return len(self._queue) if self._queue is not None else 0

    @property
    def queued_bytes(self) -> int:
        """Bytes of these stanzas."""
        return self._queue_bytes if self._queue is not None else 0

    @property
    def open_requests(self) -> int:
        """Requests somebody is waiting at, early ones included."""
        return sum(channel is not None for channel in self._waiting())

    def _waiting(self) -> list[Hashable | None]:
        """The channels of all open requests, in the order of their ids."""
        channels = [channel for channel, _ in self._held]
        if self._early:
            channels += (self._early[rid].channel for rid in sorted(self._early))
        return channels

    # -- answers --------------------------------------------------------------------------------------------

    def _answer_oldest(
        self, effects: list[Effect], now: float, more: bytes = b"", with_stanzas: bool = True, spare: int = 0
    ) -> None:
        """Answer the oldest held request: with what is queued if the client is there to read it, else with nothing.
        `spare`: answers kept beyond the agreed number, as the answer to a pause must not push out another
        (XEP-0124 section 14.3)."""
        channel, _ = self._held.pop(0)
        payload = b""
        if with_stanzas and channel is not None and self._queue is not None:
            stanzas = self._take(self._queue)
            payload = b"".join(stanzas)
            self._fresh += tuple(stanzas)
            self._empty_at = LONG_AGO
        acking = self._answered_at is not None and self._held  # nothing held: the ack would be this request's own id
        body = wrap(payload, self._last if acking else None, more)
        self._replay.append(body)
        del self._replay[: -self.requests - spare]
        if self._answered_at is not None:
            self._answered_at.append(now)
            del self._answered_at[: -self.requests - spare]
        if channel is not None:
            self._gone_at = now
            effects.append(Answer(channel, body))

    def _flush(self, effects: list[Effect], now: float) -> None:
        """Give what is queued to the oldest request that somebody is waiting at; abandoned ones before it get
        nothing."""
        while self._queue is not None and any(channel is not None for channel, _ in self._held):
            self._answer_oldest(effects, now)

    def _enqueue(self, stanzas: Sequence[bytes], now: float) -> Sequence[Effect]:
        """Send stanzas when there is a request for them."""
        if self.state is State.CLOSED:
            return NOTHING
        if self._queue is None:
            self._queue = []
        self._queue += stanzas
        self._queue_bytes += sum(map(len, stanzas))
        effects: list[Effect] = []
        self._flush(effects, now)
        if effects:
            self._settle(now, touched=True)
        elif self.queued > self._policy.queue_max_stanzas or self._queue_bytes > self._policy.queue_max_bytes:
            evidence = f"{self.queued} stanzas, {self._queue_bytes} bytes"
            return self._close("queue-full", now, evidence=evidence)
        return effects

    def _take(self, queue: list[bytes]) -> list[bytes]:
        """As much of the queue as one answer may carry, at least one stanza."""
        room = self._policy.answer_max_bytes
        count = 0
        for stanza in queue[: self._policy.answer_max_stanzas]:
            room -= len(stanza)
            if room < 0 and count:
                break
            count += 1
        stanzas = queue[:count]
        del queue[:count]
        self._queue_bytes -= sum(map(len, stanzas))
        if not queue:
            self._queue = None
        return stanzas

    # -- clocks ---------------------------------------------------------------------------------------------

    def _settle(self, now: float, touched: bool) -> None:
        """Find the state after an input and set its clock; `touched` when a request was read, repeated or answered."""
        if self._early:
            event = Event.MISSED
        elif self._held:
            event = Event.HELD
        elif self.state is State.PAUSED:
            event = Event.PAUSED
        else:
            event = Event.ANSWERED
        self.state = TRANSITIONS[self.state][event]
        if touched:
            self._idle_since = now
        self._arm()

    def _arm(self) -> None:
        self.deadline = min((until for _, until in self._held), default=NEVER)
        if self.state is State.GAP:
            self.deadline = min(self.deadline, self._gap_until)
        elif self.state is State.IDLE:
            self.deadline = self._idle_since + self._idle_for
        elif self.state is State.PAUSED:
            self.deadline = self._idle_since + self.idle_limit_s

    def _limits(self) -> dict[State, float]:
        """Length of the clock of each state that ends the session, seconds."""
        return {State.GAP: self._gap_s(), State.IDLE: self._idle_for, State.PAUSED: self.idle_limit_s}

    def _gap_s(self) -> float:
        """How long a hole may stay open: XEP-0124 is silent; within this time a living client must have repeated."""
        return self._wait if self._patience == NEVER else max(self._wait, self._patience)

    # -- the end --------------------------------------------------------------------------------------------

    def _close(
        self,
        code: str,
        now: float,
        *,
        culprit: Hashable | None = None,
        extra: bytes = b"",
        evidence: str = "",
        timer_s: float | None = None,
    ) -> list[Effect]:
        """End the session. With a `culprit` its request gets the condition, and the others hear that it was
        another's fault; without, all hear the condition; and when the client left, the oldest is the last word and
        the others are empty."""
        if self.state is State.CLOSED:
            return []
        ending = ENDINGS[code]
        after, before = self.heard(now)
        if ending.bosh == "remote-stream-error" and b"<stream:error" not in extra:
            assert ending.stream is not None
            extra += stream_error(ending.stream, declare=False)
        verdict = terminate(ending.bosh, extra)
        status = self._status(ending.bosh)
        effects: list[Effect] = []
        for channel in self._waiting():
            if channel is None:
                continue
            if culprit is not None:
                effects.append(Answer(channel, terminate("other-request"), True))
            elif code == "client-left" and effects:
                effects.append(Answer(channel, EMPTY, True))
            else:
                effects.append(Answer(channel, verdict, True, status))
        if culprit is not None:
            before = now
            effects.append(Answer(culprit, verdict, True, status))
        closed = Closed(ending, after, before, now, timer_s, evidence)
        effects.append(Ended(closed, self._queue or [], list(self._fresh)))
        self.state = TRANSITIONS[self.state][Event.ENDED]
        self.deadline = NEVER
        self._held = []
        self._replay = []
        self._fresh = ()
        self._early = self._queue = None
        return effects

    def _gone(self, channel: Hashable) -> Answer:
        """The answer to whoever still speaks to a session that ended."""
        return Answer(channel, terminate("item-not-found"), True, self._status("item-not-found"))

    def _status(self, condition: str | None) -> int:
        return LEGACY_STATUS.get(condition, 200) if self.legacy and condition is not None else 200

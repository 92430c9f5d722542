"""One BOSH session: request ids in, answers out (XEP-0124). The theory is at the head of `states`.

What makes up nearly all traffic, an empty poll, a stanza for a held request and a client's stanza when it is its turn,
is written out at the top; everything else takes the road through `_receive`, where there is one method for each `Place`
of the table.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Final

from poise.protocols.xmpp.bosh.creation import creation_answer, negotiate
from poise.protocols.xmpp.bosh.effects import Answer, Effect, Overactive, Payload, Restart
from poise.protocols.xmpp.bosh.run import LONG_AGO, NOTHING, Early, Run
from poise.protocols.xmpp.bosh.states import EXPIRY, TRANSITIONS, Event, Place, State
from poise.protocols.xmpp.bosh.timing import BoshPolicy, Overactivity
from poise.protocols.xmpp.bosh.wire import EMPTY, HEAD, RECOVERABLE, STREAM_HEAD, TAIL, Body, BodyError, parse_count

_HOLDING: Final = State.HOLDING
_IDLE: Final = State.IDLE
_AFTER_POLL: Final = TRANSITIONS[State.IDLE][Event.HELD]
_AFTER_ANSWER: Final = TRANSITIONS[State.HOLDING][Event.ANSWERED]


class BoshSession(Run):
    """One session. Every method takes the monotonic `now` in seconds and returns what the shell is to do, in order."""

    __slots__ = ()

    @classmethod
    def create(
        cls,
        body: Body,
        *,
        sid: str,
        stream_id: str,
        domain: str,
        secure: bool,
        policy: BoshPolicy,
        now: float,
        channel: Hashable,
        features: bytes,
    ) -> tuple[BoshSession, list[Effect]]:
        """A session for a creation request, and its answer with the stream features, if they are known already.
        Raises Refused. `sid` and `stream_id` must be unpredictable and safe in a URL (XEP-0124, security
        considerations)."""
        terms = negotiate(body, domain, secure, policy)
        session = cls(terms, body.rid, sid, stream_id, policy, now)
        answer = creation_answer(terms, body.rid, sid, stream_id, secure, policy, features)
        effects: list[Effect] = [Answer(channel, answer)]
        if body.children:
            effects.append(Payload(body.children))
        return session, effects

    # -- the hot path ---------------------------------------------------------------------------------------

    def poll(self, rid: int, channel: Hashable, now: float, ack: int | None = None) -> Sequence[Effect]:
        """An empty request, as `wire.match_poll` recognises it."""
        if rid == self._last + 1 and self._plain and self._queue is None:
            if self.state is _IDLE:
                self._last = rid
                self._heard_at = self._empty_at = now
                self._fresh = ()
                self.deadline = until = now + self._wait
                self._held.append((channel, until))
                self.state = _AFTER_POLL
                return NOTHING
            if self.state is _HOLDING and now - self._empty_at >= self._polling:
                held = self._held
                older = held[0][0]
                self._last = rid
                self._heard_at = self._empty_at = now
                self._fresh = ()
                self.deadline = until = now + self._wait
                held[0] = (channel, until)
                replay = self._replay
                replay.append(EMPTY)
                if len(replay) > 2:
                    del replay[:-2]
                return (Answer(older, EMPTY),) if older is not None else NOTHING
        return self._receive(rid, Early(channel, None, ack), now)

    def send(self, stanza: bytes, now: float) -> Sequence[Effect]:
        """A stanza for the client, serialised; also `<stream:features>` after a restart."""
        if self.state is _HOLDING and self._plain and self._queue is None:
            held = self._held
            channel = held[0][0]
            if channel is not None:
                held.clear()
                body = b"".join((STREAM_HEAD if stanza.startswith(b"<stream:") else HEAD, stanza, TAIL))
                replay = self._replay
                replay.append(body)
                if len(replay) > 2:
                    del replay[:-2]
                self._fresh = (stanza,)
                self._gone_at = self._idle_since = now
                self.deadline = now + self._idle_for
                self.state = _AFTER_ANSWER
                return (Answer(channel, body),)
        return self._enqueue((stanza,), now)

    def send_all(self, stanzas: Sequence[bytes], now: float) -> Sequence[Effect]:
        """Stanzas that go out together where one answer may carry them."""
        return self._enqueue(stanzas, now)

    # -- other inputs ---------------------------------------------------------------------------------------

    def request(self, body: Body, channel: Hashable, now: float) -> Sequence[Effect]:
        """Any request of this session that was parsed."""
        if (
            self.state is _IDLE
            and body.rid == self._last + 1
            and len(body.attrs) == 2  # sid and rid, so it neither pauses nor restarts nor ends anything
            and body.children
            and self._plain
            and self._queue is None
        ):
            self._last = body.rid
            self._heard_at = now
            self._empty_at = LONG_AGO
            self._fresh = ()
            self.deadline = until = now + self._wait
            self._held.append((channel, until))
            self.state = _AFTER_POLL
            return (Payload(body.children),)
        return self._receive(body.rid, Early(channel, body, body.ack), now)

    def malformed(self, error: BodyError, channel: Hashable, now: float) -> Sequence[Effect]:
        """A request whose start tag names this session but which is no BOSH body. It ends the session only when its
        request id proves that it comes from the client; otherwise anybody who knows the session id could."""
        if self.state is State.CLOSED:
            return (self._gone(channel),)
        if error.rid is None or not self._last < error.rid <= self._last + self.requests:
            return (Answer(channel, error.answer, status=self._status(error.condition)),)
        self._heard_at = now
        return self._close(error.ending, now, culprit=channel, evidence=error.detail)

    def channel_closed(self, channel: Hashable, now: float) -> Sequence[Effect]:
        """The client closed the connection of an open request. Nothing is lost: the request stays held without a
        channel, a repetition takes it over, and stanzas wait in the queue for the next living one. Instead of a
        repetition libpurple sends its next request, and at once: that is no haste (XEP-0124 section 11)."""
        for index, (open_channel, until) in enumerate(self._held):
            if open_channel == channel:
                self._held[index] = (None, until)
                self._empty_at = LONG_AGO
                self._gone_at = now
                return NOTHING
        for rid, early in (self._early or {}).items():
            if early.channel == channel:
                assert self._early is not None
                self._early[rid] = early._replace(channel=None)
                self._gone_at = now
                break
        return NOTHING

    def due(self, now: float) -> Sequence[Effect]:
        """To be called at `deadline` or later; harmless before."""
        if now < self.deadline:
            return NOTHING
        effects: list[Effect] = []
        expired = max((index + 1 for index, (_, until) in enumerate(self._held) if until <= now), default=0)
        for _ in range(expired):
            self._answer_oldest(effects, now)
        self._settle(now, touched=expired > 0)
        if now >= self.deadline:
            effects += self._close(EXPIRY[self.state], now, timer_s=self._limits()[self.state])
        return effects

    def end(
        self, code: str, now: float, extra: bytes = b"", *, evidence: str = "", timer_s: float | None = None
    ) -> Sequence[Effect]:
        """End the session from outside, by a code of `poise.registry.ENDINGS`: every open request is answered.
        `extra` goes into the answers: stanzas, and for `remote-stream-error` the stream error, if it is to be
        another than the registry's."""
        if code == "idle" and timer_s is None:
            timer_s = self.idle_limit_s
        return self._close(code, now, extra=extra, evidence=evidence, timer_s=timer_s)

    def forgive(self, seconds: float) -> None:
        """Do not count the last `seconds`: the server itself did not run. Moves every clock but that of held
        requests."""
        self._idle_since += seconds
        self._gap_until += seconds
        if self.state is not State.CLOSED:
            self._arm()

    # -- one request, by its place in the run ---------------------------------------------------------------

    def _receive(self, rid: int, early: Early, now: float) -> Sequence[Effect]:
        if self.state is State.CLOSED:
            return (self._gone(early.channel),)
        self._heard_at = now
        place = self._place(rid, early.body)
        if place in _REPETITIONS and self._repeated_too_often(now):
            return self._close("too-active", now, culprit=early.channel, evidence="one request repeated too often")
        return _BY_PLACE[place](self, rid, early, now)

    def _place(self, rid: int, body: Body | None) -> Place:
        ahead = rid - self._last
        if ahead == 1:
            return Place.NEXT
        if ahead > 1:
            if self._early is not None and rid in self._early:
                return Place.EARLY_AGAIN
            return Place.EARLY if ahead <= self.requests + self._parting(body) else Place.OUTSIDE
        if ahead > -len(self._held):
            return Place.HELD_AGAIN
        return Place.ANSWERED_AGAIN if ahead > -len(self._held) - len(self._replay) else Place.OUTSIDE

    def _next(self, _rid: int, early: Early, now: float) -> Sequence[Effect]:
        effects: list[Effect] = []
        self._read(early, now, effects)
        while self._early:
            following = self._early.pop(self._last + 1, None)
            if following is None:
                self._gap_until = now + self._gap_s()  # one hole is filled, another one is open
                break
            self._read(following, now, effects)
        if self.state is not State.CLOSED:
            self._settle(now, touched=True)
        if len(effects) > 1:  # answers first: what a payload brings about must not overtake them
            effects.sort(key=_by_kind)
        return effects

    def _come_early(self, rid: int, early: Early, now: float) -> Sequence[Effect]:
        effects: list[Effect] = []
        unanswered = len(self._held) + len(self._early or ()) + 1
        if unanswered > self.requests + self._parting(early.body):
            self._too_active("more open requests than agreed", early.channel, now, effects)
        if self.state is State.CLOSED:
            return effects
        if not self._early:
            self._early = {}
            self._gap_until = now + self._gap_s()
        self._early[rid] = early
        self._resume()
        self._settle(now, touched=False)
        return effects

    def _come_early_again(self, rid: int, early: Early, _now: float) -> Sequence[Effect]:
        assert self._early is not None
        older = self._early[rid].channel
        self._early[rid] = self._early[rid]._replace(channel=early.channel)
        return (Answer(older, RECOVERABLE),) if older is not None else NOTHING

    def _take_over(self, rid: int, early: Early, now: float) -> Sequence[Effect]:
        index = rid - self._last + len(self._held) - 1
        older = self._held[index][0]
        self._held[index] = (early.channel, now + self._wait)
        effects: list[Effect] = [] if older is None else [Answer(older, RECOVERABLE)]
        self._flush(effects, now)
        self._settle(now, touched=True)
        return effects

    def _replay_answer(self, rid: int, early: Early, now: float) -> Sequence[Effect]:
        self._gone_at = now
        self._settle(now, touched=True)
        return (Answer(early.channel, self._replay[rid - self._last + len(self._held) - 1]),)

    def _outside(self, rid: int, early: Early, now: float) -> Sequence[Effect]:
        evidence = f"request id {rid}, expected {self._last + 1} to {self._last + self.requests}"
        return self._close("rid-out-of-window", now, culprit=early.channel, evidence=evidence)

    def _repeated_too_often(self, now: float) -> bool:
        if self._repeats_rid != self._last or now - self._repeats_from > self._policy.repeats_period_s:
            self._repeats_rid = self._last  # a new request came since, or enough time went by
            self._repeats_from = now
            self._repeats = 0
        self._repeats += 1
        return self._repeats > self._policy.repeats_max

    # -- the next request is read ---------------------------------------------------------------------------

    def _read(self, early: Early, now: float, effects: list[Effect]) -> None:
        """Read the request after the last one: it becomes held or answered, or the session ends."""
        channel, body, ack = early
        restart = body is not None and body.restart
        plain = body is None or not (body.children or restart or self._parting(body))
        if plain and self._polls_too_fast(now):
            self._too_active("empty requests too fast", channel, now, effects)
            if self.state is State.CLOSED:
                return
        self._last += 1
        self._fresh = ()
        self._resume()
        report = self._acknowledge(ack, now)
        self._held.append((channel, now + self._wait if self._hold or restart else now))
        if body is not None and body.children and not restart:
            effects.append(Payload(body.children))
        if body is not None and body.type == "terminate":
            effects += self._close("client-left", now)
            return
        if body is not None and self._pauses(body):
            self._pause(body.attrs["pause"], channel, now, effects)
            return
        self._empty_at = now if plain else LONG_AGO
        while len(self._held) > (1 if restart or report else max(self._hold, 1)):
            self._answer_oldest(effects, now)
        if report:
            self._answer_oldest(effects, now, report)
        if restart and body is not None:
            effects.append(Restart(body.attrs.get("to")))
            return  # held, in a polling session too: the features are its answer
        self._flush(effects, now)
        if plain and self._held and not self._hold:
            self._answer_oldest(effects, now)  # with stanzas it waits until `due`, so that replies travel with it

    def _pauses(self, body: Body) -> bool:
        return "pause" in body.attrs and self._policy.maxpause_s is not None

    def _parting(self, body: Body | None) -> bool:
        """Whether a request ends or pauses the session: XEP-0124 section 11 allows one of these above the agreed
        number."""
        return body is not None and (body.type == "terminate" or self._pauses(body))

    def _pause(self, text: str, channel: Hashable | None, now: float, effects: list[Effect]) -> None:
        """XEP-0124 section 10: everything open is answered at once, without stanzas; the client goes for so many
        seconds."""
        asked = parse_count(text)
        assert self._policy.maxpause_s is not None
        if asked is None or asked > self._policy.maxpause_s:
            self._held.pop()
            code = "bad-request" if asked is None else "pause-too-long-asked"
            effects += self._close(code, now, culprit=channel, evidence="pause")
            return
        while self._held:
            self._answer_oldest(effects, now, with_stanzas=False, spare=1)
        self.idle_limit_s = asked
        self._empty_at = LONG_AGO
        self.state = TRANSITIONS[self.state][Event.PAUSED]

    def _resume(self) -> None:
        """A new request ends a pause."""
        self.idle_limit_s = self._patience
        if self.state is State.PAUSED:
            self.state = TRANSITIONS[State.PAUSED][Event.ANSWERED]

    def _polls_too_fast(self, now: float) -> bool:
        """XEP-0124 sections 11 and 12, for an empty request soon after an empty one: in a polling session when the
        first brought nothing, otherwise when it is still open and as many are open as agreed. In theory the earlier
        of the two may have carried stanzas. In practice clients with a channel for each direction (stanza.js) send
        stanzas and poll again at once, and mean no harm: both must be empty here."""
        if now - self._empty_at >= self._polling:
            return False
        open_still = bool(self._held)  # the empty one before is the last of these; early ones prove nothing
        return self._hold == 0 or (open_still and len(self._held) + len(self._early or ()) + 1 >= self.requests)

    def _too_active(self, evidence: str, channel: Hashable | None, now: float, effects: list[Effect]) -> None:
        """End the session of an overactive client, or only say so, as policy wants."""
        if self._policy.overactivity is Overactivity.TERMINATE:
            effects += self._close("too-active", now, culprit=channel, evidence=evidence)
            return
        self.overactive += 1
        if self.overactive & (self.overactive - 1) == 0:
            effects.append(Overactive(evidence, self.overactive))

    def _acknowledge(self, ack: int | None, now: float) -> bytes:
        """XEP-0124 section 9: forget what the client has, report what it should have."""
        if self._answered_at is None or ack is None:
            return b""
        first = self._last - len(self._held) - len(self._replay)  # the oldest id whose answer is kept
        known = min(max(0, ack - first + 1), len(self._replay))
        del self._replay[:known], self._answered_at[:known]
        if not self._replay or ack < first - 1:
            return b""
        return b" report='%d' time='%d'" % (ack + 1, max(0, round((now - self._answered_at[0]) * 1000)))


def _by_kind(effect: Effect) -> bool:
    return not isinstance(effect, Answer)


_REPETITIONS: Final = (Place.EARLY_AGAIN, Place.HELD_AGAIN, Place.ANSWERED_AGAIN)
_BY_PLACE: Final[Mapping[Place, Callable[[BoshSession, int, Early, float], Sequence[Effect]]]] = {
    Place.NEXT: BoshSession._next,
    Place.EARLY: BoshSession._come_early,
    Place.EARLY_AGAIN: BoshSession._come_early_again,
    Place.HELD_AGAIN: BoshSession._take_over,
    Place.ANSWERED_AGAIN: BoshSession._replay_answer,
    Place.OUTSIDE: BoshSession._outside,
}

"""A client, a network that may do anything a network does, and a BOSH session between them: whatever happens, every
stanza is seen exactly once and in order, in both directions.

The network delays, reorders, loses and repeats requests and answers and cuts connections, with or without the
server noticing. The client obeys XEP-0124: at most `requests` ids beyond the oldest one it has no answer for, one
more for a pause, a request whose connection broke is repeated as it was, and copies of a request are let go once it
is answered: one that arrived much later would be older than any answer kept, and end the session (F03).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from poise.protocols.xmpp.bosh import (
    Answer,
    BoshPolicy,
    BoshSession,
    Effect,
    Ended,
    Inactivity,
    Payload,
    State,
    match_poll,
    parse_body,
)
from poise.protocols.xmpp.xml import parse

NS = "http://jabber.org/protocol/httpbind"
PATIENT = BoshPolicy(
    hold_max=3,
    inactivity_s=1_000_000,
    inactivity=Inactivity.EXACT,
    polling_s=None,
    maxpause_s=1_000_000,
    repeats_max=1_000_000,
    answer_max_stanzas=3,
)
"""Nothing but the network makes trouble here: no limit ends the session, and answers are small."""


@dataclass
class Request:
    """One request of the client, with everything that is known of it on the client's side."""

    number: int
    data: bytes
    answer: bytes | None = None
    channels: set[int] = field(default_factory=set)
    """Connections on which the client waits for the answer."""


class Network(RuleBasedStateMachine):
    """The client, the wires, and the session."""

    @initialize(hold=st.sampled_from([1, 1, 1, 2, 3, 0]), acking=st.sampled_from([False, False, True]))
    def create(self, hold: int, acking: bool) -> None:
        ack = " ack='1'" if acking else ""
        body = parse_body(
            f"<body xmlns='{NS}' rid='1000' to='a.test' ver='1.11' wait='30' hold='{hold}'{ack}/>".encode()
        )
        self.now = 0.0
        self.session, _ = BoshSession.create(
            body,
            sid="s",
            stream_id="i",
            domain="a.test",
            secure=True,
            policy=PATIENT,
            now=0.0,
            channel=0,
            features=b"",
        )
        self.acking = acking
        self.requests: list[Request] = []
        self.channel = 0
        self.number_of: dict[int, int] = {}
        self.answers: dict[int, bytes] = {}
        self.towards_server: list[int] = []
        self.towards_client: list[tuple[int, bytes]] = []
        self.said: list[str] = []
        self.heard: list[str] = []
        self.sent: list[str] = []
        self.seen: list[str] = []
        self.read = 0

    # -- the client -----------------------------------------------------------------------------------------

    def _oldest_open(self) -> int:
        return next((request.number for request in self.requests if request.answer is None), len(self.requests))

    def _may_send(self, extra: int = 0) -> bool:
        return len(self.requests) < self._oldest_open() + self.session.requests + extra

    def _new(self, stanzas: int, attrs: str = "") -> None:
        number = len(self.requests)
        names = [f"c{number}.{index}" for index in range(stanzas)]
        self.said += names
        children = "".join(f"<message xmlns='jabber:client' id='{name}'/>" for name in names)
        if self.acking and self.read:
            attrs += f" ack='{1000 + self.read}'"
        start = f"<body rid='{1001 + number}' sid='s' xmlns='{NS}'{attrs}"
        data = f"{start}>{children}</body>" if children else f"{start}/>"
        self.requests.append(Request(number, data.encode()))
        self._post(self.requests[-1])

    def _post(self, request: Request) -> None:
        self.channel += 1
        self.number_of[self.channel] = request.number
        request.channels.add(self.channel)
        self.towards_server.append(self.channel)

    def _lost(self, channel: int) -> None:
        """The client notices that a connection is of no use any more."""
        self.requests[self.number_of[channel]].channels.discard(channel)

    @precondition(lambda self: self._may_send())
    @rule(stanzas=st.sampled_from([0, 0, 1, 2]))
    def client_asks(self, stanzas: int) -> None:
        self._new(stanzas)

    @precondition(lambda self: self._may_send(extra=1))
    @rule(stanzas=st.integers(0, 1))
    def client_pauses(self, stanzas: int) -> None:
        self._new(stanzas, " pause='999999'")

    @precondition(lambda self: any(request.answer is None for request in self.requests))
    @rule(data=st.data())
    def client_repeats(self, data: st.DataObject) -> None:
        self._post(data.draw(st.sampled_from([request for request in self.requests if request.answer is None])))

    # -- the wires ------------------------------------------------------------------------------------------

    @precondition(lambda self: self.towards_server)
    @rule(data=st.data())
    def request_arrives(self, data: st.DataObject) -> None:
        self._arrive(data.draw(st.sampled_from(self.towards_server)))

    def _arrive(self, channel: int) -> None:
        self.towards_server.remove(channel)
        raw = self.requests[self.number_of[channel]].data
        poll = match_poll(raw)
        if poll is not None:
            self._carry_out(self.session.poll(poll[1], channel, self.now, poll[2]))
        else:
            self._carry_out(self.session.request(parse_body(raw), channel, self.now))

    @precondition(lambda self: self.towards_server)
    @rule(data=st.data())
    def request_is_lost(self, data: st.DataObject) -> None:
        channel = data.draw(st.sampled_from(self.towards_server))
        self.towards_server.remove(channel)
        self._lost(channel)

    @precondition(lambda self: self.towards_client)
    @rule(data=st.data())
    def answer_arrives(self, data: st.DataObject) -> None:
        self._deliver(data.draw(st.sampled_from(self.towards_client)))

    def _deliver(self, answer: tuple[int, bytes]) -> None:
        self.towards_client.remove(answer)
        channel, body = answer
        request = self.requests[self.number_of[channel]]
        if channel not in request.channels:
            return
        request.channels.discard(channel)
        if parse(body).attrs.get("type") == "error":
            return
        request.answer = body
        under_way = self.towards_server  # the client has what it wanted and lets go of the copies
        self.towards_server = [copy for copy in under_way if self.number_of[copy] != request.number]
        request.channels.clear()
        while self.read < len(self.requests) and (following := self.requests[self.read].answer) is not None:
            self.seen += (child.attrs["id"] for child in parse(following).elements())
            self.read += 1

    @precondition(lambda self: self.towards_client)
    @rule(data=st.data())
    def answer_is_lost(self, data: st.DataObject) -> None:
        answer = data.draw(st.sampled_from(self.towards_client))
        self.towards_client.remove(answer)
        self._lost(answer[0])

    @precondition(lambda self: any(request.channels for request in self.requests))
    @rule(data=st.data(), noticed=st.booleans())
    def connection_breaks(self, data: st.DataObject, noticed: bool) -> None:
        channels = sorted(channel for request in self.requests for channel in request.channels)
        channel = data.draw(st.sampled_from(channels))
        self._lost(channel)
        if noticed:
            assert self.session.channel_closed(channel, self.now) == ()

    @rule(turns=st.integers(1, 4), sent=st.booleans())
    def all_is_well_for_a_while(self, turns: int, sent: bool) -> None:
        """Ordinary traffic, so that trouble also comes late in a session's life."""
        for _ in range(turns):
            if self._may_send():
                self._new(0)
                self._arrive(self.channel)
            if sent:
                self.server_sends(1)
            while self.towards_client:
                self._deliver(self.towards_client[0])

    # -- the server -----------------------------------------------------------------------------------------

    @rule(stanzas=st.integers(1, 5))
    def server_sends(self, stanzas: int) -> None:
        for _ in range(stanzas):
            name = f"s{len(self.sent)}"
            self.sent.append(name)
            self._carry_out(self.session.send(f"<message xmlns='jabber:client' id='{name}'/>".encode(), self.now))

    @rule(seconds=st.sampled_from([0.01, 1.0, 29.0, 31.0, 70.0]))
    def time_goes_by(self, seconds: float) -> None:
        until = self.now + seconds
        while self.session.deadline <= until:
            self.now = max(self.now, self.session.deadline)
            self._carry_out(self.session.due(self.now))
        self.now = until

    @rule(seconds=st.sampled_from([5.0, 100.0]))
    def server_stands_still(self, seconds: float) -> None:
        self.now += seconds
        self.session.forgive(seconds)

    def _carry_out(self, effects: object) -> None:
        assert isinstance(effects, list | tuple)
        for effect in effects:
            self._one(effect)

    def _one(self, effect: Effect) -> None:
        assert not isinstance(effect, Ended), f"the session ended: {effect}"
        if isinstance(effect, Payload):
            self.heard += (child.attrs["id"] for child in effect.children)
        elif isinstance(effect, Answer):
            assert isinstance(effect.channel, int)
            self.towards_client.append((effect.channel, effect.body))
            if b"type='error'" not in effect.body:
                answer = self.answers.setdefault(self.number_of[effect.channel], effect.body)
                assert answer == effect.body, "a repeated request got another answer"

    # -- what must be true ----------------------------------------------------------------------------------

    @invariant()
    def nothing_is_seen_twice_or_out_of_order(self) -> None:
        assert self.heard == self.said[: len(self.heard)]
        assert self.seen == self.sent[: len(self.seen)]

    @invariant()
    def the_books_are_in_order(self) -> None:
        session = self.session
        after, before = session.heard(self.now)
        assert after <= before <= self.now
        assert session.idle_s(self.now) >= 0
        assert session.state is not State.CLOSED
        assert (session.state is State.GAP) == bool(session._early)
        assert session.state is not State.HOLDING or session._held
        assert len(session._held) <= max(session._hold, 1)
        assert len(session._replay) <= session.requests + 1
        assert len(session._early or ()) <= session.requests
        assert session._queue_bytes == sum(map(len, session._queue or ()))

    def teardown(self) -> None:
        """The network is quiet again: now everything arrives."""
        if not hasattr(self, "session"):
            return
        for _ in range(400):
            while self.towards_server:
                self._arrive(self.towards_server[0])
            while self.towards_client:
                self._deliver(self.towards_client[0])
            open_requests = [request for request in self.requests if request.answer is None]
            if not open_requests:
                if not self.session.queued:
                    break
                self._new(0)
            for request in open_requests:
                if not request.channels:
                    self._post(request)
            if not self.towards_server:
                self.time_goes_by(31.0)
        assert self.heard == self.said
        assert self.seen == self.sent


TestNetwork = Network.TestCase
TestNetwork.settings = settings(
    max_examples=200, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

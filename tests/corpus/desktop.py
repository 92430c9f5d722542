"""A scripted client that behaves like a desktop and keeps records like one.

It polls with wait 30 and hold 1, measures drift and latency every minute, gives a poll up after 35 s, sends the same
rid again three times after 0.5, 2 and 4.5 s, and then shows the banner and signs in anew (the manners of JabberWerx;
diagnosis notes 2). It never waits: `tick` does what is due at the scene's present moment.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tests.conformance.dialogue import bind, plain, wrap
from tests.conformance.wire import NoAnswer, Reply, Wire, http_request
from tests.corpus.capture import HOST, ClientLog, Exchange, iso
from tests.corpus.way import GATEWAY_PAGE, SourcedWire, Way
from tests.e2e.desk import Place, basic, user_body

XHR_S = 35.0
"""A poll is given up after this long."""
BACK_OFF_S = (0.5, 2.0, 4.5)
"""Waits before the same rid is sent again."""
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
)
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:{0}.0) Gecko/20100101 Firefox/{0}.0"
BIND_URL = f"https://{HOST}:7443/http-bind/"
API = f"https://{HOST}:8445/finesse/api/"


class Scenery(Protocol):
    """What a desktop knows of the scene."""

    @property
    def place(self) -> Place:
        """Where the server is now."""

    def now(self) -> float:
        """True time, seconds since 1970."""


@dataclass(slots=True, eq=False)
class Request:
    """One HTTP request on its way."""

    kind: str
    exchange: Exchange
    begun: float
    rid: int = 0
    attempt: int = 0
    wire: SourcedWire | None = None
    done: Callable[[Request, Reply | None], None] | None = None
    reply: Reply | None = None
    arrives: float = 0.0
    again: bool = False


@dataclass(slots=True)
class Person:
    """Who sits there, and with what."""

    user: str
    address: str = "127.0.0.1"
    resource: str = "desktop"
    browser: str = CHROME.format(120)
    zone_minutes: int = 0
    ahead_s: float = 0.0
    """Seconds that the computer's clock is ahead of the server's."""
    signs_in: bool = True
    """Whether the agent signs in at the telephone system as well."""


@dataclass(eq=False)
class Desktop:
    """One desktop."""

    scene: Scenery
    person: Person
    rng: random.Random
    polls: Way = field(default_factory=Way)
    rest: Way = field(default_factory=Way)
    pause_s: Callable[[], float] = lambda: 0.012
    """Between an answer and the next poll; a hidden tab makes it long."""
    comes_back: bool = True
    """Whether it signs in anew after the banner."""

    impatient: bool = False
    """Whether the agent presses reload when the banner shows."""

    def __post_init__(self) -> None:
        self.log = ClientLog(self.person.browser, self.person.zone_minutes)
        self.exchanges: list[Exchange] = []
        self.running = True
        self.sid = ""
        self.connected = False
        self.heard: dict[str, list[float]] = {}
        """By sid: true times at which the server got a request of the session."""
        self.drift: float | None = None
        self._rid = self.rng.randrange(1_000_000, 9_000_000)
        self._open: list[Request] = []
        self._idle: dict[str, list[SourcedWire]] = {"polls": [], "rest": []}
        self._plans: list[tuple[float, Callable[[], None]]] = []
        self._next_poll = 0.0
        self._every = 0.0
        self._numbers = 0

    # -- what scenes do with it ---------------------------------------------------------------------------------------

    def come(self) -> Desktop:
        """Load the page and sign in."""
        self._say("Finesse logger initialized", "Container")
        self._say("FailoverMonitor.init(): Establishing BOSH connection...", "Container")
        assert self._sign_in(), f"{self.person.user} cannot sign in"
        self.get(f"User/{self.person.user}")
        if self.person.signs_in:
            self.put("LOGIN", extension=self.person.user)
            self.later(2.0, lambda: self.put("READY"))
        self._every = self.scene.now() + self.rng.uniform(1, 20)
        return self

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Do something after so many seconds."""
        self._plans.append((self.scene.now() + seconds, what))

    def put(self, state: str, **values: str) -> None:
        """Ask for a state of one's own."""
        self._rest("PUT", f"User/{self.person.user}", user_body(state, **values))

    def get(self, path: str) -> None:
        """Read something."""
        self._rest("GET", path)

    def kill(self) -> None:
        """The browser is gone without a word; its connections break."""
        self._stop(lambda wire: wire.kill())

    def unload(self, *, goodbye: bool = True) -> None:
        """The page is closed or reloaded; `goodbye`: the browser lets the last request out."""
        self._say("[ClientServices] MasterPublisher._connInfoHandler() - Connection status: unloading")
        if goodbye:
            self._rid += 1
            body = wrap(
                "<presence type='unavailable' xmlns='jabber:client'/>", rid=self._rid, sid=self.sid, type="terminate"
            )
            request = self._begin("polls", "POST", BIND_URL, body, rid=self._rid)
            if request.wire is not None:
                try:
                    self._answer(request, request.wire.reply())
                except NoAnswer:
                    request.exchange.end = self.client_now()
        self._stop(lambda wire: wire.close(), cancelled=True)

    def reload(self) -> None:
        """The page that was closed is there again."""
        self.running = True
        self.drift = None
        self._plans.clear()
        self.person.signs_in = False
        self.come()

    def forget_connections(self) -> None:
        """The browser uses none of its idle connections again."""
        for wires in self._idle.values():
            for wire in wires:
                wire.close()
            wires.clear()

    def ask_first(self, origin: str) -> None:
        """A page of another origin wants to poll: the browser asks, and sends nothing when the answer does not
        allow it."""
        headers = (("Origin", origin), ("Access-Control-Request-Method", "POST"))
        exchange = Exchange(self.client_now(), "OPTIONS", BIND_URL)
        wire = self._connection("polls")
        wire.write(http_request("OPTIONS", "/http-bind/", b"", headers))
        reply = wire.reply()
        assert reply.header("Access-Control-Allow-Origin") is None, "this origin is allowed"
        wire.close()
        exchange.end, exchange.status = self.client_now() + 0.02, reply.status
        self.exchanges.append(exchange)

    def freeze(self) -> None:
        """The computer stops; its connections stay open and nobody reads them."""
        self.running = False

    def thaw(self) -> None:
        """The computer goes on: what was open has failed meanwhile."""
        self.running = True
        now = self.scene.now()
        for request in list(self._open):
            self._fail(request, "net::ERR_NETWORK_IO_SUSPENDED", now)
        for wires in self._idle.values():
            wires.clear()
        self._every = now + 0.3

    def step_clock(self, seconds: float) -> None:
        """Somebody sets the computer's clock."""
        self.person.ahead_s += seconds

    def flood(self, count: int) -> None:
        """A client gone wild sends so many polls at once."""
        for _ in range(count):
            self._poll()

    def say_again(self, back: int) -> None:
        """A request that was answered long ago is sent again, as by a proxy that lost its answer."""
        self._poll(rid=self._rid - back)
        self._open[-1].again = True

    def client_now(self, at: float | None = None) -> float:
        """The computer's own time."""
        return (self.scene.now() if at is None else at) + self.person.ahead_s

    def waiting(self) -> list[Wire]:
        """Connections on which answers are due."""
        return [request.wire for request in self._open if request.wire is not None]

    def look(self) -> None:
        """Take what has arrived, and give up what has not for too long."""
        if self.running:
            now = self.scene.now()
            for request in list(self._open):
                if request in self._open:
                    self._look(request, now)
            self._poll_if_due(now)

    def tick(self) -> None:
        """Do what is due."""
        if not self.running:
            return
        now = self.scene.now()
        self.look()
        for plan in sorted((p for p in self._plans if p[0] <= now), key=lambda plan: plan[0]):
            self._plans.remove(plan)
            plan[1]()
        if self._every and now >= self._every:
            self._every += 60.0 if now - self._every < 60 else (now - self._every) + 60.0
            self._rest("GET", f"SystemInfo?timestamponly&nocache={self.client_now() * 1000:.0f}", measure=True)
        self._poll_if_due(now)

    def _poll_if_due(self, now: float) -> None:
        """A poll leaves at its own moment, which lies up to a step before the scene's, or hardly behind it."""
        if self.connected and now + 0.1 >= self._next_poll and not any(r.kind == "polls" for r in self._open):
            self._poll(at=max(self._next_poll, now - 1.0))

    # -- the session ---------------------------------------------------------------------------------------------------

    def _sign_in(self) -> bool:
        person = self.person
        self._status("connecting")
        self._rid += 1000
        creation = wrap(to="localhost", rid=self._rid, ver="1.9", wait=30, hold=1, xml_lang="en", xmpp_version="1.0")
        first = self._sync(creation.replace(b"<body ", b"<body xmlns:xmpp='urn:xmpp:xbosh' ", 1))
        if first is None or first.status != 200 or b"terminate" in first.body:
            return False
        self.sid = first.sid
        restart = wrap(rid=self._rid + 2, sid=self.sid, to="localhost", xmpp_restart="true")
        steps = (
            wrap(plain(person.user), rid=self._rid + 1, sid=self.sid),
            restart.replace(b"<body ", b"<body xmlns:xmpp='urn:xmpp:xbosh' ", 1),
            wrap(bind(person.resource), rid=self._rid + 3, sid=self.sid),
            wrap("<presence xmlns='jabber:client'/>", rid=self._rid + 4, sid=self.sid),
        )
        for body in steps:
            self._rid += 1
            answer = self._sync(body)
            if answer is None or answer.status != 200 or b"terminate" in answer.body:
                return False
        self.connected = True
        self._status("connected")
        self._next_poll = self.scene.now()
        self._poll()
        return True

    def _sync(self, body: bytes) -> Reply | None:
        request = self._begin("polls", "POST", BIND_URL, body, rid=self._rid)
        if request.wire is None or self.polls.dropped or self.polls.answers_lost:
            if request in self._open:
                self._fail(request, "net::ERR_TIMED_OUT", self.scene.now() + 20)
            return None
        try:
            reply = request.wire.reply()
        except NoAnswer:
            self._fail(request, "net::ERR_CONNECTION_RESET", self.scene.now())
            return None
        self._answer(request, reply)
        return reply

    def _poll(self, rid: int = 0, attempt: int = 0, at: float | None = None) -> None:
        if not rid:
            self._rid += 1
            rid = self._rid
        request = self._begin("polls", "POST", BIND_URL, wrap(rid=rid, sid=self.sid), rid=rid, attempt=attempt)
        if at is not None:
            request.begun, request.exchange.begin = at, self.client_now(at)

    def _lost(self, why: str) -> None:
        """The session is over, as far as the client can tell."""
        if not self.connected:
            return
        self.connected, self.sid = False, ""
        for request in [r for r in self._open if r.kind == "polls"]:
            self._drop(request)
        self._status("disconnected", why)
        if self.comes_back and self.impatient:
            self.later(self.rng.uniform(2, 25), self._press_reload)
        elif self.comes_back:
            self.later(self.rng.uniform(3, 9), self._again)

    def _press_reload(self) -> None:
        """The page goes, and is there again as soon as it can be loaded."""
        self.unload(goodbye=False)
        self.running = True
        self.later(1.0, self._load_again)

    def _load_again(self) -> None:
        if self.rest.dropped:
            self.later(10.0, self._load_again)
        else:
            self._say("Finesse logger initialized", "Container")
            self._again()

    def _again(self) -> None:
        if not self.connected and not self._sign_in():
            self._status("disconnected")
            self.later(20.0, self._again)
        elif self.connected:
            self.get(f"User/{self.person.user}")

    # -- requests ------------------------------------------------------------------------------------------------------

    def _way(self, kind: str) -> Way:
        return self.polls if kind == "polls" else self.rest

    def _begin(
        self,
        kind: str,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        rid: int = 0,
        attempt: int = 0,
        done: Callable[[Request, Reply | None], None] | None = None,
    ) -> Request:
        now, way = self.scene.now(), self._way(kind)
        headers = basic(self.person.user) if kind == "rest" else {}
        exchange = Exchange(self.client_now(), method, url, body.decode(), headers.get("Authorization", ""))
        request = Request(kind, exchange, now, rid, attempt, done=done)
        self._open.append(request)
        if way.tunnel_status:
            self.exchanges.append(
                Exchange(
                    self.client_now(),
                    "CONNECT",
                    f"{HOST}:{7443 if kind == 'polls' else 8445}",
                    end=self.client_now() + 0.02,
                    status=way.tunnel_status,
                    answer="<html><body>Access denied by policy</body></html>",
                    answer_type="text/html",
                )
            )
            self.exchanges.append(exchange)
            self._fail(request, "net::ERR_TUNNEL_CONNECTION_FAILED", now + 0.03)
            return request
        self.exchanges.append(exchange)
        if way.reset:
            self._fail(request, "net::ERR_CONNECTION_REFUSED", now + way.round_trip_s())
            return request
        if way.dropped:
            return request
        path = url.split("/", 3)[3]
        try:
            request.wire = self._connection(kind)
            request.wire.write(http_request(method, f"/{path}", body, headers.items()))
            if kind == "polls":
                self.heard.setdefault(self.sid, []).append(now)
        except (OSError, NoAnswer):
            self._fail(request, "net::ERR_CONNECTION_REFUSED", now + 0.01)
        return request

    def _connection(self, kind: str) -> SourcedWire:
        idle = self._idle[kind]
        while idle:
            wire = idle.pop()
            if not wire.arrived():
                return wire
            wire.close()
        place = self.scene.place
        return SourcedWire(self.person.address, place.ports["notification" if kind == "polls" else "https"], place.tls)

    def _look(self, request: Request, now: float) -> None:
        way = self._way(request.kind)
        if request.reply is None and request.wire is not None and not way.dropped and request.wire.arrived():
            try:
                request.reply = request.wire.reply()
            except NoAnswer:
                self._fail(request, "net::ERR_CONNECTION_RESET", now)
                return
            if way.answers_lost:
                request.wire, request.reply = None, None
            else:
                request.arrives = now + way.round_trip_s()
        if request.reply is not None:
            if request.arrives <= now + 0.1:
                self._answer(request, request.reply)
            return
        if way.gateway_s and now - request.begun >= way.gateway_s:
            self._gateway(request)
        elif now - request.begun >= XHR_S:
            self._fail(request, "net::ERR_TIMED_OUT", request.begun + XHR_S, abort=True)

    def _answer(self, request: Request, reply: Reply) -> None:
        now = max(self.scene.now(), request.arrives)
        took = self._way(request.kind).round_trip_s() if not request.arrives else 0.0
        exchange = request.exchange
        exchange.end, exchange.status = exchange.begin + now + took - request.begun, reply.status
        exchange.answer = reply.text.decode("utf-8", "replace")
        exchange.answer_type = (reply.header("Content-Type") or "").partition(";")[0]
        self._open.remove(request)
        if request.wire is not None:
            self._idle[request.kind].append(request.wire)
        if request.done is not None:
            request.done(request, reply)
        if request.kind != "polls":
            return
        if reply.status == 404 or (b"item-not-found" in reply.body and not request.again):
            self.heard[self.sid].pop()  # the session was over when this came
        if reply.status != 200:
            self._lost(f"HTTP {reply.status}")
        elif re.search(rb"<body [^>]*type=['\"]terminate", reply.body):
            self._lost("terminate")
        else:
            self._next_poll = now + self.pause_s()

    def _gateway(self, request: Request) -> None:
        exchange = request.exchange
        exchange.end, exchange.status = self.client_now(request.begun + self.polls.gateway_s), 504
        exchange.answer, exchange.answer_type = GATEWAY_PAGE, "text/html"
        if request.wire is not None:
            request.wire.close()
        self._open.remove(request)
        self._retry(request)

    def _fail(self, request: Request, error: str, at: float, *, abort: bool = False) -> None:
        # browsers measure durations by a clock that nobody sets
        request.exchange.end, request.exchange.error = request.exchange.begin + at - request.begun, error
        self._open.remove(request)
        if request.wire is not None and abort and not self._way(request.kind).dropped:
            request.wire.close()
        if request.kind == "polls":
            self._retry(request)
        elif request.done is not None:
            request.done(request, None)

    def _retry(self, request: Request) -> None:
        if not self.connected or not request.rid:
            return
        if request.attempt >= len(BACK_OFF_S):
            self._lost("no answer")
            return
        wait = BACK_OFF_S[request.attempt]
        self._say(f"network timeout retry {request.attempt + 1}")
        sid = self.sid
        self.later(
            wait,
            lambda: self._poll(request.rid, request.attempt + 1) if self.connected and self.sid == sid else None,
        )
        self._next_poll = self.scene.now() + wait + 1e6  # the next poll is that one

    def _drop(self, request: Request) -> None:
        request.exchange.end, request.exchange.error = self.client_now(), "net::ERR_ABORTED"
        self._open.remove(request)
        if request.wire is not None and not self.polls.dropped:
            request.wire.close()

    def _stop(self, end: Callable[[Wire], None], *, cancelled: bool = False) -> None:
        self.running, self.connected, self.sid = False, False, ""
        for request in self._open:
            if request.wire is not None:
                end(request.wire)
            if cancelled:
                request.exchange.end = request.exchange.begin + self.scene.now() - request.begun
                request.exchange.error = "net::ERR_ABORTED"
        for wires in self._idle.values():
            for wire in wires:
                end(wire)
            wires.clear()
        self._open.clear()

    # -- REST and records ----------------------------------------------------------------------------------------------

    def _rest(self, method: str, path: str, body: bytes = b"", *, measure: bool = False) -> None:
        self._numbers += 1
        kind = path.partition("?")[0].partition("/")[0]
        id_ = f"{kind.lower()}{self._numbers}"
        self._say(
            f"[ClientServices] {kind}: requestId='{id_}', Making REST request: method={method}, "
            f"url='/finesse/api/{path}'"
        )

        def finished(request: Request, reply: Reply | None) -> None:
            status = reply.status if reply is not None else 0
            self._say(f"[ClientServices] requestId='{id_}', Returned with status={status}, content=''")
            if measure and reply is not None and status == 200:
                self._measured(request.exchange, reply)

        self._begin("rest", method, API + path, body, done=finished)

    def _measured(self, exchange: Exchange, reply: Reply) -> None:
        told = datetime.fromisoformat((reply.root.findtext(".//currentTimestamp") or "").replace("Z", "+00:00"))
        server, end = told.timestamp(), exchange.end or 0.0
        trip = end - exchange.begin
        self.drift = server + trip / 2 - end
        self.log.say(
            end,
            f"Client: {iso(end)}, Server: {iso(server)}, Drift: {round(self.drift * 1000)}ms, "
            f"Network Latency (round trip): {round(trip * 1000)}ms",
            self.drift,
        )

    def _status(self, status: str, why: str = "") -> None:
        more = f" ({why})" if why else ""
        self._say(f"[ClientServices] MasterPublisher._connInfoHandler() - Connection status: {status}{more}")

    def _say(self, text: str, origin: str = "Header") -> None:
        self.log.say(self.client_now(), text, self.drift, origin)

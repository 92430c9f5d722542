"""Hostile clients: random and half-right bytes for every border of a running server, by a seed.

Each game opens its connections, misbehaves, reads what it gets (or does not), and hangs up or breaks off. Nothing here
judges the server: whoever runs the games watches a well-behaved session meanwhile.
"""

from __future__ import annotations

import random
import ssl
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from tests.conformance.dialogue import STREAM, bind, plain, wrap
from tests.conformance.wire import Wire, http_request
from tests.e2e.desk import PUBSUB, Place, basic
from tests.support.websocket import GOODBYE, deflated, frame, opening, upgrade_request

MARKS = (
    *(b"<", b">", b"&", b"'", b'"', b"/", b"\0", b"\r\n", b"\r\n\r\n", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(b"&#0;", b"&#xFFFE;", b"&lol;", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?xml version='1.1'?>", b"<!DOCTYPE a>"),
    *(
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"xmlns=''",
        b"xmlns:stream='x'",
        b"Content-Length: 5\r\n",
        b"chunked",
        b"%00",
    ),
    *(b"9" * 30, b"-1", b"rid='1'", b"sid=''", b"A" * 5000, b"<a>" * 300, b" a='1'" * 200, b"\xf0\x9f\x8e\xa7"),
)
"""What parsers stumble over."""

STANZAS = (
    "<presence xmlns='jabber:client'/>",
    "<presence type='unavailable' xmlns='jabber:client'/>",
    "<presence type='subscribe' to='1001@localhost' xmlns='jabber:client'/>",
    "<message to='1001@localhost/desktop' type='chat' xmlns='jabber:client'><body>hm</body></message>",
    "<message to='1001@localhost' type='error' xmlns='jabber:client'/>",
    "<iq type='get' id='a' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>",
    "<iq type='get' id='a' to='pubsub.localhost' xmlns='jabber:client'>"
    "<query xmlns='http://jabber.org/protocol/disco#items'/></iq>",
    "<iq type='get' id='b' xmlns='jabber:client'><query xmlns='jabber:iq:roster'/></iq>",
    "<iq type='result' id='zz' xmlns='jabber:client'/>",
    f"<iq type='set' id='c' to='pubsub.localhost' xmlns='jabber:client'><pubsub xmlns='{PUBSUB}'>"
    "<publish node='/finesse/api/User/1001'><item><x xmlns='y'/></item></publish></pubsub></iq>",
    f"<iq type='set' id='d' to='pubsub.localhost' xmlns='jabber:client'><pubsub xmlns='{PUBSUB}'>"
    "<subscribe node='/finesse/api/User/1001' jid='1001@localhost'/></pubsub></iq>",
    f"<iq type='set' id='e' to='pubsub.localhost' xmlns='jabber:client'><pubsub xmlns='{PUBSUB}#owner'>"
    "<delete node='/finesse/api/User/1001'/></pubsub></iq>",
)
USERS = ("1005", "1006", "nobody")
"""Whose names hostile clients use: never the well-behaved one's, whom failed sign-ins would lock out by design."""
READ_S = 0.05
"""Seconds a hostile client has for an answer before it does something else."""

Game = Callable[["Hostile"], None]


class Hostile:
    """One hostile client, one game after another until the time is over."""

    def __init__(self, place: Place, seed: str) -> None:
        self.place = place
        self.seed = seed
        self.rng = random.Random(seed)
        self.played: Counter[str] = Counter()
        self.broken: list[str] = []
        """Mistakes of these games themselves: a game that cannot be played proves nothing."""

    def play(self, until: float) -> None:
        """Play until that monotonic moment."""
        while time.monotonic() < until:
            game = self.rng.choice(GAMES)
            try:
                game(self)
            except (OSError, AssertionError, ssl.SSLError):
                pass  # refused, cut off, left without an answer: what hostile clients must expect
            except Exception:
                self.broken.append(f"{game.__name__}: {traceback.format_exc()}")
                return
            self.played[game.__name__] += 1

    # -- material --------------------------------------------------------------------------------------------------

    def noise(self, most: int = 400) -> bytes:
        """Bytes without sense."""
        return self.rng.randbytes(self.rng.randrange(1, most))

    def mangled(self, data: bytes) -> bytes:
        """The data with a few things wrong; now and then none."""
        rng = self.rng
        for _ in range(rng.choice((0, 1, 1, 1, 2, 5))):
            at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
            end = min(end, at + 40)
            kind = rng.randrange(5)
            if kind == 0:
                data = data[:at] + data[end:]
            elif kind == 1:
                data = data[:at] + rng.choice(MARKS) + data[at:]
            elif kind == 2:
                data = data[:at] + data[at:end] * 2 + data[end:]
            elif kind == 3:
                data = data[:at] + rng.randbytes(end - at) + data[end:]
            else:
                data = data[:at]
        return data

    def wire(self, listener: str) -> Wire:
        """A connection to a listener."""
        return self.place.connect(listener)

    def bosh(self) -> str:
        """A listener that serves /http-bind."""
        return self.rng.choice(("notification", "https", "insecure_bosh"))

    def web(self) -> str:
        """A listener that serves REST."""
        return self.rng.choice(("https", "insecure_http"))

    def write(self, wire: Wire, data: bytes) -> None:
        """Send, at once or in pieces."""
        while data and self.rng.random() < 0.3:
            size = self.rng.randrange(1, len(data) + 1)
            wire.write(data[:size])
            data = data[size:]
        wire.write(data)

    def finish(self, wire: Wire) -> None:
        """Hang up one way or another."""
        if self.rng.random() < 0.5:
            with suppress(AssertionError, OSError, ValueError):
                wire.reply(READ_S)
        with suppress(OSError):
            self.rng.choice((wire.close, wire.kill))()


def any_port(me: Hostile) -> None:
    """Bytes without sense for whatever listens, with TLS around them or not."""
    listener = me.rng.choice(list(me.place.ports))
    if me.rng.random() < 0.5:
        wire = Wire(me.place.host, me.place.ports[listener])
    else:
        wire = me.wire(listener)
    me.write(wire, me.noise(3000))
    me.finish(wire)


def odd_http(me: Hostile) -> None:
    """Requests that are almost HTTP."""
    method = me.rng.choice(("GET", "POST", "PUT", "OPTIONS", "HEAD", "TRACE", "BREW"))
    path = me.rng.choice(("/http-bind/", "/http-bind", "/finesse/api/User/1005", "/healthz", "//", "/%2e%2e/etc"))
    headers = me.rng.choice(
        ([], [("Transfer-Encoding", "chunked")], [("Expect", "100-continue")], [("Content-Length", "99999999999")])
    )
    wire = me.wire(me.rng.choice(("notification", "https")))
    for _ in range(me.rng.choice((1, 1, 3, 40))):
        me.write(wire, me.mangled(http_request(method, path, me.noise(), headers)))
    me.finish(wire)


def odd_bodies(me: Hostile) -> None:
    """BOSH bodies that are almost XML, for sessions that are not there."""
    wire = me.wire(me.bosh())
    for _ in range(me.rng.randrange(1, 4)):
        body = wrap(
            me.rng.choice(("", *STANZAS)),
            to=me.rng.choice(("localhost", "elsewhere", "")),
            rid=me.rng.choice((0, 1, -1, 2**53, 2**64)),
            sid=me.rng.choice((None, "", "x" * 300, "none")),
            wait=me.rng.choice((None, 0, 30, -5)),
        )
        wire.post(me.mangled(body), "/http-bind/")
    me.finish(wire)


def session_games(me: Hostile) -> None:
    """A session that is created properly and then mistreated: replays, leaps, gaps, floods, broken connections."""
    rng, listener = me.rng, me.bosh()
    wire = me.wire(listener)
    rid = rng.randrange(1, 2**40)
    creation = wrap(to="localhost", rid=rid, ver="1.11", wait=rng.choice((0, 1, 30)), hold=rng.choice((0, 1, 5)))
    wire.post(creation, "/http-bind/")
    sid = wire.reply(2).sid
    if rng.random() < 0.7:
        user = rng.choice(USERS)
        password = user if rng.random() < 0.8 else "wrong"
        wire.post(wrap(plain(user, password), rid=rid + 1, sid=sid), "/http-bind/")
        wire.reply(2)
        restart = wrap(rid=rid + 2, sid=sid, to="localhost", xmpp_restart="true")
        wire.post(restart.replace(b"<body ", b"<body xmlns:xmpp='urn:xmpp:xbosh' ", 1), "/http-bind/")
        wire.reply(2)
        wire.post(wrap(bind(f"r{rng.randrange(3)}"), rid=rid + 3, sid=sid), "/http-bind/")
        wire.reply(2)
        rid += 3
    others = [wire]
    for _ in range(rng.randrange(1, 12)):
        leap = rng.choice((1, 1, 1, 1, 0, 0, 2, 3, -1, 50, -(10**6)))
        rid += max(leap, 0)
        kind = rng.choice((None, None, None, None, "terminate", "junk"))
        body = wrap(
            rng.choice(("", "", *STANZAS)), rid=rid + min(leap, 0), sid=sid, type=kind, pause=rng.choice((None, 5))
        )
        if rng.random() < 0.3:
            others.append(me.wire(listener))
        target = rng.choice(others)
        target.post(body if rng.random() < 0.7 else me.mangled(body), "/http-bind/")
        if rng.random() < 0.3:
            with suppress(AssertionError, ValueError):
                target.reply(READ_S)
    for other in others:
        me.finish(other)


def rest_games(me: Hostile) -> None:
    """REST with everything a little wrong."""
    user = me.rng.choice(USERS)
    path = me.rng.choice((f"User/{user}", "User/1001", "Users", "SystemInfo", f"User/{user}/ReasonCodes", "Nothing"))
    state = me.rng.choice(("LOGIN", "READY", "NOT_READY", "LOGOUT", "TALKING", "&#7;", "<a/>", ""))
    body = f"<User><state>{state}</state><extension>{me.rng.choice((user, '1001', ''))}</extension></User>".encode()
    headers = {**basic(user, user if me.rng.random() < 0.8 else "wrong"), "Content-Type": "application/xml"}
    headers["requestId"] = me.rng.choice(("x", "\t", "y" * 3000, "<>&"))
    wire = me.wire(me.web())
    for _ in range(me.rng.choice((1, 1, 5))):
        request = http_request(
            me.rng.choice(("PUT", "GET", "POST", "DELETE")), f"/finesse/api/{path}", body, headers.items()
        )
        me.write(wire, request if me.rng.random() < 0.5 else me.mangled(request))
    me.finish(wire)


def xmpp_over_tcp(me: Hostile) -> None:
    """Streams that are almost streams."""
    header = f"<stream:stream to='localhost' version='1.0' xmlns='jabber:client' xmlns:stream='{STREAM}'>"
    wire = me.wire("xmpp")
    user = me.rng.choice(USERS)
    said = [header, plain(user), header, bind("t"), *me.rng.choices(STANZAS, k=4), "</stream:stream>"]
    data = "".join(said[: me.rng.randrange(1, len(said) + 1)]).encode()
    me.write(wire, data if me.rng.random() < 0.4 else me.mangled(data))
    if me.rng.random() < 0.5:
        with suppress(AssertionError):
            wire.read_to_end(READ_S)
    me.finish(wire)


def websocket_games(me: Hostile) -> None:
    """Handshakes and frames that are almost right."""
    rng, wire = me.rng, me.wire(me.bosh())
    deflate = "permessage-deflate" if rng.random() < 0.5 else None
    hello = upgrade_request("/ws/", Sec_WebSocket_Extensions=deflate)
    me.write(wire, hello if rng.random() < 0.8 else me.mangled(hello))
    said = [opening(), plain(rng.choice(USERS)), opening(), bind("w"), *rng.choices(STANZAS, k=4), GOODBYE]
    data = b"".join(frame(text) for text in said[: rng.randrange(1, len(said) + 1)])
    for _ in range(rng.randrange(6)):
        kind, mask = rng.choice((0, 0, 1, 2, 8, 9, 9, 10, 15)), rng.choice((b"abcd", b"abcd", None))
        rsv, body = rng.choice((0, 0, 4, 1)), me.noise()
        data += frame(body, kind, fin=rng.random() < 0.7, rsv=rsv, mask=mask)
        data += frame(deflated(b"<a>" + b"A" * rng.choice((10, 100_000)) + b"</a>"), rsv=4)
    me.write(wire, data if rng.random() < 0.6 else me.mangled(data))
    if rng.random() < 0.5:
        with suppress(AssertionError):
            wire.read_to_end(READ_S)
    me.finish(wire)


def half_open(me: Hostile) -> None:
    """Connections that begin something and go."""
    wires = [Wire(me.place.host, me.place.ports[me.rng.choice(list(me.place.ports))]) for _ in range(20)]
    for wire in wires:
        wire.write(me.rng.choice((b"", b"\x16", b"\x16\x03\x01\x02\x00\x01", b"POST /http-bind/ HTTP/1.1\r\nHost:")))
    for wire in wires:
        me.finish(wire)


GAMES: tuple[Game, ...] = (
    any_port,
    odd_http,
    odd_bodies,
    session_games,
    session_games,
    session_games,
    rest_games,
    xmpp_over_tcp,
    websocket_games,
    half_open,
)


class Crowd:
    """Hostile clients in threads of their own."""

    def __init__(self, place: Place, seed: str, seconds: float, size: int = 3) -> None:
        self._began = time.monotonic()
        self.until = self._began + seconds
        self.clients = [Hostile(place, f"{seed}/{number}") for number in range(size)]
        self._threads = [threading.Thread(target=client.play, args=(self.until,)) for client in self.clients]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.until = 0.0
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "a hostile client hangs"

    @property
    def raging(self) -> bool:
        """Whether the time is not over."""
        return time.monotonic() < self.until

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    @property
    def played(self) -> Counter[str]:
        """Games by name."""
        return sum((client.played for client in self.clients), Counter())

    @property
    def broken(self) -> list[str]:
        """Mistakes of the games themselves."""
        return [mistake for client in self.clients for mistake in client.broken]

"""Whatever a client sends costs only itself: meanwhile a well-behaved session keeps its events (issue: "Bad input")."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.conformance.bosh import bad_input
from tests.conformance.bosh.bad_input import EVERYTHING, RIDS, Maker
from tests.conformance.dialogue import QUIET, Contact, Session, check_session_lives, login, message, texts
from tests.conformance.targets import BOSH, Server
from tests.conformance.wire import NoAnswer, Wire, http_request

LATENCY_S = 4.0
"""Real seconds an event may take while the bad input is being sent; generous, since CI's machine is shared."""


class Bystander:
    """A well-behaved session that always holds a poll, and somebody who sends it events."""

    def __init__(self, server: Server) -> None:
        self.session = login(server, "1004", "bystander", wait=60)
        self.contact = Contact(server, "1002", "events")
        self._numbers = itertools.count()
        self._held = self.session.ask(1)

    def check_event(self) -> None:
        """The next event arrives, alone and in time; then the next poll goes out."""
        text = f"event {next(self._numbers)}"
        self.contact.say(message(self.session.jid, text))
        assert texts(self._held.reply(LATENCY_S)) == [text]
        self.session.base += 1
        self._held = self.session.ask(1)


@pytest.fixture(scope="module")
def calm_server(module_pool: object) -> Server:
    """One server for all cases: what one case breaks, the next would show."""
    return module_pool.get(replace(BOSH, wait_max=60, inactivity=60))  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
def bystander(calm_server: Server) -> Iterator[Bystander]:
    """A session whose events must not suffer."""
    calm = Bystander(calm_server)
    calm.check_event()
    yield calm
    calm.check_event()
    assert calm_server.alive()


def check_reaction(wire: Wire) -> None:
    """The sender is answered or cut off, within the time of an answer."""
    try:
        outcome = str(wire.reply().status)
    except NoAnswer as why:
        outcome = "cut off" if "closed" in str(why) or "broken" in str(why) else str(why)
    assert outcome in ("200", "400", "403", "404", "413", "cut off")


def answered_or_closed(session: Session, body: bytes) -> None:
    """Post a body; the sender must be answered or cut off."""
    check_reaction(session.send(body).wire)


@pytest.mark.parametrize("make", EVERYTHING.values(), ids=EVERYTHING.keys())
def test_a_bad_body_costs_only_its_sender(calm_server: Server, bystander: Bystander, make: Maker) -> None:
    sender = login(calm_server, "1003", "bad")
    body = make(sender, 1)
    wire = sender.connect()
    head, _, _ = http_request("POST", calm_server.path, body).partition(b"\r\n\r\n")
    wire.write(head + b"\r\n\r\n" + body[: len(body) // 2])
    bystander.check_event()  # while half of it is there
    rest = threading.Thread(target=wire.write, args=(body[len(body) // 2 :],), daemon=True)
    rest.start()
    bystander.check_event()  # while the rest comes and is read
    check_reaction(wire)
    wire.close()
    rest.join(5)


@pytest.mark.parametrize("rid", RIDS.values(), ids=RIDS.keys())
def test_a_bad_rid_costs_only_its_sender(calm_server: Server, bystander: Bystander, rid: str) -> None:
    sender = login(calm_server, "1003", "bad")
    answered_or_closed(sender, sender.B(1, QUIET, rid=rid))
    bystander.check_event()
    answered_or_closed(sender, sender.C(rid=rid))


@pytest.mark.parametrize("n", [0, -1, -6, 3, 1000, 2**53 - 10_000_000])
def test_rid_games_cost_only_their_sender(calm_server: Server, bystander: Bystander, n: int) -> None:
    sender = login(calm_server, "1003", "bad")
    for _ in range(3):
        answered_or_closed(sender, sender.B(n, QUIET))
        bystander.check_event()


def test_SEC13_a_stranger_with_somebodys_sid_and_a_wrong_rid_may_end_only_that_session(
    calm_server: Server, bystander: Bystander
) -> None:
    victim = login(calm_server, "1003", "victim")
    stranger = Session(calm_server)
    stranger.sid = victim.sid
    answered_or_closed(stranger, stranger.B(1))
    bystander.check_event()


def drip(server: Server, start: bytes, piece: bytes, times: int) -> Wire:
    """An unfinished request that grows in small pieces."""
    wire = Wire(server.host, server.port)
    wire.write(start)
    for _ in range(times):
        wire.write(piece)
    return wire


HEAD = b"POST /http-bind HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"
DRIPS: dict[str, Callable[[Server], Wire]] = {
    "attribute in small pieces": lambda server: drip(server, HEAD + b"<body x='", b"a" * 64, 3000),
    "start tag without end": lambda server: drip(server, HEAD + b"<body ", b"a" * 64, 3000),
    "white space without end": lambda server: drip(server, HEAD, b" " * 64, 3000),
    "comment without end": lambda server: drip(server, HEAD + b"<!--", b"-" * 64, 3000),
    "headers without end": lambda server: drip(server, HEAD[:40], b"X-A: " + b"a" * 59, 3000),
    "chunks of one byte": lambda server: drip(
        server,
        http_request("POST", server.path, b"", [("Transfer-Encoding", "chunked"), ("Content-Length", "")]),
        b"1\r\n<\r\n" * 10,
        300,
    ),
}


@pytest.mark.parametrize("open_drip", DRIPS.values(), ids=DRIPS.keys())
def test_SEC05_SEC07_an_endless_request_costs_only_its_sender(
    calm_server: Server, bystander: Bystander, open_drip: Callable[[Server], Wire]
) -> None:
    wire = open_drip(calm_server)
    bystander.check_event()
    wire.close()


def test_SEC05_a_flood_of_broken_bodies_on_one_connection_costs_only_its_sender(
    calm_server: Server, bystander: Bystander
) -> None:
    wire = Wire(calm_server.host, calm_server.port)
    for name, make in (bad_input.BROKEN | bad_input.CHARACTERS).items():
        del name
        sender = Session(calm_server)
        sender.sid = "nobody"
        wire.post(make(sender, 1), calm_server.path)
        bystander.check_event()


def test_SEC06_a_client_that_never_reads_costs_only_itself(calm_server: Server, bystander: Bystander) -> None:
    deaf = login(calm_server, "1003", "deaf")
    wire = deaf.connect()
    for n in range(1, 40):
        wire.post(deaf.B(n, message(deaf.jid, "x" * 20_000)), calm_server.path)
    bystander.check_event()
    wire.close()
    check_session_lives(login(calm_server, "1005", "late"))

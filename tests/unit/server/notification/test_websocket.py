"""XMPP over WebSocket on real sockets, its frames made by hand: handshake, frames good and bad, silence, the end."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from poise.protocols.xmpp.bosh.timing import INACTIVITY_S
from poise.protocols.xmpp.records import MessageRecord
from poise.server.notification import websocket as module
from poise.server.notification.admission import AdmissionPolicy
from poise.server.notification.live import LiveSession
from poise.server.notification.service import NotificationService
from poise.server.notification.stream_session import UNSTORED_MAX
from poise.server.notification.timing import CLOSING_S, SIGN_IN_S
from poise.server.notification.websocket import WebSocketPolicy
from tests.conformance.targets import client_tls
from tests.support.server import Server, start
from tests.support.websocket import (
    ACCEPT,
    BINARY,
    CLIENT,
    CLOSE,
    CONT,
    FRAMING,
    GOODBYE,
    OPEN_SOCKETS,
    PATIENCE_S,
    PING,
    PING_IQ,
    PONG,
    SASL,
    STREAM,
    TEXT,
    Frame,
    XmppSocket,
    bind,
    deflated,
    frame,
    opening,
    plain,
    upgrade_request,
)
from tests.unit.server.notification.bosh_client import BoshClient
from tests.unit.server.notification.recorder import Recorder
from tests.unit.server.notification.test_persistence import SlowStore

NODE = "/finesse/api/User/1001"
PRESENCE = f"<presence xmlns='{CLIENT}'/>"
DEFLATE = "permessage-deflate"


@pytest.fixture(autouse=True)
def hang_up_websockets() -> Iterator[None]:
    yield
    while OPEN_SOCKETS:
        OPEN_SOCKETS.pop().close()


def dial(server: Server, *, tls: bool = False) -> XmppSocket:
    """A connection that has said nothing yet."""
    sock = socket.create_connection((server.host, server.tls_port if tls else server.port), timeout=PATIENCE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return XmppSocket(client_tls().wrap_socket(sock, server_hostname="localhost") if tls else sock)


def connect(server: Server, *, tls: bool = False, **headers: str | None) -> XmppSocket:
    """A WebSocket."""
    client = dial(server, tls=tls)
    answer = client.upgrade("/ws/", **headers)
    assert answer.status == 101, answer
    return client


def sasl(name: str, data: str, **attributes: str) -> str:
    more = "".join(f" {key}='{value}'" for key, value in attributes.items())
    return f"<{name} xmlns='{SASL}'{more}>{base64.b64encode(data.encode()).decode()}</{name}>"


def message(to: str, text: str) -> str:
    return f"<message xmlns='{CLIENT}' to='{to}' type='chat'><body>{text}</body></message>"


def bodies(client: XmppSocket, count: int) -> list[str | None]:
    return [client.until(f"{{{CLIENT}}}message").findtext(f"{{{CLIENT}}}body") for _ in range(count)]


def check_alive(client: XmppSocket) -> None:
    client.say(PING_IQ)
    assert client.until(f"{{{CLIENT}}}iq", id="ping1").get("type") == "result"


@contextmanager
def recorded(**overrides: Any) -> Iterator[tuple[Server, Recorder]]:
    """A server and what its log is told; at the end nothing may have gone wrong inside."""
    log = Recorder(debug=False)
    with start(log=log, **overrides) as server:
        yield server, log
        assert server.failures == []
        assert log.all("fault") == []


def ended(log: Recorder) -> tuple[str, str]:
    """(code, evidence) of the one session that ended."""
    closed = log.only("session_ended")["closed"]
    return closed.ending.code, closed.evidence


# -- the whole way -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_desktop_signs_in_gets_its_event_and_leaves(tls: bool) -> None:
    with recorded(tls=True) as (server, log):
        client = connect(server, tls=tls).sign_in("1001", "1001", presence=True)
        server.do(lambda service: service.create_node(NODE))
        server.do(lambda service: service.subscribe(NODE, "1001@localhost"))
        server.publish(NODE, b"<notification xmlns='http://jabber.org/protocol/pubsub'>&lt;Update/&gt;</notification>")
        event = client.until(f"{{{CLIENT}}}message", **{"from": "pubsub.localhost"})
        assert "".join(event.itertext()) == "<Update/>"
        [session] = server.do(lambda service: service.sessions())
        assert (session.transport, session.jid) == ("websocket", "1001@localhost/1001")
        client.say(GOODBYE)
        assert client.hear().tag == f"{{{FRAMING}}}close"
        assert client.close_code() == 1000
        server.settle()
        assert ended(log) == ("client-left", "<close/>")
        assert log.only("session_created")["transport"] == "websocket"
        assert server.do(lambda service: service.sessions()) == []


def test_a_long_fan_out_arrives_in_order_beside_other_bindings() -> None:
    def subscribe(service: NotificationService) -> None:
        service.create_node(NODE)
        for user in ("1001", "1002"):
            service.subscribe(NODE, f"{user}@localhost")

    with start() as server:
        client = connect(server).sign_in("1001", presence=True)
        other = BoshClient(server, "1002").settled()
        server.do(subscribe)
        numbers = [str(number) for number in range(300)]
        for number in numbers:
            server.publish(NODE, f"<notification xmlns='x'>{number}{'y' * 1500}</notification>".encode())
        got = ["".join(client.until(f"{{{CLIENT}}}message").itertext()).rstrip("y") for _ in numbers]
        assert got == numbers
        assert ">0yyy" in other.connection.read().body


@pytest.mark.parametrize("size", [10, 125, 126, 127, 65_000, 65_535, 65_536, 70_000])
def test_frames_of_every_length_are_whole(size: int) -> None:
    with start() as server:
        sender, receiver = connect(server).sign_in("1001"), connect(server).sign_in("1002", presence=True)
        text = "ä" * (size // 2)
        sender.say(message(receiver.jid, text))
        assert bodies(receiver, 1) == [text]


def test_bytes_that_come_right_behind_the_handshake_are_frames() -> None:
    with start() as server:
        client = dial(server)
        client.send(upgrade_request("/ws") + frame(opening()))
        assert client.answer().headers["sec-websocket-accept"] == ACCEPT
        assert client.hear().tag == f"{{{FRAMING}}}open"
        assert client.features() is not None


def test_everything_at_once_and_byte_by_byte_come_to_the_same() -> None:
    story = [opening(), plain("1001"), opening(), bind("desk"), PRESENCE, PING_IQ, GOODBYE]
    data = b"".join(frame(message) for message in story)
    heard = []
    for size in (len(data), 1):
        with start() as server:
            client = connect(server)
            for at in range(0, len(data), size):
                client.send(data[at : at + size])
            tags: list[str] = []
            while not tags or not tags[-1].endswith("close"):
                tags.append(client.hear().tag.rpartition("}")[2])
            assert client.close_code() == 1000
            heard.append(tags)
    assert heard[0] == heard[1]
    assert heard[0][:7] == ["open", "features", "success", "open", "features", "iq", "presence"]


def test_stanzas_before_close_are_still_delivered() -> None:
    with start() as server:
        receiver = connect(server).sign_in("1002", presence=True)
        sender = connect(server).sign_in("1001")
        sender.say(*(message(receiver.jid, str(number)) for number in range(100)), GOODBYE)
        assert bodies(receiver, 100) == [str(number) for number in range(100)]


# -- handshake ---------------------------------------------------------------------------------------------------------


def test_xmpp_is_chosen_from_among_several_and_paths_with_and_without_slash_serve() -> None:
    with start() as server:
        for path in ("/ws", "/ws/", "/ws/?token=x"):
            answer = dial(server).upgrade(path, Sec_WebSocket_Protocol="chat, xmpp")
            assert answer.status == 101
            assert answer.headers["sec-websocket-protocol"] == "xmpp"
            assert answer.headers["sec-websocket-accept"] == ACCEPT
            assert "sec-websocket-extensions" not in answer.headers
            assert "," not in answer.headers["date"].replace("Tue, ", "")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec_WebSocket_Protocol": None}, 400),
        ({"Sec_WebSocket_Protocol": "chat"}, 400),
        ({"Sec_WebSocket_Key": None}, 400),
        ({"Sec_WebSocket_Key": "short"}, 400),
        ({"Sec_WebSocket_Key": "bm90IHNpeHRlZW4gYnl0ZXM="}, 400),
        ({"Sec_WebSocket_Version": None}, 426),
        ({"Sec_WebSocket_Version": "8"}, 426),
        ({"Upgrade": None}, 426),
        ({"Connection": "keep-alive"}, 426),
        ({"Upgrade": "h2c"}, 426),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example:not-a-port"}, 403),
        ({"Origin": "https://[::1"}, 403),
        ({"Content_Length": "3"}, 400),
    ],
)
def test_a_bad_handshake_gets_an_ordinary_answer(headers: dict[str, str | None], status: int) -> None:
    with recorded() as (server, log):
        client = dial(server)
        client.send(upgrade_request("/ws", **headers) + (b"abc" if "Content_Length" in headers else b""))
        answer = client.answer()
        assert answer.status == status
        assert answer.body
        assert "sec-websocket-accept" not in answer.headers
        if status == 426:
            assert answer.headers["upgrade"] == "websocket"
        if "Sec_WebSocket_Version" in headers:
            assert answer.headers["sec-websocket-version"] == "13"
        assert client.upgrade("/ws").status == 101  # the connection lives on
        assert log.names("session_created") == ["session_created"]
        assert server.do(lambda service: service.websocket.refused) == 1


@pytest.mark.parametrize("method", [b"POST", b"OPTIONS", b"PUT"])
def test_other_methods_are_refused(method: bytes) -> None:
    with start() as server:
        client = dial(server)
        client.send(method + b" /ws HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.headers["allow"]) == (405, "GET")


def test_an_old_http_version_is_refused() -> None:
    with start() as server:
        client = dial(server)
        client.send(upgrade_request("/ws").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert client.answer().status == 505


@pytest.mark.parametrize(
    ("origin", "allowed", "names"),
    [
        ("https://localhost", (), ()),
        ("https://localhost:8445", (), ()),
        ("http://LOCALHOST", (), ()),
        ("https://10.0.0.1:8445", (), ("10.0.0.1",)),
        ("https://crm.example", ("https://crm.example",), ()),
        ("https://anything.example", ("*",), ()),
        ("null", ("*",), ()),
    ],
)
def test_pages_of_our_own_names_and_of_the_list_may_connect(
    origin: str, allowed: tuple[str, ...], names: tuple[str, ...]
) -> None:
    with start(allowed_origins=allowed, names=frozenset(names)) as server:
        assert dial(server).upgrade(Host="elsewhere", Origin=origin).status == 101


def test_pages_of_the_very_host_they_dial_may_connect() -> None:
    with start() as server:
        assert dial(server).upgrade(Host="desk.example:8445", Origin="https://desk.example:443").status == 101
        assert dial(server).upgrade(Host="desk.example:8445", Origin="https://desk.example.evil.example").status == 403
        assert dial(server).upgrade(Host="localhost", Origin="https://crm.example:8443").status == 403


def test_an_upgrade_behind_a_held_poll_is_refused_in_its_turn() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        client.connection.socket.sendall(upgrade_request("/ws"))
        server.settle()
        assert client.connection.silent()
        server.pass_time(31)
        assert client.connection.read().body.startswith("<body")
        assert client.connection.read().status == 400


def test_a_request_after_a_bosh_answer_on_the_same_connection_becomes_a_websocket() -> None:
    with start() as server:
        client = dial(server)
        client.send(b"GET /http-bind HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.answer().status == 200
        assert client.upgrade("/ws").status == 101
        client.open()


def test_too_many_connections_that_do_not_sign_in_are_refused() -> None:
    with start(admission=AdmissionPolicy(unauthenticated_per_address=2)) as server:
        first, _ = connect(server), connect(server)
        answer = dial(server).upgrade("/ws")
        assert (answer.status, answer.body) == (503, b"too many sessions that are not signed in\n")
        first.kill()
        server.settle()
        connect(server)


def test_an_upgraded_connection_counts_among_those_of_its_address_until_it_is_gone() -> None:
    with start() as server:
        client = connect(server)
        assert server.do(lambda service: len(service.site.connections)) == 1
        client.kill()
        server.settle()
        assert server.do(lambda service: len(service.site.connections)) == 0


# -- frames ------------------------------------------------------------------------------------------------------------


def test_fragments_make_one_message_with_pings_between_them() -> None:
    with start() as server:
        client = connect(server).sign_in("1001")
        text = "é😀&amp;" * 20
        data = message(client.jid, text).encode()
        pieces = [data[at : at + 3] for at in range(0, len(data), 3)]  # inside of characters, too
        client.send(frame(pieces[0], fin=False))
        for number, piece in enumerate(pieces[1:-1]):
            client.send(frame(str(number), PING) + frame(piece, CONT, fin=False))
        client.send(frame(b"", CONT, fin=False) + frame(pieces[-1], CONT))
        pongs = [client.frame() for _ in pieces[1:-1]]
        assert pongs == [Frame(PONG, str(number).encode()) for number in range(len(pongs))]
        assert bodies(client, 1) == [text.replace("&amp;", "&")]


def test_a_ping_is_answered_with_its_payload_amid_a_flood_of_stanzas() -> None:
    with start() as server:
        client = connect(server).sign_in("1001")
        client.send(frame(PING_IQ) * 200 + frame(b"\x00\xff42", PING) + frame(PING_IQ) * 200)
        kinds = [client.frame() for _ in range(401)]
        assert [got for got in kinds if got.opcode == PONG] == [Frame(PONG, b"\x00\xff42")]


@pytest.mark.parametrize(
    ("data", "close", "code", "evidence"),
    [
        (frame(b"<a/>", BINARY), 1003, "bad-frame", "binary frame"),
        (frame(b"<a/>", mask=None), 1002, "bad-frame", "incorrect masking"),
        (frame(b"<a/>", rsv=4), 1002, "bad-frame", "reserved bits must be 0"),
        (frame(b"<a/>", rsv=1), 1002, "bad-frame", "reserved bits must be 0"),
        (frame(b"<a/>", 3), 1002, "bad-frame", "invalid opcode"),
        (frame(b"<a/>", 11), 1002, "bad-frame", "invalid opcode"),
        (frame(b"x" * 126, PING), 1002, "bad-frame", "control frame too long"),
        (frame(b"x", PING, fin=False), 1002, "bad-frame", "fragmented control frame"),
        (frame(b"<a/>", CONT), 1002, "bad-frame", "unexpected continuation frame"),
        (frame(b"<a", fin=False) + frame(b"<b/>"), 1002, "bad-frame", "expected a continuation frame"),
        (frame(b"<a>\xff</a>"), 1007, "bad-frame", "not UTF-8"),
        (frame(b"<a>\xed\xa0\x80</a>"), 1007, "bad-frame", "not UTF-8"),
        (frame(b"<a>\xc0\xbc</a>"), 1007, "bad-frame", "not UTF-8"),
        (frame(b"<a>\xf0\x9f", fin=False) + frame(b"</a>", CONT), 1007, "bad-frame", "not UTF-8"),
        (frame(b"\x00", CLOSE), 1002, "bad-frame", "close frame too short"),
        (frame(b"\x03\xed", CLOSE), 1002, "bad-frame", "invalid status code"),
        (frame(b"\x03\xe8\xff", CLOSE), 1007, "bad-frame", "invalid start byte at position 0"),
    ],
)
def test_a_broken_frame_ends_its_own_session_alone(data: bytes, close: int, code: str, evidence: str) -> None:
    with recorded() as (server, log):
        other = connect(server).sign_in("1002")
        client = connect(server).sign_in("1001")
        client.send(data)
        assert client.close_code() == close
        server.settle()
        assert ended(log) == (code, evidence)
        check_alive(other)


def oversize(kind: str, limit: int) -> bytes:
    big = b"<a>" + b"A" * 10_000_000 + b"</a>"
    if kind == "one frame":
        return frame(b"<a>" + b"A" * limit + b"</a>")
    if kind == "its header alone":
        return frame(b"", length=limit + 1)
    if kind == "2^63":
        return frame(b"", length=1 << 63)
    if kind == "fragments":
        return frame(b"<a>", fin=False) + frame(b"A" * (limit // 2), CONT, fin=False) * 2
    if kind == "many empty fragments":
        return frame(b"<a>", fin=False) + frame(b"", CONT, fin=False) * module.FRAGMENTS_MAX
    if kind == "bomb":
        return frame(deflated(big), rsv=4)
    packed = deflated(big)
    return frame(packed[:100], rsv=4, fin=False) + frame(packed[100:], CONT)


@pytest.mark.parametrize(
    "kind", ["one frame", "its header alone", "2^63", "fragments", "many empty fragments", "bomb", "bomb in fragments"]
)
def test_too_big_a_message_is_a_violation_of_policy_in_xmpp_and_websocket(kind: str) -> None:
    limit = 20_000
    with recorded(websocket=WebSocketPolicy(message_max_bytes=limit)) as (server, log):
        extensions = DEFLATE if "bomb" in kind else None
        client = connect(server, Sec_WebSocket_Extensions=extensions).sign_in("1001")
        client.send(oversize(kind, limit))
        error = client.hear()
        assert error.tag == f"{{{STREAM}}}error"
        assert error[0].tag.endswith("policy-violation")
        assert client.hear().tag == f"{{{FRAMING}}}close"
        assert client.close_code() == 1009
        server.settle()
        assert ended(log)[0] == "too-big"


def test_a_message_of_just_the_limit_is_heard() -> None:
    limit = 20_000
    with start(websocket=WebSocketPolicy(message_max_bytes=limit)) as server:
        client = connect(server, Sec_WebSocket_Extensions=DEFLATE).sign_in("1001")
        frames = len(message(client.jid, ""))
        text = "x" * (limit - frames)
        exact = message(client.jid, text)
        assert len(exact) == limit
        client.say(exact)
        client.send(frame(exact[:100], fin=False) + frame(exact[100:], CONT))
        client.send(frame(deflated(exact.encode()), rsv=4))
        assert bodies(client, 3) == [text] * 3


def test_broken_deflate_is_a_broken_frame() -> None:
    with recorded() as (server, log):
        client = connect(server, Sec_WebSocket_Extensions=DEFLATE).sign_in("1001")
        client.send(frame(b"\xff\xff\xff\xff", rsv=4))
        assert client.close_code() == 1002
        server.settle()
        assert ended(log) == ("bad-frame", "decompression failed")


def test_compression_is_agreed_to_without_memory_between_messages_and_used_for_long_ones() -> None:
    with start() as server:
        client = dial(server)
        answer = client.upgrade(Sec_WebSocket_Extensions=f"{DEFLATE}; client_max_window_bits")
        agreed = {word.strip() for word in answer.headers["sec-websocket-extensions"].split(";")}
        assert agreed == {DEFLATE, "server_no_context_takeover", "client_no_context_takeover"}
        client.sign_in("1001")
        short, long = message(client.jid, "short"), message(client.jid, "long" * 1000)
        for text in (short, long):
            client.send(frame(deflated(text.encode()), rsv=4))
        first, second = client.frame(), client.frame()
        assert (first.rsv, second.rsv) == (0, 4)
        assert len(second.payload) < 300


def test_compression_can_be_switched_off_for_both_ways_or_for_ours() -> None:
    with start(websocket=WebSocketPolicy(compression=False)) as server:
        assert "sec-websocket-extensions" not in dial(server).upgrade(Sec_WebSocket_Extensions=DEFLATE).headers
    with start(websocket=WebSocketPolicy(deflate_from_bytes=0)) as server:
        client = connect(server, Sec_WebSocket_Extensions=DEFLATE).sign_in("1001")
        client.say(message(client.jid, "long" * 1000))
        assert client.frame().rsv == 0


# -- who leaves, and how -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "code", "evidence"),
    [
        ("kill", "socket-lost", "reset"),
        ("hang up", "socket-lost", "closed without a close frame"),
        ("close frame", "client-left", "WebSocket closed by the client: 1001"),
        ("empty close frame", "client-left", "WebSocket closed by the client: 1005"),
    ],
)
def test_others_learn_that_a_client_is_gone_however_it_went(last: str, code: str, evidence: str) -> None:
    with recorded() as (server, log):
        watcher = connect(server).sign_in("1001", "watch", presence=True)
        client = connect(server).sign_in("1001", "desk", presence=True)
        watcher.until(f"{{{CLIENT}}}presence", **{"from": client.jid})
        if last == "kill":
            client.kill()
        elif last == "hang up":
            client.socket.close()
        else:
            client.send(frame(b"\x03\xe9" if last == "close frame" else b"", CLOSE))
            while (got := client.frame()).opcode != CLOSE:
                pass
            assert got.payload == (b"\x03\xe9" if last == "close frame" else b"")
            assert client.rest() == b""
        gone = watcher.until(f"{{{CLIENT}}}presence", type="unavailable")
        assert gone.get("from") == client.jid
        server.settle()
        assert ended(log) == (code, evidence)


def test_a_client_that_never_answers_our_close_frame_is_cut_off_after_a_while() -> None:
    with start() as server:
        client = connect(server).sign_in("1001")
        client.say(GOODBYE)
        assert client.hear().tag == f"{{{FRAMING}}}close"
        assert client.frame().opcode == CLOSE
        client.send(frame(PING_IQ) + frame(b"late", PING))  # nothing of this is heard, and it does not prolong the end
        server.pass_time(CLOSING_S - 1)
        assert server.do(lambda service: len(service.site.connections)) == 1
        server.pass_time(2)
        assert b"result" not in client.rest()
        server.settle()
        assert server.do(lambda service: len(service.site.connections)) == 0


def test_silence_is_answered_with_a_ping_and_then_ends_the_session() -> None:
    with recorded() as (server, log):
        client = connect(server).sign_in("1001")
        server.pass_time(INACTIVITY_S / 2 + 1)
        assert client.frame() == Frame(PING, b"")
        client.send(frame(b"", PONG))
        server.pass_time(INACTIVITY_S / 2 + 1)
        assert client.frame() == Frame(PING, b"")  # the pong counted: this is the second
        server.pass_time(INACTIVITY_S / 2 - 2)
        assert server.do(lambda service: [int(session.idle_s) for session in service.sessions()]) == [INACTIVITY_S - 1]
        server.pass_time(2)
        error = client.hear()
        assert error[0].tag.endswith("connection-timeout")
        assert client.hear().tag == f"{{{FRAMING}}}close"
        assert client.close_code() == 1008
        server.settle()
        assert ended(log)[0] == "idle"
        closed = log.only("session_ended")["closed"]
        assert closed.timer_s == INACTIVITY_S
        assert closed.heard_before == closed.heard_after


def test_a_client_that_speaks_is_never_pinged() -> None:
    with start() as server:
        client = connect(server).sign_in("1001")
        for _ in range(12):
            client.say(" ")
            server.pass_time(10)
        check_alive(client)
        assert client.buffer == b""


def test_the_wait_for_a_client_without_end_when_policy_says_so() -> None:
    with start(websocket=WebSocketPolicy(idle_s=float("inf"))) as server:
        client = connect(server).sign_in("1001")
        server.pass_time(100_000)
        check_alive(client)


def test_time_in_which_the_server_stood_still_is_nobodys_silence() -> None:
    with start() as server:
        client, late = connect(server).sign_in("1001"), connect(server)
        server.pass_time(INACTIVITY_S - 10)
        server.stall(300)
        check_alive(client)
        late.open()


def test_sign_in_must_be_done_in_time_whatever_is_sent() -> None:
    with recorded() as (server, log):
        client = connect(server)
        client.open()
        client.features()
        for _ in range(int(SIGN_IN_S / 10)):
            client.say(" ")
            server.pass_time(10)
        server.pass_time(1)
        assert client.hear()[0].tag.endswith("connection-timeout")
        assert client.hear().tag == f"{{{FRAMING}}}close"
        client.close_code()
        assert ended(log)[0] == "auth-timeout"


def test_a_stopping_service_tells_everybody_and_takes_nobody() -> None:
    server = start()
    client, fresh = connect(server).sign_in("1001"), connect(server)
    server.stop()
    for each in (client, fresh):
        names = [each.hear().tag.rpartition("}")[2] for _ in range(2 if each is client else 3)]
        assert names[-2:] == ["error", "close"]
        got = each.frame()
        assert (got.opcode, got.payload[:2]) == (CLOSE, b"\x03\xe9")


def test_an_operator_can_end_a_session() -> None:
    with recorded() as (server, log):
        client = connect(server).sign_in("1001")
        assert server.do(lambda service: service.kill(client.jid))
        assert client.hear()[0].tag.endswith("policy-violation")
        assert client.hear().tag == f"{{{FRAMING}}}close"
        assert client.close_code() == 1008
        assert ended(log)[0] == "killed"


@pytest.mark.parametrize("newer", ["websocket", "bosh"])
def test_a_newer_desktop_replaces_the_older_across_bindings(newer: str) -> None:
    with recorded() as (server, log):
        if newer == "websocket":
            older = BoshClient(server, "1001").settled()
            connect(server).sign_in("1001", "desktop")
            answer = older.connection.read().body
            assert "type='terminate'" in answer
            assert "<conflict " in answer
        else:
            client = connect(server).sign_in("1001", "desktop")
            BoshClient(server, "1001").sign_in()
            assert client.hear()[0].tag.endswith("conflict")
            assert client.hear().tag == f"{{{FRAMING}}}close"
            client.close_code()
        assert ended(log)[0] == "replaced"
        [session] = server.do(lambda service: service.sessions())
        assert session.jid == "1001@localhost/desktop"
        assert session.transport == newer


def test_clients_without_tls_are_sent_to_a_secure_address_when_policy_says_so() -> None:
    policy = WebSocketPolicy(redirect_uri="wss://desk.example:7443/ws/")
    with recorded(tls=True, websocket=policy) as (server, log):
        client = connect(server)
        client.open()
        away = client.hear()
        assert (away.tag, away.get("see-other-uri")) == (f"{{{FRAMING}}}close", policy.redirect_uri)
        client.close_code()
        server.settle()
        assert ended(log) == ("stream-refused", "see-other-uri")
        connect(server, tls=True).sign_in("1001")


# -- the store ---------------------------------------------------------------------------------------------------------


def test_a_pong_and_a_result_wait_until_what_came_before_them_is_stored() -> None:
    store = SlowStore()
    with start(store=store) as server:
        client, other = connect(server).sign_in("1001"), connect(server).sign_in("1003")
        store.open = False
        client.say(message("1002@localhost", "for later"))
        client.send(frame(b"safe?", PING) + frame(PING_IQ))
        server.settle()
        assert client.silent()
        check_alive(other)
        server.do(lambda service: store.let_go())
        assert {client.frame().opcode for _ in range(2)} == {PONG, TEXT}
        assert len(store.shelf.of(MessageRecord)) == 1
        client.send(frame(b"again", PING))
        assert client.frame() == Frame(PONG, b"again")


def test_a_client_is_not_read_faster_than_the_store_writes_and_not_called_silent_for_it() -> None:
    store, log = SlowStore(), Recorder()
    with start(store=store, log=log) as server:
        client = connect(server).sign_in("1001")
        store.open = False
        client.socket.settimeout(0.2)
        filler = frame(message("1002@localhost", "x" * 1000))
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 20_000_000:
                client.socket.sendall(filler * 20)
                sent += len(filler) * 20
                server.settle()
        assert sent < 20_000_000  # the server left it in the client's hands
        assert max(server.do(lambda service: list(service.host.unstored.values()))) < UNSTORED_MAX + 20
        for _ in range(5):
            server.pass_time(30)
        assert not log.names("session_ended")
        server.do(lambda service: store.let_go())
        server.settle()
        server.do(lambda service: service.kill(client.jid))


# -- load and faults ---------------------------------------------------------------------------------------------------


def test_a_client_that_never_reads_is_cut_off_and_costs_a_bounded_queue() -> None:
    with recorded(websocket=WebSocketPolicy(output_max_bytes=100_000)) as (server, log):
        deaf, sender = dial(server), connect(server).sign_in("1002")
        deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert deaf.upgrade().status == 101
        deaf.sign_in("1001", presence=True)
        filler = message(deaf.jid, "x" * 50_000)
        for _ in range(400):
            sender.say(filler)
            server.settle()
            if log.all("session_ended"):
                break
        code, evidence = ended(log)
        assert code == "queue-full"
        assert int(evidence.split()[0]) < 200_000
        check_alive(sender)


def test_pings_that_are_never_read_are_bounded_too() -> None:
    with recorded(websocket=WebSocketPolicy(output_max_bytes=50_000)) as (server, log):
        client = dial(server)
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        assert client.upgrade().status == 101
        flood = frame(b"x" * 125, PING) * 500
        for _ in range(200):
            client.send(flood)
            server.settle()
            if log.all("session_ended"):
                break
        assert ended(log)[0] == "queue-full"


def test_a_long_flood_is_read_in_slices_and_others_are_served_between_them() -> None:
    with start() as server:
        flooder, other = connect(server).sign_in("1001"), connect(server).sign_in("1002")
        flooder.send(frame(b"", PONG) * 100_000 + frame(PING_IQ))
        check_alive(other)
        assert flooder.until(f"{{{CLIENT}}}iq", id="ping1").get("type") == "result"


def test_a_fault_of_ours_ends_the_session_it_belongs_to_and_says_so() -> None:
    log = Recorder(debug=False)
    with start(log=log) as server:
        client, other = connect(server).sign_in("1001"), connect(server).sign_in("1002")
        with server.broken_stanzas():
            client.say(PING_IQ)
            assert client.hear()[0].tag.endswith("internal-server-error")
            assert client.hear().tag == f"{{{FRAMING}}}close"
            assert client.close_code() == 1011
        assert ended(log)[0] == "fault"
        check_alive(other)


def test_a_password_check_that_breaks_ends_the_session() -> None:
    log = Recorder(debug=False)
    with start(log=log) as server:
        client = connect(server)
        client.open()
        client.features()
        with server.broken_accounts():
            client.say(plain("1001"))
            assert client.hear()[0].tag.endswith("internal-server-error")
        assert ended(log)[0] == "fault"


def test_a_wrong_password_may_be_tried_again_on_the_same_connection() -> None:
    with start() as server:
        client = connect(server)
        client.open()
        client.features()
        client.say(plain("1001", "wrong"))
        assert client.hear().tag.endswith("failure")
        client.say(plain("1001", authzid="1001@localhost"))
        assert client.hear().tag.endswith("success")


@pytest.mark.parametrize("password", ["1001", "wrong"])
def test_sign_in_by_scram_where_the_operator_wants_it(password: str) -> None:
    """RFC 5802, by hand."""
    with start(scram=True) as server:
        client = connect(server)
        client.open()
        assert "SCRAM-SHA-256" in [element.text for element in client.features().iter(f"{{{SASL}}}mechanism")]
        first = "n=1001,r=nonce"
        client.say(sasl("auth", "n,," + first, mechanism="SCRAM-SHA-256"))
        challenge = base64.b64decode(client.hear().text or "").decode()
        nonce, salt, count = (part[2:] for part in challenge.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(count))
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        bare = f"c=biws,r={nonce}"
        signature = hmac.digest(hashlib.sha256(client_key).digest(), f"{first},{challenge},{bare}".encode(), "sha256")
        proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        client.say(sasl("response", f"{bare},p={base64.b64encode(proof).decode()}"))
        assert client.hear().tag == f"{{{SASL}}}{'success' if password == '1001' else 'failure'}"


def test_sign_in_by_jabber_iq_auth_binds_at_once() -> None:
    with start() as server:
        client = connect(server)
        client.open()
        client.features()
        fields = "<username>1001</username><password>1001</password><resource>old</resource>"
        client.say(f"<iq xmlns='{CLIENT}' type='set' id='a'><query xmlns='jabber:iq:auth'>{fields}</query></iq>")
        assert client.until(f"{{{CLIENT}}}iq", id="a").get("type") == "result"
        assert server.do(lambda service: [session.jid for session in service.sessions()]) == ["1001@localhost/old"]


def test_a_former_domain_is_gone() -> None:
    with start(former_domains=frozenset({"former.example"})) as server:
        client = connect(server)
        client.open(to="former.example")
        assert client.hear()[0].tag.endswith("host-gone")


def test_sessions_and_refusals_are_counted() -> None:
    with start() as server:
        connect(server).sign_in("1001")
        dial(server).upgrade(Origin="https://evil.example")
        metrics = {metric.name: metric.read() for metric in server.do(lambda service: service.metrics())}
        assert metrics["poise_websocket_sessions"] == 1
        assert metrics["poise_websocket_refused_total"] == 1
        [session] = server.do(lambda service: service.sessions())
        assert isinstance(session, LiveSession)

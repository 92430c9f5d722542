"""Nothing is acknowledged before it is durable: over BOSH and TCP, with a store that is slow, fails, or was there
before."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from poise.protocols.xmpp.host_limits import HostPolicy
from poise.protocols.xmpp.records import Change, MessageRecord, Record, SubscriptionRecord
from poise.server.notification.persistence import STORE_S
from poise.server.notification.stream_session import UNSTORED_MAX
from tests.support.server import DOMAIN, PUBLISHER, Server, start
from tests.unit.protocols.xmpp.shelf import Shelf
from tests.unit.server.notification.bosh_client import NOTIFICATION, BoshClient
from tests.unit.server.notification.recorder import Recorder
from tests.unit.server.notification.test_tcp import Stream

NODE = "/finesse/api/User/1001"
MESSAGE = "<message xmlns='jabber:client' type='chat' to='1002@localhost'><body>{}</body></message>"
PING = "<iq xmlns='jabber:client' type='get' id='{}' to='localhost'><ping xmlns='urn:xmpp:ping'/></iq>"


class SlowStore:
    """A store that writes when it is told to."""

    def __init__(self, shelf: Shelf | None = None) -> None:
        self.shelf = shelf or Shelf()
        self.open = True
        self.broken = False
        self.batches: list[int] = []
        self._opened: asyncio.Event | None = None

    async def load(self) -> list[Record]:
        self._opened = asyncio.Event()
        return self.shelf.records()

    async def write(self, changes: Sequence[Change]) -> None:
        assert self._opened is not None
        self.batches.append(len(changes))
        while not self.open:
            await self._opened.wait()
        if self.broken:
            raise OSError("the disk is full")
        for change in changes:
            self.shelf.apply(change)

    def let_go(self) -> None:
        """Write what waits; on the server's loop."""
        assert self._opened is not None
        self.open = True
        self._opened.set()


def subscribe(jid: str, number: str = "s") -> str:
    return (
        f"<iq xmlns='jabber:client' type='set' id='{number}' to='pubsub.{DOMAIN}'>"
        f"<pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='{NODE}' jid='{jid}'/></pubsub></iq>"
    )


def with_node(server: Server) -> Server:
    server.do(lambda service: service.create_node(NODE))
    return server


def test_over_bosh_no_request_is_answered_before_what_it_sent_is_stored() -> None:
    store = SlowStore()
    with with_node(start(store=store)) as server:
        client, other = BoshClient(server, "1001").settled(), BoshClient(server, "1003").settled()
        store.open = False
        client.send(MESSAGE.format("one"))
        server.settle()
        assert client.connection.silent()  # not even the request before it is answered: it would say that this one came
        other.send(PING.format("o"))
        assert "</body>" in other.connection.read().body
        assert 'id="o"' in other.connection.read().body  # nobody else waits
        client.send(PING.format("p"))
        server.settle()
        assert client.connection.silent()
        server.do(lambda service: store.let_go())
        answers = [client.connection.read().body for _ in range(3)]
        assert ['id="p"' in body for body in answers] == [False, False, True]
        assert len(store.shelf.of(MessageRecord)) == 1


def test_the_last_request_of_a_session_is_answered_when_what_it_sent_is_stored() -> None:
    store = SlowStore()
    with with_node(start(store=store)) as server:
        client = BoshClient(server, "1001").settled()
        store.open = False
        client.send(MESSAGE.format("and goodbye"), " type='terminate'")
        server.settle()
        assert client.connection.silent()
        server.do(lambda service: store.let_go())
        assert "type='terminate'" in client.connection.read().body
        assert len(store.shelf.of(MessageRecord)) == 1


def test_a_request_that_came_early_is_acknowledged_with_the_rest() -> None:
    store = SlowStore()
    with with_node(start(store=store)) as server:
        client = BoshClient(server, "1001").settled()
        store.open = False
        client.connection.send(client.body(client.rid + 2, MESSAGE.format("two")))
        client.connection.send(client.body(client.rid + 1, MESSAGE.format("one")))
        server.settle()
        assert client.connection.silent()
        server.do(lambda service: store.let_go())
        client.connection.read()
        stanzas = [record.stanza for record in store.shelf.of(MessageRecord) if isinstance(record, MessageRecord)]
        assert [b"<body>one</body>" in stanzas[0], b"<body>two</body>" in stanzas[1]] == [True, True]


def test_over_tcp_the_pong_and_the_result_wait() -> None:
    store = SlowStore()
    with with_node(start(store=store)) as server:
        stream = Stream(server, "1001").sign_in()
        store.open = False
        stream.send(MESSAGE.format("one") + PING.format("p1") + subscribe("1001@localhost/r") + PING.format("p2"))
        stream.send("<presence/>")  # what acknowledges nothing is not held up
        server.settle()
        assert 'id="p' not in stream.text
        server.do(lambda service: store.let_go())
        text = stream.until('id="p2"')
        assert text.index('id="p1"') < text.index('id="s"') < text.index('id="p2"')
    assert [type(record) for record in store.shelf.records()] == [SubscriptionRecord, MessageRecord]


def test_a_burst_becomes_few_writes() -> None:
    store = SlowStore()
    with with_node(start(store=store)) as server:
        stream = Stream(server, "1001").sign_in()
        store.open = False
        for number in range(50):
            stream.send(MESSAGE.format(number))
        stream.send(PING.format("p"))
        server.settle()
        server.do(lambda service: store.let_go())
        stream.until('id="p"')
    assert (sum(store.batches), len(store.batches)) == (50, 2)


def test_a_stream_is_not_read_faster_than_the_store_writes() -> None:
    store = SlowStore()
    with with_node(start(store=store)) as server:
        stream = Stream(server, "1001").sign_in()
        store.open = False
        card = "<iq xmlns='jabber:client' type='set' id='v{}'><vCard xmlns='vcard-temp'><FN>" + "x" * 1000
        for number in range(600):
            stream.send(card.format(number) + "</FN></vCard></iq>")
        server.settle()
        client = next(iter(server.service.tcp.clients))
        waiting = server.do(lambda service: service.host.unstored[client])
        assert UNSTORED_MAX <= waiting < 500  # what had been read at once already
        server.do(lambda service: store.let_go())
        assert 'id="v599"' in stream.until('id="v599"')
        server.settle()
        assert not server.do(lambda service: dict(service.host.unstored))


def test_who_waits_is_told_when_it_cannot_be_stored_and_the_service_lives() -> None:
    store, log = SlowStore(), Recorder()
    with with_node(start(store=store, log=log)) as server:
        stream = Stream(server, "1001").sign_in()
        client = BoshClient(server, "1003").settled()
        store.broken = True
        stream.send(subscribe("1001@localhost/r"))
        assert "internal-server-error" in stream.until("</iq>")
        client.send(subscribe("1003@localhost"))
        bodies = [client.connection.read().body]
        while "internal-server-error" not in bodies[-1]:
            client.poll()
            bodies.append(client.connection.read().body)
        store.broken = False
        stream.send(subscribe("1001@localhost/r", "again"))
        assert "subscribed" in stream.until("</iq>")
        assert server.do(lambda service: service.hub.persistence and service.hub.persistence.failures) == 2
    assert len(log.all("fault")) == 2
    assert len(store.shelf.of(SubscriptionRecord)) == 1


def test_an_orderly_stop_writes_what_waits_and_then_says_goodbye() -> None:
    store = SlowStore()
    with with_node(start(store=store)) as server:
        client = BoshClient(server, "1001").settled()
        stream = Stream(server, "1003").sign_in()
        for number in range(3):
            stream.send(MESSAGE.format(number))
        client.send(MESSAGE.format("last"))
        server.settle()
        server.stop()
        bodies = [client.connection.read().body, client.connection.read().body]
        assert "system-shutdown" in bodies[1]
    assert len(store.shelf.of(MessageRecord)) == 4


def test_a_store_that_hangs_does_not_hold_up_the_stop() -> None:
    assert STORE_S <= 1.0
    store = SlowStore()
    with with_node(start(store=store)) as server:
        stream = Stream(server, "1001").sign_in()
        store.open = False
        stream.send(MESSAGE.format("lost"))
        server.settle()
        server.stop()


def test_after_a_restart_subscriptions_and_messages_are_there() -> None:
    shelf = Shelf()
    with with_node(start(store=SlowStore(shelf))) as server:
        stream = Stream(server, "1001").sign_in()
        stream.send(subscribe("1001@localhost/r") + MESSAGE.format("wait for me") + PING.format("p"))
        stream.until('id="p"')
    with with_node(start(store=SlowStore(shelf))) as server:
        assert server.do(lambda service: service.host.subscriptions(NODE)) == ("1001@localhost/r",)
        stream = Stream(server, "1001").sign_in()
        server.publish(NODE, NOTIFICATION)
        stream.until("</event>")
        friend = Stream(server, "1002").sign_in()
        assert "urn:xmpp:delay" in friend.until("</message>")
        server.pass_time(61)  # by now it counts as collected
    assert shelf.of(MessageRecord) == []


def test_what_was_handed_out_in_the_last_minute_counts_as_collected_when_the_server_stops_in_order() -> None:
    shelf = Shelf()
    with start(store=SlowStore(shelf)) as server:
        stream = Stream(server, PUBLISHER).sign_in()
        stream.send(MESSAGE.format("hello") + PING.format("p"))
        stream.until('id="p"')
        friend = Stream(server, "1002").sign_in()
        friend.until("</message>")
        assert len(shelf.of(MessageRecord)) == 1
    assert shelf.of(MessageRecord) == []


def test_the_host_is_called_when_it_wants_to_be() -> None:
    with start(host=HostPolicy(presence_burst=2, presence_per_s=1.0)) as server:
        stream = Stream(server, "1001").sign_in()
        stream.until("/>")
        for number in range(5):
            stream.send(f"<presence><status>{number}</status></presence>")
        for number in range(2):
            assert f"<status>{number}</status>" in stream.until("</presence>")
        server.settle()
        server.pass_time(1.1)
        assert "<status>4</status>" in stream.until("</presence>")
        stream.send("<presence><status>next</status></presence>" + PING.format("p"))
        assert "next" not in stream.until('id="p"')


def test_the_rights_of_a_user_are_reviewed_when_the_product_asks_for_it() -> None:
    with with_node(start()) as server:
        server.do(lambda service: service.subscribe(NODE, "1001@localhost"))
        server.do(lambda service: service.review_subscriptions("1001"))
        server.do(lambda service: service.nodes_complete())
        assert server.do(lambda service: service.host.subscriptions(NODE)) == ("1001@localhost",)

"""Any bytes as BOSH bodies and as XMPP over TCP, against the whole service: each request gets at most one answer,
nobody else notices, and nothing of ours breaks."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from poise.protocols.xmpp.c2s import C2SPolicy
from poise.protocols.xmpp.host import Rules
from poise.server.clock import ManualClock
from poise.server.notification.http import HttpConnection
from poise.server.notification.http_site import HttpPort
from poise.server.notification.service import NotificationService, NotificationSettings
from poise.server.notification.tcp import TcpClient
from tests.property.test_http_listener import MemoryTransport, cut
from tests.support.server import DOMAIN, USERS, MemoryAccounts
from tests.unit.server.notification.http_rig import post
from tests.unit.server.notification.recorder import Recorder

HTTPBIND = "http://jabber.org/protocol/httpbind"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
BIND = "<iq type='set' id='b' xmlns='jabber:client'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>"
RESTART = " xmpp:restart='true' xmlns:xmpp='urn:xmpp:xbosh'"
STREAM = (
    f"<stream:stream to='{DOMAIN}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
)


class Stage:
    """A service without sockets, one well-behaved BOSH session in it."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.log = Recorder()
        self.accounts = MemoryAccounts(USERS)
        self.accounts._good = {(name, name) for name in USERS}
        self.service = NotificationService(
            NotificationSettings(DOMAIN, plain_in_clear=True),
            Rules(frozenset(), self.accounts.exists, lambda user, node: True),
            self.accounts,
            self.clock,
            self.log,
        )
        self.port = HttpPort("test", secure=False, bosh=True, app=None)
        self.good = MemoryTransport()
        self._good = self.connect(self.good)
        self._rid = 100
        self.sid = ""
        self.ask(f" to='{DOMAIN}' wait='30' hold='1' ver='1.9'")
        self.sid = self.good.written.decode().partition(" sid='")[2].partition("'")[0]
        self.ask("", f"<auth xmlns='{SASL}' mechanism='PLAIN'>ADEwMDEAMTAwMQ==</auth>")
        self.ask(RESTART)
        self.ask("", BIND)
        self.ask("", "<presence xmlns='jabber:client'/>")

    def connect(self, transport: MemoryTransport) -> HttpConnection:
        connection = HttpConnection(self.service.site, self.port)
        connection.connection_made(transport)
        return connection

    def ask(self, attrs: str = "", payload: str = "") -> None:
        self._rid += 1
        sid = f" sid='{self.sid}'" if self.sid else ""
        body = f"<body xmlns='{HTTPBIND}' rid='{self._rid}'{sid}{attrs}>{payload}</body>"
        self._good.data_received(post(body.encode()))

    def check(self) -> None:
        """The good session still gets its answers, and no fault was ours."""
        before = self.good.written.count(b"HTTP/1.1 200")
        self.ask("", "<iq type='get' id='ping' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>")
        self.service.hub.pump.flush()  # a slice that was full waits for a turn of the loop, and there is none here
        self.ask()
        self.clock.advance(31)
        assert self.good.written.count(b"HTTP/1.1 200") > before
        assert b'id="ping"' in self.good.written
        assert self.log.names("fault") == []
        assert self.log.names("session_ended").count("session_ended") == len(self.log.all("session_created")) - len(
            self.service.bosh.sessions
        ) - len(self.service.tcp.clients)


names = st.sampled_from(["iq", "message", "presence", "auth", "response", "stream:error", "body", "bind", "x"])
values = st.one_of(
    st.sampled_from(
        ["get", "set", "unavailable", "error", "result", "terminate", DOMAIN, f"1001@{DOMAIN}", "pubsub.localhost"]
    ),
    st.text(max_size=8),
)
fragments = st.recursive(
    st.one_of(st.text(max_size=12), st.sampled_from(["&#1;", "<!-- -->", "<!DOCTYPE a>", "<?x?>", "]]>", BIND])),
    lambda inner: st.builds(
        lambda name, key, value, ns, children: f"<{name} {key}='{value}'{ns}>{''.join(children)}</{name}>",
        names,
        st.sampled_from(["type", "to", "from", "id", "node", "xmlns:stream", "mechanism"]),
        values,
        st.sampled_from(
            ["", " xmlns='jabber:client'", f" xmlns='{SASL}'", " xmlns='http://jabber.org/protocol/pubsub'"]
        ),
        st.lists(inner, max_size=3),
    ),
    max_leaves=6,
)
attributes = st.lists(
    st.sampled_from(
        [
            " rid='7'", " rid='8'", " rid='9'", " rid='-1'", " sid=''", " sid='nobody'", " sid='{sid}'",
            f" to='{DOMAIN}'", " to='elsewhere'", " wait='0'", " wait='30'", " hold='1'", " hold='0'", " ver='1.6'",
            " type='terminate'", RESTART, " pause='5'", " ack='7'", " content='text/html'", f" xmlns='{HTTPBIND}'",
        ]
    ),
    max_size=7,
    unique=True,
)  # fmt: skip
bodies = st.one_of(
    st.binary(max_size=100),
    st.builds(
        lambda attrs, inner: f"<body{''.join(attrs)} xmlns:q='y'>{''.join(inner)}</body>".encode(),
        attributes,
        st.lists(fragments, max_size=3),
    ),
    st.builds(
        lambda attrs, inner: f"<body xmlns='{HTTPBIND}'{''.join(attrs)}>{''.join(inner)}</body>".encode(),
        attributes.map(lambda found: [text for text in found if "xmlns='http" not in text]),
        st.lists(fragments, max_size=3),
    ),
)


def in_loop(story: Any) -> None:
    """Run a story that needs a running loop and awaits nothing."""

    async def main() -> None:
        story()

    asyncio.run(main())


@given(st.lists(bodies, max_size=8), st.integers(min_value=0, max_value=120))
@settings(max_examples=150, deadline=None)
def test_any_bodies_cost_only_their_sender(sent: list[bytes], seconds: int) -> None:
    def story() -> None:
        stage = Stage()
        transport = MemoryTransport()
        connection = stage.connect(transport)
        sid = ""
        for body in sent:
            if transport.closed:
                transport = MemoryTransport()
                connection = stage.connect(transport)
            connection.data_received(post(body.replace(b"{sid}", sid.encode())))
            sid = transport.written.decode("utf-8", "replace").rpartition(" sid='")[2].partition("'")[0] or sid
            assert transport.written.count(b"HTTP/1.1 ") <= len(sent)
        stage.check()
        stage.clock.advance(seconds)
        connection.connection_lost(None)
        stage.clock.advance(200)
        assert stage.log.names("fault") == []

    in_loop(story)


@given(
    st.lists(st.one_of(fragments, st.just(STREAM), st.just("</stream:stream>")), max_size=8),
    st.lists(st.integers(min_value=0), max_size=6),
)
@settings(max_examples=150, deadline=None)
def test_any_stream_costs_only_its_sender(sent: list[str], places: list[int]) -> None:
    def story() -> None:
        stage = Stage()
        factory = stage.service.tcp.factory(C2SPolicy(secure=False, plain_in_clear=True))
        client: TcpClient = factory()
        transport = MemoryTransport()
        client.connection_made(transport)
        for piece in cut((STREAM + "".join(sent)).encode("utf-8", "replace"), places):
            client.data_received(piece)
        stage.check()
        client.connection_lost(None)
        assert client.gone
        assert stage.log.names("fault") == []

    in_loop(story)

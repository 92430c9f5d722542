"""BOSH sessions as the service runs them: real sockets, hand-moved time, the real cores above."""

from __future__ import annotations

from tests.support.server import DOMAIN, start
from tests.unit.server.notification.bosh_client import NOTIFICATION, BoshClient

EMPTY = "<body xmlns='http://jabber.org/protocol/httpbind'></body>"
NODE = "/finesse/api/User/1001"


def test_a_desktop_signs_in_and_gets_its_notification_on_the_held_poll() -> None:
    with start() as server:
        client = BoshClient(server).settled()
        server.do(lambda service: service.create_node(NODE))
        server.do(lambda service: service.subscribe(NODE, f"1001@{DOMAIN}"))
        assert server.publish(NODE, NOTIFICATION) == 1
        body = client.connection.read().body
        assert f'<items node="{NODE}">' in body
        assert "&lt;Update/&gt;" in body

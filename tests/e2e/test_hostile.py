"""What hostile clients leave behind: nothing. The games themselves are played for longer in tests/long."""

from __future__ import annotations

import gc
from collections import Counter

from poise.server.notification.bosh import BoshClient
from poise.server.notification.http import HttpConnection
from poise.server.notification.tcp import TcpClient
from poise.server.notification.websocket import WebSocketClient
from tests.conformance.wire import OPEN
from tests.e2e.conftest import OpenStage
from tests.e2e.hostile import Crowd

KEPT = (BoshClient, TcpClient, WebSocketClient, HttpConnection)
CENTRE = {
    "ports.insecure": True,
    "bosh.creations_per_minute": 1_000_000,
    "bosh.unauthenticated_per_address": 10_000,
    "bosh.unauthenticated_max": 10_000,
    "log.debug": True,
}


def alive() -> Counter[str]:
    """Objects that stand for a client, by kind, and the parsers of streams."""
    gc.collect()
    names = {kind.__name__ for kind in KEPT} | {"StreamParser"}
    return Counter(name for name in (type(thing).__name__ for thing in gc.get_objects()) if name in names)


def test_hostile_clients_leave_nothing_behind(open_stage: OpenStage) -> None:
    stage = open_stage(CENTRE)
    desk = stage.agent("1001")
    stage.settle()
    before = alive()
    with Crowd(stage.place, "left-behind", 4) as crowd:
        while crowd.raging:
            desk.go("NOT_READY")
            desk.go("READY")
    assert not crowd.broken, crowd.broken
    assert crowd.played.total() > 50
    for wire in OPEN:
        if wire is not desk.wire:
            wire.close()
    stage.settle()
    assert alive()["StreamParser"] - before["StreamParser"] <= 3, "a broken stream lets go of its parser at once"

    for _ in range(10):
        stage.pass_time(40)
        del desk.replies[:]
    notification = stage.application.notification
    assert [client.jid for client in notification.bosh.sessions.values()] == [desk.jid]
    assert not notification.tcp.clients
    assert not notification.tcp.leaving
    assert not notification.websocket.clients
    assert len(notification.site.connections) == 1
    assert not notification.site.tasks
    assert notification.hub.admission.unauthenticated == 0
    assert alive() - before == Counter()
    assert desk.rest.state_of("1001") == "READY"

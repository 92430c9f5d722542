"""aioxmpp: signs in, sends presence, lists the nodes, prints what happens as JSON lines. SIGTERM leaves.

A lost connection it makes again by itself. Arguments: HOST PORT starttls|direct CA JID PASSWORD. Runs in an environment
of its own.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from datetime import timedelta
from typing import Any

import aioxmpp  # type: ignore[import-not-found]

COME_BACK_S = 0.3


def say(event: str, **more: object) -> None:
    print(json.dumps({"event": event, **more}), flush=True)  # noqa: T201 - how the test hears of it


class Notification(aioxmpp.xso.XSO):  # type: ignore[misc]
    TAG = ("http://jabber.org/protocol/pubsub", "notification")
    text = aioxmpp.xso.Text(default=None)


aioxmpp.pubsub.xso.as_payload_class(Notification)


async def main() -> None:
    host, port, mode, _, jid, password = sys.argv[1:]
    security = aioxmpp.make_security_layer(password, no_verify=True)
    connector = aioxmpp.connector
    how = connector.STARTTLSConnector() if mode == "starttls" else connector.XMPPOverTLSConnector()
    client = aioxmpp.PresenceManagedClient(
        aioxmpp.JID.fromstr(jid), security, override_peer=[(host, int(port), how)], max_initial_attempts=1
    )
    client.backoff_start = timedelta(seconds=COME_BACK_S)
    loop = asyncio.get_running_loop()
    leaving = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, leaving.set)
    presence = client.summon(aioxmpp.PresenceClient)

    def present(full: aioxmpp.JID, _: Any) -> None:
        if full == client.local_jid:
            say("presence")

    presence.on_available.connect(present)
    presence.on_changed.connect(present)  # after a new connection it remembers that we were available before
    pubsub = client.summon(aioxmpp.PubSubClient)
    disco = client.summon(aioxmpp.DiscoClient)
    asked: set[asyncio.Task[None]] = set()

    def published(_: Any, node: str, item: Any, **__: Any) -> None:
        say("update", node=node, item=item.id_, text=item.registered_payload.text)

    async def list_nodes() -> None:
        service = aioxmpp.JID.fromstr(f"pubsub.{client.local_jid.domain}")
        found = await disco.query_items(service, require_fresh=True)
        say("nodes", nodes=[item.node for item in found.items])

    def established() -> None:
        say("online", jid=str(client.local_jid), version=aioxmpp.__version__)
        task = loop.create_task(list_nodes())
        asked.add(task)
        task.add_done_callback(asked.discard)

    def lost(_: object = None) -> None:
        if not leaving.is_set():
            say("lost")

    pubsub.on_item_published.connect(published)
    client.on_stream_established.connect(established)
    client.on_stream_destroyed.connect(lost)
    try:
        async with client.connected():
            await leaving.wait()
    except Exception as error:
        say("refused", text=str(error))
        return
    say("offline")


asyncio.run(main())

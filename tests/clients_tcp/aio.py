"""Signs in with aioxmpp, sends presence, lists the nodes, prints what happens as JSON lines. SIGTERM leaves.

Arguments: HOST PORT starttls|direct CA JID PASSWORD. Runs in an environment of its own.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import Any

import aioxmpp  # type: ignore[import-not-found]


def say(**event: object) -> None:
    print(json.dumps(event), flush=True)  # noqa: T201 - how the test hears of it


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
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    presence = client.summon(aioxmpp.PresenceClient)
    presence.on_available.connect(lambda full, _: say(event="presence") if full == client.local_jid else None)
    pubsub = client.summon(aioxmpp.PubSubClient)

    def published(_: Any, node: str, item: Any, **__: Any) -> None:
        say(event="update", node=node, text=item.registered_payload.text)

    pubsub.on_item_published.connect(published)
    try:
        async with client.connected():
            say(event="online", jid=str(client.local_jid), version=aioxmpp.__version__)
            disco = client.summon(aioxmpp.DiscoClient)
            found = await disco.query_items(aioxmpp.JID.fromstr(f"pubsub.{client.local_jid.domain}"))
            say(event="nodes", nodes=[item.node for item in found.items])
            await over.wait()
    except Exception as error:
        say(event="refused", text=str(error))
    say(event="offline")


asyncio.run(main())

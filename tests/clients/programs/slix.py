"""slixmpp: signs in, sends presence, lists the nodes, prints what happens as JSON lines. SIGTERM leaves.

Arguments: HOST PORT starttls|direct|plain CA JID PASSWORD. Runs in an environment of its own.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import slixmpp  # type: ignore[import-not-found]

EVENT = "{http://jabber.org/protocol/pubsub#event}"
COME_BACK_S = 0.3


def say(event: str, **more: object) -> None:
    print(json.dumps({"event": event, **more}), flush=True)  # noqa: T201 - how the test hears of it


class Client(slixmpp.ClientXMPP):  # type: ignore[misc]
    def __init__(self, jid: str, password: str) -> None:
        super().__init__(jid, password)
        self.register_plugin("xep_0030")
        self.register_plugin("xep_0199")
        self.add_event_handler("session_start", self.started)
        self.add_event_handler("presence_available", self.presence)
        self.register_handler(
            slixmpp.xmlstream.handler.Callback(
                "update", slixmpp.xmlstream.matcher.MatchXPath("{jabber:client}message/" + EVENT + "event"), self.heard
            )
        )

    async def started(self, _: object) -> None:
        secure = self.transport.get_extra_info("ssl_object") is not None
        say("online", jid=str(self.boundjid), version=slixmpp.__version__, secure=secure)
        self.send_presence()
        await self.get_roster()
        found = await self.plugin["xep_0030"].get_items(jid=f"pubsub.{self.boundjid.domain}")
        say("nodes", nodes=[node for _, node, _ in found["disco_items"]["items"]])

    def presence(self, presence: slixmpp.Presence) -> None:
        if presence["from"] == self.boundjid:
            say("presence")

    def heard(self, message: slixmpp.Message) -> None:
        for items in message.xml.iter(EVENT + "items"):
            for item in items:
                say("update", node=items.get("node"), item=item.get("id"), text="".join(item.itertext()))


async def main() -> None:
    host, port, mode, ca, jid, password = sys.argv[1:]
    client = Client(jid, password)
    client.ca_certs = Path(ca)
    client.enable_direct_tls = mode == "direct"
    client.enable_starttls = mode == "starttls"
    client.enable_plaintext = mode == "plain"
    if mode == "plain":
        client.plugin["feature_mechanisms"].unencrypted_plain = True
    leaving, over = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def disconnected(_: object) -> None:
        if leaving.is_set():
            over.set()
        else:
            say("lost")
            loop.call_later(COME_BACK_S, client.connect, host, int(port))

    def leave() -> None:
        leaving.set()
        client.disconnect()

    def refused(_: object) -> None:
        say("refused")
        leave()

    client.add_event_handler("disconnected", disconnected)
    client.add_event_handler("failed_all_auth", refused)
    loop.add_signal_handler(signal.SIGTERM, leave)
    client.connect(host, int(port))
    await over.wait()
    say("offline")


asyncio.run(main())

"""A host with clients that write down what they get: the stage for the stories about it."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

from poise.protocols.xmpp.delivery import Fanout, To
from poise.protocols.xmpp.host import Host, HostPolicy, Rules
from poise.protocols.xmpp.xml import Element, parse

DOMAIN = "localhost"
PUBSUB = "pubsub.localhost"
USERS = frozenset({"1001", "1002", "1003", "1101", "admin"})
EVENT_NS = "http://jabber.org/protocol/pubsub#event"
T = TypeVar("T")


class Recorder:
    """A client that keeps every stanza, in order."""

    def __init__(self) -> None:
        self.jid = ""
        self.raw: list[bytes] = []

    @property
    def got(self) -> list[Element]:
        """What came, read by the strict parser that real clients stand for."""
        return [parse(stanza) for stanza in self.raw]

    def take(self) -> list[Element]:
        """What came since the last time."""
        got = self.got
        self.raw.clear()
        return got

    def only(self) -> Element:
        """The one stanza that came since the last time."""
        got = self.take()
        assert len(got) == 1, [stanza.name for stanza in got]
        return got[0]

    def items(self) -> list[str]:
        """Ids of all items notified so far."""
        return [item for stanza in self.got for item in item_ids(stanza)]


def item_ids(stanza: Element) -> list[str]:
    """Ids of the items a notification carries; none for any other stanza."""
    event = stanza.child("event", EVENT_NS)
    found = event.child("items") if event is not None else None
    return [item.attrs["id"] for item in found.elements()] if found is not None else []


def own_nodes_only(user: str, node: str) -> bool:
    """The demo's rule: own nodes and SystemInfo."""
    return node == "/finesse/api/SystemInfo" or node.startswith(f"/finesse/api/User/{user}")


class Stage:
    """A host, and helpers that speak to it as clients do."""

    def __init__(
        self, policy: HostPolicy | None = None, may_subscribe: Callable[[str, str], bool] = own_nodes_only
    ) -> None:
        self.administrators = {f"admin@{DOMAIN}"}
        rules = Rules(self.administrators, USERS.__contains__, may_subscribe)
        self.host = Host(DOMAIN, PUBSUB, rules, random.Random(7), policy or HostPolicy())
        self.now = 1000.0
        self.number = 0

    def bind(self, user: str, resource: str | None = "desktop") -> Recorder:
        """A client whose resource is bound and that has sent nothing yet."""
        client = Recorder()
        self.host.attach(client, user, resource, self.now)
        return client

    def join(self, user: str, resource: str | None = "desktop", priority: int | None = None) -> Recorder:
        """A client that has sent initial presence and read what it brought."""
        client = self.bind(user, resource)
        inside = "" if priority is None else f"<priority>{priority}</priority>"
        self.send(client, f"<presence xmlns='jabber:client'>{inside}</presence>")
        client.raw.clear()
        return client

    def send(self, client: Recorder, stanza: str) -> None:
        """A client's stanza, and all that follows from it."""
        self.host.receive(client, parse(stanza.encode()), self.now)
        self.deliver()

    def ask(self, client: Recorder, kind: str, child: str, to: str = "", id_: str = "") -> Element:
        """A request and its one answer; whatever else came stays unread."""
        self.number += 1
        number = id_ or f"q{self.number}"
        address = f" to='{to}'" if to else ""
        self.send(client, f"<iq xmlns='jabber:client' type='{kind}' id='{number}'{address}>{child}</iq>")
        answers = [stanza for stanza in client.got if stanza.name == "iq" and stanza.attrs.get("id") == number]
        assert len(answers) == 1
        client.raw = [raw for raw in client.raw if parse(raw) != answers[0]]
        return answers[0]

    def pubsub(self, client: Recorder, kind: str, verb: str, owner: bool = False) -> Element:
        """A pubsub request and its answer."""
        ns = "http://jabber.org/protocol/pubsub" + ("#owner" if owner else "")
        return self.ask(client, kind, f"<pubsub xmlns='{ns}'>{verb}</pubsub>", PUBSUB)

    def deliver(self, most: int = 1_000_000) -> None:
        """Drain the outbox into the recorders."""
        outbox = self.host.outbox
        while outbox and most:
            entry = outbox.popleft()
            for client, stanza in [entry] if isinstance(entry, To) else entry:
                assert isinstance(client, Recorder)
                client.raw.append(stanza)
            most -= 1

    def leave(self, client: Recorder, undelivered: list[bytes] | None = None) -> None:
        """The client's session ends."""
        self.host.detach(client, None, undelivered or [], self.now)
        self.deliver()

    def publish(self, node: str, item_id: str = "i1", words: str = "hello") -> int:
        """The product publishes."""
        payload = f'<notification xmlns="http://jabber.org/protocol/pubsub">{words}</notification>'.encode()
        count = self.host.publish(node, item_id, payload, self.now)
        self.deliver()
        return count

    def events(self, kind: type[T]) -> list[T]:
        """Events of this kind so far; forgets all."""
        found: list[T] = [event for event in self.host.events if isinstance(event, kind)]
        self.host.events.clear()
        return found

    def fanouts(self) -> list[Fanout]:
        """Fan-outs waiting in the outbox."""
        return [entry for entry in self.host.outbox if isinstance(entry, Fanout)]


def condition(stanza: Element) -> tuple[str, str]:
    """Type and condition of a stanza error."""
    assert stanza.attrs["type"] == "error", stanza
    error = stanza.child("error")
    assert error is not None
    return error.attrs["type"], next(error.elements()).name


def app_condition(stanza: Element) -> str:
    """The pubsub condition beside the stanza condition, with the feature it names."""
    error = stanza.child("error")
    assert error is not None
    for child in error.elements():
        if child.ns == "http://jabber.org/protocol/pubsub#errors":
            feature = child.attrs.get("feature")
            return f"{child.name} {feature}" if feature else child.name
    return ""

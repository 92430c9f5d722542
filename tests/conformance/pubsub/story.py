"""The stage for stories of pubsub: an administrator's nodes, and what users hear of them."""

from __future__ import annotations

import itertools
from contextlib import suppress
from xml.sax.saxutils import escape

from tests.conformance.people import Element, People, Person, condition, inside, ok
from tests.conformance.targets import ADMIN, DOMAIN, PUBSUB, Server
from tests.conformance.wire import NoAnswer

PS = "http://jabber.org/protocol/pubsub"
OWNER = f"{PS}#owner"
EVENT = f"{PS}#event"
ERRORS = f"{PS}#errors"
DATA = "jabber:x:data"
RSM = "http://jabber.org/protocol/rsm"
INFO = "http://jabber.org/protocol/disco#info"
ITEMS = "http://jabber.org/protocol/disco#items"
_numbers = itertools.count(1)


def form(kind: str, *fields: tuple[str, str], type_: str = "submit", form_type: str | None = None) -> str:
    """A data form; a field may be named several times to have several values."""
    named = f"{PS}#{kind}" if form_type is None else form_type
    hidden = f"<field var='FORM_TYPE' type='hidden'><value>{named}</value></field>" if named else ""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name, []).append(value)
    parts = [
        f"<field var='pubsub#{name}'>" + "".join(f"<value>{escape(value)}</value>" for value in texts) + "</field>"
        for name, texts in found.items()
    ]
    return f"<x xmlns='{DATA}' type='{type_}'>{hidden}{''.join(parts)}</x>"


def values(parent: Element) -> dict[str, list[str]]:
    """The values of the form inside an element."""
    return {
        field.attrs.get("var", "").removeprefix("pubsub#"): [v.text for v in field.elements() if v.name == "value"]
        for field in parent.the("x", DATA).elements()
        if field.name == "field"
    }


def verb(answer: Element, ns: str = PS) -> Element:
    """The one verb inside an answer."""
    assert ok(answer), answer
    return next(element for element in answer.the("pubsub", ns).elements() if element.ns != RSM)


def entries(answer: Element, ns: str = PS) -> list[dict[str, str]]:
    """Attributes of the entries of a list."""
    return [dict(entry.attrs) for entry in verb(answer, ns).elements()]


def app_condition(stanza: Element) -> str:
    """The pubsub condition beside the stanza condition, with the feature it names."""
    for child in stanza.the("error").elements():
        if child.ns == ERRORS:
            feature = child.attrs.get("feature")
            return f"{child.name} {feature}" if feature else child.name
    return ""


def refusal(answer: Element) -> tuple[str, str]:
    """Stanza condition and pubsub condition."""
    return condition(answer)[1], app_condition(answer)


def told(client: Person) -> list[Element]:
    """What stands inside the events that came since the last time."""
    events = [stanza.child("event", EVENT) for stanza in client.messages()]
    return [next(event.elements()) for event in events if event is not None]


def names(client: Person) -> list[str]:
    """The same, by name, with what is inside `<items/>` named in its place."""
    found: list[str] = []
    for element in told(client):
        children = list(element.elements()) if element.name == "items" else []
        found += [f"{child.name} {child.attrs.get('id')}" for child in children] or [element.name]
    return found


def item_ids(message: Element) -> list[str]:
    """Ids of the items a notification carries."""
    items = message.the("event", EVENT).the("items")
    return [item.attrs["id"] for item in items.elements() if item.name == "item"]


class Scene(People):
    """An administrator who makes nodes, and users who hear of them. Its node is `n`, a new name each time."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.n = f"n{next(_numbers)}"
        self.admin = self.join(ADMIN, "console")
        self.owner = f"{ADMIN}@{DOMAIN}"

    def create(self, *config: tuple[str, str], node: str = "") -> str:
        """The administrator makes a node."""
        node = node or self.n
        beside = f"<configure>{form('node_config', *config)}</configure>" if config else ""
        answer = self.set(self.admin, f"<create node='{node}'/>{beside}")
        assert ok(answer), answer
        return node

    def persistent(self, *items: str, config: tuple[tuple[str, str], ...] = ()) -> str:
        """The administrator makes a node that keeps items, and publishes some."""
        usual = {"persist_items": "1", "send_last_published_item": "never"}
        node = self.create(*(usual | dict(config)).items())
        for item in items:
            assert ok(self.put(self.admin, item))
        return node

    def configure(self, *config: tuple[str, str]) -> Element:
        """The administrator configures it."""
        return self.own(self.admin, f"<configure node='{self.n}'>{form('node_config', *config)}</configure>")

    def configuration(self) -> dict[str, list[str]]:
        """What the configuration form shows."""
        return values(verb(self.own(self.admin, f"<configure node='{self.n}'/>", "get"), OWNER))

    def get(self, client: Person, wanted: str) -> Element:
        """A question."""
        return client.ask("get", f"<pubsub xmlns='{PS}'>{wanted}</pubsub>", PUBSUB)

    def set(self, client: Person, wanted: str) -> Element:
        """A request."""
        return client.ask("set", f"<pubsub xmlns='{PS}'>{wanted}</pubsub>", PUBSUB)

    def own(self, client: Person, wanted: str, kind: str = "set") -> Element:
        """A request of an owner."""
        return client.ask(kind, f"<pubsub xmlns='{OWNER}'>{wanted}</pubsub>", PUBSUB)

    def subscribe(self, client: Person, jid: str = "", node: str = "") -> Element:
        """Subscribe, with the full JID by default as the desktops do."""
        return self.set(client, f"<subscribe node='{node or self.n}' jid='{jid or client.jid}'/>")

    def subscribed(self, user: str, resource: str = "desktop", binding: str = "tcp") -> Person:
        """Somebody who is available and subscribed."""
        client = self.join(user, resource, binding)
        assert ok(self.subscribe(client))
        return client

    def unsubscribe(self, client: Person, jid: str = "") -> Element:
        """The end of a subscription."""
        return self.set(client, f"<unsubscribe node='{self.n}' jid='{jid or client.jid}'/>")

    def put(self, client: Person, item_id: str = "", words: str = "x", beside: str = "", node: str = "") -> Element:
        """Publish an item."""
        at = f" id='{item_id}'" if item_id else ""
        item = f"<item{at}><entry xmlns='custom'>{words}</entry></item>"
        return self.set(client, f"<publish node='{node or self.n}'>{item}</publish>{beside}")

    def affiliate(self, user: str, affiliation: str) -> Element:
        """The administrator says what a user is to a node."""
        entry = f"<affiliation jid='{user}@{DOMAIN}' affiliation='{affiliation}'/>"
        return self.own(self.admin, f"<affiliations node='{self.n}'>{entry}</affiliations>")

    def affiliations(self) -> dict[str, str]:
        """Who is what, by user."""
        answer = self.own(self.admin, f"<affiliations node='{self.n}'/>", "get")
        return {entry["jid"].partition("@")[0]: entry["affiliation"] for entry in entries(answer, OWNER)}

    def subscribers(self) -> list[str]:
        """Who is subscribed, as the owner is told."""
        answer = self.own(self.admin, f"<subscriptions node='{self.n}'/>", "get")
        return [entry["jid"] for entry in entries(answer, OWNER) if entry["subscription"] == "subscribed"]

    def kept(self, asked: str = "") -> list[str]:
        """Ids of the items the administrator is given."""
        return [item["id"] for item in entries(self.get(self.admin, f"<items node='{self.n}'{asked}/>"))]

    def discover(self, client: Person, ns: str, node: str = "", beside: str = "", to: str = PUBSUB) -> Element:
        """Service discovery."""
        at = f" node='{node}'" if node else ""
        return inside(client.ask("get", f"<query xmlns='{ns}'{at}>{beside}</query>", to))

    def go(self) -> None:
        """The nodes go too."""
        with suppress(NoAnswer):  # a server that has stopped answering fails the test, not the cleaning up
            for item in self.discover(self.admin, ITEMS).elements():
                if item.name == "item":
                    self.own(self.admin, f"<delete node='{escape(item.attrs['node'])}'/>")
        super().go()

"""The stage for stories of pubsub: an administrator's nodes, and what users hear of them."""

from __future__ import annotations

from collections.abc import Callable

from poise.protocols.xmpp.host import HostPolicy
from poise.protocols.xmpp.xml import Element, escape
from tests.unit.protocols.xmpp.host_story import EVENT_NS, Recorder, Stage, app_condition, condition, own_nodes_only

USER = "/finesse/api/User/1001"
PS = "http://jabber.org/protocol/pubsub"
OWNER = f"{PS}#owner"
ERRORS = f"{PS}#errors"
DATA = "jabber:x:data"


def form(kind: str, *fields: tuple[str, str], type_: str = "submit", form_type: str | None = None) -> str:
    """A data form; a field may be named several times to have several values."""
    named = f"{PS}#{kind}" if form_type is None else form_type
    hidden = f"<field var='FORM_TYPE' type='hidden'><value>{named}</value></field>" if named else ""
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    inside = "".join(
        f"<field var='pubsub#{name}'>" + "".join(f"<value>{escape(value)}</value>" for value in found) + "</field>"
        for name, found in values.items()
    )
    return f"<x xmlns='{DATA}' type='{type_}'>{hidden}{inside}</x>"


def values(parent: Element | None) -> dict[str, list[str]]:
    """The values of the form inside an element."""
    assert parent is not None
    found = parent.child("x", DATA)
    assert found is not None
    return {
        field.attrs["var"].removeprefix("pubsub#"): [value.text for value in field.elements() if value.name == "value"]
        for field in found.elements()
        if field.name == "field"
    }


def verb(answer: Element, ns: str = PS) -> Element:
    """The one verb inside an answer."""
    assert answer.attrs["type"] == "result", condition(answer)
    wrapper = answer.child("pubsub", ns)
    assert wrapper is not None
    return next(wrapper.elements())


def entries(answer: Element, ns: str = PS) -> list[dict[str, str]]:
    """Attributes of the entries of a list."""
    return [dict(entry.attrs) for entry in verb(answer, ns).elements()]


def ok(answer: Element) -> bool:
    """Whether a request was granted."""
    return answer.attrs["type"] == "result"


def refusal(answer: Element) -> tuple[str, str]:
    """Stanza condition and pubsub condition."""
    return condition(answer)[1], app_condition(answer)


class Scene(Stage):
    """A stage with an administrator who makes nodes and users who hear of them."""

    def __init__(
        self,
        policy: HostPolicy | None = None,
        may_subscribe: Callable[[str, str], bool] = own_nodes_only,
        ready: bool = True,
    ) -> None:
        """`ready`: the administrator has signed in."""
        super().__init__(policy, may_subscribe)
        self.host.wall_offset = 1_700_000_000.0 - self.now
        if ready:
            self.admin = self.join("admin")

    def create(self, node: str, *config: tuple[str, str]) -> None:
        """The administrator makes a node."""
        beside = f"<configure>{form('node_config', *config)}</configure>" if config else ""
        assert ok(self.set(self.admin, f"<create node='{node}'/>{beside}"))

    def configure(self, node: str, *config: tuple[str, str]) -> Element:
        """The administrator configures it."""
        return self.own(self.admin, f"<configure node='{node}'>{form('node_config', *config)}</configure>")

    def get(self, client: Recorder, verb: str) -> Element:
        """A question."""
        return self.pubsub(client, "get", verb)

    def set(self, client: Recorder, verb: str) -> Element:
        """A request."""
        return self.pubsub(client, "set", verb)

    def own(self, client: Recorder, verb: str, kind: str = "set") -> Element:
        """A request of an owner."""
        return self.pubsub(client, kind, verb, owner=True)

    def subscribe(self, client: Recorder, node: str, jid: str = "") -> Element:
        """Subscribe, with the full JID by default as the desktops do."""
        return self.set(client, f"<subscribe node='{node}' jid='{jid or client.jid}'/>")

    def put(self, client: Recorder, node: str, item_id: str = "", words: str = "x", beside: str = "") -> Element:
        """Publish an item."""
        at = f" id='{item_id}'" if item_id else ""
        item = f"<item{at}><entry xmlns='custom'>{words}</entry></item>"
        return self.set(client, f"<publish node='{node}'>{item}</publish>{beside}")

    def affiliate(self, node: str, user: str, affiliation: str) -> Element:
        """The administrator says what a user is to a node."""
        entry = f"<affiliation jid='{user}@localhost' affiliation='{affiliation}'/>"
        return self.own(self.admin, f"<affiliations node='{node}'>{entry}</affiliations>")


def kept(scene: Scene, node: str, asked: str = "") -> list[str]:
    """Ids of the items the administrator is given."""
    return [item["id"] for item in entries(scene.get(scene.admin, f"<items node='{node}'{asked}/>"))]


def told(client: Recorder) -> list[Element]:
    """What stands inside the events that came since the last time."""
    events = [stanza.child("event", EVENT_NS) for stanza in client.take()]
    return [next(event.elements()) for event in events if event is not None]


def names(client: Recorder) -> list[str]:
    """The same, by name, with what is inside `<items/>` named in its place."""
    found: list[str] = []
    for element in told(client):
        inside = list(element.elements()) if element.name == "items" else []
        found += [f"{child.name} {child.attrs['id']}" for child in inside] or [element.name]
    return found

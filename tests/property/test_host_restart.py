"""After any history, a server made from what was stored answers as the one that stored it would have."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from poise.protocols.xmpp.host import HostPolicy
from poise.protocols.xmpp.pubsub.rights import Affiliation
from poise.protocols.xmpp.records import (
    AffiliationRecord,
    DocumentRecord,
    ItemRecord,
    MessageRecord,
    NodeRecord,
    Record,
    SubscriptionRecord,
)
from poise.protocols.xmpp.xml import Element, to_bytes
from tests.unit.protocols.xmpp.host_story import PUBSUB, Recorder
from tests.unit.protocols.xmpp.pubsub.story import OWNER, PS, USER, Scene, form
from tests.unit.protocols.xmpp.shelf import Shelf, save

POLICY = HostPolicy(items_per_node=4, item_bytes_per_node=2000, offline_messages_per_user=4, subscriptions_per_user=4)
PRODUCT = (USER, "/finesse/api/SystemInfo")
NODES = st.sampled_from((*PRODUCT, "news", "it's <&> \u00e9"))
PEOPLE = st.sampled_from(("1001", "1002", "admin"))
RESOURCES = st.sampled_from(("", "/desktop", "/other"))
ITEMS = st.sampled_from(("a", "b", "c", "d", "e", "'"))
CONFIG = st.sampled_from(
    (
        ("title", "News"),
        ("persist_items", "1"),
        ("persist_items", "0"),
        ("max_items", "2"),
        ("max_items", "max"),
        ("access_model", "open"),
        ("access_model", "whitelist"),
        ("access_model", "authorize"),
        ("publish_model", "open"),
        ("publish_node_full", "reject"),
        ("notify_retract", "1"),
        ("send_last_published_item", "on_sub"),
    )
)


def quoted(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("'", "&apos;")


class Restarts(RuleBasedStateMachine):
    """A server with a store that is killed at any time, with or without having stored the last changes."""

    def __init__(self) -> None:
        super().__init__()
        self.shelf = Shelf()
        self.scene = self.fresh()
        self.stored = self.view(self.scene)

    def fresh(self) -> Scene:
        """A server started from the shelf, with the product's nodes made and everybody signed in."""
        scene = Scene(POLICY, ready=False)
        scene.now = self.scene.now if hasattr(self, "scene") else 1000.0
        scene.host.wall_offset = 1_700_000_000.0 - 1000.0
        assert scene.host.restore(self.shelf.records(), scene.now) == 0
        for node in PRODUCT:
            scene.host.create_node(node)
            scene.host.subscribe(node, "1003@localhost")
        scene.host.events.clear()
        self.clients = {user: scene.join(user) for user in ("1001", "1002", "admin")}
        scene.admin = self.clients["admin"]
        return scene

    def view(self, scene: Scene) -> dict[str, object]:
        """What clients would be told, asked of a host that acknowledges at once."""
        host = scene.host
        nodes: dict[str, object] = {}
        for name in sorted(host.nodes()):
            admin = scene.admin
            listed = [
                scene.own(admin, f"<{verb} node='{quoted(name)}'/>", "get")
                for verb in ("configure", "affiliations", "subscriptions")
            ]
            shown = [sorted(to_bytes(entry) for entry in self.inside(answer.children[0])) for answer in listed]
            items = scene.get(admin, f"<items node='{quoted(name)}'/>")
            kept = [to_bytes(child) for child in items.children if not isinstance(child, str)]
            nodes[name] = (shown, kept if items.attrs["type"] == "result" else [])
        people = {}
        for user, client in self.clients.items():
            asked = [scene.get(client, verb) for verb in ("<subscriptions/>", "<affiliations/>")]
            private = "<query xmlns='jabber:iq:private'><a xmlns='b'/></query>"
            asked += [scene.ask(client, "get", child) for child in ("<vCard xmlns='vcard-temp'/>", private)]
            people[user] = [sorted(to_bytes(entry) for entry in self.inside(answer.children[0])) for answer in asked]
        waiting = [message.stanza for message in host._offline._kept.get("1003@localhost", ())]
        return {"nodes": nodes, "people": people, "waiting": waiting}

    @staticmethod
    def inside(element: Element | str) -> list[Element]:
        """Entries of a list, or the parts of a document."""
        assert isinstance(element, Element)
        found = [entry for verb in element.elements() for entry in verb.elements()]
        return found or list(element.elements())

    def keep(self) -> None:
        save(self.scene, self.shelf)
        self.stored = self.view(self.scene)

    def request(self, user: str, inside: str, owner: bool = False) -> None:
        ns = OWNER if owner else PS
        stanza = (
            f"<iq xmlns='jabber:client' type='set' id='x' to='{PUBSUB}'><pubsub xmlns='{ns}'>{inside}</pubsub></iq>"
        )
        self.send(self.clients[user], stanza)

    def send(self, client: Recorder, stanza: str) -> None:
        self.scene.send(client, stanza)
        for known in self.clients.values():
            known.raw.clear()

    @initialize()
    def a_node_exists(self) -> None:
        beside = form("node_config", ("persist_items", "1"))
        self.request("admin", f"<create node='news'/><configure>{beside}</configure>")

    @rule(node=NODES, config=st.lists(CONFIG, max_size=3))
    def create(self, node: str, config: list[tuple[str, str]]) -> None:
        beside = f"<configure>{form('node_config', *dict(config).items())}</configure>"
        self.request("admin", f"<create node='{quoted(node)}'/>{beside}")

    @rule(node=NODES, config=st.lists(CONFIG, min_size=1, max_size=3))
    def configure(self, node: str, config: list[tuple[str, str]]) -> None:
        inside = form("node_config", *dict(config).items())
        self.request("admin", f"<configure node='{quoted(node)}'>{inside}</configure>", owner=True)

    @rule(node=st.sampled_from(("news", "it's <&> \u00e9")))
    def delete(self, node: str) -> None:
        self.request("admin", f"<delete node='{quoted(node)}'/>", owner=True)

    @rule(node=NODES, user=PEOPLE, affiliation=st.sampled_from(Affiliation))
    def affiliate(self, node: str, user: str, affiliation: Affiliation) -> None:
        entry = f"<affiliation jid='{user}@localhost' affiliation='{affiliation.value}'/>"
        self.request("admin", f"<affiliations node='{quoted(node)}'>{entry}</affiliations>", owner=True)

    @rule(node=NODES, user=PEOPLE, resource=RESOURCES, deliver=st.sampled_from(("", "0", "1")))
    def subscribe(self, node: str, user: str, resource: str, deliver: str) -> None:
        beside = f"<options>{form('subscribe_options', ('deliver', deliver))}</options>" if deliver else ""
        self.request(user, f"<subscribe node='{quoted(node)}' jid='{user}@localhost{resource}'/>{beside}")

    @rule(node=NODES, user=PEOPLE, resource=RESOURCES)
    def unsubscribe(self, node: str, user: str, resource: str) -> None:
        self.request(user, f"<unsubscribe node='{quoted(node)}' jid='{user}@localhost{resource}'/>")

    @rule(node=NODES, user=PEOPLE, resource=RESOURCES, state=st.sampled_from(("subscribed", "none")))
    def manage(self, node: str, user: str, resource: str, state: str) -> None:
        entry = f"<subscription jid='{user}@localhost{resource}' subscription='{state}'/>"
        self.request("admin", f"<subscriptions node='{quoted(node)}'>{entry}</subscriptions>", owner=True)

    @rule(node=NODES, user=PEOPLE, item=ITEMS, size=st.integers(0, 900))
    def publish(self, node: str, user: str, item: str, size: int) -> None:
        payload = f"<entry xmlns='custom'>{'x' * size}</entry>"
        self.request(user, f"<publish node='{quoted(node)}'><item id='{quoted(item)}'>{payload}</item></publish>")

    @rule(node=NODES, user=PEOPLE, item=ITEMS)
    def retract(self, node: str, user: str, item: str) -> None:
        self.request(user, f"<retract node='{quoted(node)}'><item id='{quoted(item)}'/></retract>")

    @rule(node=NODES)
    def purge(self, node: str) -> None:
        self.request("admin", f"<purge node='{quoted(node)}'/>")

    @rule(user=PEOPLE, words=st.sampled_from(("", "Agent", "\U0001f600")))
    def documents(self, user: str, words: str) -> None:
        card = f"<vCard xmlns='vcard-temp'>{f'<FN>{words}</FN>' if words else ''}</vCard>"
        private = f"<query xmlns='jabber:iq:private'><a xmlns='b'>{words}</a></query>"
        for child in (card, private):
            self.send(self.clients[user], f"<iq xmlns='jabber:client' type='set' id='x'>{child}</iq>")

    @rule(user=PEOPLE, words=st.sampled_from(("one", "two", "\U0001f600")))
    def message(self, user: str, words: str) -> None:
        to = "1003@localhost"
        self.send(self.clients[user], f"<message xmlns='jabber:client' to='{to}'><body>{words}</body></message>")

    @rule()
    def fetch(self) -> None:
        reader = self.scene.join("1003")
        self.scene.leave(reader)
        self.scene.now += 61.0
        self.scene.host.due(self.scene.now)

    @rule()
    def save_what_waits(self) -> None:
        self.keep()

    @rule()
    def die_and_start_again(self) -> None:
        stored = self.stored
        self.scene = self.fresh()
        assert self.view(self.scene) == stored

    def teardown(self) -> None:
        self.keep()
        self.die_and_start_again()


Restarts.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestRestarts = Restarts.TestCase


NAMES = st.sampled_from(("n", *PRODUCT, "")) | st.text(max_size=5)
JIDS = st.sampled_from(("1001@localhost", "1001@localhost/x", "far@away.example", "@", ""))
CONFIGS = st.sampled_from(
    ("{}", "[]", "null", "", '{"pubsub#title": 5}', '{"pubsub#title": []}', '{"pubsub#deliver": ["0"]}')
) | st.text(max_size=5)
WORDS = st.sampled_from(("owner", "outcast", "subscribed", "pending", "")) | st.text(max_size=5)
NUMBERS = st.integers(0, 2**62)
TIMES = st.floats(0, 4e9)
RECORDS = st.one_of(
    st.builds(NodeRecord, NAMES, JIDS, TIMES, CONFIGS),
    st.builds(AffiliationRecord, NAMES, JIDS, WORDS),
    st.builds(SubscriptionRecord, NAMES, JIDS, WORDS, CONFIGS),
    st.builds(ItemRecord, NAMES, NAMES, NUMBERS, JIDS, TIMES, st.binary(max_size=5)),
    st.builds(MessageRecord, JIDS, NUMBERS, TIMES, st.booleans(), st.binary(max_size=5)),
    st.builds(DocumentRecord, JIDS, NAMES, st.binary(max_size=5)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(RECORDS, max_size=12))
def test_whatever_was_stored_a_server_starts(records: list[Record]) -> None:
    scene = Scene(ready=False)
    assert 0 <= scene.host.restore(records, scene.now) <= len(records)
    for node in PRODUCT:
        scene.host.create_node(node)
    client = scene.join("1001")
    scene.host.nodes_complete(scene.now)
    scene.host.due(scene.host.deadline if scene.host.deadline < float("inf") else scene.now)
    save(scene, Shelf())  # what had expired is removed for good, which the client's answers wait for
    assert scene.ask(client, "get", "<ping xmlns='urn:xmpp:ping'/>").attrs["type"] == "result"
